"""Cancelling: one visit, or all that they mean; everything is read back and nothing is touched without the yes."""

from booking.values import BookedVisit
from dialog.acts import Say
from dialog.draft import Draft, present
from dialog.errands import CancelAppointment
from dialog.flows import own_visits, recent
from dialog.flows.own_visits import visit_fields
from dialog.interpreter import Asked
from dialog.state import CANCEL, MOVE, Choice, Outcome


def call_off(draft: Draft, visit: BookedVisit) -> None:
    """Read one visit back, or cancel it after the yes. Who only can't come may rather move it."""
    if draft.flow.agreed:
        draft.request = CancelAppointment(visit.id, present(draft.flow.patient_id))
        return
    if draft.flow.may_move:
        draft.ask(Say.ASK_MOVE_OR_CANCEL, Asked.CHOICE, choices=(Choice(MOVE), Choice(CANCEL)), **visit_fields(visit))
        return
    draft.ask(Say.READ_BACK_CANCEL, Asked.YES_NO, **visit_fields(visit))


def call_off_every(draft: Draft, visits: tuple[BookedVisit, ...]) -> bool:
    """Read all visits that they mean back at once, or cancel the first that still stands after the yes. Say whether it is more than one."""
    if draft.flow.agreed:
        _call_off_next(draft, visits)
        return True
    meant = own_visits.meant(draft, visits)
    if len(meant) < 2:
        draft.update_flow(is_every=False)
        return False
    draft.update_flow(visits=meant)
    choices = tuple(Choice(one.id, visit=one) for one in meant)
    draft.ask(Say.READ_BACK_CANCEL_ALL, Asked.YES_NO, choices=choices, visits=[visit_fields(one) for one in meant])
    return True


def take_written(draft: Draft, visit: BookedVisit) -> None:
    """Tell of what was cancelled, once nothing of it is left to do."""
    flow = draft.flow
    draft.update(called_off=visit)
    recent.forget(draft, visit)
    if not flow.is_every:
        draft.say(Say.CANCELLED, **visit_fields(visit))
        draft.finish(Outcome.CANCELLED)
        return
    left = tuple(one for one in flow.visits or () if one.id != visit.id)
    draft.update_flow(called_off=(*flow.called_off, visit), visits=left)


def keep_one(draft: Draft) -> None:
    """Go on with the others when the clinic's rules keep the one that was to be cancelled."""
    draft.update_flow(visits=(draft.flow.visits or ())[1:])


def _call_off_next(draft: Draft, left: tuple[BookedVisit, ...]) -> None:
    """Cancel the next; with none left tell of all that are cancelled."""
    gone = draft.flow.called_off
    if left:
        draft.request = CancelAppointment(left[0].id, present(draft.flow.patient_id))
        return
    if gone:
        draft.say(Say.CANCELLED_ALL, visits=[visit_fields(one) for one in gone])
    draft.finish(Outcome.CANCELLED if gone else Outcome.INFORMED)
