"""Times that can be had, as pages of the diary show them, and why another can't."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from booking.explain import Asker, explain
from booking.nearest import Change
from booking.queries import find_slots
from booking.rules import OVERRIDABLE
from booking.values import Catalogue, LocationInfo, PractitionerInfo, Slot, SlotQuery
from kernel.errors import Refused
from kernel.interval import Interval

MOST_A_DAY, MOST_DAYS = 16, 4
_INSTEAD = 4
# What is said better by the reasons of `explain`: who is away, what is closed, who is taken.
_BARE = {"outside-hours", "slot-taken", "not-offered"}


@dataclass(frozen=True)
class FreeTime:
    """A time that can be had. `value` is what a form sends for it; `starts_local`: in the zone of the place.

    `person`: None where it does not matter who: the best of those who are free is chosen when it is booked.
    """

    value: str
    starts_local: datetime
    person: str | None
    place: str
    is_group: bool


@dataclass(frozen=True)
class Picked:
    """A free time that a form named: when, with whom, where, and in which group."""

    starts_at: datetime
    person: PractitionerInfo | None
    place: LocationInfo
    session_id: str | None


@dataclass(frozen=True)
class WhyNot:
    """Why something was refused, what can be had instead, and whether staff may set aside what is in the way."""

    refusals: tuple[Refused, ...]
    instead: tuple[FreeTime, ...]
    may_override: bool


def free_times(
    session: Session, catalogue: Catalogue, *, query: SlotQuery, now: datetime, replaces_id: str | None = None
) -> list[tuple[date, list[FreeTime]]]:
    """Return the first times of the first days of `query`, by local day, with a person where the query names one."""
    slots = find_slots(session, catalogue, query=query, now=now, replaces_appointment_id=replaces_id)
    by_day: dict[date, dict[datetime, FreeTime]] = {}
    for slot in slots:
        shown = shown_time(catalogue, slot, is_naming=bool(query.practitioner_ids))
        times = by_day.setdefault(shown.starts_local.date(), {})
        if len(by_day) > MOST_DAYS:
            break
        if len(times) < MOST_A_DAY:
            times.setdefault(slot.starts_at, shown)
    return [(day, list(times.values())) for day, times in list(by_day.items())[:MOST_DAYS]]


def shown_time(catalogue: Catalogue, slot: Slot, *, is_naming: bool = True) -> FreeTime:
    """Return a Slot as a page shows it, with or without its person; a group has its own."""
    place = catalogue.location(slot.location_id)
    person = catalogue.practitioner(slot.practitioner_id) if is_naming or slot.session_id else None
    written = slot.starts_at.astimezone(UTC).isoformat()
    value = "~".join((written, "" if person is None else person.key, place.key, slot.session_id or ""))
    local = slot.starts_at.astimezone(place.zone)
    return FreeTime(value, local, None if person is None else person.name, place.name, slot.session_id is not None)


def picked_time(catalogue: Catalogue, value: str) -> Picked | None:
    """Return what a form means by the `value` of a FreeTime, or None for what is none of this clinic."""
    try:
        written, person_key, place_key, session_id = value.split("~")
        starts_at = datetime.fromisoformat(written)
    except ValueError:
        return None
    person = next((one for one in catalogue.practitioners if one.key == person_key), None)
    place = next((one for one in catalogue.locations if one.key == place_key), None)
    if place is None or starts_at.tzinfo is None or (person_key and person is None):
        return None
    return Picked(starts_at, person, place, session_id or None)


def why_not(
    session: Session,
    catalogue: Catalogue,
    *,
    refusal: Refused,
    query: SlotQuery,
    now: datetime,
    patient_id: str | None,
    replaces_id: str | None = None,
) -> WhyNot:
    """Return why the start of `query` was refused. Reads what `explain` reads."""
    told = (refusal, *refusal.also)
    asker = Asker(patient_id=patient_id, replaces_appointment_id=replaces_id)
    try:
        found = explain(session, catalogue, query=query, now=now, asker=asker)
    except Refused:
        return WhyNot(told, (), may_override=False)  # it makes no sense at all
    better = tuple(one for one in found.reasons if one.code not in {each.code for each in told})
    if better and told[0].code in _BARE:
        told = (*better, *(one for one in told if one.code not in _BARE))
    slots = [slot for one in found.nearest if Change.NOTICE not in one.changes for slot in (one.slot, *one.further)]
    return WhyNot(
        told,
        tuple(shown_time(catalogue, slot) for slot in _first_of_each_time(slots)[:_INSTEAD]),
        may_override={one.code for one in (refusal, *refusal.also)} <= OVERRIDABLE,
    )


def exactly_at(starts_at: datetime) -> Interval:
    """Return the span of a query for a start at this very time."""
    return Interval(starts_at, starts_at + timedelta(seconds=1))


def _first_of_each_time(slots: Iterable[Slot]) -> list[Slot]:
    found: dict[datetime, Slot] = {}
    for slot in slots:
        found.setdefault(slot.starts_at, slot)
    return list(found.values())
