"""The diary beside its model: each step is done in a transaction of its own, and what then stands is compared."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from sqlalchemy import select

from booking.catalogue import stored_rules
from booking.model.appointment import Allocation, Appointment, AppointmentChange, Bundle, Participant
from booking.model.clinic import Clinic
from booking.model.task import StaffTask
from booking.model.waitlist import Offer, WaitlistEntry
from booking.values import Catalogue, Offering
from booking.waiting_list.waiting import EntryStatus, OfferStatus
from kernel.db import Base
from kernel.errors import Refused
from kernel.work import Database, OutboxEntry, UnitOfWork
from tests.laws.model_diary import Claims, Entry, ModelDiary, Offered, S, Seat, Wait, minutes
from tests.races.clinic import PEOPLE as KEYS
from tests.races.clinic import at, eve
from tests.support.diary_faults import diary_faults

WRITTEN = (
    Appointment,
    Allocation,
    AppointmentChange,
    Participant,
    Bundle,
    WaitlistEntry,
    Offer,
    StaffTask,
    OutboxEntry,
)
PEOPLE = tuple(f"practitioner-{key}" for key in KEYS)
OPEN = (9, 9.25, 9.5, 10, 33, 33.25)
HOURS = st.sampled_from(OPEN)
OPEN_AT = [at(1, hour) for hour in OPEN]
SERVICES = st.sampled_from(("service-visit", "service-room-visit", "service-room-visit", "service-asked-visit"))
SOME = st.sampled_from(((), PEOPLE[:1], PEOPLE[:2], PEOPLE[1:2]))
CONVERSATIONS = st.sampled_from(("c-1", "c-2", "c-3"))
PATIENTS = st.sampled_from((0, 1, 2))
PICK = st.integers(0, 40)
STAFF = "staff:kim"


T = TypeVar("T")


def picked(some: Sequence[T], pick: int) -> T:
    return some[-1 - pick % len(some)]


class Diary(RuleBasedStateMachine):
    """What all steps need. A step says what changes in the model; nothing else may have changed in the diary."""

    def __init__(self, db: Database, catalogue: Catalogue, patient_ids: Sequence[str], ids: random.Random) -> None:
        """Make one for an empty diary. `ids`: where the product's new ids come from, so that it can be done again just so."""
        super().__init__()
        ids.seed(20270104)
        self.db, self.catalogue, self.patient_ids = db, catalogue, patient_ids
        self.model = ModelDiary(catalogue, now=eve(1))
        with db.begin() as work:
            for table in reversed(Base.metadata.sorted_tables):
                if table.name in {one.__tablename__ for one in WRITTEN}:
                    work.session.execute(table.delete())

    @initialize(waitlist=st.sampled_from(Offering), records_arrival=st.sampled_from((True, True, False)))
    def clinic_decides(self, waitlist: Offering, records_arrival: bool) -> None:
        rules = replace(self.catalogue.rules, waitlist=waitlist, records_arrival=records_arrival)
        self.catalogue = self.model.catalogue = replace(self.catalogue, rules=rules, _by_id={})
        with self.db.begin() as work:
            work.session.get_one(Clinic, self.catalogue.clinic_id).rules = stored_rules(vars(rules))

    # What must be true of it.

    @invariant()
    def the_diary_is_sound(self) -> None:
        with self.db.read() as session:
            assert diary_faults(session, self.catalogue) == []

    def _wrong_with(self, starts_at: datetime) -> frozenset[str]:
        return self.model.against_the_rules(starts_at, hours=OPEN_AT)

    def _entry(self, pick: int) -> Entry:
        """Return one of the visits, the last one for 0."""
        return picked(self.model.visits(), pick)

    def _attempt(self, may: bool, step: Callable[[UnitOfWork], Any]) -> Any:
        """Do it as a Turn does: a refusal is told, and what else the transaction wrote is kept."""
        before = self._dump()
        with self.db.begin() as work:
            try:
                found = step(work)
            except Refused as refusal:
                found, refused = None, refusal.code
            else:
                refused = ""
        assert may == (not refused), f"the model says {'yes' if may else 'no'}, the product {refused or 'yes'}"
        if refused:
            assert self._dump() == before
        return found

    def _unchanged(self, may: bool, step: Callable[[UnitOfWork], Any]) -> None:
        """Do again what was done before, or what can't be: nothing may change."""
        before = self._dump()
        self._attempt(may, step)
        assert self._dump() == before

    def _dump(self) -> list[list[Any]]:
        with self.db.read() as session:
            return [
                sorted(session.execute(select(*one.__table__.columns)).all(), key=lambda row: str(row[0]))
                for one in WRITTEN
            ]

    def _settle(
        self,
        changed: Sequence[Entry] = (),
        *,
        ours: Sequence[str] = (),
        seats: Iterable[Seat] = (),
        waits: Iterable[Wait] = (),
        offers: Iterable[Offered] = (),
    ) -> None:
        """Compare all that stands with the model, in which these differ; the claims of visits `changed` are looked at closely."""
        expected = self.model.entries | {one.id: one for one in changed}
        stands = self._read()
        assert stands.keys() == expected.keys()
        fresh = {one.id for one in changed if one.counts(self.model.now)}
        for entry_id, entry in expected.items():
            found = stands[entry_id]
            assert replace(found, claims={}) == entry.as_written()
            if entry_id in fresh:
                self._check_claims(found, ours=ours)
            elif entry.is_hold and not entry.counts(self.model.now):
                assert found.claims in ({}, entry.claims)  # whoever needs its time may have cleared it
            else:
                assert found.claims == entry.claims
        self.model.entries = {
            entry_id: replace(entry, claims=stands[entry_id].claims) for entry_id, entry in expected.items()
        }
        self.model.seats |= {one.id: one for one in seats}
        self.model.waits |= {one.id: one for one in waits}
        self.model.offers |= {one.id: one for one in offers}
        self._compare_the_rest()

    def _compare_the_rest(self) -> None:
        with self.db.read() as session:
            rows = {
                table: session.execute(select(*table.__table__.columns)).all()
                for table in (Participant, WaitlistEntry, Offer)
            }
        assert {row.id: _seat_of(row) for row in rows[Participant]} == self.model.seats
        assert {row.id: EntryStatus(row.status) for row in rows[WaitlistEntry]} == {
            one.id: one.status for one in self.model.waits.values()
        }
        assert {row.id: _offered_of(row) for row in rows[Offer]} == self.model.offers

    def _check_claims(self, entry: Entry, *, ours: Sequence[str]) -> None:
        """Its own time at its own people and things, and in the model nobody else's."""
        for schedule_id, claimed in entry.claims.items():
            assert self.model.is_free(schedule_id, claimed, ours=(entry.id, *ours))
        wanted = self.model.wanted(entry.service_id, entry.starts_at)
        kept = self.model.entries.get(entry.replaces_id or "")
        person = self.catalogue.practitioner(entry.practitioner_id).schedule_id
        rooms = [room.schedule_id for room in self.catalogue.resources]
        for choice in ([person], *(rooms for _ in self.catalogue.service(entry.service_id).resources)):
            had = [
                entry.claims.get(one, frozenset()) | (kept.claims.get(one, frozenset()) if kept else frozenset())
                for one in choice
            ]
            assert any(wanted <= one for one in had)

    def _read(self) -> dict[str, Entry]:
        claims: dict[str, Claims] = {}
        with self.db.read() as session:
            for row in session.execute(select(*Allocation.__table__.columns).where(Allocation.live)):
                mine = claims.setdefault(row.appointment_id, {})
                span = frozenset(minutes(row.starts_at, row.ends_at))
                mine[row.schedule_id] = mine.get(row.schedule_id, frozenset()) | span
            rows = session.execute(select(*Appointment.__table__.columns))
            return {row.id: _entry_of(row, claims.get(row.id, {})) for row in rows}


def _entry_of(row: Any, claims: Claims) -> Entry:
    return Entry(
        row.id,
        row.service_id,
        row.practitioner_id or "",
        row.starts_at,
        row.ends_at,
        row.patient_id,
        S(row.status),
        row.hold_expires_at,
        row.replaces_id,
        row.conversation_id,
        claims,
    )


def _seat_of(row: Any) -> Seat:
    return Seat(row.id, row.appointment_id, row.patient_id, row.conversation_id, S(row.status), row.hold_expires_at)


def _offered_of(row: Any) -> Offered:
    return Offered(row.id, row.entry_id, row.hold_id, OfferStatus(row.status), row.expires_at)
