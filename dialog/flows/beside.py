"""Visits beside the one that is being booked: the same for a second person, another service for the same one. Each is taken up in its turn."""

from collections.abc import Sequence
from dataclasses import replace

from booking.values import BookedVisit
from dialog.acts import Say
from dialog.commands import BookFor, Command, GiveService
from dialog.draft import Draft
from dialog.flows import details
from dialog.hours import wall_time
from dialog.interpreter import Asked
from dialog.offers import one_day
from dialog.state import Details, Flow, FlowKind, Person
from dialog.timewords import TimeWish

_MOST_COMPANIONS = 3


def bring_along(draft: Draft, companion: BookFor, said: Sequence[Command]) -> bool:
    """Note that the same is wanted for a second person, with what is `said` of it. Its turn comes once the first visit is booked.

    Say whether that is new.
    """
    if draft.flow.kind is not FlowKind.BOOK:
        return False
    known = [one for one in draft.state.flows if one.is_companion]
    waiting = _companion_flow(companion)
    if len(known) >= _MOST_COMPANIONS or any(_is_for_the_same(one, waiting) for one in known):
        return False
    first = draft.state.flows.index(known[0]) if known else len(draft.state.flows) - 1
    later = draft.state.flows[first:]
    draft.update(flows=(*draft.state.flows[:first], waiting))
    for one in said:
        details.give(draft, one)
    draft.update(flows=(*draft.state.flows, *later))
    if companion.also:
        draft.say(Say.ONE_BY_ONE)
    return True


def begin_like_the_last(draft: Draft, companion: BookFor, said: Sequence[Command]) -> None:
    """Begin a booking like the one made last in this conversation for a second person, but for what is `said` of it."""
    draft.push(_companion_flow(companion))
    for one in said:
        details.give(draft, one)
    _take_up_companion(draft, draft.state.made[-1].visit)


def bring_services(draft: Draft, others: Sequence[GiveService]) -> None:
    """Note further services for the same person, each of which is taken up once the visit before it is booked."""
    if not others or draft.state.flow is None or draft.flow.kind is not FlowKind.BOOK:
        return
    waiting = [Flow(FlowKind.BOOK, details=Details(service_keys=one.keys), is_second=True) for one in others]
    draft.update(flows=(*draft.state.flows[:-1], *reversed(waiting), draft.flow))
    draft.say(Say.ONE_BY_ONE)


def bring_another(draft: Draft, said: Sequence[Command]) -> None:
    """Note that they want another visit besides the one they agree to, with what is `said` of it. Its turn comes once that is booked."""
    agreed_to = draft.flow
    draft.update(flows=(*draft.state.flows[:-1], Flow(FlowKind.BOOK, is_second=True)))
    for one in said:
        details.give(draft, one)
    draft.update(flows=(*draft.state.flows, agreed_to))


def take_up_next(draft: Draft, first: BookedVisit, done: Flow) -> None:
    """Go on with what was noted beside the visit that is booked now."""
    if draft.state.flow is None:
        return
    if draft.flow.is_companion:
        _take_up_companion(draft, first)
    elif draft.flow.is_second:
        _take_up_second(draft, first, done)


def _companion_flow(companion: BookFor) -> Flow:
    said = (companion.person or "").strip()[:80] or None
    whom = Details(relation=companion.relation, person_said=said)
    return Flow(FlowKind.BOOK, details=whom, person=Person(name=said), is_companion=True)


def _is_for_the_same(flow: Flow, other: Flow) -> bool:
    return (flow.details.relation, flow.details.person_said) == (other.details.relation, other.details.person_said)


def _take_up_second(draft: Draft, first: BookedVisit, done: Flow) -> None:
    """Go on with another service for the same person: at the same place and day as the first, behind it, unless they said when."""
    wanted = draft.flow.details
    whom = replace(wanted, relation=done.details.relation, person_said=done.details.person_said)
    draft.update_flow(
        details=whom if whom.wish else _behind(draft, whom, first),
        person=done.person,
        patient_id=first.patient_id,
        is_second=False,
    )
    if len(wanted.service_keys) == 1:
        draft.say(Say.NOW_THE_NEXT, service=draft.service(wanted.service_keys[0]).id)


def _take_up_companion(draft: Draft, first: BookedVisit) -> None:
    """Go on with the second person: the same service at the same place and day, as soon after the first as can be, unless they said more."""
    wanted = draft.flow.details
    draft.say(Say.NOW_FOR, relation=wanted.relation.value, name=wanted.person_said)
    wanted = replace(wanted, service_keys=wanted.service_keys or (draft.catalogue.service(first.service_id).key,))
    draft.update_flow(
        details=wanted if wanted.wish else _behind(draft, wanted, first), anchor=(first.starts_at,), is_companion=False
    )
    if draft.flow.person.name is None:
        draft.ask(Say.ASK_THEIR_NAME, Asked.NAME, said=wanted.person_said)


def _behind(draft: Draft, wanted: Details, first: BookedVisit) -> Details:
    """Wish for the same day and place as `first`, after it."""
    place = draft.catalogue.location(first.location_id)
    ends = wall_time(first.ends_at, place)
    return replace(wanted, location_keys=(place.key,), wish=TimeWish(days=one_day(ends.date())), not_before=ends)
