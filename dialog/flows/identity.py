"""Who it is for. A number is no proof: what exists is read out or changed only for a matching name and date of birth.

A new booking is less: it reveals nothing, so the one patient of the caller's number will do when nobody else is named.
"""

from dataclasses import replace

from booking.task_words import TaskSays
from booking.values import TaskKind
from dialog.acts import Say
from dialog.commands import Relation
from dialog.draft import Draft
from dialog.errands import MatchCaller, OpenTask, PatientFound, ReleaseHold, VerifyPatient
from dialog.flows import births, people
from dialog.interpreter import Asked
from dialog.state import Outcome, Person
from kernel.phone import may_take_texts

MAX_FAILED_CHECKS = 3
_MAX_REFUSALS = 2


def is_for_another(draft: Draft) -> bool:
    """Say whether the flow under way is for somebody other than the one we talk to."""
    return draft.flow.details.relation is not Relation.SELF


def person(draft: Draft) -> Person:
    """Return what is known of whom the flow under way is for."""
    return draft.flow.person if is_for_another(draft) else draft.state.me


def update_person(draft: Draft, changed: Person) -> None:
    """Keep what was learnt of whom the flow under way is for, or of the one we talk to when there is none."""
    if draft.state.flow is not None and is_for_another(draft):
        draft.update_flow(person=changed)
    else:
        draft.update(me=changed)


def is_resolved_for_booking(draft: Draft) -> bool:
    """Find out whom to book for. True once that is known; otherwise a question was asked or a request made."""
    flow, state = draft.flow, draft.state
    if flow.patient_id or flow.is_newcomer:
        return True
    who = person(draft)
    likely = likely_patient(draft)
    if likely is not None:
        draft.update_flow(patient_id=likely)
        return True
    if not who.name:
        _ask_name(draft)
        return False
    if who.is_name_doubted:
        draft.ask(Say.ASK_SPELLING, Asked.SPELL_NAME, may_text=_may_text(draft))
        return False
    if state.number_patients and not state.is_new and flow.matched != (who.name, who.birth_date):
        draft.update_flow(matched=(who.name, who.birth_date))
        draft.request = MatchCaller(who.name, state.number_patients, who.birth_date)
        return False
    return _is_newcomer_known(draft, who, who.name)


def _is_newcomer_known(draft: Draft, who: Person, name: str) -> bool:
    """Ask for what it takes to take somebody on who was not recognised; first look whether they are on file after all."""
    flow = draft.flow
    if " " not in name:
        # One name is enough to recognise somebody, not to take them on.
        missing = Say.ASK_FIRST_NAME if who.is_last_name else Say.ASK_LAST_NAME
        draft.ask(missing, Asked.NAME, name=name, may_text=_may_text(draft))
        return False
    if not who.birth_date and who.birth_date_refusals < _MAX_REFUSALS:
        _ask_birth_date(draft)
        return False
    if who.birth_date and flow.looked_up != (name, who.birth_date):
        draft.update_flow(looked_up=(name, who.birth_date))
        draft.request = VerifyPatient(name, who.birth_date)
        return False
    if draft.phone() is None:
        draft.ask(Say.ASK_PHONE, Asked.PHONE)
        return False
    draft.update_flow(is_newcomer=True)
    return True


def likely_patient(draft: Draft) -> str | None:
    """The one we talk to, if they book for themselves: verified, or the only one with this number and nothing said of another.

    A date of birth may be another's: then their name is asked for.
    """
    state = draft.state
    if is_for_another(draft):
        return None
    says_nothing = state.me.name is None and state.me.birth_date is None and not state.is_new
    if state.verified_id is None and says_nothing and len(state.number_patients) == 1:
        return state.number_patients[0]
    return state.verified_id


def take_booking_match(draft: Draft, found: PatientFound) -> None:
    """Note whom the name, or the name and date of birth, belong to. Nobody is no failure here: they are new.

    A date of birth that does not go with a name of this number is asked for once more, without saying what is on file.
    """
    if found.patient_id:
        draft.update_flow(patient_id=found.patient_id)
    elif found.is_doubtful and not draft.flow.is_doubted:
        draft.update_flow(is_doubted=True)
        update_person(draft, births.misheard(person(draft)))
        draft.ask(Say.BIRTH_DATE_AGAIN, Asked.BIRTH_DATE)


def is_verified(draft: Draft) -> bool:
    """Make sure who it is before anything that exists is told or changed. True once name and date of birth have matched."""
    flow, state = draft.flow, draft.state
    if flow.patient_id:
        return True
    if not is_for_another(draft) and state.verified_id:
        draft.update_flow(patient_id=state.verified_id)
        return True
    who = person(draft)
    if not who.name:
        _ask_name(draft)
        return False
    if not who.birth_date or (state.birth_date_is_elsewhere and not is_for_another(draft)):
        if who.birth_date_refusals >= _MAX_REFUSALS:
            _give_to_staff(draft)
            return False
        _ask_birth_date(draft)
        return False
    draft.request = VerifyPatient(who.name, who.birth_date)
    return False


def take_verification(draft: Draft, patient_id: str | None) -> None:
    """Note the outcome of a check. Nobody found and a wrong date are told in the same words; the third ends with staff."""
    if patient_id:
        draft.update_flow(patient_id=patient_id)
        if not is_for_another(draft):
            draft.update(verified_id=patient_id)
        return
    who = person(draft)
    update_person(draft, replace(births.misheard(who), name=None, name_tried=who.name))
    draft.update(failed_checks=draft.state.failed_checks + 1)
    if draft.state.failed_checks >= MAX_FAILED_CHECKS:
        _give_to_staff(draft)
        return
    draft.say(Say.NOT_FOUND)


def may_still_try(draft: Draft) -> bool:
    """Say whether another check is allowed in this conversation."""
    return draft.state.failed_checks < MAX_FAILED_CHECKS


def _give_to_staff(draft: Draft) -> None:
    says = TaskSays.UNKNOWN_CALLER
    task = OpenTask(TaskKind.CALL_BACK, says, {"wish_code": draft.flow.kind.value}, subject="identity")
    draft.say(Say.CANNOT_WITHOUT_PROOF)
    # Nothing that was open before goes on as if they had not asked: what they need now is a person.
    draft.effects.append(ReleaseHold())
    draft.update(flows=(draft.flow,))
    draft.finish(Outcome.INFORMED)
    people.promise(draft, task, say=Say.NOT_FOUND_STAFF)


def refuse_attempts(draft: Draft) -> None:
    """Answer a wish that needs a check when no more checks are allowed."""
    _give_to_staff(draft)


def _ask_name(draft: Draft) -> None:
    draft.update_flow(agreed=False)
    if is_for_another(draft):
        draft.ask(Say.ASK_THEIR_NAME, Asked.NAME, said=draft.flow.details.person_said, may_text=_may_text(draft))
    else:
        draft.ask(Say.ASK_NAME, Asked.NAME, may_text=_may_text(draft))


def doubt_name(draft: Draft) -> None:
    """Note that the name was misheard: it is asked for letter by letter."""
    update_person(draft, replace(person(draft), is_name_doubted=True))
    draft.update_flow(patient_id=None, is_newcomer=False, agreed=False)


def doubt_birth_date(draft: Draft) -> None:
    """Note that the date of birth was misheard: it is asked for again."""
    update_person(draft, births.misheard(person(draft)))
    draft.update_flow(patient_id=None, is_newcomer=False, agreed=False)
    draft.ask(Say.BIRTH_DATE_AGAIN, Asked.BIRTH_DATE)


def believe_birth_date(draft: Draft) -> None:
    """Note that they agreed to what was read back of them."""
    update_person(draft, replace(person(draft), is_birth_date_sure=True))


def _may_text(draft: Draft) -> bool:
    """Say whether a caller can text what can't be heard to the number that they called."""
    caller = draft.setting.caller
    return draft.is_voice and caller is not None and may_take_texts(caller)


def _ask_birth_date(draft: Draft) -> None:
    draft.update_flow(agreed=False)
    part = births.missing(person(draft))
    if part is not None:
        draft.ask(part, Asked.BIRTH_DATE)
    elif is_for_another(draft) or person(draft).is_put_right:
        # "No, it's for Tom Smith": whose it is has to be said.
        draft.ask(Say.ASK_THEIR_BIRTH_DATE, Asked.BIRTH_DATE, name=person(draft).name)
    else:
        draft.ask(Say.ASK_BIRTH_DATE, Asked.BIRTH_DATE)
