"""Messages of one conversation go one after the other, in the order they came."""

import threading
import time

import pytest

from kernel.errors import Unavailable
from kernel.turn_lock import InProcessTurnLock
from tests.support.waiting import eventually

pytestmark = pytest.mark.unit


def test_turns_are_taken_in_the_order_of_arrival() -> None:
    lock, order = InProcessTurnLock(), []
    first_holds, let_go = threading.Event(), threading.Event()

    def first() -> None:
        with lock.hold("c", wait_s=5, lease_s=5):
            first_holds.set()
            let_go.wait(30)
            order.append(0)

    def later(n: int) -> None:
        with lock.hold("c", wait_s=5, lease_s=5):
            order.append(n)

    threads = [threading.Thread(target=first)]
    threads[0].start()
    first_holds.wait(30)
    for n in (1, 2, 3):
        threads.append(threading.Thread(target=later, args=(n,)))
        threads[-1].start()
        eventually(lambda n=n: len(lock._queues["c"]) == n + 1, deadline_s=60)
    let_go.set()
    for thread in threads:
        thread.join(30)

    assert order == [0, 1, 2, 3]


def test_it_is_told_whether_somebody_was_before() -> None:
    lock, told = InProcessTurnLock(), []
    holds = threading.Event()

    def wait() -> None:
        holds.wait(30)
        with lock.hold("c", wait_s=30, lease_s=60) as at_once:
            told.append(at_once)

    thread = threading.Thread(target=wait)
    thread.start()
    with lock.hold("c", wait_s=0, lease_s=60) as at_once:
        told.append(at_once)
        holds.set()
        eventually(lambda: len(lock._queues["c"]) == 2, deadline_s=60)
    thread.join(30)

    assert told == [True, False]


def test_conversations_do_not_wait_for_each_other() -> None:
    lock = InProcessTurnLock()

    with lock.hold("one", wait_s=0, lease_s=5), lock.hold("other", wait_s=0, lease_s=5):
        pass


def test_waiting_ends_with_unavailable() -> None:
    lock = InProcessTurnLock()

    with lock.hold("c", wait_s=0, lease_s=60), pytest.raises(Unavailable), lock.hold("c", wait_s=0.01, lease_s=60):
        pass


def test_a_lease_that_ran_out_lets_the_next_one_in() -> None:
    lock = InProcessTurnLock()
    began = time.monotonic()

    with lock.hold("c", wait_s=0, lease_s=0.02), lock.hold("c", wait_s=5, lease_s=5):
        waited = time.monotonic() - began

    assert 0.01 < waited < 4


def test_a_failure_inside_gives_the_turn_back() -> None:
    lock = InProcessTurnLock()

    with pytest.raises(RuntimeError), lock.hold("c", wait_s=0, lease_s=60):
        raise RuntimeError

    with lock.hold("c", wait_s=0, lease_s=60):
        pass
