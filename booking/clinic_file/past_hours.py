"""The weekly hours that held on past days, as far as the versions that were kept of the clinic tell.

Days off and hours of single days are not among them: of these, what is noted today is what came true.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.clinic_file import forms
from booking.model.snapshot import ClinicSnapshot
from booking.values import Catalogue, LocationInfo, PractitionerInfo, WeeklyHours, WorkingHours

AnyInfo = TypeVar("AnyInfo", bound=LocationInfo | PractitionerInfo)


@dataclass(frozen=True)
class HoursThen:
    """Weekly hours from the local day `since` on: of Locations and of Practitioners, by id. Who is not there had none."""

    since: date
    places: Mapping[str, tuple[WeeklyHours, ...]]
    people: Mapping[str, tuple[WorkingHours, ...]]


def hours_during(session: Session, catalogue: Catalogue, *, first: date, last: date, today: date) -> list[HoursThen]:
    """Return which hours held from `first` to `last`, local days of the clinic, in order; the first of them from `first` on.

    Those of a past day are what was last kept by its end; of days before anything was kept, what was kept first. From today
    on, and where nothing was kept, they are today's. Reads in two statements.
    """
    chosen = _chosen(_kept_on(session, catalogue, until=today), first=first, last=last)
    files = _files(session, catalogue, [version for _, version in chosen])
    found: list[HoursThen] = []
    told = None
    for since, version in chosen:
        # Most versions differ in something else, and to read hours takes longer than to compare them.
        if (says := _hours_told(files[version])) != told:
            found.append(_read(catalogue, says, since=since))
            told = says
    if last >= today or not found:
        found.append(_of_today(catalogue, since=max(first, today) if found else first))
    return found


def _kept_on(session: Session, catalogue: Catalogue, *, until: date) -> dict[date, int]:
    """Return the last version that was kept on each local day before `until`, in order."""
    rows = session.execute(
        select(ClinicSnapshot.kept_at, ClinicSnapshot.version)
        .where(ClinicSnapshot.clinic_id == catalogue.clinic_id)
        .order_by(ClinicSnapshot.version)
    )
    days = ((kept_at.astimezone(catalogue.zone).date(), version) for kept_at, version in rows)
    return dict(sorted((day, version) for day, version in days if day < until))


def _chosen(kept: Mapping[date, int], *, first: date, last: date) -> list[tuple[date, int]]:
    """Return the versions that held from `first` to `last`, each with its first day of these."""
    earlier = [version for day, version in kept.items() if day <= first]
    later = [(day, version) for day, version in kept.items() if first < day <= last]
    if earlier:
        return [(first, earlier[-1]), *later]
    # Nothing was kept by then: what was kept first is nearer to it than what holds today.
    return [(first, next(iter(kept.values()))), *later] if kept else []


def _files(session: Session, catalogue: Catalogue, versions: Sequence[int]) -> dict[int, str]:
    rows = session.execute(
        select(ClinicSnapshot.version, ClinicSnapshot.file).where(
            ClinicSnapshot.clinic_id == catalogue.clinic_id, ClinicSnapshot.version.in_(versions)
        )
    )
    return {row.version: row.file for row in rows}


@dataclass(frozen=True)
class _Told:
    """What a clinic's document says of weekly hours: by key."""

    places: Mapping[str, Any]
    people: Mapping[str, list[dict[str, Any]]]


_OF_A_SCHEDULE = ("location", "hours", "contingent", "valid_from", "valid_until")


def _hours_told(file: str) -> _Told:
    document = json.loads(file)
    return _Told(
        places={place["key"]: place["hours"] for place in document.get("locations", [])},
        people={
            person["key"]: [
                {name: schedule[name] for name in _OF_A_SCHEDULE if name in schedule}
                for schedule in person.get("schedules", [])
            ]
            for person in document.get("practitioners", [])
        },
    )


def _read(catalogue: Catalogue, told: _Told, *, since: date) -> HoursThen:
    places = _ids(catalogue, LocationInfo, catalogue.locations)
    people = _ids(catalogue, PractitionerInfo, catalogue.practitioners)
    return HoursThen(
        since,
        {places[key]: forms.read_hours(hours) for key, hours in told.places.items() if key in places},
        {
            people[key]: tuple(
                working
                for one in schedules
                if one["location"] in places
                for working in _working(one, places[one["location"]])
            )
            for key, schedules in told.people.items()
            if key in people
        },
    )


def _working(schedule: Mapping[str, Any], location_id: str) -> list[WorkingHours]:
    valid_from, last = schedule.get("valid_from"), schedule.get("valid_until")
    return [
        WorkingHours(
            location_id,
            weekly,
            valid_from=forms.read_date(valid_from) if valid_from else None,
            valid_until=forms.read_date(last) + timedelta(days=1) if last else None,
            is_contingent=schedule.get("contingent", False),
        )
        for weekly in forms.read_hours(schedule.get("hours", {}))
    ]


def _ids(catalogue: Catalogue, kind: type[AnyInfo], present: Sequence[AnyInfo]) -> dict[str, str]:
    """Return the ids of Locations or Practitioners by key, those that are gone included."""
    gone = {one.key: one.id for one in catalogue.retired if isinstance(one, kind)}
    return gone | {one.key: one.id for one in present}


def _of_today(catalogue: Catalogue, *, since: date) -> HoursThen:
    return HoursThen(
        since,
        {place.id: place.hours for place in catalogue.locations},
        {person.id: person.hours for person in catalogue.practitioners},
    )
