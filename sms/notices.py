"""What a text about a visit says: the least that serves. Clinic, date and time, place, and the number to call.

No service and no practitioner: a text is read by whoever holds the telephone. Words the network acts on (STOP, CANCEL, END,
YES) are never suggested.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from booking.message_wording import Medium
from booking.values import BookedVisit, Catalogue
from kernel.phone import readable
from sms import segments
from sms.model import SmsKind
from sms.texts import moment, words_of


class Origin(StrEnum):
    """Who changed the visit that a text is about."""

    PATIENT = "patient"
    CLINIC = "clinic"


@dataclass(frozen=True)
class Instead:
    """What is offered instead: other times (for a time that is kept: one), and until when it is kept."""

    starts_at: tuple[datetime, ...] = ()
    location_id: str | None = None  # None: where the visit is
    kept_until: datetime | None = None


def compose(
    catalogue: Catalogue,
    visit: BookedVisit,
    *,
    kind: SmsKind,
    now: datetime,
    origin: Origin = Origin.PATIENT,
    instead: Instead = Instead(),
    language: str = "en",
    medium: Medium = Medium.TEXT,
) -> str:
    """Return the text in the zone of the Location, in one part where that is possible; a mail has room for the whole address."""
    said = words_of(catalogue, language)
    location = catalogue.location(instead.location_id or visit.location_id)
    phone = location.phone or catalogue.phone
    zone = catalogue.location(visit.location_id).zone

    def told(at: datetime, zone: ZoneInfo) -> str:
        return moment(at.astimezone(zone), today=now.astimezone(zone), language=language, country=catalogue.country)

    when = told(visit.starts_at, zone)
    others = [
        # Who gives it is not written, but that the time alone is no news must be.
        said["with_colleague"].format(when=told(one, location.zone))
        if one == visit.starts_at and visit.practitioner_id
        else told(one, location.zone)
        for one in instead.starts_at
    ]
    pattern = _pattern(said, kind, origin, medium)
    full, short = (
        pattern.format(
            clinic=catalogue.name,
            when=when,
            place=place,
            # Nobody had a time yet for what was only wished for.
            what=said["your_appointment"].format(when=when) if visit.practitioner_id else said["asked_for"],
            instead=_offered(kind, others, said),
            until="" if instead.kept_until is None else told(instead.kept_until, location.zone),
            call=said["call"].format(phone=readable(phone)) if phone else "",
            other_time=said["other_time"].format(phone=readable(phone)) if phone else "",
        )
        for place in (f"{location.name}, {location.address}", location.name)
    )
    if medium is Medium.MAIL:
        return full
    texts = [segments.plain(full), segments.plain(short)]
    return next((text for text in texts if segments.count(text).count == 1), shortest(texts))


def _pattern(said: Mapping[str, str], kind: SmsKind, origin: Origin, medium: Medium) -> str:
    occasions = [f"{kind}-by-clinic", str(kind)] if origin is Origin.CLINIC else [str(kind)]
    names = [name for one in occasions for name in ([f"mail-{one}", one] if medium is Medium.MAIL else [one])]
    return next(said[name] for name in names if name in said)


def _offered(kind: SmsKind, times: list[str], said: Mapping[str, str]) -> str:
    if kind is not SmsKind.REJECTED:
        return "".join(times)
    if not times:
        return ""
    *first, last = times
    return said["could_see"].format(times=said["or"].format(first=", ".join(first), last=last) if first else last)


def shortest(texts: list[str]) -> str:
    """Return the first that has no more parts than the others."""
    return min(texts, key=lambda text: segments.count(text).count)
