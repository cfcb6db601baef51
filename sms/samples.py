"""How a text or mail reads before anybody gets it: with a visit that might be, for the clinic that words it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from booking.message_wording import Medium, WordedKind
from booking.reminders import Ahead
from booking.values import AppointmentId, AppointmentStatus, BookedVisit, Catalogue, PatientId, Source, Wording
from sms.mails import body_of, subject_of
from sms.model import SmsKind
from sms.notices import Origin, compose
from sms.offer_texts import OfferedTime, compose_offer
from sms.reminder_texts import compose_reminder
from sms.segments import Segments, count
from sms.texts import words, words_of

_IN = timedelta(days=6)
_REMINDERS = frozenset({WordedKind.REMINDER, WordedKind.REMINDER_CONFIRMED, WordedKind.REMINDERS})
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Sample:
    """A text and its parts, or a mail and its subject."""

    text: str
    parts: Segments | None = None
    subject: str | None = None


def own_text(catalogue: Catalogue, *, language: str, kind: WordedKind) -> str | None:
    """Return the clinic's own words for a kind of text, with their fields; None where it has none."""
    own = (one.text for one in catalogue.messages.wording if (one.language, one.kind) == (language, kind))
    return next(own, None)


def usual_text(catalogue: Catalogue, *, language: str, kind: WordedKind) -> str:
    """Return what is said, with its fields, where the clinic has no words of its own for this: ours.

    A mail for which we have none says what the text says, and that the clinic may have worded.
    """
    usual = words(language)
    return usual[kind] if kind in usual else words_of(catalogue, language)[kind.occasion]


def sample(catalogue: Catalogue, *, language: str, kind: WordedKind, text: str, now: datetime) -> Sample:
    """Return how `text`, which must be fit to be sent, reads as this kind of text of the clinic."""
    others = tuple(one for one in catalogue.messages.wording if (one.language, one.kind) != (language, kind))
    worded = (*others, Wording(language, kind.value, text))
    wording = replace(catalogue.messages, wording=worded)
    so_worded = replace(catalogue, messages=wording, _by_id={})
    medium = Medium.TEXT if kind.medium is Medium.TEXT else Medium.MAIL
    occasion = WordedKind(kind.occasion)
    written = _written(so_worded, occasion, language=language, now=now, medium=medium)
    if medium is Medium.TEXT:
        return Sample(written, parts=count(written))
    subject = subject_of(so_worded, _sms_kind(occasion), language=language)
    return Sample(body_of(catalogue, written, phone=catalogue.phone), subject=subject)


def _written(catalogue: Catalogue, kind: WordedKind, *, language: str, now: datetime, medium: Medium) -> str:
    visit = _visit(catalogue, now)
    match kind:
        case _ if kind in _REMINDERS:
            ahead = Ahead("a", "a", "a", visit.location_id, visit.starts_at, now, kind is WordedKind.REMINDER_CONFIRMED)
            later = replace(ahead, subject_id="b", starts_at=ahead.starts_at + _HOUR)
            several = (ahead, later) if kind is WordedKind.REMINDERS else (ahead,)
            return compose_reminder(catalogue, several, now=now, language=language, medium=medium)
        case WordedKind.OFFER:
            offered = OfferedTime(visit, now + catalogue.rules.offer_for, None, is_shared=False)
            return compose_offer(catalogue, offered, now=now, language=language, medium=medium)
        case _:
            origin = Origin.CLINIC if kind.value.endswith("-by-clinic") else Origin.PATIENT
            return compose(
                catalogue, visit, kind=_sms_kind(kind), now=now, origin=origin, language=language, medium=medium
            )


def _sms_kind(occasion: WordedKind) -> SmsKind:
    return SmsKind.REMINDER if occasion in _REMINDERS else SmsKind(occasion.value.removesuffix("-by-clinic"))


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
