"""The cases of a clinic: corrections with the conversations they were made of. Read only."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from booking.values import Catalogue
from frontdesk.replay.case import Case, make_case
from frontdesk.replay.corrections import StoredCorrection, list_corrections
from frontdesk.replay.replay import read_recording
from frontdesk.scenario import Answer, ScriptResult


@dataclass(frozen=True)
class CaseOf:
    """A correction and its case. `is_exact`: the clinic's file of that time is known."""

    correction: StoredCorrection
    case: Case
    is_exact: bool
    answered: tuple[int, ...]  # numbers of the Turns in the order in which a play answers them

    def answer_of(self, result: ScriptResult) -> Answer | None:
        """Return what a play of the case made of the Turn in question; None where it did not come to it."""
        answers = dict(zip(self.answered, result.answers, strict=False))
        return answers.get(self.correction.turn_number)

    @property
    def file_name(self) -> str:
        """What its file is called: the same each time, and it says nothing of anybody."""
        return f"case-{self.correction.created_at:%Y-%m-%d}-{self.correction.id[:8]}.yaml"


def case_of(session: Session, correction: StoredCorrection, catalogue: Catalogue) -> CaseOf | None:
    """Return a correction's case; None when its conversation is gone. `catalogue` is the clinic's, as it is now."""
    recording = read_recording(session, clinic_id=catalogue.clinic_id, conversation_id=correction.conversation_id)
    if recording is None:
        return None
    case = make_case(
        recording,
        turn_number=correction.turn_number,
        meaning=correction.meaning,
        catalogue=catalogue,
        read=correction.read,
    )
    return CaseOf(correction, case, recording.is_exact, recording.script.answered)


def cases_of_clinic(session: Session, catalogue: Catalogue) -> Iterator[CaseOf]:
    """Yield the cases of all corrections that hold, the latest first."""
    for correction in list_corrections(session, clinic_id=catalogue.clinic_id):
        made = case_of(session, correction, catalogue) if correction.is_open else None
        if made is not None:
            yield made
