"""Several visits at once, all or nothing; and groups, in which patients take seats."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from booking.several.bundles import PartWish, cancel_bundle, confirm_bundle, place_bundle, release_bundle
from booking.several.groups import (
    cancel_session,
    confirm_seat,
    join_session,
    leave_session,
    open_session,
    release_seats,
)
from booking.values import BundleKind, Source
from kernel.work import UnitOfWork
from tests.laws.diary_machine import CONVERSATIONS, HOURS, PEOPLE, PICK, SOME, STAFF, picked
from tests.laws.model_diary import Entry, S, Seat
from tests.laws.steps_of_visits import SingleVisits
from tests.races.clinic import at

PARTS = st.tuples(st.sampled_from(("service-visit", "service-room-visit")), HOURS, SOME)
GROUP = "service-class"


class Several(SingleVisits):
    """The steps of bundles and of groups."""

    # Bundles.

    @rule(
        conversation=CONVERSATIONS,
        kind=st.sampled_from((BundleKind.HOUSEHOLD, BundleKind.HOUSEHOLD, BundleKind.SERIES)),
        wishes=st.lists(PARTS, min_size=2, max_size=3),
        yes=st.booleans(),
    )
    def hold_several(
        self, conversation: str, kind: BundleKind, wishes: Sequence[tuple[str, float, tuple[str, ...]]], yes: bool
    ) -> None:
        """Hold a visit for each of a household, or several for one patient; and often say yes at once."""
        whose = [self.patient_ids[number if kind is BundleKind.HOUSEHOLD else 0] for number in range(len(wishes))]
        parts = [
            PartWish(service, "location-main", at(1, hour), people, patient_id)
            for (service, hour, people), patient_id in zip(wishes, whose, strict=True)
        ]
        ends = [one.starts_at + self.catalogue.service(one.service_id).duration for one in parts]
        closing = self.model.holds_of(conversation)
        ours = [one.id for one in closing]
        meets_itself = kind is BundleKind.SERIES and any(
            one.starts_at < ends[other] and parts[other].starts_at < ends[number]
            for number, one in enumerate(parts)
            for other in range(number)
        )
        may = (
            not meets_itself
            and not any(self._wrong_with(one.starts_at) for one in parts)
            and not any(
                self.model.has_other_visit(one.patient_id, one.starts_at, end, ours=ours)
                for one, end in zip(parts, ends, strict=True)
            )
            and self.model.can_have_all(
                [(one.service_id, one.starts_at, one.practitioner_ids or PEOPLE) for one in parts], ours=ours
            )
        )

        held = self._attempt(
            may,
            lambda work: place_bundle(
                work,
                self.catalogue,
                kind=kind,
                parts=parts,
                conversation_id=conversation,
                source=Source.PHONE,
                now=self.model.now,
            ),
        )

        if not may:
            self._settle()
            return
        expires_at = self.model.now + self.catalogue.rules.hold
        placed = [
            Entry(
                visit.id,
                one.service_id,
                visit.practitioner_id,
                one.starts_at,
                end,
                one.patient_id,
                S.PENDING,
                expires_at,
                None,
                conversation,
            )
            for visit, one, end in zip(held, parts, ends, strict=True)
        ]
        assert all(
            one.practitioner_id in (part.practitioner_ids or PEOPLE) for one, part in zip(placed, parts, strict=True)
        )
        self._settle([*(self.model.closed(one) for one in closing), *placed], ours=ours)
        self.model.bundles.append((held[0].bundle_id, tuple(one.id for one in placed)))
        if yes:
            self.confirm_several(0)

    @precondition(lambda self: self.model.bundles)
    @rule(pick=PICK)
    def confirm_several(self, pick: int) -> None:
        bundle_id, parts = self._bundle(pick)

        def confirming(work: UnitOfWork) -> Any:
            return confirm_bundle(
                work, self.catalogue, bundle_id=bundle_id, patient_ids={}, now=self.model.now, actor="patient"
            )

        holds = [one for one in parts if one.is_hold]
        if not holds:
            stands = any(one.status in {S.PENDING, S.BOOKED, S.ARRIVED, S.FULFILLED} for one in parts)
            self._unchanged(stands, confirming)
            return
        late = [one for one in holds if not one.counts(self.model.now)]
        may = (
            not any(one.status is S.CANCELLED for one in parts)
            and not any(self._wrong_with(one.starts_at) for one in late)
            and not any(
                self.model.has_other_visit(one.patient_id, one.starts_at, one.ends_at, ours=(one.id,)) for one in holds
            )
            and self.model.can_have_all(
                [(one.service_id, one.starts_at, (one.practitioner_id,)) for one in late], ours=[one.id for one in late]
            )
        )

        self._attempt(may, confirming)

        booked = [replace(one, status=S.BOOKED, hold_expires_at=None) for one in holds]
        self._settle(booked if may else [], ours=[one.id for one in late])

    @precondition(lambda self: self.model.bundles)
    @rule(pick=PICK, is_release=st.booleans())
    def call_several_off(self, pick: int, is_release: bool) -> None:
        """Give back what is held of them, or cancel what is ahead, too."""
        bundle_id, parts = self._bundle(pick)
        ahead = [one for one in parts if is_release or one.starts_at > self.model.now]
        gone = [
            self.model.closed(one)
            for one in ahead
            if one.is_hold or (not is_release and one.status in {S.PENDING, S.BOOKED})
        ]

        def calling_off(work: UnitOfWork) -> Any:
            if is_release:
                return release_bundle(work, self.catalogue, bundle_id=bundle_id, now=self.model.now)
            return cancel_bundle(
                work,
                self.catalogue,
                bundle_id=bundle_id,
                reason="ill",
                now=self.model.now,
                actor="patient",
                source=Source.PHONE,
            )

        self._attempt(True, calling_off)

        self._settle(gone)

    # Groups.

    @rule(hour=HOURS, people=SOME)
    def open_group(self, hour: float, people: tuple[str, ...]) -> None:
        starts_at = at(1, hour)
        may = not self._wrong_with(starts_at) and self.model.can_have(GROUP, starts_at, people or PEOPLE)

        found = self._attempt(
            may,
            lambda work: open_session(
                work,
                self.catalogue,
                service_id=GROUP,
                location_id="location-main",
                starts_at=starts_at,
                practitioner_ids=people,
                now=self.model.now,
                actor=STAFF,
            ),
        )

        if not may:
            self._settle()
            return
        ends_at = starts_at + self.catalogue.service(GROUP).duration
        opened = Entry(found.id, GROUP, found.practitioner_id, starts_at, ends_at, None, S.BOOKED, None, None, None)
        self._settle([opened])

    @rule(hour=HOURS, patients=st.lists(st.integers(0, 5), min_size=4, max_size=4, unique=True))
    def fill_group(self, hour: float, patients: Sequence[int]) -> None:
        """Let a group meet in which more want a seat than there are; some say yes at once."""
        before = len(self.model.entries)
        self.open_group(hour, ())
        if len(self.model.entries) > before:
            for number, patient in enumerate(patients):
                self.sit_down(0, f"c-{number}", patient, number < 2)

    @precondition(lambda self: self.model.sessions())
    @rule(pick=PICK, conversation=CONVERSATIONS, patient=st.integers(0, 5), yes=st.booleans())
    def sit_down(self, pick: int, conversation: str, patient: int, yes: bool) -> None:
        """Hold a seat in a group, and often say yes at once."""
        session, patient_id = picked(self.model.sessions(), pick), self.patient_ids[patient]
        seat = self.model.seat_in(session.id, patient_id)

        def joining(work: UnitOfWork) -> Any:
            return join_session(
                work,
                self.catalogue,
                session_id=session.id,
                patient_id=patient_id,
                conversation_id=conversation,
                source=Source.PHONE,
                now=self.model.now,
            )

        if seat is not None and seat.status is S.BOOKED:
            self._unchanged(True, joining)
            return
        has_seat = seat is not None and seat.counts(self.model.now)
        may = (
            session.status is S.BOOKED
            and self._may_take_part(session, patient_id)
            and (has_seat or self.model.has_room(session))
        )

        found = self._attempt(may, joining)

        others = [
            one.given_back()
            for one in self.model.seats.values()
            if one.status is S.PENDING
            and (one.conversation_id, one.patient_id) == (conversation, patient_id)
            and one.session_id != session.id
        ]
        if not may:
            self._settle()
            return
        expires_at = self.model.now + self.catalogue.rules.hold
        held = Seat(found.id if seat is None else seat.id, session.id, patient_id, conversation, S.PENDING, expires_at)
        self._settle(seats=[*others, held])
        if yes:
            self.confirm_a_seat(len(self.model.seats) - 1 - list(self.model.seats).index(held.id), patient)

    @precondition(lambda self: self.model.seats)
    @rule(pick=PICK, patient=st.integers(0, 5))
    def confirm_a_seat(self, pick: int, patient: int) -> None:
        """By whose it is, or now and then by somebody else."""
        seat = picked(list(self.model.seats.values()), pick)
        patient_id = self.patient_ids[patient] if patient == 5 else seat.patient_id
        session = self.model.entries[seat.session_id]

        def confirming(work: UnitOfWork) -> Any:
            return confirm_seat(
                work, self.catalogue, seat_id=seat.id, patient_id=patient_id, now=self.model.now, actor="patient"
            )

        if seat.patient_id == patient_id and seat.status is S.BOOKED:
            self._unchanged(True, confirming)
            return
        is_held = seat.patient_id == patient_id and seat.status is S.PENDING and session.status is S.BOOKED
        overlaps = self.model.has_other_visit(patient_id, session.starts_at, session.ends_at, ours=(session.id,))
        is_kept = seat.counts(self.model.now) and not overlaps
        may = is_held and (
            is_kept or (self._may_take_part(session, patient_id) and self.model.has_room(session, but=seat))
        )

        self._attempt(may, confirming)

        self._settle(seats=[replace(seat, status=S.BOOKED, hold_expires_at=None)] if may else [])

    @precondition(lambda self: self.model.sessions())
    @rule(pick=PICK, patient=st.integers(0, 5))
    def stand_up(self, pick: int, patient: int) -> None:
        session, patient_id = picked(self.model.sessions(), pick), self.patient_ids[patient]
        seat = self.model.seat_in(session.id, patient_id)

        def leaving(work: UnitOfWork) -> Any:
            return leave_session(
                work,
                self.catalogue,
                session_id=session.id,
                patient_id=patient_id,
                now=self.model.now,
                actor="patient",
            )

        if seat is None or seat.status not in {S.PENDING, S.BOOKED}:
            self._unchanged(seat is not None, leaving)
            return
        may = seat.status is S.PENDING or session.starts_at > self.model.now

        self._attempt(may, leaving)

        self._settle(seats=[seat.given_back()] if may else [])

    @precondition(lambda self: any(one.status is S.PENDING for one in self.model.seats.values()))
    @rule(conversation=CONVERSATIONS)
    def give_seats_back(self, conversation: str) -> None:
        held = [
            one for one in self.model.seats.values() if one.status is S.PENDING and one.conversation_id == conversation
        ]

        self._attempt(True, lambda work: release_seats(work, conversation_id=conversation, now=self.model.now))

        self._settle(seats=[one.given_back() for one in held])

    @precondition(lambda self: self.model.sessions())
    @rule(pick=PICK)
    def call_group_off(self, pick: int) -> None:
        session = picked(self.model.sessions(), pick)

        def calling_off(work: UnitOfWork) -> Any:
            return cancel_session(
                work, self.catalogue, session_id=session.id, reason="ill", now=self.model.now, actor=STAFF
            )

        if session.status is S.CANCELLED:
            self._unchanged(True, calling_off)
            return
        may = session.status is S.BOOKED
        ended = [
            one.given_back()
            for one in self.model.seats.values()
            if one.session_id == session.id and one.counts(self.model.now)
        ]

        self._attempt(may, calling_off)

        self._settle([self.model.closed(session)] if may else [], seats=ended if may else [])

    def _bundle(self, pick: int) -> tuple[str, list[Entry]]:
        bundle_id, ids = picked(self.model.bundles, pick)
        return bundle_id, [self.model.entries[each] for each in ids]

    def _may_take_part(self, session: Entry, patient_id: str) -> bool:
        return not self.model.against_the_rules(
            session.starts_at, hours=[session.starts_at]
        ) and not self.model.has_other_visit(patient_id, session.starts_at, session.ends_at, ours=(session.id,))
