"""From one telephone call to the next, and between call and text: what goes on, and what has to be proved anew.

What is wanted goes on wherever the patient comes back. Who they are does not: it was proved to whoever was there, and a
text is read by whoever holds the telephone. Only what is texted during a call counts on that call as well.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta

from dialog import commands as c
from dialog.acts import Act, Say
from dialog.draft import Draft
from dialog.errands import MatchCaller, PatientFound, ReleaseHold
from dialog.flows import identity, starts
from dialog.inbound import Channel
from dialog.interpreter import Asked
from dialog.state import DialogState, Flow, FlowKind, Person

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
        made=(),
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
        state = to_go_on(state.with_flow(flow))
    return replace(state, cut_off_at=None)


def with_question_back(state: DialogState) -> DialogState:
    """Return the state with the question that was open before it was asked what an answer was about."""
    aside = state.set_aside
    if aside is None:
        return state
    return replace(state, question=aside.question, asked=aside.asked, choices=aside.choices, set_aside=None)


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
        draft.state = to_go_on(draft.state)
    draft.update(cut_off_at=draft.setting.now, failures=0, silences=0)
    draft.asked_something = True


def offers_times(state: DialogState) -> bool:
    """Say whether the open question is about times that can be taken by a number: an offer, or what was read back."""
    question = state.question
    return question is not None and question.say in {Say.OFFER, Say.OFFER_ONE, Say.READ_BACK}


def can_be_proved(state: DialogState) -> bool:
    """Say whether there is a date of birth by which somebody can show that what was left open is theirs."""
    return bool(state.number_patients or state.me.birth_date)


def welcome_back(draft: Draft) -> None:
    """Answer a call of somebody who left something open. Nothing of it is said before they prove that it is theirs: a number can be forged."""
    draft.update(must_prove=True)
    draft.say(Say.WELCOME_BACK)
    ask_for_proof(draft)
    draft.update(greeted=True)


def ask_for_proof(draft: Draft) -> None:
    """Ask for the date of birth, or for what else they would like."""
    draft.ask(Say.ASK_PROOF, Asked.BIRTH_DATE)


def is_held_back(draft: Draft) -> bool:
    """Say whether nothing of what is under way may be told to whoever is calling."""
    return draft.is_voice and draft.state.must_prove and draft.state.flow is not None


def prove(draft: Draft, commands: tuple[c.Command, ...]) -> bool:
    """Hear whether who calls proves that what was left open is theirs. Say whether that is all there is to be heard.

    A wish of another kind, or the same said anew, begins anew: what was left open is dropped.
    """
    born = next((one.value for one in commands if isinstance(one, c.GiveBirthDate)), None)
    if born is not None:
        _check(draft, born)
    elif all(isinstance(one, (*_GREETINGS, c.Repeat, c.GiveBirthDate)) for one in commands):
        ask_for_proof(draft)
    elif all(isinstance(one, _REFUSALS) for one in commands):
        drop(draft)
        draft.ask(Say.WHAT_TO_DO, Asked.WHAT_TO_DO)
    else:
        drop(draft)
        return False
    return True


def _check(draft: Draft, born: date) -> None:
    is_theirs = born == draft.state.me.birth_date
    if is_theirs or not draft.state.number_patients:
        take_proof(draft, born, PatientFound(None), is_theirs=is_theirs)
    else:
        draft.request = MatchCaller(None, draft.state.number_patients, born)


def take_proof(draft: Draft, born: date, found: PatientFound, *, is_theirs: bool = False) -> None:
    """Go on for whoever has the date of birth that was given before, or of a patient of this number.

    Another is asked for once more, and then what was left open is dropped.
    """
    if found.patient_id is not None or is_theirs:
        _go_on_with(draft, born, found)
        return
    draft.update(failed_checks=draft.state.failed_checks + 1)
    question = draft.state.question
    if question is not None and question.say is Say.ASK_PROOF and identity.may_still_try(draft):
        draft.ask(Say.BIRTH_DATE_AGAIN, Asked.BIRTH_DATE)
        return
    drop(draft)
    draft.say(Say.STARTED_OVER)
    draft.ask(Say.WHAT_TO_DO, Asked.WHAT_TO_DO)


def _go_on_with(draft: Draft, born: date, found: PatientFound) -> None:
    is_booking = draft.flow.kind is FlowKind.BOOK
    if not is_booking:
        draft.update(me=replace(draft.state.me, birth_date=born), birth_date_is_elsewhere=False)
    elif draft.flow.patient_id is None and not identity.is_for_another(draft):
        draft.update_flow(patient_id=found.patient_id)
    draft.update(must_prove=False)
    go_on(draft)


def drop(draft: Draft) -> None:
    """Forget what was left open, and who it was for."""
    draft.effects.append(ReleaseHold())
    draft.update(flows=(), question=None, asked=Asked.NOTHING, choices=(), must_prove=False, me=Person(), told=())


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


def to_go_on(state: DialogState) -> DialogState:
    """Return the state with the question whether to go on, to which a fact that was asked for is an answer, too."""
    asked = state.asked if state.asked in _FACTS_ASKED else Asked.YES_NO
    return replace(state, question=Act(Say.GO_ON), asked=asked, choices=())


def go_on(draft: Draft) -> None:
    """Ask again what was open."""
    draft.update(question=None, asked=Asked.NOTHING, choices=())


def _unproved(flow: Flow) -> Flow:
    person = replace(flow.person, birth_date=None)
    if flow.kind is FlowKind.MESSAGE or (flow.kind is FlowKind.BOOK and not flow.details.refers_to_last_time):
        return flow
    if flow.kind is FlowKind.BOOK:
        return replace(flow, person=person)
    return Flow(flow.kind, details=flow.details, about=flow.about, person=person)
