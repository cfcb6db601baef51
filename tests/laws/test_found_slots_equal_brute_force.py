"""What a search finds in a real database is what the walk finds: visits, Holds, busy time, notice, advance and full days.

Of the rows in the diary count those that are live and have not run out, without the conversation's own Hold and the visit
that is to be moved. Notice, advance and daily maximum are those of the Location of the Slot; a Practitioner's visits are
counted wherever they are, by the local day of that Location.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from booking.model.appointment import Allocation, Appointment
from booking.model.schedule import BusyInterval
from booking.queries import find_slots
from booking.values import (
    AppointmentStatus,
    BookingRules,
    Catalogue,
    ClinicId,
    LocationInfo,
    ResourceInfo,
    Slot,
    Source,
)
from kernel.work import Database, UnitOfWork
from tests.laws import oracle
from tests.laws.clinics import SCHEDULES, ZONES, Case, cases
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import a_practitioner, a_service
from tests.support.databases import SECRET

pytestmark = pytest.mark.integration

CASES_A_ZONE = 60
OURS, THEIRS, MOVED = "conversation-ours", "conversation-theirs", "appointment-moved"
KINDS = ("booked", "booked", "held", "lapsed", "ours", "moved", "cancelled", "busy")
S = AppointmentStatus


@dataclass(frozen=True)
class Row:
    """Something in a diary: a visit of one of `KINDS`, or busy time of a calendar."""

    kind: str
    schedule_id: str
    start: int
    end: int

    @property
    def counts(self) -> bool:
        return self.kind in {"booked", "held", "busy"}

    @property
    def practitioner_id(self) -> str:
        """Whose visit it is: of a room's, the first one's."""
        return f"practitioner-{self.schedule_id[-1]}" if self.schedule_id.startswith("diary") else "practitioner-0"


@dataclass(frozen=True)
class Search:
    case: Case
    rows: tuple[Row, ...]
    now: datetime


@st.composite
def _rules(draw: st.DrawFn, rules: BookingRules) -> BookingRules:
    return replace(
        rules,
        minimum_notice=timedelta(minutes=draw(st.sampled_from((0, 0, 120, 300)))),
        maximum_advance=timedelta(days=draw(st.sampled_from((2, 3, 90)))),
        max_per_practitioner_per_day=draw(st.sampled_from((None, None, None, 1, 2))),
    )


@st.composite
def searches(draw: st.DrawFn, *, zone_key: str) -> Search:
    """A case of the pure law with its busy time as rows; journeys apart, which that law is about."""
    case = draw(cases(zone_key=zone_key))
    locations = tuple(
        replace(one, place=None, rules=None if one.rules is None else draw(_rules(one.rules)))
        for one in case.catalogue.locations
    )
    rules = draw(_rules(case.catalogue.rules))
    catalogue = replace(case.catalogue, rules=rules, locations=locations, _by_id={})
    rows: list[Row] = []
    for schedule_id, spans in case.taken.items():
        for start, end, _ in spans:
            kind = draw(st.sampled_from(KINDS))
            is_met = any(
                one.schedule_id == schedule_id
                and one.kind not in {"busy", "cancelled"}
                and one.start < end
                and start < one.end
                for one in rows
            )
            # The database refuses two live ones that overlap; and one visit is moved, not several.
            is_one_too_many = is_met or (kind == "moved" and any(one.kind == "moved" for one in rows))
            rows.append(Row("busy" if is_one_too_many else kind, schedule_id, start, end))
    now = case.query.span.start - timedelta(hours=draw(st.sampled_from((-3, 1, 1, 12, 40))))
    query = replace(case.query, place=None)
    return Search(Case(catalogue, query, {}), tuple(rows), now)


def expected(search: Search) -> list[Slot]:
    taken: dict[str, list[oracle.Taken]] = {}
    for row in search.rows:
        if row.counts:
            taken.setdefault(row.schedule_id, []).append((row.start, row.end, None))
    catalogue = search.case.catalogue
    return [
        slot
        for slot in oracle.slots(catalogue, search.case.query, taken)
        if _is_allowed(slot, catalogue.rules_at(slot.location_id), catalogue.location(slot.location_id).zone, search)
    ]


def _is_allowed(slot: Slot, rules: BookingRules, zone: ZoneInfo, search: Search) -> bool:
    if not search.now + rules.minimum_notice <= slot.starts_at <= search.now + rules.maximum_advance:
        return False
    that_day = [
        row
        for row in search.rows
        if row.counts
        and row.kind != "busy"
        and row.practitioner_id == slot.practitioner_id
        and datetime.fromtimestamp(row.start, zone).date() == slot.starts_at.astimezone(zone).date()
    ]
    return rules.max_per_practitioner_per_day is None or len(that_day) < rules.max_per_practitioner_per_day


def _catalogue_with_all_ids() -> Catalogue:
    """Give the rows that random clinics' ids refer to; what they are like is in the catalogue of each case."""
    zone = ZoneInfo("UTC")
    return Catalogue(
        clinic_id=ClinicId("clinic"),
        key="clinic",
        version=1,
        name="Clinic",
        country="US",
        zone=zone,
        languages=("en",),
        phone=None,
        transfer_to=None,
        rules=BookingRules(),
        locations=tuple(LocationInfo(f"location-{key}", key, key, key, zone, None, None, (), ()) for key in ("a", "b")),
        services=(a_service("visit", "Visit"),),
        practitioners=tuple(
            replace(
                a_practitioner(str(n), "P", services=("visit",), skills=(), hours={}, gender="other"),
                schedule_id=SCHEDULES[n],
            )
            for n in range(3)
        ),
        resources=tuple(ResourceInfo(f"thing-{seat}", seat, "room", "location-a", seat) for seat in SCHEDULES[3:]),
    )


def _write(work: UnitOfWork, search: Search) -> None:
    for table in (Allocation, Appointment, BusyInterval):
        work.session.execute(delete(table))
    times = [(_instant(row.start), _instant(row.end)) for row in search.rows]
    for number, (row, (starts_at, ends_at)) in enumerate(zip(search.rows, times, strict=True)):
        if row.kind == "busy":
            values = {"schedule_id": row.schedule_id, "starts_at": starts_at, "ends_at": ends_at, "origin": "link"}
            work.session.execute(insert(BusyInterval).values(**values))
            continue
        appointment_id = MOVED if row.kind == "moved" else f"appointment-{number}"
        work.session.execute(
            insert(Appointment).values(
                id=appointment_id,
                clinic_id="clinic",
                uid=appointment_id,
                service_id="service-visit",
                practitioner_id=row.practitioner_id,
                location_id="location-a",
                starts_at=starts_at,
                ends_at=ends_at,
                source=Source.PHONE,
                created_at=search.now,
                changed_at=search.now,
                **_state(row.kind, search.now),
            )
        )
        work.session.execute(
            insert(Allocation).values(
                appointment_id=appointment_id,
                schedule_id=row.schedule_id,
                starts_at=starts_at,
                ends_at=ends_at,
                live=row.kind != "cancelled",
            )
        )


def _state(kind: str, now: datetime) -> dict[str, Any]:
    if kind in {"booked", "moved"}:
        return {"status": S.BOOKED}
    if kind == "cancelled":
        return {"status": S.CANCELLED}
    expires_at = now if kind == "lapsed" else now + timedelta(seconds=1)
    conversation_id = OURS if kind == "ours" else THEIRS
    return {"status": S.PENDING, "hold_expires_at": expires_at, "conversation_id": conversation_id}


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _is_moving(rows: Sequence[Row]) -> bool:
    return any(row.kind == "moved" for row in rows)


@pytest.mark.parametrize("zone_key", ZONES)
def test_slots_in_a_real_diary_are_those_that_a_walk_over_every_minute_finds(sqlite_url: str, zone_key: str):
    database = Database(sqlite_url, secret=SECRET)
    with database.begin() as work:
        store_catalogue(work, _catalogue_with_all_ids())

    @settings(max_examples=CASES_A_ZONE, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
    @given(search=searches(zone_key=zone_key))
    def law(search: Search) -> None:
        with database.begin() as work:
            _write(work, search)

        with database.read() as session:
            found = find_slots(
                session,
                search.case.catalogue,
                query=search.case.query,
                now=search.now,
                conversation_id=OURS,
                replaces_appointment_id=MOVED if _is_moving(search.rows) else None,
            )

        assert found == expected(search)

    law()
    database.dispose()
