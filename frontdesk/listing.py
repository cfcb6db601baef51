"""What the command line lists."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy.orm import Session

from booking.asked import instant_asked
from booking.catalogue import load_catalogue
from booking.queries import find_slots
from booking.values import SlotQuery
from kernel.errors import Refused
from kernel.interval import Interval, wall_to_instant


class UnknownKey(Refused):
    """The clinic has nothing with this key."""

    code = "unknown-key"


def list_slots(
    session: Session,
    *,
    clinic_id: str,
    service_key: str,
    practitioner_key: str | None,
    location_key: str | None,
    first: date,
    end: date,
    now: datetime,
) -> list[dict[str, Any]]:
    """Return what could be booked from `first` until before `end`, days in the clinic's zone, by start and practitioner.

    Raises UnknownKey, ImplausibleTime.
    """
    catalogue = load_catalogue(session, clinic_id=clinic_id)
    zone = catalogue.zone
    if end <= first:
        return []
    from_midnight = instant_asked(datetime.combine(first, time(), zone), now=now)
    query = SlotQuery(
        service_id=id_of(catalogue.services, service_key),
        span=Interval(from_midnight, wall_to_instant(datetime.combine(end, time()), zone)),
        practitioner_ids=(id_of(catalogue.practitioners, practitioner_key),) if practitioner_key else (),
        location_ids=(id_of(catalogue.locations, location_key),) if location_key else (),
    )
    found = []
    for slot in find_slots(session, catalogue, query=query, now=now):
        location = catalogue.location(slot.location_id)
        found.append(
            {
                "start": slot.starts_at.astimezone(location.zone).isoformat(),
                "end": slot.ends_at.astimezone(location.zone).isoformat(),
                "practitioner": catalogue.practitioner(slot.practitioner_id).key,
                "location": location.key,
                "service": catalogue.service(slot.service_id).key,
            }
        )
    return found


def practitioner_id_of(session: Session, *, clinic_id: str, key: str) -> str:
    """Return the id of the Practitioner with this key. Raises UnknownKey."""
    return id_of(load_catalogue(session, clinic_id=clinic_id).practitioners, key)


def id_of(items: Sequence[Any], key: str) -> str:
    """Return the id of the catalogue's item with this key. Raises UnknownKey."""
    for item in items:
        if item.key == key:
            return str(item.id)
    raise UnknownKey(key=key, known=", ".join(item.key for item in items))
