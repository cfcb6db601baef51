"""The queues that tasks wait in: which kinds, in which order, and how soon somebody should be at them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from booking.values import TaskKind


@dataclass(frozen=True)
class Queue:
    """What waits for the same kind of work. Its word is `queue.<key>`."""

    key: str
    kinds: tuple[TaskKind, ...]


QUEUES = (
    Queue("emergencies", (TaskKind.EMERGENCY,)),
    Queue("calls", (TaskKind.CALL_BACK, TaskKind.MESSAGE, TaskKind.RUNNING_LATE, TaskKind.APOLOGY, TaskKind.OPTED_OUT)),
    Queue("handovers", (TaskKind.HANDOVER,)),
    Queue("requests", (TaskKind.BOOKING_REQUEST,)),
    Queue("placeholders", (TaskKind.PLACEHOLDER,)),
    Queue("undelivered", (TaskKind.UNDELIVERED,)),
    Queue("calendars", (TaskKind.CALENDAR,)),
    Queue("parked", (TaskKind.PARKED_JOB,)),
)
BY_KEY: Mapping[str, Queue] = {queue.key: queue for queue in QUEUES}

_SOON = {
    TaskKind.EMERGENCY: timedelta(minutes=10),
    TaskKind.RUNNING_LATE: timedelta(minutes=15),
    TaskKind.HANDOVER: timedelta(hours=1),
    TaskKind.CALL_BACK: timedelta(hours=2),
    TaskKind.APOLOGY: timedelta(hours=2),
    TaskKind.MESSAGE: timedelta(hours=4),
    TaskKind.PARKED_JOB: timedelta(hours=4),
}
_IN_TIME = timedelta(days=1)


def late_after(kind: str) -> timedelta:
    """Return how long a task of this kind may wait."""
    return next((length for known, length in _SOON.items() if known == kind), _IN_TIME)


URGENT = tuple(kind for kind in TaskKind if late_after(kind) <= timedelta(hours=1))


def is_overdue(kind: str, *, created_at: datetime, now: datetime) -> bool:
    """Say whether a task has waited longer than one of its kind should."""
    return now - created_at >= late_after(kind)


def counts_by_queue(by_kind: Mapping[str, int]) -> dict[str, int]:
    """Return how many tasks wait in each queue, by its key."""
    return {queue.key: _sum(by_kind, queue.kinds) for queue in QUEUES}


def _sum(by_kind: Mapping[str, int], kinds: Iterable[str]) -> int:
    return sum(by_kind.get(kind, 0) for kind in kinds)
