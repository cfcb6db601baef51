"""Whose is what: the events that a look at a calendar gave, and the visits that need something there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment
from booking.values import AppointmentStatus, Catalogue
from calendar_sync.model import CALCOM, CalendarLink, ObjectState, RemoteObject
from calendar_sync.objects import known_of
from calendar_sync.plan import GONE, Action, agreed, plan
from calendar_sync.ports import CalendarStore, Changes, RemoteEvent
from calendar_sync.settle import Found, found_there
from calendar_sync.wanted import SHOWN, wanted_entry
from kernel.db import one_of

_CALCOM_SUFFIX = "@cal.com"
_AGREED = (ObjectState.OK.value, ObjectState.REMOVED.value)


@dataclass(frozen=True)
class Sorted:
    """What a look gave. `visits`: what it showed of events of ours, by Appointment."""

    visits: Mapping[str, Found] = field(default_factory=dict)
    foreign: Sequence[RemoteEvent] = ()
    ignored: Sequence[RemoteEvent] = ()  # neither ours to write nor anybody's busy time: copies of ours
    gone: Sequence[str] = ()  # hrefs of what was somebody else's


def sort(
    session: Session,
    store: CalendarStore,
    link: CalendarLink,
    *,
    changes: Changes,
    held: Mapping[str, str],
) -> Sorted:
    """Tell ours from theirs. `held`: the versions by href that we had when we asked.

    An event of ours is known by where we put it, or by its UID if it was put elsewhere in the same calendar since.
    """
    gone = changes.gone if changes.present is None else changes.gone | (held.keys() - changes.present)
    if not changes.events and not gone:
        return Sorted()
    ours = _Ours(session, store, link, changes.events, gone=gone, held=held)
    visits: dict[str, Found] = {}
    foreign: list[RemoteEvent] = []
    ignored: list[RemoteEvent] = []
    # First what is where we put it: what has the UID of such a visit as well is a copy.
    for event in sorted(changes.events, key=lambda event: event.href not in ours.at):
        appointment_id = ours.visit_of(event)
        if appointment_id is not None and appointment_id not in visits:
            visits[appointment_id] = found_there(event, as_of=ours.held_of(appointment_id))
        elif ours.is_ours_or_copied(event):
            ignored.append(event)
        else:
            foreign.append(event)
    for href in gone & ours.at.keys():
        visits.setdefault(ours.at[href], Found(GONE, href, held.get(href)))
    return Sorted(visits, foreign, ignored, sorted(gone - ours.at.keys()))


class _Ours:
    """The events of ours in a calendar, and which of the events seen now are of one of our visits."""

    def __init__(
        self,
        session: Session,
        store: CalendarStore,
        link: CalendarLink,
        events: Iterable[RemoteEvent],
        *,
        gone: frozenset[str],
        held: Mapping[str, str],
    ) -> None:
        self._store, self._link, self._gone, self._held = store, link, gone, held
        rows = session.execute(
            select(RemoteObject.appointment_id, RemoteObject.href, RemoteObject.earlier_hrefs, RemoteObject.etag).where(
                RemoteObject.link_id == link.id, RemoteObject.appointment_id.is_not(None)
            )
        ).all()
        self.at = {str(href): str(appointment_id) for appointment_id, href, _, _ in rows if href is not None}
        self._version_of = {str(appointment_id): etag for appointment_id, _, _, etag in rows}
        self._href_of = {appointment_id: href for href, appointment_id in self.at.items()}
        self._earlier = {earlier for _, _, hrefs, _ in rows for earlier in hrefs}
        found = session.execute(
            select(Appointment.uid, Appointment.id).where(
                Appointment.clinic_id == link.clinic_id, one_of(Appointment.uid, "uids")
            ),
            {"uids": sorted({event.uid for event in events})},
        )
        self._by_uid = {str(uid): str(appointment_id) for uid, appointment_id in found}
        calcom = select(
            exists().where(CalendarLink.practitioner_id == link.practitioner_id, CalendarLink.kind == CALCOM)
        )
        self._is_beside_calcom = link.kind != CALCOM and bool(session.scalar(calcom))

    def held_of(self, appointment_id: str) -> str | None:
        """Return the version of a visit's event that we had when we asked. The row may say another by now."""
        return self._held.get(self._href_of.get(appointment_id, ""))

    def visit_of(self, event: RemoteEvent) -> str | None:
        """Return the Appointment whose event it is, or None: a copy of one, or not ours."""
        if event.href in self.at:
            return self.at[event.href]
        appointment_id = self._by_uid.get(event.uid)
        if appointment_id is None or not self._link.shows_visits:
            return None
        if appointment_id not in self._version_of:
            # Perhaps from before the calendar was linked anew.
            is_it = event.href == self._store.href_of(name=appointment_id)
        else:
            was_there = self._version_of[appointment_id] is not None
            is_it = not was_there or self._href_of.get(appointment_id) in self._gone
        return appointment_id if is_it else None

    def is_ours_or_copied(self, event: RemoteEvent) -> bool:
        """Say whether it is no time of somebody else's: a visit here, or Cal.com's copy of what its own link tells of."""
        if event.href in self._earlier or event.uid in self._by_uid:
            return True
        return self._is_beside_calcom and event.uid.lower().endswith(_CALCOM_SUFFIX)


def visits_to_settle(
    session: Session,
    catalogue: Catalogue,
    link: CalendarLink,
    *,
    found: Mapping[str, Found],
    is_full: bool,
    now: datetime,
) -> list[str]:
    """Return the Appointments for which something is left to do in the calendar, those to be removed first.

    Those of which something was found there, those noted as behind, and those that changed since we last looked at them;
    of a full look all that are ahead.
    """
    if not link.shows_visits and link.clearing is None:
        return []
    ids = set(found) | _behind_or_changed(session, link, now=now)
    if link.shows_visits:
        ids |= _not_there_yet(session, link, now=now)
    if is_full:
        ids |= _ahead(session, link, now=now)
    if not ids:
        return []
    given = {"ids": sorted(ids)}
    rows = {
        row.appointment_id: row
        for row in session.scalars(
            select(RemoteObject).where(RemoteObject.link_id == link.id, one_of(RemoteObject.appointment_id, "ids")),
            given,
        )
    }
    visits = session.scalars(
        select(Appointment).where(one_of(Appointment.id, "ids")).order_by(Appointment.starts_at, Appointment.id), given
    ).all()
    left = [
        (visit.id, action)
        for visit in visits
        if (action := _left_to_do(catalogue, link, visit, rows.get(visit.id), found.get(visit.id), now=now))
    ]
    return [each for each, action in sorted(left, key=lambda one: one[1] is not Action.DELETE)]


def _left_to_do(
    catalogue: Catalogue,
    link: CalendarLink,
    visit: Appointment,
    row: RemoteObject | None,
    found: Found | None,
    *,
    now: datetime,
) -> Action | None:
    row = row or RemoteObject(state=ObjectState.BEHIND.value)
    known = known_of(row)
    ours = wanted_entry(catalogue, link, visit)
    theirs = found.there if found else None
    if visit.starts_at <= now:
        action = (
            Action.NOTHING
            if theirs is None or agreed(ours=ours, theirs=theirs, known=known) == known
            else Action.REMEMBER
        )
    else:
        action = plan(known=known, ours=ours, theirs=theirs).action
    return None if action is Action.NOTHING and row.state != ObjectState.BEHIND.value else action


def _behind_or_changed(session: Session, link: CalendarLink, *, now: datetime) -> set[str]:
    is_behind = RemoteObject.state == ObjectState.BEHIND.value
    # A change and our note of the one before it may bear the same time.
    has_changed = and_(RemoteObject.state.in_(_AGREED), Appointment.changed_at >= RemoteObject.changed_at)
    may_fit_now = and_(
        RemoteObject.state == ObjectState.REFUSED.value, Appointment.changed_at > RemoteObject.changed_at
    )
    return set(
        session.scalars(
            select(Appointment.id)
            .join(RemoteObject, RemoteObject.appointment_id == Appointment.id)
            .where(
                RemoteObject.link_id == link.id,
                or_(is_behind, and_(Appointment.starts_at > now, or_(has_changed, may_fit_now))),
            )
        )
    )


def _not_there_yet(session: Session, link: CalendarLink, *, now: datetime) -> set[str]:
    there = exists().where(RemoteObject.link_id == link.id, RemoteObject.appointment_id == Appointment.id)
    waits_for_staff = and_(Appointment.status == AppointmentStatus.PENDING.value, Appointment.hold_expires_at.is_(None))
    return set(
        session.scalars(
            select(Appointment.id).where(
                Appointment.practitioner_id == link.practitioner_id,
                Appointment.starts_at > now,
                or_(Appointment.status.in_(sorted(SHOWN)), waits_for_staff),
                ~there,
            )
        )
    )


def _ahead(session: Session, link: CalendarLink, *, now: datetime) -> set[str]:
    return set(
        session.scalars(
            select(Appointment.id)
            .join(RemoteObject, RemoteObject.appointment_id == Appointment.id)
            .where(
                RemoteObject.link_id == link.id,
                # What had the time there may be gone by now.
                RemoteObject.state.in_((*_AGREED, ObjectState.REFUSED.value)),
                Appointment.starts_at > now,
            )
        )
    )
