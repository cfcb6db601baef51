"""Brings one Appointment and one calendar together: plans, acts, remembers.

Two short transactions with a call of the calendar between them. What is about to be written is noted before, so that after
a crash or a lost answer the next try looks whether it arrived. What is planned from a look is planned anew if the row says
that somebody else, who looked later, was faster.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from booking.model.appointment import Appointment
from booking.task_words import TaskSays
from booking.values import Catalogue
from calendar_sync.context import CalendarSync, asking
from calendar_sync.entry import CalendarEntry, content_hash
from calendar_sync.history import note_action, tell_staff
from calendar_sync.model import CalendarLink, ObjectState, RemoteObject
from calendar_sync.objects import known_of, locked_row, put_at, remember
from calendar_sync.outside import Deed, answer
from calendar_sync.plan import GONE, REMOVING, Action, Finding, Known, Plan, There, agreed, plan, to_write
from calendar_sync.ports import CalendarStore, ChangedMeanwhile, RemoteEvent, TimeRefused
from calendar_sync.wanted import wanted_entry
from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.work import UnitOfWork

_ATTEMPTS = 5

log = get_logger()


class KeepsChanging(Unavailable):
    """Others are writing to the event as fast as we are. Trying again later helps."""


@dataclass(frozen=True)
class Found:
    """What a look showed of an event of ours, where, and which version we knew when we looked."""

    there: There
    href: str
    as_of: str | None


@dataclass(frozen=True)
class _Step:
    """What is to be done in the calendar next, and from what that was planned."""

    plan: Plan
    href: str
    known: Known
    entry: CalendarEntry | None  # to be written
    ours_hash: str | None
    version: str | None  # that stands there
    stamped_at: datetime


def found_there(event: RemoteEvent, *, as_of: str | None) -> Found:
    """Return what a listing or a look showed."""
    return Found(There(event.version, event.entry, event.is_called_off), event.href, as_of)


def settle(
    sync: CalendarSync,
    store: CalendarStore,
    *,
    link_id: str,
    appointment_id: str,
    now: datetime,
    found: Found | None = None,
) -> None:
    """Bring the calendar and the diary together on the Appointment. May be called any number of times, by anybody.

    `found`: what stands there, if that is known. What somebody did there is followed or undone as the clinic's policy says,
    and told to staff. A visit that has begun is left as it is. Raises CalendarTrouble, KeepsChanging and Unavailable; what
    is behind then is noted.
    """
    pair = _Pair(sync, link_id, appointment_id, store.href_of(name=appointment_id), now)
    for _ in range(_ATTEMPTS):
        step = sync.db.run(partial(pair.prepare, found=found))
        if step is None:
            return
        if step.plan.action is Action.LOOK:
            found = _look(store, step)
            continue
        try:
            with asking():
                there, href = _write(store, step)
        except ChangedMeanwhile:
            found = _look(store, step)
            continue
        except TimeRefused:
            sync.db.run(partial(pair.note_refused, step=step))
            return
        if sync.db.run(partial(pair.finish, step=step, there=there, href=href)):
            return
        found = _look(store, step)
    raise KeepsChanging("the calendar keeps changing under our writes")


def _look(store: CalendarStore, step: _Step) -> Found:
    with asking():
        event = store.get(href=step.href)
    if event is None:
        return Found(GONE, step.href, step.known.version)
    return found_there(event, as_of=step.known.version)


def _write(store: CalendarStore, step: _Step) -> tuple[There, str]:
    """Carry out the plan; return what stands there now, and where."""
    if step.entry is None:
        if step.version is not None:
            store.delete(href=step.href, version=step.version)
        return GONE, step.href
    written = store.put(href=step.href, entry=step.entry, stamped_at=step.stamped_at, version=step.version)
    return There(written.version, step.entry), written.href


@dataclass(frozen=True)
class _Pair:
    """One Appointment and one calendar, and each step of bringing them together that is a transaction."""

    sync: CalendarSync
    link_id: str
    appointment_id: str
    new_href: str  # where it is put if it is not there yet
    now: datetime

    def prepare(self, work: UnitOfWork, *, found: Found | None) -> _Step | None:
        """Plan, and do all that needs no calendar. Return what does, or None if nothing is left."""
        read = self._read(work)
        if read is None:
            return None
        link, appointment, catalogue = read
        row = self._row(work)
        known = known_of(row)
        ours = wanted_entry(catalogue, link, appointment)
        looking = _Step(Plan(Action.LOOK), row.href or self.new_href, known, None, None, None, appointment.changed_at)
        if found is not None and found.as_of != known.version:
            return looking
        if found is not None and found.there.version is not None:
            put_at(work, row, link, href=found.href, now=self.now)
        theirs = found.there if found else None
        if appointment.starts_at <= self.now:
            self._leave(row, ours, theirs)
            return None
        planned = plan(known=known, ours=ours, theirs=theirs)
        if planned.action is Action.LOOK:
            return looking
        if planned.action is Action.NOTHING:
            self._note_settled(row, ours)
            return None
        is_followed = False
        if theirs is not None and planned.finding is not None:
            is_followed = answer(work, catalogue, Deed(planned.finding, theirs, link, appointment), now=self.now)
            ours = wanted_entry(catalogue, link, appointment)
        if theirs is not None and (is_followed or planned.action is Action.REMEMBER):
            self._remember(row, agreed(ours=ours, theirs=theirs, known=known), ours)
            return None
        return self._set_out(row, planned, ours, theirs, appointment.changed_at)

    def finish(self, work: UnitOfWork, *, step: _Step, there: There, href: str) -> bool:
        """Write down what was done. False: somebody else wrote something down in between, so that we have to look again."""
        read = self._read(work)
        if read is None:
            return True
        link, appointment, catalogue = read
        row = self._row(work)
        if known_of(row) != step.known:
            return False
        put_at(work, row, link, href=href, now=self.now)
        after = agreed(ours=step.entry, theirs=there, known=step.known)
        # The hash of what the diary says, whose sequence may be lower than what had to be written.
        self._remember(row, replace(after, ours=step.ours_hash), step.entry)
        # The visit may have changed while we wrote; then its own event is on the way, and until then the row says so.
        if _hash_of(wanted_entry(catalogue, link, appointment)) != step.ours_hash:
            row.state = ObjectState.BEHIND.value
        self._note(work, step, outcome=_OUTCOMES.get(step.plan.finding, "done"))
        log.info(
            "calendar.written",
            action=step.plan.action.value,
            link_id=self.link_id,
            appointment_id=self.appointment_id,
        )
        return True

    def note_refused(self, work: UnitOfWork, *, step: _Step) -> None:
        """The calendar has something else then: for staff to see to, since trying again does not help."""
        read = self._read(work)
        if read is None:
            return
        link, appointment, catalogue = read
        row = self._row(work)
        row.state, row.attempt_hash, row.changed_at = ObjectState.REFUSED.value, None, self.now
        says = TaskSays.TIME_TAKEN_THERE
        tell_staff(work, catalogue, appointment, link=link, says=says, details={}, now=self.now)
        self._note(work, step, outcome="time-refused")

    def _read(self, work: UnitOfWork) -> tuple[CalendarLink, Appointment, Catalogue] | None:
        link = work.session.get(CalendarLink, self.link_id)
        appointment = work.session.get(Appointment, self.appointment_id)
        if link is None or appointment is None:
            return None
        return link, appointment, self.sync.catalogues.get(work.session, clinic_id=link.clinic_id)

    def _row(self, work: UnitOfWork) -> RemoteObject:
        return locked_row(work, link_id=self.link_id, appointment_id=self.appointment_id, now=self.now)

    def _set_out(
        self,
        row: RemoteObject,
        planned: Plan,
        ours: CalendarEntry | None,
        theirs: There | None,
        stamped_at: datetime,
    ) -> _Step:
        """Note what is about to be written."""
        known = known_of(row)
        entry = None if ours is None else to_write(ours=ours, theirs=theirs, known=known)
        attempt = REMOVING if entry is None else content_hash(entry)
        row.href = row.href or self.new_href
        row.attempt_hash, row.state, row.changed_at = attempt, ObjectState.BEHIND.value, self.now
        return _Step(
            plan=planned,
            href=row.href,
            known=known_of(row),
            entry=entry,
            ours_hash=_hash_of(ours),
            version=theirs.version if theirs else known.version,
            stamped_at=stamped_at,
        )

    def _leave(self, row: RemoteObject, ours: CalendarEntry | None, theirs: There | None) -> None:
        """Note how it stands with a visit that has begun: nothing is written any more, whatever differs."""
        if theirs is None:
            self._note_settled(row, ours)
        else:
            self._remember(row, agreed(ours=ours, theirs=theirs, known=known_of(row)), ours)

    def _note_settled(self, row: RemoteObject, ours: CalendarEntry | None) -> None:
        if row.state == ObjectState.BEHIND.value:
            row.state, row.changed_at = _state_with(ours).value, self.now

    def _remember(self, row: RemoteObject, known: Known, ours: CalendarEntry | None) -> None:
        remember(row, known, state=_state_with(ours), now=self.now)

    def _note(self, work: UnitOfWork, step: _Step, *, outcome: str) -> None:
        note_action(
            work,
            link_id=self.link_id,
            action=step.plan.action.value,
            outcome=outcome,
            appointment_id=self.appointment_id,
            href=step.href,
            now=self.now,
        )


_OUTCOMES: dict[Finding | None, str] = {
    Finding.MOVED: "restored",
    Finding.DELETED: "restored",
    Finding.UNREADABLE: "restored",
    Finding.CONFLICT: "ours-written",
}


def _state_with(ours: CalendarEntry | None) -> ObjectState:
    return ObjectState.OK if ours else ObjectState.REMOVED


def _hash_of(entry: CalendarEntry | None) -> str | None:
    return None if entry is None else content_hash(entry)
