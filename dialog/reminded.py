"""The answer to a reminder, from the number that was reminded. Pure.

That they come may be said by whoever holds the telephone, as the text asked it; nothing is told for it. Whatever else they
want of the visit begins as any wish does, with who they are still to be proved, but nobody has to say which visit it is.
"""

import re
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from booking.reminded import Reminded
from dialog import commands as c
from dialog.acts import Act, Say
from dialog.draft import Decision, Draft, Setting
from dialog.interpreter import Asked
from dialog.offered_time import read_answer
from dialog.state import DialogState, Outcome

_FREE = {Asked.NOTHING, Asked.WHAT_TO_DO, Asked.ANYTHING_ELSE}
_WISHES = (c.StartReschedule, c.StartCancel)
_BESIDE = {c.SwitchLanguage, c.Greet, c.Affirm, c.Thank, c.Goodbye}
_OF_NEW_VISIT = (c.StartBooking, c.AskAvailability, c.Correct, c.Affirm, c.Deny)
_TIME_INSTEAD = {c.Correct, c.GiveTime}
_OF_ANOTHER = (c.GiveService, c.GivePractitioner, c.BookFor)


# A digit and, set off from it, more: "1, and is there parking?", but not "1 or 2" nor "1 pm".
_DIGIT_FIRST = re.compile(
    r"\W*([12])(?:\s*[,.;:!]\s|\s+-+\s|\s*\n|\s+(?:and|but|y|pero)\s)\s*(?=[^\W\d]|¿)", re.IGNORECASE
)


class Meant(StrEnum):
    """What an answer to a reminder says."""

    COMES = "comes"
    COMES_AND_MORE = "comes-and-more"  # and something else, which is heard as it is
    MOVES = "moves"
    WISHES = "wishes"  # in words of their own, which are heard as they are
    TOO_LATE = "too-late"  # nothing of it stands any more


def may_be_answer(text: str, commands: tuple[c.Command, ...]) -> bool:
    """Say whether these words can be about a reminder at all: most are not, and need not be asked about."""
    says_it = any(isinstance(one, (c.ConfirmVisit, *_WISHES)) for one in commands) or _wants_other_time(commands)
    return says_it or read_answer(text) is not None or _DIGIT_FIRST.match(text) is not None


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
        return _in_words(text, commands, reminder, is_last=is_last, now=now)
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


def wished(meant: Meant, commands: tuple[c.Command, ...]) -> tuple[c.Command, ...]:
    """Return what is wished for the visits they were reminded of: to move them, where no other wish is told."""
    if meant is Meant.MOVES:
        return (c.StartReschedule(),)
    if any(isinstance(one, _WISHES) for one in commands):
        return commands
    return (c.StartReschedule(), *(one for one in commands if not isinstance(one, _OF_NEW_VISIT)))


def with_thanks(decision: Decision) -> Decision:
    """Thank for the answer before what the rest of the text is answered with."""
    greetings = sum(one.say is Say.GREETING for one in decision.acts[:1])
    acts = (*decision.acts[:greetings], Act(Say.REMINDER_CONFIRMED), *decision.acts[greetings:])
    return replace(decision, acts=acts)


def _wants_other_time(commands: tuple[c.Command, ...]) -> bool:
    """Say whether a text asks for another time instead, of a visit that it need not name: "can we make it ten instead?"."""
    kinds = {type(one) for one in commands}
    return kinds >= _TIME_INSTEAD and c.GiveService not in kinds


def _in_words(
    text: str, commands: tuple[c.Command, ...], reminder: Reminded, *, is_last: bool, now: datetime
) -> Meant | None:
    names_another = any(
        isinstance(one, _OF_ANOTHER) or (isinstance(one, c.GiveTime) and one.of_visit) for one in commands
    )
    if names_another or not reminder.is_open_at(now):
        return None
    if {type(one) for one in commands} - _BESIDE == {c.ConfirmVisit}:
        return Meant.COMES
    digit = _DIGIT_FIRST.match(text)
    if any(isinstance(one, _WISHES) for one in commands) or (is_last and _wants_other_time(commands)):
        return Meant.WISHES
    if digit is not None:
        return Meant.COMES_AND_MORE if digit[1] == "1" else Meant.WISHES
    return None


def _told(state: DialogState, setting: Setting, what: Say) -> Decision:
    draft = Draft(state, setting)
    # What was asked before stays open: it is not this that was answered.
    draft.update(last_heard_at=setting.now, turns=state.turns + 1)
    draft.say(what)
    draft.note_outcome(Outcome.INFORMED)
    draft.update(last_acts=tuple(draft.acts))
    return Decision(state=draft.state, acts=tuple(draft.acts))
