"""Who waits for what, and what they were offered."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from booking.values import Source
from booking.waiting_list.waiting import EntryStatus, OfferStatus
from frontdesk.api.forms.appointments import LoginName
from frontdesk.api.forms.common import Form, Id, Instant, Out


class SpanForm(Form):
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant


class WaitForm(Form):
    """What the patient waits for. Empty lists mean anything will do; `spans` bound the starts."""

    patient_id: Id
    service: Id
    practitioners: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    locations: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    spans: Annotated[tuple[SpanForm, ...], Field(max_length=50)] = ()
    replaces: Annotated[Id | None, Field(description="The appointment they have and want another time for.")] = None
    actor: LoginName | None = None


class WaitlistQuery(Form):
    patient: Id | None = None


class SpanOut(Out):
    starts_at: datetime
    ends_at: datetime


class OfferOut(Out):
    """A time kept for somebody until `expires_at`. `hold_id`: its Hold among the appointments."""

    id: str
    entry_id: str
    hold_id: str
    status: OfferStatus
    offered_at: datetime
    expires_at: datetime
    answered_at: datetime | None


class WaitingOut(Out):
    id: str
    patient_id: str
    service_id: str
    practitioner_ids: list[str]
    location_ids: list[str]
    spans: list[SpanOut]
    replaces_id: str | None
    source: Source
    status: EntryStatus
    created_at: datetime
    expires_at: datetime
    offers: list[OfferOut]


class WaitlistOut(Out):
    """The oldest first."""

    entries: list[WaitingOut]
