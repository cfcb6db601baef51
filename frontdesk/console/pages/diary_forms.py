"""What the pages of the diary read from an address or a form: days, places, people and times of the clinic, or 404."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import abort, flash, g, request, url_for

from booking.sentences import sentence
from booking.values import Catalogue, LocationInfo, PractitionerInfo, ServiceInfo
from frontdesk.console.dates import day_in_reach
from frontdesk.console.security import path_here
from frontdesk.console.staff import current_staff
from kernel.errors import Refused
from kernel.interval import comes_twice, exists, wall_to_instant, zone_name

Item = TypeVar("Item", LocationInfo, PractitionerInfo, ServiceInfo)
PROBLEM = "problem"
"""The category of a message that tells of one."""


def actor() -> str:
    """Return who does what this request asks for, as histories tell it."""
    return f"staff:{current_staff().login}"


def say(refusal: Refused, catalogue: Catalogue, *, place: LocationInfo | None = None) -> str:
    """Return the refusal as a sentence in the language of the page; times are those of the place, or of the clinic."""
    zone = catalogue.zone if place is None else place.zone
    return sentence(refusal, catalogue=catalogue, language=g.language, zone=zone)


def flash_refusal(refusal: Refused, catalogue: Catalogue, *, place: LocationInfo | None = None) -> None:
    """Tell at the top of the next page why it was refused: the first reason, and every other."""
    flash(" ".join(say(one, catalogue, place=place) for one in (refusal, *refusal.also)), PROBLEM)


def day_asked(text: str | None) -> date:
    """Return the day, today if none is named. Ends the request with 404 for what is none that a clinic has a diary of."""
    today: date = g.dates.today
    if not text:
        return today
    day = day_in_reach(text, today=today)
    if day is None:
        abort(404)
    return day


def place_asked(catalogue: Catalogue, key: str | None) -> LocationInfo | None:
    """Return the Location with this key, None if none is named. Ends the request with 404 for one the clinic does not have."""
    return None if not key else _of_key(catalogue.locations, key)


def person_asked(catalogue: Catalogue, key: str | None) -> PractitionerInfo | None:
    """Return the Practitioner with this key, None if none is named, as `place_asked`."""
    return None if not key else _of_key(catalogue.practitioners, key)


def service_asked(catalogue: Catalogue, key: str | None) -> ServiceInfo | None:
    """Return the service with this key, None if none is named, as `place_asked`."""
    return None if not key else _of_key(catalogue.services, key)


def time_asked(text: str | None) -> time | None:
    """Return a time of day as a form gives it, or None for what is none."""
    try:
        return time.fromisoformat(text or "").replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        return None


def zone_asked(catalogue: Catalogue, key: str | None, place: LocationInfo) -> ZoneInfo:
    """Return whose clocks a day and a time were read from: those of the diary that was clicked into, else the place's."""
    ours = {zone.key: zone for zone in (catalogue.zone, *(one.zone for one in catalogue.locations))}
    return ours.get(key or "", place.zone)


def moment_asked(day: date, at: time, zone: ZoneInfo, *, is_second: bool = False) -> datetime | None:
    """Return the instant at which clocks in the zone show this, of two the first or the second; None if they skip it."""
    wall = datetime.combine(day, at)
    if not exists(wall, zone):
        return None
    if is_second:
        return wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return wall_to_instant(wall, zone)


@dataclass(frozen=True)
class SecondTime:
    """The second of the two times at which clocks show the same in a night. `zone`: what it is called then."""

    zone: str
    is_meant: bool


def second_time(local: datetime) -> SecondTime | None:
    """Return the second time of a moment that carries its zone, None where clocks show it once, as nearly always."""
    return SecondTime(zone_name(local.replace(fold=1)), local.fold == 1) if comes_twice(local) else None


def instant_asked(text: str) -> datetime | None:
    """Return an instant as a form of ours gives it, in UTC, or None for what is none."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def page_to_go_back_to(otherwise: str) -> str:
    """Return the page of the diary that the form came from, and nothing outside the diary."""
    wanted, home = request.form.get("back", ""), url_for("console.diary")
    path = path_here(wanted) or ""
    return wanted if path == home or path.startswith(f"{home}/") else otherwise


def _of_key(items: Iterable[Item], key: str) -> Item:
    found = next((item for item in items if item.key == key), None)
    if found is None:
        abort(404)
    return found
