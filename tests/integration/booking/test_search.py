"""Searches read the diary in the same few statements however much they look at, and read it right."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, insert

from booking import taken, travel
from booking.asked import ImplausibleTime, UnknownLocation, UnknownPractitioner, UnknownService
from booking.model.appointment import Allocation, Appointment
from booking.model.schedule import BusyInterval
from booking.queries import find_first_slot, find_slots, find_slots_many
from booking.rules import InvalidDuration
from booking.spans import span_of
from booking.travel import PlacedSpan
from booking.values import AppointmentStatus, BookingRules, Catalogue, Mode, Place, SlotQuery, Source
from kernel.interval import Interval
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import book

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
MONDAY_NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@contextmanager
def reads(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(*args: object) -> None:
        if str(args[2]).startswith("SELECT"):
            statements.append(str(args[2]))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def elm_with(people: int, rules: BookingRules) -> Catalogue:
    """Give the Elm Street Clinic with so many like Dr. Ruiz, by these rules."""
    elm = elm_catalogue()
    ruiz = elm.practitioner("practitioner-ruiz")
    many = tuple(
        dataclasses.replace(ruiz, id=f"practitioner-{number}", key=f"p{number}", schedule_id=f"schedule-{number}")
        for number in range(people)
    )
    return dataclasses.replace(elm, practitioners=many, rules=rules, _by_id={})


@pytest.mark.parametrize("people", [1, 10, 50])
@pytest.mark.parametrize(("maximum", "expected"), [(None, 1), (3, 2)])
def test_a_search_takes_as_many_statements_for_any_number_of_people_days_and_services(
    database: Database, people: int, maximum: int | None, expected: int
):
    catalogue = elm_with(people, BookingRules(max_per_practitioner_per_day=maximum))
    with database.begin() as work:
        store_catalogue(work, catalogue)
    services = sorted(catalogue.practitioners[0].service_ids)

    for days in (1, 14, 90):
        span = Interval(NOW, NOW + days * DAY)
        queries = [SlotQuery(service_id, span) for service_id in services]
        with database.read() as session, reads(database) as of_one:
            find_slots(session, catalogue, query=queries[0], now=NOW)
        with database.read() as session, reads(database) as of_many:
            find_slots_many(session, catalogue, queries=queries, now=NOW)
        with database.read() as session, reads(database) as of_first:
            find_first_slot(session, catalogue, query=queries[0], now=NOW)

        assert (len(of_one), len(of_many)) == (expected, expected)
        assert len(of_first) <= 4


def test_several_queries_at_once_find_what_each_finds(database: Database, catalogue: Catalogue):
    book(database, catalogue, practitioner="lee", starts_at=MONDAY_NINE)
    week = Interval(MONDAY_NINE, MONDAY_NINE + 5 * DAY)
    queries = [
        SlotQuery("service-cleaning", week),
        SlotQuery("service-flu-shot", week, location_ids=("location-riverside",)),
        SlotQuery("service-physical", Interval(NOW - 9 * DAY, NOW - 8 * DAY)),
    ]

    with database.read() as session:
        together = find_slots_many(session, catalogue, queries=queries, now=NOW)
        alone = [find_slots(session, catalogue, query=query, now=NOW) for query in queries]
        firsts = [find_first_slot(session, catalogue, query=query, now=NOW) for query in queries]

    assert together == alone
    assert firsts == [slots[0] if slots else None for slots in alone]
    assert [bool(slots) for slots in alone] == [True, True, False]


def test_the_first_slot_may_lie_weeks_ahead(database: Database, catalogue: Catalogue):
    lee = catalogue.practitioner("practitioner-lee").schedule_id
    until = NOW + 30 * DAY
    with database.begin() as work:
        _busy(work, lee, NOW, until)
    query = SlotQuery("service-cleaning", Interval(NOW, NOW + 80 * DAY), ("practitioner-lee",))

    with database.read() as session:
        first = find_first_slot(session, catalogue, query=query, now=NOW)
        slots = find_slots(session, catalogue, query=query, now=NOW)

    assert first == slots[0]
    assert first.starts_at >= until


def _busy(work, schedule_id: str, starts_at: datetime, ends_at: datetime) -> None:
    row = {"schedule_id": schedule_id, "starts_at": starts_at, "ends_at": ends_at, "origin": "calendar"}
    work.session.execute(insert(BusyInterval).values(row))


def test_time_is_read_in_whole_seconds_that_hide_nothing_of_it(database: Database, catalogue: Catalogue):
    lee = catalogue.practitioner("practitioner-lee").schedule_id
    later = MONDAY_NINE + 3 * HOUR
    part = timedelta(milliseconds=250)
    with database.begin() as work:
        _busy(work, lee, later, later + HOUR)
        _busy(work, lee, MONDAY_NINE + part, MONDAY_NINE + HOUR + part)

    with database.read() as session:
        busy = taken.busy_spans(
            session, schedule_ids=[lee], within=Interval(MONDAY_NINE - DAY, MONDAY_NINE + DAY), now=NOW
        )

    nine, _ = span_of(MONDAY_NINE, later)
    assert dict(busy) == {lee: [(nine, nine + 3601), (nine + 3 * 3600, nine + 4 * 3600)]}


def test_visits_come_with_their_addresses_where_a_clinic_has_several(database: Database):
    elm = elm_catalogue()
    main, riverside = Place(42.65, -73.75), Place(42.73, -73.69)
    places = {"location-main": main, "location-riverside": riverside}
    catalogue = dataclasses.replace(
        elm,
        locations=tuple(dataclasses.replace(one, place=places[one.id]) for one in elm.locations),
        services=tuple(
            dataclasses.replace(one, mode=Mode.HOME) if one.id == "service-physical" else one for one in elm.services
        ),
        _by_id={},
    )
    with database.begin() as work:
        store_catalogue(work, elm)
        home = Place(42.7, -73.7)
        _visit(work, catalogue, service="cleaning", practitioner="lee", place=None)
        _visit(work, catalogue, service="physical", practitioner="ruiz", place="42.7,-73.7")
        _busy(work, "schedule-lee", MONDAY_NINE + 2 * HOUR, MONDAY_NINE + 3 * HOUR)

    with database.read() as session:
        busy = taken.busy_spans(
            session,
            schedule_ids=["schedule-lee", "schedule-ruiz"],
            # A journey away from the visits, which are read all the same.
            within=Interval(MONDAY_NINE + 5 * HOUR, MONDAY_NINE + 6 * HOUR),
            now=NOW,
            addresses=travel.addresses(catalogue),
        )

    assert [getattr(one, "place", None) for one in busy["schedule-lee"]] == [main, None]
    assert [isinstance(one, PlacedSpan) and one.place for one in busy["schedule-ruiz"]] == [home]


def _visit(work, catalogue: Catalogue, *, service: str, practitioner: str, place: str | None) -> None:
    starts_at = MONDAY_NINE
    row = {
        "id": f"visit-{practitioner}",
        "clinic_id": catalogue.clinic_id,
        "uid": f"visit-{practitioner}",
        "status": AppointmentStatus.BOOKED,
        "service_id": f"service-{service}",
        "practitioner_id": f"practitioner-{practitioner}",
        "location_id": "location-main",
        "starts_at": starts_at,
        "ends_at": starts_at + HOUR,
        "source": Source.STAFF,
        "place": place,
        "created_at": NOW,
        "changed_at": NOW,
    }
    work.session.execute(insert(Appointment).values(row))
    claim = {
        "id": f"claim-{practitioner}",
        "appointment_id": row["id"],
        "schedule_id": f"schedule-{practitioner}",
        "starts_at": starts_at,
        "ends_at": starts_at + HOUR,
        "live": True,
    }
    work.session.execute(insert(Allocation).values(claim))


def test_each_location_books_ahead_by_its_own_rules(database: Database):
    elm = elm_catalogue()
    shorter = BookingRules(maximum_advance=7 * DAY, minimum_notice=DAY)
    catalogue = dataclasses.replace(
        elm,
        locations=tuple(
            dataclasses.replace(one, rules=shorter) if one.id == "location-riverside" else one for one in elm.locations
        ),
        _by_id={},
    )
    with database.begin() as work:
        store_catalogue(work, elm)
    query = SlotQuery("service-flu-shot", Interval(NOW, NOW + 90 * DAY))

    with database.read() as session:
        slots = find_slots(session, catalogue, query=query, now=NOW)

    riverside = [slot.starts_at for slot in slots if slot.location_id == "location-riverside"]
    main = [slot.starts_at for slot in slots if slot.location_id == "location-main"]
    assert NOW + DAY <= riverside[0] <= riverside[-1] <= NOW + 7 * DAY
    assert NOW + 2 * HOUR <= main[0] < NOW + DAY < NOW + 80 * DAY < main[-1]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda query: dataclasses.replace(query, service_id="service-of-others"), UnknownService),
        (lambda query: dataclasses.replace(query, location_ids=("location-of-others",)), UnknownLocation),
        (lambda query: dataclasses.replace(query, practitioner_ids=("practitioner-of-others",)), UnknownPractitioner),
        (lambda query: dataclasses.replace(query, duration=timedelta(0)), InvalidDuration),
        (lambda query: dataclasses.replace(query, duration=10 * DAY), InvalidDuration),
        (
            lambda query: dataclasses.replace(query, span=Interval(NOW + 50 * 366 * DAY, NOW + 50 * 366 * DAY + HOUR)),
            ImplausibleTime,
        ),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(
    database: Database,
    catalogue: Catalogue,
    change: Callable[[SlotQuery], SlotQuery],
    refusal: type[Exception],
):
    query = change(SlotQuery("service-cleaning", Interval(NOW, NOW + DAY)))

    with database.read() as session, pytest.raises(refusal):
        find_slots(session, catalogue, query=query, now=NOW)


def test_a_span_of_centuries_is_cut_to_what_may_be_booked(database: Database, catalogue: Catalogue):
    both = dataclasses.replace(
        catalogue.service("service-cleaning"),
        id="service-both",
        key="both",
        steps=("service-cleaning", "service-dental-exam"),
    )
    catalogue = dataclasses.replace(catalogue, services=(*catalogue.services, both), _by_id={})
    centuries = Interval(NOW, datetime.max.replace(tzinfo=UTC))
    quarter = Interval(NOW, NOW + 90 * DAY + HOUR)

    for service_id in ("service-cleaning", "service-both"):
        with database.read() as session:
            found = find_slots(session, catalogue, query=SlotQuery(service_id, centuries), now=NOW)
            expected = find_slots(session, catalogue, query=SlotQuery(service_id, quarter), now=NOW)
            first = find_first_slot(session, catalogue, query=SlotQuery(service_id, centuries), now=NOW)

        assert found == expected != []
        assert first == found[0]
