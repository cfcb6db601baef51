"""The answer to a text that offered a time: one word, from the number that it was sent to.

Freed time, to who waits for it, or another time kept for who has a visit that can't take place. Whoever was offered the time
may take it, as the text says; nothing else is told or changed for it. Pure.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from booking.desk.offered_moves import OfferedMove
from booking.task_words import TaskDetails, TaskSays
from booking.values import AppointmentStatus, BookedVisit, TaskKind
from booking.waiting_list.waiting import Offered, OfferStatus
from dialog.acts import Say
from dialog.draft import Decision, Draft, Setting
from dialog.errands import OpenTask, RefusedBy, VisitWritten
from dialog.flows.crossing import TIMES_STAND_FOR, with_question_back
from dialog.interpreter import Asked
from dialog.state import DialogState, Outcome, SetAside

Made = Offered | OfferedMove
"""What was offered by text."""

_YES = {"yes", "y", "yep", "yup", "yeah", "ok", "okay", "k", "sure", "that works", "works for me", "sounds good"}
_YES |= {"yes that works", "i ll take it", "yes i ll take it", "i will take it", "see you then", "yes see you then"}
_YES |= {"confirm", "confirmed", "i confirm", "yes confirm", "yes confirmed", "yes i confirm"}
_YES |= {"si", "sí", "claro", "claro que sí", "vale", "de acuerdo", "acepto", "la tomo", "me sirve", "perfecto"}
_YES |= {"confirmo", "confirmado", "confirmada", "sí confirmo", "si confirmo"}
_NO = {"no", "n", "nope", "pass", "that doesn t work", "no that doesn t work", "no me sirve", "no puedo", "paso"}
_NO |= {"mejor no"}
_NUMBERS = {"one", "two"}
_THUMBS = ("👍", "👌", "✅")
_COURTESY = re.compile(r"\b(?:please|thank you|thanks|thx|por favor|(?:muchas )?gracias|hi|hello|hola)\b")
_DIGITS = {"1": True, "2": False}
# What may stand before a digit, and after it what it stands for, as the text said it.
_BEFORE = {
    "option",
    "number",
    "reply",
    "answer",
    "opción",
    "opcion",
    "número",
    "numero",
    "la",
    "yes",
    "ok",
    "si",
    "sí",
    "no",
}
_AFTER = {
    True: {word for said in _YES for word in said.split()} | {"to", "para", "confirmar", "confirmarla", "tomarla", "todas", "all", "them"},
    False: {word for said in _NO for word in said.split()} | {"to", "move", "change", "reschedule", "it", "one", "para", "cambiar", "cambiarla", "dejarla"},
}  # fmt: skip


_FREE = {Asked.NOTHING, Asked.WHAT_TO_DO, Asked.ANYTHING_ELSE}


@dataclass(frozen=True)
class Answer:
    """Yes or no, by its number or in a word that may answer something else as well."""

    takes: bool
    by_number: bool


@dataclass(frozen=True)
class Unclear:
    """A yes or no that may be about two things."""

    said: str
    takes: bool


def read_answer(text: str) -> Answer | None:
    """Return what a text says if it is an answer and nothing else but courtesy and what its digit stands for."""
    words = re.findall(r"\w+", _COURTESY.sub(" ", text.casefold()))
    digits = [place for place, word in enumerate(words) if word in _DIGITS]
    if len(digits) == 1:
        before, digit, after = words[: digits[0]], words[digits[0]], words[digits[0] + 1 :]
        is_all = _BEFORE.issuperset(before) and _AFTER[_DIGITS[digit]].issuperset(after)
        return Answer(_DIGITS[digit], by_number=True) if is_all else None
    said = " ".join(words)
    if said in _YES | _NO | _NUMBERS:
        return Answer(said in _YES or said == "one", by_number=False)
    return Answer(takes=True, by_number=False) if not said and any(one in text for one in _THUMBS) else None


def is_about(answer: Answer, offer: Made, *, state: DialogState, now: datetime) -> bool:
    """Say whether an answer is about the offer and not about what the conversation asked.

    What was asked last counts. Where nothing is asked, the number says what it answers; a yes or no would not.
    """
    is_open = offer.is_open_at(now)
    if state.last_heard_at is None or offer.offered_at > state.last_heard_at:
        return is_open or (answer.takes and not _is_taken(offer))
    return is_open and answer.by_number and state.asked in _FREE and not state.choices


def meant(text: str, offer: Made, *, state: DialogState, now: datetime) -> Answer | Unclear | None:
    """Return the answer to the offer that a text is, None when it is about something else.

    Unclear where it may as well answer what was open when a call dropped, which was texted within the same hours: a "1" is a
    yes to both.
    """
    answer = read_answer(text)
    if answer is None:
        return None
    if state.set_aside is not None:
        return Answer(state.set_aside.takes, by_number=True) if answer.by_number and answer.takes else None
    dropped_at = state.cut_off_at
    is_open_too = dropped_at is not None and state.question is not None and now - dropped_at <= TIMES_STAND_FOR
    if is_open_too and offer.is_open_at(now):
        return Unclear(text, answer.takes)
    return answer if is_about(answer, offer, state=state, now=now) else None


def ask_which(state: DialogState, setting: Setting, unclear: Unclear) -> Decision:
    """Ask what an answer was about. The question that was open waits."""
    draft = _draft(state, setting)
    aside = SetAside(state.question, state.asked, state.choices, unclear.said, unclear.takes)
    draft.ask(Say.ASK_WHICH_MEANT, Asked.CHOICE)
    draft.update(set_aside=aside)
    return _decided(draft)


def told_of(state: DialogState, setting: Setting, offer: Made, result: VisitWritten | RefusedBy) -> Decision:
    """Tell what came of a yes. What stands in the way of it is a matter for staff; only that the time is gone is told."""
    draft = _draft(state, setting)
    match result:
        case VisitWritten(visit=visit):
            draft.say(_said_of(visit), starts_at=visit.starts_at.isoformat(), location=visit.location_id)
            draft.note_outcome(Outcome.MOVED if visit.times_moved else Outcome.BOOKED)
        case RefusedBy(is_lost=True) if isinstance(offer, OfferedMove):
            _tell_staff(draft, offer, TaskSays.KEPT_TIME_TOO_LATE)
            draft.say(Say.KEPT_TIME_OVER)
            draft.note_outcome(Outcome.MESSAGE_TAKEN)
        case RefusedBy(is_lost=True):
            draft.say(Say.OFFER_OVER)
            draft.note_outcome(Outcome.INFORMED)
        case RefusedBy(code=code):
            is_move = isinstance(offer, OfferedMove)
            says = TaskSays.KEPT_TIME_REFUSED if is_move else TaskSays.OFFER_REFUSED
            _tell_staff(draft, offer, says, {"why_refused": code})
            draft.say(Say.OFFER_FAILED)
            draft.note_outcome(Outcome.MESSAGE_TAKEN)
    return _decided(draft)


def passed_on(state: DialogState, setting: Setting, offer: Made) -> Decision:
    """Tell that a no was heard. A visit that can't take place is then for staff to settle."""
    draft = _draft(state, setting)
    if isinstance(offer, OfferedMove):
        _tell_staff(draft, offer, TaskSays.KEPT_TIME_DECLINED)
        draft.say(Say.KEPT_TIME_PASSED)
        draft.note_outcome(Outcome.MESSAGE_TAKEN)
    else:
        draft.say(Say.OFFER_PASSED)
        draft.note_outcome(Outcome.INFORMED)
    return _decided(draft)


def _is_taken(offer: Made) -> bool:
    # A kept time that was taken, or given back, is not found any more.
    return isinstance(offer, Offered) and offer.status is OfferStatus.ACCEPTED


def _tell_staff(draft: Draft, offer: Made, says: TaskSays, details: TaskDetails = MappingProxyType({})) -> None:
    visit = offer.visit if isinstance(offer, OfferedMove) else None
    draft.tell_staff(
        OpenTask(
            TaskKind.CALL_BACK,
            says,
            details,
            phone=draft.phone(),
            patient_id=visit.patient_id if visit else draft.known_patient(),
            appointment_id=visit.id if visit else None,
            subject=f"offer:{visit.id}" if visit else "offer",
        )
    )


def _said_of(visit: BookedVisit) -> Say:
    if visit.status is not AppointmentStatus.BOOKED:
        return Say.OFFER_REQUESTED
    return Say.OFFER_MOVED if visit.times_moved else Say.OFFER_TAKEN


def _draft(state: DialogState, setting: Setting) -> Draft:
    draft = Draft(with_question_back(state), setting)
    # What was asked before stays open: it is not this that was answered.
    draft.update(last_heard_at=setting.now, turns=state.turns + 1)
    return draft


def _decided(draft: Draft) -> Decision:
    draft.update(last_acts=tuple(draft.acts))
    return Decision(state=draft.state, acts=tuple(draft.acts), effects=tuple(draft.effects))
