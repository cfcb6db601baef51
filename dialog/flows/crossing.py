"""From one telephone call to the next, and between call and text: what goes on, and what has to be proved anew.

What is wanted goes on wherever the patient comes back. Who they are does not: it was proved to whoever was there, and a
text is read by whoever holds the telephone. Only what is texted during a call counts on that call as well.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from dialog import commands as c
from dialog.acts import Act, Say
from dialog.draft import Draft
from dialog.errands import ReleaseHold
from dialog.flows import starts
from dialog.inbound import Channel
from dialog.interpreter import Asked
from dialog.state import DialogState, Flow, FlowKind

TIMES_STAND_FOR = timedelta(hours=2)
"""After a call dropped, the times offered in it can be taken by their numbers for so long; later they are looked for anew."""

_FREE_OF_PROOF = {FlowKind.BOOK, FlowKind.MESSAGE}
_FACTS_ASKED = {
    Asked.SERVICE,
    Asked.PRACTITIONER,
    Asked.LOCATION,
    Asked.WHEN,
    Asked.NAME,
    Asked.SPELL_NAME,
    Asked.BIRTH_DATE,
    Asked.PHONE,
}
_GREETINGS = (c.Greet, c.Affirm)
_REFUSALS = (c.Deny, c.Stop)


def arrived(state: DialogState, channel: Channel) -> DialogState:
    """Return the state as it holds on `channel`: with what was proved there, and nothing of what needs a proof it lacks."""
    before = state.channel
    if before in {None, channel}:
        return replace(state, channel=channel)
    others = {one: patient_id for one, patient_id in state.verified_elsewhere if one != before}
    proved = others.pop(channel, None)
    if state.verified_id is not None and before is not None:
        others[before] = state.verified_id
    is_same = channel is Channel.VOICE and state.is_on_call
    if is_same:
        proved = proved or state.verified_id
    is_same = is_same or (proved is not None and proved == state.verified_id)
    state = replace(state, channel=channel, verified_id=proved, verified_elsewhere=tuple(others.items()))
    return state if is_same else without_proof(state)


def without_proof(state: DialogState) -> DialogState:
    """Return the state without anything of visits that exist: the wishes stay, and who they are is asked again."""
    question, asked, choices = state.question, state.asked, state.choices
    if state.flow is not None and state.flow.kind not in _FREE_OF_PROOF:
        choices = ()
        question, asked = (question, asked) if asked in _FACTS_ASKED else (None, Asked.NOTHING)
    return replace(
        state,
        flows=tuple(_unproved(one) for one in state.flows),
        told=(),
        called_off=None,
        last_acts=(),
        question=question,
        asked=asked,
        choices=choices if state.flow is not None else (),
        birth_date_is_elsewhere=state.me.birth_date is not None,
    )


def came_back(state: DialogState, *, now: datetime) -> DialogState:
    """Return the state of a conversation whose call dropped as it stands when they are heard again."""
    if state.cut_off_at is None:
        return state
    if now - state.cut_off_at > TIMES_STAND_FOR and state.flow is not None:
        flow = replace(state.flow, offers=(), chosen=None, hold=None, agreed=False)
        state = _to_go_on(state.with_flow(flow))
    return replace(state, cut_off_at=None)


def left_call(state: DialogState) -> DialogState:
    """Return the state of somebody who goes on texting after their call: what was proved on it is over with it."""
    proofs = tuple(one for one in state.verified_elsewhere if one[0] != Channel.VOICE)
    return replace(state, is_on_call=False, verified_elsewhere=proofs)


def is_worth_picking_up(state: DialogState) -> bool:
    """Say whether a call that ends now ends in the middle of something: not with a person, and not in an emergency."""
    is_handed_over = any(one.say is Say.TRANSFER for one in state.last_acts)
    return state.flow is not None and not state.had_emergency and not is_handed_over


def cut_off(draft: Draft) -> None:
    """Keep what was open when the call dropped, for whichever way they come back."""
    draft.state = without_proof(replace(draft.state, verified_id=None))
    if not offers_times(draft.state):
        draft.state = _to_go_on(draft.state)
    draft.update(cut_off_at=draft.setting.now, failures=0, silences=0)
    draft.asked_something = True


def offers_times(state: DialogState) -> bool:
    """Say whether the open question is about times that can be taken by a number: an offer, or what was read back."""
    question = state.question
    return question is not None and question.say in {Say.OFFER, Say.OFFER_ONE, Say.READ_BACK}


def welcome_back(draft: Draft) -> None:
    """Answer a call of somebody who left something open. What it was about is said only once they want to go on."""
    doing = draft.flow.kind.value
    draft.state = _to_go_on(draft.state)
    draft.say(Say.WELCOME_BACK, doing=doing)
    draft.ask(Say.GO_ON, draft.state.asked)
    draft.update(greeted=True)


def is_left_open(state: DialogState) -> bool:
    """Say whether what is under way was left open, by a call that dropped or before they came back."""
    is_asked = state.question is not None and state.question.say is Say.GO_ON
    return state.flow is not None and (state.cut_off_at is not None or is_asked)


def make_way(draft: Draft, commands: tuple[c.Command, ...]) -> None:
    """Drop what was left open if what they come with is something else: another kind of wish, or another service."""
    kinds = {kind for one in commands if (kind := starts.kind_of(one))}
    wanted = {key for one in commands if isinstance(one, c.GiveService) for key in one.keys}
    known = set(draft.flow.details.service_keys)
    is_same = draft.flow.kind in kinds and not (wanted and known and wanted.isdisjoint(known))
    if kinds and not is_same:
        draft.effects.append(ReleaseHold())
        draft.update(flows=(), question=None, asked=Asked.NOTHING, choices=())


def answer_to_go_on(draft: Draft, commands: tuple[c.Command, ...]) -> bool | None:
    """Return whether they want to go on with what was left open; None when that was not asked or is not what they say."""
    question = draft.state.question
    if question is None or question.say is not Say.GO_ON or not commands:
        return None
    if any(isinstance(one, c.Affirm) for one in commands) and all(isinstance(one, _GREETINGS) for one in commands):
        return True
    return False if all(isinstance(one, _REFUSALS) for one in commands) else None


def go_on(draft: Draft) -> None:
    """Ask again what was open."""
    draft.update(question=None, asked=Asked.NOTHING, choices=())


def _to_go_on(state: DialogState) -> DialogState:
    """Make the open question whether to go on, to which a fact that was asked for is an answer, too."""
    asked = state.asked if state.asked in _FACTS_ASKED else Asked.YES_NO
    return replace(state, question=Act(Say.GO_ON), asked=asked, choices=())


def _unproved(flow: Flow) -> Flow:
    person = replace(flow.person, birth_date=None)
    if flow.kind is FlowKind.MESSAGE or (flow.kind is FlowKind.BOOK and not flow.details.same_practitioner):
        return flow
    if flow.kind is FlowKind.BOOK:
        return replace(flow, person=person)
    return Flow(flow.kind, details=flow.details, about=flow.about, person=person)
