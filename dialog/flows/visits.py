"""Visits that exist: when they are, moving, cancelling, confirming. Nothing of them is told before the patient is verified."""

from dataclasses import replace

from booking.task_words import TaskDetails, TaskSays
from booking.values import BookedVisit, TaskKind
from dialog.acts import Say
from dialog.draft import Draft, present
from dialog.errands import (
    ListVisits,
    MoveAppointment,
    NoteConfirmed,
    OpenTask,
    RefusedBy,
    ReleaseHold,
    VisitsListed,
    VisitWritten,
)
from dialog.flows import book, calling_off, identity, left_to_staff, offering, own_visits, recent, waiting
from dialog.hours import wall_time
from dialog.interpreter import Asked
from dialog.offers import one_day
from dialog.state import Choice, FlowKind, Outcome
from dialog.timewords import TimeWish, merge_wish, read_time

_LISTED = 4


def advance(draft: Draft) -> None:
    """Ask for the next thing that is missing, or request the next step."""
    if not draft.flow.patient_id and not identity.may_still_try(draft):
        identity.refuse_attempts(draft)
        return
    if not identity.is_verified(draft):
        return
    flow = draft.flow
    if flow.visits is None:
        draft.request = ListVisits(present(flow.patient_id), past=flow.kind is FlowKind.PAST_VISITS)
        return
    if flow.kind in {FlowKind.APPOINTMENTS, FlowKind.PAST_VISITS}:
        _tell(draft, flow.visits)
        return
    if flow.is_every and flow.visit is None and _take_every(draft, flow.visits):
        return
    if not flow.visits:
        draft.say(Say.NO_VISITS)
        draft.finish(Outcome.INFORMED)
        return
    visit = _settled_visit(draft, flow.visits)
    if visit is not None:
        _change(draft, visit)


def _take_every(draft: Draft, visits: tuple[BookedVisit, ...]) -> bool:
    """Cancel all that they mean at one yes; move them one after the other. Say whether this turn goes on with that."""
    if draft.flow.kind is FlowKind.CANCEL:
        return calling_off.call_off_every(draft, visits)
    meant = own_visits.meant(draft, visits)
    each = [replace(draft.flow, visit=one, is_every=False) for one in reversed(meant)]
    if len(each) > 1:
        draft.update(flows=(*draft.state.flows[:-1], *each))
        draft.say(Say.ONE_BY_ONE)
    return False


def _change(draft: Draft, visit: BookedVisit) -> None:
    match draft.flow.kind:
        case FlowKind.CANCEL:
            calling_off.call_off(draft, visit)
        case FlowKind.CONFIRM:
            _confirm(draft, visit)
        case _:
            _move(draft, visit)


def take_visits(draft: Draft, listed: VisitsListed) -> None:
    """Note what the patient has."""
    draft.update_flow(visits=listed.visits)


def take_change(draft: Draft, written: VisitWritten) -> None:
    """Tell of the committed change."""
    visit, kind = written.visit, draft.flow.kind
    draft.update(served_id=visit.patient_id, told=())
    fields = own_visits.visit_fields(visit)
    if kind is FlowKind.CANCEL:
        calling_off.take_written(draft, visit)
    elif kind is FlowKind.CONFIRM:
        draft.say(Say.VISIT_CONFIRMED, **fields)
        draft.finish(Outcome.INFORMED)
    else:
        draft.say(Say.MOVED, **fields)
        recent.note(draft, visit)
        _drop_overtaken(draft, visit)
        draft.finish(Outcome.MOVED)


def _drop_overtaken(draft: Draft, moved: BookedVisit) -> None:
    """Drop a booking of what was moved now, or of nothing yet, begun before it was clear that they have that visit."""
    key, relation = draft.catalogue.service(moved.service_id).key, draft.flow.details.relation
    kept = tuple(
        one
        for one in draft.state.flows
        if not one.is_overtaken
        or (one.details.service_keys and key not in one.details.service_keys)
        or one.details.relation is not relation
        or one.patient_id not in {None, moved.patient_id}
    )
    draft.update(flows=kept)


def take_refusal(draft: Draft, refusal: RefusedBy) -> None:
    """Explain why the visit can't be changed. A time that was lost leads to the nearest ones; anything else leaves the visit as it is."""
    if draft.flow.hold is not None and offering.holds_again(draft, refusal):
        return
    if draft.flow.chosen is not None and left_to_staff.leave(draft, refusal):
        return
    if refusal.is_lost and draft.flow.chosen is not None:
        offering.take_hold_refusal(draft, refusal)
        return
    draft.say(Say.REFUSED, code=refusal.code, **refusal.fields)
    draft.effects.append(ReleaseHold())
    if draft.flow.is_every:
        calling_off.keep_one(draft)
        return
    draft.finish(Outcome.INFORMED)


def _tell(draft: Draft, visits: tuple[BookedVisit, ...]) -> None:
    is_past = draft.flow.kind is FlowKind.PAST_VISITS
    if not visits:
        draft.say(Say.NO_PAST_VISITS if is_past else Say.NO_VISITS)
    else:
        draft.say(
            Say.PAST_VISITS if is_past else Say.VISITS,
            visits=[own_visits.visit_fields(one) for one in visits[:_LISTED]],
        )
    draft.update(told=() if is_past else visits[:_LISTED], told_for=draft.flow.details.relation)
    draft.finish(Outcome.INFORMED)


def _settled_visit(draft: Draft, visits: tuple[BookedVisit, ...]) -> BookedVisit | None:
    flow = draft.flow
    if flow.visit is not None:
        pointed_at = next((one for one in visits if one.id == flow.visit.id), None)
        draft.update_flow(visit=pointed_at)
        if pointed_at is not None:
            return pointed_at
    if flow.kind is FlowKind.RESCHEDULE:
        own_visits.take_day_as_name(draft, visits)
    meant = own_visits.meant(draft, visits)
    if len(meant) == 1:
        draft.update_flow(visit=meant[0])
        return meant[0]
    draft.ask(
        Say.ASK_WHICH_VISIT,
        Asked.CHOICE,
        choices=tuple(Choice(one.id, visit=one) for one in meant[:_LISTED]),
        visits=[own_visits.visit_fields(one) for one in meant[:_LISTED]],
    )
    return None


def _confirm(draft: Draft, visit: BookedVisit) -> None:
    service = draft.catalogue.service(visit.service_id)
    if service.group is None:
        draft.request = NoteConfirmed(visit.id)
        return
    # A session is nobody's own to confirm: staff are told who says that they will come.
    draft.tell_staff(
        OpenTask(
            TaskKind.MESSAGE,
            TaskSays.COMES,
            _told(draft, visit),
            phone=draft.phone(),
            patient_id=visit.patient_id,
            appointment_id=visit.id,
            subject=f"comes:{visit.id}",
        )
    )
    draft.say(Say.VISIT_CONFIRMED, **own_visits.visit_fields(visit))
    draft.finish(Outcome.INFORMED)


def _told(draft: Draft, visit: BookedVisit) -> TaskDetails:
    zone = draft.catalogue.location(visit.location_id).zone
    return {"service": draft.catalogue.service(visit.service_id).name, "visit_at": visit.starts_at.astimezone(zone)}


def _leave_move_to_staff(draft: Draft, visit: BookedVisit) -> None:
    """Several people or patients are concerned: staff settle the new time. The visit stays as it is until then."""
    draft.tell_staff(
        OpenTask(
            TaskKind.BOOKING_REQUEST,
            TaskSays.WANTS_TO_MOVE,
            _told(draft, visit),
            phone=draft.phone(),
            patient_id=visit.patient_id,
            appointment_id=visit.id,
            subject=f"move:{visit.id}",
        )
    )
    draft.say(Say.MOVE_BY_STAFF, **own_visits.visit_fields(visit))
    draft.finish(Outcome.MESSAGE_TAKEN)


def _count_from(visit: BookedVisit, draft: Draft) -> None:
    """Read "the Monday after" again, which was unclear as long as it was not known which visit is moved."""
    details = draft.flow.details
    if details.time_unclear is None:
        return
    day = wall_time(visit.starts_at, draft.catalogue.location(visit.location_id)).date()
    reading = read_time(
        details.time_unclear, now=draft.setting.local_now, language=draft.state.language, day_spoken_of=day
    )
    if reading.wish is not None and not reading.unresolved:
        draft.update_details(wish=merge_wish(details.wish, reading.wish), time_unclear=None)


def _stay_on_its_day(draft: Draft, visit: BookedVisit) -> None:
    """Take a bare time of day ("make it 3", "in the afternoon instead") as one of the day that the visit is on."""
    flow, wish = draft.flow, draft.flow.details.wish
    if wish is None or flow.anchor or not (wish.clocks or wish.at_minute is not None):
        return
    if replace(wish, clocks=(), not_clocks=(), at_minute=None, at_alternatives=(), soft=False) == TimeWish():
        day = wall_time(visit.starts_at, draft.catalogue.location(visit.location_id)).date()
        draft.update_details(wish=replace(wish, days=one_day(day)))


def _move(draft: Draft, visit: BookedVisit) -> None:
    flow = draft.flow
    if flow.is_to_wait:
        waiting.join(draft)
        return
    _count_from(visit, draft)
    service = draft.catalogue.service(visit.service_id)
    if service.steps or service.group:
        _leave_move_to_staff(draft, visit)
        return
    if not flow.details.service_keys:
        keys = flow.details.practitioner_keys or (draft.catalogue.practitioner(visit.practitioner_id).key,)
        draft.update_details(service_keys=(service.key,), practitioner_keys=keys)
    _stay_on_its_day(draft, visit)
    if not book.is_person_settled(draft, service):
        return
    if draft.flow.details.wish is None and not draft.flow.offers and draft.flow.chosen is None and not flow.shown:
        draft.ask(Say.ASK_WHEN_MOVE, Asked.WHEN, **own_visits.visit_fields(visit))
        return
    if not offering.is_held(draft, service):
        return
    hold = present(draft.flow.hold)
    if draft.flow.agreed:
        draft.request = MoveAppointment(visit.id, hold.id)
        return
    draft.ask(
        Say.READ_BACK_MOVE,
        Asked.YES_NO,
        choices=offering.choices_beside(draft),
        old=own_visits.visit_fields(visit),
        new=own_visits.visit_fields(hold),
    )
