"""Runs one Delivery: takes it with a lease, does the subscriber's step, and decides what a failure means.

One of the three places where errors are mapped. Every step may be run again after any line of it (its effects are keyed
rows or conditional writes), so a worker that dies costs the length of its lease and nothing else.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, or_, select, update

from booking.events import EVENTS, AppointmentEvent
from booking.model.appointment import Appointment
from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import TaskKind
from jobs.context import JobServices, installed
from jobs.model import Delivery, DeliveryState
from jobs.parked import subject_of_parked
from jobs.subscriptions import STEPS, Step
from kernel.errors import Malformed, Refused, Unavailable
from kernel.log import get_logger
from kernel.work import OutboxEntry, UnitOfWork

RUNS_FOR = timedelta(seconds=60)  # longer than the sum of a step's time-outs
MAX_ATTEMPTS = 10
_BUG_ATTEMPTS = 3
_FIRST_RETRY = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=10)

log = get_logger()


@dataclass(frozen=True)
class _Taken:
    """A Delivery that is ours until the lease ends."""

    delivery_id: str
    attempt: int
    subscriber: str
    event: AppointmentEvent


def run_delivery(*, delivery_id: str, **_newer: object) -> None:
    """Run a Delivery with this process's services: what the queue calls. Newer publishers may pass more than we know."""
    run_step(installed(), delivery_id=delivery_id)


def run_step(services: JobServices, *, delivery_id: str, steps: Mapping[str, Step] = STEPS) -> None:
    """Run the Delivery unless it is done or another worker is at it. Never raises for what its step does."""
    now = services.clock.now()
    taken = services.db.run(lambda work: _take(work, delivery_id, now))
    if taken is None:
        log.info("jobs.delivery.not_ours", delivery_id=delivery_id)
        return
    with structlog.contextvars.bound_contextvars(
        delivery_id=delivery_id, subscriber=taken.subscriber, event_name=taken.event.name, attempt=taken.attempt
    ):
        settle = _attempt(services, taken, steps, now)
        services.db.run(settle)


def backoff(attempt: int) -> timedelta:
    """Return how long to wait after the given failed attempt (1 is the first), without the jitter."""
    return min(_FIRST_RETRY * (1 << (attempt - 1)), _LONGEST_WAIT)


def _attempt(
    services: JobServices, taken: _Taken, steps: Mapping[str, Step], now: datetime
) -> Callable[[UnitOfWork], None]:
    """Do the step and return what the database is to remember of it."""
    try:
        steps[taken.subscriber](services, taken.event, now)
    except Refused as refusal:
        # The rules say that there is nothing to do (opted out, cancelled since): that is an end, not a failure.
        code = refusal.code
        log.info("jobs.delivery.refused", code=code)
        return lambda work: _finish(work, taken, now, error=code)
    except Unavailable as failure:
        wait = max(failure.retry_after, backoff(taken.attempt))
        log.warning("jobs.delivery.unavailable")
        return lambda work: _retry_or_park(work, taken, now, wait=wait, error="unavailable", attempts=MAX_ATTEMPTS)
    except Malformed:
        log.warning("jobs.delivery.malformed")  # the error is the task that staff get
        return lambda work: _park(work, taken, now, error="malformed")
    except Exception as bug:
        log.exception("jobs.delivery.bug")
        error, wait = type(bug).__name__, backoff(taken.attempt)
        return lambda work: _retry_or_park(work, taken, now, wait=wait, error=error, attempts=_BUG_ATTEMPTS)
    log.info("jobs.delivery.done")
    return lambda work: _finish(work, taken, now, error=None)


def _take(work: UnitOfWork, delivery_id: str, now: datetime) -> _Taken | None:
    is_free = or_(
        Delivery.state.in_([DeliveryState.PENDING.value, DeliveryState.QUEUED.value]),
        and_(Delivery.state == DeliveryState.RUNNING.value, Delivery.lease_until <= now),
    )
    row = work.session.scalar(
        update(Delivery)
        .where(Delivery.id == delivery_id, is_free)
        .values(state=DeliveryState.RUNNING.value, lease_until=now + RUNS_FOR, attempts=Delivery.attempts + 1)
        .returning(Delivery)
    )
    if row is None:
        return None
    entry = work.session.get_one(OutboxEntry, row.entry_id)
    return _Taken(
        delivery_id=row.id,
        attempt=row.attempts,
        subscriber=row.subscriber,
        event=_event(entry),
    )


def _event(entry: OutboxEntry) -> AppointmentEvent:
    event = EVENTS[entry.name].from_json(entry.payload)
    if not isinstance(event, AppointmentEvent):
        raise TypeError(f"{entry.name} has subscribers, but is about no appointment")
    return event


def _still_ours(work: UnitOfWork, taken: _Taken) -> Delivery | None:
    """Return the row, or None when our lease ran out and another worker has it."""
    row = work.session.get_one(Delivery, taken.delivery_id, with_for_update=True)
    return row if row.attempts == taken.attempt and row.state == DeliveryState.RUNNING.value else None


def _finish(work: UnitOfWork, taken: _Taken, now: datetime, *, error: str | None) -> None:
    if row := _still_ours(work, taken):
        row.state, row.lease_until, row.done_at, row.error = DeliveryState.DONE.value, None, now, error


def _retry_or_park(
    work: UnitOfWork, taken: _Taken, now: datetime, *, wait: timedelta, error: str, attempts: int
) -> None:
    if taken.attempt >= attempts:
        _park(work, taken, now, error=error)
    elif row := _still_ours(work, taken):
        jitter = 1 + random.random() / 4  # noqa: S311 -- spreads retries, keeps no secret
        row.state, row.lease_until, row.error = DeliveryState.PENDING.value, None, error
        row.due_at = now + wait * jitter


def _park(work: UnitOfWork, taken: _Taken, now: datetime, *, error: str) -> None:
    row = _still_ours(work, taken)
    if row is None:
        return
    row.state, row.lease_until, row.error = DeliveryState.PARKED.value, None, error
    open_task(
        work,
        clinic_id=taken.event.clinic_id,
        kind=TaskKind.PARKED_JOB,
        says=TaskSays.PARKED,
        details={"job_code": taken.subscriber, "attempts": taken.attempt, "error_code": error},
        now=now,
        # It may be gone by now, erased with its patient.
        appointment_id=work.session.scalar(select(Appointment.id).where(Appointment.id == taken.event.appointment_id)),
        subject=subject_of_parked(taken.delivery_id),
    )
