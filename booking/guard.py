"""The one way to take time in the diary.

The database has the last word: it refuses two live Allocations of one Schedule that overlap. So nothing is asked before;
the claims are put in, and what does not go in is taken. Where a count decides (who has least to do, who has had enough for
a day), the Schedule rows are locked first, sorted, in a statement of their own: a statement sees the diary as it was when it
began, so a lock taken inside the INSERT or the check comes too late.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.exc import DBAPIError

from booking import ledger
from booking.events import HoldExpired
from booking.model.appointment import NO_OVERLAP, OVERLAP_MESSAGE, Allocation, Appointment
from booking.model.schedule import Schedule
from booking.values import AppointmentStatus
from kernel.db import NewRow, Ready, new_id, one_of, table_of
from kernel.errors import Refused, Unavailable
from kernel.interval import Interval
from kernel.work import UnitOfWork


class SlotTaken(Refused):
    """Somebody else has the time."""

    code = "slot-taken"


class ScheduleBusy(Unavailable):
    """Others were booking in the same diary for so long that we stopped waiting. Trying again helps."""

    def __init__(self) -> None:
        super().__init__("the diary is being written to", retry_after=timedelta(seconds=1))


@dataclass(frozen=True, order=True)
class Claim:
    """Time wanted in one Schedule, buffers included."""

    schedule_id: str
    time: Interval


# On tables rather than classes, and made once: the mapper, and making them anew, cost more than the statements.
_ALLOCATION, _APPOINTMENT, _SCHEDULE = table_of(Allocation), table_of(Appointment), table_of(Schedule)
_LAPSED = Ready(
    select(_APPOINTMENT.c.id)
    .join(_ALLOCATION, _ALLOCATION.c.appointment_id == _APPOINTMENT.c.id)
    .where(
        _ALLOCATION.c.live,
        one_of(_ALLOCATION.c.schedule_id, "schedule_ids"),
        _ALLOCATION.c.starts_at < bindparam("end"),
        _ALLOCATION.c.ends_at > bindparam("start"),
        _APPOINTMENT.c.status == literal_column(f"'{AppointmentStatus.PENDING}'"),
        _APPOINTMENT.c.hold_expires_at <= bindparam("now"),
    )
    .order_by(_APPOINTMENT.c.id)
    .with_for_update(key_share=True, of=_APPOINTMENT)
)
_RELEASE = Ready(
    update(_ALLOCATION)
    .where(_ALLOCATION.c.appointment_id == bindparam("of_appointment"), _ALLOCATION.c.live)
    .values(live=False)
    .returning(_ALLOCATION.c.schedule_id)
)
_IN_ORDER = select(_SCHEDULE.c.id).where(one_of(_SCHEDULE.c.id, "schedule_ids")).order_by(_SCHEDULE.c.id)
_LOCK = Ready(_IN_ORDER.with_for_update(key_share=True))
_LOCK_IF_FREE = Ready(_IN_ORDER.with_for_update(key_share=True, skip_locked=True))
# The constraint is named, or a clash of keys would be swallowed like one of times.
_CLAIM = insert_on_postgresql(_ALLOCATION).on_conflict_do_nothing(constraint=NO_OVERLAP).returning(_ALLOCATION.c.id)
_LOST_RACE = {"23P01", "40P01", "40001"}  # exclusion violated, deadlock, serialisation failure
_LOCK_NOT_AVAILABLE = "55P03"


@contextmanager
def all_or_nothing(work: UnitOfWork) -> Iterator[None]:
    """Undo what the block wrote if it raises, and nothing else of the transaction.

    A lost race with another transaction leaves it as SlotTaken, a lock that can't be had in time (`kernel.db`) as ScheduleBusy.
    """
    try:
        with work.part():
            yield
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _LOST_RACE or OVERLAP_MESSAGE in str(error.orig):
            raise SlotTaken from None
        if state == _LOCK_NOT_AVAILABLE:
            raise ScheduleBusy from None
        raise


def lock_schedules(work: UnitOfWork, *, schedule_ids: Iterable[str]) -> None:
    """Keep others who choose or count from taking time in these Schedules until the end of the transaction.

    Waits for who has them. Not a plain FOR UPDATE: that would also stop whoever claims without a lock at its foreign key,
    after its rows are in, and the two would wait for each other. On SQLite the transaction is the only writer already.
    """
    if _is_postgresql(work):
        _LOCK.rows(work.session, {"schedule_ids": sorted(schedule_ids)})


def lock_if_free(work: UnitOfWork, *, schedule_id: str) -> bool:
    """Lock the Schedule as `lock_schedules` does if nobody else has it, and say whether that went. Never waits.

    For one only: two who had some of several and then waited for the rest would wait for each other.
    """
    if not _is_postgresql(work):
        return True
    return bool(_LOCK_IF_FREE.rows(work.session, {"schedule_ids": [schedule_id]}))


def claim(work: UnitOfWork, *, appointment_id: str, claims: Sequence[Claim]) -> None:
    """Take the time of all `claims` for the Appointment. Raises SlotTaken, and then took none of it.

    Waits for a transaction that is just taking or giving back some of the time. To be called in `all_or_nothing`.
    """
    with all_or_nothing(work):
        put_in(work, appointment_id=appointment_id, claims=claims)


def put_in(work: UnitOfWork, *, appointment_id: str, claims: Sequence[Claim], after: Sequence[NewRow] = ()) -> None:
    """As `claim`, for a block of `all_or_nothing` that ends with SlotTaken: it is that which undoes what was taken by then.

    `after`: rows that are to be there before the claims, such as the Appointment's.
    """
    work.touch(*(schedule_tag(one.schedule_id) for one in claims))
    # In ascending order: transactions that take two Schedules in opposite order would wait for each other.
    rows = [
        {
            "id": new_id(),
            "appointment_id": appointment_id,
            "schedule_id": one.schedule_id,
            "starts_at": one.time.start,
            "ends_at": one.time.end,
            "live": True,
        }
        for one in sorted(claims)
    ]
    if not rows or not _is_postgresql(work):
        for row in after:
            work.session.execute(insert(row.table).inline(), row.values)
        if rows:
            # ON CONFLICT does not apply to a trigger's ABORT, which comes as an error of this statement.
            work.session.execute(insert(_ALLOCATION), rows)
        return
    taken = 0
    if after:
        together = [*after, NewRow(_ALLOCATION, rows.pop(0))]
        given = {f"{name}_{at}": value for at, row in enumerate(together) for name, value in row.values.items()}
        statement = _claiming_after(tuple((row.table, tuple(row.values)) for row in together))
        taken = len(statement.rows(work.session, given))
    if rows:
        taken += len(work.session.execute(_CLAIM, rows).all())
    if taken < len(claims):
        raise SlotTaken


@lru_cache(maxsize=64)
def _claiming_after(rows: tuple[tuple[Table, tuple[str, ...]], ...]) -> Ready:
    """Return the statement that writes rows into these columns of several tables, the last a claim: one costs less than four."""
    numbered: list[dict[str, Any]] = [
        {name: bindparam(f"{name}_{at}") for name in names} for at, (_, names) in enumerate(rows)
    ]
    statement = _CLAIM.values(numbered.pop())
    for (table, _), values in zip(rows, numbered, strict=False):
        statement = statement.add_cte(insert(table).inline().values(values).cte(f"new_{table.name}"))
    return Ready(statement)


def release(work: UnitOfWork, *, appointment_id: str) -> bool:
    """Give the Appointment's time back and say whether it had any. Takes no lock; what was taken stays readable."""
    released = _RELEASE.rows(work.session, {"of_appointment": appointment_id})
    work.touch(*(schedule_tag(schedule_id) for (schedule_id,) in released))
    return bool(released)


def discard(work: UnitOfWork, *, appointment_ids: Sequence[str]) -> None:
    """Remove the Appointments' Allocations, so that other time can be claimed for them."""
    gone = delete(Allocation).where(Allocation.appointment_id.in_(appointment_ids)).returning(Allocation.schedule_id)
    work.touch(*map(schedule_tag, work.session.execute(gone).scalars()))


def drop_expired_holds(work: UnitOfWork, *, schedule_ids: Iterable[str], within: Interval, now: datetime) -> None:
    """Give back the time of Holds that ran out and stand in the way of a claim."""
    given = {"schedule_ids": sorted(schedule_ids), "start": within.start, "end": within.end, "now": now}
    # There are next to never any: a short answer is what every booking waits for.
    for appointment_id in dict.fromkeys(str(row[0]) for row in _LAPSED.rows(work.session, given)):
        let_lapse(work, ledger.read_locked(work, appointment_id=appointment_id), now=now)


def let_lapse(work: UnitOfWork, entry: ledger.Entry, *, now: datetime) -> None:
    """Give back the time of a Hold that ran out and was read locked.

    It stays `pending`: it may still be confirmed if its time can be claimed anew.
    """
    # Whoever had the lock before us may have done it: the row was read anew, but not whether its time was live.
    if not release(work, appointment_id=entry.visit.id):
        return
    lapsed = ledger.change(work, entry, what="expired", actor="system", source=entry.visit.source, now=now, columns={})
    work.publish(ledger.told(HoldExpired, lapsed, now=now))


def schedule_tag(schedule_id: str) -> str:
    """Return the tag that is touched (`UnitOfWork.touch`) when time of a Schedule is taken or given back."""
    return f"schedule:{schedule_id}"


def _is_postgresql(work: UnitOfWork) -> bool:
    return work.session.get_bind().dialect.name == "postgresql"
