"""What stood when a script begins, beside the clinic's file: time taken in other calendars, groups with people in them, who
books for whom, and what patients were told that they may now answer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from booking.elsewhere import set_busy_of_many
from booking.hold import place_hold
from booking.model.appointment import Appointment, Participant
from booking.model.patient import Patient, RelatedPerson
from booking.model.schedule import BusyInterval, Schedule
from booking.model.waitlist import Offer, WaitlistEntry
from booking.patients import register_patient
from booking.reminded import note_reminders, note_told
from booking.reminders import Ahead, Due
from booking.several.groups import confirm_seat, join_session, open_session
from booking.values import AppointmentStatus, BookedVisit, Catalogue, LocationInfo, Source
from booking.waiting_list.waiting import EntryStatus, OfferStatus
from frontdesk.listing import id_of
from kernel.db import new_id
from kernel.errors import Refused
from kernel.interval import Interval, subtracted, told_instant
from kernel.work import UnitOfWork

_ACTOR = "staff:script"
_AS_IT_WAS = "as it was"  # why rules are set aside: what stood has been allowed already
_A_MOMENT = timedelta(minutes=1)

Parts = Sequence[Mapping[str, Any]]


class BadOpening(Exception):
    """What is said to have stood can't be set up. The text is one line."""


@dataclass(frozen=True)
class Opening:
    """Each part as `docs/corrections.md` has it; times of visits are wall times of the place (`kernel.interval.wall_text`),
    others have a zone.
    """

    busy: Parts = ()
    groups: Parts = ()
    related: Parts = ()
    offered: Parts = ()
    reminded: Parts = ()


OPENING = tuple(field.name for field in fields(Opening))
"""What a script may have beside its clinic, each a list."""


def set_up(work: UnitOfWork, catalogue: Catalogue, *, opening: Opening, caller: str, now: datetime) -> None:
    """Bring it into a clinic that has its patients and visits already. `caller`: whose number was reminded. Raises BadOpening."""
    patients = work.session.execute(
        select(Patient.key, Patient.id).where(Patient.clinic_id == catalogue.clinic_id, Patient.key.is_not(None))
    )
    scene = _Scene(work, catalogue, {str(key): patient_id for key, patient_id in patients}, caller, now)
    take_elsewhere(work, catalogue, parts=opening.busy, now=now)
    steps: tuple[tuple[str, Callable[[Mapping[str, Any]], None], Parts], ...] = (
        ("groups", scene.open_group, opening.groups),
        ("related", scene.relate, opening.related),
        ("offered", scene.offer, opening.offered),
        ("reminded", scene.remind, opening.reminded),
    )
    for name, step, parts in steps:
        for part in parts:
            with _read(name, part):
                step(part)


def take_elsewhere(work: UnitOfWork, catalogue: Catalogue, *, parts: Parts, now: datetime) -> None:
    """Take times, given with a zone, in practitioners' own calendars. Raises BadOpening."""
    taken: dict[str, dict[str, list[Interval]]] = {}
    for part in parts:
        with _read("busy", part):
            schedule_id, span = _time_elsewhere(work, catalogue, part)
            taken.setdefault(schedule_id, {})[f"script:{span.start}/{span.end}"] = [span]
    for schedule_id, spans in taken.items():
        set_busy_of_many(work, schedule_id=schedule_id, spans_by_origin=spans, now=now)


def free_elsewhere(work: UnitOfWork, catalogue: Catalogue, *, part: Mapping[str, Any], now: datetime) -> None:
    """Let nothing in the practitioner's own calendar take that time any more. Raises BadOpening."""
    with _read("free", part):
        schedule_id, span = _time_elsewhere(work, catalogue, part)
        taken: dict[str, list[Interval]] = {}
        for row in work.session.scalars(select(BusyInterval).where(BusyInterval.schedule_id == schedule_id)):
            taken.setdefault(row.origin, []).append(Interval(row.starts_at, row.ends_at))
        left = {origin: subtracted(spans, [span]) for origin, spans in taken.items()}
        set_busy_of_many(work, schedule_id=schedule_id, spans_by_origin=left, now=now)


@contextmanager
def _read(name: str, part: Mapping[str, Any]) -> Iterator[None]:
    try:
        yield
    except Refused as refusal:
        raise BadOpening(f"{name} {dict(part)!r}: {refusal.code}") from None
    except (KeyError, TypeError, ValueError):
        raise BadOpening(f"{name} can't be read: {dict(part)!r}") from None


def _time_elsewhere(work: UnitOfWork, catalogue: Catalogue, part: Mapping[str, Any]) -> tuple[str, Interval]:
    person = id_of(catalogue.practitioners, str(part.get("practitioner")))
    schedule_id = work.session.scalars(select(Schedule.id).where(Schedule.practitioner_id == person)).one()
    start, end = (datetime.fromisoformat(str(part[name])) for name in ("start", "end"))
    return schedule_id, Interval(start, end)


@dataclass(frozen=True)
class _Scene:
    work: UnitOfWork
    catalogue: Catalogue
    patients: Mapping[str, str]  # ids by key
    caller: str
    now: datetime

    def open_group(self, part: Mapping[str, Any]) -> None:
        location = self._location(part)
        session = open_session(
            self.work, self.catalogue,
            service_id=id_of(self.catalogue.services, part["service"]),
            location_id=location.id,
            starts_at=_instant(part["start"], location),
            practitioner_ids=(id_of(self.catalogue.practitioners, part["practitioner"]),),
            now=self.now, actor=_ACTOR, override_reason=_AS_IT_WAS,
        )  # fmt: skip
        known = [self.patients[key] for key in part.get("patients", ())]
        others = [self._somebody(number) for number in range(int(part.get("others", 0)))]
        for patient_id in [*known, *others]:
            self._seat(session.id, patient_id)

    def relate(self, part: Mapping[str, Any]) -> None:
        row = RelatedPerson(
            patient_id=self.patients[part["patient"]],
            by_patient_id=self.patients[part["by"]],
            relation=str(part.get("relation", "other")),
        )
        self.work.session.add(row)
        self.work.session.flush()

    def offer(self, part: Mapping[str, Any]) -> None:
        """Keep a time for a patient who has not answered yet: one that came free, or one that staff propose for a visit."""
        location, patient_id = self._location(part), self.patients[part["patient"]]
        instead_of = self._visit_at(patient_id, part["instead_of"]) if "instead_of" in part else None
        hold = place_hold(
            self.work, self.catalogue,
            service_id=id_of(self.catalogue.services, part["service"]),
            location_id=location.id,
            starts_at=_instant(part["start"], location),
            practitioner_ids=(id_of(self.catalogue.practitioners, part["practitioner"]),),
            conversation_id=None,
            patient_id=patient_id,
            source=Source.STAFF,
            replaces_appointment_id=instead_of,
            expires_at=datetime.fromisoformat(str(part["until"])),
            now=self.now, actor=_ACTOR, override_reason=_AS_IT_WAS,
        )  # fmt: skip
        if not part.get("by_staff"):
            self._offer_in_line(hold, patient_id, instead_of)

    def remind(self, part: Mapping[str, Any]) -> None:
        patient_id, told_at = self.patients[part["patient"]], datetime.fromisoformat(str(part["at"]))
        visit_id = self._visit_at(patient_id, part["start"])
        visit = self.work.session.get_one(Appointment, visit_id)
        seat_id = None if visit.patient_id else self._seat_of(patient_id, visit_id)
        ahead = Ahead(
            subject_id=seat_id or visit_id,
            appointment_id=visit_id,
            patient_id=patient_id,
            location_id=visit.location_id,
            starts_at=visit.starts_at,
            learnt_at=told_at,
        )
        reminder = [Due(ahead, visit.starts_at - told_at)]
        message_id = f"script:{told_at.isoformat()}"
        note_reminders(
            self.work, reminder, clinic_id=self.catalogue.clinic_id, now=told_at, message_id=message_id,
            number=self.caller,
        )  # fmt: skip
        note_told(self.work, message_id=message_id, now=told_at)

    def _seat(self, session_id: str, patient_id: str) -> None:
        held = join_session(
            self.work, self.catalogue, session_id=session_id, patient_id=patient_id, conversation_id=None,
            source=Source.STAFF, now=self.now, actor=_ACTOR, override_reason=_AS_IT_WAS,
        )  # fmt: skip
        confirm_seat(
            self.work, self.catalogue, seat_id=held.id, patient_id=patient_id, now=self.now, actor=_ACTOR,
            override_reason=_AS_IT_WAS,
        )  # fmt: skip

    def _somebody(self, number: int) -> str:
        made = register_patient(
            self.work, clinic_id=self.catalogue.clinic_id, name=f"Somebody Else {number}", birth_date=None, phone=None,
            language=None, now=self.now,
        )  # fmt: skip
        return made.id

    def _offer_in_line(self, hold: BookedVisit, patient_id: str, replaces_id: str | None) -> None:
        # They wait for this very time, so that nothing else is offered after a no.
        span = [hold.starts_at.isoformat(), (hold.starts_at + _A_MOMENT).isoformat()]
        entry = WaitlistEntry(
            id=new_id(), clinic_id=self.catalogue.clinic_id, patient_id=patient_id, service_id=hold.service_id,
            practitioner_ids=[], location_ids=[], spans=[span], replaces_id=replaces_id, conversation_id=None,
            source=Source.STAFF, status=EntryStatus.WAITING, created_at=self.now, expires_at=hold.starts_at,
        )  # fmt: skip
        self.work.session.add(entry)
        self.work.session.flush()
        self.work.session.add(
            Offer(
                id=new_id(), entry_id=entry.id, hold_id=hold.id, status=OfferStatus.OPEN, offered_at=self.now,
                expires_at=hold.hold_expires_at,
            )
        )  # fmt: skip
        self.work.session.flush()

    def _location(self, part: Mapping[str, Any]) -> LocationInfo:
        return self.catalogue.location(id_of(self.catalogue.locations, part["location"]))

    def _visit_at(self, patient_id: str, start: Any) -> str:
        """Return the visit, or the group's session, that the patient has at this wall time. Raises ValueError."""
        at = {_instant(start, location) for location in self.catalogue.locations}
        seats = select(Participant.appointment_id).where(Participant.patient_id == patient_id)
        found = self.work.session.scalar(
            select(Appointment.id).where(
                Appointment.starts_at.in_(at),
                Appointment.status.in_([AppointmentStatus.BOOKED, AppointmentStatus.PENDING]),
                Appointment.hold_expires_at.is_(None),
                (Appointment.patient_id == patient_id) | Appointment.id.in_(seats),
            )
        )
        if found is None:
            raise ValueError(start)
        return found

    def _seat_of(self, patient_id: str, session_id: str) -> str | None:
        return self.work.session.scalar(
            select(Participant.id).where(Participant.patient_id == patient_id, Participant.appointment_id == session_id)
        )


def _instant(wall: Any, location: LocationInfo) -> datetime:
    return told_instant(datetime.fromisoformat(str(wall)), location.zone)
