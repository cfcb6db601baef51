"""What a process does in a race: one use case each, in a transaction of its own, as the product's outermost callers do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from booking.cancel import cancel_appointment
from booking.confirm import confirm_hold
from booking.expiry import expire_holds
from booking.hold import place_hold
from booking.reschedule import reschedule
from booking.several.bundles import PartWish, confirm_bundle, place_bundle, place_package
from booking.several.groups import confirm_seat, join_session
from booking.values import BookedVisit, BundleKind, Catalogue, Slot, Source
from booking.waiting_list.offers import accept_offer, expire_offers
from kernel.errors import Refused, Unavailable
from kernel.work import Database, UnitOfWork
from tests.support.racing import write_round_the_guard

TRIES = 8


@dataclass(frozen=True)
class Deed:
    """One thing to do, by the name of a function below."""

    name: str
    words: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ending:
    """How a deed ended: `done`, `refused`, `gave up` after many times Unavailable, or `error`."""

    how: str
    what: str = ""  # the code of the refusal, or the error
    visit: BookedVisit | None = None
    seconds: float = 0.0


def do(db: Database, catalogue: Catalogue, deed: Deed) -> Ending:
    """Do it, again while the diary is busy, as is asked of whoever meets Unavailable."""
    for _ in range(TRIES):
        try:
            visit = DEEDS[deed.name](db, catalogue, **deed.words)
        except Refused as refusal:
            return Ending("refused", refusal.code)
        except Unavailable:
            continue
        except Exception as error:  # noqa: BLE001 -- what reaches a caller is what the race is about
            return Ending("error", repr(error))
        return Ending("done", visit=visit)
    return Ending("gave up")


def book(
    db: Database,
    catalogue: Catalogue,
    *,
    service: str = "visit",
    people: tuple[str, ...] = (),
    starts_at: datetime,
    patient_id: str,
    conversation_id: str,
    now: datetime,
) -> BookedVisit:
    """Hold and confirm in one go."""

    def step(work: UnitOfWork) -> BookedVisit:
        hold = place_hold(
            work,
            catalogue,
            service_id=f"service-{service}",
            location_id="location-main",
            starts_at=starts_at,
            practitioner_ids=tuple(f"practitioner-{person}" for person in people),
            conversation_id=conversation_id,
            patient_id=patient_id,
            source=Source.PHONE,
            now=now,
        )
        return confirm_hold(work, catalogue, appointment_id=hold.id, patient_id=patient_id, now=now, actor="patient")

    return db.run(step)


def hold(
    db: Database,
    catalogue: Catalogue,
    *,
    service: str = "visit",
    people: tuple[str, ...],
    starts_at: datetime,
    conversation_id: str,
    now: datetime,
    replaces_id: str | None = None,
    lasts: timedelta | None = None,
) -> BookedVisit:
    """Keep a time for a conversation."""
    return db.run(
        lambda work: place_hold(
            work,
            catalogue,
            service_id=f"service-{service}",
            location_id="location-main",
            starts_at=starts_at,
            practitioner_ids=tuple(f"practitioner-{person}" for person in people),
            conversation_id=conversation_id,
            source=Source.PHONE,
            now=now,
            replaces_appointment_id=replaces_id,
            expires_at=None if lasts is None else now + lasts,
        )
    )


def confirm(db: Database, catalogue: Catalogue, *, hold_id: str, patient_id: str, now: datetime) -> BookedVisit:
    """Say yes to a time that is kept."""
    return db.run(
        lambda work: confirm_hold(
            work, catalogue, appointment_id=hold_id, patient_id=patient_id, now=now, actor="patient"
        )
    )


def move(
    db: Database,
    catalogue: Catalogue,
    *,
    visit_id: str,
    service: str = "visit",
    people: tuple[str, ...],
    starts_at: datetime,
    conversation_id: str,
    now: datetime,
) -> BookedVisit:
    """Hold the new time, and in a second transaction exchange it for the old one, as a conversation does."""
    kept = hold(
        db,
        catalogue,
        service=service,
        people=people,
        starts_at=starts_at,
        conversation_id=conversation_id,
        now=now,
        replaces_id=visit_id,
    )
    return exchange(db, catalogue, visit_id=visit_id, hold_id=kept.id, now=now)


def exchange(db: Database, catalogue: Catalogue, *, visit_id: str, hold_id: str, now: datetime) -> BookedVisit:
    """Move a visit to a time that is kept for it."""
    return db.run(
        lambda work: reschedule(
            work, catalogue, appointment_id=visit_id, hold_id=hold_id, now=now, actor="patient", source=Source.PHONE
        )
    )


def cancel(db: Database, catalogue: Catalogue, *, visit_id: str, now: datetime) -> BookedVisit:
    """Call a visit off."""
    return db.run(
        lambda work: cancel_appointment(
            work, catalogue, appointment_id=visit_id, reason=None, now=now, actor="patient", source=Source.PHONE
        )
    )


def book_several(
    db: Database,
    catalogue: Catalogue,
    *,
    kind: BundleKind,
    parts: tuple[PartWish, ...],
    conversation_id: str,
    now: datetime,
) -> BookedVisit:
    """Hold and confirm several visits, all or nothing; gives the first of them."""

    def step(work: UnitOfWork) -> BookedVisit:
        held = place_bundle(
            work, catalogue, kind=kind, parts=parts, conversation_id=conversation_id, source=Source.PHONE, now=now
        )
        owners = {visit.id: str(part.patient_id) for visit, part in zip(held, parts, strict=True)}
        bundle_id = held[0].bundle_id
        assert bundle_id is not None
        return confirm_bundle(work, catalogue, bundle_id=bundle_id, patient_ids=owners, now=now, actor="patient")[0]

    return db.run(step)


def book_package(
    db: Database, catalogue: Catalogue, *, slot: Slot, patient_id: str, conversation_id: str, now: datetime
) -> BookedVisit:
    """Hold and confirm a package at exactly the times and with the people it was found at; gives its first step."""

    def step(work: UnitOfWork) -> BookedVisit:
        held = place_package(
            work,
            catalogue,
            service_id=slot.service_id,
            parts=[PartWish.of(each, patient_id=patient_id) for each in slot.parts],
            conversation_id=conversation_id,
            source=Source.PHONE,
            now=now,
        )
        bundle_id = held[0].bundle_id
        assert bundle_id is not None
        return confirm_bundle(work, catalogue, bundle_id=bundle_id, patient_ids=patient_id, now=now, actor="patient")[0]

    return db.run(step)


def take_seat(
    db: Database, catalogue: Catalogue, *, session_id: str, patient_id: str, conversation_id: str, now: datetime
) -> None:
    """Hold and confirm a seat in a group's session."""

    def step(work: UnitOfWork) -> None:
        seat = join_session(
            work,
            catalogue,
            session_id=session_id,
            patient_id=patient_id,
            conversation_id=conversation_id,
            source=Source.PHONE,
            now=now,
        )
        confirm_seat(work, catalogue, seat_id=seat.id, patient_id=patient_id, now=now, actor="patient")

    db.run(step)


def accept(db: Database, catalogue: Catalogue, *, offer_id: str, now: datetime) -> BookedVisit:
    """Say yes to time that came free."""
    return db.run(lambda work: accept_offer(work, catalogue, offer_id=offer_id, now=now, actor="patient"))


def expire(db: Database, catalogue: Catalogue, *, now: datetime) -> None:
    """Do what the due work does each minute."""
    db.run(lambda work: expire_holds(work, now=now))


def end_offers(db: Database, catalogue: Catalogue, *, now: datetime) -> None:
    """End the offers whose deadline has passed, as the due work does each minute."""
    db.run(lambda work: expire_offers(work, now=now))


def write_blindly(db: Database, catalogue: Catalogue, *, slot: Slot, patient_id: str, now: datetime) -> None:
    """Write down what was seen to be free before, past every lock. The control."""
    with db.begin() as work:
        write_round_the_guard(work, catalogue, slot, patient_id=patient_id, now=now)


DEEDS: dict[str, Callable[..., BookedVisit | None]] = {
    one.__name__: one
    for one in (
        book,
        hold,
        confirm,
        move,
        exchange,
        cancel,
        book_several,
        book_package,
        take_seat,
        accept,
        expire,
        end_offers,
        write_blindly,
    )
}
