"""A problem as RFC 9457 has it, with what a program needs to react."""

from typing import Annotated, Any

from pydantic import Field

from frontdesk.api.forms.common import Out


class AlsoOut(Out):
    """Another rule that says no."""

    code: str
    detail: str
    fields: dict[str, Any]


class WrongOut(Out):
    """One value of the request that is not as it should be, and where it stands."""

    where: str
    code: str
    detail: str


class ProblemOut(Out):
    """Why the request was not done. `code` is stable; `detail` is a sentence for people, in the language asked for."""

    type: str
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(description="See the answer's description.")]
    fields: dict[str, Any]
    also: list[AlsoOut]
    errors: list[WrongOut]


class MeaningOut(Out):
    code: str
    status: int
    meaning: str


class MeaningsOut(Out):
    """Every code that a problem may have."""

    problems: list[MeaningOut]
