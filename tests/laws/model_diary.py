"""The diary as a child would keep it: a list of visits and, for each, the minutes it has in whose book.

Says of each operation whether it must succeed and what then stands in the diary; the product is held against it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from booking.values import AppointmentStatus, Catalogue

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

    @property
    def is_hold(self) -> bool:
        return self.status is S.PENDING and self.hold_expires_at is not None

    def counts(self, now: datetime) -> bool:
        """Say whether others have to respect it."""
        return self.status in TAKES_TIME and (self.hold_expires_at is None or self.hold_expires_at > now)


class ModelDiary:
    """All visits there ever were, in the order in which they came."""

    def __init__(self, catalogue: Catalogue, *, now: datetime) -> None:
        self.catalogue = catalogue
        self.now = now
        self.entries: dict[str, Entry] = {}

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
        return patient_id is not None and any(
            entry.patient_id == patient_id
            and entry.id not in ours
            and entry.counts(self.now)
            and entry.starts_at < ends_at
            and starts_at < entry.ends_at
            for entry in self.entries.values()
        )

    def holds_of(self, conversation_id: str) -> list[Entry]:
        return [one for one in self.entries.values() if one.is_hold and one.conversation_id == conversation_id]

    def closed(self, entry: Entry, *, keeps_expiry: bool = True) -> Entry:
        """Return the entry as it is when it was called off."""
        expires_at = entry.hold_expires_at if keeps_expiry else None
        return replace(entry, status=S.CANCELLED, claims={}, hold_expires_at=expires_at)


def minutes(start: datetime, end: datetime) -> Iterator[int]:
    """Return the minutes from one instant until before another."""
    return iter(range(int(start.timestamp()) // 60, int(end.timestamp()) // 60))
