"""The diary as a child would keep it: a list of visits and, for each, the minutes it has in whose book; who sits in which group,
who waits for what, and what they were offered.

Says of each operation whether it must succeed and what then stands in the diary; the product is held against it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product

from booking.values import AppointmentStatus, Catalogue, Offering
from booking.waiting_list.waiting import EntryStatus, OfferStatus
from tests.races.clinic import PEOPLE

S = AppointmentStatus
Claims = dict[str, frozenset[int]]

TAKES_TIME = {S.PENDING, S.BOOKED, S.ARRIVED, S.FULFILLED}
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Entry:
    """A visit: what it is, and the minutes since the epoch that it has, by Schedule."""

    id: str
    service_id: str
    practitioner_id: str
    starts_at: datetime
    ends_at: datetime
    patient_id: str | None
    status: AppointmentStatus
    hold_expires_at: datetime | None
    replaces_id: str | None
    conversation_id: str | None
    claims: Claims = field(default_factory=dict)
    waived: frozenset[str] = frozenset()
    """What was against the rules when staff held it all the same."""
    given_back: Claims = field(default_factory=dict)
    """The time it had when nobody came."""
    was_undone: bool = False
    """Whether staff took back what was noted about who came."""
    was_wished: bool = False
    """Whether it began without a time."""

    def as_written(self) -> "Entry":
        """Return it without what only the model remembers, and without its claims."""
        return replace(self, claims={}, waived=frozenset(), given_back={}, was_undone=False, was_wished=False)

    @property
    def is_session(self) -> bool:
        return self.service_id == "service-class"

    @property
    def is_hold(self) -> bool:
        return self.status is S.PENDING and self.hold_expires_at is not None

    def counts(self, now: datetime) -> bool:
        """Say whether others have to respect it."""
        return self.status in TAKES_TIME and (self.hold_expires_at is None or self.hold_expires_at > now)


@dataclass(frozen=True)
class Seat:
    """One place in a group's session."""

    id: str
    session_id: str
    patient_id: str
    conversation_id: str | None
    status: AppointmentStatus
    hold_expires_at: datetime | None

    def counts(self, now: datetime) -> bool:
        """Say whether nobody else may have it."""
        return self.status in TAKES_TIME and (self.hold_expires_at is None or self.hold_expires_at > now)

    def given_back(self) -> "Seat":
        """Return it free for others; one that was only held keeps its expiry, by which it is told from one that was booked."""
        return replace(self, status=S.CANCELLED)


@dataclass(frozen=True)
class Wait:
    """Somebody who waits for one of some times, with one of `people`."""

    id: str
    patient_id: str
    service_id: str
    people: tuple[str, ...]
    starts: tuple[datetime, ...]
    created_at: datetime
    expires_at: datetime
    status: EntryStatus = EntryStatus.WAITING

    def waits(self, now: datetime) -> bool:
        return self.status is EntryStatus.WAITING and self.expires_at > now


@dataclass(frozen=True)
class Offered:
    """A time that is kept for one who waits."""

    id: str
    wait_id: str
    hold_id: str
    status: OfferStatus
    expires_at: datetime


@dataclass(frozen=True)
class NextOffer:
    """What has to be offered next: to whom, when, and who may give it."""

    waits: tuple[Wait, ...]
    starts_at: datetime
    people: tuple[str, ...]
    expires_at: datetime


class ModelDiary:
    """All visits there ever were, in the order in which they came."""

    def __init__(self, catalogue: Catalogue, *, now: datetime) -> None:
        self.catalogue = catalogue
        self.now = now
        self.entries: dict[str, Entry] = {}
        self.seats: dict[str, Seat] = {}
        self.waits: dict[str, Wait] = {}
        self.offers: dict[str, Offered] = {}
        self.bundles: list[tuple[str, tuple[str, ...]]] = []

    def visits(self) -> list[Entry]:
        """Return all that are, or were to be, somebody's visit with somebody: neither sessions nor mere wishes."""
        return [one for one in self.entries.values() if one.practitioner_id and not one.is_session]

    def sessions(self) -> list[Entry]:
        return [one for one in self.entries.values() if one.is_session]

    def wanted(self, service_id: str, starts_at: datetime) -> frozenset[int]:
        """Return the minutes that a visit needs, buffers included."""
        service = self.catalogue.service(service_id)
        first = starts_at - service.buffer_before
        last = starts_at + service.duration + service.buffer_after
        return frozenset(minutes(first, last))

    def is_free(self, schedule_id: str, wanted: frozenset[int], *, ours: Sequence[str] = ()) -> bool:
        return not any(
            wanted & entry.claims.get(schedule_id, frozenset())
            for entry in self.entries.values()
            if entry.id not in ours and entry.counts(self.now)
        )

    def can_have(
        self, service_id: str, starts_at: datetime, practitioner_ids: Sequence[str], *, ours: Sequence[str] = ()
    ) -> bool:
        """Say whether one of these is free, and a room if one is needed."""
        wanted = self.wanted(service_id, starts_at)
        people = [self.catalogue.practitioner(one).schedule_id for one in practitioner_ids]
        if not any(self.is_free(one, wanted, ours=ours) for one in people):
            return False
        return all(
            any(self.is_free(room.schedule_id, wanted, ours=ours) for room in self.catalogue.resources)
            for _ in self.catalogue.service(service_id).resources
        )

    def can_have_all(self, parts: Sequence[tuple[str, datetime, Sequence[str]]], *, ours: Sequence[str] = ()) -> bool:
        """Say whether there is any way to give each of the visits, by service, start and people, one of them and a room."""
        rooms = [room.schedule_id for room in self.catalogue.resources]

        def fits(number: int, chosen: tuple[tuple[str, frozenset[int]], ...]) -> bool:
            if number == len(parts):
                return True
            service_id, starts_at, people = parts[number]
            wanted = self.wanted(service_id, starts_at)
            diaries = [self.catalogue.practitioner(one).schedule_id for one in people]
            kinds = [diaries, *(rooms for _ in self.catalogue.service(service_id).resources)]
            return any(
                all(
                    self.is_free(each, wanted, ours=ours)
                    and not any(each == other and wanted & had for other, had in chosen)
                    for each in some
                )
                and fits(number + 1, (*chosen, *((each, wanted) for each in some)))
                for some in product(*kinds)
            )

        return fits(0, ())

    def against_the_rules(self, starts_at: datetime, *, hours: Collection[datetime]) -> frozenset[str]:
        """Return what is wrong with a time, whoever is free then. `hours`: the times at which a visit may start."""
        wrong = {
            "in-the-past": starts_at < self.now,
            "too-soon": self.now <= starts_at < self.now + self.catalogue.rules.minimum_notice,
            "outside-hours": starts_at not in hours,
        }
        return frozenset(what for what, is_so in wrong.items() if is_so)

    def has_other_visit(
        self, patient_id: str | None, starts_at: datetime, ends_at: datetime, *, ours: Sequence[str] = ()
    ) -> bool:
        """Say whether the patient is at a visit or in a group then."""
        sits = {one.session_id for one in self.seats.values() if one.patient_id == patient_id and one.counts(self.now)}
        return patient_id is not None and any(
            (entry.patient_id == patient_id or entry.id in sits)
            and entry.id not in ours
            and entry.counts(self.now)
            and entry.starts_at < ends_at
            and starts_at < entry.ends_at
            for entry in self.entries.values()
        )

    def seat_in(self, session_id: str, patient_id: str) -> Seat | None:
        found = [one for one in self.seats.values() if (one.session_id, one.patient_id) == (session_id, patient_id)]
        return found[0] if found else None

    def has_room(self, session: Entry, *, but: Seat | None = None) -> bool:
        """Say whether a group has a seat for one more."""
        group = self.catalogue.service(session.service_id).group
        assert group is not None
        taken = [one for one in self.seats.values() if one.session_id == session.id and one.counts(self.now)]
        return len([one for one in taken if one != but]) < group.maximum

    def next_offer(self, *, hours: Collection[datetime]) -> NextOffer | None:
        """Return what the first in line for whom there is anything is offered, and who with them."""
        open_ = [one for one in self.offers.values() if one.status is OfferStatus.OPEN and one.expires_at > self.now]
        waiting = [one for one in self.waits.values() if one.waits(self.now)]
        asked = {one.patient_id for one in waiting for offer in open_ if offer.wait_id == one.id}
        line = sorted((one for one in waiting if one.patient_id not in asked), key=lambda one: one.created_at)
        for wait in line:
            for starts_at in wait.starts:
                people = self._who_could(wait, starts_at, hours=hours)
                expires_at = min(
                    self.now + self.catalogue.rules.offer_for, starts_at - self.catalogue.rules.minimum_notice
                )
                if not people or expires_at <= self.now:
                    continue
                if self.catalogue.rules.waitlist is Offering.ONE_BY_ONE:
                    return NextOffer((wait,), starts_at, people, expires_at)
                person = people[:1]
                return NextOffer(
                    tuple(self._with_them(line, wait, starts_at, person[0], hours)), starts_at, person, expires_at
                )
        return None

    def _with_them(
        self, line: Sequence[Wait], first: Wait, starts_at: datetime, person: str, hours: Collection[datetime]
    ) -> Iterator[Wait]:
        """Yield who is offered the time together with `first`: of each patient one wish."""
        patients = set()
        for wait in (first, *line):
            wants_it = wait.service_id == first.service_id and starts_at in wait.starts
            if wants_it and wait.patient_id not in patients and person in self._who_could(wait, starts_at, hours=hours):
                patients.add(wait.patient_id)
                yield wait

    def _who_could(self, wait: Wait, starts_at: datetime, *, hours: Collection[datetime]) -> tuple[str, ...]:
        """Return with whom the time could be offered to who waits: nobody if it was before, or is nothing for them."""
        before = {self.entries[one.hold_id].starts_at for one in self.offers.values() if one.wait_id == wait.id}
        ends_at = starts_at + self.catalogue.service(wait.service_id).duration
        if (
            starts_at in before
            or self.against_the_rules(starts_at, hours=hours)
            or self.has_other_visit(wait.patient_id, starts_at, ends_at)
        ):
            return ()
        everybody = tuple(f"practitioner-{key}" for key in PEOPLE)
        return tuple(one for one in wait.people or everybody if self.can_have(wait.service_id, starts_at, (one,)))

    def holds_of(self, conversation_id: str) -> list[Entry]:
        return [one for one in self.entries.values() if one.is_hold and one.conversation_id == conversation_id]

    def closed(self, entry: Entry, *, keeps_expiry: bool = True) -> Entry:
        """Return the entry as it is when it was called off."""
        expires_at = entry.hold_expires_at if keeps_expiry else None
        return replace(entry, status=S.CANCELLED, claims={}, hold_expires_at=expires_at)


def minutes(start: datetime, end: datetime) -> Iterator[int]:
    """Return the minutes from one instant until before another."""
    return iter(range(int(start.timestamp()) // 60, int(end.timestamp()) // 60))
