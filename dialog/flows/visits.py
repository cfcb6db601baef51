"""Visits that exist: when they are, moving, cancelling, confirming. Nothing of them is told before the patient is verified."""

from dataclasses import replace
from typing import Any

from booking.values import BookedVisit, ServiceInfo, TaskKind
from dialog import hours
from dialog.acts import Say
from dialog.draft import Draft, present
from dialog.errands import (
    CancelAppointment,
    ListVisits,
    MoveAppointment,
    NoteConfirmed,
    OpenTask,
    RefusedBy,
    ReleaseHold,
    VisitsListed,
    VisitWritten,
)
from dialog.flows import book, identity, left_to_staff, offering
from dialog.interpreter import Asked
from dialog.state import CANCEL, MOVE, Choice, FlowKind, Outcome
from dialog.timewords import TimeWish

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
    if not flow.visits:
        draft.say(Say.NO_VISITS)
        draft.finish(Outcome.INFORMED)
        return
    visit = _settled_visit(draft, flow.visits)
    if visit is None:
        return
    match flow.kind:
        case FlowKind.CANCEL:
            _cancel(draft, visit)
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
    fields = visit_fields(visit)
    if kind is FlowKind.CANCEL:
        draft.update(called_off=visit)
        draft.say(Say.CANCELLED, **fields)
        draft.finish(Outcome.CANCELLED)
    elif kind is FlowKind.CONFIRM:
        draft.say(Say.VISIT_CONFIRMED, **fields)
        draft.finish(Outcome.INFORMED)
    else:
        draft.say(Say.MOVED, **fields)
        _drop_overtaken(draft, visit)
        draft.finish(Outcome.MOVED)


def _drop_overtaken(draft: Draft, moved: BookedVisit) -> None:
    """Drop a booking of what was moved now, begun before it was clear that they have that visit: it wished for the same."""
    keys, relation = (draft.catalogue.service(moved.service_id).key,), draft.flow.details.relation
    kept = tuple(
        one
        for one in draft.state.flows
        if not one.is_overtaken
        or one.details.service_keys != keys
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
    draft.finish(Outcome.INFORMED)


def visit_fields(visit: BookedVisit) -> dict[str, Any]:
    """Return what acts say of a visit."""
    return {
        "appointment": visit.id,
        "service": visit.service_id,
        "practitioner": visit.practitioner_id,
        "location": visit.location_id,
        "starts_at": visit.starts_at.isoformat(),
    }


def _tell(draft: Draft, visits: tuple[BookedVisit, ...]) -> None:
    is_past = draft.flow.kind is FlowKind.PAST_VISITS
    if not visits:
        draft.say(Say.NO_PAST_VISITS if is_past else Say.NO_VISITS)
    else:
        draft.say(Say.PAST_VISITS if is_past else Say.VISITS, visits=[visit_fields(one) for one in visits[:_LISTED]])
    draft.update(told=() if is_past else visits[:_LISTED])
    draft.finish(Outcome.INFORMED)


def _settled_visit(draft: Draft, visits: tuple[BookedVisit, ...]) -> BookedVisit | None:
    flow = draft.flow
    if flow.visit is not None:
        pointed_at = next((one for one in visits if one.id == flow.visit.id), None)
        draft.update_flow(visit=pointed_at)
        if pointed_at is not None:
            return pointed_at
    if flow.kind is FlowKind.RESCHEDULE:
        _take_day_as_name(draft, visits)
    meant = _meant(draft, visits)
    if len(meant) == 1:
        draft.update_flow(visit=meant[0])
        return meant[0]
    draft.ask(
        Say.ASK_WHICH_VISIT,
        Asked.CHOICE,
        choices=tuple(Choice(one.id, visit=one) for one in meant[:_LISTED]),
        visits=[visit_fields(one) for one in meant[:_LISTED]],
    )
    return None


def _take_day_as_name(draft: Draft, visits: tuple[BookedVisit, ...]) -> None:
    """Of two days ("move my Tuesday visit to Thursday"), the one on which there is a visit says which visit is meant."""
    wish = draft.flow.details.wish
    if wish is None or len(wish.days) < 2:
        return
    for span in wish.days:
        named = TimeWish(days=(span,))
        if any(_is_on_wished_day(draft, one, named) for one in visits):
            draft.update_flow(about=replace(draft.flow.about, wish=named))
            draft.update_details(wish=replace(wish, days=tuple(one for one in wish.days if one != span)))
            return


def _meant(draft: Draft, visits: tuple[BookedVisit, ...]) -> tuple[BookedVisit, ...]:
    """Return the visits the patient may mean, by what, whom and when they said; all of them where that leaves none."""
    about = draft.flow.about
    catalogue = draft.catalogue
    of_service = [one for one in visits if catalogue.service(one.service_id).key in about.service_keys]
    left = of_service or list(visits)
    with_person = [one for one in left if catalogue.practitioner(one.practitioner_id).key in about.practitioner_keys]
    left = with_person or left
    on_day = [one for one in left if _is_on_wished_day(draft, one, about.wish)]
    return tuple(on_day or left)


def _is_on_wished_day(draft: Draft, visit: BookedVisit, wish: TimeWish | None) -> bool:
    if wish is None:
        return True
    wall = hours.wall_time(visit.starts_at, draft.catalogue.location(visit.location_id))
    on_day = not wish.days or any(one.first <= wall.date() < one.end for one in wish.days)
    on_weekday = not wish.weekdays or wall.weekday() in wish.weekdays
    minute = wall.hour * 60 + wall.minute
    at_time = wish.at_minute is None or minute in (wish.at_minute, *wish.at_alternatives)
    return on_day and on_weekday and at_time


def _confirm(draft: Draft, visit: BookedVisit) -> None:
    service = draft.catalogue.service(visit.service_id)
    if service.group is None:
        draft.request = NoteConfirmed(visit.id)
        return
    # A session is nobody's own to confirm: staff are told who says that they will come.
    draft.tell_staff(
        OpenTask(
            TaskKind.MESSAGE,
            f"Says that they will come to {service.name}, {_when(draft, visit)}.",
            phone=draft.phone(),
            patient_id=visit.patient_id,
            appointment_id=visit.id,
            subject=f"comes:{visit.id}",
        )
    )
    draft.say(Say.VISIT_CONFIRMED, **visit_fields(visit))
    draft.finish(Outcome.INFORMED)


def _when(draft: Draft, visit: BookedVisit) -> str:
    return f"{hours.wall_time(visit.starts_at, draft.catalogue.location(visit.location_id)):%A %d %B %Y, %H:%M}"


def _cancel(draft: Draft, visit: BookedVisit) -> None:
    if draft.flow.agreed:
        draft.request = CancelAppointment(visit.id, present(draft.flow.patient_id))
        return
    if draft.flow.may_move:
        draft.ask(Say.ASK_MOVE_OR_CANCEL, Asked.CHOICE, choices=(Choice(MOVE), Choice(CANCEL)), **visit_fields(visit))
        return
    draft.ask(Say.READ_BACK_CANCEL, Asked.YES_NO, **visit_fields(visit))


def _leave_move_to_staff(draft: Draft, visit: BookedVisit, service: ServiceInfo) -> None:
    """Several people or patients are concerned: staff settle the new time. The visit stays as it is until then."""
    draft.tell_staff(
        OpenTask(
            TaskKind.BOOKING_REQUEST,
            f"Wants to move {service.name} of {_when(draft, visit)} to another time. Please get in touch.",
            phone=draft.phone(),
            patient_id=visit.patient_id,
            appointment_id=visit.id,
            subject=f"move:{visit.id}",
        )
    )
    draft.say(Say.MOVE_BY_STAFF, **visit_fields(visit))
    draft.finish(Outcome.MESSAGE_TAKEN)


def _move(draft: Draft, visit: BookedVisit) -> None:
    flow = draft.flow
    service = draft.catalogue.service(visit.service_id)
    if service.steps or service.group:
        _leave_move_to_staff(draft, visit, service)
        return
    if not flow.details.service_keys:
        keys = flow.details.practitioner_keys or (draft.catalogue.practitioner(visit.practitioner_id).key,)
        draft.update_details(service_keys=(service.key,), practitioner_keys=keys)
    if not book.is_person_settled(draft, service):
        return
    if draft.flow.details.wish is None and not draft.flow.offers and draft.flow.chosen is None and not flow.shown:
        draft.ask(Say.ASK_WHEN_MOVE, Asked.WHEN, **visit_fields(visit))
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
        old=visit_fields(visit),
        new=visit_fields(hold),
    )
