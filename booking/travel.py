"""How long it takes to get from one address to another: a port, and a default that needs no map.

Between two visits of a practitioner at different addresses there must be time for the way. A visit has the address of its
own place (a home visit) or that of its Location; one by video has none, and so has one whose address nobody knows: then
nothing is asked for.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, Self

from booking.values import Catalogue, LocationInfo, Mode, Place, ServiceInfo

LONGEST = timedelta(hours=12)
"""No journey is taken to last longer: so far around a visit other visits can matter."""

_EARTH_KM = 6371.0
# The way by road is 1.417 times the straight line on average: Boscoe, Henry and Zdeb, "A Nationwide Comparison of Driving
# Distance Versus Straight-Line Distance to Hospitals", Professional Geographer 64 (2), 2012.
_DETOUR = 1.417
# A cautious choice of ours for trips in and around a town; a clinic in the mountains wants an adapter that knows the roads.
_SPEED_KM_H = 40.0
_MINUTE = timedelta(minutes=1)


class PlacedSpan(tuple[int, int]):  # noqa: SLOT001 -- a tuple can't have slots for more
    """A span of `booking.spans` that is taken by a visit at a known address."""

    place: Place

    def __new__(cls, start: int, end: int, place: Place) -> Self:
        span = super().__new__(cls, (start, end))
        span.place = place
        return span


class TravelTime(Protocol):
    """Knows how long journeys take. Asked within a search, so it answers at once, from memory."""

    def between(self, start: Place, end: Place) -> timedelta:
        """Return the time from door to door; zero for the same place. Never negative."""
        ...


@dataclass(frozen=True)
class GreatCircle:
    """By car at a steady speed along the straight line, lengthened by what roads usually add; in whole minutes, rounded up."""

    speed_km_h: float = _SPEED_KM_H
    detour: float = _DETOUR

    def between(self, start: Place, end: Place) -> timedelta:
        hours = self.detour * _distance_km(start, end) / self.speed_km_h
        return min(math.ceil(hours * 60) * _MINUTE, LONGEST)


BY_CAR = GreatCircle()


@dataclass(frozen=True)
class Addresses:
    """Where a clinic's visits take place."""

    of_locations: Mapping[str, Place]
    modes: Mapping[str, Mode]  # by service, retired ones too

    def of_visit(self, *, service_id: str, location_id: str, place: Place | None) -> Place | None:
        """Return where the practitioner has to be, if that is known: nowhere for a visit by video."""
        match self.modes.get(service_id, Mode.IN_PERSON):
            case Mode.HOME:
                return place
            case Mode.TELEHEALTH:
                return None
            case Mode.IN_PERSON:
                return self.of_locations.get(location_id)


def addresses(catalogue: Catalogue) -> Addresses | None:
    """Return where the clinic's visits take place; None if it has one address only, so that nobody is ever on the way."""
    locations = [*catalogue.locations, *(one for one in catalogue.retired if isinstance(one, LocationInfo))]
    services = [*catalogue.services, *(one for one in catalogue.retired if isinstance(one, ServiceInfo))]
    of_locations = {location.id: location.place for location in locations if location.place is not None}
    modes = {service.id: service.mode for service in services}
    if Mode.HOME not in modes.values() and len(set(of_locations.values())) < 2:
        return None
    return Addresses(of_locations, modes)


def _distance_km(start: Place, end: Place) -> float:
    """Return the length of the great circle between two points, by the haversine formula."""
    latitudes = math.radians(start.latitude), math.radians(end.latitude)
    across = math.radians(end.longitude - start.longitude)
    haversine = (
        math.sin((latitudes[1] - latitudes[0]) / 2) ** 2
        + math.cos(latitudes[0]) * math.cos(latitudes[1]) * math.sin(across / 2) ** 2
    )
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(haversine)))
