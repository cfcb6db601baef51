"""The same visit again and again, by an RRULE (RFC 5545) read as wall time of the Location: three o'clock stays three o'clock."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from booking import guard
from booking.asked import instant_asked
from booking.hold import place_hold
from booking.override import allowed_override
from booking.rules import latest_start
from booking.several.bundles import PartWish, asked_piece, open_bundle
from booking.values import BookedVisit, BookingRules, BundleKind, Catalogue, Source
from kernel.errors import Refused
from kernel.interval import exists, wall_to_instant
from kernel.work import UnitOfWork

MOST_DATES = 100
"""More dates than these are not booked at once, whatever the rule says."""


class InvalidRule(Refused):
    """This is not a rule for dates that is understood: daily, weekly or monthly, with what RFC 5545 has for these."""

    code = "invalid-rule"


class SeriesTooLong(Refused):
    """The rule asks for more dates than are booked at once."""

    code = "series-too-long"


class SkippedWallTime(Refused):
    """Clocks go forward over that time on that day: it does not come."""

    code = "skipped-wall-time"


class SeriesImpossible(Refused):
    """None of the dates can be booked; `also` says why not."""

    code = "series-impossible"


@dataclass(frozen=True)
class Dates:
    """When a series takes place. `skipped`: days on which its wall time does not come, as the instant of the change.

    `ends_early`: the rule goes on, but further ahead than the clinic books, or than is booked at once.
    """

    starts_at: tuple[datetime, ...]
    skipped: tuple[datetime, ...] = ()
    ends_early: bool = False


@dataclass(frozen=True)
class Series:
    """What became of a series: the visits held, and the dates that could not be, each with its refusal, in order."""

    bundle_id: str
    visits: tuple[BookedVisit, ...]
    skipped: tuple[tuple[datetime, Refused], ...]
    ends_early: bool


def series_dates(rule: str, *, first_at: datetime, zone: ZoneInfo, rules: BookingRules, now: datetime) -> Dates:
    """Return the dates of `rule` from `first_at` on, no further ahead than the clinic books. Pure.

    Each is at the same wall time in `zone`; of one that comes twice when clocks go back it is the first. A rule that goes on
    beyond what the clinic books ahead, or beyond 100 dates, is cut there (`ends_early`). Raises InvalidRule, SeriesTooLong for
    one that asks for more than 100 dates by number.
    """
    latest = latest_start(rules, now)
    come: list[datetime] = []
    never: list[datetime] = []
    for wall in _read(rule, first=first_at.astimezone(zone).replace(tzinfo=None), zone=zone):
        at = wall_to_instant(wall, zone)
        if at > latest or len(come) + len(never) == MOST_DATES:
            return Dates(tuple(come), tuple(never), ends_early=True)
        (come if exists(wall, zone) else never).append(at)
    return Dates(tuple(come), tuple(never))


def place_series(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    rule: str,
    first: PartWish,
    conversation_id: str | None,
    source: Source,
    now: datetime,
    expires_at: datetime | None = None,
    actor: str = "patient",
    override_reason: str | None = None,
) -> Series:
    """Hold every date of `rule` that can be had, from that of `first` on, all with the same practitioner.

    That is the one asked for, or who is best on the first date that can be had. Dates that are taken or that a rule forbids
    are skipped and told. To be booked with `confirm_bundle`. Locks the Patient, then all Schedules, sorted. Replaces earlier
    Holds of the same conversation; those stay if this is refused. Raises InvalidRule, SeriesTooLong, SeriesImpossible if no
    date can be had, OverrideNotAllowed, ScheduleBusy, and what `booking.asked` refuses.
    """
    override_reason = allowed_override(override_reason, actor=actor)
    first = dataclasses.replace(first, starts_at=instant_asked(first.starts_at, now=now))
    piece = asked_piece(catalogue, first)
    zone, rules = piece.wanted.location.zone, piece.wanted.rules
    dates = series_dates(rule, first_at=first.starts_at, zone=zone, rules=rules, now=now)
    with guard.all_or_nothing(work):
        bundle_id = open_bundle(
            work,
            catalogue,
            kind=BundleKind.SERIES,
            parts=[first],
            pieces=[piece],
            conversation_id=conversation_id,
            rule=rule,
            now=now,
        )
        hold = partial(
            place_hold,
            work,
            catalogue,
            service_id=first.service_id,
            location_id=first.location_id,
            conversation_id=conversation_id,
            patient_id=first.patient_id,
            source=source,
            now=now,
            duration=first.duration,
            place=first.place,
            bundle_id=bundle_id,
            expires_at=expires_at,
            actor=actor,
            override_reason=override_reason,
            wish=first.wish,
        )
        visits, refused = _held(dates.starts_at, hold, practitioner_ids=first.practitioner_ids)
        skipped = refused + [(at, SkippedWallTime(at=at.isoformat())) for at in dates.skipped]
        if not visits:
            raise _impossible([refusal for _, refusal in skipped])
    return Series(bundle_id, tuple(visits), tuple(sorted(skipped, key=lambda one: one[0])), dates.ends_early)


def _held(
    dates: Sequence[datetime], hold: Callable[..., BookedVisit], *, practitioner_ids: tuple[str, ...]
) -> tuple[list[BookedVisit], list[tuple[datetime, Refused]]]:
    """Hold each date, all with whom the first was held with, and return what was held and what was refused."""
    visits: list[BookedVisit] = []
    refused: list[tuple[datetime, Refused]] = []
    for at in dates:
        try:
            visits.append(hold(starts_at=at, practitioner_ids=practitioner_ids))
        except Refused as refusal:
            refused.append((at, refusal))
        else:
            practitioner_ids = (visits[0].practitioner_id,)
    return visits, refused


def _impossible(refusals: Sequence[Refused]) -> SeriesImpossible:
    impossible = SeriesImpossible()
    impossible.also = tuple({refusal.code: refusal for refusal in refusals}.values())
    return impossible


# What may stand beside FREQ, INTERVAL, COUNT and UNTIL. All of it comes again and again: a rule that no date ever meets would
# be searched for until the end of the calendar.
_SHAPES: dict[str, tuple[re.Pattern[str], ...]] = {
    "DAILY": (re.compile(""),),
    "WEEKLY": (re.compile(r"(BYDAY=(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU))*)?(;?WKST=(MO|SU))?"),),
    "MONTHLY": (
        re.compile(r"(BYMONTHDAY=(-?1|[2-9]|1\d|2\d|30|31))?"),
        re.compile(r"BYDAY=([1-5]|-1)(MO|TU|WE|TH|FR|SA|SU)"),
        re.compile(r"BYDAY=(MO|TU|WE|TH|FR|SA|SU);BYSETPOS=([1-5]|-1)"),
    ),
}
_NUMBER = re.compile(r"[1-9]\d{0,5}")
_LONGEST_INTERVAL = 366


def _read(rule: str, *, first: datetime, zone: ZoneInfo) -> rrule:
    parts = _parts(rule)
    shape = ";".join(f"{name}={parts[name]}" for name in sorted(parts.keys() - {"FREQ", "INTERVAL", "COUNT", "UNTIL"}))
    if not any(pattern.fullmatch(shape) for pattern in _SHAPES.get(parts.get("FREQ", ""), ())):
        raise InvalidRule
    if {"COUNT", "UNTIL"} <= parts.keys():
        raise InvalidRule
    interval, count = (_number(parts[name]) if name in parts else None for name in ("INTERVAL", "COUNT"))
    if interval is not None and interval > _LONGEST_INTERVAL:
        raise InvalidRule
    if count is not None and count > MOST_DATES:
        raise SeriesTooLong(maximum=MOST_DATES)
    until = _wall(parts["UNTIL"], zone) if "UNTIL" in parts else None
    plain = ";".join(f"{name}={value}" for name, value in parts.items() if name != "UNTIL")
    found = rrulestr(plain, dtstart=first)
    if not isinstance(found, rrule):
        raise InvalidRule
    return found if until is None else found.replace(until=until)


def _parts(rule: str) -> dict[str, str]:
    """Return the parts of a rule by name. Raises InvalidRule."""
    pairs = [part.partition("=") for part in rule.upper().removeprefix("RRULE:").split(";")]
    parts = {name: value for name, _, value in pairs}
    if len(parts) < len(pairs) or not all(name and value for name, value in parts.items()):
        raise InvalidRule
    return parts


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise InvalidRule
    return int(text)


def _wall(text: str, zone: ZoneInfo) -> datetime:
    """Return the wall time of an UNTIL: of an instant in UTC, a wall time, or a whole day."""
    for form in ("%Y%m%dT%H%M%SZ", "%Y%m%dT%H%M%S", "%Y%m%d"):
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 -- wall time, as the rule is
        except ValueError:
            continue
        if form.endswith("Z"):
            return _shown_at(found.replace(tzinfo=UTC), zone)
        return found if "T" in form else found + timedelta(days=1, microseconds=-1)
    raise InvalidRule


def _shown_at(at: datetime, zone: ZoneInfo) -> datetime:
    """Return what clocks show then. Raises InvalidRule for the ends of the calendar, where they show nothing."""
    try:
        return at.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        raise InvalidRule from None
