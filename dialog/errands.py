"""What the policy wants carried out, and what comes back. `tools` does it; the policy itself touches nothing.

Effects are done in order and answer nothing that changes the conversation; requests come back as a result, and the policy
goes on from there.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from booking.nearest import Relaxation
from booking.task_words import TaskDetails, TaskSays
from booking.values import BookedVisit, Slot, TaskKind
from dialog.commands import Relation
from dialog.offers import Offer
from dialog.timewords import TimeWish
from kernel.interval import Interval


@dataclass(frozen=True)
class FindTimes:
    """Look for times that meet the wish with the wanted people; if there are none, ask why not and for what lies near it.

    `able_ids` are all who could do it; `not_before` and `not_after` are wall times of the clinic. Nothing near are starts
    that were `shown` before, and the time that the patient `has`. At the times of visits of the patient `own_of` nothing is
    offered, since they can't be at two places; that is not told as a reason, unless it is the `patient_id` who was recognised.
    """

    service_id: str
    wanted_ids: tuple[str, ...]
    able_ids: tuple[str, ...]
    location_ids: tuple[str, ...]
    wish: TimeWish
    not_before: datetime | None = None
    not_after: datetime | None = None
    replaces_appointment_id: str | None = None  # its own time is no obstacle
    patient_id: str | None = None
    shown: tuple[datetime, ...] = ()
    has: Offer | None = None
    own_of: str | None = None


@dataclass(frozen=True)
class TimesFound:
    """`fitting` meet the wish, by start. If none do: why, and the nearest ways that work, in the engine's order."""

    fitting: tuple[Slot, ...]
    reasons: "tuple[RefusedBy, ...]" = ()
    nearest: tuple[Relaxation, ...] = ()


@dataclass(frozen=True)
class PlaceHold:
    """Hold a time. Of a package `able_ids` are all who may give its steps, and `practitioner_ids` those asked for."""

    service_id: str
    location_id: str
    starts_at: datetime
    practitioner_ids: tuple[str, ...]
    patient_id: str | None
    replaces_appointment_id: str | None = None
    able_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """The time that is held. Of a group: the session, with the seat in it that is."""

    visit: BookedVisit
    seat_id: str | None = None


@dataclass(frozen=True)
class ConfirmHold:
    """Book what is held; with a `bundle_id` all steps of the package, with a `seat_id` a seat in the group."""

    appointment_id: str
    patient_id: str
    bundle_id: str | None = None
    seat_id: str | None = None


@dataclass(frozen=True)
class MoveAppointment:
    appointment_id: str
    hold_id: str


@dataclass(frozen=True)
class CancelAppointment:
    """Call a visit off: all steps of a package, and of a group the patient's seat only."""

    appointment_id: str
    patient_id: str


@dataclass(frozen=True)
class NoteConfirmed:
    """The patient says they will come."""

    appointment_id: str


@dataclass(frozen=True)
class VisitWritten:
    """The committed row, as it now stands."""

    visit: BookedVisit


@dataclass(frozen=True)
class VerifyPatient:
    """Find the patient by name and date of birth, both of which must match what is on file."""

    name: str
    birth_date: date


@dataclass(frozen=True)
class MatchCaller:
    """Find the one patient among those of the caller's number who has this name, if one was given, and this date of birth, if one was."""

    name: str | None
    patient_ids: tuple[str, ...]
    birth_date: date | None = None


@dataclass(frozen=True)
class PatientFound:
    """`patient_id` is None when nobody fits, or more than one does. `is_doubtful`: all but the date of birth fits somebody."""

    patient_id: str | None
    is_doubtful: bool = False


@dataclass(frozen=True)
class RegisterPatient:
    """Take on a new patient. Without a date of birth it is a placeholder, which staff are asked to complete.

    `is_doubtful`: they may be on file already with another date of birth, so it is a placeholder too, which staff are asked to compare.
    """

    name: str
    birth_date: date | None
    phone: str | None
    booked_by: str | None = None
    relation: Relation = Relation.SELF
    is_doubtful: bool = False
    language: str = "en"  # to write to them in


@dataclass(frozen=True)
class ListVisits:
    patient_id: str
    past: bool = False


@dataclass(frozen=True)
class VisitsListed:
    visits: tuple[BookedVisit, ...]


@dataclass(frozen=True)
class WaitForTime:
    """Put the patient on the waiting list for a time in one of the `spans` that is not free now.

    With `replaces_id` they want it for that visit, without spans an earlier one. Without a service: for the visit that they
    booked in this conversation.
    """

    patient_id: str
    service_id: str | None
    practitioner_ids: tuple[str, ...] = ()
    location_ids: tuple[str, ...] = ()
    spans: tuple[Interval, ...] = ()
    replaces_id: str | None = None


@dataclass(frozen=True)
class OnWaitingList:
    entry_id: str
    service_id: str


@dataclass(frozen=True)
class RefusedBy:
    """The clinic's rules said no: the refusal's code and fields. `time-taken` refusals are `is_lost`."""

    code: str
    fields: dict[str, Any]
    is_lost: bool = False


@dataclass(frozen=True)
class OpenTask:
    """Tell the staff. `subject` makes telling the same thing twice in a conversation a no-op."""

    kind: TaskKind
    says: TaskSays
    details: TaskDetails = field(default_factory=dict)
    phone: str | None = None
    patient_id: str | None = None
    appointment_id: str | None = None
    subject: str | None = None


@dataclass(frozen=True)
class ReleaseHold:
    """Give back the time held for this conversation, if any."""


@dataclass(frozen=True)
class KeepEmail:
    """Write to the patient at this address from now on, and about the visits that they have."""

    patient_id: str
    address: str


Effect = OpenTask | ReleaseHold | KeepEmail
Request = (
    FindTimes
    | PlaceHold
    | ConfirmHold
    | MoveAppointment
    | CancelAppointment
    | NoteConfirmed
    | VerifyPatient
    | MatchCaller
    | RegisterPatient
    | ListVisits
    | WaitForTime
)
Result = TimesFound | Held | VisitWritten | PatientFound | VisitsListed | OnWaitingList | RefusedBy
