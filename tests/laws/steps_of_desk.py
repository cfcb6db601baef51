"""What the desk does: notes who came, and finds times for wishes; and what due work does where nobody has."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from booking.cancel import cancel_appointment
from booking.desk.attendance import SETTLES, complete_past, mark_arrived, mark_noshow, undo_attendance
from booking.desk.requests import close_unanswered, grant_proposal, propose, reject_request
from booking.values import Source
from kernel.interval import Interval
from kernel.work import UnitOfWork
from tests.laws.diary_machine import CONVERSATIONS, HOURS, PATIENTS, PEOPLE, PICK, SERVICES, SOME, STAFF, picked
from tests.laws.model_diary import Entry, S
from tests.laws.steps_of_visits import SingleVisits
from tests.races.clinic import ZONE, at

WISHES = st.sampled_from(((9, 9.25), (9, 33), (33, 34)))


class Desk(SingleVisits):
    """The steps of the desk."""

    @precondition(lambda self: self.model.visits())
    @rule(pick=PICK)
    def arrive(self, pick: int) -> None:
        entry = self._entry(pick)
        if entry.status is S.ARRIVED:
            self._unchanged(True, self._noting(mark_arrived, entry))
            return
        is_their_day = self.model.now.astimezone(ZONE).date() >= entry.starts_at.astimezone(ZONE).date()
        may = is_their_day and (entry.status is S.BOOKED or self._has_time_still(entry))

        self._attempt(may, self._noting(mark_arrived, entry))

        self._settle([replace(entry, status=S.ARRIVED)] if may else [])

    @precondition(lambda self: self.model.visits())
    @rule(pick=PICK)
    def stay_away(self, pick: int) -> None:
        entry = self._entry(pick)
        if entry.status is S.NOSHOW:
            self._unchanged(True, self._noting(mark_noshow, entry))
            return
        records = self.catalogue.rules.records_arrival
        may = records and entry.status is S.BOOKED and entry.starts_at <= self.model.now

        self._attempt(may, self._noting(mark_noshow, entry))

        self._settle([_missed(entry)] if may else [])

    @precondition(lambda self: self.model.visits())
    @rule(pick=PICK)
    def take_back_who_came(self, pick: int) -> None:
        entry = self._entry(pick)

        def undoing(work: UnitOfWork) -> Any:
            return undo_attendance(work, appointment_id=entry.id, now=self.model.now, actor=STAFF)

        if entry.status is S.BOOKED:
            self._unchanged(True, undoing)
            return
        may = entry.status is S.ARRIVED or self._has_time_still(entry)

        self._attempt(may, undoing)

        self._settle([replace(entry, status=S.BOOKED, was_undone=True)] if may else [])

    @precondition(lambda self: any(one.status in {S.BOOKED, S.ARRIVED} for one in self.model.entries.values()))
    @rule()
    def complete(self) -> None:
        now, records = self.model.now, self.catalogue.rules.records_arrival
        over = [one for one in self.model.entries.values() if one.ends_at <= now]
        missed = [
            # A group's session takes place, whoever of them came.
            replace(one, status=S.FULFILLED) if one.is_session else _missed(one)
            for one in over
            if one.status is S.BOOKED and records and one.ends_at <= now - SETTLES and not one.was_undone
        ]
        came = [
            replace(one, status=S.FULFILLED)
            for one in over
            if one.status is S.ARRIVED or (one.status is S.BOOKED and not records)
        ]

        count = self._attempt(True, lambda work: (complete_past(work, now=now),))

        assert count == (len(missed) + len(came),)
        self._settle([*missed, *came])

    @rule(conversation=CONVERSATIONS, patient=PATIENTS, service=SERVICES, hours=WISHES, people=SOME)
    def wish(
        self, conversation: str, patient: int, service: str, hours: tuple[float, float], people: tuple[str, ...]
    ) -> None:
        span = Interval(at(1, hours[0]), at(1, hours[1]))
        wished = Entry(
            "", service, "", span.start, span.end, self.patient_ids[patient], S.PROPOSED, None, None, conversation
        )

        def proposing(work: UnitOfWork) -> str:
            return propose(
                work,
                self.catalogue,
                service_id=service,
                location_id="location-main",
                patient_id=self.patient_ids[patient],
                span=span,
                practitioner_ids=people,
                text="Whenever you can.",
                conversation_id=conversation,
                source=Source.PHONE,
                now=self.model.now,
            )

        may = span.end > self.model.now
        wishes = [one for one in self._wishes() if one.status is S.PROPOSED]
        if may and any(replace(one, id="", was_wished=False) == wished for one in wishes):
            self._unchanged(True, proposing)
            return

        found = self._attempt(may, proposing)

        self._settle([replace(wished, id=found, was_wished=True)] if found else [])

    @precondition(lambda self: self._wishes())
    @rule(pick=PICK, hour=HOURS, person=st.sampled_from(PEOPLE))
    def grant(self, pick: int, hour: float, person: str) -> None:
        entry, starts_at = picked(self._wishes(), pick), at(1, hour)
        ends_at = starts_at + self.catalogue.service(entry.service_id).duration

        def granting(work: UnitOfWork) -> Any:
            return grant_proposal(
                work,
                self.catalogue,
                appointment_id=entry.id,
                starts_at=starts_at,
                practitioner_id=person,
                now=self.model.now,
                actor=STAFF,
            )

        if entry.status is S.BOOKED and (entry.starts_at, entry.practitioner_id) == (starts_at, person):
            self._unchanged(True, granting)
            return
        may = (
            entry.status is S.PROPOSED
            and not self._wrong_with(starts_at)
            and self.model.can_have(entry.service_id, starts_at, (person,))
            and not self.model.has_other_visit(entry.patient_id, starts_at, ends_at)
        )

        self._attempt(may, granting)

        if not may:
            self._settle()
            return
        booked = replace(entry, status=S.BOOKED, starts_at=starts_at, ends_at=ends_at, practitioner_id=person)
        # Its time was claimed by a Hold, as all time is, which was used at once.
        (used,) = self._read().keys() - self.model.entries.keys()
        expires_at = self.model.now + self.catalogue.rules.hold
        hold = replace(
            booked, id=used, status=S.CANCELLED, hold_expires_at=expires_at, conversation_id=None, was_wished=False
        )
        self._settle([booked, hold])

    @precondition(lambda self: self._wishes())
    @rule(pick=PICK, by_patient=st.booleans())
    def give_up(self, pick: int, by_patient: bool) -> None:
        """The patient withdraws what they wished for, or staff say no."""
        entry = picked(self._wishes(), pick)
        if entry.status is not S.PROPOSED:
            return  # `cancel` and `reject` are about what it has become

        def withdrawing(work: UnitOfWork) -> Any:
            return cancel_appointment(
                work,
                self.catalogue,
                appointment_id=entry.id,
                reason=None,
                now=self.model.now,
                actor="patient",
                source=Source.PHONE,
            )

        def rejecting(work: UnitOfWork) -> Any:
            return reject_request(
                work, self.catalogue, appointment_id=entry.id, reason="full", now=self.model.now, actor=STAFF
            )

        may = not by_patient or entry.starts_at > self.model.now

        self._attempt(may, withdrawing if by_patient else rejecting)

        self._settle([self.model.closed(entry)] if may else [])

    @precondition(lambda self: any(one.status in {S.PENDING, S.PROPOSED} for one in self.model.entries.values()))
    @rule()
    def leave_unanswered(self) -> None:
        now = self.model.now
        late = [
            one
            for one in self.model.entries.values()
            if (one.status is S.PENDING and not one.is_hold and one.starts_at <= now)
            or (one.status is S.PROPOSED and one.ends_at <= now)
        ]

        count = self._attempt(True, lambda work: (close_unanswered(work, now=now),))

        assert count == (len(late),)
        self._settle([self.model.closed(one) for one in late])

    @precondition(lambda self: any(one.status is S.BOOKED for one in self.model.visits()))
    @rule(pick=PICK, later=st.sampled_from((timedelta(0), timedelta(minutes=30), timedelta(hours=13))))
    def their_time_comes(self, pick: int, later: timedelta) -> None:
        booked = [one for one in self.model.visits() if one.status is S.BOOKED]
        self.model.now = max(self.model.now, picked(booked, pick).starts_at + later)

    @rule(
        service=SERVICES,
        person=st.sampled_from(PEOPLE),
        hour=HOURS,
        noted=st.sampled_from(("came", "stayed away", "stayed away", "stayed away")),
        meanwhile=st.sampled_from(("nothing", "nothing", "given away", "held for a while")),
        is_wrong=st.booleans(),
    )
    def see_who_comes(  # noqa: PLR0917 -- hypothesis calls it
        self, service: str, person: str, hour: float, noted: str, meanwhile: str, is_wrong: bool
    ) -> None:
        """Book a visit and note what came of it; often it was otherwise, and perhaps somebody else has the time by then."""
        before = len(self.model.visits())
        self.book("c-1", service, (person,), hour, 0)
        visits = self.model.visits()
        if len(visits) == before or visits[-1].is_hold:
            return
        entry = visits[-1]
        self.model.now = max(self.model.now, entry.starts_at)
        if entry.status is not S.BOOKED:
            self.leave_unanswered()
            return
        (self.arrive if noted == "came" else self.stay_away)(0)
        if meanwhile != "nothing":
            self.hold_for_staff(person, service, entry.starts_at)
        if meanwhile == "held for a while":
            self.model.now += 2 * self.catalogue.rules.hold
        if is_wrong:
            self.take_back_who_came(self.model.visits()[::-1].index(self.model.entries[entry.id]))

    def _noting(self, note: Callable[..., Any], entry: Entry) -> Callable[[UnitOfWork], Any]:
        return lambda work: note(work, self.catalogue, appointment_id=entry.id, now=self.model.now, actor=STAFF)

    def _has_time_still(self, entry: Entry) -> bool:
        """Say whether nobody came, and nobody else has the time yet."""
        return entry.status is S.NOSHOW and all(
            self.model.is_free(schedule_id, minutes) for schedule_id, minutes in entry.given_back.items()
        )

    def _wishes(self) -> list[Entry]:
        """Return what was wished for, and what became of it."""
        return [one for one in self.model.entries.values() if one.was_wished]


def _missed(entry: Entry) -> Entry:
    return replace(entry, status=S.NOSHOW, claims={}, given_back=entry.claims)
