"""The turn lock of many processes."""

import threading
import time
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

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
                let_go.wait(30)
            order.append(n)

    threads = []
    for n in range(4):
        threads.append(threading.Thread(target=turn, args=(n,)))
        threads[-1].start()
        holds.wait(30)
        eventually(lambda n=n: redis.llen("frontdesk:turn:c") == n + 1)
    let_go.set()
    for thread in threads:
        thread.join(30)

    assert order == [0, 1, 2, 3]


def test_it_is_told_whether_somebody_was_before(redis: Redis) -> None:
    told = []
    holds = threading.Event()

    def wait() -> None:
        holds.wait(30)
        with RedisTurnLock(redis).hold("c", wait_s=30, lease_s=60) as at_once:
            told.append(at_once)

    thread = threading.Thread(target=wait)
    thread.start()
    with RedisTurnLock(redis).hold("c", wait_s=0, lease_s=60) as at_once:
        told.append(at_once)
        holds.set()
        eventually(lambda: redis.llen("frontdesk:turn:c") == 2)
    thread.join(30)

    assert told == [True, False]


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


def test_without_redis_a_message_is_answered_all_the_same(tmp_path: Path) -> None:
    answered = []
    nobody = Redis(unix_socket_path=str(tmp_path / "nobody"), retry=Retry(NoBackoff(), 0))

    with RedisTurnLock(nobody).hold("c", wait_s=1, lease_s=1):
        answered.append(1)

    assert answered == [1]


def test_what_fails_inside_is_not_taken_for_a_failing_redis(redis: Redis) -> None:
    with pytest.raises(RedisError), RedisTurnLock(redis).hold("c", wait_s=1, lease_s=1):
        raise RedisError

    assert redis.keys("frontdesk:turn:*") == []
