"""How a link is: ok, stale, failed, and what follows from each. Written in the transaction of whoever learnt it.

Trouble that may pass is tried again with growing pauses. Trouble that only a person can mend stops what it must and is a
task for staff, once, which is settled when the link is ok again.
"""

from datetime import datetime, timedelta

from booking.elsewhere import clear_busy, set_busy
from booking.task_words import TaskSays
from booking.tasks import open_task, settle_subjects
from booking.values import CalendarPolicy, Catalogue, TaskKind, WhenFailed
from calendar_sync.history import note_action
from calendar_sync.link_policy import policy_for
from calendar_sync.model import CalendarLink, LinkError, LinkState
from calendar_sync.objects import origin_of, schedule_of
from calendar_sync.ports import AccessRefused
from kernel.errors import Unavailable
from kernel.interval import Interval
from kernel.log import get_logger
from kernel.work import UnitOfWork

EVERY = timedelta(minutes=1)
_PAUSES = (timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5))
_BLOCKED_FOR = timedelta(days=730)
_UNREADABLE = "unreadable"

log = get_logger()


def note_good(work: UnitOfWork, link: CalendarLink, *, now: datetime) -> None:
    """Note that the calendar was read and written as it should be. What its trouble had stopped goes on."""
    was = link.state
    link.state, link.error, link.last_ok_at = LinkState.OK.value, None, now
    link.unreachable_since, link.failures, link.next_try_at = None, 0, now + EVERY
    link.takes_emptiness = False
    if was == LinkState.FAILED.value:
        unblock(work, link, now=now)
        settle_subjects(work, clinic_id=link.clinic_id, subjects=[subject_of_link(link.id)], now=now, done_by="system")
    if was != LinkState.OK.value:
        note_action(work, link_id=link.id, action="state", outcome=LinkState.OK.value, now=now)


def note_trouble(
    work: UnitOfWork, catalogue: Catalogue, link: CalendarLink, failure: AccessRefused | Unavailable, *, now: datetime
) -> None:
    """Note that the calendar could not be asked. One that refuses us is asked nothing more until staff mend the link."""
    if isinstance(failure, AccessRefused):
        link.paused_at = link.paused_at or now
        _fail(work, catalogue, link, LinkError.ACCESS_REFUSED, now=now)
        return
    link.unreachable_since = link.unreachable_since or now
    pause = _PAUSES[min(link.failures, len(_PAUSES) - 1)]
    link.failures += 1
    link.next_try_at = now + max(pause, failure.retry_after)
    if link.error == LinkError.SUDDENLY_EMPTY.value:
        return
    policy = policy_for(link, catalogue.calendars)
    if now - link.unreachable_since >= policy.failed_after:
        _fail(work, catalogue, link, LinkError.UNREACHABLE, now=now)
    else:
        link.error = LinkError.UNREACHABLE.value
        if is_stale(link, policy, now=now):
            _become(work, link, LinkState.STALE, now=now)


def note_sudden_emptiness(work: UnitOfWork, catalogue: Catalogue, link: CalendarLink, *, now: datetime) -> None:
    """Note that nearly all is gone at once, which is believed only when staff say so. Looked at again by itself."""
    link.next_try_at = now + _PAUSES[-1]
    _fail(work, catalogue, link, LinkError.SUDDENLY_EMPTY, now=now)


def is_stale(link: CalendarLink, policy: CalendarPolicy, *, now: datetime) -> bool:
    """Say whether the last good read of the calendar is too long ago by the link's policy."""
    return link.read_at is None or now - link.read_at >= policy.stale_after


def shown_state(link: CalendarLink, policy: CalendarPolicy, *, now: datetime) -> LinkState:
    """Return the state to show: a link that nobody has asked for long is not ok, whatever it was then."""
    state = LinkState(link.state)
    return LinkState.STALE if state is LinkState.OK and is_stale(link, policy, now=now) else state


def block(work: UnitOfWork, link: CalendarLink, policy: CalendarPolicy, *, now: datetime) -> None:
    """Offer nothing of the practitioner while the link has failed, if the link's policy says so; else offer it again."""
    if (
        link.state != LinkState.FAILED.value
        or not link.reads_busy
        or policy.when_failed is not WhenFailed.STOP_OFFERING
    ):
        unblock(work, link, now=now)
        return
    set_busy(
        work,
        schedule_id=schedule_of(work, link),
        origin=origin_of(link.id, _UNREADABLE),
        spans=[Interval(now, now + _BLOCKED_FOR)],
        now=now,
    )


def unblock(work: UnitOfWork, link: CalendarLink, *, now: datetime) -> None:
    """Offer again what was not offered because the calendar could not be read."""
    clear_busy(work, schedule_id=schedule_of(work, link), origin_prefix=origin_of(link.id, _UNREADABLE), now=now)


def subject_of_link(link_id: str) -> str:
    """Return the subject of the task that tells staff of the link's trouble."""
    return f"calendar-link:{link_id}"


def _fail(work: UnitOfWork, catalogue: Catalogue, link: CalendarLink, error: LinkError, *, now: datetime) -> None:
    is_new = link.state != LinkState.FAILED.value or link.error != error.value
    link.error = error.value
    if not is_new:
        return
    _become(work, link, LinkState.FAILED, now=now)
    open_task(
        work,
        clinic_id=link.clinic_id,
        kind=TaskKind.CALENDAR,
        says=_SAYS[error],
        details={"practitioner": catalogue.practitioner(link.practitioner_id).name},
        now=now,
        subject=subject_of_link(link.id),
    )
    block(work, link, policy_for(link, catalogue.calendars), now=now)


def _become(work: UnitOfWork, link: CalendarLink, state: LinkState, *, now: datetime) -> None:
    if link.state != state.value or state is LinkState.FAILED:
        link.state = state.value
        note_action(work, link_id=link.id, action="state", outcome=f"{state.value}: {link.error}", now=now)
        log.warning("calendar.link.state", link_id=link.id, state=state.value, error=link.error)


_SAYS = {
    LinkError.UNREACHABLE: TaskSays.LINK_UNREACHABLE,
    LinkError.ACCESS_REFUSED: TaskSays.LINK_REFUSED,
    LinkError.SUDDENLY_EMPTY: TaskSays.LINK_EMPTY,
}
