"""What a search finds in a real database is what the walk finds: visits at their addresses, Holds, busy time, notice, advance,
full days, and groups that meet.

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

from booking.ledger import stored_place
from booking.model.appointment import Allocation, Appointment, Participant
from booking.model.schedule import BusyInterval
from booking.queries import find_slots
from booking.values import (
    AppointmentStatus,
    BookingRules,
    Catalogue,
    ClinicId,
    GroupSize,
    LocationInfo,
    Mode,
    Place,
    ResourceInfo,
    ServiceInfo,
    Slot,
    Source,
)
from kernel.db import Base
from kernel.work import Database, UnitOfWork
from tests.laws import oracle, oracle_several
from tests.laws.clinics import SCHEDULES, ZONES, Case, cases, one_in, places
from tests.laws.oracle_several import Session
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import a_practitioner, a_service

pytestmark = pytest.mark.integration

CASES_A_ZONE = 40
OURS, THEIRS, MOVED = "conversation-ours", "conversation-theirs", "appointment-moved"
KINDS = ("booked", "booked", "booked", "booked", "held", "lapsed", "ours", "moved", "cancelled", "busy")
SEATS = ("booked", "booked", "held", "lapsed", "ours", "cancelled")
IN_PERSON, AT_HOME, BY_VIDEO = (
    a_service(key, key, mode=mode)
    for key, mode in (("here", Mode.IN_PERSON), ("home", Mode.HOME), ("video", Mode.TELEHEALTH))
)
S = AppointmentStatus


@dataclass(frozen=True)
class Row:
    """Something in a diary: a visit of one of `KINDS`, busy time of a calendar, or a group's session with its `SEATS`."""

    kind: str
    schedule_id: str
    start: int
    end: int
    service_id: str
    location_id: str
    place: Place | None  # of a home visit
    seats: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        return self.kind in {"booked", "held", "busy", "session"}

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
def _given_otherwise(draw: st.DrawFn, service: ServiceInfo) -> ServiceInfo:
    """Make of some single services home visits, so that there are enough journeys, and of some groups."""
    how = "as it is" if service.steps else draw(st.sampled_from(("as it is", "home", "group")))
    if how == "home":
        return replace(service, mode=Mode.HOME)
    if how == "as it is":
        return service
    group = GroupSize(1, draw(st.sampled_from((1, 1, 2))))
    return replace(service, group=group, longest=None, duration_step=None, needs_confirmation=draw(one_in(4)))


@st.composite
def _rows(draw: st.DrawFn, *, catalogue: Catalogue, case: Case) -> tuple[Row, ...]:
    """What is taken in the case as rows; of a group there are sessions, too."""
    asked, *_ = catalogue.services
    ids = {one.id for one in catalogue.services}
    visits = st.sampled_from([one.id for one in (IN_PERSON, AT_HOME, AT_HOME, AT_HOME, BY_VIDEO) if one.id in ids])
    locations = st.sampled_from([location.id for location in catalogue.locations])
    kinds = st.sampled_from(KINDS if asked.group is None else (*KINDS, *["session"] * len(KINDS)))
    rows: list[Row] = []
    for schedule_id, spans in case.taken.items():
        for start, end, place in spans:
            row = Row(draw(kinds), schedule_id, start, end, draw(visits), draw(locations), None)
            is_met = any(
                one.schedule_id == schedule_id
                and one.kind not in {"busy", "cancelled"}
                and one.start < end
                and start < one.end
                for one in rows
            )
            # The database refuses two live ones that overlap; and one visit is moved, not several.
            if is_met or (row.kind == "moved" and any(one.kind == "moved" for one in rows)):
                row = replace(row, kind="busy")
            elif row.kind == "session":
                seats = draw(st.lists(st.sampled_from(SEATS), min_size=1, max_size=3))
                row = replace(row, service_id=asked.id, seats=tuple(seats))
            elif row.service_id == AT_HOME.id:
                row = replace(row, place=place)
            rows.append(row)
    return tuple(rows)


@st.composite
def searches(draw: st.DrawFn, *, zone_key: str) -> Search:
    """A case of the pure law with its busy time as rows, in a clinic that may have visits at several addresses."""
    case = draw(cases(zone_key=zone_key))
    locations = tuple(
        replace(one, rules=None if one.rules is None else draw(_rules(one.rules))) for one in case.catalogue.locations
    )
    rules = draw(_rules(case.catalogue.rules))
    asked = draw(_given_otherwise(case.catalogue.services[0]))
    others = (IN_PERSON,) if draw(one_in(4)) else (IN_PERSON, AT_HOME, BY_VIDEO)
    services = (asked, *case.catalogue.services[1:], *others)
    catalogue = replace(case.catalogue, rules=rules, locations=locations, services=services, _by_id={})
    query = case.query if asked.group is None else replace(case.query, duration=None)
    if asked.mode is Mode.HOME:
        query = replace(query, place=draw(places()))
    rows = draw(_rows(catalogue=catalogue, case=case))
    now = query.span.start - timedelta(hours=draw(st.sampled_from((-3, 1, 1, 12, 40))))
    return Search(Case(catalogue, query, {}), rows, now)


def expected(search: Search) -> list[Slot]:
    catalogue = search.case.catalogue
    taken: dict[str, list[oracle.Taken]] = {}
    sessions = []
    for number, row in enumerate(search.rows):
        if row.counts:
            taken.setdefault(row.schedule_id, []).append((row.start, row.end, _address(catalogue, row)))
        rules = catalogue.rules_at(row.location_id)
        if row.kind == "session" and _is_in_reach(_instant(row.start), rules, search.now):
            seats = sum(seat in {"booked", "held"} for seat in row.seats)
            where = (row.practitioner_id, row.location_id)
            sessions.append(Session(f"appointment-{number}", *where, row.start, row.end, seats))
    return oracle_several.slots(
        catalogue, search.case.query, taken, sessions, may_be=lambda slot: _is_allowed(slot, search)
    )


def _address(catalogue: Catalogue, row: Row) -> Place | None:
    """Return where the practitioner has to be for what is in the diary."""
    if row.kind == "busy":
        return None
    match catalogue.service(row.service_id).mode:
        case Mode.HOME:
            return row.place
        case Mode.TELEHEALTH:
            return None
        case Mode.IN_PERSON:
            return catalogue.location(row.location_id).place


def _is_in_reach(starts_at: datetime, rules: BookingRules, now: datetime) -> bool:
    return now + rules.minimum_notice <= starts_at <= now + rules.maximum_advance


def _is_allowed(slot: Slot, search: Search) -> bool:
    catalogue = search.case.catalogue
    rules, zone = catalogue.rules_at(slot.location_id), catalogue.location(slot.location_id).zone
    if not _is_in_reach(slot.starts_at, rules, search.now):
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
        services=(a_service("visit", "Visit"), IN_PERSON, AT_HOME, BY_VIDEO),
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
    tables: tuple[type[Base], ...] = (Appointment, Allocation, Participant, BusyInterval)
    for table in reversed(tables):
        work.session.execute(delete(table))
    written: dict[type[Base], list[dict[str, Any]]] = {table: [] for table in tables}
    for number, row in enumerate(search.rows):
        times = {"starts_at": _instant(row.start), "ends_at": _instant(row.end)}
        if row.kind == "busy":
            written[BusyInterval].append({"schedule_id": row.schedule_id, "origin": "link", **times})
            continue
        appointment_id = MOVED if row.kind == "moved" else f"appointment-{number}"
        since = {"created_at": search.now, "changed_at": search.now}
        visit = {
            "id": appointment_id,
            "clinic_id": "clinic",
            "uid": appointment_id,
            "service_id": row.service_id,
            "practitioner_id": row.practitioner_id,
            "location_id": row.location_id,
            "place": stored_place(row.place),
            "source": Source.PHONE,
        }
        written[Appointment].append(visit | times | since | _state(row.kind, search.now))
        time_taken = {"appointment_id": appointment_id, "schedule_id": row.schedule_id, "live": row.kind != "cancelled"}
        written[Allocation].append(time_taken | times)
        written[Participant] += [
            {"appointment_id": appointment_id, "source": Source.PHONE} | since | _state(seat, search.now)
            for seat in row.seats
        ]
    for table, rows in written.items():
        if rows:
            work.session.execute(insert(table), rows)


def _state(kind: str, now: datetime) -> dict[str, Any]:
    status, expires_at, conversation_id = S.BOOKED, None, None
    if kind == "cancelled":
        status = S.CANCELLED
    elif kind in {"held", "lapsed", "ours"}:
        status, conversation_id = S.PENDING, OURS if kind == "ours" else THEIRS
        expires_at = now if kind == "lapsed" else now + timedelta(seconds=1)
    return {"status": status, "hold_expires_at": expires_at, "conversation_id": conversation_id}


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _is_moving(rows: Sequence[Row]) -> bool:
    return any(row.kind == "moved" for row in rows)


@pytest.mark.parametrize("zone_key", ZONES)
def test_slots_in_a_real_diary_are_those_that_a_walk_over_every_minute_finds(database: Database, zone_key: str):
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
