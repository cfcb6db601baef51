"""Tasks of staff, conversations to read, and a practitioner who is away."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from booking.desk.away import Instead, Outcome
from booking.values import TaskKind
from frontdesk.api.forms.appointments import AppointmentOut, LoginName
from frontdesk.api.forms.common import Day, Form, Id, Out, Text, TimeOfDay
from frontdesk.api.forms.slots import SlotOut

Cursor = Annotated[str | None, StringConstraints(max_length=200)]


class TaskOut(Out):
    """What staff are asked to do. Every promise made to a patient is one."""

    id: str
    kind: TaskKind
    text: str
    phone: str | None
    patient_id: str | None
    appointment_id: str | None
    conversation_id: str | None
    created_at: datetime


class TasksOut(Out):
    """What is still to do, the oldest first."""

    tasks: list[TaskOut]


class ConversationsQuery(Form):
    outcome: Annotated[str | None, StringConstraints(pattern=r"^[a-z-]{1,40}$")] = None
    channel: Literal["voice", "sms", "web"] | None = None
    patient: Id | None = None
    cursor: Cursor = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ConversationOut(Out):
    """`outcome` is null while nothing has come of it."""

    id: str
    channel: str
    language: str
    outcome: str | None
    needs_review: bool
    patient_id: str | None
    started_at: datetime
    last_turn_at: datetime
    ended_at: datetime | None


class ConversationsOut(Out):
    """The latest first. `next_cursor` leads to the next page."""

    conversations: list[ConversationOut]
    next_cursor: str | None


class TurnOut(Out):
    number: int
    at: datetime
    kind: str
    said: str
    reply: str


class TranscriptOut(Out):
    conversation: ConversationOut
    turns: list[TurnOut]


class AwayForm(Form):
    """Local days, `to` excluded, everywhere or at one location.

    `from_time`, `until_time`: only from this time of the first day on, and only until this one of the last.
    """

    from_: Annotated[Day, Field(alias="from")]
    to: Day
    from_time: TimeOfDay | None = None
    until_time: TimeOfDay | None = None
    location: Id | None = None


class SettleForm(AwayForm):
    """`instead`: what happens to the visits that it hits."""

    reason: Text
    instead: Instead = Instead.ASK
    actor: LoginName | None = None


class HitOut(Out):
    appointment: AppointmentOut
    alternatives: list[SlotOut]


class HitsOut(Out):
    hits: list[HitOut]


class SettledOut(Out):
    """What became of a visit. `hold`: another time that is kept while the patient is asked."""

    appointment: AppointmentOut
    outcome: Outcome
    hold: AppointmentOut | None


class AwayOut(Out):
    settled: list[SettledOut]
