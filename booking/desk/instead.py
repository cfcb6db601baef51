"""What a patient may have instead of a time that the clinic takes back."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from booking.desk.alternatives import Lost
from booking.queries import find_slots
from booking.values import BookedVisit, Catalogue, Slot, SlotQuery
from kernel.interval import Interval

_AFTERWARDS = timedelta(days=14)


def free_instead(
    session: Session,
    catalogue: Catalogue,
    *,
    visit: BookedVisit,
    practitioner_ids: tuple[str, ...] = (),
    replaces: bool,
    now: datetime,
) -> list[Slot]:
    """Return the free times for the same service, as long and at the same Location, until two weeks after the visit.

    Of those that patients may see and that need no further yes. `replaces`: the visit's own time is no obstacle. One search.
    """
    flexible = catalogue.service(visit.service_id).longest is not None
    query = SlotQuery(
        visit.service_id,
        Interval(now, max(now, visit.starts_at) + _AFTERWARDS),
        practitioner_ids=practitioner_ids,
        location_ids=(visit.location_id,),
        # The times of a wish bound it; how long the visit would be they don't say.
        duration=visit.ends_at - visit.starts_at if flexible and visit.practitioner_id else None,
        place=visit.place,
    )
    found = find_slots(
        session,
        catalogue.for_patients(),
        query=query,
        now=now,
        replaces_appointment_id=visit.id if replaces else None,
    )
    return [slot for slot in found if not slot.is_contingent]


def lost(catalogue: Catalogue, visit: BookedVisit) -> Lost:
    """Return the visit as the time that can't be had."""
    zone = catalogue.location(visit.location_id).zone
    return Lost(visit.starts_at, visit.practitioner_id, visit.location_id, zone)
