"""A change of a visit, brought into the patient's own calendar by e-mail."""

from datetime import datetime

from sqlalchemy import select

from booking.events import AppointmentEvent
from booking.model.appointment import Appointment
from calendar_sync.invitation_words import Speech
from calendar_sync.invitations import note_mail_is_off, queue_invitation
from jobs.context import JobServices
from kernel.work import UnitOfWork
from sms.texts import language_of, moment


def write_invitation(services: JobServices, event: AppointmentEvent, now: datetime) -> None:
    """Write down the mail about the event's Appointment as it stands now. A duty sends it: no job waits for a mail server."""

    def write(work: UnitOfWork) -> None:
        catalogue = services.catalogues.get(work.session, clinic_id=event.clinic_id)
        if not services.mailer.is_on:
            note_mail_is_off(work, catalogue, now=now)
            return
        patient_id = work.session.scalar(select(Appointment.patient_id).where(Appointment.id == event.appointment_id))
        speech = Speech(language_of(work.session, catalogue, patient_id=patient_id), moment)
        queue_invitation(work, catalogue, appointment_id=event.appointment_id, speech=speech, now=now)

    services.db.run(write)
