"""The tables of who reacts to what, and of how long failures wait."""

from datetime import timedelta

import pytest

from booking.events import EVENTS
from jobs.due import DUTIES, LEASE
from jobs.outbox_relay import QUEUED_FOR
from jobs.run import MAX_ATTEMPTS, RUNS_FOR, backoff
from jobs.subscriptions import STEPS, SUBSCRIBERS

pytestmark = pytest.mark.unit


def test_every_subscriber_has_a_step_and_every_event_exists() -> None:
    assert {name for names in SUBSCRIBERS.values() for name in names} <= set(STEPS)
    assert set(SUBSCRIBERS) <= set(EVENTS)


def test_no_subscriber_is_told_twice() -> None:
    assert all(len(set(names)) == len(names) for names in SUBSCRIBERS.values())


def test_waits_grow_and_end_at_ten_minutes() -> None:
    waits = [backoff(attempt) for attempt in range(1, MAX_ATTEMPTS + 1)]

    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(seconds=5), timedelta(minutes=10))


def test_an_outage_of_half_an_hour_is_outlasted() -> None:
    assert sum((backoff(attempt) for attempt in range(1, MAX_ATTEMPTS)), timedelta()) > timedelta(minutes=30)


def test_a_lease_is_longer_than_what_it_covers() -> None:
    slowest_gateway = timedelta(seconds=40)  # asking for a text and sending it

    assert slowest_gateway < RUNS_FOR < LEASE
    assert timedelta(0) < QUEUED_FOR
    assert len({duty.name for duty in DUTIES}) == len(DUTIES)
