"""When somebody could next be seen by each Practitioner, kept for showing: pages list many people at once.

Only ever a hint. Booking, and the search before it, read the diary.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from booking import guard, search
from booking.asked import people_asked
from booking.model.appointment import Appointment, AppointmentChange
from booking.model.schedule import NextAvailable
from booking.model.staff import Practitioner
from booking.rules import latest_start
from booking.search import Diary, SearchPlace
from booking.values import Catalogue, PractitionerInfo, SlotQuery
from kernel.interval import Interval
from kernel.work import UnitOfWork


class Giving(NamedTuple):
    """Who gives what, where: by ids."""

    practitioner_id: str
    service_id: str
    location_id: str


def refresh(work: UnitOfWork, catalogue: Catalogue, *, practitioner_ids: Sequence[str], now: datetime) -> None:
    """Work out anew when each of these could next be seen, and put that in the place of what was known, all at once.

    In a number of statements that does not depend on how many they are. Locks their Schedules and then reads: of two who
    refresh the same one the later reads what the earlier saw or newer. A package has no time of its own here; its steps do.
    Raises UnknownPractitioner, ScheduleBusy.
    """
    people = people_asked(catalogue, practitioner_ids)
    if not people:
        return
    with guard.all_or_nothing(work):
        guard.lock_schedules(work, schedule_ids={one.schedule_id for one in people})
        found = _first_starts(work.session, catalogue, people, now=now)
        ids = [one.id for one in people]
        work.session.execute(
            delete(NextAvailable)
            .where(NextAvailable.practitioner_id.in_(ids))
            .execution_options(synchronize_session=False)
        )
        rows = [{**each._asdict(), "starts_at": starts_at, "computed_at": now} for each, starts_at in found.items()]
        if rows:
            # One statement, though some have no time.
            work.session.execute(insert(NextAvailable), rows, execution_options={"render_nulls": True})


def next_available(
    session: Session,
    catalogue: Catalogue,
    *,
    practitioner_ids: Sequence[str] = (),
    service_ids: Sequence[str] = (),
    location_ids: Sequence[str] = (),
) -> dict[Giving, datetime | None]:
    """Return when each could next give each service at each Location; None: not as far ahead as the clinic books.

    Empty means any. What was never worked out is not there. One statement.
    """
    asked = {
        NextAvailable.practitioner_id: list(practitioner_ids) or [one.id for one in catalogue.practitioners],
        NextAvailable.service_id: service_ids,
        NextAvailable.location_id: location_ids,
    }
    conditions: list[ColumnElement[bool]] = [column.in_(ids) for column, ids in asked.items() if ids]
    rows = session.execute(
        select(
            NextAvailable.practitioner_id,
            NextAvailable.service_id,
            NextAvailable.location_id,
            NextAvailable.starts_at,
        ).where(*conditions)
    )
    theirs = {one.id for one in catalogue.practitioners}
    return {Giving(*ids): starts_at for *ids, starts_at in rows if ids[0] in theirs}


def practitioners_of(session: Session, *, appointment_id: str) -> tuple[str, ...]:
    """Return the ids of those with whom the visit is, or was before it was moved; nobody for one that was erased."""
    now_with = select(Appointment.practitioner_id).where(Appointment.id == appointment_id)
    before = select(AppointmentChange.before).where(
        AppointmentChange.appointment_id == appointment_id, AppointmentChange.what == "moved"
    )
    told = [line.get("practitioner_id") for line in session.scalars(before) if line]
    return tuple(sorted({one for one in (*session.scalars(now_with), *told) if one}))


def everybody(session: Session) -> dict[str, list[str]]:
    """Return the ids of all Practitioners by clinic, also of who has left: what was known of them is then forgotten."""
    found: dict[str, list[str]] = {}
    for clinic_id, practitioner_id in session.execute(select(Practitioner.clinic_id, Practitioner.id)):
        found.setdefault(clinic_id, []).append(practitioner_id)
    return found


def listed_practitioners(
    session: Session, catalogue: Catalogue, *, service_id: str | None = None, location_id: str | None = None
) -> tuple[PractitionerInfo, ...]:
    """Return whom patients are shown, in the clinic's order: of all, or of those who give the service or work there.

    Who wants it so is left out while there is nothing to be had. One statement.
    """
    shown = catalogue.for_patients()
    services = [one for one in shown.services if service_id in {None, one.id}]
    places = [one for one in shown.locations if location_id in {None, one.id}]
    giving = {
        (person.id, service.id, place.id)
        for service in services
        for place in places
        for person in shown.able(service, place)
    }
    known = {each: at for each, at in next_available(session, shown).items() if each in giving}
    able = {person_id for person_id, _, _ in giving}
    return tuple(
        person
        for person in shown.practitioners
        if person.id in able and (person.visible_when_unavailable or _may_have_time(person, known))
    )


def _may_have_time(person: PractitionerInfo, known: Mapping[Giving, datetime | None]) -> bool:
    """Say whether there is something, or nobody has looked yet."""
    theirs = [starts_at for each, starts_at in known.items() if each.practitioner_id == person.id]
    return not theirs or any(starts_at is not None for starts_at in theirs)


def _first_starts(
    session: Session, catalogue: Catalogue, people: Sequence[PractitionerInfo], *, now: datetime
) -> dict[Giving, datetime | None]:
    furthest = max((latest_start(catalogue.rules_at(one.id), now) for one in catalogue.locations), default=now)
    span = Interval(now, furthest + timedelta(seconds=1))
    places = [
        place
        for service in catalogue.services
        if not service.steps
        for place in search.places(
            catalogue, SlotQuery(service.id, span, practitioner_ids=tuple(one.id for one in people)), now=now
        )
    ]
    diary = search.read_diary(session, catalogue, places, now=now)
    return {
        Giving(person.id, place.wanted.service.id, place.wanted.location.id): _first(place, person, diary)
        for place in places
        for person in place.practitioners
    }


def _first(place: SearchPlace, person: PractitionerInfo, diary: Diary) -> datetime | None:
    slot = replace(place, practitioners=[person]).first_slot(diary)
    return None if slot is None else slot.starts_at
