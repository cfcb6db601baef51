"""Why a wish can't be met, and what is nearest to it."""

from typing import Annotated

from pydantic import Field

from booking.nearest import Change
from frontdesk.api.forms.common import DayOrInstant, Form, Id, Minutes, Out
from frontdesk.api.forms.problem import AlsoOut
from frontdesk.api.forms.slots import SlotOut


class ExplainForm(Form):
    """A wish: one service, some time, perhaps somebody and somewhere. Empty lists mean any."""

    service: Id
    practitioners: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    locations: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    from_: Annotated[DayOrInstant, Field(alias="from")]
    to: Annotated[DayOrInstant, Field(description="At most 92 days later.")]
    duration_minutes: Minutes | None = None
    patient_id: Annotated[Id | None, Field(description="Their other visits count, too.")] = None


class NearestOut(Out):
    """A time that differs from the wish in `changes` and nothing else. `notice`: staff could book it."""

    changes: list[Change]
    slot: SlotOut


class ExplanationOut(Out):
    """No `reasons`: the wish can be met, by the one time that is told."""

    reasons: list[AlsoOut]
    nearest: list[NearestOut]
