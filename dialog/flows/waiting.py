"""The waiting list: who wants a time that is not free is put on it, or staff are told where something is unknown."""

from datetime import datetime

from booking.task_words import TaskSays
from booking.values import TaskKind
from dialog.acts import Say
from dialog.draft import Draft
from dialog.errands import OnWaitingList, OpenTask, WaitForTime
from dialog.flows import identity, offering, people
from dialog.offers import Limits, Offer
from dialog.state import FlowKind, Outcome
from dialog.timewords import TimeWish
from dialog.wished_spans import cut_off, spans_wished
from kernel.interval import Interval


def join(draft: Draft) -> None:
    """Ask for a place on the waiting list, if it is known for whom and for what; else tell the staff."""
    wanted = _for_booking(draft) or _for_move(draft) or _for_visit_told(draft)
    if wanted is None:
        leave_to_staff(draft)
        return
    draft.request = wanted


def join_or_find_out(draft: Draft) -> None:
    """Ask for a place on the waiting list, unless it is being found out for which of their visits."""
    if draft.state.flow is None or not draft.state.flow.is_to_wait:
        join(draft)


def take_entry(draft: Draft, joined: OnWaitingList) -> None:
    """Tell that they are on the list. Where nothing else is free there is nothing more to settle."""
    draft.say(Say.WAITLIST_JOINED, service=joined.service_id)
    question = draft.state.question
    flow = draft.state.flow
    is_settled = question is not None and question.say is Say.NOTHING_FREE
    if flow is not None and (is_settled or flow.is_to_wait):
        draft.update(pending_note=None)
        draft.finish(Outcome.INFORMED)
    draft.note_outcome(Outcome.INFORMED)


def leave_to_staff(draft: Draft) -> None:
    """Tell the staff that somebody wants a time that is not free."""
    if draft.state.flow is not None and draft.flow.is_to_wait:
        draft.finish()
    keys = draft.state.flow.details.service_keys if draft.state.flow is not None else ()
    wanted = OpenTask(
        TaskKind.BOOKING_REQUEST,
        TaskSays.WANTS_EARLIER,
        {"service": draft.service(keys[0]).name if len(keys) == 1 else None},
        patient_id=draft.known_patient(),
        subject="waitlist",
    )
    people.promise(draft, wanted, say=Say.WAITLIST_NOTED)


def named(draft: Draft) -> tuple[datetime, ...]:
    """Return the starts that were offered in the flow under way, the chosen one included."""
    flow = draft.flow
    taken = (one.starts_at for one in (flow.chosen, flow.hold) if one is not None)
    return (*flow.shown, *flow.anchor, *(one.starts_at for one in flow.offers), *taken)


def _for_booking(draft: Draft) -> WaitForTime | None:
    flow = draft.state.flow
    if flow is None or flow.kind is not FlowKind.BOOK or len(flow.details.service_keys) != 1:
        return None
    patient_id = flow.patient_id or identity.likely_patient(draft)
    spans = _spans(draft)
    if patient_id is None or not spans:
        return None
    return WaitForTime(
        patient_id, draft.service(flow.details.service_keys[0]).id, _people(draft), offering.location_ids(draft), spans
    )


def _for_move(draft: Draft) -> WaitForTime | None:
    flow = draft.state.flow
    if flow is None or flow.kind is not FlowKind.RESCHEDULE or flow.patient_id is None or flow.visit is None:
        return None
    says_when = flow.details.wish is not None or bool(named(draft))
    spans = _spans(draft) if says_when else ()
    if says_when and not spans:
        return None
    people = _people(draft) if len(flow.details.service_keys) == 1 else ()
    places = offering.location_ids(draft)
    return WaitForTime(flow.patient_id, flow.visit.service_id, people, places, spans, replaces_id=flow.visit.id)


def _for_visit_told(draft: Draft) -> WaitForTime | None:
    """Take it as about the visit that was told of last, or that was booked just now."""
    state = draft.state
    if state.flow is not None:
        return None
    if len(state.told) == 1 and state.told[0].patient_id is not None:
        visit = state.told[0]
        return WaitForTime(str(visit.patient_id), visit.service_id, replaces_id=visit.id)
    if state.served_id is None:
        return None
    now = draft.setting.now
    earlier = tuple(Interval(now, first) for first in sorted(state.offered_for_it)[:1] if first > now)
    return WaitForTime(state.served_id, None, spans=earlier)


def _spans(draft: Draft) -> tuple[Interval, ...]:
    """Return when they want to come: what they wished, before the earliest time of it that they were offered."""
    details, setting = draft.flow.details, draft.setting
    limits = Limits(details.not_before, details.not_after)
    wished = spans_wished(details.wish or TimeWish(), limits, catalogue=draft.catalogue, now=setting.now)
    # The same time with somebody else, or elsewhere, was no answer to the wish.
    return cut_off(
        wished, set(named(draft)) - {one.starts_at for one in draft.flow.offers if not _is_wished(draft, one)}
    )


def _is_wished(draft: Draft, offer: Offer) -> bool:
    people, places = _people(draft), offering.location_ids(draft)
    is_with = not people or bool(set(offer.practitioner_ids) & set(people))
    return is_with and (not places or offer.location_id in places)


def _people(draft: Draft) -> tuple[str, ...]:
    """Return who may give it; nobody named where anybody will do."""
    service = draft.service(draft.flow.details.service_keys[0])
    wanted = offering.wanted(draft, offering.suiting(draft, service))
    return () if set(wanted) == {one.id for one in draft.able(service)} else wanted
