"""Visits that come near: the duty that writes down the texts which remind their patients. They are sent like all that wait."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.model.clinic import Clinic
from booking.reminded import visits_ahead
from booking.reminders import Ahead, Due, due, together
from booking.values import Catalogue, MailUse
from jobs.context import JobServices
from jobs.in_turn import in_turn
from kernel.log import get_logger
from kernel.work import UnitOfWork
from sms.reach import Reach, reaches
from sms.reminder_texts import queue_reminder

_log = get_logger()


def remind_everybody(services: JobServices, now: datetime) -> None:
    """Write down what reminds whoever is to be reminded now, at every clinic."""
    with services.db.read() as session:
        clinic_ids = list(session.scalars(select(Clinic.id).order_by(Clinic.id)))
    with in_turn() as turn:
        for clinic_id in clinic_ids:
            with turn():
                _remind_clinic(services, clinic_id, now=now)


def _remind_clinic(services: JobServices, clinic_id: str, *, now: datetime) -> None:
    """One text or mail at a time, so that a death costs one."""
    with services.db.read() as session:
        catalogue = services.catalogues.get(session, clinic_id=clinic_id)
        mail = services.mail_use(catalogue)
        messages = list(_messages(session, catalogue, mail=mail, now=now))
    with in_turn() as turn:
        for reminders, reach in messages:
            with turn():
                _remind(services, catalogue, reminders, reach, mail=mail, now=now)


def _messages(
    session: Session, catalogue: Catalogue, *, mail: MailUse, now: datetime
) -> Iterator[tuple[list[Due], Reach]]:
    """Yield what is told in one message each, and to whom. A constant number of statements."""
    leads, hours = catalogue.messages.reminders, catalogue.messages.sent_between
    ahead = visits_ahead(session, clinic_id=catalogue.clinic_id, leads=leads, now=now) if leads else []

    def due_of(one: Ahead) -> list[Due]:
        return due(one, leads, now=now, zone=catalogue.location(one.location_id).zone, hours=hours)

    if not any(due_of(one) for one in ahead):
        return
    reach = reaches(session, catalogue, patient_ids={one.patient_id for one in ahead})
    by_way: dict[object, list[Ahead]] = {}
    for one in ahead:
        by_way.setdefault(_way(reach[one.patient_id], mail) or one.patient_id, []).append(one)
    for theirs in by_way.values():
        come = list(chain.from_iterable(map(due_of, theirs)))
        zone = catalogue.location(theirs[0].location_id).zone
        for several in _by_day(together(come, theirs, zone=zone, hours=hours), catalogue):
            yield several, reach[several[0].ahead.patient_id]


def _way(reach: Reach, mail: MailUse) -> object:
    """Return the way on which a message reaches somebody; None if there is none. Who shares a number may have another mailbox."""
    if reach.obstacle is None and mail is not MailUse.ALSO:
        return reach.number
    return (reach.number, reach.email) if reach.number or reach.email else None


def _by_day(reminders: Sequence[Due], catalogue: Catalogue) -> list[list[Due]]:
    days: dict[object, list[Due]] = {}
    for one in reminders:
        zone = catalogue.location(one.ahead.location_id).zone
        days.setdefault((one.ahead.starts_at.astimezone(zone).date(), one.left_out is None and one.lead), []).append(
            one
        )
    return list(days.values())


def _remind(
    services: JobServices,
    catalogue: Catalogue,
    reminders: Sequence[Due],
    reach: Reach,
    *,
    mail: MailUse,
    now: datetime,
) -> None:
    def queue(work: UnitOfWork) -> str | None:
        return queue_reminder(work, catalogue, reminders, reach, now=now, mail=mail)

    try:
        services.db.run(queue)
    except IntegrityError:
        _log.info("jobs.reminder.repeat")  # somebody else wrote one of them down since we looked
