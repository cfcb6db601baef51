"""What is free: asked, and answered."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from frontdesk.api.forms.catalogue import PersonOut
from frontdesk.api.forms.common import DayOrInstant, Form, Id, Minutes, Out

Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
LongestList = Field(max_length=50)


class SlotsQuery(Form):
    """Which times. Lists are given by naming the parameter again; an empty one means any."""

    service: Annotated[tuple[Id, ...], Field(min_length=1, max_length=20)]
    practitioner: Annotated[tuple[Id, ...], LongestList] = ()
    location: Annotated[tuple[Id, ...], LongestList] = ()
    from_: Annotated[DayOrInstant, Field(alias="from", description="The first start: a day or an instant.")]
    to: Annotated[DayOrInstant, Field(description="Starts are before this day or instant; at most 92 days later.")]
    duration_minutes: Annotated[Minutes | None, Field(description="Of a service whose length may be chosen.")] = None
    latitude: Annotated[Latitude | None, Field(description="Of a home visit, with longitude.")] = None
    longitude: Longitude | None = None
    replaces: Annotated[Id | None, Field(description="The appointment to be moved: its time is no obstacle.")] = None
    limit: Annotated[int, Field(ge=1, le=2000)] = 500

    @model_validator(mode="after")
    def _place_is_whole(self) -> "SlotsQuery":
        if (self.latitude is None) != (self.longitude is None):
            raise PydanticCustomError("half-a-place", "Latitude and longitude go together")
        return self


class SlotOut(Out):
    """A time at which the service could start. `is_contingent`: staff must agree first. `session_id`: a group with room."""

    starts_at: datetime
    ends_at: datetime
    service_id: str
    practitioner_id: str
    location_id: str
    is_contingent: bool
    session_id: str | None
    parts: list["SlotOut"]


class SlotsOut(Out):
    """Sorted by start. `practitioners`: who has any of these times. `next_from`: where to go on when there are more."""

    slots: list[SlotOut]
    practitioners: list[PersonOut]
    next_from: datetime | None


class NextAvailableQuery(Form):
    """Empty lists mean any."""

    service: Annotated[tuple[Id, ...], LongestList] = ()
    practitioner: Annotated[tuple[Id, ...], LongestList] = ()
    location: Annotated[tuple[Id, ...], LongestList] = ()


class NextOut(Out):
    """`starts_at` is null where nothing is free as far ahead as the clinic books."""

    practitioner_id: str
    service_id: str
    location_id: str
    starts_at: datetime | None


class NextAvailableOut(Out):
    next: list[NextOut]
