"""What somebody asks for, by ids and times, as what the clinic knows: or a refusal that says what makes no sense.

Nothing here is a matter of the clinic's rules, so nobody may set any of it aside.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from booking.rules import InvalidDuration, Lengths
from booking.values import Catalogue, LocationInfo, PractitionerInfo, ServiceInfo
from kernel.errors import Refused


class UnknownService(Refused):
    """The clinic has no such service."""

    code = "unknown-service"


class UnknownLocation(Refused):
    """The clinic has no such location."""

    code = "unknown-location"


class UnknownPractitioner(Refused):
    """The clinic has no such practitioner."""

    code = "unknown-practitioner"


class UnknownPatient(Refused):
    """The clinic has no such patient."""

    code = "unknown-patient"


class TimeWithoutZone(Refused):
    """A time was given, but not where clocks show it."""

    code = "time-without-zone"


class ImplausibleTime(Refused):
    """The time lies so far from today that it must be a mistake, whoever asks."""

    code = "implausible-time"


_FURTHEST = timedelta(days=10 * 366)
_LONGEST = timedelta(hours=24)


def instant_asked(at: datetime, *, now: datetime) -> datetime:
    """Return the time in UTC. Raises TimeWithoutZone, or ImplausibleTime for one more than ten years from now."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise TimeWithoutZone
    # Compared with their zones: the first and last days of the calendar have no UTC.
    if not now - _FURTHEST <= at <= now + _FURTHEST:
        raise ImplausibleTime(at=at.isoformat())
    return at.astimezone(UTC)


def length_asked(service: ServiceInfo, duration: timedelta | None) -> timedelta:
    """Return how long the visit is to be. Raises InvalidDuration for what is no length of a visit at all."""
    if duration is None:
        return service.duration
    if not timedelta(0) < duration <= _LONGEST:
        lengths = Lengths.of(service)
        raise InvalidDuration(**lengths.told(duration))
    return duration


def service_asked(catalogue: Catalogue, service_id: str) -> ServiceInfo:
    """Return the service, also one that is not given any more. Raises UnknownService."""
    try:
        return catalogue.service(service_id)
    except KeyError:
        raise UnknownService(service_id=service_id) from None


def location_asked(catalogue: Catalogue, location_id: str) -> LocationInfo:
    """Return the location, also one that is closed for good. Raises UnknownLocation."""
    try:
        return catalogue.location(location_id)
    except KeyError:
        raise UnknownLocation(location_id=location_id) from None


def people_asked(catalogue: Catalogue, practitioner_ids: Sequence[str]) -> list[PractitionerInfo]:
    """Return the practitioners in the clinic's order, also who has left. Raises UnknownPractitioner."""
    for practitioner_id in practitioner_ids:
        try:
            catalogue.practitioner(practitioner_id)
        except KeyError:
            raise UnknownPractitioner(practitioner_id=practitioner_id) from None
    everybody = [*catalogue.practitioners, *(one for one in catalogue.retired if isinstance(one, PractitionerInfo))]
    return [person for person in everybody if person.id in practitioner_ids]
