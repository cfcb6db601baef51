"""Passing to people: a person on the line, a message, a call back, an emergency. Every promise is a task."""

from types import MappingProxyType

from booking.task_words import TaskDetails, TaskSays
from booking.values import TaskKind
from dialog import hours, safety
from dialog.acts import Say
from dialog.draft import Draft
from dialog.errands import OpenTask, ReleaseHold
from dialog.interpreter import Asked
from dialog.state import Flow, FlowKind, Outcome


def hand_over(draft: Draft, *, says: TaskSays, details: TaskDetails = MappingProxyType({})) -> None:
    """Give the patient to a person: on the phone at once while the clinic is open, otherwise by a task or a message."""
    number = draft.person_number()
    if draft.is_voice and number is None:
        draft.say(Say.CLOSED_NOW, opens_at=_opens_at(draft))
        draft.push(Flow(FlowKind.MESSAGE))
        return
    draft.tell_staff(
        OpenTask(
            TaskKind.HANDOVER,
            says,
            details,
            phone=draft.phone(),
            patient_id=draft.known_patient(),
            subject="handover",
        )
    )
    draft.note_outcome(Outcome.HANDED_OVER)
    if draft.is_voice:
        draft.say(Say.TRANSFER)
        draft.transfer_to = number
    else:
        closes = hours.closing_today(draft.catalogue, now=draft.setting.now)
        if closes:
            draft.say(Say.STAFF_TOLD, closes_at=closes.isoformat())
        else:
            draft.say(Say.STAFF_TOLD_CLOSED, opens_at=_opens_at(draft))
    draft.listen_freely()


def give_up(draft: Draft) -> None:
    """After three failures on one question: a person while there is one, else a call back that staff see as a task."""
    if draft.is_voice and draft.person_number():
        hand_over(draft, says=TaskSays.NOT_UNDERSTOOD_IN_CALL)
        return
    if draft.phone() is None:
        draft.say(Say.NOT_HEARD_GOODBYE)
        draft.note_outcome(Outcome.ABANDONED)
        draft.ends = True
        return
    draft.tell_staff(
        OpenTask(
            TaskKind.CALL_BACK,
            TaskSays.NOT_UNDERSTOOD,
            phone=draft.phone(),
            patient_id=draft.known_patient(),
            subject="not-understood",
        )
    )
    draft.say(Say.CALL_BACK)
    draft.note_outcome(Outcome.MESSAGE_TAKEN)
    draft.update(flows=())
    draft.listen_freely()
    draft.ends = draft.is_voice


def give_up_going_round(draft: Draft) -> None:
    """Stop asking what was answered again and again without getting any further: a person has to take it from there."""
    draft.acts.clear()
    draft.effects.append(ReleaseHold())
    draft.update(flows=(), rounds=0)
    give_up(draft)


def emergency(draft: Draft, *, words: str) -> None:
    """Say the emergency number of the clinic's country at once, tell staff, and put the caller through where that is possible."""
    draft.tell_staff(
        OpenTask(
            TaskKind.EMERGENCY,
            TaskSays.EMERGENCY,
            {"words": words[:300]},
            phone=draft.phone(),
            patient_id=draft.known_patient(),
            subject="emergency",
        )
    )
    draft.say(Say.EMERGENCY, number=safety.emergency_number(draft.catalogue.country))
    draft.note_outcome(Outcome.HANDED_OVER)
    draft.update(had_emergency=True)
    if draft.is_voice:
        draft.transfer_to = draft.person_number()
    draft.listen_freely()


def take_back(draft: Draft) -> None:
    """Nobody answered the transfer: apologise and take a message."""
    draft.say(Say.NOBODY_ANSWERED)
    draft.push(Flow(FlowKind.MESSAGE))


def advance(draft: Draft) -> None:
    """Take a message: its words, and a number when the caller's is withheld."""
    flow = draft.flow
    if not flow.note:
        draft.ask(Say.ASK_MESSAGE, Asked.MESSAGE)
        return
    if draft.phone() is None:
        draft.ask(Say.ASK_PHONE, Asked.PHONE)
        return
    said = {"name": draft.state.me.name, "words": flow.note, "whom": flow.note_for}
    draft.tell_staff(
        OpenTask(TaskKind.MESSAGE, TaskSays.MESSAGE, said, phone=draft.phone(), patient_id=draft.known_patient())
    )
    draft.say(Say.MESSAGE_TAKEN)
    draft.finish(Outcome.MESSAGE_TAKEN)


def _opens_at(draft: Draft) -> str | None:
    opens = hours.next_opening(draft.catalogue, now=draft.setting.now)
    return opens.isoformat() if opens else None
