"""What is done again and again: one table of duties, each run by one worker at a time, once per interval.

A duty is a scan of the database for what is due, safe to run twice; its row says when it is due next and who has it, so
that any number of workers may look, and a worker that dies delays it by one lease.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.desk.attendance import complete_past
from booking.desk.requests import clinics_with_requests, close_unanswered, escalate_requests
from booking.expiry import expire_holds
from booking.purge import purge_lapsed
from calendar_sync.retention import forget_old
from dialog.due import close_idle
from dialog.review import gather_words
from jobs.context import JobServices
from jobs.groups import look_after_groups
from jobs.in_turn import in_turn
from jobs.lease import LEASE
from jobs.mailing import send_invitations, send_mails
from jobs.messages import send_what_waits
from jobs.model import DueRun
from jobs.next_available import refresh_everybody
from jobs.pick_up import pick_up_dropped_calls
from jobs.reminders import remind_everybody
from jobs.staff_away import answer_for_staff
from jobs.sync import sync_calendars
from jobs.waiting_list import offer_everywhere
from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.work import UnitOfWork

_GATHERED_AT_ONCE = 20  # times 200 conversations, which takes seconds

log = get_logger()


@dataclass(frozen=True)
class Duty:
    name: str
    every: timedelta
    run: Callable[[JobServices, datetime], None]


def _expire_holds(services: JobServices, now: datetime) -> None:
    services.db.run(lambda work: expire_holds(work, now=now))


def _close_idle(services: JobServices, now: datetime) -> None:
    services.db.run(lambda work: close_idle(work, now=now))


def _complete_past(services: JobServices, now: datetime) -> None:
    services.db.run(lambda work: complete_past(work, now=now))


def _chase_requests(services: JobServices, now: datetime) -> None:
    with services.db.read() as session:
        clinic_ids = clinics_with_requests(session)
    with in_turn() as turn:
        for clinic_id in clinic_ids:

            def escalate(work: UnitOfWork, clinic_id: str = clinic_id) -> None:
                catalogue = services.catalogues.get(work.session, clinic_id=clinic_id)
                escalate_requests(work, catalogue, now=now)

            with turn():
                services.db.run(escalate)
        with turn():
            services.db.run(lambda work: close_unanswered(work, now=now))


def _purge_lapsed(services: JobServices, now: datetime) -> None:
    services.db.run(lambda work: purge_lapsed(work, now=now))


def _forget_calendar_history(services: JobServices, now: datetime) -> None:
    services.db.run(lambda work: forget_old(work, now=now))


def _gather_words(services: JobServices, _now: datetime) -> None:
    # Many at a time after an update, when all that was ever said waits for it; none on other days.
    for _ in range(_GATHERED_AT_ONCE):
        if not services.db.run(gather_words):
            return


QUICK_DUTIES: tuple[Duty, ...] = (
    Duty("expire-holds", timedelta(seconds=15), _expire_holds),
    Duty("close-idle-conversations", timedelta(minutes=1), _close_idle),
    Duty("offer-freed-time", timedelta(minutes=1), offer_everywhere),
    Duty("refresh-next-available", timedelta(minutes=5), refresh_everybody),
    Duty("chase-requests", timedelta(minutes=5), _chase_requests),
    Duty("look-after-groups", timedelta(minutes=1), look_after_groups),
    Duty("complete-past", timedelta(minutes=5), _complete_past),
    Duty("purge-lapsed-holds", timedelta(hours=1), _purge_lapsed),
    Duty("forget-calendar-history", timedelta(hours=1), _forget_calendar_history),
    Duty("pick-up-dropped-calls", timedelta(seconds=15), pick_up_dropped_calls),
    Duty("remind", timedelta(minutes=1), remind_everybody),
    Duty("answer-for-staff", timedelta(seconds=15), answer_for_staff),
    Duty("gather-words", timedelta(seconds=30), _gather_words),
)
# The rest wait for others, up to minutes when those are out of reach: each row of them is run beside the others.
TEXT_DUTIES: tuple[Duty, ...] = (
    # As often as anybody looks: what staff write waits here, and the patient for it.
    Duty("send-waiting-messages", timedelta(seconds=2), send_what_waits),
)
SLOW_DUTIES: tuple[Duty, ...] = (Duty("sync-calendars", timedelta(seconds=15), sync_calendars),)
MAIL_DUTIES: tuple[Duty, ...] = (
    Duty("send-invitations", timedelta(seconds=5), send_invitations),
    Duty("send-mails", timedelta(seconds=5), send_mails),
)
DUTIES = (*QUICK_DUTIES, *TEXT_DUTIES, *SLOW_DUTIES, *MAIL_DUTIES)


def run_due(services: JobServices, *, now: datetime, duties: Sequence[Duty] = DUTIES) -> list[str]:
    """Run every duty that is due and that nobody else is at; return their names."""
    services.db.run(lambda work: _make_rows(work, duties, now))
    done = []
    for duty in duties:
        if services.db.run(lambda work, duty=duty: _take(work, duty, now)):  # type: ignore[misc]  # bound by a default value
            error = _run(services, duty, now)
            services.db.run(lambda work, duty=duty, error=error: _finish(work, duty, now, error))  # type: ignore[misc]  # likewise
            done.append(duty.name)
    return done


def last_finished(session: Session) -> datetime | None:
    """Return when a worker last finished any duty: the sign that one is alive."""
    return session.scalar(select(DueRun.finished_at).order_by(DueRun.finished_at.desc().nulls_last()).limit(1))


def _run(services: JobServices, duty: Duty, now: datetime) -> str | None:
    """Run one duty; what goes wrong with it shall not keep the others from their turn."""
    try:
        duty.run(services, now)
    except Unavailable:
        log.warning("jobs.due.unavailable", duty=duty.name)
        return "unavailable"
    except Exception as bug:
        # The same edge as in jobs.run, for work that has no Delivery.
        log.exception("jobs.due.bug", duty=duty.name)
        return type(bug).__name__
    return None


def _make_rows(work: UnitOfWork, duties: Sequence[Duty], now: datetime) -> None:
    known = set(work.session.scalars(select(DueRun.name)))
    for duty in duties:
        if duty.name in known:
            continue
        # Another worker at its first start may have made the row since we looked.
        with contextlib.suppress(IntegrityError), work.part():
            work.session.add(DueRun(name=duty.name, next_at=now))


def _take(work: UnitOfWork, duty: Duty, now: datetime) -> bool:
    taken = work.session.execute(
        update(DueRun)
        .where(
            DueRun.name == duty.name,
            DueRun.next_at <= now,
            or_(DueRun.lease_until.is_(None), DueRun.lease_until <= now),
        )
        .values(lease_until=now + LEASE)
        .returning(DueRun.name)
    )
    return taken.first() is not None


def _finish(work: UnitOfWork, duty: Duty, now: datetime, error: str | None) -> None:
    work.session.execute(
        update(DueRun)
        .where(DueRun.name == duty.name)
        .values(lease_until=None, next_at=now + duty.every, finished_at=now, error=error)
    )
