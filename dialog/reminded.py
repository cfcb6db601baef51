"""The answer to a reminder, from the number that was reminded. Pure.

That they come may be said by whoever holds the telephone, as the text asked it; nothing is told for it. Whatever else they
want of the visit begins as any wish does, with who they are still to be proved, but nobody has to say which visit it is.
"""

from datetime import datetime
from enum import StrEnum

from booking.reminded import Reminded
from dialog import commands as c
from dialog.acts import Say
from dialog.draft import Decision, Draft, Setting
from dialog.interpreter import Asked
from dialog.offered_time import read_answer
from dialog.state import DialogState, Outcome

_FREE = {Asked.NOTHING, Asked.WHAT_TO_DO, Asked.ANYTHING_ELSE}
_WISHES = (c.StartReschedule, c.StartCancel)
_BESIDE = {c.SwitchLanguage, c.Greet, c.Affirm, c.Thank, c.Goodbye}
_OF_ANOTHER = (c.GiveService, c.GivePractitioner, c.BookFor)


class Meant(StrEnum):
    """What an answer to a reminder says."""

    COMES = "comes"
    MOVES = "moves"
    WISHES = "wishes"  # in words of their own, which are heard as they are
    TOO_LATE = "too-late"  # nothing of it stands any more


def may_be_answer(text: str, commands: tuple[c.Command, ...]) -> bool:
    """Say whether these words can be about a reminder at all: most are not, and need not be asked about."""
    return read_answer(text) is not None or any(isinstance(one, (c.ConfirmVisit, *_WISHES)) for one in commands)


def meant(
    text: str, commands: tuple[c.Command, ...], reminder: Reminded, *, state: DialogState, now: datetime
) -> Meant | None:
    """Return what a text says to the reminder; None when it is about something else.

    What was asked last counts. Where nothing was asked since, a digit still says what it answers; a yes or no would not.
    """
    answer, is_last = read_answer(text), state.last_heard_at is None or reminder.told_at > state.last_heard_at
    is_free = state.asked in _FREE and not state.choices and state.flow is None
    if not is_last and not is_free:
        return None
    if answer is None:
        return _in_words(commands, reminder, now=now)
    if not is_last and not answer.by_number:
        return None
    if reminder.is_open_at(now):
        return Meant.COMES if answer.takes else Meant.MOVES
    return Meant.TOO_LATE if is_last and answer.by_number else None


def confirmed(state: DialogState, setting: Setting) -> Decision:
    """Thank for the answer. Which visit it is about the text has said, and nothing more is told without a proof."""
    return _told(state, setting, Say.REMINDER_CONFIRMED)


def too_late(state: DialogState, setting: Setting) -> Decision:
    """Tell that what the reminder was of has changed since, without telling how."""
    return _told(state, setting, Say.REMINDER_OVER)


def _in_words(commands: tuple[c.Command, ...], reminder: Reminded, *, now: datetime) -> Meant | None:
    names_another = any(
        isinstance(one, _OF_ANOTHER) or (isinstance(one, c.GiveTime) and one.of_visit) for one in commands
    )
    if names_another or not reminder.is_open_at(now):
        return None
    if {type(one) for one in commands} - _BESIDE == {c.ConfirmVisit}:
        return Meant.COMES
    return Meant.WISHES if any(isinstance(one, _WISHES) for one in commands) else None


def _told(state: DialogState, setting: Setting, what: Say) -> Decision:
    draft = Draft(state, setting)
    # What was asked before stays open: it is not this that was answered.
    draft.update(last_heard_at=setting.now, turns=state.turns + 1)
    draft.say(what)
    draft.note_outcome(Outcome.INFORMED)
    draft.update(last_acts=tuple(draft.acts))
    return Decision(state=draft.state, acts=tuple(draft.acts))
