"""Who of a clinic is away during some days. Pure."""

from dataclasses import dataclass
from datetime import date

from booking.desk.absence import Absence, absences
from booking.values import Catalogue, LocationInfo, PractitionerInfo


@dataclass(frozen=True)
class Absent:
    """Somebody who is away, at one Location or, without one, at all of them."""

    person: PractitionerInfo
    place: LocationInfo | None
    absence: Absence


def who_is_away(catalogue: Catalogue, *, since: date, until: date | None = None) -> list[Absent]:
    """Return who is away at some time from one day until another, both included; without `until`, whatever is not over."""
    places = {place.id: place for place in catalogue.locations}
    return [
        Absent(person, places.get(absence.days.location_id or ""), absence)
        for person in catalogue.practitioners
        for absence in absences(person)
        if absence.last >= since and (until is None or absence.days.first <= until)
    ]
