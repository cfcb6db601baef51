"""An e-mail address: asked for where somebody wants to hear by e-mail, read back letter by letter, and kept for whoever proved who they are.

A confirmation goes where the address says, so that an address is as good as a key to the visits: nobody gets another's record to write to theirs.
"""

from dialog import commands as c
from dialog.acts import Say
from dialog.draft import Draft, present
from dialog.errands import KeepEmail
from dialog.flows import identity
from dialog.interpreter import Asked
from dialog.state import Flow, FlowKind, Outcome
from kernel.phone import may_take_texts

MOST_FAILURES = 2  # after which it is left to a text, or to staff


def want(draft: Draft) -> None:
    """Take the wish to hear by e-mail: ask where to, unless the clinic sends none, or they said it already."""
    if not draft.catalogue.sends_invitations:
        draft.say(Say.NO_EMAILS)
    elif not is_open(draft) and draft.state.email is None:
        draft.push(Flow(FlowKind.EMAIL))


def give(draft: Draft, said: c.GiveEmail) -> bool:
    """Take in an address. What is heard is read back, and what is likely a slip of the pen is asked about. Say whether it was of use."""
    if not is_open(draft):
        draft.push(Flow(FlowKind.EMAIL))
    if said.value is None:
        return False
    address = said.meant if draft.is_voice and said.meant else said.value
    meant = None if draft.is_voice else said.meant
    draft.update_flow(email=address, email_meant=meant, is_email_right=not draft.is_voice and meant is None)
    return True


def advance(draft: Draft) -> None:
    """Ask for the address or whether it is right; then keep it, now or with the visit that is being booked."""
    flow = draft.flow
    if flow.email is None:
        _ask(draft)
    elif not flow.is_email_right and flow.email_meant:
        draft.ask(Say.EMAIL_MEANT, Asked.YES_NO, email=flow.email_meant)
    elif not flow.is_email_right:
        draft.ask(Say.EMAIL_READ_BACK, Asked.YES_NO, email=flow.email)
    elif _is_booking_below(draft):
        draft.update(email=flow.email)
        _end(draft)
    elif (patient_id := _proved(draft)) is not None:
        draft.effects.append(KeepEmail(patient_id, flow.email))
        _end(draft)


def agree(draft: Draft) -> None:
    """Take a yes to the address that was read back, or to the one that they more likely meant."""
    draft.update_flow(email=draft.flow.email_meant or draft.flow.email, email_meant=None, is_email_right=True)


def refuse(draft: Draft) -> bool:
    """Take a no to a question about an address. Say whether it answered one."""
    question = draft.state.question
    match question.say if question else None:
        case Say.EMAIL_MEANT:
            draft.update_flow(email_meant=None, is_email_right=True)
        case Say.EMAIL_READ_BACK:
            _mishear(draft, present(question).fields["email"])
        case Say.ASK_EMAIL | Say.EMAIL_SPELLED:
            drop(draft)
        case _:
            return False
    return True


def _mishear(draft: Draft, read_back: str) -> None:
    """Ask again for what was heard wrong, letter by letter, unless the right one was said with the no."""
    if draft.flow.email == read_back:
        draft.update_flow(email=None, email_refusals=draft.flow.email_refusals + 1)


def drop(draft: Draft) -> None:
    """Leave it at that: they have no address, or none that arrives."""
    draft.finish()
    draft.say(Say.EMAIL_DROPPED, may_text=_may_text(draft))


def keep_with_visit(draft: Draft, patient_id: str, *, is_proved: bool) -> None:
    """Keep the address that was given while a visit was booked, once the patient is known by name and date of birth."""
    address, proved = draft.state.email, patient_id if is_proved else None
    draft.update(email=None, introduced_id=proved)
    if address is None:
        return
    if proved or patient_id == draft.state.verified_id:
        draft.effects.append(KeepEmail(patient_id, address))
    else:
        draft.push(Flow(FlowKind.EMAIL, email=address, is_email_right=True))


def hint(draft: Draft) -> None:
    """Tell a caller whose number takes no texts that there is another way to have it in writing."""
    caller = draft.setting.caller
    reaches = caller is not None and may_take_texts(caller)
    if draft.is_voice and not reaches and draft.catalogue.sends_invitations and draft.state.email is None:
        draft.say(Say.EMAIL_HINT)


def _ask(draft: Draft) -> None:
    if draft.flow.email_refusals >= MOST_FAILURES or draft.state.failures >= MOST_FAILURES:
        drop(draft)
    elif draft.flow.email_refusals:
        draft.ask(Say.EMAIL_SPELLED, Asked.EMAIL)
    else:
        draft.ask(Say.ASK_EMAIL, Asked.EMAIL)


def _proved(draft: Draft) -> str | None:
    """Return whose address it is, once that is proved: the patient of the visit just booked, or whoever speaks."""
    if draft.state.introduced_id:
        return draft.state.introduced_id
    return present(draft.flow.patient_id) if identity.is_verified(draft) else None


def _end(draft: Draft) -> None:
    draft.finish(Outcome.INFORMED)
    draft.say(Say.EMAIL_NOTED)


def is_open(draft: Draft) -> bool:
    """Say whether an address is what is being asked about."""
    return draft.state.flow is not None and draft.flow.kind is FlowKind.EMAIL


def _is_booking_below(draft: Draft) -> bool:
    below = draft.state.flows[:-1]
    return bool(below) and below[-1].kind is FlowKind.BOOK


def _may_text(draft: Draft) -> bool:
    caller = draft.setting.caller
    return draft.is_voice and caller is not None and may_take_texts(caller)
