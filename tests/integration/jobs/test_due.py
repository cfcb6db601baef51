"""Periodic duties run once per interval, by whichever worker comes first."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from booking.catalogue import CatalogueCache
from calendar_sync.adapters.memory_store import MemoryStore
from jobs.context import JobServices
from jobs.due import Duty, last_finished, run_due
from jobs.lease import LEASE
from kernel.clock import FixedClock
from kernel.errors import Unavailable
from kernel.work import Database
from sms.adapters.memory_gateway import MemoryGateway
from tests.support.visits import NOW

pytestmark = pytest.mark.integration

MINUTE = timedelta(minutes=1)


@pytest.fixture
def services(database: Database) -> JobServices:
    return JobServices(
        db=database,
        clock=FixedClock(NOW),
        catalogues=CatalogueCache(),
        sms_gateway=MemoryGateway(),
        open_calendar=lambda _access: MemoryStore(),
    )


def a_duty(run: Callable[[], object], *, name: str = "sweep") -> Duty:
    def step(_services: JobServices, _now: datetime) -> None:
        run()

    return Duty(name, MINUTE, step)


def test_a_duty_runs_at_once_and_then_once_per_interval(services: JobServices) -> None:
    ran: list[int] = []
    duties = [a_duty(lambda: ran.append(1))]

    for seconds in (0, 10, 59, 60, 61, 119, 120):
        run_due(services, now=NOW + timedelta(seconds=seconds), duties=duties)

    assert len(ran) == 3


def test_many_workers_at_the_same_moment_run_a_duty_once(services: JobServices) -> None:
    ran: list[int] = []
    duties = [a_duty(lambda: ran.append(1))]
    run_due(services, now=NOW, duties=duties)
    together = threading.Barrier(6)

    def work() -> None:
        together.wait()
        run_due(services, now=NOW + MINUTE, duties=duties)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ran) == 2


def test_many_workers_at_their_first_start_do_not_trip_over_each_other(services: JobServices) -> None:
    ran: list[int] = []
    duties = [a_duty(lambda: ran.append(1))]
    together = threading.Barrier(6)
    failures: list[BaseException] = []

    def work() -> None:
        together.wait()
        try:
            run_due(services, now=NOW, duties=duties)
        except BaseException as error:  # noqa: BLE001 -- whatever it is, the test wants to know
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(ran), failures) == (1, [])


def test_a_duty_that_fails_is_tried_at_the_next_interval_and_keeps_nobody_waiting(services: JobServices) -> None:
    ran: list[int] = []

    def fail() -> None:
        raise Unavailable("down")

    duties = [a_duty(fail, name="broken"), a_duty(lambda: ran.append(1), name="sound")]

    first = run_due(services, now=NOW, duties=duties)
    second = run_due(services, now=NOW + MINUTE, duties=duties)

    assert first == second == ["broken", "sound"]
    assert len(ran) == 2


class Killed(BaseException):
    """The process ends here."""


def test_the_duty_of_a_worker_that_died_is_run_after_its_lease(services: JobServices) -> None:
    ran: list[int] = []

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        run_due(services, now=NOW, duties=[a_duty(die)])

    too_soon = run_due(services, now=NOW + LEASE - MINUTE, duties=[a_duty(lambda: ran.append(1))])
    after = run_due(services, now=NOW + LEASE, duties=[a_duty(lambda: ran.append(1))])

    assert (too_soon, after) == ([], ["sweep"])
    assert ran == [1]


def test_a_finished_duty_is_the_sign_that_a_worker_lives(services: JobServices) -> None:
    with services.db.read() as session:
        before = last_finished(session)

    run_due(services, now=NOW, duties=[a_duty(lambda: None)])

    with services.db.read() as session:
        assert (before, last_finished(session)) == (None, NOW)
