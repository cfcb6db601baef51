"""Absences as they are stored, as time off and dated closings: written, and taken back where somebody is there after all."""

from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from booking.asked import people_asked
from booking.desk.absence import Absence
from booking.model.clinic import Clinic
from booking.model.schedule import DatedWork, TimeOff
from booking.values import Catalogue, DatedHours, DateSpan, PractitionerInfo
from kernel.work import UnitOfWork

_MINUTE = timedelta(minutes=1)


def write_absence(work: UnitOfWork, catalogue: Catalogue, person: PractitionerInfo, absence: Absence) -> None:
    """Write what of the absence is not covered yet. Locks the clinic's row: two at once would both write it."""
    _lock(work, catalogue)
    rows: list[TimeOff | DatedWork] = []
    days = absence.whole_days
    if days is not None and not _is_there(work, TimeOff, _covers_days(person, days)):
        rows.append(_row_of_days(person, days))
    rows += [
        _row_of_hours(person, closing)
        for closing in absence.closings(person)
        if not _is_there(work, DatedWork, _covers_hours(person, closing))
    ]
    if rows:
        work.session.add_all(rows)
        work.session.flush()
        _count_version(work, catalogue)


def take_back_absence(
    work: UnitOfWork, catalogue: Catalogue, *, practitioner_id: str, absence: Absence, now: datetime
) -> bool:
    """Give back what is still ahead of this absence, from today on, and say whether there was any. May be called again.

    What became of the visits meanwhile stays: whoever was moved or cancelled has been told. Locks the clinic's row, as
    writing it does. Raises UnknownPractitioner.
    """
    person = people_asked(catalogue, (practitioner_id,))[0]
    location_id = absence.days.location_id
    zone = catalogue.zone if location_id is None else catalogue.location(location_id).zone
    today = now.astimezone(zone).date()
    _lock(work, catalogue)
    days = absence.whole_days
    were_days = days is not None and _take_back_days(work, person, days, today=today)
    if _take_back_hours(work, person, absence, today=today) or were_days:
        _count_version(work, catalogue)
        return True
    return False


def _take_back_days(work: UnitOfWork, person: PractitionerInfo, days: DateSpan, *, today: date) -> bool:
    theirs = (
        TimeOff.schedule_id == person.schedule_id,
        _is_at(TimeOff, days.location_id),
        TimeOff.starts_on >= days.first,
        TimeOff.ends_on <= days.end,
        TimeOff.ends_on > today,
    )
    # What has begun ends today; then only what is still to come is left to take away.
    ended = work.session.execute(
        update(TimeOff).where(*theirs, TimeOff.starts_on < today).values(ends_on=today).returning(TimeOff.id)
    ).all()
    return bool(work.session.execute(delete(TimeOff).where(*theirs).returning(TimeOff.id)).all() or ended)


def _take_back_hours(work: UnitOfWork, person: PractitionerInfo, absence: Absence, *, today: date) -> bool:
    closings = work.session.scalars(
        select(DatedWork).where(
            DatedWork.schedule_id == person.schedule_id,
            _is_at(DatedWork, absence.days.location_id),
            DatedWork.is_open.is_(False),
            DatedWork.day >= max(today, absence.days.first),
            DatedWork.day <= absence.last,
        )
    )
    # Others within it, like a longer lunch on one of its days, were there before.
    gone = [row for row in closings if _minutes(absence.closing(row.day)) == (row.start_minute, row.end_minute)]
    for row in gone:
        work.session.delete(row)
    work.session.flush()
    return bool(gone)


def _lock(work: UnitOfWork, catalogue: Catalogue) -> None:
    work.session.execute(
        select(Clinic.id).where(Clinic.id == catalogue.clinic_id).with_for_update(key_share=True)
    ).one()


def _count_version(work: UnitOfWork, catalogue: Catalogue) -> None:
    work.session.execute(update(Clinic).where(Clinic.id == catalogue.clinic_id).values(version=Clinic.version + 1))


def _is_there(work: UnitOfWork, kind: type[TimeOff] | type[DatedWork], condition: ColumnElement[bool]) -> bool:
    return work.session.scalars(select(kind.id).where(condition).limit(1)).first() is not None


def _is_at(kind: type[TimeOff] | type[DatedWork], location_id: str | None) -> ColumnElement[bool]:
    return kind.location_id.is_(None) if location_id is None else kind.location_id == location_id


def _covers_days(person: PractitionerInfo, days: DateSpan) -> ColumnElement[bool]:
    return and_(
        TimeOff.schedule_id == person.schedule_id,
        or_(TimeOff.location_id.is_(None), TimeOff.location_id == days.location_id),
        TimeOff.starts_on <= days.first,
        TimeOff.ends_on >= days.end,
    )


def _covers_hours(person: PractitionerInfo, closing: DatedHours) -> ColumnElement[bool]:
    start_minute, end_minute = _minutes(closing)
    return and_(
        DatedWork.schedule_id == person.schedule_id,
        or_(DatedWork.location_id.is_(None), DatedWork.location_id == closing.location_id),
        DatedWork.is_open.is_(False),
        DatedWork.day == closing.day,
        DatedWork.start_minute <= start_minute,
        DatedWork.end_minute >= end_minute,
    )


def _row_of_days(person: PractitionerInfo, days: DateSpan) -> TimeOff:
    return TimeOff(schedule_id=person.schedule_id, location_id=days.location_id, starts_on=days.first, ends_on=days.end)


def _row_of_hours(person: PractitionerInfo, closing: DatedHours) -> DatedWork:
    start_minute, end_minute = _minutes(closing)
    return DatedWork(
        schedule_id=person.schedule_id,
        location_id=closing.location_id,
        day=closing.day,
        start_minute=start_minute,
        end_minute=end_minute,
        is_open=False,
    )


def _minutes(closing: DatedHours) -> tuple[int, int]:
    return closing.start // _MINUTE, closing.end // _MINUTE
