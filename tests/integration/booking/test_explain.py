"""Why not, from the diary: what is read for it finds what a look at everything that can be booked finds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event

from booking import queries
from booking.explain import Asker, Explanation, explain
from booking.nearest import Change, Relaxation, Wish, nearest
from booking.reasons import FullyBooked, PractitionerAway
from booking.rules import PatientOverlap
from booking.values import Catalogue, DateSpan, Slot, SlotQuery
from kernel.interval import Interval
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

LEE = "practitioner-lee"
DAY = timedelta(days=1)
MONDAY = Interval(datetime(2027, 3, 15, 4, tzinfo=UTC), datetime(2027, 3, 16, 4, tzinfo=UTC))
NINE = datetime(2027, 3, 15, 13, tzinfo=UTC)
AT_NINE = Interval(NINE, NINE + timedelta(minutes=1))
Ask = Callable[..., Explanation]


@pytest.fixture
def elm() -> Catalogue:
    """The clinic, while Dr. Lee is away for five weeks."""
    elm = elm_catalogue()
    away = DateSpan(date(2027, 3, 10), date(2027, 4, 15))
    people = tuple(replace(one, time_off=(away,)) if one.id == LEE else one for one in elm.practitioners)
    return replace(elm, practitioners=people, _by_id={})


@pytest.fixture
def ask(database: Database, elm: Catalogue) -> Ask:
    with database.begin() as work:
        store_catalogue(work, elm)

    def ask(span: Interval, *people: str, service: str = "cleaning", asker: Asker | None = None) -> Explanation:
        with database.read() as session:
            query = SlotQuery(f"service-{service}", span, people)
            return explain(session, elm, query=query, now=NOW, asker=asker or Asker())

    return ask


def of_everything(database: Database, elm: Catalogue, span: Interval, *people: str) -> tuple[Relaxation, ...]:
    """Return the nearest of all that could be booked if patients needed to give no notice."""
    any_time = replace(elm, rules=replace(elm.rules, minimum_notice=timedelta(0)), _by_id={})
    with database.read() as session:
        query = SlotQuery("service-cleaning", Interval(NOW - 3 * DAY, NOW + 200 * DAY))
        found = queries.find_slots(session, any_time, query=query, now=NOW)
    return nearest(elm, found, Wish((span,), people), now=NOW)


def ways(found: tuple[Relaxation, ...]) -> list[tuple[tuple[Change, ...], Slot]]:
    return [(one.changes, one.slot) for one in found]


@pytest.mark.parametrize("span", [MONDAY, AT_NINE, Interval(NOW, NOW + timedelta(minutes=30))])
@pytest.mark.parametrize("people", [(), (LEE,), ("practitioner-ben-carter",)])
def test_a_look_around_the_wish_first_misses_nothing(
    database: Database, elm: Catalogue, ask: Ask, span: Interval, people: tuple[str, ...]
) -> None:
    book(database, elm, practitioner="ben-carter", starts_at=NINE)

    told = ask(span, *people)

    everything = of_everything(database, elm, span, *people)
    assert ways(told.nearest) == ways(everything[:1] if not everything[0].changes else everything)


def test_who_is_away_for_weeks_is_told_with_their_first_day_back(ask: Ask) -> None:
    told = ask(MONDAY, LEE)

    assert [type(one) for one in told.reasons] == [PractitionerAway]
    first_day_back = {one.changes: one.slot.starts_at.date() for one in told.nearest}[Change.DAY,]
    assert first_day_back == date(2027, 4, 15)


def test_their_own_visits_are_in_the_way_but_not_the_one_that_is_to_be_moved(
    database: Database, elm: Catalogue, ask: Ask
) -> None:
    visit = book(database, elm, service="physical", practitioner="ruiz", starts_at=NINE)
    patient_id = str(visit.patient_id)

    alone = ask(AT_NINE, "practitioner-ben-carter")
    as_patient = ask(AT_NINE, "practitioner-ben-carter", asker=Asker(patient_id=patient_id))
    moving = Asker(patient_id=patient_id, replaces_appointment_id=visit.id)
    as_mover = ask(AT_NINE, "practitioner-ben-carter", asker=moving)

    assert alone.reasons == as_mover.reasons == ()
    assert [type(one) for one in as_patient.reasons] == [PatientOverlap]
    assert all(one.slot.starts_at >= visit.ends_at for one in as_patient.nearest if Change.TIME in one.changes)


def test_a_time_kept_for_them_is_theirs_to_have(database: Database, elm: Catalogue, ask: Ask) -> None:
    visit = book(database, elm, practitioner="ben-carter", starts_at=NINE)
    kept = Slot(NINE, "practitioner-ben-carter", "location-main", "service-cleaning", visit.ends_at)

    assert [type(one) for one in ask(AT_NINE, "practitioner-ben-carter").reasons] == [FullyBooked]
    assert ask(AT_NINE, "practitioner-ben-carter", asker=Asker(kept=(kept,))).reasons == ()


def test_however_long_the_wish_the_statements_are_as_many(database: Database, ask: Ask) -> None:
    def count(span: Interval) -> int:
        sent: list[str] = []

        def note(*args: object) -> None:
            sent.append(str(args[2]))

        event.listen(database.engine, "before_cursor_execute", note)
        try:
            assert ask(span, LEE).reasons
        finally:
            event.remove(database.engine, "before_cursor_execute", note)
        return len(sent)

    assert count(MONDAY) == count(Interval(MONDAY.start, MONDAY.start + 5 * DAY))
