"""Whatever is done to the diary in whatever order: it holds what a plain list of visits would, and tells of it once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from booking.cancel import cancel_appointment
from booking.confirm import confirm_hold
from booking.desk.attendance import complete_past
from booking.desk.requests import accept_request, reject_request
from booking.expiry import expire_holds
from booking.hold import place_hold, release_hold
from booking.model.appointment import Allocation, Appointment, AppointmentChange, Bundle, Participant
from booking.model.task import StaffTask
from booking.reschedule import reschedule
from booking.values import Catalogue, Source
from kernel.db import Base
from kernel.errors import Refused
from kernel.work import Database, OutboxEntry, UnitOfWork
from tests.laws.model_diary import Claims, Entry, ModelDiary, S, minutes
from tests.races.clinic import at, eve, race_catalogue
from tests.races.kinds import take_on_patients
from tests.support.clinic_rows import store_catalogue
from tests.support.diary_faults import diary_faults

pytestmark = pytest.mark.integration

EXAMPLES, STEPS = 50, 25

WRITTEN = (Appointment, Allocation, AppointmentChange, Participant, Bundle, StaffTask, OutboxEntry)
PEOPLE = ("practitioner-ann", "practitioner-bob", "practitioner-cyd")
OPEN = (9, 9.25, 9.5, 10, 33, 33.25)
HOURS = st.sampled_from(OPEN)
OPEN_AT = [at(1, hour) for hour in OPEN]
SERVICES = st.sampled_from(("service-visit", "service-room-visit", "service-room-visit", "service-asked-visit"))
SOME = st.sampled_from(((), PEOPLE[:1], PEOPLE[:2], PEOPLE[1:2]))
CONVERSATIONS = st.sampled_from(("c-1", "c-2", "c-3"))
PICK = st.integers(0, 40)
STAFF = "staff:kim"


class DiaryMachine(RuleBasedStateMachine):
    """Does one thing after another, in a transaction each, and compares the diary with the model."""

    def __init__(self, db: Database, catalogue: Catalogue, patient_ids: Sequence[str]) -> None:
        super().__init__()
        self.db, self.catalogue, self.patient_ids = db, catalogue, patient_ids
        self.model = ModelDiary(catalogue, now=eve(1))
        with db.begin() as work:
            for table in reversed(Base.metadata.sorted_tables):
                if table.name in {one.__tablename__ for one in WRITTEN}:
                    work.session.execute(table.delete())

    # What may happen.

    @rule(
        conversation=CONVERSATIONS,
        service=SERVICES,
        people=SOME,
        hour=HOURS,
        patient=st.sampled_from((None, 0, 1)),
        pick=st.one_of(st.none(), PICK),
    )
    def hold(  # noqa: PLR0917 -- hypothesis calls it
        self,
        conversation: str,
        service: str,
        people: tuple[str, ...],
        hour: float,
        patient: int | None,
        pick: int | None,
    ) -> None:
        replaced = None if pick is None else self._entry(pick)
        if replaced is not None:
            service, patient = replaced.service_id, None
        starts_at, patient_id = at(1, hour), None if patient is None else self.patient_ids[patient]
        closing = self.model.holds_of(conversation)
        ours = [*(one.id for one in closing), *([] if replaced is None else [replaced.id])]
        length = self.catalogue.service(service).duration
        may = (
            not self._wrong_with(starts_at)
            and self.model.can_have(service, starts_at, people or PEOPLE, ours=ours)
            and not self.model.has_other_visit(patient_id, starts_at, starts_at + length, ours=ours)
        )

        found = self._attempt(
            may,
            lambda work: place_hold(
                work,
                self.catalogue,
                service_id=service,
                location_id="location-main",
                starts_at=starts_at,
                practitioner_ids=people,
                conversation_id=conversation,
                patient_id=patient_id,
                source=Source.PHONE,
                now=self.model.now,
                replaces_appointment_id=None if replaced is None else replaced.id,
            ),
        )

        changed = [self.model.closed(one) for one in closing] if may else []
        if found is not None:
            assert found.practitioner_id in (people or PEOPLE)
            changed.append(
                Entry(
                    found.id,
                    service,
                    found.practitioner_id,
                    starts_at,
                    starts_at + length,
                    patient_id,
                    S.PENDING,
                    self.model.now + self.catalogue.rules.hold,
                    None if replaced is None else replaced.id,
                    conversation,
                )
            )
        self._settle(changed, ours=ours)

    @rule(conversation=CONVERSATIONS, service=SERVICES, people=SOME, hour=HOURS, patient=st.sampled_from((0, 1, 2)))
    def book(self, conversation: str, service: str, people: tuple[str, ...], hour: float, patient: int) -> None:
        """Hold, and say yes."""
        before = len(self.model.entries)
        self.hold(conversation, service, people, hour, None, None)
        if len(self.model.entries) > before:
            self.confirm(0, patient)

    @precondition(lambda self: any(one.status is S.BOOKED for one in self.model.entries.values()))
    @rule(conversation=CONVERSATIONS, people=SOME, hour=HOURS, pick=PICK)
    def move(self, conversation: str, people: tuple[str, ...], hour: float, pick: int) -> None:
        """Hold another time for a visit that is booked, and exchange."""
        entries = list(self.model.entries.values())
        booked = [number for number, one in enumerate(entries) if one.status is S.BOOKED]
        self.hold(conversation, "service-visit", people, hour, None, len(entries) - 1 - booked[pick % len(booked)])
        if len(self.model.entries) > len(entries):
            self.exchange(0, 1)

    @rule(person=st.sampled_from(PEOPLE), service=SERVICES, hour=st.sampled_from((6, 9, 9.1, 33)))
    def staff_hold_against_the_rules(self, person: str, service: str, hour: float) -> None:
        """Staff set aside hours, notice and the grid, but nobody's time."""
        starts_at = at(1, hour)
        may = self.model.can_have(service, starts_at, (person,))

        found = self._attempt(
            may,
            lambda work: place_hold(
                work,
                self.catalogue,
                service_id=service,
                location_id="location-main",
                starts_at=starts_at,
                practitioner_ids=(person,),
                conversation_id=None,
                source=Source.STAFF,
                now=self.model.now,
                actor=STAFF,
                override_reason="They came from far away.",
            ),
        )

        if found is not None:
            expires_at = self.model.now + self.catalogue.rules.hold
            ends_at = starts_at + self.catalogue.service(service).duration
            self._settle(
                [
                    Entry(
                        found.id,
                        service,
                        person,
                        starts_at,
                        ends_at,
                        None,
                        S.PENDING,
                        expires_at,
                        None,
                        None,
                        waived=self._wrong_with(starts_at),
                    )
                ]
            )
        else:
            self._settle([])

    @precondition(lambda self: self.model.entries)
    @rule(pick=PICK, patient=st.sampled_from((0, 0, 1)))
    def confirm(self, pick: int, patient: int) -> None:
        entry, patient_id = self._entry(pick), self.patient_ids[patient]
        assert entry is not None
        is_theirs = entry.replaces_id is None and entry.patient_id in {None, patient_id}
        if not entry.is_hold:
            self._unchanged(
                is_theirs and entry.status in {S.PENDING, S.BOOKED, S.ARRIVED}, self._confirming(entry, patient_id)
            )
            return
        overlaps = self.model.has_other_visit(patient_id, entry.starts_at, entry.ends_at, ours=(entry.id,))
        may = is_theirs and not overlaps
        if not entry.counts(self.model.now):
            may = (
                may
                and self._wrong_with(entry.starts_at) <= entry.waived
                and self.model.can_have(entry.service_id, entry.starts_at, (entry.practitioner_id,), ours=(entry.id,))
            )

        self._attempt(may, self._confirming(entry, patient_id))

        waits = self.catalogue.service(entry.service_id).needs_confirmation
        status = S.PENDING if waits else S.BOOKED
        booked = replace(entry, status=status, patient_id=patient_id, hold_expires_at=None)
        self._settle([booked] if may else [], ours=(entry.id,))

    def _confirming(self, entry: Entry, patient_id: str) -> "Callable[[UnitOfWork], Any]":
        return lambda work: confirm_hold(
            work, self.catalogue, appointment_id=entry.id, patient_id=patient_id, now=self.model.now, actor="patient"
        )

    @precondition(lambda self: self.model.entries)
    @rule(pick=PICK, other=PICK)
    def exchange(self, pick: int, other: int) -> None:
        """Half of the time for the visit that the Hold is to move."""
        hold = self._entry(pick)
        assert hold is not None
        old = self.model.entries[hold.replaces_id] if hold.replaces_id and other % 2 else self._entry(other)
        assert old is not None

        def exchanging(work: UnitOfWork) -> Any:
            return reschedule(
                work,
                self.catalogue,
                appointment_id=old.id,
                hold_id=hold.id,
                now=self.model.now,
                actor="patient",
                source=Source.PHONE,
            )

        if hold.replaces_id == old.id and not hold.is_hold:
            # It was used, or given back: right only if the visit stands where the Hold stood.
            stands = (old.starts_at, old.practitioner_id) == (hold.starts_at, hold.practitioner_id)
            self._unchanged(stands, exchanging)
            return
        ours = (old.id, hold.id)
        may = (
            hold.replaces_id == old.id
            and old.status in {S.BOOKED, S.PENDING}
            and not old.is_hold
            and old.starts_at > self.model.now
            and (hold.counts(self.model.now) or not self._wrong_with(hold.starts_at))
            and self.model.can_have(hold.service_id, hold.starts_at, (hold.practitioner_id,), ours=ours)
            and not self.model.has_other_visit(old.patient_id, hold.starts_at, hold.ends_at, ours=ours)
        )

        self._attempt(may, exchanging)

        waits = self.catalogue.service(old.service_id).needs_confirmation
        moved = replace(
            old,
            status=S.PENDING if waits else S.BOOKED,
            starts_at=hold.starts_at,
            ends_at=hold.ends_at,
            practitioner_id=hold.practitioner_id,
        )
        self._settle([moved, self.model.closed(hold)] if may else [], ours=ours)

    @precondition(lambda self: self.model.entries)
    @rule(pick=PICK, actor=st.sampled_from(("patient", STAFF)))
    def cancel(self, pick: int, actor: str) -> None:
        entry = self._entry(pick)
        assert entry is not None

        def cancelling(work: UnitOfWork) -> Any:
            return cancel_appointment(
                work,
                self.catalogue,
                appointment_id=entry.id,
                reason="ill",
                now=self.model.now,
                actor=actor,
                source=Source.PHONE,
            )

        if entry.status is S.CANCELLED:
            self._unchanged(True, cancelling)
            return
        may = entry.status in {S.PENDING, S.BOOKED} and (actor == STAFF or entry.starts_at > self.model.now)

        self._attempt(may, cancelling)

        self._settle([self.model.closed(entry, keeps_expiry=False)] if may else [])

    @precondition(lambda self: self.model.entries)
    @rule(pick=PICK)
    def accept(self, pick: int) -> None:
        entry = self._entry(pick)
        assert entry is not None

        def accepting(work: UnitOfWork) -> Any:
            return accept_request(work, self.catalogue, appointment_id=entry.id, now=self.model.now, actor=STAFF)

        if entry.status is S.BOOKED:
            self._unchanged(True, accepting)
            return
        may = entry.status is S.PENDING and not entry.is_hold and entry.starts_at > self.model.now

        self._attempt(may, accepting)

        self._settle([replace(entry, status=S.BOOKED)] if may else [])

    @precondition(lambda self: self.model.entries)
    @rule(pick=PICK)
    def reject(self, pick: int) -> None:
        entry = self._entry(pick)
        assert entry is not None
        may = entry.status is S.PENDING and not entry.is_hold
        if entry.status is S.CANCELLED:
            return  # again: `test_requests` knows which of them had been rejected

        self._attempt(
            may,
            lambda work: reject_request(
                work, self.catalogue, appointment_id=entry.id, reason="full", now=self.model.now, actor=STAFF
            ),
        )

        self._settle([self.model.closed(entry)] if may else [])

    @rule(conversation=CONVERSATIONS)
    def release(self, conversation: str) -> None:
        closing = [self.model.closed(one) for one in self.model.holds_of(conversation)]

        self._attempt(True, lambda work: release_hold(work, conversation_id=conversation, now=self.model.now))

        self._settle(closing)

    @rule()
    def expire(self) -> None:
        late = [one for one in self.model.entries.values() if one.is_hold and not one.counts(self.model.now)]
        at_least = sum(bool(one.claims) for one in late)

        count = self._attempt(True, lambda work: (expire_holds(work, now=self.model.now),))

        assert count is not None
        assert count[0] <= at_least
        self._settle([replace(one, claims={}) for one in late])

    @rule()
    def complete(self) -> None:
        over = [one for one in self.model.entries.values() if one.status is S.BOOKED and one.ends_at <= self.model.now]

        count = self._attempt(True, lambda work: (complete_past(work, now=self.model.now),))

        assert count == (len(over),)
        self._settle([replace(one, status=S.FULFILLED) for one in over])

    @rule(passed=st.sampled_from((1, 4, 6, 60, 60 * 14, 60 * 20)))
    def time_passes(self, passed: int) -> None:
        self.model.now += timedelta(minutes=passed)

    # What must be true of it.

    @invariant()
    def the_diary_is_sound(self) -> None:
        with self.db.read() as session:
            assert diary_faults(session, self.catalogue) == []

    def _wrong_with(self, starts_at: datetime) -> frozenset[str]:
        return self.model.against_the_rules(starts_at, hours=OPEN_AT)

    def _entry(self, pick: int) -> Entry | None:
        entries = list(self.model.entries.values())
        return entries[-1 - pick % len(entries)] if entries else None

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

    def _settle(self, changed: Sequence[Entry], *, ours: Sequence[str] = ()) -> None:
        """Compare every visit in the diary with the model, in which `changed` differ; their claims are looked at closely."""
        expected = self.model.entries | {one.id: one for one in changed}
        stands = self._read()
        assert stands.keys() == expected.keys()
        fresh = {one.id for one in changed if one.counts(self.model.now)}
        for entry_id, entry in expected.items():
            found = stands[entry_id]
            assert replace(found, claims={}) == replace(entry, claims={}, waived=frozenset())
            if entry_id in fresh:
                self._check_claims(found, ours=ours)
            elif entry.is_hold and not entry.counts(self.model.now):
                assert found.claims in ({}, entry.claims)  # whoever needs its time may have cleared it
            else:
                assert found.claims == entry.claims
        self.model.entries = {
            entry_id: replace(stands[entry_id], waived=entry.waived) for entry_id, entry in expected.items()
        }

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
        row.practitioner_id,
        row.starts_at,
        row.ends_at,
        row.patient_id,
        S(row.status),
        row.hold_expires_at,
        row.replaces_id,
        row.conversation_id,
        claims,
    )


def test_the_diary_holds_what_a_plain_list_of_visits_would(database: Database):
    catalogue = race_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
    patient_ids = take_on_patients(database, catalogue)

    run_state_machine_as_test(
        lambda: DiaryMachine(database, catalogue, patient_ids),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
