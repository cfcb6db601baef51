"""From a service and a wish to a time that is held: search, offer, choose. Shared by booking and moving."""

from dataclasses import replace
from datetime import datetime, time, timedelta

from booking.nearest import Change
from booking.reasons import FullyBooked, NoResourceFree
from booking.rules import PractitionerDailyMaximum
from booking.values import BookedVisit, PractitionerInfo, ServiceInfo
from dialog import offers
from dialog.acts import Say
from dialog.draft import Draft, present
from dialog.errands import FindTimes, PlaceHold, RefusedBy, TimesFound
from dialog.flows import identity, left_to_staff
from dialog.hours import wall_time
from dialog.interpreter import Asked
from dialog.offers import Offer
from dialog.state import Choice
from dialog.timewords import DayRange, TimeWish

_NO_WISH = TimeWish()
_MINUTE = timedelta(minutes=1)
_WEEK = timedelta(days=7)
_MAY_COME_FREE = {FullyBooked.code, NoResourceFree.code, PractitionerDailyMaximum.code}
_FAR = timedelta(days=14)
_HOLD_ENDED = {"not-held", "unknown-visit", "visit-closed"}


def is_held(draft: Draft, service: ServiceInfo) -> bool:
    """Get to a time the patient chose and that is held for them. True once it is."""
    flow = draft.flow
    if flow.hold is not None:
        return True
    if flow.chosen is not None:
        draft.request = PlaceHold(
            service_id=flow.chosen.service_id,
            location_id=flow.chosen.location_id,
            starts_at=flow.chosen.starts_at,
            practitioner_ids=wanted(draft, suiting(draft, service)) if service.steps else flow.chosen.practitioner_ids,
            patient_id=flow.patient_id,
            replaces_appointment_id=flow.visit.id if flow.visit else None,
            able_ids=tuple(one.id for one in suiting(draft, service)) if service.steps else (),
        )
        return False
    if flow.offers:
        _ask_to_choose(draft)
        return False
    _resolve_relative(draft)
    if _asks_about_time(draft):
        return False
    flow = draft.flow
    able = suiting(draft, service)
    draft.request = FindTimes(
        service_id=service.id,
        wanted_ids=wanted(draft, able),
        able_ids=tuple(one.id for one in able),
        location_ids=location_ids(draft),
        wish=flow.details.wish or _NO_WISH,
        not_before=flow.details.not_before,
        not_after=flow.details.not_after,
        replaces_appointment_id=flow.visit.id if flow.visit else None,
        patient_id=flow.patient_id,
        shown=flow.shown,
        has=offer_of(flow.visit) if flow.visit else None,
        own_of=flow.patient_id or identity.likely_patient(draft),
    )
    return False


def suiting(draft: Draft, service: ServiceInfo) -> tuple[PractitionerInfo, ...]:
    """Return who offers the service, or a step of it, and is not refused, the wishes for a gender or language kept where anybody meets them."""
    suiting_any = [one for step in draft.steps(service) for one in _suiting_step(draft, step)]
    return tuple(one for one in draft.able(service) if one in suiting_any)


def _suiting_step(draft: Draft, step: ServiceInfo) -> tuple[PractitionerInfo, ...]:
    details = draft.flow.details
    able = tuple(one for one in draft.able(step) if one.key not in details.refused_keys)
    if details.gender is not None:
        able = tuple(one for one in able if one.gender == details.gender) or able
    if details.language is not None:
        able = tuple(one for one in able if details.language in one.languages) or able
    return able


def wanted(draft: Draft, able: tuple[PractitionerInfo, ...]) -> tuple[str, ...]:
    """Return the ids of the people asked for; of all who are able when nobody was."""
    named = tuple(one.id for one in able if one.key in draft.flow.details.practitioner_keys)
    return named or tuple(one.id for one in able)


def location_ids(draft: Draft) -> tuple[str, ...]:
    """Return the ids of the places asked for; empty means any."""
    return tuple(one.id for one in draft.catalogue.locations if one.key in draft.flow.details.location_keys)


def take_times(draft: Draft, request: FindTimes, found: TimesFound) -> None:
    """Choose what to offer from what was found; when nothing meets the wish, say why and choose the nearest."""
    flow, catalogue = draft.flow, draft.catalogue
    chosen = offers.spread(found.fitting, request.wish, catalogue=catalogue, shown=flow.shown)
    if not chosen and flow.shown and found.fitting:
        draft.say(Say.NO_MORE_TIMES)
        draft.update_flow(shown=())
        chosen = offers.spread(found.fitting, request.wish, catalogue=catalogue)
    if not chosen:
        chosen = offers.nearest(found.nearest)
        _tell_why_not(draft, request, found, chosen)
    if not chosen:
        _nothing_at_all(draft, request)
        return
    draft.update_flow(offers=_named(chosen, request), anchor=tuple(one.starts_at for one in chosen))


def take_hold_refusal(draft: Draft, refusal: RefusedBy) -> None:
    """Explain that the chosen time can't be had, and look for the nearest ones in the same turn."""
    lost = present(draft.flow.chosen)
    if left_to_staff.leave(draft, refusal):
        return
    forget_choice(draft)
    if refusal.is_lost:
        draft.say(Say.SLOT_GONE, starts_at=lost.starts_at.isoformat(), location=lost.location_id)
        _look_near(draft, lost)
        return
    draft.say(Say.REFUSED, code=refusal.code, **refusal.fields)
    draft.update_details(wish=None, not_before=None, not_after=None)


def holds_again(draft: Draft, refusal: RefusedBy) -> bool:
    """Take a Hold that ran out as no obstacle: the time is held anew if it is still free. Say whether that is being tried."""
    hold = present(draft.flow.hold)
    draft.update_flow(chosen=offer_of(hold))
    if refusal.code not in _HOLD_ENDED:
        return False
    draft.update_flow(hold=None)
    return True


def forget_choice(draft: Draft) -> None:
    """Drop offers, choice and Hold: they no longer fit what is wanted. The Hold itself is replaced by the next, or released."""
    draft.update_flow(offers=(), chosen=None, offered_beside=(), hold=None, agreed=False)


def choices_beside(draft: Draft) -> tuple[Choice, ...]:
    """Return the list that the time read back was chosen from: they may want another of it after all ("no, the second one")."""
    beside = draft.flow.offered_beside
    return tuple(Choice(one.starts_at.isoformat(), one) for one in beside) if draft.flow.chosen in beside else ()


def show_others(draft: Draft) -> None:
    """Take the offers made as refused, and look for others."""
    flow = draft.flow
    refused = [one.starts_at for one in flow.offers] or ([flow.chosen.starts_at] if flow.chosen else [])
    shown = tuple({*flow.shown, *refused})
    forget_choice(draft)
    draft.update_flow(shown=shown)


def leave_out_who_was_offered(draft: Draft) -> None:
    """Look for somebody else than whom they wished for, or than the one person of all that was offered, as long as anybody is left."""
    details, flow = draft.flow.details, draft.flow
    offered = {one.practitioner_ids for one in flow.offers} or (
        {flow.chosen.practitioner_ids} if flow.chosen else set()
    )
    ids = set(offered.pop()) if len(offered) == 1 else set()
    named = details.practitioner_keys or tuple(one.key for one in draft.catalogue.practitioners if {one.id} == ids)
    refused = (*details.refused_keys, *(key for key in named if key not in details.refused_keys))
    is_left = any(
        person.key not in refused for key in details.service_keys for person in draft.able(draft.service(key))
    )
    if not is_left:
        _tell_who_does_it(draft)
    draft.update_details(practitioner_keys=(), refused_keys=refused if is_left else details.refused_keys)


def _tell_who_does_it(draft: Draft) -> None:
    for service in (draft.service(key) for key in draft.flow.details.service_keys[:1]):
        draft.say(Say.WHO_OFFERS, service=service.id, practitioners=[one.id for one in draft.able(service)])


def _look_near(draft: Draft, lost: Offer) -> None:
    """Make the lost time the wish, so that the search names what lies nearest to it."""
    wall = lost.starts_at.astimezone(draft.catalogue.location(lost.location_id).zone)
    wish = draft.flow.details.wish or _NO_WISH
    keys = tuple(draft.catalogue.practitioner(one).key for one in lost.practitioner_ids)
    draft.update_details(
        wish=replace(
            wish,
            days=offers.one_day(wall.date()),
            weekdays=frozenset(),
            at_minute=wall.hour * 60 + wall.minute,
            at_alternatives=(),
            order=None,
        ),
        not_before=None,
        not_after=None,
        practitioner_keys=draft.flow.details.practitioner_keys or (keys if len(keys) == 1 else ()),
    )
    draft.update_flow(lost_at=lost.starts_at)


def _resolve_relative(draft: Draft) -> None:
    """Turn "later", "another day", "the same time" into wall times, from what was offered last or the visit that is moved."""
    flow = draft.flow
    wish = flow.details.wish
    if wish is None or wish.relative is None:
        return
    walls = _anchor_walls(draft)
    rest = replace(wish, relative=None, shift_days=0)
    if wish.shift_days:
        start = min(walls, default=draft.setting.local_now) + timedelta(days=wish.shift_days)
        moved = _shifted(rest, start, days=wish.shift_days, is_moved=flow.visit is not None)
        draft.update_details(wish=moved)
        return
    if walls:
        _relate(draft, wish, rest, walls)
        return
    draft.update_details(wish=replace(rest, order="earliest" if wish.relative == "earlier" else rest.order))


def _relate(draft: Draft, wish: TimeWish, rest: TimeWish, walls: list[datetime]) -> None:
    flow = draft.flow
    first, last = min(walls), max(walls)
    any_time = replace(rest, clocks=(), at_minute=None, at_alternatives=())
    match wish.relative:
        case "earlier":
            draft.update_details(wish=any_time, not_after=first - _MINUTE, not_before=None)
        case "later":
            draft.update_details(wish=any_time, not_before=last + _MINUTE, not_after=None)
        case "same_day":
            draft.update_details(wish=replace(rest, days=offers.one_day(first.date()), weekdays=frozenset()))
        case "same_week":
            draft.update_details(wish=_in_the_week_of(rest, first, not_then=flow.visit is not None))
        case "other_day":
            refused = tuple(day for wall in walls for day in offers.one_day(wall.date()))
            draft.update_details(wish=replace(rest, days=(), weekdays=frozenset(), not_days=(*rest.not_days, *refused)))
        case "same_time":
            same = _same_time(draft, walls)
            draft.update_details(wish=replace(rest, clocks=(), at_minute=same.hour * 60 + same.minute))


def _same_time(draft: Draft, walls: list[datetime]) -> datetime:
    """Return what "the same time" is that of: the time offered last, or the visit that is moved where several were offered."""
    visit = draft.flow.visit
    if visit is not None and len({wall.time() for wall in walls}) > 1:
        return wall_time(visit.starts_at, draft.catalogue.location(visit.location_id))
    return min(walls)


def _in_the_week_of(rest: TimeWish, wall: datetime, *, not_then: bool) -> TimeWish:
    """Wish for the week of `wall`, Monday to Sunday; `not_then`: on another day of it."""
    monday = wall.date() - timedelta(days=wall.weekday())
    own = offers.one_day(wall.date()) if not_then else ()
    week = (DayRange(monday, monday + _WEEK),)
    return replace(rest, days=week, weekdays=frozenset(), not_days=(*rest.not_days, *own))


def _shifted(rest: TimeWish, wall: datetime, *, days: int, is_moved: bool) -> TimeWish:
    """Wish for the day of `wall`, `days` later: for a visit that is moved at its time of day, unless they said another; else at any, after weeks on any day of the week."""
    if not is_moved:
        monday = wall.date() - timedelta(days=wall.weekday())
        is_in_weeks = days % _WEEK.days == 0
        whole = (DayRange(monday, monday + _WEEK),) if is_in_weeks else offers.one_day(wall.date())
        return replace(rest, days=whole, weekdays=frozenset())
    is_timed = rest.clocks or rest.at_minute is not None
    at_minute = rest.at_minute if is_timed else wall.hour * 60 + wall.minute
    return replace(rest, days=offers.one_day(wall.date()), weekdays=frozenset(), at_minute=at_minute)


def leaves_day(draft: Draft, wish: TimeWish) -> bool:
    """Say whether "the same time" was offered on another day than they had wished for, so that it is the time that counts now."""
    wanted = draft.flow.details.wish
    if wish.relative != "same_time" or wish.days or wish.weekdays or wanted is None or draft.flow.visit is not None:
        return False
    return not any(wall.date() in one for wall in _anchor_walls(draft) for one in wanted.days)


def _anchor_walls(draft: Draft) -> list[datetime]:
    flow = draft.flow
    if flow.visit is not None and not flow.anchor:
        return [wall_time(flow.visit.starts_at, draft.catalogue.location(flow.visit.location_id))]
    return [one.astimezone(draft.catalogue.zone).replace(tzinfo=None) for one in flow.anchor]


def _asks_about_time(draft: Draft) -> bool:
    details = draft.flow.details
    if details.time_unclear:
        phrase = details.time_unclear
        draft.update_details(time_unclear=None)
        draft.ask(Say.TIME_UNCLEAR, Asked.WHEN, phrase=phrase)
        return True
    if details.time_past:
        draft.update_details(time_past=False)
        draft.ask(Say.TIME_PAST, Asked.WHEN)
        return True
    wish = details.wish or _NO_WISH
    if offers.refuses_its_days(wish):
        # Whether such a day is free is not what they want to know.
        draft.update_details(wish=replace(wish, days=(), weekdays=frozenset()))
        draft.ask(Say.ASK_WHEN, Asked.WHEN)
        return True
    return False


def _tell_why_not(draft: Draft, request: FindTimes, found: TimesFound, chosen: tuple[Offer, ...]) -> None:
    """Say which of the wishes can't be met and who could help; not again to somebody who only wants others than the nearest."""
    if draft.flow.lost_at is not None:
        draft.update_flow(lost_at=None)  # that it is gone was said already
        return
    if draft.flow.shown and found.nearest:
        return
    wish = request.wish
    details = draft.flow.details
    is_only_one = len(request.wanted_ids) == 1 and bool(details.practitioner_keys or details.refused_keys)
    day = offers.single_day(wish)
    for reason in found.reasons:
        draft.say(
            Say.WHY_NOT,
            **reason.fields,
            code=reason.code,
            service=request.service_id,
            practitioner=request.wanted_ids[0] if is_only_one else None,
            leaves_out=bool(details.refused_keys) and not is_only_one,
            locations=list(request.location_ids),
            day=day.isoformat() if day else None,
            minute=wish.at_minute,
            is_dated=wish != _NO_WISH,
            is_timed=bool(wish.clocks or request.not_before or request.not_after),
        )
    if any(one.changes == (Change.NOTICE,) for one in found.nearest):
        draft.say(Say.STAFF_MAY)
    if _is_worth_waiting(draft, request, found, chosen):
        draft.say(Say.WAITLIST_HINT)


def _is_worth_waiting(draft: Draft, request: FindTimes, found: TimesFound, chosen: tuple[Offer, ...]) -> bool:
    """Say whether something may come free before the nearest that is left, which is weeks away."""
    service = draft.catalogue.service(request.service_id)
    if service.steps or service.group or not any(one.code in _MAY_COME_FREE for one in found.reasons):
        return False
    wished = min((one.first for one in request.wish.days), default=draft.setting.local_now.date())
    first = datetime.combine(wished, time(), draft.catalogue.zone)
    return all(abs(one.starts_at - first) > _FAR for one in chosen)


def _nothing_at_all(draft: Draft, request: FindTimes) -> None:
    if not request.shown and not offers.refuses(request.wish):
        draft.ask(Say.NOTHING_FREE, Asked.YES_NO)
        draft.update(pending_note="Wanted an appointment; nothing was free.")
        return
    draft.ask(Say.ASK_WHEN, Asked.WHEN)


def _named(chosen: tuple[Offer, ...], request: FindTimes) -> tuple[Offer, ...]:
    """Keep only wanted people in an offer, so that whoever is chosen at the Hold is one of them."""
    result = []
    for offer in chosen:
        people = tuple(one for one in offer.practitioner_ids if one in request.wanted_ids)
        result.append(replace(offer, practitioner_ids=people or offer.practitioner_ids))
    return tuple(result)


def _ask_to_choose(draft: Draft) -> None:
    flow = draft.flow
    choices = tuple(Choice(one.starts_at.isoformat(), one) for one in _pointed_at(draft))
    listed = [
        {
            "starts_at": one.starts_at.isoformat(),
            "location": one.location_id,
            "practitioners": list(one.practitioner_ids),
        }
        for one in flow.offers
    ]
    service = flow.offers[0].service_id
    if len(flow.offers) == 1:
        draft.ask(
            Say.OFFER_ONE,
            Asked.YES_NO,
            choices=choices,
            offers=listed,
            service=service,
            moves=flow.visit is not None or flow.only_asks,
        )
    else:
        draft.ask(Say.OFFER, Asked.CHOICE, choices=choices, offers=listed, service=service)


def _pointed_at(draft: Draft) -> tuple[Offer, ...]:
    """Return what "the first one" is one of: the times that are offered, or, beside a single one, those of the list before it."""
    offers, listed = draft.flow.offers, draft.flow.listed
    if len(offers) > 1:
        draft.update_flow(listed=offers)
        return offers
    return listed if listed and listed[0].service_id == offers[0].service_id else offers


def offer_of(visit: BookedVisit) -> Offer:
    """Return the offer that a visit or a Hold came from."""
    return Offer(visit.service_id, visit.location_id, visit.starts_at, visit.ends_at, (visit.practitioner_id,))
