"""What they had the last time: "the usual", "the same time as last time", "the doctor I saw". Looked up for nobody who has not proved who they are."""

from dataclasses import replace

from booking.values import BookedVisit
from dialog.acts import Say
from dialog.draft import Draft, present
from dialog.errands import ListVisits
from dialog.flows import identity
from dialog.hours import wall_time
from dialog.timewords import TimeWish


def is_known(draft: Draft) -> bool:
    """Look the last visit up, if they refer to it. True when nothing of it is left to find out."""
    _note_same_time(draft)
    if not draft.flow.details.refers_to_last_time:
        return True
    if identity.is_verified(draft):
        draft.request = ListVisits(present(draft.flow.patient_id), past=True)
    return False


def take_visits(draft: Draft, visits: tuple[BookedVisit, ...]) -> None:
    """Take over what they referred to from the visit that they mean, `visits` being those that were, the latest first."""
    details = draft.flow.details
    draft.update_details(same_practitioner=False, same_visit=False, same_time=False)
    last = _meant(draft, visits)
    if last is None:
        draft.say(Say.NO_EARLIER_VISIT if details.same_practitioner else Say.NO_LAST_VISIT)
        return
    if details.same_visit:
        _take_service(draft, last)
    if details.same_visit or details.same_practitioner:
        _take_person(draft, last, was_asked_for=details.same_practitioner)
    if details.same_time:
        _take_time_of_day(draft, last)


def _note_same_time(draft: Draft) -> None:
    """Take "the same time" as that of the last visit where nothing was offered yet and no visit is moved."""
    flow = draft.flow
    wish = flow.details.wish
    if wish is not None and wish.relative == "same_time" and not flow.anchor and flow.visit is None:
        draft.update_details(same_time=True, wish=replace(wish, relative=None))


def _meant(draft: Draft, visits: tuple[BookedVisit, ...]) -> BookedVisit | None:
    """Return the last visit for the service that is wanted, or with somebody who gives it, or the last of all."""
    wanted = [draft.service(key) for key in draft.flow.details.service_keys]
    of_service = [one for one in visits if one.service_id in {service.id for service in wanted}]
    able = {person.id for service in wanted for person in draft.able(service)}
    with_able = [one for one in visits if one.practitioner_id in able]
    return next(iter((*of_service, *with_able, *visits)), None)


def _take_service(draft: Draft, last: BookedVisit) -> None:
    known = {one.id: one.key for one in draft.catalogue.services}
    if last.service_id in known and not draft.flow.details.service_keys:
        draft.update_details(service_keys=(known[last.service_id],))


def _take_person(draft: Draft, last: BookedVisit, *, was_asked_for: bool) -> None:
    known = {one.id: one.key for one in draft.catalogue.practitioners}
    if last.practitioner_id in known:
        draft.update_details(practitioner_keys=(known[last.practitioner_id],))
    elif was_asked_for:
        draft.say(Say.NO_EARLIER_VISIT)


def _take_time_of_day(draft: Draft, last: BookedVisit) -> None:
    wall = wall_time(last.starts_at, draft.catalogue.location(last.location_id))
    wish = draft.flow.details.wish or TimeWish()
    at_minute = wall.hour * 60 + wall.minute
    draft.update_details(wish=replace(wish, clocks=(), at_minute=at_minute, at_alternatives=()))
