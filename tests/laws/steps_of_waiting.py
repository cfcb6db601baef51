"""The waiting list: who waits is offered what comes free, in order, and the first yes gets it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from booking.model.waitlist import Offer
from booking.values import Offering, Source
from booking.waiting_list.waiting import EntryStatus, OfferStatus
from booking.waiting_list.waitlist import (
    accept_offer,
    decline_offer,
    expire_offers,
    join_waitlist,
    leave_waitlist,
    offer_freed_time,
)
from kernel.interval import Interval
from kernel.work import UnitOfWork
from tests.laws.diary_machine import HOURS, OPEN_AT, PATIENTS, PICK, SERVICES, SOME, picked
from tests.laws.model_diary import Entry, NextOffer, Offered, S, Wait
from tests.laws.steps_of_visits import SingleVisits
from tests.races.clinic import at

MINUTE = timedelta(minutes=1)


class WaitingList(SingleVisits):
    """The steps of who waits."""

    @rule(
        patient=PATIENTS,
        service=SERVICES,
        people=SOME,
        hours=st.lists(HOURS, min_size=1, max_size=3, unique=True),
    )
    def wait(self, patient: int, service: str, people: tuple[str, ...], hours: list[float]) -> None:
        self.model.now += timedelta(seconds=1)  # nobody comes at the same moment as another
        now, starts = self.model.now, tuple(sorted(at(1, hour) for hour in hours))
        wish = (self.patient_ids[patient], service, people, starts)

        def joining(work: UnitOfWork) -> str:
            return join_waitlist(
                work,
                self.catalogue,
                patient_id=self.patient_ids[patient],
                service_id=service,
                practitioner_ids=people,
                spans=[Interval(start, start + MINUTE) for start in starts],
                conversation_id=None,
                source=Source.PHONE,
                now=now,
            )

        may = all(start + MINUTE > now + self.catalogue.rules.minimum_notice for start in starts)
        waiting = [one for one in self.model.waits.values() if one.waits(now)]
        if may and any((one.patient_id, one.service_id, one.people, one.starts) == wish for one in waiting):
            self._unchanged(True, joining)
            return

        found = self._attempt(may, joining)

        expires_at = min(now + self.catalogue.rules.waitlist_for, starts[-1] + MINUTE)
        self._settle(waits=[Wait(found, *wish, now, expires_at)] if may else [])

    @rule(
        patients=st.permutations((0, 1, 2)),
        service=SERVICES,
        people=SOME,
        hours=st.lists(HOURS, min_size=1, max_size=2),
        yes=st.sampled_from((None, 0, 1, 2)),
        after=st.sampled_from((0, 0, 29, 30)),
    )
    def wait_together(  # noqa: PLR0917 -- hypothesis calls it
        self,
        patients: list[int],
        service: str,
        people: tuple[str, ...],
        hours: list[float],
        yes: int | None,
        after: int,
    ) -> None:
        """For the same, one after the other; it is looked what is free, and often one of them says yes, perhaps too late."""
        for patient in patients:
            self.wait(patient, service, people, sorted(set(hours)))
        self.offer_what_is_free()
        if yes is not None and self.model.offers:
            self.model.now += timedelta(minutes=after)
            self.accept_what_is_offered(yes)

    @precondition(lambda self: self.model.waits)
    @rule(pick=PICK)
    def wait_no_more(self, pick: int) -> None:
        wait = picked(list(self.model.waits.values()), pick)

        def leaving(work: UnitOfWork) -> None:
            leave_waitlist(work, clinic_id=self.catalogue.clinic_id, entry_id=wait.id, now=self.model.now)

        if wait.status is not EntryStatus.WAITING:
            self._unchanged(True, leaving)
            return
        declined = [
            replace(one, status=OfferStatus.DECLINED)
            for one in self.model.offers.values()
            if one.wait_id == wait.id and one.status is OfferStatus.OPEN
        ]

        self._attempt(True, leaving)

        self._settle(self._let_go(declined), waits=[replace(wait, status=EntryStatus.LEFT)], offers=declined)

    @precondition(lambda self: any(one.waits(self.model.now) for one in self.model.waits.values()))
    @rule()
    def offer_what_is_free(self) -> None:
        """One time in each transaction until there is nothing for anybody, as jobs do."""
        while (wanted := self.model.next_offer(hours=OPEN_AT)) is not None:
            made = self._attempt(True, self._offering)
            assert made is not None
            self._settle_offer(wanted, made)
        self._unchanged(True, self._offering)

    @precondition(lambda self: self.model.offers)
    @rule(pick=PICK)
    def accept_what_is_offered(self, pick: int) -> None:
        offer, now = picked(list(self.model.offers.values()), pick), self.model.now
        wait, hold = self.model.waits[offer.wait_id], self.model.entries[offer.hold_id]

        def accepting(work: UnitOfWork) -> Any:
            return accept_offer(work, self.catalogue, offer_id=offer.id, now=now, actor="patient")

        if offer.status is OfferStatus.ACCEPTED:
            self._unchanged(True, accepting)
            return
        may = (
            offer.status is OfferStatus.OPEN
            and offer.expires_at > now
            and hold.is_hold
            and not self.model.has_other_visit(wait.patient_id, hold.starts_at, hold.ends_at, ours=(hold.id,))
        )

        self._attempt(may, accepting)

        if not may:
            self._settle()
            return
        status = S.PENDING if self.catalogue.service(hold.service_id).needs_confirmation else S.BOOKED
        booked = replace(hold, status=status, patient_id=wait.patient_id, hold_expires_at=None)
        others = [
            replace(one, status=OfferStatus.GONE)
            for one in self.model.offers.values()
            if one.hold_id == hold.id and one.status is OfferStatus.OPEN and one != offer
        ]
        accepted = replace(offer, status=OfferStatus.ACCEPTED)
        self._settle(
            [booked], ours=(hold.id,), waits=[replace(wait, status=EntryStatus.BOOKED)], offers=[accepted, *others]
        )

    @precondition(lambda self: self.model.offers)
    @rule(pick=PICK)
    def decline_what_is_offered(self, pick: int) -> None:
        offer = picked(list(self.model.offers.values()), pick)

        def declining(work: UnitOfWork) -> None:
            decline_offer(work, self.catalogue, offer_id=offer.id, now=self.model.now)

        if offer.status is not OfferStatus.OPEN:
            self._unchanged(offer.status is not OfferStatus.ACCEPTED, declining)
            return
        declined = replace(offer, status=OfferStatus.DECLINED)

        self._attempt(True, declining)

        self._settle(self._let_go([declined]), offers=[declined])

    @precondition(lambda self: self.model.offers)
    @rule()
    def deadlines_pass(self) -> None:
        now = self.model.now
        ended = [
            replace(one, status=OfferStatus.EXPIRED if one.expires_at <= now else OfferStatus.GONE)
            for one in self.model.offers.values()
            if one.status is OfferStatus.OPEN and (one.expires_at <= now or not self.model.entries[one.hold_id].is_hold)
        ]
        answering = {
            one.wait_id
            for one in self.model.offers.values()
            if one.status is OfferStatus.OPEN and one.id not in {each.id for each in ended}
        }
        over = [
            replace(one, status=EntryStatus.EXPIRED)
            for one in self.model.waits.values()
            if one.status is EntryStatus.WAITING and one.expires_at <= now and one.id not in answering
        ]

        count = self._attempt(True, lambda work: (expire_offers(work, now=now),))

        assert count == (len(ended),)
        self._settle(self._let_go(ended), waits=over, offers=ended)

    @precondition(lambda self: self.model.offers)
    @rule(passed=st.sampled_from((timedelta(minutes=29), timedelta(minutes=30), timedelta(minutes=31))))
    def minutes_pass(self, passed: timedelta) -> None:
        """As long as an offer lasts, and a little more or less."""
        self.model.now += passed

    def _offering(self, work: UnitOfWork) -> list[str]:
        return offer_freed_time(work, self.catalogue, now=self.model.now, at_most=1)

    def _settle_offer(self, wanted: NextOffer, made: list[str]) -> None:
        with self.db.read() as session:
            rows = session.execute(select(Offer.id, Offer.entry_id, Offer.hold_id).where(Offer.id.in_(made))).all()
        found = {row.entry_id: row for row in rows}
        assert sorted(found) == sorted(one.id for one in wanted.waits)
        assert len(rows) == len(found)
        offers = [
            Offered(found[one.id].id, one.id, found[one.id].hold_id, OfferStatus.OPEN, wanted.expires_at)
            for one in wanted.waits
        ]
        (hold_id,) = {one.hold_id for one in offers}
        hold = self._held_for(wanted, hold_id, person=self._read()[hold_id].practitioner_id)
        assert hold.practitioner_id in wanted.people
        self._settle([hold], offers=offers)

    def _held_for(self, wanted: NextOffer, hold_id: str, *, person: str) -> Entry:
        first = wanted.waits[0]
        is_shared = self.catalogue.rules.waitlist is Offering.ALL
        ends_at: datetime = wanted.starts_at + self.catalogue.service(first.service_id).duration
        return Entry(
            hold_id,
            first.service_id,
            person,
            wanted.starts_at,
            ends_at,
            None if is_shared else first.patient_id,
            S.PENDING,
            wanted.expires_at,
            None,
            None,
        )

    def _let_go(self, ended: list[Offered]) -> list[Entry]:
        """Return the Holds, given back, that nobody else is offered when these offers have ended."""
        still = self.model.offers | {one.id: one for one in ended}
        kept = {one.hold_id for one in still.values() if one.status is OfferStatus.OPEN}
        holds = {one.hold_id: self.model.entries[one.hold_id] for one in ended}
        return [self.model.closed(one) for each, one in holds.items() if one.is_hold and each not in kept]
