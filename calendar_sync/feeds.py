"""A practitioner's visits at a private address, for any program that subscribes to calendars and may not be written to.

Whoever knows the address reads the visits: it is shown once, only a keyed hash of its secret is kept, a new one ends the one
before, and what is said of patients is for the clinic to decide.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.asked import UnknownPractitioner
from booking.model.appointment import Appointment
from booking.model.staff import Practitioner
from booking.patients import PatientInfo, patients
from booking.values import AppointmentStatus, Catalogue, PatientInFeed
from calendar_sync.entry import CalendarEntry
from calendar_sync.ical import to_feed
from calendar_sync.model import CalendarFeed
from calendar_sync.wanted import SHOWN, entry_for_practitioner, is_shown
from kernel import crypto
from kernel.interval import Interval
from kernel.log import get_logger
from kernel.work import Database, UnitOfWork

BACK, AHEAD = timedelta(days=30), timedelta(days=400)
_MOST_VISITS = 5000
_NOTED_EVERY = timedelta(hours=1)

_log = get_logger()


@dataclass(frozen=True)
class FeedInfo:
    """A feed as it is shown to staff. `read_at`: when it was last read, to the hour."""

    clinic_id: str
    practitioner_id: str
    created_at: datetime
    created_by: str
    read_at: datetime | None


def make_feed(work: UnitOfWork, *, clinic_id: str, practitioner_id: str, now: datetime, actor: str) -> str:
    """Give the practitioner's feed a new secret and return it, this once. An earlier one opens nothing any more.

    Locks the Practitioner. Raises UnknownPractitioner, for one of another clinic and one who is gone as well.
    """
    found = select(Practitioner.id).where(
        Practitioner.id == practitioner_id, Practitioner.clinic_id == clinic_id, Practitioner.retired.is_(False)
    )
    if work.session.scalar(found.with_for_update(key_share=True)) is None:
        raise UnknownPractitioner
    secret = secrets.token_urlsafe(32)
    feed = work.session.get(CalendarFeed, practitioner_id) or CalendarFeed(practitioner_id=practitioner_id)
    feed.clinic_id, feed.secret_hash = clinic_id, _hash(secret)
    feed.created_at, feed.created_by, feed.read_at = now, actor, None
    work.session.add(feed)
    work.session.flush()
    _log.info("calendar.feed.made", practitioner_id=practitioner_id, actor=actor)
    return secret


def revoke_feed(work: UnitOfWork, *, clinic_id: str, practitioner_id: str, actor: str) -> bool:
    """Let the practitioner's feed open nothing any more; return False if there was none."""
    feed = work.session.get(CalendarFeed, practitioner_id, with_for_update=True)
    if feed is None or feed.clinic_id != clinic_id:
        return False
    work.session.delete(feed)
    work.session.flush()
    _log.info("calendar.feed.revoked", practitioner_id=practitioner_id, actor=actor)
    return True


def feeds_of(session: Session, *, clinic_id: str) -> dict[str, FeedInfo]:
    """Return the clinic's feeds by the id of their practitioner."""
    rows = session.scalars(select(CalendarFeed).where(CalendarFeed.clinic_id == clinic_id))
    return {row.practitioner_id: _info(row) for row in rows}


def feed_address(public_base_url: str, secret: str) -> str:
    """Return the address at which the feed with this secret is read."""
    return f"{public_base_url}/feeds/{secret}.ics"


def find_feed(session: Session, *, secret: str) -> FeedInfo | None:
    """Return the feed that the secret opens, or None."""
    # Found by a keyed hash: how long that takes tells nothing of a secret that is nearly right.
    hashed = _hash(secret)
    row = session.scalar(select(CalendarFeed).where(CalendarFeed.secret_hash == hashed))
    return _info(row) if row is not None and hmac.compare_digest(row.secret_hash, hashed) else None


def note_read(db: Database, feed: FeedInfo, *, now: datetime) -> None:
    """Note, once an hour, that a feed is in use."""
    if feed.read_at is None or feed.read_at <= now - _NOTED_EVERY:
        in_use = update(CalendarFeed).where(CalendarFeed.practitioner_id == feed.practitioner_id).values(read_at=now)
        db.run(lambda work: work.session.execute(in_use))


def write_feed(session: Session, catalogue: Catalogue, *, practitioner_id: str, now: datetime) -> str | None:
    """Return the practitioner's visits as a calendar: a month back, and as far ahead as visits can be booked.

    The same visits give the same text all day. None for a practitioner who is gone.
    """
    person = next((one for one in catalogue.practitioners if one.id == practitioner_id), None)
    if person is None:
        return None
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    within = Interval(today - BACK, today + AHEAD)
    visits = _visits(session, practitioner_id, within)
    shown = catalogue.calendars.patient_in_feed
    known = _patients(session, visits) if shown is not PatientInFeed.NOTHING else {}
    return to_feed(
        [(_entry(catalogue, visit, known, shown), visit.changed_at) for visit in visits],
        name=f"{person.name}, {catalogue.name}",
        zone=catalogue.zone,
        within=within,
    )


def _visits(session: Session, practitioner_id: str, within: Interval) -> list[Appointment]:
    rows = session.scalars(
        select(Appointment)
        .where(
            Appointment.practitioner_id == practitioner_id,
            Appointment.starts_at >= within.start,
            Appointment.starts_at < within.end,
            Appointment.status.in_((*SHOWN, AppointmentStatus.PENDING)),
        )
        .order_by(Appointment.starts_at, Appointment.id)
        .limit(_MOST_VISITS)
    )
    return [row for row in rows if is_shown(row)]


def _patients(session: Session, visits: list[Appointment]) -> Mapping[str, PatientInfo]:
    return patients(session, patient_ids=tuple({visit.patient_id for visit in visits if visit.patient_id is not None}))


def _entry(
    catalogue: Catalogue, visit: Appointment, known: Mapping[str, PatientInfo], shown: PatientInFeed
) -> CalendarEntry:
    entry = entry_for_practitioner(catalogue, visit)
    patient = known.get(visit.patient_id or "")
    if patient is None:
        return entry
    return replace(entry, summary=f"{entry.summary}: {_told(patient.name, shown)}")


def _told(name: str, shown: PatientInFeed) -> str:
    if shown is PatientInFeed.NAME:
        return name
    return " ".join(f"{part[0].upper()}." for part in name.split())


def _hash(secret: str) -> str:
    # Not a password hash: nobody can guess 256 random bits, and every reading looks one up.
    return crypto.keyring().lookup_hash(f"calendar-feed:{secret}")


def _info(row: CalendarFeed) -> FeedInfo:
    return FeedInfo(row.clinic_id, row.practitioner_id, row.created_at, row.created_by, row.read_at)
