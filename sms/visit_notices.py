"""The text that tells a patient what became of their visit, written down once for each change that still holds."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import queries, quiet
from booking.message_wording import Medium
from booking.model.appointment import AppointmentChange
from booking.values import AppointmentStatus, BookedVisit, Catalogue, MailUse
from kernel.work import UnitOfWork
from sms import notices
from sms.held_back import is_past
from sms.mails import drop_mails
from sms.model import SmsKind, SmsMessage, SmsState
from sms.notices import Instead, Origin
from sms.reach import reach_of
from sms.writing import Notice, write_down

_TOLD = {AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED}
_TOLD_OF = {
    SmsKind.CANCELLED: {AppointmentStatus.CANCELLED},
    SmsKind.REJECTED: {AppointmentStatus.CANCELLED},
    SmsKind.MOVE_OFFERED: {AppointmentStatus.BOOKED, AppointmentStatus.PENDING},
}


def queue_visit_notice(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    kind: SmsKind,
    appointment_id: str,
    revision: int,
    sequence: int,
    now: datetime,
    instead: Instead = Instead(),  # noqa: B008 -- frozen
    mail: MailUse = MailUse.NEVER,
) -> str | None:
    """Write down the text that tells a patient what became of their visit; return its id, None if none is to be sent.

    `revision` and `sequence` are those of the event. Calling again for the same one gives the same text. Nothing is sent
    about a visit that is over or has changed again (that has an event of its own), to a number that has opted out, or to
    one that takes no texts: then a mail says it, as far as `mail` lets one, or staff get a task. What staff or a calendar
    changed waits for the end of the quiet hours.
    """
    stored = _stored_notice(work.session, kind, appointment_id, revision)
    if stored is not None:
        return None if stored.state == SmsState.SKIPPED else stored.id
    visit = queries.visit(work.session, appointment_id=appointment_id)
    if visit.patient_id is None:
        return None  # a group's session: who takes part is told of their seat
    out_of_date = _out_of_date(visit, kind=kind, sequence=sequence, now=now)
    if out_of_date != "superseded":
        _drop_waiting(work, appointment_id=appointment_id)
    origin = _origin(work.session, visit)
    reach = reach_of(work.session, catalogue, patient_id=visit.patient_id)

    def said(medium: Medium) -> str:
        return notices.compose(
            catalogue,
            visit,
            kind=kind,
            now=now,
            origin=origin,
            instead=instead,
            language=reach.language,
            medium=medium,
        )

    notice = Notice(
        kind,
        text=said(Medium.TEXT),
        mail=said(Medium.MAIL),
        appointment_id=appointment_id,
        location_id=visit.location_id,
        due_at=now if origin is Origin.PATIENT else early_enough(catalogue, visit, now=now),
        revision=revision,
        out_of_date=out_of_date,
        must_arrive=origin is Origin.CLINIC and kind is not SmsKind.BOOKED,
    )
    message = write_down(work, catalogue, notice, reach, mail=mail, now=now)
    return None if message.note else message.id


def early_enough(catalogue: Catalogue, visit: BookedVisit, *, now: datetime) -> datetime:
    """Return when a patient may be told of what they have not asked for: in the morning, unless they came for nothing by then."""
    zone, hours = catalogue.location(visit.location_id).zone, catalogue.messages.sent_between
    return quiet.told_from(now, zone=zone, hours=hours, starts_at=visit.starts_at)


def _stored_notice(session: Session, kind: SmsKind, appointment_id: str, revision: int) -> SmsMessage | None:
    return session.scalar(
        select(SmsMessage).where(
            SmsMessage.kind == kind, SmsMessage.appointment_id == appointment_id, SmsMessage.revision == revision
        )
    )


def _out_of_date(visit: BookedVisit, *, kind: SmsKind, sequence: int, now: datetime) -> str | None:
    if visit.status not in _TOLD_OF.get(kind, _TOLD) or visit.sequence > sequence:
        return "superseded"
    if kind is SmsKind.CANCELLED and not visit.practitioner_id:
        return "no-visit"
    return "past" if is_past(visit, now=now) else None


def _origin(session: Session, visit: BookedVisit) -> Origin:
    """Return who made the last change of the visit."""
    actor = session.scalar(
        select(AppointmentChange.actor)
        .where(AppointmentChange.appointment_id == visit.id)
        .order_by(AppointmentChange.id.desc())
        .limit(1)
    )
    return Origin.PATIENT if actor == "patient" else Origin.CLINIC


def _drop_waiting(work: UnitOfWork, *, appointment_id: str) -> None:
    """Take back what still waits for the end of the quiet hours: the visit has changed again since."""
    work.session.execute(
        update(SmsMessage)
        .where(
            SmsMessage.appointment_id == appointment_id,
            SmsMessage.state == SmsState.QUEUED,
            # These may be of other visits as well: they are looked at when they are about to be sent.
            SmsMessage.kind != SmsKind.REMINDER,
        )
        .values(state=SmsState.SKIPPED, note="superseded")
    )
    drop_mails(work, appointment_id=appointment_id)
