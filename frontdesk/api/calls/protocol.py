"""What the API says of itself."""

from frontdesk.api.endpoint import Answer, Section
from frontdesk.api.forms.problem import MeaningOut, MeaningsOut
from frontdesk.api.problems import meanings

section = Section("problems")


@section.reads("/problems", summary="List every problem that an answer may tell of")
def list_problems() -> Answer[MeaningsOut]:
    """The codes with their statuses and meanings. A problem's `type` leads here."""
    return Answer(
        MeaningsOut(
            problems=[
                MeaningOut(code=code, status=status, meaning=meaning) for code, (status, meaning) in meanings().items()
            ]
        )
    )
