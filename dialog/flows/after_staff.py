"""Going on where the agent was before staff had the conversation. Pure.

What was said meanwhile is not understood, so nothing is taken for granted: a yes may have been meant for staff, a time may be
gone, and the visit that was wanted may be booked by now.
"""

from dataclasses import dataclass, replace

from dialog.acts import Act, Say
from dialog.flows import crossing
from dialog.interpreter import Asked
from dialog.state import DialogState


@dataclass(frozen=True)
class Meanwhile:
    """What happened while staff had the conversation."""

    have_written: bool  # so the last question that the patient read is not the agent's
    have_changed_visits: bool  # of the patient, in the diary
    are_times_old: bool  # those offered before: others may have them


def go_on_silently(state: DialogState, meanwhile: Meanwhile) -> DialogState:
    """Return the state in which the agent hears the next words, which may be an answer to staff."""
    state = _settled(state, meanwhile)
    if not meanwhile.have_written:
        return state
    return _without_question(state) if state.flow is None else crossing.to_go_on(state)


def go_on_aloud(state: DialogState, meanwhile: Meanwhile, *, say: Say) -> tuple[DialogState, tuple[Act, ...]]:
    """Return the state and what the agent says: `say`, and the question that was open, or whether to go on at all."""
    state = _settled(state, meanwhile)
    if state.flow is None:
        state = replace(state, question=Act(Say.WHAT_TO_DO), asked=Asked.WHAT_TO_DO)
    elif state.question is None:
        state = crossing.to_go_on(state)
    acts = [Act(say)]
    if state.question is not None:
        if state.flow is not None and state.question.say is Say.GO_ON:
            acts.append(Act(Say.WE_WERE, {"doing": state.flow.kind.value}))
        acts.append(replace(state.question, variant=0))
    return replace(state, last_acts=tuple(acts)), tuple(acts)


def _settled(state: DialogState, meanwhile: Meanwhile) -> DialogState:
    state = replace(crossing.with_question_back(state), cut_off_at=None, failures=0, silences=0, rounds=0)
    if meanwhile.have_changed_visits:
        return replace(_without_question(state), flows=(), told=(), made=(), called_off=None, offered_for_it=())
    if state.flow is None or not meanwhile.are_times_old:
        return state
    flow = replace(state.flow, offers=(), chosen=None, hold=None, seat_id=None, agreed=False)
    return crossing.to_go_on(state.with_flow(flow))


def _without_question(state: DialogState) -> DialogState:
    return replace(state, question=None, asked=Asked.NOTHING, choices=())
