"""Time taken in other calendars blocks what is offered, and is written only where something changed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from booking.elsewhere import KEPT_FOR, clear_busy, forget_past_busy, set_busy, set_busy_of_many
from booking.guard import SlotTaken, schedule_tag
from booking.model.schedule import BusyInterval, PastBusyInterval
from booking.values import Catalogue
from kernel.interval import Interval
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

MONDAY_9 = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LEE = "schedule-lee"


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    stored = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, stored)
    return stored


def span(hours: float, length: timedelta = HOUR) -> Interval:
    start = MONDAY_9 + timedelta(hours=hours)
    return Interval(start, start + length)


def say_busy(database: Database, origin: str, spans: Sequence[Interval]) -> tuple[bool, set[str]]:
    """Return whether anything changed, and what was told to have."""
    with database.begin() as work:
        changed = set_busy(work, schedule_id=LEE, origin=origin, spans=spans, now=NOW)
        return changed, set(work.touched)


def rows(database: Database) -> list[tuple[str, str, datetime]]:
    with database.read() as session:
        found = session.scalars(select(BusyInterval).order_by(BusyInterval.origin, BusyInterval.starts_at))
        return [(row.id, row.origin, row.starts_at) for row in found]


def test_time_taken_elsewhere_is_not_booked(database: Database, catalogue: Catalogue) -> None:
    say_busy(database, "link /a", [span(0.5)])

    with pytest.raises(SlotTaken):
        book(database, catalogue, practitioner="lee", starts_at=MONDAY_9)


def test_the_same_again_touches_no_row_and_nothing_that_is_shown(database: Database, catalogue: Catalogue) -> None:
    first = say_busy(database, "link /a", [span(0), span(3)])
    before = rows(database)

    second = say_busy(database, "link /a", [span(3), span(0)])

    assert first == (True, {schedule_tag(LEE)})
    assert second == (False, set())
    assert rows(database) == before


def test_only_what_differs_is_written(database: Database, catalogue: Catalogue) -> None:
    say_busy(database, "link /a", [span(0), span(3)])
    kept = rows(database)[0]

    say_busy(database, "link /a", [span(0), span(5)])

    after = rows(database)
    assert after[0] == kept
    assert [start for _, _, start in after] == [MONDAY_9, MONDAY_9 + 5 * HOUR]


def test_origins_do_not_disturb_each_other_and_many_go_at_once(database: Database, catalogue: Catalogue) -> None:
    say_busy(database, "link /a", [span(0)])

    with database.begin() as work:
        set_busy_of_many(
            work, schedule_id=LEE, spans_by_origin={"link /b": [span(1)], "link /c": [span(2), span(2.5)]}, now=NOW
        )

    assert [(origin, start) for _, origin, start in rows(database)] == [
        ("link /a", MONDAY_9),
        ("link /b", MONDAY_9 + HOUR),
        ("link /c", MONDAY_9 + 2 * HOUR),
    ]


def test_what_is_over_is_not_kept(database: Database, catalogue: Catalogue) -> None:
    changed, _ = say_busy(database, "link /a", [Interval(NOW - 2 * HOUR, NOW)])

    assert not changed
    assert rows(database) == []


def test_all_of_a_link_goes_at_once_and_nothing_of_another(database: Database, catalogue: Catalogue) -> None:
    say_busy(database, "link_ /a", [span(0)])
    say_busy(database, "linkx /a", [span(1)])

    with database.begin() as work:
        was_any = clear_busy(work, schedule_id=LEE, origin_prefix="link_ ", now=NOW)
        again = clear_busy(work, schedule_id=LEE, origin_prefix="link_ ", now=NOW)
        touched = set(work.touched)

    assert (was_any, again, touched) == (True, False, {schedule_tag(LEE)})
    assert [origin for _, origin, _ in rows(database)] == ["linkx /a"]


def test_what_is_taken_no_longer_is_known_for_ninety_days(database: Database, catalogue: Catalogue) -> None:
    say_busy(database, "link /a", [span(0), span(3)])
    moved, left, kept_until = NOW + HOUR, NOW + 2 * HOUR, NOW + HOUR + KEPT_FOR

    with database.begin() as work:
        set_busy(work, schedule_id=LEE, origin="link /a", spans=[span(0), span(5)], now=moved)
    with database.begin() as work:
        clear_busy(work, schedule_id=LEE, origin_prefix="link ", now=left)

    with database.read() as session:
        history = session.scalars(select(PastBusyInterval).order_by(PastBusyInterval.starts_at)).all()
    assert [(row.starts_at, row.noted_at, row.gone_at) for row in history] == [
        (span(0).start, NOW, left),
        (span(3).start, NOW, moved),
        (span(5).start, moved, left),
    ]
    with database.begin() as work:
        forgotten = [forget_past_busy(work, now=kept_until + each * MINUTE) for each in (0, 1, 60, 61)]
    assert forgotten == [0, 1, 0, 2]
