"""Several appointments at once: households, packages, series. And groups, where several share one."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from booking.several.household import Together
from booking.values import AppointmentStatus, Source
from frontdesk.api.forms.appointments import AppointmentOut, PlaceForm, StaffForm
from frontdesk.api.forms.common import DayOrInstant, Form, Id, Instant, Minutes, Out, Text
from frontdesk.api.forms.problem import AlsoOut
from frontdesk.api.forms.slots import SlotOut

People = Annotated[tuple[Id, ...], Field(max_length=50)]


class PartForm(Form):
    """One of the appointments. Without practitioners the best of all who are free is chosen."""

    service: Id
    location: Id
    starts_at: Instant
    practitioners: People = ()
    patient_id: Id | None = None
    duration_minutes: Minutes | None = None
    place: PlaceForm | None = None


class HouseholdForm(StaffForm):
    """People who come together: one part each."""

    parts: Annotated[tuple[PartForm, ...], Field(min_length=1, max_length=50)]


class PackageForm(StaffForm):
    """A package, and its steps in order with the times of one of its Slots."""

    service: Id
    parts: Annotated[tuple[PartForm, ...], Field(min_length=1, max_length=50)]


class SeriesForm(StaffForm):
    """The first appointment, and how it comes again."""

    first: PartForm
    rule: Annotated[
        str,
        StringConstraints(min_length=1, max_length=300),
        Field(description="An RRULE of RFC 5545: FREQ=WEEKLY;COUNT=6", examples=["FREQ=WEEKLY;COUNT=6"]),
    ]


class BundleOut(Out):
    """All of it by start, also what was called off."""

    id: str
    appointments: list[AppointmentOut]


class SkippedOut(Out):
    """A date of a series that can't be had, and why."""

    starts_at: datetime
    why: AlsoOut


class SeriesOut(Out):
    """`ends_early`: the rule goes on beyond what the clinic books ahead."""

    id: str
    appointments: list[AppointmentOut]
    skipped: list[SkippedOut]
    ends_early: bool


class PatientOfForm(Form):
    appointment_id: Id
    patient_id: Id


class ConfirmBundleForm(StaffForm):
    """Whose they are: all one patient's, or each its own. A part that was held for somebody is theirs."""

    patient_id: Id | None = None
    patients: Annotated[tuple[PatientOfForm, ...], Field(max_length=50)] = ()


class CancelBundleForm(StaffForm):
    reason: Text | None = None
    from_: Annotated[Instant | None, Field(alias="from", description="Only what starts then or later.")] = None


class WishForm(Form):
    """What one of a household wants."""

    service: Id
    practitioners: People = ()
    locations: People = ()
    duration_minutes: Minutes | None = None


class HouseholdSlotsForm(Form):
    """Who wants what, and whether one after the other or at once."""

    wishes: Annotated[tuple[WishForm, ...], Field(min_length=1, max_length=6)]
    together: Together
    from_: Annotated[DayOrInstant, Field(alias="from")]
    to: Annotated[DayOrInstant, Field(description="At most 14 days later.")]


class HouseholdSlotsOut(Out):
    """The `parts` of each are in the order of the wishes."""

    slots: list[SlotOut]


class SessionForm(StaffForm):
    """A group's session that staff open."""

    service: Id
    location: Id
    starts_at: Instant
    practitioners: People = ()
    duration_minutes: Minutes | None = None


class SeatForm(StaffForm):
    patient_id: Id | None = None


class SeatConfirmForm(StaffForm):
    patient_id: Id


class SeatOut(Out):
    """A place in a session. `pending` with an expiry: held, and not booked yet."""

    id: str
    session_id: str
    patient_id: str | None
    status: AppointmentStatus
    hold_expires_at: datetime | None
    source: Source


class SeatsOut(Out):
    """First come first."""

    seats: list[SeatOut]
