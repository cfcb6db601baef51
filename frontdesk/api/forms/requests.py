"""What waits for a yes of staff: visits to confirm, and wishes without a time."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from frontdesk.api.forms.appointments import AppointmentOut, LoginName, StaffForm
from frontdesk.api.forms.common import DayOrInstant, Form, Id, Instant, Out, Text
from frontdesk.api.forms.slots import SlotOut


class ProposalForm(Form):
    """What the patient would like, and within which time. `text`: their own words, for staff."""

    service: Id
    location: Id
    patient_id: Id
    from_: Annotated[DayOrInstant, Field(alias="from")]
    to: DayOrInstant
    practitioners: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    text: Text
    actor: LoginName | None = None


class GrantForm(StaffForm):
    """The time that a proposal gets. `actor` or else the key's name stands in the history."""

    starts_at: Instant
    practitioner: Id


class AnswerForm(Form):
    actor: LoginName | None = None


class RejectForm(Form):
    reason: Text
    actor: LoginName | None = None


class RejectedOut(Out):
    """What was rejected, and what the patient is offered instead."""

    appointment: AppointmentOut
    alternatives: list[SlotOut]


class RequestOut(Out):
    appointment: AppointmentOut
    asked_at: datetime
    answer_by: datetime
    is_overdue: bool
    practitioner_ids: Annotated[list[str], Field(description="Whom a wish names.")]


class RequestsOut(Out):
    """What waits for staff, the oldest first."""

    requests: list[RequestOut]
