"""Book a visit by hand, whatever kind of service it is: one visit, a place in a group, or all parts of a package."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from booking import guard
from booking.asked import service_asked
from booking.book import book_visit
from booking.guard import SlotTaken
from booking.queries import find_slots
from booking.several.bundles import PartWish, confirm_bundle, place_package
from booking.several.groups import confirm_seat, join_session, open_session
from booking.values import Catalogue, ServiceInfo, SlotQuery, Source
from kernel.interval import Interval
from kernel.work import UnitOfWork


@dataclass(frozen=True)
class ByHand:
    """What staff book, for whom. `practitioner_ids` empty: the best of all who are able. `session_id`: a group that meets then.

    `duration`: of a flexible service.
    """

    service_id: str
    location_id: str
    starts_at: datetime
    patient_id: str
    practitioner_ids: tuple[str, ...] = ()
    session_id: str | None = None
    duration: timedelta | None = None
    override_reason: str | None = None


def book_by_hand(work: UnitOfWork, catalogue: Catalogue, asked: ByHand, *, now: datetime, actor: str) -> str:
    """Book what was asked for by the same rules as everybody's, and return the id of the Appointment, of a package the first.

    A group that does not meet then is opened. Each call books. Raises what `book_visit`, `join_session`, `open_session` or
    `place_package` raises; nothing is written then.
    """
    service = service_asked(catalogue, asked.service_id)
    with guard.all_or_nothing(work):
        if service.group is not None:
            return _seat(work, catalogue, asked, now=now, actor=actor)
        if service.steps:
            return _package(work, catalogue, service, asked, now=now, actor=actor)
        visit = book_visit(
            work,
            catalogue,
            service_id=asked.service_id,
            location_id=asked.location_id,
            starts_at=asked.starts_at,
            patient_id=asked.patient_id,
            practitioner_ids=asked.practitioner_ids,
            source=Source.STAFF,
            now=now,
            duration=asked.duration,
            actor=actor,
            override_reason=asked.override_reason,
        )
        return visit.id


def _seat(work: UnitOfWork, catalogue: Catalogue, asked: ByHand, *, now: datetime, actor: str) -> str:
    session_id = asked.session_id
    if session_id is None:
        session_id = open_session(
            work,
            catalogue,
            service_id=asked.service_id,
            location_id=asked.location_id,
            starts_at=asked.starts_at,
            practitioner_ids=asked.practitioner_ids,
            duration=asked.duration,
            now=now,
            actor=actor,
            override_reason=asked.override_reason,
        ).id
    seat = join_session(
        work,
        catalogue,
        session_id=session_id,
        patient_id=asked.patient_id,
        conversation_id=None,
        source=Source.STAFF,
        now=now,
        actor=actor,
        override_reason=asked.override_reason,
    )
    confirm_seat(
        work,
        catalogue,
        seat_id=seat.id,
        patient_id=asked.patient_id,
        now=now,
        actor=actor,
        override_reason=asked.override_reason,
    )
    return session_id


def _package(
    work: UnitOfWork, catalogue: Catalogue, service: ServiceInfo, asked: ByHand, *, now: datetime, actor: str
) -> str:
    query = SlotQuery(
        service.id,
        Interval(asked.starts_at, asked.starts_at + timedelta(seconds=1)),
        practitioner_ids=asked.practitioner_ids,
        location_ids=(asked.location_id,),
    )
    found = find_slots(work.session, catalogue, query=query, now=now)
    if not found:
        raise SlotTaken
    visits = place_package(
        work,
        catalogue,
        service_id=service.id,
        parts=[PartWish.of(part, patient_id=asked.patient_id) for part in found[0].parts],
        conversation_id=None,
        source=Source.STAFF,
        now=now,
        actor=actor,
        override_reason=asked.override_reason,
    )
    booked = confirm_bundle(
        work,
        catalogue,
        bundle_id=str(visits[0].bundle_id),
        patient_ids=asked.patient_id,
        now=now,
        actor=actor,
        override_reason=asked.override_reason,
    )
    return booked[0].id
