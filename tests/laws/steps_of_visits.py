"""What happens to single visits: held, confirmed, moved, cancelled, answered by staff, and what time does to them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from booking.cancel import cancel_appointment
from booking.confirm import confirm_hold
from booking.desk.requests import accept_request, reject_request
from booking.expiry import expire_holds
from booking.hold import place_hold, release_hold
from booking.reschedule import reschedule
from booking.values import Source
from kernel.work import UnitOfWork
from tests.laws.diary_machine import CONVERSATIONS, HOURS, PEOPLE, PICK, SERVICES, SOME, STAFF, Diary
from tests.laws.model_diary import Entry, S
from tests.races.clinic import at


class SingleVisits(Diary):
    """The steps of a visit's life."""

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
        replaced = self._entry(pick) if pick is not None and self.model.visits() else None
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

    @precondition(lambda self: any(one.status is S.BOOKED for one in self.model.visits()))
    @rule(conversation=CONVERSATIONS, people=SOME, hour=HOURS, pick=PICK)
    def move(self, conversation: str, people: tuple[str, ...], hour: float, pick: int) -> None:
        """Hold another time for a visit that is booked, and exchange."""
        visits, before = self.model.visits(), len(self.model.entries)
        booked = [number for number, one in enumerate(visits) if one.status is S.BOOKED]
        self.hold(conversation, "service-visit", people, hour, None, len(visits) - 1 - booked[pick % len(booked)])
        if len(self.model.entries) > before:
            self.exchange(0, 1)

    @rule(person=st.sampled_from(PEOPLE), service=SERVICES, hour=st.sampled_from((6, 9, 9.1, 33)))
    def staff_hold_against_the_rules(self, person: str, service: str, hour: float) -> None:
        """Staff set aside hours, notice and the grid, but nobody's time."""
        self.hold_for_staff(person, service, at(1, hour))

    def hold_for_staff(self, person: str, service: str, starts_at: datetime) -> None:
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

    @precondition(lambda self: self.model.visits())
    @rule(pick=PICK, patient=st.sampled_from((0, 0, 1)))
    def confirm(self, pick: int, patient: int) -> None:
        entry, patient_id = self._entry(pick), self.patient_ids[patient]
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

    @precondition(lambda self: self.model.visits())
    @rule(pick=PICK, other=PICK)
    def exchange(self, pick: int, other: int) -> None:
        """Half of the time for the visit that the Hold is to move."""
        hold = self._entry(pick)
        old = self.model.entries[hold.replaces_id] if hold.replaces_id and other % 2 else self._entry(other)

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

    @precondition(lambda self: self.model.visits())
    @rule(pick=PICK, actor=st.sampled_from(("patient", STAFF)))
    def cancel(self, pick: int, actor: str) -> None:
        entry = self._entry(pick)

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
        may = entry.status in {S.PENDING, S.BOOKED, S.ARRIVED} and (actor == STAFF or entry.starts_at > self.model.now)

        self._attempt(may, cancelling)

        self._settle([self.model.closed(entry, keeps_expiry=False)] if may else [])

    @precondition(lambda self: self.model.visits())
    @rule(pick=PICK)
    def accept(self, pick: int) -> None:
        entry = self._entry(pick)

        def accepting(work: UnitOfWork) -> Any:
            return accept_request(work, self.catalogue, appointment_id=entry.id, now=self.model.now, actor=STAFF)

        if entry.status is S.BOOKED:
            self._unchanged(True, accepting)
            return
        may = entry.status is S.PENDING and not entry.is_hold and entry.starts_at > self.model.now

        self._attempt(may, accepting)

        self._settle([replace(entry, status=S.BOOKED)] if may else [])

    @precondition(lambda self: self.model.visits())
    @rule(pick=PICK)
    def reject(self, pick: int) -> None:
        entry = self._entry(pick)
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

    @precondition(lambda self: any(one.is_hold for one in self.model.entries.values()))
    @rule(conversation=CONVERSATIONS)
    def release(self, conversation: str) -> None:
        closing = [self.model.closed(one) for one in self.model.holds_of(conversation)]

        self._attempt(True, lambda work: release_hold(work, conversation_id=conversation, now=self.model.now))

        self._settle(closing)

    @precondition(lambda self: any(one.is_hold for one in self.model.entries.values()))
    @rule()
    def expire(self) -> None:
        late = [one for one in self.model.entries.values() if one.is_hold and not one.counts(self.model.now)]
        at_least = sum(bool(one.claims) for one in late)

        count = self._attempt(True, lambda work: (expire_holds(work, now=self.model.now),))

        assert count is not None
        assert count[0] <= at_least
        self._settle([replace(one, claims={}) for one in late])

    @rule(passed=st.sampled_from((1, 4, 6, 60, 60 * 14, 60 * 20)))
    def time_passes(self, passed: int) -> None:
        self.model.now += timedelta(minutes=passed)
