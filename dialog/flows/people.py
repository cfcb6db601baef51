"""Passing to people: a person on the line, a message, a call back, an emergency. Every promise is a task."""

from dataclasses import replace
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
    if refuse_number(draft):
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


def promise(draft: Draft, task: OpenTask, *, say: Say) -> None:
    """Tell staff of what they have to get in touch about, and then say so; first ask for a number where none is known."""
    begun = Flow(FlowKind.MESSAGE, task=task, promise=say)
    if draft.phone() is not None:
        _tell(draft, begun, task)
    elif draft.state.gives_no_number:
        _say_unreachable(draft)
    else:
        draft.push(begun)


def advance(draft: Draft) -> None:
    """Take what staff shall hear of: its words, and how to reach who says it when the caller's number is withheld."""
    flow = draft.flow
    if not (flow.task or flow.note):
        draft.ask(Say.ASK_MESSAGE, Asked.MESSAGE)
        return
    is_reachable = bool(draft.phone() or flow.email)
    if not (is_reachable or draft.state.gives_no_number):
        draft.ask(Say.ASK_PHONE, Asked.PHONE)
        return
    draft.finish()
    if is_reachable or flow.task is None:
        _tell(draft, flow, flow.task or _message(draft, flow))
    if not is_reachable:
        _say_unreachable(draft)


def is_asking_for_number(draft: Draft) -> bool:
    """Say whether what is asked is how staff can reach them."""
    flow = draft.state.flow
    return flow is not None and flow.kind is FlowKind.MESSAGE and draft.state.asked is Asked.PHONE


def refuse_number(draft: Draft) -> bool:
    """Note that they can't or won't say how staff can reach them. Say whether that was asked."""
    was_asked = is_asking_for_number(draft)
    draft.update(gives_no_number=draft.state.gives_no_number or was_asked)
    return was_asked


def _message(draft: Draft, flow: Flow) -> OpenTask:
    said = {"name": draft.state.me.name, "words": flow.note, "whom": flow.note_for}
    return OpenTask(TaskKind.MESSAGE, TaskSays.MESSAGE, said, patient_id=draft.known_patient())


def _tell(draft: Draft, flow: Flow, task: OpenTask) -> None:
    details = {**task.details, "email": flow.email} if flow.email else task.details
    draft.tell_staff(replace(task, details=details, phone=draft.phone()))
    draft.say(flow.promise or Say.MESSAGE_TAKEN)
    draft.note_outcome(Outcome.MESSAGE_TAKEN)


def _say_unreachable(draft: Draft) -> None:
    """Say that nobody can call them, and where they can call."""
    draft.say(Say.UNREACHABLE)
    if draft.catalogue.phone and not any(one.say is Say.PHONE for one in draft.acts):
        draft.say(Say.PHONE, number=draft.catalogue.phone)


def _opens_at(draft: Draft) -> str | None:
    opens = hours.next_opening(draft.catalogue, now=draft.setting.now)
    return opens.isoformat() if opens else None
