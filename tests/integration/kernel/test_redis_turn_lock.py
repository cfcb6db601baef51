"""The turn lock of many processes."""

import threading
import time

import pytest
from redis import Redis

from kernel.errors import Unavailable
from kernel.turn_lock import RedisTurnLock
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return Redis.from_url(redis_url)


def test_turns_are_taken_in_the_order_of_arrival(redis: Redis) -> None:
    order: list[int] = []
    holds, let_go = threading.Event(), threading.Event()

    def turn(n: int) -> None:
        # Each has a lock of its own, as each process would.
        with RedisTurnLock(redis).hold("c", wait_s=10, lease_s=10):
            if n == 0:
                holds.set()
                let_go.wait(10)
            order.append(n)

    threads = []
    for n in range(4):
        threads.append(threading.Thread(target=turn, args=(n,)))
        threads[-1].start()
        holds.wait(10)
        eventually(lambda n=n: redis.llen("frontdesk:turn:c") == n + 1)
    let_go.set()
    for thread in threads:
        thread.join(10)

    assert order == [0, 1, 2, 3]


def test_an_owner_that_died_delays_the_next_by_its_lease(redis: Redis) -> None:
    lock = RedisTurnLock(redis)
    dead = lock.hold("c", wait_s=0, lease_s=0.05)
    dead.__enter__()
    began = time.monotonic()

    with lock.hold("c", wait_s=5, lease_s=5):
        waited = time.monotonic() - began

    assert waited < 4
    dead.__exit__(None, None, None)


def test_waiting_ends_with_unavailable_and_leaves_the_queue(redis: Redis) -> None:
    lock = RedisTurnLock(redis)

    with lock.hold("c", wait_s=0, lease_s=60), pytest.raises(Unavailable), lock.hold("c", wait_s=0.01, lease_s=60):
        pass

    assert redis.llen("frontdesk:turn:c") == 0
