"""Names for the ids that stored changes hold."""

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from booking.model.clinic import Location
from booking.model.staff import HealthcareService, Practitioner


def names_by_id(session: Session, *, clinic_id: str) -> dict[str, str]:
    """Return the names of the clinic's practitioners, services and locations, those who left included."""
    parts = [
        select(row.id, row.name).where(row.clinic_id == clinic_id)
        for row in (Practitioner, HealthcareService, Location)
    ]
    return {row.id: row.name for row in session.execute(union_all(*parts))}
