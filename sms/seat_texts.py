"""Texts to those who take part in a group: that they have a seat, and that they have none any more."""

from datetime import datetime

from sqlalchemy import select

from booking import queries
from booking.message_wording import Medium
from booking.sessions import Seat, seat
from booking.values import AppointmentStatus, BookedVisit, Catalogue, MailUse
from kernel.work import UnitOfWork
from sms.model import SmsKind, SmsMessage, SmsState
from sms.notices import Origin, compose
from sms.reach import reach_of
from sms.visit_notices import early_enough
from sms.writing import Notice, write_down


def queue_seat_notice(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    kind: SmsKind,
    seat_id: str,
    revision: int,
    now: datetime,
    mail: MailUse = MailUse.NEVER,
) -> str | None:
    """Write down the text that tells a participant of their seat; return its id, None if none is to be sent.

    `kind`: BOOKED, MOVED or CANCELLED; `revision`: of the event. Calling again for the same event gives the same text. Nothing is sent
    about a seat of which something else is true by now, about a session that is over, or to a number that has opted out; where
    there is no number a mail says it, as far as `mail` lets one, or staff get a task. That the clinic moved a session or called it off waits for the end of the quiet hours.
    """
    found = seat(work.session, seat_id=seat_id)
    stored = work.session.scalar(
        select(SmsMessage).where(
            SmsMessage.kind == kind, SmsMessage.appointment_id == found.session_id, SmsMessage.revision == revision
        )
    )
    if stored is not None:
        return None if stored.state == SmsState.SKIPPED else stored.id
    session = queries.visit(work.session, appointment_id=found.session_id)
    by_clinic = kind is SmsKind.MOVED or session.status is AppointmentStatus.CANCELLED
    reach = reach_of(work.session, catalogue, patient_id=found.patient_id)

    def said(medium: Medium) -> str:
        origin = Origin.CLINIC if by_clinic else Origin.PATIENT
        return compose(catalogue, session, kind=kind, now=now, origin=origin, language=reach.language, medium=medium)

    notice = Notice(
        kind,
        text=said(Medium.TEXT),
        mail=said(Medium.MAIL),
        appointment_id=found.session_id,
        location_id=session.location_id,
        due_at=early_enough(catalogue, session, now=now) if by_clinic else now,
        revision=revision,
        out_of_date=_out_of_date(found, session, kind=kind, now=now),
        must_arrive=by_clinic,
    )
    message = write_down(work, catalogue, notice, reach, mail=mail, now=now)
    return None if message.note else message.id


def _out_of_date(found: Seat, visit: BookedVisit, *, kind: SmsKind, now: datetime) -> str | None:
    if (found.status is AppointmentStatus.BOOKED) != (kind is not SmsKind.CANCELLED):
        return "superseded"
    return "past" if visit.starts_at <= now else None
