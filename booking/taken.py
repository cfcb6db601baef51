"""What is taken: the reads that availability and rules work on. Each is one statement, whatever the span."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    Select,
    Text,
    bindparam,
    case,
    cast,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from booking import travel
from booking.availability import Busy
from booking.ledger import place_of
from booking.model.appointment import Allocation, Appointment
from booking.model.schedule import BusyInterval
from booking.spans import Span, span_of
from booking.travel import Addresses, PlacedSpan
from booking.values import BLOCKING, AppointmentStatus, Place
from kernel.db import Ready, UtcDateTime, one_of, one_of_these, table_of
from kernel.interval import Interval


def counts_at(now: datetime) -> ColumnElement[bool]:
    """Return the condition that an Appointment is one that others must respect: not a Hold that has run out."""
    return or_(Appointment.hold_expires_at.is_(None), Appointment.hold_expires_at > now)


def busy_spans(
    session: Session,
    *,
    schedule_ids: Iterable[str],
    within: Interval,
    now: datetime,
    ignoring: Sequence[str] = (),
    ignoring_hold_of: str | None = None,
    addresses: Addresses | None = None,
) -> Busy:
    """Return what is taken in each Schedule around `within`: visits with their buffers, Holds, and busy time of calendars.

    Left out: Holds that have run out, the Appointments `ignoring`, and the Hold of the conversation `ignoring_hold_of`.
    With `addresses` visits come with theirs, and those that are only a journey away come, too.
    """
    around = within if addresses is None else within.widened(before=travel.LONGEST, after=travel.LONGEST)
    given = {
        "schedule_ids": sorted(schedule_ids),
        "start": around.start,
        "end": around.end,
        "now": now,
        "ignoring": list(ignoring),
        "conversation_id": ignoring_hold_of,
    }
    leaving_out = (bool(ignoring), ignoring_hold_of is not None)
    found: dict[str, list[Span]] = defaultdict(list)
    if addresses is None:
        for schedule_id, starts, ends in _listed(*leaving_out).rows(session, given):
            found[schedule_id] += zip(starts, ends, strict=True)
    else:
        for schedule_id, start, end, *told in _placed(*leaving_out).rows(session, given):
            place = _place(addresses, *told)
            found[schedule_id].append((start, end) if place is None else PlacedSpan(start, end, place))
    for spans in found.values():
        spans.sort()
    return found


@dataclass(frozen=True)
class InTheWay:
    """What meets a time that somebody wants. `has_lapsed`: part of that time is still with Holds that ran out."""

    busy: Busy
    has_lapsed: bool


@dataclass(frozen=True)
class Sought:
    """The time of one visit, in every diary on which it may depend. Not in its way are the Appointments `ignoring`.

    `addresses`: of a clinic that has several.
    """

    schedule_ids: Collection[str]
    time: Interval
    ignoring: Sequence[str]
    addresses: Addresses | None

    def given(self) -> dict[str, Any]:
        """Return the parameters of `in_the_way_selects`."""
        around = self.time
        if self.addresses is not None:
            around = around.widened(before=travel.LONGEST, after=travel.LONGEST)
        return {
            "schedule_ids": sorted(self.schedule_ids),
            "from": around.start,
            "until": around.end,
            "not_of": list(self.ignoring),
        }

    def met_by(self, rows: Iterable[Sequence[Any]], *, now: datetime) -> InTheWay:
        """Return what the rows of `in_the_way_selects` say."""
        found: dict[str, list[Span]] = defaultdict(list)
        has_lapsed = False
        for _, schedule_id, starts_at, ends_at, _, hold_expires_at, *told in rows:
            if hold_expires_at is not None and hold_expires_at <= now:
                has_lapsed = has_lapsed or (starts_at < self.time.end and ends_at > self.time.start)
                continue
            span = span_of(starts_at, ends_at)
            place = None if self.addresses is None else _place(self.addresses, *told)
            found[schedule_id].append(span if place is None else PlacedSpan(*span, place))
        for spans in found.values():
            spans.sort()
        return InTheWay(found, has_lapsed)


def in_the_way(session: Session, sought: Sought, *, now: datetime) -> InTheWay:
    """Return what `busy_spans` returns, for the time of one visit, which hardly anything meets: every booking reads it."""
    return sought.met_by(_IN_THE_WAY.rows(session, sought.given()), now=now)


# Every search reads this: the statements are made once, in each of the few forms there are, and on tables rather than
# classes, since the mapper costs more than the statement.
_Columns = ReadOnlyColumnCollection[str, Column[Any]]
_CLAIM, _VISIT, _ELSEWHERE = (table_of(row).c for row in (Allocation, Appointment, BusyInterval))
_WHERE = (_VISIT.service_id, _VISIT.location_id, _VISIT.place)


@cache
def _listed(is_ignoring: bool, is_ignoring_hold: bool) -> Ready:  # noqa: FBT001 -- a key of the cache
    """Return the read of what is taken, a row for each diary."""
    visits, elsewhere = (
        select(row.schedule_id, *(_Listed(second) for second in _seconds_of(row)))
        .where(*_meeting(row))
        .group_by(row.schedule_id)
        for row in (_CLAIM, _ELSEWHERE)
    )
    return Ready(union_all(visits.where(_CLAIM.live, *_counting(is_ignoring, is_ignoring_hold)), elsewhere))


@cache
def _placed(is_ignoring: bool, is_ignoring_hold: bool) -> Ready:  # noqa: FBT001 -- a key of the cache
    """Return the read of what is taken, a row for each visit with what tells its address."""
    visits = (
        select(_CLAIM.schedule_id, *_seconds_of(_CLAIM), *_WHERE)
        .join(table_of(Appointment), _VISIT.id == _CLAIM.appointment_id)
        .where(_CLAIM.live, *_meeting(_CLAIM), *_counting(is_ignoring, is_ignoring_hold))
    )
    elsewhere = select(_ELSEWHERE.schedule_id, *_seconds_of(_ELSEWHERE), *(null() for _ in _WHERE)).where(
        *_meeting(_ELSEWHERE)
    )
    return Ready(union_all(visits, elsewhere))


def _counting(is_ignoring: bool, is_ignoring_hold: bool) -> Iterator[ColumnElement[bool]]:  # noqa: FBT001 -- as above
    yield _CLAIM.appointment_id.not_in(_ids_of_holds(_VISIT.hold_expires_at <= bindparam("now")))
    if is_ignoring:
        yield ~one_of(_CLAIM.appointment_id, "ignoring")
    if is_ignoring_hold:
        theirs = _ids_of_holds(_VISIT.conversation_id == bindparam("conversation_id"))
        yield _CLAIM.appointment_id.not_in(theirs)


def visit_starts(
    session: Session,
    *,
    practitioner_ids: Iterable[str],
    within: Interval,
    now: datetime,
    ignoring: Sequence[str] = (),
    ignoring_hold_of: str | None = None,
) -> list[tuple[str, datetime]]:
    """Return the Practitioner and the start of each visit that starts within `within`, for counting them by day."""
    conditions: list[ColumnElement[bool]] = [Appointment.id.not_in(ignoring)]
    if ignoring_hold_of is not None:
        conditions.append(_is_not_hold_of(ignoring_hold_of))
    rows = session.execute(
        select(Appointment.practitioner_id, Appointment.starts_at).where(
            Appointment.practitioner_id.in_(sorted(practitioner_ids)),
            Appointment.status.in_(BLOCKING),
            Appointment.starts_at >= within.start,
            Appointment.starts_at < within.end,
            counts_at(now),
            *conditions,
        )
    )
    return [(str(practitioner_id), starts_at) for practitioner_id, starts_at in rows]


def visits_of_patient(
    session: Session,
    *,
    patient_id: str,
    around: Interval,
    now: datetime,
    ignoring: Sequence[str] = (),
    ignoring_hold_of: str | None = None,
) -> tuple[Interval, ...]:
    """Return when the patient has visits that touch `around`."""
    others = [] if ignoring_hold_of is None else [_is_not_hold_of(ignoring_hold_of)]
    rows = session.execute(
        select(Appointment.starts_at, Appointment.ends_at).where(
            Appointment.patient_id == patient_id,
            Appointment.id.not_in(ignoring),
            Appointment.status.in_(BLOCKING),
            Appointment.starts_at < around.end,
            Appointment.ends_at > around.start,
            counts_at(now),
            *others,
        )
    )
    return tuple(Interval(starts_at, ends_at) for starts_at, ends_at in rows)


def _is_not_hold_of(conversation_id: str) -> ColumnElement[bool]:
    return or_(
        Appointment.hold_expires_at.is_(None),
        Appointment.conversation_id.is_(None),
        Appointment.conversation_id != conversation_id,
    )


def _ids_of_holds(condition: ColumnElement[bool]) -> Select[str]:
    # They are few, so that asking for them costs less than joining each Allocation with its Appointment.
    return select(_VISIT.id).where(
        one_of_these(_VISIT.status, [AppointmentStatus.PENDING]), _VISIT.hold_expires_at.is_not(None), condition
    )


class _FirstSecond(FunctionElement[int]):
    """The second since the epoch in which an instant lies."""

    type = BigInteger()
    inherit_cache = True


class _LastSecond(FunctionElement[int]):
    """The first second since the epoch that is not before an instant."""

    type = BigInteger()
    inherit_cache = True


@compiles(_FirstSecond, "postgresql")
def _floor_on_postgresql(element: _FirstSecond, compiler: Any, **options: Any) -> str:
    return f"CAST(floor(date_part('epoch', {compiler.process(element.clauses, **options)})) AS BIGINT)"


@compiles(_LastSecond, "postgresql")
def _ceiling_on_postgresql(element: _LastSecond, compiler: Any, **options: Any) -> str:
    return f"CAST(ceil(date_part('epoch', {compiler.process(element.clauses, **options)})) AS BIGINT)"


@compiles(_FirstSecond, "sqlite")
def _floor_on_sqlite(element: _FirstSecond, compiler: Any, **options: Any) -> str:
    return f"unixepoch({compiler.process(element.clauses, **options)})"


@compiles(_LastSecond, "sqlite")
def _ceiling_on_sqlite(element: _LastSecond, compiler: Any, **options: Any) -> str:
    # SQLite counts in milliseconds.
    return f"unixepoch({compiler.process(element.clauses, **options)}, '+0.999 seconds')"


class _Numbers(TypeDecorator[list[int]]):
    """A list of numbers: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> list[int] | None:
        numbers: list[int] | None = json.loads(value) if isinstance(value, str) else value
        return numbers


class _Listed(FunctionElement[list[int]]):
    """The numbers of a group of rows, in the order of the rows.

    A search reads the times of thousands of visits: as numbers, and a row for each diary rather than for each visit, they
    come in half the time.
    """

    type = _Numbers()
    inherit_cache = True


@compiles(_Listed, "postgresql")
def _listed_on_postgresql(element: _Listed, compiler: Any, **options: Any) -> str:
    return f"array_agg({compiler.process(element.clauses, **options)})"


@compiles(_Listed, "sqlite")
def _listed_on_sqlite(element: _Listed, compiler: Any, **options: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **options)})"


def _seconds_of(row: _Columns) -> tuple[ColumnElement[int], ColumnElement[int]]:
    return _FirstSecond(row.starts_at), _LastSecond(row.ends_at)


def _meeting(row: _Columns) -> tuple[ColumnElement[bool], ...]:
    return (
        one_of(row.schedule_id, "schedule_ids"),
        row.ends_at > bindparam("start"),
        row.starts_at < bindparam("end"),
    )


def _place(addresses: Addresses, service_id: str | None, location_id: str | None, place: str | None) -> Place | None:
    if service_id is None or location_id is None:
        return None  # busy time of a calendar
    return addresses.of_visit(service_id=service_id, location_id=location_id, place=place_of(place))


def in_the_way_selects() -> tuple[Select[*tuple[Any, ...]], ...]:
    """Return the selects of `in_the_way`, for one statement with others: each row begins with the word taken."""
    kind: ColumnElement[str] = literal_column("'taken'")
    nothing = cast(null(), Text())
    still_held = case((_VISIT.status == literal_column(f"'{AppointmentStatus.PENDING}'"), _VISIT.hold_expires_at))
    visits = (
        select(kind, _CLAIM.schedule_id, _CLAIM.starts_at, _CLAIM.ends_at, nothing, still_held, *_WHERE)
        .join(table_of(Appointment), _VISIT.id == _CLAIM.appointment_id)
        .where(_CLAIM.live, ~one_of(_CLAIM.appointment_id, "not_of"))
    )
    none_of_these = (cast(null(), UtcDateTime()), *(cast(null(), Text()) for _ in _WHERE))
    elsewhere = select(kind, _ELSEWHERE.schedule_id, _ELSEWHERE.starts_at, _ELSEWHERE.ends_at, nothing, *none_of_these)
    return tuple(
        rows.where(
            one_of(of.schedule_id, "schedule_ids"), of.ends_at > bindparam("from"), of.starts_at < bindparam("until")
        )
        for rows, of in ((visits, _CLAIM), (elsewhere, _ELSEWHERE))
    )


_IN_THE_WAY = Ready(union_all(*in_the_way_selects()))
