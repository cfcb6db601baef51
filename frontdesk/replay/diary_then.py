"""The diary as it stood at any moment of the past, folded from the history of each visit. Read only."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment, AppointmentChange
from booking.model.clinic import Location
from booking.model.schedule import Schedule
from booking.model.staff import HealthcareService, Practitioner
from booking.values import AppointmentStatus
from dialog.model import Conversation
from dialog.tools import PATIENT

_S = AppointmentStatus
TAKES_TIME = frozenset({_S.PENDING, _S.BOOKED, _S.ARRIVED, _S.FULFILLED})
_FOLDED = ("status", "service_id", "practitioner_id", "location_id", "patient_id", "starts_at", "ends_at", "hold_expires_at")  # fmt: skip


@dataclass(frozen=True)
class State:
    """An Appointment at one moment, as far as it matters. `replaces_id`: of a Hold, the visit that it is to move."""

    id: str
    status: str
    service_id: str
    practitioner_id: str
    location_id: str
    patient_id: str | None
    starts_at: datetime
    ends_at: datetime
    hold_expires_at: datetime | None
    replaces_id: str | None
    conversation_id: str | None

    @property
    def is_group(self) -> bool:
        """Say whether several take part: its people are in `standing`."""
        return self.patient_id is None and self.hold_expires_at is None

    def stands_at(self, moment: datetime) -> bool:
        """Say whether its time is taken: a Hold that has run out takes none."""
        is_held = self.hold_expires_at is None or self.hold_expires_at > moment
        return self.status in TAKES_TIME and is_held


@dataclass(frozen=True)
class Names:
    """Keys and zones by id, those of people and places that left included."""

    keys: Mapping[str, str]
    zones: Mapping[str, ZoneInfo]
    schedules: Mapping[str, str]  # key of the practitioner, by id of the diary

    @classmethod
    def read(cls, session: Session, clinic_id: str) -> "Names":
        locations = session.execute(
            select(Location.id, Location.key, Location.timezone).where(Location.clinic_id == clinic_id)
        ).all()
        keys = {row.id: row.key for row in locations}
        for kind in (Practitioner, HealthcareService):
            keys |= {row.id: row.key for row in session.execute(select(kind.id, kind.key).where(kind.clinic_id == clinic_id))}  # fmt: skip
        diaries = session.execute(
            select(Schedule.id, Schedule.practitioner_id).where(
                Schedule.clinic_id == clinic_id, Schedule.practitioner_id.is_not(None)
            )
        )
        return cls(
            keys,
            {row.id: ZoneInfo(row.timezone) for row in locations},
            {row.id: keys[row.practitioner_id] for row in diaries if row.practitioner_id in keys},
        )


class States:
    """The Appointments that the conversation could meet or wrote, at any moment."""

    def __init__(
        self,
        session: Session,
        conversation: Conversation,
        *,
        patient_ids: Collection[str],
        written: Collection[str],
        since: datetime,
        until: datetime,
    ) -> None:
        """`written`: ids of those that the conversation wrote. Two statements."""
        self._own_id, self._written = conversation.id, frozenset(written)
        near = and_(Appointment.ends_at > since, Appointment.starts_at < until)
        self._rows = session.scalars(
            select(Appointment)
            .where(
                Appointment.clinic_id == conversation.clinic_id,
                Appointment.practitioner_id.is_not(None),
                # What was moved away since can be anywhere now.
                or_(
                    near,
                    and_(Appointment.changed_at >= since, Appointment.times_moved > 0),
                    Appointment.patient_id.in_(patient_ids),
                    Appointment.id.in_(self._written),
                ),
            )
            .order_by(Appointment.starts_at, Appointment.id)
        ).all()
        changed = [row.id for row in self._rows if row.changed_at >= since]
        self._lines: dict[str, list[AppointmentChange]] = {}
        for line in session.scalars(
            select(AppointmentChange)
            .where(AppointmentChange.appointment_id.in_(changed))
            .order_by(AppointmentChange.id)
        ):
            self._lines.setdefault(line.appointment_id, []).append(line)

    def at(self, moment: datetime, *, own: bool) -> Iterator[State]:
        """Yield them as they stood at `moment`: those that the conversation wrote, or what was there before it."""
        for row in self._rows:
            if own and row.id not in self._written:
                continue
            if not own and (row.conversation_id == self._own_id or row.created_at > moment):
                continue
            yield self._state(row, moment, is_end=own)

    def created_between(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, State]]:
        """Yield what others booked in between, by when, as it was booked."""
        for row in self._rows:
            if start < row.created_at <= end and row.conversation_id != self._own_id:
                state = self._state(row, end, is_end=True)
                if state.status in TAKES_TIME and state.hold_expires_at is None:
                    yield row.created_at, state

    def left_between(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, State, State | None]]:
        """Yield what others called off, moved or let lapse in between: when, how it stood, and how it then stands, if it does.

        What the conversation changed itself is left out from then on.
        """
        for row in self._rows:
            before = self._state(row, start, is_end=False)
            if row.created_at > start or before.is_group or not before.stands_at(start):
                continue
            for moment in self._changes(row, start, end):
                after = self._state(row, moment, is_end=True)
                if not after.stands_at(moment):
                    yield moment, before, None
                    break
                if (after.practitioner_id, after.starts_at) != (before.practitioner_id, before.starts_at):
                    yield moment, before, after
                    before = after

    def _changes(self, row: Appointment, start: datetime, end: datetime) -> list[datetime]:
        """Return when others changed a visit in between, the end of a Hold included."""
        moments = [self._state(row, start, is_end=False).hold_expires_at]
        for line in self._lines.get(row.id, [])[1:]:
            if row.id in self._written and line.actor == PATIENT and line.changed_at >= start:
                break
            moments.append(line.changed_at)
        return sorted({moment for moment in moments if moment is not None and start <= moment <= end})

    def _state(self, row: Appointment, moment: datetime, *, is_end: bool) -> State:
        """Fold a visit's history up to `moment`. What changed at the very moment counts at the end and not at the beginning."""
        known: dict[str, Any] = {name: getattr(row, name) for name in _FOLDED}
        for number, line in enumerate(self._lines.get(row.id, ())):
            if number and (line.changed_at > moment or (line.changed_at == moment and not is_end)):
                break
            if not number:
                known["hold_expires_at"] = None
            if "seat" not in line.after:  # which tells of somebody in a group, not of the group
                known |= {name: value for name, value in line.after.items() if name in _FOLDED}
        for name in ("starts_at", "ends_at", "hold_expires_at"):
            if isinstance(known[name], str):
                known[name] = datetime.fromisoformat(known[name])
        if row.patient_id is None:
            known["patient_id"] = None  # a group's session, whoever began it
        return State(id=row.id, replaces_id=row.replaces_id, conversation_id=row.conversation_id, **known)
