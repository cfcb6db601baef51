"""The waiting list: who wants a time that is not free. All that others call is here; what is offered is in `offers`."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from booking import ledger
from booking.asked import instant_asked, location_asked, people_asked, service_asked
from booking.availability import search_places
from booking.desk.away import EndBeforeStart
from booking.facts import LockedPatient, lock_patient
from booking.model.waitlist import Offer, WaitlistEntry
from booking.rules import (
    AlreadyOver,
    InThePast,
    NotOffered,
    PatientBlocked,
    PlaceNeeded,
    TooFar,
    TooSoon,
    earliest_start,
    latest_start,
)
from booking.values import AppointmentStatus, BookingRules, Catalogue, Mode, ServiceInfo, SlotQuery, Source
from booking.waiting_list import waiting_rows
from booking.waiting_list.freed_time import offer_freed_time
from booking.waiting_list.offers import (
    OfferGone,
    UnknownOffer,
    accept_offer,
    decline_offer,
    expire_offers,
    last_offer_of_number,
    let_go,
    offer_made,
    open_offers_of_number,
)
from booking.waiting_list.waiting import EntryStatus, Offered, OfferStatus, Waiting, in_line, match
from kernel.db import new_id
from kernel.errors import Refused
from kernel.interval import Interval, merged
from kernel.work import UnitOfWork

__all__ = [
    "EntryStatus",
    "NoWaitingList",
    "OfferGone",
    "OfferStatus",
    "Offered",
    "OtherService",
    "TooManySpans",
    "UnknownEntry",
    "UnknownOffer",
    "Waiting",
    "accept_offer",
    "clinics_waiting",
    "decline_offer",
    "entries_of_patient",
    "expire_offers",
    "in_line",
    "join_waitlist",
    "last_offer_of_number",
    "leave_waitlist",
    "match",
    "offer_freed_time",
    "offer_made",
    "offers_of_entries",
    "open_offers_of_number",
    "span_asked",
    "waiting_at",
]

_MOST_SPANS = 100


class NoWaitingList(Refused):
    """One time is not enough for this service, or it is shared: staff arrange it."""

    code = "no-waiting-list"


class OtherService(Refused):
    """The visit that is to be moved is for another service."""

    code = "other-service"


class TooManySpans(Refused):
    """More times were named than anybody means."""

    code = "too-many-spans"


class UnknownEntry(Refused):
    """There is no such entry on the clinic's waiting list."""

    code = "unknown-entry"


def span_asked(starts_at: datetime, ends_at: datetime, *, now: datetime) -> Interval:
    """Return the span from one time to another. Raises TimeWithoutZone, ImplausibleTime, EndBeforeStart."""
    start, end = instant_asked(starts_at, now=now), instant_asked(ends_at, now=now)
    if end <= start:
        raise EndBeforeStart(starts_at=start.isoformat(), ends_at=end.isoformat())
    return Interval(start, end)


def join_waitlist(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    patient_id: str,
    service_id: str,
    practitioner_ids: tuple[str, ...] = (),
    location_ids: tuple[str, ...] = (),
    spans: Sequence[Interval] = (),
    replaces_id: str | None = None,
    conversation_id: str | None,
    source: Source,
    now: datetime,
) -> str:
    """Put the patient on the waiting list and return the entry's id. Empty means anything will do; `spans` bound the starts.

    With `replaces_id` they have that visit and want another time for it; an earlier one, where no spans are named. The same
    wish gives the same entry while it waits. It waits for `rules.waitlist_for`, or until the last span is over. Locks the
    Patient. Raises UnknownService, UnknownPractitioner, UnknownLocation, UnknownPatient, UnknownVisit, VisitClosed,
    AlreadyOver, OtherService for what makes no sense; InThePast, TooSoon, TooFar, ImplausibleTime, TooManySpans for a span in
    which nothing can be booked; NotOffered, NoWaitingList, PatientBlocked, PlaceNeeded where nothing could ever be offered.
    """
    service = service_asked(catalogue, service_id)
    people_asked(catalogue, practitioner_ids)
    for location_id in location_ids:
        location_asked(catalogue, location_id)
    rules = _check_service(catalogue, service, practitioner_ids, location_ids)
    wanted = _spans_checked(spans, rules, now=now)
    patient = lock_patient(work, patient_id=patient_id, clinic_id=catalogue.clinic_id)
    _check_patient(patient, service)
    if replaces_id is not None:
        _check_visit(work.session, catalogue, replaces_id, patient_id=patient_id, service=service, now=now)
    ends = [span.end for span in wanted]
    waits_for = max(one.waitlist_for for one in rules)
    entry = Waiting(
        id=new_id(),
        clinic_id=catalogue.clinic_id,
        patient_id=patient_id,
        service_id=service_id,
        practitioner_ids=tuple(sorted(set(practitioner_ids))),
        location_ids=tuple(sorted(set(location_ids))),
        spans=wanted,
        replaces_id=replaces_id,
        conversation_id=conversation_id,
        source=source,
        status=EntryStatus.WAITING,
        created_at=now,
        expires_at=min(now + waits_for, max(ends, default=now + waits_for)),
    )
    same = _same_wish(work.session, entry, now=now)
    if same is not None:
        return same
    _write(work, entry)
    return entry.id


def leave_waitlist(work: UnitOfWork, *, clinic_id: str, entry_id: str, now: datetime) -> None:
    """Take the entry off the list and let go what was offered to it. Nothing happens if it does not wait any more.

    Locks the Patient and the Holds of open offers. Raises UnknownEntry.
    """
    its_own = (WaitlistEntry.id == entry_id, WaitlistEntry.clinic_id == clinic_id)
    found = waiting_rows.entries(work.session, *its_own)
    if not found:
        raise UnknownEntry(entry_id=entry_id)
    lock_patient(work, patient_id=found[0].patient_id, clinic_id=clinic_id)
    left = (
        update(WaitlistEntry)
        .where(*its_own, WaitlistEntry.status == EntryStatus.WAITING)
        .values(status=EntryStatus.LEFT)
        .returning(WaitlistEntry.id)
    )
    if work.session.scalars(left).all():
        let_go(work, entry_ids=[entry_id], now=now)


def entries_of_patient(session: Session, *, clinic_id: str, patient_id: str, now: datetime) -> list[Waiting]:
    """Return what the patient waits for, the oldest first."""
    return waiting_rows.entries_of_patient(session, clinic_id=clinic_id, patient_id=patient_id, now=now)


def waiting_at(session: Session, *, clinic_id: str, now: datetime) -> list[Waiting]:
    """Return the clinic's waiting list, the oldest first."""
    return waiting_rows.entries(session, waiting_rows.waits(clinic_id, now=now))


def clinics_waiting(session: Session, *, now: datetime) -> list[str]:
    """Return the ids of clinics at which somebody waits."""
    waits = (WaitlistEntry.status == EntryStatus.WAITING, WaitlistEntry.expires_at > now)
    return sorted(session.scalars(select(WaitlistEntry.clinic_id).where(*waits).distinct()))


def offers_of_entries(session: Session, *, entry_ids: Sequence[str]) -> dict[str, list[Offered]]:
    """Return what was offered to each entry, the oldest first. One statement."""
    found: dict[str, list[Offered]] = {entry_id: [] for entry_id in entry_ids}
    for offer in waiting_rows.offers(session, Offer.entry_id.in_(entry_ids)):
        found[offer.entry_id].append(offer)
    return found


def _check_service(
    catalogue: Catalogue, service: ServiceInfo, people: tuple[str, ...], places: tuple[str, ...]
) -> list[BookingRules]:
    """Return the rules of all places where it may be."""
    if service.steps or service.group is not None:
        raise NoWaitingList(service_id=service.id)
    anytime = Interval(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    query = SlotQuery(service.id, anytime, practitioner_ids=people, location_ids=places)
    found = search_places(catalogue.for_patients(), query)
    if service not in catalogue.services or not found:
        raise NotOffered
    return [wanted.rules for wanted, _ in found]


def _spans_checked(spans: Sequence[Interval], rules: Sequence[BookingRules], *, now: datetime) -> tuple[Interval, ...]:
    if len(spans) > _MOST_SPANS:
        raise TooManySpans(most=_MOST_SPANS)
    soonest = min(rules, key=lambda one: one.minimum_notice)
    furthest = max(rules, key=lambda one: one.maximum_advance)
    for span in spans:
        instant_asked(span.start, now=now)
        if span.end <= now:
            raise InThePast(starts_at=span.start.isoformat())
        earliest = earliest_start(soonest, now)
        if span.end <= earliest:
            minutes = round(soonest.minimum_notice.total_seconds() / 60)
            raise TooSoon(earliest_at=earliest.isoformat(), notice_minutes=minutes)
        latest = latest_start(furthest, now)
        if span.start > latest:
            raise TooFar(latest_at=latest.isoformat(), days=furthest.maximum_advance.days)
    return tuple(merged(spans))


def _check_patient(patient: LockedPatient, service: ServiceInfo) -> None:
    if patient.is_blocked:
        raise PatientBlocked
    if service.mode is Mode.HOME and patient.place is None:
        raise PlaceNeeded


def _check_visit(
    session: Session, catalogue: Catalogue, visit_id: str, *, patient_id: str, service: ServiceInfo, now: datetime
) -> None:
    visit = ledger.read(session, appointment_id=visit_id, clinic_id=catalogue.clinic_id).visit
    if visit.patient_id != patient_id or visit.is_hold:
        raise ledger.UnknownVisit
    if visit.status not in {AppointmentStatus.BOOKED, AppointmentStatus.PENDING}:
        raise ledger.VisitClosed(status=str(visit.status))
    if visit.starts_at <= now:
        raise AlreadyOver(starts_at=visit.starts_at.isoformat())
    if visit.service_id != service.id:
        raise OtherService(service_id=visit.service_id)


def _same_wish(session: Session, wanted: Waiting, *, now: datetime) -> str | None:
    theirs = entries_of_patient(session, clinic_id=wanted.clinic_id, patient_id=wanted.patient_id, now=now)
    return next((entry.id for entry in theirs if _wish(entry) == _wish(wanted)), None)


def _wish(entry: Waiting) -> tuple[object, ...]:
    return entry.service_id, entry.practitioner_ids, entry.location_ids, entry.spans, entry.replaces_id


def _write(work: UnitOfWork, entry: Waiting) -> None:
    row = {
        **vars(entry),
        "practitioner_ids": list(entry.practitioner_ids),
        "location_ids": list(entry.location_ids),
        "spans": [[_iso(span.start), _iso(span.end)] for span in entry.spans],
    }
    work.session.execute(insert(WaitlistEntry).values(**row))


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
