"""Visits in the patient's own calendar: which mail is due, written down with all that it says. `invitation_mail` sends it.

What is written is the visit as it stands, not the event that asked for it: events may come late, twice or in another order, and the
patient still learns each state of the visit once, and never an older one after a newer.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment
from booking.model.mail import MailState
from booking.model.patient import Patient, RelatedPerson
from booking.patients import email_hash, emails_of
from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import AppointmentStatus, Catalogue, TaskKind
from calendar_sync.entry import CalendarEntry
from calendar_sync.ical import Method, to_invitation
from calendar_sync.invitation_words import Said, Speech, compose
from calendar_sync.model import Invitation
from calendar_sync.wanted import SHOWN
from kernel.db import new_id
from kernel.errors import Malformed
from kernel.log import get_logger
from kernel.mail import Mailbox, read_address
from kernel.work import UnitOfWork

CONFIRMED, TENTATIVE, CANCELLED = "CONFIRMED", "TENTATIVE", "CANCELLED"
_OFF = {AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR}

_log = get_logger()


def queue_invitation(
    work: UnitOfWork, catalogue: Catalogue, *, appointment_id: str, speech: Speech, now: datetime
) -> str | None:
    """Write down the mail that brings the patient's calendar to where the visit stands; return its id, None if none is due.

    Locks the Appointment. Calling again while visit and address are the same gives the same mail. The first mail goes where
    the clinic wants invitations and an address is known; whoever has had one hears of every change. Nothing is written of a
    visit that has begun, or to a group: those who take part have no event of their own.
    """
    if not catalogue.sends_invitations and last_told(work.session, appointment_id=appointment_id) is None:
        return None
    appointment = _locked(work, appointment_id)
    if appointment is None or appointment.patient_id is None or appointment.starts_at <= now:
        return None
    status, told = _status(appointment), last_told(work.session, appointment_id=appointment_id)
    is_due = status is not None and _is_due(catalogue, status, told)
    between = _between(work, catalogue, appointment, status=status, told=told, now=now) if is_due else None
    if status is None or between is None:
        _drop_waiting(work, appointment_id)
        return None
    stored = _stored(work.session, appointment, status=status, to=between.patient)
    if stored is not None:
        return None if stored.state == MailState.SKIPPED else stored.id
    _drop_waiting(work, appointment_id)
    said = compose(catalogue, appointment, what=_what(appointment, status, told), speech=speech, now=now)
    return _write(work, catalogue, appointment, between, said, status=status, now=now)


def stands_for(invitation: Invitation, appointment: Appointment) -> bool:
    """Say whether the visit still stands as the mail says."""
    return (invitation.sequence, invitation.status) == (appointment.sequence, _status(appointment))


def last_told(session: Session, *, appointment_id: str) -> Invitation | None:
    """Return the newest mail about the visit that the patient has, or may have."""
    has_left = Invitation.state.in_((MailState.SENDING, MailState.SENT))
    return session.scalar(
        select(Invitation)
        .where(Invitation.appointment_id == appointment_id, or_(has_left, Invitation.unanswered > 0))
        .order_by(Invitation.sequence.desc(), Invitation.created_at.desc())
        .limit(1)
    )


def note_mail_is_off(work: UnitOfWork, catalogue: Catalogue, *, now: datetime) -> None:
    """Tell staff, once, that the clinic wants invitations and that there is no mail server to send them."""
    if catalogue.calendars.invitations:
        open_task(
            work,
            clinic_id=catalogue.clinic_id,
            kind=TaskKind.CALENDAR,
            says=TaskSays.MAIL_OFF,
            now=now,
            subject="mail-off",
        )


def _locked(work: UnitOfWork, appointment_id: str) -> Appointment | None:
    return work.session.scalar(
        select(Appointment)
        .where(Appointment.id == appointment_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def _status(appointment: Appointment) -> str | None:
    """Return iCalendar's word for how the visit stands; None for what belongs in nobody's calendar."""
    status = AppointmentStatus(appointment.status)
    if status in SHOWN:
        return CONFIRMED
    if status in _OFF:
        return CANCELLED
    waits = status is AppointmentStatus.PENDING and appointment.hold_expires_at is None
    return TENTATIVE if waits else None


def _is_due(catalogue: Catalogue, status: str, told: Invitation | None) -> bool:
    if told is None:
        # What was only asked for is no appointment yet, and what nobody heard of need not be taken back.
        return status == CONFIRMED and catalogue.sends_invitations
    return told.status != CANCELLED


def _drop_waiting(work: UnitOfWork, appointment_id: str) -> None:
    """Take back what has not left yet: the visit has changed since."""
    work.session.execute(
        update(Invitation)
        .where(Invitation.appointment_id == appointment_id, Invitation.state == MailState.QUEUED)
        .values(state=MailState.SKIPPED, note="superseded")
    )


@dataclass(frozen=True)
class _Between:
    """Who writes and who is written to."""

    clinic: Mailbox
    patient: Mailbox


def _stored(session: Session, appointment: Appointment, *, status: str, to: Mailbox) -> Invitation | None:
    return session.scalar(
        select(Invitation).where(
            Invitation.appointment_id == appointment.id,
            Invitation.sequence == appointment.sequence,
            Invitation.status == status,
            Invitation.to_hash == email_hash(to.address),
        )
    )


def _write(
    work: UnitOfWork,
    catalogue: Catalogue,
    appointment: Appointment,
    between: _Between,
    said: Said,
    *,
    status: str,
    now: datetime,
) -> str:
    invitation = Invitation(
        id=new_id(),
        clinic_id=catalogue.clinic_id,
        appointment_id=appointment.id,
        sequence=appointment.sequence,
        status=status,
        sender=between.clinic.address,
        sender_name=between.clinic.name,
        to=between.patient.address,
        to_hash=email_hash(between.patient.address),
        to_name=between.patient.name,
        subject=said.subject,
        body=said.body,
        calendar=_calendar(catalogue, appointment, between, said, status=status, now=now),
        state=MailState.QUEUED,
        due_at=now,
        created_at=now,
    )
    work.session.add(invitation)
    work.session.flush()
    _log.info("calendar.invitation.queued", invitation_id=invitation.id, status=status, sequence=invitation.sequence)
    return invitation.id


def _what(appointment: Appointment, status: str, told: Invitation | None) -> str:
    if status == CONFIRMED:
        is_news = told is None or (told.sequence, told.status) == (appointment.sequence, CONFIRMED)
        return "booked" if is_news else "moved"
    return "cancelled" if status == CANCELLED else "waiting"


def _calendar(
    catalogue: Catalogue, appointment: Appointment, between: _Between, said: Said, *, status: str, now: datetime
) -> str:
    entry = CalendarEntry(
        uid=appointment.uid,
        sequence=appointment.sequence,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        summary=said.summary,
        location=said.location,
        is_confirmed=status == CONFIRMED,
    )
    return to_invitation(
        entry,
        method=Method.CANCEL if status == CANCELLED else Method.REQUEST,
        organizer=between.clinic,
        attendee=between.patient,
        zone=catalogue.location(appointment.location_id).zone,
        stamped_at=now,
    )


def _between(
    work: UnitOfWork,
    catalogue: Catalogue,
    appointment: Appointment,
    *,
    status: str | None,
    told: Invitation | None,
    now: datetime,
) -> _Between | None:
    clinic = Mailbox(catalogue.email or (told.sender if told else ""), catalogue.name)
    if told is not None and status == CANCELLED:
        # To the calendar that it is in, whatever address is on file by now.
        return _Between(clinic, Mailbox(told.to, told.to_name))
    patient = _receiver(work, catalogue, appointment, now=now)
    return None if patient is None else _Between(clinic, patient)


def _receiver(work: UnitOfWork, catalogue: Catalogue, appointment: Appointment, *, now: datetime) -> Mailbox | None:
    """Return where to write to: the patient's own address, else that of whoever books for them."""
    unreadable = False
    for patient in _patient_and_bookers(work.session, appointment):
        for address in emails_of(work.session, patient_id=patient.id):
            try:
                return Mailbox(read_address(address), patient.name)
            except Malformed:
                unreadable = True
    if unreadable:
        open_task(
            work,
            clinic_id=catalogue.clinic_id,
            kind=TaskKind.UNDELIVERED,
            says=TaskSays.UNREADABLE_EMAIL,
            now=now,
            patient_id=appointment.patient_id,
            subject=f"unreadable-email:{appointment.patient_id}",
        )
    return None


def _patient_and_bookers(session: Session, appointment: Appointment) -> list[Patient]:
    own = session.get_one(Patient, appointment.patient_id)
    bookers = session.scalars(
        select(Patient)
        .join(RelatedPerson, RelatedPerson.by_patient_id == Patient.id)
        .where(RelatedPerson.patient_id == own.id)
        .order_by(Patient.id)
    )
    return [own, *bookers]
