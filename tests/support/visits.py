"""Visits in the diary of the clinic of `clinics.py`, made through the operations of the product."""

from datetime import UTC, date, datetime

from booking.confirm import confirm_hold
from booking.hold import place_hold
from booking.patient_record import PatientChanges, change_patient
from booking.patients import register_patient
from booking.reschedule import reschedule
from booking.values import BookedVisit, Catalogue, Source
from kernel.work import Database

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Albany
PATIENT_PHONE = "+12125550123"


def book(
    database: Database,
    catalogue: Catalogue,
    *,
    service: str = "cleaning",
    practitioner: str,
    location: str = "main",
    starts_at: datetime,
    now: datetime = NOW,
    phone: str = PATIENT_PHONE,
) -> BookedVisit:
    """Book a visit for a new patient, as a conversation would: hold, register, confirm."""
    patient_id = patient_of(database, catalogue, phone=phone, now=now)
    with database.begin() as work:
        hold = place_hold(
            work,
            catalogue,
            service_id=f"service-{service}",
            location_id=f"location-{location}",
            starts_at=starts_at,
            practitioner_ids=(f"practitioner-{practitioner}",),
            conversation_id=f"conversation-{starts_at.isoformat()}-{practitioner}",
            source=Source.SMS,
            now=now,
        )
        return confirm_hold(work, catalogue, appointment_id=hold.id, patient_id=patient_id, now=now, actor="patient")


def patient_of(
    database: Database,
    catalogue: Catalogue,
    *,
    phone: str | None = PATIENT_PHONE,
    email: str | None = None,
    booked_by: str | None = None,
    now: datetime = NOW,
) -> str:
    """Take Ann Smith on, born on 2 May 1984; return the patient's id. With `booked_by` she is that patient's child."""
    with database.begin() as work:
        patient = register_patient(
            work,
            clinic_id=catalogue.clinic_id,
            name="Ann Smith",
            birth_date=date(1984, 5, 2),
            phone=phone,
            language="en",
            now=now,
            booked_by=booked_by,
            relation="child" if booked_by else None,
        )
        if email is not None:
            change_patient(
                work,
                clinic_id=catalogue.clinic_id,
                patient_id=str(patient.id),
                changes=PatientChanges(emails=(email,)),
                now=now,
                actor="staff:ruiz",
                source=Source.STAFF,
            )
    return str(patient.id)


def book_filling(
    database: Database,
    catalogue: Catalogue,
    *,
    patient_id: str,
    starts_at: datetime,
    now: datetime = NOW,
    actor: str = "patient",
) -> BookedVisit:
    """Book a filling at Main Street for a patient on file, with whoever is free."""
    with database.begin() as work:
        hold = place_hold(
            work,
            catalogue,
            service_id="service-filling",
            location_id="location-main",
            starts_at=starts_at,
            conversation_id=None,
            source=Source.PHONE,
            now=now,
        )
        return confirm_hold(work, catalogue, appointment_id=hold.id, patient_id=patient_id, now=now, actor=actor)


def move(
    database: Database,
    catalogue: Catalogue,
    visit: BookedVisit,
    *,
    practitioner: str,
    starts_at: datetime,
    now: datetime,
) -> BookedVisit:
    """Move a visit, as a conversation would: hold the new time, then exchange."""
    with database.begin() as work:
        hold = place_hold(
            work,
            catalogue,
            service_id=visit.service_id,
            location_id=visit.location_id,
            starts_at=starts_at,
            practitioner_ids=(f"practitioner-{practitioner}",),
            conversation_id="conversation-that-moves",
            source=Source.SMS,
            now=now,
            replaces_appointment_id=visit.id,
        )
        return reschedule(
            work, catalogue, appointment_id=visit.id, hold_id=hold.id, now=now, actor="patient", source=Source.SMS
        )
