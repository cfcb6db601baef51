"""Somebody who was to be away is there after all."""

from datetime import datetime

from sqlalchemy import delete, select, update

from booking.asked import people_asked
from booking.model.clinic import Clinic
from booking.model.schedule import TimeOff
from booking.values import Catalogue, DateSpan
from kernel.work import UnitOfWork


def take_back_time_off(
    work: UnitOfWork, catalogue: Catalogue, *, practitioner_id: str, span: DateSpan, now: datetime
) -> bool:
    """Give back what is still ahead of this time off, from today on, and say whether there was any. May be called again.

    What became of the visits meanwhile stays: whoever was moved or cancelled has been told. Locks the clinic's row, as
    writing time off does. Raises UnknownPractitioner.
    """
    person = people_asked(catalogue, (practitioner_id,))[0]
    zone = catalogue.zone if span.location_id is None else catalogue.location(span.location_id).zone
    today = now.astimezone(zone).date()
    work.session.execute(
        select(Clinic.id).where(Clinic.id == catalogue.clinic_id).with_for_update(key_share=True)
    ).one()
    theirs = (
        TimeOff.schedule_id == person.schedule_id,
        TimeOff.location_id.is_(None) if span.location_id is None else TimeOff.location_id == span.location_id,
        TimeOff.starts_on == span.first,
        TimeOff.ends_on == span.end,
        TimeOff.ends_on > today,
    )
    if span.first < today:
        changed = work.session.execute(update(TimeOff).where(*theirs).values(ends_on=today).returning(TimeOff.id))
    else:
        changed = work.session.execute(delete(TimeOff).where(*theirs).returning(TimeOff.id))
    if not changed.all():
        return False
    work.session.execute(update(Clinic).where(Clinic.id == catalogue.clinic_id).values(version=Clinic.version + 1))
    return True
