"""A change of a visit, brought into the patient's own calendar by e-mail."""

from datetime import datetime, timedelta

from sqlalchemy import select

from booking.events import AppointmentEvent
from booking.model.appointment import Appointment
from calendar_sync.invitation_mail import invitations_to_send, send_invitation
from calendar_sync.invitation_words import Speech
from calendar_sync.invitations import note_mail_is_off, queue_invitation
from jobs.context import JobServices
from kernel.errors import Refused, Unavailable
from kernel.mail import MailServerAway
from kernel.work import UnitOfWork
from sms.texts import language_of, moment

_SENDS_FOR = timedelta(minutes=4)


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


def send_invitations(services: JobServices, now: datetime) -> None:
    """Send the mails that wait, oldest first, for as long as the duty's lease allows with one that takes its time.

    Those that fail are noted and keep no other waiting, unless no mail can be sent.
    """
    if not services.mailer.is_on:
        return
    with services.db.read() as session:
        waiting = invitations_to_send(session, now=now)
    for invitation_id in waiting:
        # Each is noted with its own time: by that others tell whether somebody is still at it.
        at = services.clock.now()
        if at > now + _SENDS_FOR:
            return
        try:
            send_invitation(services.db, services.mailer, invitation_id=invitation_id, now=at)
        except MailServerAway:
            return
        except (Refused, Unavailable):
            continue
