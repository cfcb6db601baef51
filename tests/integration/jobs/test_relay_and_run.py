"""From the outbox to a finished job: at least once, in order, and with one effect whatever dies on the way."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from booking.catalogue import CatalogueCache
from booking.events import AppointmentBooked, AppointmentCancelled, AppointmentEvent, AppointmentMoved
from booking.tasks import open_tasks
from booking.values import TaskKind
from calendar_sync.adapters.memory_store import MemoryStore
from jobs.context import JobServices
from jobs.model import Delivery, DeliveryState
from jobs.outbox_relay import QUEUED_FOR, relay_once
from jobs.run import MAX_ATTEMPTS, RUNS_FOR, backoff, run_step
from jobs.subscriptions import Step
from kernel.clock import FixedClock
from kernel.errors import Malformed, Refused, Unavailable
from kernel.work import Database, OutboxEntry
from sms.adapters.memory_gateway import MemoryGateway
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW

pytestmark = pytest.mark.integration

SUBSCRIBERS = {event.name: ("first",) for event in (AppointmentBooked, AppointmentMoved, AppointmentCancelled)}


class FilledQueue:
    """Remembers what was put; `is_down` makes it unreachable."""

    def __init__(self) -> None:
        self.put_in: list[str] = []
        self.is_down = False

    def put(self, *, delivery_id: str, handout: int) -> None:
        if self.is_down:
            raise Unavailable("the queue cannot be reached")
        self.put_in.append(delivery_id)

    def taken(self) -> list[str]:
        """Return what was put since the last call."""
        taken, self.put_in = self.put_in, []
        return taken


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def services(database: Database, clock: FixedClock) -> JobServices:
    with database.begin() as work:
        store_catalogue(work, elm_catalogue())
    return JobServices(
        db=database,
        clock=clock,
        catalogues=CatalogueCache(),
        sms_gateway=MemoryGateway(),
        open_calendar=lambda _access: MemoryStore(),
    )


@pytest.fixture
def queue() -> FilledQueue:
    return FilledQueue()


@pytest.fixture
def relay(services: JobServices, queue: FilledQueue, clock: FixedClock) -> Callable[..., list[str]]:
    def once(subscribers: Mapping[str, tuple[str, ...]] = SUBSCRIBERS) -> list[str]:
        relay_once(services.db, queue, subscribers=subscribers, now=clock.now())
        return queue.taken()

    return once


def publish(
    services: JobServices, kind: type[AppointmentEvent], *, appointment_id: str = "visit-1", revision: int = 1
) -> None:
    with services.db.begin() as work:
        work.publish(
            kind(
                occurred_at=NOW,
                clinic_id="clinic-elm",
                appointment_id=appointment_id,
                revision=revision,
                sequence=revision - 1,
            )
        )


def run(services: JobServices, delivery_id: str, step: Step) -> None:
    run_step(services, delivery_id=delivery_id, steps={"first": step, "second": step})


def done(_services: JobServices, _event: AppointmentEvent, _now: datetime) -> None:
    """A step that works."""


def raising(error: Exception) -> Step:
    def step(_services: JobServices, _event: AppointmentEvent, _now: datetime) -> None:
        raise error

    return step


def states(services: JobServices) -> list[str]:
    with services.db.read() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.entry_id, Delivery.subscriber)))


def test_each_subscriber_gets_the_event_once(services: JobServices, relay: Callable[..., list[str]]) -> None:
    publish(services, AppointmentBooked)

    first = relay({AppointmentBooked.name: ("first", "second")})
    again = relay({AppointmentBooked.name: ("first", "second")})

    assert len(set(first)) == 2
    assert again == []


def test_an_event_nobody_waits_for_is_done_with(services: JobServices, relay: Callable[..., list[str]]) -> None:
    publish(services, AppointmentBooked)

    assert relay({}) == []

    with services.db.read() as session:
        assert session.scalars(select(OutboxEntry.dispatched_at)).one() == NOW


def test_the_next_event_of_a_visit_waits_for_the_one_before_and_other_visits_do_not(
    services: JobServices, relay: Callable[..., list[str]]
) -> None:
    publish(services, AppointmentBooked)
    publish(services, AppointmentMoved, revision=2)
    publish(services, AppointmentBooked, appointment_id="visit-2")

    booked, other = relay()
    run(services, other, done)
    assert relay() == []
    run(services, booked, done)

    assert len(relay()) == 1


def test_a_queue_that_is_down_loses_nothing(
    services: JobServices, queue: FilledQueue, relay: Callable[..., list[str]]
) -> None:
    publish(services, AppointmentBooked)
    queue.is_down = True
    with pytest.raises(Unavailable):
        relay()

    queue.is_down = False

    assert len(relay()) == 1


def test_a_job_that_the_queue_lost_is_put_in_again(
    services: JobServices, clock: FixedClock, relay: Callable[..., list[str]]
) -> None:
    publish(services, AppointmentBooked)
    lost = relay()

    clock.advance(QUEUED_FOR)

    assert relay() == lost


def test_a_job_that_came_twice_is_done_once(services: JobServices, relay: Callable[..., list[str]]) -> None:
    publish(services, AppointmentBooked)
    [delivery] = relay()
    ran = []

    for _ in range(2):
        run(services, delivery, lambda *_: ran.append(1))

    assert ran == [1]


def test_a_job_at_work_is_not_taken_by_another_worker(services: JobServices, relay: Callable[..., list[str]]) -> None:
    publish(services, AppointmentBooked)
    [delivery] = relay()
    ran = []

    run(services, delivery, lambda *_: run(services, delivery, lambda *_: ran.append(1)))

    assert ran == []
    assert states(services) == [DeliveryState.DONE]


class Killed(BaseException):
    """The process ends here: nothing after this line runs."""


def test_the_job_of_a_worker_that_died_is_done_by_another_after_its_lease(
    services: JobServices, clock: FixedClock, relay: Callable[..., list[str]]
) -> None:
    publish(services, AppointmentBooked)
    [delivery] = relay()
    with pytest.raises(Killed):
        run(services, delivery, raising(Killed()))  # type: ignore[arg-type]  # not an Exception, as a kill is not
    clock.advance(RUNS_FOR - timedelta(seconds=1))
    assert relay() == []
    clock.advance(timedelta(seconds=1))

    [again] = relay()
    run(services, again, done)

    assert states(services) == [DeliveryState.DONE]


def test_a_worker_that_lost_its_lease_does_not_undo_what_its_successor_noted(
    services: JobServices, clock: FixedClock, relay: Callable[..., list[str]]
) -> None:
    publish(services, AppointmentBooked)
    [delivery] = relay()

    def slow(*_: object) -> None:
        clock.advance(RUNS_FOR)
        run(services, delivery, done)
        raise Unavailable("too late to matter")

    run(services, delivery, slow)

    assert states(services) == [DeliveryState.DONE]


def test_a_dependency_that_is_down_is_tried_again_later_and_later(
    services: JobServices, clock: FixedClock, relay: Callable[..., list[str]]
) -> None:
    publish(services, AppointmentBooked)
    [delivery] = relay()
    run(services, delivery, raising(Unavailable("down")))
    assert relay() == []
    clock.advance(backoff(1) * 1.25)
    [delivery] = relay()
    run(services, delivery, raising(Unavailable("down")))
    clock.advance(backoff(1))
    assert relay() == []
    clock.advance(backoff(2) * 1.25)

    assert relay() == [delivery]


def test_a_dependency_says_how_long_to_wait(
    services: JobServices, clock: FixedClock, relay: Callable[..., list[str]]
) -> None:
    publish(services, AppointmentBooked)
    [delivery] = relay()

    run(services, delivery, raising(Unavailable("too many requests", retry_after=timedelta(minutes=5))))
    clock.advance(timedelta(minutes=4))

    assert relay() == []


def test_a_job_that_fails_for_good_is_parked_with_one_task_and_holds_nobody_up(
    services: JobServices, clock: FixedClock, relay: Callable[..., list[str]]
) -> None:
    publish(services, AppointmentBooked, appointment_id="visit-1")
    publish(services, AppointmentMoved, appointment_id="visit-1", revision=2)

    for attempt in range(MAX_ATTEMPTS):
        [delivery] = relay()
        run(services, delivery, raising(Unavailable("down")))
        clock.advance(backoff(attempt + 1) * 1.25)

    assert states(services) == [DeliveryState.PARKED, DeliveryState.PENDING]
    with services.db.read() as session:
        [task] = open_tasks(session, clinic_id="clinic-elm")
    assert task.kind is TaskKind.PARKED_JOB
    assert len(relay()) == 1


@pytest.mark.parametrize("error", [Malformed("rubbish"), Refused()])
def test_what_will_not_help_by_trying_again_is_not_tried_again(
    services: JobServices, clock: FixedClock, relay: Callable[..., list[str]], error: Exception
) -> None:
    publish(services, AppointmentBooked)
    [delivery] = relay()

    run(services, delivery, raising(error))
    clock.advance(timedelta(days=1))

    assert relay() == []


def test_a_bug_is_parked_sooner_than_an_outage(
    services: JobServices, clock: FixedClock, relay: Callable[..., list[str]]
) -> None:
    publish(services, AppointmentBooked)

    for attempt in range(3):
        [delivery] = relay()
        run(services, delivery, raising(ZeroDivisionError()))
        clock.advance(backoff(attempt + 1) * 1.25)

    assert states(services) == [DeliveryState.PARKED]
