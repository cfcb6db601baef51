"""Holds and appointments: asked, changed, shown."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from booking.values import AppointmentStatus, Source
from frontdesk.api.forms.common import Day, Form, Id, Instant, Minutes, Out, Text
from frontdesk.api.forms.slots import Latitude, Longitude

LoginName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$", max_length=60)]


_ONE_WAY: dict[str, Any] = {
    "oneOf": [
        {
            "required": ["hold_id"],
            "properties": {
                "hold_id": {"type": "string"},
                "starts_at": False,
                "location": False,
                "practitioners": False,
                "duration_minutes": False,
            },
        },
        {"required": ["starts_at"], "properties": {"starts_at": {"type": "string"}, "hold_id": False}},
    ]
}


class StaffForm(Form):
    """Base of what staff may do by hand. Both need the scope `staff`."""

    actor: Annotated[
        LoginName | None, Field(description="Who of the staff does it by hand: it is marked as theirs.")
    ] = None
    override_reason: Annotated[
        Text | None, Field(description="Why rules are set aside that staff may set aside. Needs `actor`.")
    ] = None


class PlaceForm(Form):
    latitude: Latitude
    longitude: Longitude


class HoldForm(StaffForm):
    """Which time to keep. Without practitioners the best of all who are free is chosen."""

    service: Id
    location: Id
    starts_at: Instant
    practitioners: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    patient_id: Id | None = None
    replaces: Annotated[Id | None, Field(description="The appointment it is to move.")] = None
    duration_minutes: Minutes | None = None
    place: PlaceForm | None = None


class BookingForm(StaffForm):
    """Which Hold becomes an appointment, and for whom."""

    hold_id: Id
    patient_id: Id


class MoveForm(StaffForm):
    """Where to: a Hold that was placed with `replaces`, or a time. What is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra=_ONE_WAY)

    hold_id: Id | None = None
    starts_at: Instant | None = None
    location: Id | None = None
    practitioners: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    duration_minutes: Minutes | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "MoveForm":
        if (self.hold_id is None) == (self.starts_at is None):
            raise PydanticCustomError("hold-or-time", "Name either hold_id or starts_at")
        if self.hold_id is not None and (self.location or self.practitioners or self.duration_minutes):
            raise PydanticCustomError("hold-or-time", "The Hold says where, with whom and how long")
        return self


class CancelForm(StaffForm):
    reason: Text | None = None


class AppointmentOut(Out):
    """An appointment as it stands. `is_hold`: kept until `hold_expires_at`, and not booked yet. `revision` is its ETag."""

    id: str
    uid: str
    revision: int
    status: AppointmentStatus
    is_hold: bool
    hold_expires_at: datetime | None
    service_id: str
    practitioner_id: Annotated[str | None, Field(description="Null for a request for which nobody is chosen yet.")]
    location_id: str
    patient_id: str | None
    patient_status: Annotated[
        Literal["accepted", "needs-action"] | None,
        Field(description="FHIR's participant.status: whether the patient said they will come. Null for no patient."),
    ]
    bundle_id: str | None
    starts_at: datetime
    ends_at: datetime
    source: Source
    reason: Annotated[str | None, Field(description="Why this practitioner was chosen.")]
    times_moved: int
    meeting_url: str | None
    overridden: Annotated[list[str], Field(description="Codes of the rules that staff set aside.")]


class AppointmentsQuery(Form):
    """Which appointments: all that are named. Holds are not listed."""

    patient: Id | None = None
    practitioner: Id | None = None
    location: Id | None = None
    service: Annotated[Id | None, Field(description="The type of appointment.")] = None
    status: Annotated[tuple[AppointmentStatus, ...], Field(max_length=9)] = ()
    day: Annotated[Day | None, Field(description="By the clock of the location asked for, or of the clinic.")] = None
    from_: Annotated[Day | None, Field(alias="from", description="First day.")] = None
    to: Annotated[Day | None, Field(description="The day after the last.")] = None
    cursor: Annotated[str | None, StringConstraints(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class AppointmentsOut(Out):
    """By start, then id. `next_cursor` leads to the next page."""

    appointments: list[AppointmentOut]
    next_cursor: str | None


class ChangeOut(Out):
    """One line of a history. `actor`: patient, staff:..., api:..., system."""

    changed_at: datetime
    what: str
    actor: str
    source: str
    before: dict[str, Any] | None
    after: dict[str, Any]


class HistoryOut(Out):
    changes: list[ChangeOut]


class AttendanceForm(StaffForm):
    """Whether the patient came. `unknown` takes back what was marked."""

    attendance: Literal["arrived", "noshow", "unknown"]


class NamedForm(Form):
    actor: LoginName | None = None
