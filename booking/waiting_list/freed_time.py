"""Time that came free goes to those who wait for it.

Freed time is not noted anywhere: what the entries wish is compared with what is free now, so that no way in which time comes
free can be forgotten. How much is read does not depend on how many wait.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby, islice
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, insert, select, union_all
from sqlalchemy.orm import Session

from booking import ledger
from booking.events import OfferMade
from booking.hold import place_hold
from booking.ledger import place_of
from booking.loads import local_day
from booking.model.appointment import Appointment, Participant
from booking.model.patient import Patient
from booking.model.waitlist import Offer, WaitlistEntry
from booking.queries import find_slots_many
from booking.rules import Concern, Facts, Lengths, broken, latest_start
from booking.sessions import seats_count
from booking.taken import counts_at
from booking.values import (
    BLOCKING,
    AppointmentStatus,
    BookedVisit,
    Catalogue,
    Mode,
    Offering,
    Place,
    Slot,
    SlotQuery,
)
from booking.waiting_list import waiting_rows
from booking.waiting_list.waiting import OfferStatus, Waiting, answer_by, in_line, match
from kernel.db import new_id
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.work import UnitOfWork

TellFrom = Callable[[datetime, ZoneInfo], datetime]
"""When somebody may be told first, who lives in the zone: at night not before the morning."""

_TRIES = 5  # times that an entry tries before the next in line has its turn
_SEEN = (AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED)


def offer_freed_time(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    now: datetime,
    at_most: int | None = None,
    tell_from: TellFrom = lambda now, _zone: now,
) -> list[str]:
    """Offer what is free to those who wait for it, each time with a Hold and a deadline, and return the ids of the offers.

    First come, first served; where the clinic says so (`rules.waitlist`) everybody who wants a time is offered it, and the
    first yes gets it. Nobody is offered what they could not book, what they passed on before, or a second time at once.
    `at_most`: so many Holds. With one in each transaction the order of locks is that of `place_hold`; so that is what jobs do.
    The deadline runs from `tell_from`. Others who do the same for this clinic wait until the end of the transaction.
    """
    _one_at_a_time(work, catalogue.clinic_id)
    catalogue = catalogue.for_patients()
    line = _Line.read(work.session, catalogue, now=now)
    if not line.entries:
        return []
    return list(_Offering(work, catalogue, line, now, tell_from).make(at_most))


def _one_at_a_time(work: UnitOfWork, clinic_id: str) -> None:
    # Two who look at once would both ask the first in line. On SQLite the transaction is the only writer already.
    if work.session.get_bind().dialect.name == "postgresql":
        key = func.hashtextextended(f"frontdesk.waitlist:{clinic_id}", 0)
        work.session.execute(select(func.pg_advisory_xact_lock(key)))


@dataclass(frozen=True)
class _Person:
    """What decides whether a Patient could book. `visits` by id, Holds included."""

    is_blocked: bool
    place: Place | None
    visits: Mapping[str, Interval]
    seen: tuple[str, ...]


@dataclass(frozen=True)
class _Line:
    """Who waits at a clinic, what they have, and what they were offered."""

    entries: Sequence[Waiting]
    replaced: Mapping[str, BookedVisit]
    people: Mapping[str, _Person]
    asked: set[str]  # ids of Patients who are still to answer
    passed: Mapping[str, set[tuple[datetime, str]]]  # by entry: start and Location of what it was offered

    @staticmethod
    def read(session: Session, catalogue: Catalogue, *, now: datetime) -> "_Line":
        waits = waiting_rows.waits(catalogue.clinic_id, now=now)
        given = {service.id for service in catalogue.services}
        entries = [entry for entry in waiting_rows.entries(session, waits) if entry.service_id in given]
        if not entries:
            return _Line([], {}, {}, set(), {})
        of_waiting = select(WaitlistEntry.id).where(waits)
        offered = waiting_rows.offers(session, Offer.entry_id.in_(of_waiting))
        patient_of = {entry.id: entry.patient_id for entry in entries}
        asked = {
            patient_of[offer.entry_id] for offer in offered if offer.is_open_at(now) and offer.entry_id in patient_of
        }
        visits = _visits(session, [entry.replaces_id for entry in entries] + [offer.hold_id for offer in offered])
        passed: dict[str, set[tuple[datetime, str]]] = defaultdict(set)
        for offer in offered:
            if offer.hold_id in visits:
                hold = visits[offer.hold_id]
                passed[offer.entry_id].add((hold.starts_at, hold.location_id))
        people = _people(session, select(WaitlistEntry.patient_id).where(waits), now=now)
        return _Line(entries, visits, people, asked, passed)


@dataclass
class _Offering:
    work: UnitOfWork
    catalogue: Catalogue
    line: _Line
    now: datetime
    tell_from: TellFrom

    def make(self, at_most: int | None) -> Iterator[str]:
        """Make offers until so many Holds are placed, and yield their ids."""
        holds = 0
        for entry in in_line(self.line.entries, asked=self.line.asked, now=self.now):
            if at_most is not None and holds >= at_most:
                return
            if entry.patient_id in self.line.asked:
                continue  # just now, for something else they wait for, or together with others
            made = self._offer_best(entry)
            holds += bool(made)
            yield from made

    @cached_property
    def free(self) -> dict["_Kind", list[Slot]]:
        """What is free of each kind of visit that is waited for, by start. As many statements as for one kind."""
        kinds: dict[_Kind, list[Waiting]] = defaultdict(list)
        for entry in self.line.entries:
            kind = self._kind(entry)
            # A visit to be moved may be of a length that the service has no more: nothing is free of that.
            if kind.duration is None or Lengths.of(self.catalogue.service(kind.service_id)).allow(kind.duration):
                kinds[kind].append(entry)
        queries = [self._query(kind, entries) for kind, entries in kinds.items()]
        found = find_slots_many(self.work.session, self.catalogue, queries=queries, now=self.now)
        return dict(zip(kinds, found, strict=True))

    def _kind(self, entry: Waiting) -> "_Kind":
        service = self.catalogue.service(entry.service_id)
        visit = self._replaced(entry)
        flexible = visit is not None and service.longest is not None
        return _Kind(
            service.id,
            visit.ends_at - visit.starts_at if visit is not None and flexible else None,
            self.line.people[entry.patient_id].place if service.mode is Mode.HOME else None,
        )

    def _query(self, kind: "_Kind", entries: Sequence[Waiting]) -> SlotQuery:
        """Return what finds everything that any of the entries could want."""
        latest = max(latest_start(self.catalogue.rules_at(one.id), self.now) for one in self.catalogue.locations)
        whole = Interval(self.now, latest + timedelta(seconds=1))
        spans = [span for entry in entries for span in (entry.spans or (whole,))]
        anybody = any(not entry.practitioner_ids for entry in entries)
        anywhere = any(not entry.location_ids for entry in entries)
        return SlotQuery(
            kind.service_id,
            Interval(self.now, max(whole.start + timedelta(seconds=1), *(span.end for span in spans))),
            practitioner_ids=()
            if anybody
            else tuple(sorted({one for each in entries for one in each.practitioner_ids})),
            location_ids=() if anywhere else tuple(sorted({one for each in entries for one in each.location_ids})),
            duration=kind.duration,
            place=kind.place,
        )

    def _offer_best(self, entry: Waiting) -> list[str]:
        """Offer the first time that suits, and say what was offered to whom."""
        for slots in islice(self._suitable(entry), _TRIES):
            try:
                return self._offer(entry, slots)
            except Refused:
                continue  # somebody has just taken it, or something of the patient's own is in the way
        return []

    def _suitable(self, entry: Waiting) -> Iterator[list[Slot]]:
        """Yield what suits the entry, by time: the Slots of all who are free then and there."""
        slots = (slot for slot in self.free.get(self._kind(entry), ()) if self._suits(entry, slot))
        for _, together in groupby(slots, key=lambda slot: slot.starts_at):
            at_first_place = list(together)
            yield [slot for slot in at_first_place if slot.location_id == at_first_place[0].location_id]

    def _suits(self, entry: Waiting, slot: Slot) -> bool:
        if (slot.starts_at, slot.location_id) in self.line.passed.get(entry.id, ()):
            return False
        if not match(entry, slot, replaces=self._replaced(entry)) or self._deadline(entry, slot) is None:
            return False
        return self._could_book(entry, slot)

    def _could_book(self, entry: Waiting, slot: Slot) -> bool:
        person = self.line.people[entry.patient_id]
        day = local_day(slot.starts_at, self.catalogue.location(slot.location_id).zone)
        theirs = [time for visit_id, time in person.visits.items() if visit_id != entry.replaces_id]
        facts = Facts(
            rules=self.catalogue.rules_at(slot.location_id),
            now=self.now,
            visit=Interval(slot.starts_at, slot.ends_at),
            patient_is_blocked=person.is_blocked,
            prior_visit=self.catalogue.service(slot.service_id).prior_visit,
            practitioner_ids=(slot.practitioner_id,),
            seen=person.seen,
            patient_visits=tuple(theirs),
            patient_visits_that_day=sum(day.start <= time.start < day.end for time in theirs),
        )
        return not broken(facts, Concern.PATIENT) and self._could_move(entry, facts)

    def _could_move(self, entry: Waiting, facts: Facts) -> bool:
        if entry.replaces_id is None:
            return True
        visit = self._replaced(entry)
        if visit is None or visit.status not in {AppointmentStatus.BOOKED, AppointmentStatus.PENDING}:
            return False
        facts = dataclasses.replace(
            facts,
            rules=self.catalogue.rules_at(visit.location_id),
            stands_at=visit.starts_at,
            times_moved=visit.times_moved,
        )
        return not broken(facts, Concern.CHANGE, Concern.MOVE)

    def _replaced(self, entry: Waiting) -> BookedVisit | None:
        return None if entry.replaces_id is None else self.line.replaced.get(entry.replaces_id)

    def _deadline(self, entry: Waiting, slot: Slot) -> datetime | None:
        visit = self._replaced(entry)
        return answer_by(
            slot,
            rules=self.catalogue.rules_at(slot.location_id),
            told_at=self.tell_from(self.now, self.catalogue.location(slot.location_id).zone),
            replaces=visit,
            rules_of_replaced=None if visit is None else self.catalogue.rules_at(visit.location_id),
        )

    def _offer(self, entry: Waiting, slots: Sequence[Slot]) -> list[str]:
        """Raises what `place_hold` does; then nothing was written."""
        slot = slots[0]
        shared = self.catalogue.rules_at(slot.location_id).waitlist is Offering.ALL
        if not shared or self.catalogue.service(slot.service_id).mode is Mode.HOME:
            hold = self._hold(entry, slot, tuple(dict.fromkeys(one.practitioner_id for one in slots)), is_shared=False)
            return [self._write(entry, hold)]
        hold = self._hold(entry, slot, (slot.practitioner_id,), is_shared=True)
        return [self._write(each, hold) for each in self._all_who_want(slot, first=entry)]

    def _all_who_want(self, slot: Slot, *, first: Waiting) -> Iterator[Waiting]:
        for entry in in_line(self.line.entries, asked=self.line.asked, now=self.now):
            if entry.id == first.id or (
                entry.patient_id not in self.line.asked
                and self._kind(entry) == self._kind(first)
                and self._suits(entry, slot)
            ):
                yield entry

    def _hold(self, entry: Waiting, slot: Slot, people: tuple[str, ...], *, is_shared: bool) -> BookedVisit:
        kind = self._kind(entry)
        rules = self.catalogue.rules_at(slot.location_id)
        told_at = self.tell_from(self.now, self.catalogue.location(slot.location_id).zone)
        # Each offer has its own deadline, which may be earlier: who would move a visit may have to say so sooner.
        expires_at = answer_by(slot, rules=rules, told_at=told_at) if is_shared else self._deadline(entry, slot)
        return place_hold(
            self.work,
            self.catalogue,
            service_id=slot.service_id,
            location_id=slot.location_id,
            starts_at=slot.starts_at,
            practitioner_ids=people,
            conversation_id=None,
            patient_id=None if is_shared else entry.patient_id,
            source=entry.source,
            now=self.now,
            replaces_appointment_id=None if is_shared else entry.replaces_id,
            duration=kind.duration,
            place=kind.place,
            expires_at=expires_at,
            actor="system",
        )

    def _write(self, entry: Waiting, hold: BookedVisit) -> str:
        slot = Slot(hold.starts_at, hold.practitioner_id, hold.location_id, hold.service_id, hold.ends_at)
        expires_at = self._deadline(entry, slot) or hold.hold_expires_at
        offer_id = new_id()
        row = {
            "id": offer_id,
            "entry_id": entry.id,
            "hold_id": hold.id,
            "status": OfferStatus.OPEN,
            "offered_at": self.now,
            "expires_at": expires_at,
        }
        self.work.session.execute(insert(Offer).values(row))
        self.line.asked.add(entry.patient_id)
        self.work.publish(
            OfferMade(
                occurred_at=self.now,
                clinic_id=entry.clinic_id,
                appointment_id=hold.id,
                revision=0,
                sequence=hold.sequence,
                offer_id=offer_id,
            )
        )
        return offer_id


@dataclass(frozen=True)
class _Kind:
    """What is looked for in one search, whoever waits for it."""

    service_id: str
    duration: timedelta | None
    place: Place | None


def _visits(session: Session, ids: Sequence[str | None]) -> dict[str, BookedVisit]:
    wanted = sorted({each for each in ids if each is not None})
    if not wanted:
        return {}
    rows = session.execute(ledger.entries().where(Appointment.id.in_(wanted)))
    return {str(entry.visit.id): entry.visit for entry in map(ledger.entry_of, rows)}


def _people(session: Session, ids: Select[str], *, now: datetime) -> dict[str, _Person]:
    """Return the Patients by id. Three statements."""
    visits: dict[str, dict[str, Interval]] = defaultdict(dict)
    time = (Appointment.id, Appointment.starts_at, Appointment.ends_at)
    lasts = (
        Appointment.status.in_(BLOCKING),
        # A day's maximum counts those of the same day that are over.
        Appointment.ends_at > now - timedelta(days=2),
        counts_at(now),
    )
    theirs = select(Appointment.patient_id, *time).where(Appointment.patient_id.in_(ids), *lasts)
    # Who sits in a group then can't come either.
    in_groups = (
        select(Participant.patient_id, *time)
        .join(Appointment, Appointment.id == Participant.appointment_id)
        .where(Participant.patient_id.in_(ids), seats_count(now), *lasts)
    )
    for patient_id, visit_id, starts_at, ends_at in session.execute(union_all(theirs, in_groups)):
        visits[str(patient_id)][visit_id] = Interval(starts_at, ends_at)
    seen: dict[str, list[str]] = defaultdict(list)
    last = (
        select(Appointment.patient_id, Appointment.practitioner_id)
        .where(Appointment.patient_id.in_(ids), Appointment.status.in_(_SEEN), Appointment.starts_at <= now)
        .group_by(Appointment.patient_id, Appointment.practitioner_id)
    )
    for patient_id, practitioner_id in session.execute(last):
        seen[str(patient_id)].append(str(practitioner_id))
    patients = session.execute(select(Patient.id, Patient.blocked, Patient.place).where(Patient.id.in_(ids)))
    return {
        row.id: _Person(row.blocked, place_of(row.place), visits.get(row.id, {}), tuple(seen.get(row.id, ())))
        for row in patients
    }
