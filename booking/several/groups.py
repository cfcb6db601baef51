"""Groups: staff open a session, patients take seats in it. The number of seats is counted under a lock of the session.

A session is an Appointment without a Patient of its own. It takes the time of one visit, and its Participants have seats. Where
nobody has opened one, a patient starts one by booking: then the session is a Hold until the first seat is confirmed. Staff open
those that need their yes: of a service that needs confirmation, or in contingent time.
"""

import dataclasses
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, func, insert, literal_column, select, update
from sqlalchemy.orm import Session

from booking import elsewhere, guard, ledger, sessions, tasks
from booking.asked import instant_asked, people_asked, service_asked
from booking.availability import is_contingent
from booking.cancel import cancel_appointment
from booking.claims import Need, claims_of, take
from booking.confirm import NotHeld, wanted_of
from booking.events import AppointmentBooked, SeatBooked, SeatCancelled, SeatEvent, SeatMoved
from booking.facts import gather, wanted_asked
from booking.hold import place_hold
from booking.model.appointment import Appointment, AppointmentChange, Participant
from booking.model.clinic import Location
from booking.model.staff import HealthcareService
from booking.override import allowed_override, is_staff
from booking.rules import Facts, NotOffered, check_booking, check_cancel, check_patient
from booking.sessions import Seat, UnknownSeat, seat_of, seats, seats_count
from booking.task_words import TaskDetails, TaskSays
from booking.values import AppointmentStatus, BookedVisit, Catalogue, GroupSize, PatientId, Source, TaskKind
from kernel.db import Ready, new_id, one_of_these, table_of
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.work import UnitOfWork

DECIDED_BEFORE = timedelta(hours=24)
"""So long before a session starts staff are asked what to do with it if too few take part."""

_AT_ONCE = 500


class NotAGroup(Refused):
    """This is no session of a group, or the service is not given to groups."""

    code = "not-a-group"


class SessionFull(Refused):
    """All seats are taken."""

    code = "session-full"


class SessionByStaff(Refused):
    """Only staff open sessions of this group, or at that time."""

    code = "session-by-staff"


def open_session(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    service_id: str,
    location_id: str,
    starts_at: datetime,
    practitioner_ids: tuple[str, ...] = (),
    duration: timedelta | None = None,
    source: Source = Source.STAFF,
    now: datetime,
    actor: str,
    override_reason: str | None = None,
) -> BookedVisit:
    """Let a group meet: take the time of one visit, as `place_hold` does, with nobody in it yet.

    Calling again is another session, so the same people are not free for it. Raises NotAGroup, SessionByStaff for others than
    staff, and what `place_hold` raises.
    """
    if not is_staff(actor):
        raise SessionByStaff
    _group_asked(catalogue, service_id)
    with guard.all_or_nothing(work):
        held = place_hold(
            work,
            catalogue,
            service_id=service_id,
            location_id=location_id,
            starts_at=starts_at,
            practitioner_ids=practitioner_ids,
            conversation_id=None,
            source=source,
            now=now,
            duration=duration,
            actor=actor,
            override_reason=override_reason,
        )
        entry = ledger.read_locked(work, appointment_id=held.id)
        return _opened(work, entry, actor=actor, now=now).visit


def start_session(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    service_id: str,
    location_id: str,
    starts_at: datetime,
    practitioner_ids: tuple[str, ...] = (),
    patient_id: str | None = None,
    conversation_id: str | None,
    source: Source,
    now: datetime,
    expires_at: datetime | None = None,
    actor: str = "patient",
) -> Seat:
    """Hold the time of a session that nobody has opened, and its first seat; `confirm_seat` books both.

    Locks the Patient, then as `place_hold`. Replaces earlier Holds of the same conversation. Raises NotAGroup, SessionByStaff,
    and what `place_hold` raises.
    """
    _group_asked(catalogue, service_id)
    starts_at = instant_asked(starts_at, now=now)
    wanted = wanted_asked(catalogue, service_id=service_id, location_id=location_id)
    named = people_asked(catalogue, practitioner_ids)
    able = [one for one in catalogue.able(wanted.service, wanted.location) if one in named or not named]
    if not able:
        raise NotOffered
    candidates = [one for one in able if not is_contingent(wanted, one, starts_at=starts_at)]
    if wanted.service.needs_confirmation or not candidates:
        raise SessionByStaff
    with guard.all_or_nothing(work):
        _, known = gather(work, wanted, candidates, starts_at=starts_at, now=now, patient_id=patient_id, ignoring=())
        check_patient(known)
        held = place_hold(
            work,
            catalogue,
            service_id=service_id,
            location_id=location_id,
            starts_at=starts_at,
            practitioner_ids=tuple(one.id for one in candidates),
            conversation_id=conversation_id,
            source=source,
            now=now,
            expires_at=expires_at,
            actor=actor,
        )
        entry = ledger.read_locked(work, appointment_id=held.id)
        seat = _wanted_seat(entry, patient_id=patient_id, conversation_id=conversation_id, source=source)
        seat = dataclasses.replace(seat, hold_expires_at=held.hold_expires_at)
        return _write(work, entry, seat, what="seat-held", actor=actor, now=now)


def join_session(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    session_id: str,
    patient_id: str | None = None,
    conversation_id: str | None,
    source: Source,
    now: datetime,
    expires_at: datetime | None = None,
    actor: str = "patient",
    override_reason: str | None = None,
) -> Seat:
    """Hold a seat until `expires_at` (None: for `rules.hold` from `now`); `confirm_seat` books it.

    Who has a seat already gets that one, and a held one is held longer. Replaces seats that the same conversation holds for
    the same person in other sessions. Locks the Patient, then the session. Raises UnknownVisit, NotAGroup, VisitClosed,
    SessionFull, which nobody sets aside, or the refusal of a rule; with `override_reason` staff set aside those that may be.
    """
    override_reason = allowed_override(override_reason, actor=actor)
    with guard.all_or_nothing(work):
        known = _facts(work, catalogue, session_id=session_id, patient_id=patient_id, now=now)
        entry, group = _locked(work, catalogue, session_id=session_id)
        seat = _seat_of(work, session_id, patient_id=patient_id, conversation_id=conversation_id)
        if seat is not None and seat.status in _BOOKED:
            return seat
        if entry.visit.status is not AppointmentStatus.BOOKED:
            raise ledger.VisitClosed(status=str(entry.visit.status))
        check_booking(dataclasses.replace(known, is_overriding=override_reason is not None))
        if seat is None or not seat.counts(now=now):
            _check_room(work, entry, group, now=now)
        _give_others_back(work, session_id, patient_id=patient_id, conversation_id=conversation_id, now=now)
        wanted = _wanted_seat(entry, patient_id=patient_id, conversation_id=conversation_id, source=source)
        held = dataclasses.replace(
            wanted, id=wanted.id if seat is None else seat.id, hold_expires_at=expires_at or now + known.rules.hold
        )
        return _write(work, entry, held, what="seat-held", actor=actor, now=now)


def confirm_seat(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    seat_id: str,
    patient_id: str,
    now: datetime,
    actor: str,
    override_reason: str | None = None,
) -> Seat:
    """Book the held seat for the patient, and the session with it if they are the one who starts it. May be called again.

    A seat that has run out is taken anew if there is one. Locks the Patient, the session, and for one whose own Hold has run
    out the Schedules. Raises UnknownSeat, NotHeld for a seat that was given back or is somebody else's, VisitClosed, SessionFull,
    SlotTaken, or the refusal of a rule; the seat is then as before.
    """
    override_reason = allowed_override(override_reason, actor=actor)
    with guard.all_or_nothing(work):
        session_id = sessions.seat(work.session, seat_id=seat_id).session_id
        known = _facts(work, catalogue, session_id=session_id, patient_id=patient_id, now=now)
        known = dataclasses.replace(known, is_overriding=override_reason is not None)
        entry, group = _locked(work, catalogue, session_id=session_id)
        seat = sessions.seat(work.session, seat_id=seat_id)
        if seat.patient_id not in {None, patient_id} or seat.status not in _BOOKED | {AppointmentStatus.PENDING}:
            raise NotHeld
        if seat.status in _BOOKED:
            return seat
        theirs = _seat_of(work, session_id, patient_id=patient_id, conversation_id=None)
        if theirs is not None and theirs.id != seat.id:
            # They have had a seat here before: that is the one they get, and the other is free.
            _write(work, entry, _cancelled(seat), what="seat-released", actor=actor, now=now)
            if theirs.status in _BOOKED:
                return theirs
        if entry.visit.is_hold:
            entry = _started(work, catalogue, entry, known, actor=actor, now=now)
        elif entry.visit.status is not AppointmentStatus.BOOKED:
            raise ledger.VisitClosed(status=str(entry.visit.status))
        elif seat.counts(now=now):
            check_patient(known)
        else:
            check_booking(known)
            _check_room(work, entry, group, now=now, but=seat_id)
        booked = dataclasses.replace(
            theirs or seat, patient_id=PatientId(patient_id), status=AppointmentStatus.BOOKED, hold_expires_at=None
        )
        _write(work, entry, booked, what="seat-booked", actor=actor, now=now)
        _tell(work, SeatBooked, entry, booked, now=now)
        return booked


def leave_session(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    session_id: str,
    patient_id: str,
    now: datetime,
    actor: str,
) -> Seat:
    """Give the patient's seat back. Calling again changes nothing. Locks the session.

    Raises UnknownVisit, NotAGroup, UnknownSeat, and for patients TooLateToChange or AlreadyOver.
    """
    with guard.all_or_nothing(work):
        entry, _ = _locked(work, catalogue, session_id=session_id)
        seat = _seat_of(work, session_id, patient_id=patient_id, conversation_id=None)
        if seat is None:
            raise UnknownSeat
        if seat.status not in _LEAVING:
            return seat
        visit = entry.visit
        if seat.status in _BOOKED and not is_staff(actor):
            rules = catalogue.rules_at(visit.location_id)
            check_cancel(Facts(rules, now, Interval(visit.starts_at, visit.ends_at), stands_at=visit.starts_at))
        left = _write(work, entry, _cancelled(seat), what="seat-left", actor=actor, now=now)
        if seat.status in _BOOKED:
            _tell(work, SeatCancelled, entry, left, now=now)
        return left


def release_seat(work: UnitOfWork, catalogue: Catalogue, *, seat_id: str, now: datetime) -> None:
    """Give a held seat back; nothing happens if it is none any more. Locks the session. Raises UnknownSeat, UnknownVisit."""
    session_id = sessions.seat(work.session, seat_id=seat_id).session_id
    entry, _ = _locked(work, catalogue, session_id=session_id)
    seat = sessions.seat(work.session, seat_id=seat_id)
    if seat.is_hold:
        _write(work, entry, _cancelled(seat), what="seat-released", actor="patient", now=now)


def release_seats(work: UnitOfWork, *, conversation_id: str, now: datetime) -> None:
    """Give back the seats that the conversation holds. Nothing happens if it holds none. Frees seats only: needs no lock."""
    for (session_id,) in _GIVE_BACK.rows(work.session, {"conversation_id": conversation_id, "now": now}):
        _touch(work, session_id)


def holds_seats(session: Session, *, conversation_id: str) -> bool:
    """Say whether there are seats that `release_seats` would give back."""
    return bool(_HELD.rows(session, {"conversation_id": conversation_id}))


_SEAT = table_of(Participant)
_IS_HELD = (
    _SEAT.c.conversation_id == bindparam("conversation_id"),
    one_of_these(_SEAT.c.status, [AppointmentStatus.PENDING]),
)
_HELD = Ready(select(_SEAT.c.id).where(*_IS_HELD).limit(1))
_GIVE_BACK = Ready(
    update(_SEAT)
    .where(*_IS_HELD)
    .values(status=literal_column(f"'{AppointmentStatus.CANCELLED}'"), changed_at=bindparam("now"))
    .returning(_SEAT.c.appointment_id)
)


def cancel_session(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    session_id: str,
    reason: str | None,
    now: datetime,
    actor: str,
    source: Source = Source.STAFF,
) -> BookedVisit:
    """Call the session off; every participant is told. Calling again changes nothing. Locks the session.

    Raises UnknownVisit, NotAGroup, VisitClosed, SessionByStaff for others than staff.
    """
    if not is_staff(actor):
        raise SessionByStaff
    with guard.all_or_nothing(work):
        _locked(work, catalogue, session_id=session_id)
        visit = cancel_appointment(
            work, catalogue, appointment_id=session_id, reason=reason, now=now, actor=actor, source=source
        )
        _empty(work, ledger.read(work.session, appointment_id=session_id), actor=actor, now=now)
        return visit


def tell_of_move(work: UnitOfWork, *, session_id: str, sequence: int, now: datetime) -> int:
    """Tell every participant that their session was moved, and say how many there are: once for each move of it.

    `sequence`: of the event that tells of the move. Nothing happens for a visit that is no session. Locks the session. Raises
    UnknownVisit.
    """
    entry = ledger.read_locked(work, appointment_id=session_id)
    if entry.visit.patient_id is not None:
        return 0
    what = f"{_MOVE_TOLD}-{sequence}"
    told = select(AppointmentChange.id).where(
        AppointmentChange.appointment_id == session_id, AppointmentChange.what == what
    )
    if work.session.scalars(told.limit(1)).first() is not None:
        return 0
    ledger.note(work, entry, what=what, actor="system", source=entry.visit.source, now=now, after={})
    rows = work.session.execute(
        seats()
        .where(Participant.appointment_id == session_id, Participant.status == AppointmentStatus.BOOKED)
        .order_by(Participant.id)
    ).all()
    for seat in map(seat_of, rows):
        _tell(work, SeatMoved, entry, seat, now=now)
    return len(rows)


def look_after_sessions(work: UnitOfWork, *, now: datetime) -> int:
    """Ask staff about sessions soon in which too few take part, and tell participants of sessions that were called off.

    Once for each session; staff are asked 24 hours before it starts. To be called again and again; says with how many
    sessions something was done, at most 500 a call. Safe with many workers: what somebody else is at is left to them.
    """
    is_called_off = (
        Appointment.status.in_((AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR)),
        select(Participant.id).where(Participant.appointment_id == Appointment.id, seats_count(now)).exists(),
    )
    called_off = _some_locked(work, *is_called_off)
    for entry in called_off:
        _empty(work, entry, actor="system", now=now)
    return len(called_off) + _ask_about_small_ones(work, now=now)


_BOOKED = {AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED}
_LEAVING = {AppointmentStatus.PENDING, AppointmentStatus.BOOKED}
_TOO_FEW = "too-few"
_MOVE_TOLD = "move-told"


def _group_asked(catalogue: Catalogue, service_id: str) -> GroupSize:
    group = service_asked(catalogue, service_id).group
    if group is None:
        raise NotAGroup
    return group


def _locked(work: UnitOfWork, catalogue: Catalogue, *, session_id: str) -> tuple[ledger.Entry, GroupSize]:
    entry = ledger.read_locked(work, appointment_id=session_id, clinic_id=catalogue.clinic_id)
    if entry.visit.patient_id is not None:
        raise NotAGroup
    return entry, _group_asked(catalogue, entry.visit.service_id)


def _facts(work: UnitOfWork, catalogue: Catalogue, *, session_id: str, patient_id: str | None, now: datetime) -> Facts:
    """Return what the rules look at for one who takes part. That the session itself can be is settled."""
    visit = ledger.read(work.session, appointment_id=session_id, clinic_id=catalogue.clinic_id).visit
    _group_asked(catalogue, visit.service_id)
    _, known = gather(
        work,
        wanted_of(catalogue, visit),
        [catalogue.practitioner(visit.practitioner_id)],
        starts_at=visit.starts_at,
        now=now,
        patient_id=patient_id,
        ignoring=(session_id,),
    )
    return dataclasses.replace(known, is_offered=True, is_within_hours=True, lengths=None, needs_place=False)


def _opened(work: UnitOfWork, entry: ledger.Entry, *, actor: str, now: datetime) -> ledger.Entry:
    columns = {"status": AppointmentStatus.BOOKED, "hold_expires_at": None}
    opened = ledger.change(work, entry, what="opened", actor=actor, source=entry.visit.source, now=now, columns=columns)
    work.publish(ledger.told(AppointmentBooked, opened, now=now))
    return opened


def _started(
    work: UnitOfWork, catalogue: Catalogue, entry: ledger.Entry, known: Facts, *, actor: str, now: datetime
) -> ledger.Entry:
    """Open the session whose first seat is being confirmed; claim its time anew if its Hold has run out."""
    visit = entry.visit
    practitioner = catalogue.practitioner(visit.practitioner_id)
    is_ours = visit.hold_expires_at is not None and visit.hold_expires_at > now
    claims = claims_of(work.session, appointment_id=visit.id) if is_ours else []
    if claims:
        check_patient(known)
        elsewhere.check_held(work, catalogue, practitioner, claims)
        return _opened(work, entry, actor=actor, now=now)
    check_booking(known)
    guard.discard(work, appointment_ids=[visit.id])
    wanted = wanted_of(catalogue, visit)
    need = Need(wanted, visit.starts_at, [practitioner], ours=(visit.id,))
    take(work, need, now=now, appointment_id=visit.id)
    return _opened(work, entry, actor=actor, now=now)


def _check_room(
    work: UnitOfWork, entry: ledger.Entry, group: GroupSize, *, now: datetime, but: str | None = None
) -> None:
    """Raise SessionFull if all seats are taken; that of `but` is not counted. The session is locked."""
    statement = select(func.count()).where(Participant.appointment_id == entry.visit.id, seats_count(now))
    if but is not None:
        statement = statement.where(Participant.id != but)
    if (work.session.scalar(statement) or 0) >= group.maximum:
        raise SessionFull(maximum=group.maximum)


def _seat_of(work: UnitOfWork, session_id: str, *, patient_id: str | None, conversation_id: str | None) -> Seat | None:
    """Return the seat that the patient has or had in the session; of nobody yet, the one the conversation holds."""
    statement = seats().where(Participant.appointment_id == session_id)
    if patient_id is not None:
        statement = statement.where(Participant.patient_id == patient_id)
    elif conversation_id is not None:
        statement = statement.where(
            Participant.patient_id.is_(None),
            Participant.conversation_id == conversation_id,
            Participant.status == AppointmentStatus.PENDING,
        )
    else:
        return None
    row = work.session.execute(statement.order_by(Participant.id).limit(1)).one_or_none()
    return None if row is None else seat_of(row)


def _wanted_seat(entry: ledger.Entry, *, patient_id: str | None, conversation_id: str | None, source: Source) -> Seat:
    return Seat(
        id=new_id(),
        session_id=entry.visit.id,
        patient_id=None if patient_id is None else PatientId(patient_id),
        conversation_id=conversation_id,
        status=AppointmentStatus.PENDING,
        hold_expires_at=None,
        source=source,
    )


def _cancelled(seat: Seat) -> Seat:
    # A held seat keeps its expiry, as a Hold does: by that it is told from one that was booked.
    return dataclasses.replace(seat, status=AppointmentStatus.CANCELLED)


def _write(work: UnitOfWork, entry: ledger.Entry, seat: Seat, *, what: str, actor: str, now: datetime) -> Seat:
    """Write the seat, a new one or as it is now, and a line into the history of its session, which is locked."""
    values = {
        "patient_id": seat.patient_id,
        "conversation_id": seat.conversation_id,
        "status": seat.status,
        "hold_expires_at": seat.hold_expires_at,
        "source": seat.source,
        "changed_at": now,
    }
    written = work.session.execute(
        update(Participant).where(Participant.id == seat.id).values(**values).returning(Participant.id)
    )
    if written.first() is None:
        new = values | {"id": seat.id, "appointment_id": seat.session_id, "created_at": now}
        work.session.execute(insert(Participant).values(**new))
    _touch(work, seat.session_id)
    after = {"seat": seat.id, "patient_id": seat.patient_id, "status": seat.status}
    ledger.note(work, entry, what=what, actor=actor, source=seat.source, now=now, after=after)
    return seat


def _touch(work: UnitOfWork, session_id: str) -> None:
    # Whether there is room is shown with what is free in the diary that the session takes time of.
    claims = claims_of(work.session, appointment_id=session_id)
    work.touch(*(guard.schedule_tag(claim.schedule_id) for claim in claims))


def _give_others_back(
    work: UnitOfWork, session_id: str, *, patient_id: str | None, conversation_id: str | None, now: datetime
) -> None:
    """Give back what the conversation holds for the same person in other sessions. Frees seats only: needs no lock."""
    if conversation_id is None:
        return
    whose = Participant.patient_id.is_(None) if patient_id is None else Participant.patient_id == patient_id
    given_back = (
        update(Participant)
        .where(
            Participant.conversation_id == conversation_id,
            Participant.status == AppointmentStatus.PENDING,
            Participant.appointment_id != session_id,
            whose,
        )
        .values(status=AppointmentStatus.CANCELLED, changed_at=now)
        .returning(Participant.appointment_id)
    )
    for other_id in work.session.scalars(given_back).all():
        _touch(work, other_id)


def _empty(work: UnitOfWork, entry: ledger.Entry, *, actor: str, now: datetime) -> None:
    """End all seats of a session that was called off, and tell who had one."""
    rows = work.session.execute(seats().where(Participant.appointment_id == entry.visit.id, seats_count(now))).all()
    for seat in map(seat_of, rows):
        ended = _write(work, entry, _cancelled(seat), what="seat-cancelled", actor=actor, now=now)
        if seat.status in _BOOKED:
            _tell(work, SeatCancelled, entry, ended, now=now)


def _tell(work: UnitOfWork, event: type[SeatEvent], entry: ledger.Entry, seat: Seat, *, now: datetime) -> None:
    """Tell of a seat. Each time the session, which is locked, gets a revision of its own: by that they are told apart."""
    revision = work.session.execute(
        update(Appointment)
        .where(Appointment.id == entry.visit.id)
        .values(revision=Appointment.revision + 1, changed_at=now)
        .returning(Appointment.revision)
    ).scalar_one()
    work.publish(
        event(
            occurred_at=now,
            clinic_id=entry.clinic_id,
            appointment_id=entry.visit.id,
            revision=revision,
            sequence=entry.visit.sequence,
            seat_id=seat.id,
        )
    )


def _ask_about_small_ones(work: UnitOfWork, *, now: datetime) -> int:
    taking_part = (
        select(func.count())
        .where(Participant.appointment_id == Appointment.id, Participant.status == AppointmentStatus.BOOKED)
        .scalar_subquery()
    )
    asked = (
        select(AppointmentChange.id)
        .where(AppointmentChange.appointment_id == Appointment.id, AppointmentChange.what == _TOO_FEW)
        .exists()
    )
    minimum = (
        select(HealthcareService.group_minimum).where(HealthcareService.id == Appointment.service_id).scalar_subquery()
    )
    is_small = (
        Appointment.status == AppointmentStatus.BOOKED,
        Appointment.patient_id.is_(None),
        Appointment.starts_at > now,
        Appointment.starts_at <= now + DECIDED_BEFORE,
        taking_part < minimum,
        ~asked,
    )
    small = _some_locked(work, *is_small)
    for entry in small:
        visit = entry.visit
        ledger.note(work, entry, what=_TOO_FEW, actor="system", source=visit.source, now=now, after={})
        tasks.open_task(
            work,
            clinic_id=entry.clinic_id,
            kind=TaskKind.BOOKING_REQUEST,
            says=TaskSays.TOO_FEW,
            details=_too_few(work, visit),
            now=now,
            appointment_id=visit.id,
            subject=f"{_TOO_FEW}:{visit.id}",
        )
    return len(small)


def _too_few(work: UnitOfWork, visit: BookedVisit) -> TaskDetails:
    name, minimum, zone, count = work.session.execute(
        select(
            HealthcareService.name,
            HealthcareService.group_minimum,
            Location.timezone,
            select(func.count())
            .where(Participant.appointment_id == visit.id, Participant.status == AppointmentStatus.BOOKED)
            .scalar_subquery(),
        )
        .join(Location, Location.clinic_id == HealthcareService.clinic_id)
        .where(HealthcareService.id == visit.service_id, Location.id == visit.location_id)
    ).one()
    visit_at = visit.starts_at.astimezone(ZoneInfo(zone))
    return {"service": name, "visit_at": visit_at, "count": count, "minimum": minimum}


def _some_locked(work: UnitOfWork, *conditions: ColumnElement[bool]) -> list[ledger.Entry]:
    statement = (
        ledger.entries()
        .where(*conditions)
        .order_by(Appointment.id)
        .limit(_AT_ONCE)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return [ledger.entry_of(row) for row in work.session.execute(statement)]
