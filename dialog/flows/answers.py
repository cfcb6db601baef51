"""Yes, no, the first one, others: what a bare answer means depends on the question that is open."""

from dataclasses import replace

from dialog import commands as c
from dialog.acts import Say
from dialog.draft import Draft
from dialog.errands import ReleaseHold
from dialog.flows import births, identity, mail_address, offering, people, social
from dialog.flows.starts import begin
from dialog.interpreter import Asked
from dialog.offers import Offer
from dialog.state import MOVE, FlowKind
from dialog.timewords import TimeWish, is_search

_SLOT_QUESTIONS = {Say.OFFER, Say.OFFER_ONE}
_BEFORE_IT_IS_SETTLED = _SLOT_QUESTIONS | {Say.ASK_NAME, Say.ASK_THEIR_NAME}
"""Where "no thanks, that's all" drops what is under way, rather than one time of several."""


def say_yes(draft: Draft) -> bool:
    """Take a yes. Only a yes to a read-back writes anything. Say whether it answered something."""
    question = draft.state.question
    match question.say if question else None:
        case Say.OFFER_ONE:
            offer = draft.flow.offers[0]
            is_whole = draft.flow.kind is FlowKind.BOOK and len(offer.practitioner_ids) == 1
            draft.update_flow(chosen=offer, agreed=is_whole and not draft.flow.only_asks)
        case Say.READ_BACK | Say.READ_BACK_MOVE | Say.READ_BACK_CANCEL | Say.READ_BACK_CANCEL_ALL:
            identity.believe_birth_date(draft)
            draft.update_flow(agreed=True)
        case Say.EMAIL_READ_BACK | Say.EMAIL_MEANT:
            mail_address.agree(draft)
        case Say.OFFER_MESSAGE | Say.NOTHING_FREE:
            note = draft.state.pending_note
            if draft.state.flow is not None:
                draft.finish()
            begin(draft, FlowKind.MESSAGE)
            draft.update_flow(note=note)
            draft.update(pending_note=None)
        case Say.ANYTHING_ELSE if not draft.is_voice:
            draft.say(Say.WELCOME)  # a text does not ask it in words, so "perfect" only rounds things off
        case Say.ANYTHING_ELSE | None:
            draft.ask(Say.WHAT_TO_DO, Asked.WHAT_TO_DO)
        case _:
            return False
    return True


def say_no(draft: Draft, *, ends: bool = False) -> bool:
    """Take a no. Nothing that is booked is touched by one. `ends`: they want nothing else either. Say whether it answered something."""
    question = draft.state.question
    if ends and question is not None and question.say in _BEFORE_IT_IS_SETTLED:
        social.stop(draft)
        return True
    return mail_address.refuse(draft) or people.refuse_number(draft) or _refuse(draft)


def _refuse(draft: Draft) -> bool:
    question = draft.state.question
    match question.say if question else None:
        case Say.OFFER_ONE | Say.OFFER:
            offering.show_others(draft)
        case Say.READ_BACK | Say.READ_BACK_MOVE:
            offering.show_others(draft)
            draft.effects.append(ReleaseHold())
            draft.ask(Say.WHAT_TO_CHANGE, Asked.WHEN)
        case Say.READ_BACK_CANCEL | Say.ASK_MOVE_OR_CANCEL:
            kept = draft.flow.visit
            draft.update(told_for=draft.flow.details.relation)
            draft.say(Say.VISIT_KEPT)
            draft.finish()
            draft.update(told=(kept,) if kept else ())
        case Say.READ_BACK_CANCEL_ALL:
            kept_all = draft.flow.visits or ()
            draft.update(told_for=draft.flow.details.relation)
            draft.say(Say.NOTHING_CHANGED)
            draft.finish()
            draft.update(told=kept_all)
        case Say.NOTHING_FREE:
            draft.finish()
        case Say.OFFER_MESSAGE:
            draft.update(pending_note=None)
            draft.ask(Say.ANYTHING_ELSE, Asked.ANYTHING_ELSE)
        case asked if asked in births.QUESTIONS:
            refuse_birth_date(draft)
        case Say.ASK_NAME | Say.ASK_THEIR_NAME | Say.ASK_LAST_NAME | Say.ASK_FIRST_NAME | Say.ASK_SPELLING:
            _refuse_name(draft)
        case Say.ASK_PRACTITIONER | Say.ASK_WHICH_PRACTITIONER:
            draft.update_details(practitioner_keys=())
        case _:
            return False
    return True


def _refuse_name(draft: Draft) -> None:
    """Say what the name is for; without one nothing can be done, so the second no ends what is under way."""
    who = identity.person(draft)
    if who.name_refusals:
        social.stop(draft)
        return
    identity.update_person(draft, replace(who, name_refusals=1))
    draft.say(Say.WHY_IDENTITY)


def misheard_name(draft: Draft) -> bool:
    """Take it that the name in what was read back is wrong. Say whether one was."""
    question = draft.state.question
    if question is None or question.say is not Say.READ_BACK or not question.fields.get("name"):
        return False
    identity.doubt_name(draft)
    return True


def misheard_birth_date(draft: Draft) -> bool:
    """Take it that the date of birth in what was read back is wrong, or that it is what they meant by their no. Say whether one was."""
    question = draft.state.question
    asked = question.say if question else None
    has_one = draft.state.flow is not None and identity.person(draft).birth_date is not None
    if asked not in {Say.READ_BACK, Say.WHAT_TO_CHANGE} or not has_one:
        return False
    identity.doubt_birth_date(draft)
    return True


def be_unsure(draft: Draft) -> bool:
    """Take "I don't know": go on with what suits most people where that is harmless."""
    question = draft.state.question
    match question.say if question else None:
        case Say.ASK_WHEN | Say.ASK_WHEN_MOVE | Say.WHAT_TO_CHANGE | Say.TIME_UNCLEAR:
            draft.update_details(wish=TimeWish(flexible=True))
        case Say.ASK_PRACTITIONER | Say.ASK_WHICH_PRACTITIONER:
            draft.update_details(practitioner_keys=())
        case asked if asked in births.QUESTIONS:
            refuse_birth_date(draft)
        case Say.OFFER | Say.OFFER_ONE | Say.READ_BACK | Say.READ_BACK_MOVE:
            social.wait(draft)
        case _:
            return people.refuse_number(draft)
    return True


def refuse_birth_date(draft: Draft) -> None:
    """Note that they can't or won't give a date of birth; the second time it is not asked again."""
    who = identity.person(draft)
    identity.update_person(draft, replace(who, birth_date_refusals=who.birth_date_refusals + 1))
    if who.birth_date_refusals == 0:
        draft.say(Say.WHY_IDENTITY)


def choose(draft: Draft, index: int) -> bool:
    """Take one of the options that are open. Say whether there is such an option."""
    choices = draft.state.choices
    if not choices or not -len(choices) <= index < len(choices):
        return False
    choice = choices[index]
    if choice.offer is not None:
        return choose_time(draft, choice.offer)
    question = draft.state.question
    match question.say if question else None:
        case Say.ASK_WHICH_SERVICE:
            draft.update_details(service_keys=(choice.key,))
        case Say.ASK_WHICH_PRACTITIONER:
            draft.update_details(practitioner_keys=(choice.key,))
        case Say.ASK_MOVE_OR_CANCEL if choice.key == MOVE:
            begin(draft, FlowKind.RESCHEDULE)
        case Say.ASK_MOVE_OR_CANCEL:
            draft.update_flow(may_move=False)
        case Say.ASK_WHICH_VISIT | Say.READ_BACK_CANCEL_ALL:
            draft.update_flow(visit=next(one for one in draft.flow.visits or () if one.id == choice.key))
        case _:
            return False
    return True


def choose_all(draft: Draft) -> bool:
    """Take all of the options: each of the visits that are to be changed, else whichever comes first. Say whether there are any."""
    question = draft.state.question
    flow = draft.state.flow
    is_of_visits = question is not None and question.say is Say.ASK_WHICH_VISIT
    if flow is None or flow.kind not in {FlowKind.CANCEL, FlowKind.RESCHEDULE} or not is_of_visits:
        return choose(draft, 0)
    draft.update_flow(is_every=True)
    return True


def without_idle_choice(draft: Draft, commands: tuple[c.Command, ...]) -> tuple[c.Command, ...]:
    """Leave out a choice of one of the times offered beside a wish to see others: "I need the week of the first"."""
    is_wide = any(isinstance(one, c.GiveTime) and not one.of_visit and is_search(one.wish) for one in commands)
    if not is_wide or draft.state.flow is None or not draft.state.flow.offers:
        return commands
    return tuple(one for one in commands if not isinstance(one, c.Choose | c.ChooseAll))


def choose_time(draft: Draft, offer: Offer) -> bool:
    """Take a time that was offered; at the read-back of one, another of the same list instead of it."""
    flow = draft.flow
    if flow.offers:
        draft.update_flow(chosen=offer, offers=(), offered_beside=flow.offers, anchor=(offer.starts_at,))
        return True
    if offer == flow.chosen:
        return False
    draft.effects.append(ReleaseHold())
    draft.update_flow(chosen=offer, hold=None, agreed=False, anchor=(offer.starts_at,))
    return True


def want_others(draft: Draft, *, with_others: bool) -> bool:
    """Take "anything else?" as a wish for other times, and "anyone else?" as one for other people, when times are open."""
    question = draft.state.question
    if draft.state.flow is None or question is None or question.say not in _SLOT_QUESTIONS | {Say.READ_BACK}:
        return False
    if draft.flow.hold is not None:
        draft.effects.append(ReleaseHold())
    if with_others:
        offering.leave_out_who_was_offered(draft)
    offering.show_others(draft)
    return True
