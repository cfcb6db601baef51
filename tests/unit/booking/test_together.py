"""Several visits at once: what is found equals what trying everything finds, on small random diaries."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations, product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from booking import availability
from booking.availability import Busy, Wanted, free_resources
from booking.several.household import Together, household_slots
from booking.several.packages import package_slots, step_queries
from booking.several.together import Piece, Rooms, placing_order
from booking.spans import Span, span_of
from booking.values import Catalogue, ResourceInfo, ServiceInfo, Slot, SlotQuery
from kernel.interval import Interval
from tests.support.clinics import a_practitioner, a_service, elm_catalogue, weekly

pytestmark = pytest.mark.unit

MINUTE = timedelta(minutes=1)
NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # a Monday in Albany
UNTIL_ELEVEN = Interval(NINE, NINE + timedelta(hours=2))
ROOMS = ("schedule-room-1", "schedule-room-2")
PEOPLE = ("ann", "bob", "cid")


def clinic(services: Sequence[ServiceInfo], able: Mapping[str, Sequence[str]]) -> Catalogue:
    """Give one Location with two rooms, and three people who give the services in `able`, from nine to one."""
    elm = elm_catalogue()
    here = dataclasses.replace(elm.locations[0], closures=())
    return dataclasses.replace(
        elm,
        locations=(here,),
        services=tuple(services),
        practitioners=tuple(
            a_practitioner(
                key,
                key.title(),
                services=tuple(able[key]),
                skills=(),
                gender="other",
                hours={"main": weekly(0, start=9, end=13)},
            )
            for key in PEOPLE
        ),
        resources=tuple(
            ResourceInfo(f"resource-{number}", f"room-{number}", "room", here.id, schedule_id)
            for number, schedule_id in enumerate(ROOMS, start=1)
        ),
        _by_id={},
    )


@st.composite
def cases(draw: st.DrawFn, most: int = 3) -> tuple[Catalogue, int, dict[str, list[Span]]]:
    """Give a clinic, how many of its services are wanted together, and what is taken."""
    count = draw(st.integers(2, most))
    services = [
        a_service(
            f"s{number}",
            f"Service {number}",
            duration=draw(st.sampled_from([15, 20, 30])) * MINUTE,
            buffer_before=draw(st.sampled_from([0, 0, 10])) * MINUTE,
            buffer_after=draw(st.sampled_from([0, 0, 5, 15])) * MINUTE,
            resources=draw(st.sampled_from([(), ("room",), ("room",), ("room", "room")])),
        )
        for number in range(count)
    ]
    keys = [service.key for service in services]
    able = {person: draw(st.lists(st.sampled_from(keys), unique=True)) for person in PEOPLE}
    busy: dict[str, list[Span]] = {}
    for schedule_id in (*ROOMS, *(f"schedule-{person}" for person in PEOPLE)):
        starts = draw(st.lists(st.integers(-2, 16), max_size=3))
        times = [NINE + 10 * start * MINUTE for start in starts]
        busy[schedule_id] = sorted(span_of(at, at + draw(st.sampled_from([10, 30, 60])) * MINUTE) for at in times)
    return clinic(services, able), count, busy


@st.composite
def packages(draw: st.DrawFn) -> tuple[Catalogue, SlotQuery, dict[str, list[Span]]]:
    found, _, busy = draw(cases())
    steps = tuple(service.id for service in found.services)
    package = a_service(
        "package",
        "Package",
        duration=sum((service.duration for service in found.services), timedelta(0)),
        steps=steps,
        step_gap=draw(st.sampled_from([0, 10, 30])) * MINUTE,
    )
    whole = dataclasses.replace(found, services=(*found.services, package), _by_id={})
    named = draw(st.sampled_from([(), (), ("practitioner-ann",), ("practitioner-ann", "practitioner-cid")]))
    return whole, SlotQuery(package.id, UNTIL_ELEVEN, named), busy


def found_alone(catalogue: Catalogue, queries: Sequence[SlotQuery], busy: Busy) -> list[list[Slot]]:
    return [availability.slots(catalogue, query=query, busy=busy) for query in queries]


# The oracle: every combination of Slots of the single visits, with every choice of rooms.


def meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def claim_of(catalogue: Catalogue, slot: Slot) -> Span:
    service = catalogue.service(slot.service_id)
    return span_of(slot.starts_at - service.buffer_before, slot.ends_at + service.buffer_after)


def have_rooms(catalogue: Catalogue, slots: Sequence[Slot], busy: Busy) -> bool:
    """Try every choice of different rooms for each visit."""
    claims = [claim_of(catalogue, slot) for slot in slots]
    needs = [len(catalogue.service(slot.service_id).resources) for slot in slots]
    for choice in product(*(permutations(ROOMS, needed) for needed in needs)):
        taken = {room: list(busy[room]) for room in ROOMS}
        fits = True
        for rooms, claim in zip(choice, claims, strict=True):
            fits = fits and not any(meet(span, claim) for room in rooms for span in taken[room])
            for room in rooms:
                taken[room].append(claim)
        if fits:
            return True
    return False


def fit(catalogue: Catalogue, slots: Sequence[Slot], busy: Busy) -> bool:
    for number, slot in enumerate(slots):
        for other in slots[:number]:
            same = slot.practitioner_id == other.practitioner_id
            if same and meet(claim_of(catalogue, slot), claim_of(catalogue, other)):
                return False
    return have_rooms(catalogue, slots, busy)


def chains_found(
    catalogue: Catalogue, found: Sequence[Sequence[Slot]], busy: Busy, wait: timedelta
) -> Iterator[tuple[Slot, ...]]:
    for chosen in product(*found):
        gaps = [after.starts_at - before.ends_at for before, after in pairwise(chosen)]
        if all(timedelta(0) <= gap <= wait for gap in gaps) and fit(catalogue, chosen, busy):
            yield chosen


def earliest(chains: Iterator[tuple[Slot, ...]]) -> dict[datetime, tuple[datetime, tuple[datetime, ...]]]:
    """Return for each start when the chain ends that ends first, and when its visits start."""
    best: dict[datetime, tuple[datetime, tuple[datetime, ...]]] = {}
    for chain in chains:
        told = (chain[-1].ends_at, tuple(slot.starts_at for slot in chain))
        best[chain[0].starts_at] = min(told, best.get(chain[0].starts_at, told))
    return best


@settings(max_examples=60)
@given(packages())
def test_packages_are_found_at_every_start_that_trying_everything_finds(case):
    catalogue, query, busy = case
    package = catalogue.service(query.service_id)
    found = found_alone(catalogue, step_queries(catalogue, query), busy)

    slots = package_slots(catalogue, query=query, found=found, busy=busy)

    expected = earliest(chains_found(catalogue, found, busy, package.step_gap))
    assert {slot.starts_at: (slot.ends_at, tuple(part.starts_at for part in slot.parts)) for slot in slots} == expected
    assert len(slots) == len(expected)
    for slot in slots:
        assert fit(catalogue, slot.parts, busy)
        assert [part.service_id for part in slot.parts] == list(package.steps)
        assert slot.practitioner_id == slot.parts[0].practitioner_id
        if query.practitioner_ids:
            assert any(part.practitioner_id in query.practitioner_ids for part in slot.parts)


@settings(max_examples=60)
@given(cases())
def test_a_household_can_come_at_once_whenever_trying_everything_says_so(case):
    catalogue, count, busy = case
    wishes = [SlotQuery(f"service-s{number}", UNTIL_ELEVEN) for number in range(count)]
    found = found_alone(catalogue, wishes, busy)

    slots = household_slots(catalogue, wishes=wishes, found=found, together=Together.PARALLEL, busy=busy)

    expected = {
        chosen[0].starts_at
        for chosen in product(*found)
        if len({slot.starts_at for slot in chosen}) == 1 and fit(catalogue, chosen, busy)
    }
    assert [slot.starts_at for slot in slots] == sorted(expected)
    for slot in slots:
        assert fit(catalogue, slot.parts, busy)
        assert [part.service_id for part in slot.parts] == [wish.service_id for wish in wishes]


@settings(max_examples=60)
@given(cases())
def test_a_household_can_come_one_by_one_whenever_trying_everything_says_so(case):
    catalogue, count, busy = case
    wishes = [SlotQuery(f"service-s{number}", UNTIL_ELEVEN) for number in range(count)]
    found = found_alone(catalogue, wishes, busy)

    slots = household_slots(catalogue, wishes=wishes, found=found, together=Together.BACK_TO_BACK, busy=busy)

    wait = 30 * MINUTE
    as_asked = earliest(chains_found(catalogue, found, busy, wait))
    instead: dict[datetime, datetime] = {}
    for order in permutations(range(count)):
        for start, (end, _) in earliest(chains_found(catalogue, [found[n] for n in order], busy, wait)).items():
            instead[start] = min(end, instead.get(start, end))
    expected = instead | {start: end for start, (end, _) in as_asked.items()}
    assert {slot.starts_at: slot.ends_at for slot in slots} == expected
    for slot in slots:
        assert fit(catalogue, slot.parts, busy)
        assert [part.service_id for part in slot.parts] == [wish.service_id for wish in wishes]


@settings(max_examples=60)
@given(cases())
def test_placing_one_visit_after_the_other_in_the_order_given_finds_a_room_for_each(case):
    catalogue, count, busy = case
    pieces = [
        Piece(Wanted(catalogue, service, catalogue.locations[0]), NINE, catalogue.practitioners)
        for service in catalogue.services[:count]
    ]
    alone = [Slot(NINE, "", "location-main", piece.wanted.service.id, piece.ends_at) for piece in pieces]
    assume(all(have_rooms(catalogue, [one], busy) for one in alone))

    order = placing_order(pieces, Rooms(busy))

    assert (order is not None) == have_rooms(catalogue, alone, busy)
    taken = {schedule_id: list(spans) for schedule_id, spans in busy.items()}
    for number in order or ():
        chosen = free_resources(pieces[number].wanted, starts_at=NINE, busy=taken)
        assert chosen is not None
        for resource in chosen:
            taken[resource.schedule_id] = sorted([*taken[resource.schedule_id], pieces[number].claim])


def test_of_several_orders_a_household_gets_the_one_it_asked_for():
    catalogue = clinic(
        [a_service("s0", "First"), a_service("s1", "Second")], {"ann": ("s0", "s1"), "bob": (), "cid": ()}
    )
    wishes = [SlotQuery("service-s1", UNTIL_ELEVEN), SlotQuery("service-s0", UNTIL_ELEVEN)]

    first = household_slots(
        catalogue, wishes=wishes, found=found_alone(catalogue, wishes, {}), together=Together.BACK_TO_BACK, busy={}
    )[0]

    assert [(part.service_id, part.starts_at - NINE) for part in first.parts] == [
        ("service-s1", timedelta(0)),
        ("service-s0", 30 * MINUTE),
    ]
    assert first.ends_at == NINE + 60 * MINUTE


def test_who_can_give_no_step_of_a_package_does_not_give_the_package():
    step = a_service("s0", "Step")
    package = a_service("package", "Package", steps=(step.id,))
    catalogue = clinic([step, package], {"ann": ("s0",), "bob": (), "cid": ()})

    [query] = step_queries(catalogue, SlotQuery(package.id, UNTIL_ELEVEN, ("practitioner-bob",)))

    assert query.practitioner_ids == ("practitioner-bob",)
    assert availability.slots(catalogue, query=query, busy={}) == []


def test_six_people_and_five_practitioners_are_too_many_without_a_long_search():
    services = [a_service(f"s{number}", f"Service {number}") for number in range(6)]
    catalogue = clinic(services, dict.fromkeys(PEOPLE, tuple(service.key for service in services)))
    span = Interval(NINE, NINE + timedelta(hours=4))
    wishes = [SlotQuery(service.id, span) for service in services]

    slots = household_slots(
        catalogue, wishes=wishes, found=found_alone(catalogue, wishes, {}), together=Together.PARALLEL, busy={}
    )

    assert slots == []
