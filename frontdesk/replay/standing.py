"""What stood beside the diary when a conversation began: groups and who was in them, who books for whom, and what patients had
been offered or were reminded of. Read only; as a script has it (`frontdesk.opening`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model.appointment import AppointmentChange, Participant
from booking.model.patient import RelatedPerson
from booking.model.reminder import Reminder
from booking.model.waitlist import Offer, WaitlistEntry
from booking.values import AppointmentStatus
from dialog.model import Conversation
from frontdesk.replay.diary_then import TAKES_TIME, Names, State
from kernel.interval import wall_text

_REMINDED_SINCE = timedelta(days=31)  # an older reminder is of a visit that is over


@dataclass(frozen=True)
class Then:
    """The moment that is asked about. `keys`: of the patients who are told apart, by id; `states`: the diary at that moment."""

    conversation: Conversation
    at: datetime
    keys: Mapping[str, str]
    names: Names
    states: Mapping[str, State]

    def visit(self, state: State) -> dict[str, Any]:
        return {
            "service": self.names.keys[state.service_id],
            "practitioner": self.names.keys[state.practitioner_id],
            "location": self.names.keys[state.location_id],
            "start": self.wall(state),
        }

    def wall(self, state: State) -> str:
        return wall_text(self.local(state))

    def local(self, state: State) -> datetime:
        """Return when a visit begins by the clocks of its place."""
        return state.starts_at.astimezone(self.names.zones[state.location_id])


def groups(session: Session, then: Then) -> list[dict[str, Any]]:
    """List the groups ahead with the seats that were taken: whose they were, and of how many others. One statement."""
    ahead = [state for state in then.states.values() if state.is_group and state.status in TAKES_TIME]
    seats: dict[str, dict[str, tuple[str, str | None]]] = {}
    lines = session.scalars(
        select(AppointmentChange)
        .where(
            AppointmentChange.appointment_id.in_([state.id for state in ahead]), AppointmentChange.changed_at < then.at
        )
        .order_by(AppointmentChange.id)
    )
    for line in lines:
        if "seat" in line.after:
            of_group = seats.setdefault(line.appointment_id, {})
            of_group[line.after["seat"]] = (line.after["status"], line.after.get("patient_id"))
    found = []
    for state in ahead:
        taken = [whose for status, whose in seats.get(state.id, {}).values() if status in TAKES_TIME]
        known = [then.keys[whose] for whose in taken if whose is not None and whose in then.keys]
        found.append(then.visit(state) | {"patients": known, "others": len(taken) - len(known)})
    return found


def related(session: Session, then: Then) -> list[dict[str, Any]]:
    """List who of the patients books for whom of them, as it is now: no history of it is kept."""
    rows = session.scalars(
        select(RelatedPerson)
        .where(RelatedPerson.patient_id.in_(then.keys), RelatedPerson.by_patient_id.in_(then.keys))
        .order_by(RelatedPerson.patient_id, RelatedPerson.by_patient_id)
    )
    return [
        {"patient": then.keys[row.patient_id], "by": then.keys[row.by_patient_id], "relation": row.relation}
        for row in rows
    ]


def offered(session: Session, then: Then) -> dict[str, dict[str, Any]]:
    """Return the times kept for a patient who was still to answer, by the Hold that kept them."""
    # What the waiting list offers is kept by a Hold that may look like one of staff.
    return dict([*_proposed(then), *_freed(session, then)])


def _freed(session: Session, then: Then) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the waiting list offered. One statement."""
    rows = session.execute(
        select(Offer, WaitlistEntry)
        .join(WaitlistEntry, WaitlistEntry.id == Offer.entry_id)
        .where(WaitlistEntry.patient_id.in_(then.keys), Offer.offered_at <= then.at, Offer.expires_at > then.at)
        .order_by(Offer.offered_at, Offer.id)
    )
    for offer, entry in rows:
        hold = then.states.get(offer.hold_id)
        if hold is not None and (offer.answered_at is None or offer.answered_at >= then.at):
            yield hold.id, _kept(then, hold, entry.patient_id, instead_of=entry.replaces_id, until=offer.expires_at)


def _proposed(then: Then) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what staff proposed instead of a visit that can't take place."""
    for hold in then.states.values():
        if hold.replaces_id is None or hold.conversation_id is not None or hold.hold_expires_at is None:
            continue
        if hold.patient_id is not None and hold.patient_id in then.keys:
            part = _kept(then, hold, hold.patient_id, instead_of=hold.replaces_id, until=hold.hold_expires_at)
            yield hold.id, part | {"by_staff": True}


def _kept(then: Then, hold: State, patient_id: str, *, instead_of: str | None, until: datetime) -> dict[str, Any]:
    part = {"patient": then.keys[patient_id], **then.visit(hold), "until": until.isoformat()}
    visit = then.states.get(instead_of or "")
    return part if visit is None else part | {"instead_of": then.wall(visit)}


def reminded(session: Session, then: Then) -> list[dict[str, Any]]:
    """List what the last text before the conversation reminded its number of, as far as it stood. One statement."""
    rows = session.execute(
        select(Reminder, Participant.patient_id)
        .outerjoin(Participant, Participant.id == Reminder.subject_id)
        .where(
            Reminder.clinic_id == then.conversation.clinic_id,
            Reminder.number_hash == then.conversation.caller_hash,
            Reminder.told_at <= then.at,
            Reminder.told_at > then.at - _REMINDED_SINCE,
        )
        .order_by(Reminder.told_at.desc(), Reminder.message_id, Reminder.starts_at)
    ).all()
    found = []
    for row, seated_id in rows:
        visit = then.states.get(row.appointment_id)
        if row.message_id != rows[0][0].message_id or visit is None or visit.starts_at != row.starts_at:
            continue
        whose = then.keys.get(visit.patient_id or seated_id or "")
        if whose is not None and visit.status == AppointmentStatus.BOOKED:
            found.append({"patient": whose, "start": then.wall(visit), "at": (row.told_at or then.at).isoformat()})
    return found
