"""How a text reads before anybody gets it: with a visit that might be, for the clinic that words it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from booking.message_wording import WordedKind
from booking.reminders import Ahead
from booking.values import AppointmentId, AppointmentStatus, BookedVisit, Catalogue, PatientId, Source, Wording
from sms.model import SmsKind
from sms.notices import Origin, compose
from sms.offer_texts import OfferedTime, compose_offer
from sms.reminder_texts import compose_reminder
from sms.segments import Segments, count
from sms.texts import words

_IN = timedelta(days=6)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Sample:
    text: str
    parts: Segments


def own_text(catalogue: Catalogue, *, language: str, kind: WordedKind) -> str | None:
    """Return the clinic's own words for a kind of text, with their fields; None where it has none."""
    own = (one.text for one in catalogue.messages.wording if (one.language, one.kind) == (language, kind))
    return next(own, None)


def usual_text(*, language: str, kind: WordedKind) -> str:
    """Return the product's words for a kind of text, with their fields."""
    return words(language)[kind]


def sample(catalogue: Catalogue, *, language: str, kind: WordedKind, text: str, now: datetime) -> Sample:
    """Return how `text`, which must be fit to be sent, reads as this kind of text of the clinic."""
    others = tuple(one for one in catalogue.messages.wording if (one.language, one.kind) != (language, kind))
    worded = (*others, Wording(language, kind.value, text))
    wording = replace(catalogue.messages, wording=worded)
    written = _written(replace(catalogue, messages=wording, _by_id={}), kind, language=language, now=now)
    return Sample(written, count(written))


def _written(catalogue: Catalogue, kind: WordedKind, *, language: str, now: datetime) -> str:
    visit = _visit(catalogue, now)
    match kind:
        case WordedKind.REMINDER | WordedKind.REMINDER_CONFIRMED | WordedKind.REMINDERS:
            ahead = Ahead("a", "a", "a", visit.location_id, visit.starts_at, now, kind is WordedKind.REMINDER_CONFIRMED)
            later = replace(ahead, subject_id="b", starts_at=ahead.starts_at + _HOUR)
            several = (ahead, later) if kind is WordedKind.REMINDERS else (ahead,)
            return compose_reminder(catalogue, several, now=now, language=language)
        case WordedKind.OFFER:
            offered = OfferedTime(visit, now + catalogue.rules.offer_for, None, is_shared=False)
            return compose_offer(catalogue, offered, now=now, language=language)
        case _:
            by_clinic = kind.value.endswith("-by-clinic")
            of_kind = SmsKind(kind.value.removesuffix("-by-clinic"))
            origin = Origin.CLINIC if by_clinic else Origin.PATIENT
            return compose(catalogue, visit, kind=of_kind, now=now, origin=origin, language=language)


def _visit(catalogue: Catalogue, now: datetime) -> BookedVisit:
    location = catalogue.locations[0]
    wall = (now + _IN).astimezone(location.zone)
    starts_at = wall.replace(hour=10, minute=30, second=0, microsecond=0)
    return BookedVisit(
        id=AppointmentId("a"),
        uid="a",
        sequence=0,
        status=AppointmentStatus.BOOKED,
        service_id="",
        practitioner_id="a",
        location_id=location.id,
        patient_id=PatientId("a"),
        starts_at=starts_at,
        ends_at=starts_at + _HOUR,
        hold_expires_at=None,
        source=Source.PHONE,
    )
