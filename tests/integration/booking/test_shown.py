"""Free times kept for showing: quick, the same as fresh ones, and never from before a committed change."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from sqlalchemy import event

from booking.guard import schedule_tag
from booking.hold import place_hold
from booking.queries import find_slots
from booking.shown import ShownSlots
from booking.values import Catalogue, Slot, SlotQuery, Source
from kernel.interval import Interval
from kernel.work import Database, Watcher

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
WEEK = SlotQuery("service-cleaning", Interval(NOW, NOW + timedelta(days=7)), ("practitioner-lee",))
TAG = schedule_tag("schedule-lee")


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


class Reads:
    """Counts the statements that look for Allocations."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        event.listen(database.engine, "before_cursor_execute", self._note)

    def _note(self, _conn: object, _cursor: object, statement: str, *_: object) -> None:
        self.count += "FROM allocation" in statement


def shown(database: Database, cache: ShownSlots, catalogue: Catalogue, *, now: datetime = NOW) -> list[Slot]:
    with database.read() as session:
        return cache.find_slots_many(session, catalogue, queries=[WEEK], now=now)[0]


def test_the_second_who_asks_costs_the_database_nothing_in_this_process_or_another(
    database: Database, catalogue: Catalogue, redis: Redis
):
    reads = Reads(database)
    first = shown(database, ShownSlots(redis), catalogue)
    once = reads.count

    same_process = ShownSlots(redis)
    assert shown(database, same_process, catalogue) == first
    assert shown(database, same_process, catalogue) == first

    assert reads.count == once
    with database.read() as session:
        assert first == find_slots(session, catalogue, query=WEEK, now=NOW)


def test_a_booking_is_seen_at_once_by_every_process(database: Database, catalogue: Catalogue, redis: Redis):
    here, there = ShownSlots(redis), ShownSlots(redis)
    before = shown(database, here, catalogue)
    assert shown(database, there, catalogue) == before

    book(database, catalogue, before[0], watcher=here)

    with database.read() as session:
        fresh = find_slots(session, catalogue, query=WEEK, now=NOW)
    assert before[0] not in fresh
    assert shown(database, here, catalogue) == fresh
    assert shown(database, there, catalogue) == fresh


def test_what_is_read_while_a_change_is_being_committed_is_not_kept(
    database: Database, catalogue: Catalogue, redis: Redis
):
    here, there = ShownSlots(redis), ShownSlots(redis)
    before = shown(database, there, catalogue)

    class LooksInBetween:
        """Another process looks after the change was announced and before it is committed."""

        def changing(self, tags: frozenset[str]) -> None:
            here.changing(tags)
            assert shown(database, there, catalogue) == before

        def changed(self, tags: frozenset[str]) -> None:
            """Die before it can be told."""

    book(database, catalogue, before[0], watcher=LooksInBetween())

    assert before[0] not in shown(database, there, catalogue)


def test_a_time_that_has_become_too_soon_is_not_shown(database: Database, catalogue: Catalogue, redis: Redis):
    cache = ShownSlots(redis)
    first = shown(database, cache, catalogue)[0]
    later = first.starts_at - catalogue.rules.minimum_notice + timedelta(seconds=30)
    shown(database, cache, catalogue, now=later - timedelta(seconds=40))

    assert first not in shown(database, cache, catalogue, now=later)


def test_without_redis_everything_is_read_afresh(database: Database, catalogue: Catalogue):
    gone = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.1)
    reads = Reads(database)

    for cache in (ShownSlots(gone), ShownSlots(None)):
        before = reads.count
        cache.changed(frozenset({TAG}))
        assert shown(database, cache, catalogue) == shown(database, cache, catalogue)
        assert reads.count == before + 2


def book(database: Database, catalogue: Catalogue, slot: Slot, *, watcher: Watcher) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    writing = Database(url, secret="s" * 32, watcher=watcher)
    with writing.begin() as work:
        place_hold(
            work,
            catalogue,
            service_id=slot.service_id,
            location_id=slot.location_id,
            starts_at=slot.starts_at,
            practitioner_ids=(slot.practitioner_id,),
            conversation_id=None,
            source=Source.WEB,
            now=NOW,
        )
    writing.dispose()
