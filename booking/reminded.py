"""The rows of reminders: whom there is to remind, what was written, whether it still stands, and what an answer is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from booking import ledger
from booking.model.appointment import Appointment, AppointmentChange, Participant
from booking.model.clinic import Location
from booking.model.reminder import Reminder
from booking.patients import phone_hash
from booking.reminders import REACH, Ahead, Due
from booking.values import AppointmentStatus, BookedVisit
from kernel.db import Ready, one_of, one_of_these, table_of
from kernel.work import UnitOfWork

_TOLD = ("booked", "moved", "accepted")
"""Changes by which a patient hears of the time."""


def visits_ahead(session: Session, *, clinic_id: str, leads: Sequence[timedelta], now: datetime) -> list[Ahead]:
    """Return the visits and seats of the clinic whose reminders can have come due, soonest first. Two statements."""
    until = now + max(leads) + REACH
    of_time = (
        Appointment.clinic_id == clinic_id,
        Appointment.status == AppointmentStatus.BOOKED,
        Appointment.starts_at > now,
        Appointment.starts_at <= until,
    )
    rows = session.execute(_people().where(*of_time).order_by(Appointment.starts_at, Appointment.id)).all()
    done: dict[tuple[str, datetime], set[timedelta]] = {}
    written = select(Reminder.subject_id, Reminder.starts_at, Reminder.lead_s).join(
        Appointment, Appointment.id == Reminder.appointment_id
    )
    for subject_id, starts_at, lead_s in session.execute(written.where(*of_time)):
        done.setdefault((subject_id, starts_at), set()).add(timedelta(seconds=lead_s))
    return [
        Ahead(
            subject_id=row.subject_id,
            appointment_id=row.appointment_id,
            patient_id=row.patient_id,
            location_id=row.location_id,
            starts_at=row.starts_at,
            learnt_at=max(filter(None, (row.taken_on_at, row.changed_at))),
            is_confirmed=row.patient_confirmed_at is not None,
            reminded=frozenset(done.get((row.subject_id, row.starts_at), ())),
        )
        for row in rows
    ]


def _people() -> Select[*tuple[object, ...]]:
    """Return the select of who comes: the patient of each visit, and of a group those who have a seat."""
    changed_at = (
        select(func.max(AppointmentChange.changed_at))
        .where(AppointmentChange.appointment_id == Appointment.id, AppointmentChange.what.in_(_TOLD))
        .scalar_subquery()
    )
    has_seat = and_(Participant.appointment_id == Appointment.id, Participant.status == AppointmentStatus.BOOKED.value)
    patient_id = func.coalesce(Appointment.patient_id, Participant.patient_id)
    return (
        select(
            func.coalesce(Participant.id, Appointment.id).label("subject_id"),
            Appointment.id.label("appointment_id"),
            patient_id.label("patient_id"),
            Appointment.location_id,
            Appointment.starts_at,
            func.coalesce(Participant.created_at, Appointment.created_at).label("taken_on_at"),
            changed_at.label("changed_at"),
            Appointment.patient_confirmed_at,
        )
        .select_from(Appointment)
        .outerjoin(Participant, has_seat)
        .where(patient_id.is_not(None))
    )


def note_reminders(
    work: UnitOfWork,
    reminders: Sequence[Due],
    *,
    clinic_id: str,
    now: datetime,
    message_id: str | None = None,
    number: str | None = None,
    note: str | None = None,
) -> None:
    """Write down that these are dealt with, by this message or by none for the reason in `note`.

    Raises IntegrityError when somebody else has dealt with one of them. `number`: where answers to them come from.
    """
    for one in reminders:
        work.session.add(
            Reminder(
                clinic_id=clinic_id,
                appointment_id=one.ahead.appointment_id,
                subject_id=one.ahead.subject_id,
                starts_at=one.ahead.starts_at,
                lead_s=round(one.lead.total_seconds()),
                number_hash=None if number is None or one.left_out else phone_hash(number),
                message_id=None if one.left_out else message_id,
                note=one.left_out.value if one.left_out else note,
                written_at=now,
            )
        )
    work.session.flush()


@dataclass(frozen=True)
class Standing:
    """What a message reminds of still stands: the first of it, and the zone of the place."""

    starts_at: datetime
    zone: ZoneInfo


def take_reminders(work: UnitOfWork, *, message_id: str, now: datetime) -> Standing | None:
    """Say whether all that a message reminds of stands as it was; None if not.

    Then what does stand is as if nobody had dealt with it, so that it is reminded of by a message of its own.
    """
    seat = and_(Participant.id == Reminder.subject_id, Participant.status == AppointmentStatus.BOOKED.value)
    stands = and_(
        Appointment.status == AppointmentStatus.BOOKED,
        Appointment.starts_at == Reminder.starts_at,
        Appointment.starts_at > now,
        or_(Reminder.subject_id == Appointment.id, Participant.id.is_not(None)),
    )
    rows = work.session.execute(
        select(Reminder.id, Reminder.starts_at, Location.timezone, stands.label("stands"))
        .join(Appointment, Appointment.id == Reminder.appointment_id)
        .join(Location, Location.id == Appointment.location_id)
        .outerjoin(Participant, seat)
        .where(Reminder.message_id == message_id)
        .order_by(Reminder.starts_at)
    ).all()
    if rows and all(row.stands for row in rows):
        return Standing(rows[0].starts_at, ZoneInfo(rows[0].timezone))
    free = [row.id for row in rows if row.stands]
    work.session.execute(delete(Reminder).where(Reminder.id.in_(free)))
    work.session.execute(update(Reminder).where(Reminder.message_id == message_id).values(note="superseded"))
    return None


def note_told(work: UnitOfWork, *, message_id: str, now: datetime) -> None:
    """Note that the message is about to be handed over: from now on it can be answered."""
    work.session.execute(update(Reminder).where(Reminder.message_id == message_id).values(told_at=now))


@dataclass(frozen=True)
class Reminded:
    """What a number was reminded of last: the visits of that text that still stand as it said."""

    visits: tuple[BookedVisit, ...]
    told_at: datetime

    @property
    def offered_at(self) -> datetime:
        """When it was asked whether they come."""
        return self.told_at

    def is_open_at(self, now: datetime) -> bool:
        """Say whether there is still anything to answer."""
        return any(visit.starts_at > now for visit in self.visits)


def last_reminder_of_number(session: Session, *, clinic_id: str, phone: str, since_at: datetime) -> Reminded | None:
    """Return what the last text since then reminded this number (E.164) of. One statement where there was none, else two."""
    given = {"clinic_id": clinic_id, "number_hash": phone_hash(phone), "reminded_since": since_at}
    rows = _OF_NUMBER.rows(session, given)
    if not rows:
        return None
    last = [row for row in rows if row[2] == rows[0][2]]
    told = {appointment_id: starts_at for appointment_id, starts_at, *_ in last}
    entries = map(ledger.entry_of, _VISITS.rows(session, {"ids": sorted(told)}))
    stand = [entry.visit for entry in entries if entry.visit.starts_at == told[entry.visit.id]]
    return Reminded(tuple(sorted(stand, key=lambda visit: visit.starts_at)), told_at=last[0][3])


_REMINDER = table_of(Reminder)
REMINDED_NUMBER = (
    select(_REMINDER.c.appointment_id, _REMINDER.c.starts_at, _REMINDER.c.message_id, _REMINDER.c.told_at)
    .where(
        _REMINDER.c.clinic_id == bindparam("clinic_id"),
        _REMINDER.c.number_hash == bindparam("number_hash"),
        _REMINDER.c.told_at > bindparam("reminded_since"),
    )
    .order_by(_REMINDER.c.told_at.desc(), _REMINDER.c.message_id)
)
"""What `last_reminder_of_number` reads, for those who first ask whether there is anything at all."""
_OF_NUMBER = Ready(REMINDED_NUMBER.limit(50))
_VISITS = Ready(
    ledger.entries().where(
        one_of(table_of(Appointment).c.id, "ids"),
        one_of_these(table_of(Appointment).c.status, [AppointmentStatus.BOOKED]),
    )
)
