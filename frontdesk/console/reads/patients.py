"""The list of patients: found by name however it is spelt, by a whole number, date of birth or address, or seen lately.

A constant number of queries. Numbers, dates of birth and addresses are encrypted: only a whole one is found, by its hash.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rapidfuzz import fuzz
from sqlalchemy import ColumnElement, and_, case, false, func, or_, select, tuple_
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment
from booking.model.patient import ContactPoint, Patient
from booking.name_words import name_parts, searchable, sounding
from booking.patients import birth_date_hash, email_hash, phone_hash
from booking.values import AppointmentStatus
from dialog.countries import writes_month_first
from dialog.timewords import read_birth_date
from frontdesk.console.reads.own import own_patients
from kernel.phone import to_e164

PER_PAGE = 25
_FIGURES_OF_DATE = re.compile(r"(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})")
_DIGIT = re.compile(r"\d")
_CANDIDATES = 200  # of those whose names sound alike
_LATELY = 400  # visits that are looked through for those who were here last
_VISITS = (AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED)

ALL, RECENT, PLACEHOLDERS, BLOCKED = "all", "recent", "placeholders", "blocked"
SHOWN = (ALL, RECENT, PLACEHOLDERS, BLOCKED)


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to. `after`: the id of the last one on the page before."""

    search: str = ""
    shown: str = ALL
    after: str = ""


@dataclass(frozen=True)
class Line:
    id: str
    name: str
    birth_date: date | None
    phone: str | None
    is_placeholder: bool
    is_blocked: bool
    last_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True)
class Listed:
    """One page. `next`: after whom the following one begins, empty if this is the last; `is_alike`: names that only sound so."""

    lines: tuple[Line, ...]
    next: str = ""
    is_alike: bool = False


def list_patients(
    session: Session, *, clinic_id: str, country: str, practitioner_id: str | None, wanted: Wanted, now: datetime
) -> Listed:
    """Return one page of patients by name, those seen last, or those that the search finds. `country` reads numbers and dates."""
    where = _of_clinic(clinic_id, practitioner_id) + _narrowed(wanted)
    if wanted.shown == RECENT and not wanted.search:
        return Listed(_lines(session, _seen_lately(session, clinic_id, where, now), now))
    if wanted.search:
        where.append(_matches(clinic_id, wanted.search, country, now))
    if wanted.after:
        before = session.scalar(select(Patient.name_words).where(Patient.id == wanted.after))
        where.append(tuple_(Patient.name_words, Patient.id) > tuple_(before or "", wanted.after))
    by_name = select(Patient).where(*where).order_by(Patient.name_words, Patient.id).limit(PER_PAGE + 1)
    found = session.scalars(by_name).all()
    if not found and wanted.search and not wanted.after:
        alike = _alike(session, clinic_id, _of_clinic(clinic_id, practitioner_id) + _narrowed(wanted), wanted.search)
        return Listed(_lines(session, alike, now), is_alike=bool(alike))
    page = found[:PER_PAGE]
    is_last = len(found) <= PER_PAGE
    return Listed(_lines(session, page, now), next="" if is_last else page[-1].id)


def patient_line(session: Session, *, clinic_id: str, patient_id: str, now: datetime) -> Line | None:
    """Return one patient of the clinic as the list shows them; None for nobody, and for a record that is gone."""
    rows = session.scalars(select(Patient).where(*_of_clinic(clinic_id, None), Patient.id == patient_id)).all()
    return next(iter(_lines(session, rows, now)), None)


def dates_meant(text: str, *, country: str, now: datetime) -> tuple[date, ...]:
    """Return the dates of birth that a text may be: figures as they are written in the clinic's country, else the other way
    about; with the month's name, or two figures of the year, the one that is meant.
    """
    parts = _FIGURES_OF_DATE.fullmatch(text.strip())
    if parts is None or len(parts[3]) == 2:
        wall = now.replace(tzinfo=None)
        read = (
            read_birth_date(text, now=wall, day_first=not writes_month_first(country)) if _DIGIT.search(text) else None
        )
        return () if read is None else (read,)
    first, second, third = (int(part) for part in parts.groups())
    if len(parts[1]) == 4:
        orders = [(first, second, third)]
    else:
        month_first = writes_month_first(country)
        day, month = (second, first) if month_first else (first, second)
        orders = [(third, month, day), (third, day, month)]
    found = (_date(*order) for order in orders)
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year >= 1850 else None
    except ValueError:
        return None


def _of_clinic(clinic_id: str, practitioner_id: str | None) -> list[ColumnElement[bool]]:
    where = [Patient.clinic_id == clinic_id, Patient.gone_at.is_(None)]
    if practitioner_id is not None:
        where.append(Patient.id.in_(own_patients(practitioner_id)))
    return where


def _narrowed(wanted: Wanted) -> list[ColumnElement[bool]]:
    match wanted.shown:
        case "placeholders":
            return [Patient.is_placeholder.is_(True)]
        case "blocked":
            return [Patient.blocked.is_(True)]
        case _:
            return []


def _matches(clinic_id: str, search: str, country: str, now: datetime) -> ColumnElement[bool]:
    """Return the condition that the search means somebody, by what it looks like: an address, a date, a number, a name.

    A name may have a date of birth or a number after it.
    """
    if "@" in search:
        return _has_contact([email_hash(search.strip())])
    name, rest = _name_and_figures(search)
    if not rest:
        return _is_named(clinic_id, name)
    if born := dates_meant(rest, country=country, now=now):
        figures = _born_on(born)
    elif born := dates_meant(search, country=country, now=now):
        return _born_on(born)  # the month was said by its name
    else:
        figures = _has_number(rest, country)
    return and_(figures, _is_named(clinic_id, name)) if name else figures


def _name_and_figures(search: str) -> tuple[str, str]:
    """Part a search at its first figure, with the sign that a number may begin with."""
    begins = re.search(r"[+(]*\d", search)
    return (search, "") if begins is None else (search[: begins.start()].strip(" ,"), search[begins.start() :].strip())


def _born_on(days: Sequence[date]) -> ColumnElement[bool]:
    return Patient.birth_date_hash.in_([birth_date_hash(day) for day in days])


def _has_number(text: str, country: str) -> ColumnElement[bool]:
    number = to_e164(text, country=country)
    return false() if number is None else _has_contact([phone_hash(number)])


def _is_named(clinic_id: str, search: str) -> ColumnElement[bool]:
    parts = name_parts(search)
    if not parts:
        return false()
    # By ids, so that an index that holds the words is read and not the table.
    named = select(Patient.id).where(
        Patient.clinic_id == clinic_id, *(Patient.name_words.contains(f" {part}") for part in parts)
    )
    # A row of the release before this one has no words yet.
    unread = select(Patient.id).where(
        Patient.clinic_id == clinic_id,
        Patient.name_words == "",
        Patient.name.icontains(search.strip(), autoescape=True),
    )
    return Patient.id.in_(named.union_all(unread))


def _has_contact(hashes: Sequence[str]) -> ColumnElement[bool]:
    return Patient.id.in_(select(ContactPoint.patient_id).where(ContactPoint.value_hash.in_(hashes)))


def _alike(session: Session, clinic_id: str, where: Sequence[ColumnElement[bool]], search: str) -> list[Patient]:
    """Return the few whose names sound like what was looked for, the most similar first."""
    sounds = sounding(search).split()
    if not sounds or "@" in search or _DIGIT.search(search):
        return []
    heard = [(Patient.name_sounds + " ").contains(f" {sound} ") for sound in sounds]
    # Who has more of the names first: a first name alone is that of many.
    best = sum((case((each, 1), else_=0) for each in heard[1:]), case((heard[0], 1), else_=0))
    ids = select(Patient.id).where(Patient.clinic_id == clinic_id, or_(*heard))
    alike = ids.order_by(best.desc(), Patient.id).limit(_CANDIDATES)
    found = session.scalars(select(Patient).where(*where, Patient.id.in_(alike))).all()
    meant = searchable(search)
    return sorted(found, key=lambda one: (-fuzz.token_sort_ratio(meant, one.name_words), one.name_words))[:PER_PAGE]


def _seen_lately(
    session: Session, clinic_id: str, where: Sequence[ColumnElement[bool]], now: datetime
) -> list[Patient]:
    visits = session.scalars(
        select(Appointment.patient_id)
        .where(
            Appointment.clinic_id == clinic_id,
            Appointment.starts_at <= now,
            Appointment.status.in_(_VISITS),
            Appointment.patient_id.in_(select(Patient.id).where(*where)),
        )
        .order_by(Appointment.starts_at.desc())
        .limit(_LATELY)
    )
    ids = list(dict.fromkeys(each for each in visits if each is not None))[:PER_PAGE]
    rows = {row.id: row for row in session.scalars(select(Patient).where(Patient.id.in_(ids)))}
    return [rows[each] for each in ids]


def _lines(session: Session, rows: Sequence[Patient], now: datetime) -> tuple[Line, ...]:
    ids = [row.id for row in rows]
    phones = _first_phones(session, ids)
    last = _moments(session, ids, func.max(Appointment.starts_at), Appointment.starts_at <= now)
    ahead = _moments(session, ids, func.min(Appointment.starts_at), Appointment.starts_at > now)
    return tuple(
        Line(
            id=row.id,
            name=row.name,
            birth_date=row.birth_date,
            phone=phones.get(row.id),
            is_placeholder=row.is_placeholder,
            is_blocked=row.blocked,
            last_at=last.get(row.id),
            next_at=ahead.get(row.id),
        )
        for row in rows
    )


def _first_phones(session: Session, ids: Iterable[str]) -> dict[str, str]:
    numbers: dict[str, list[str]] = defaultdict(list)
    contacts = select(ContactPoint.patient_id, ContactPoint.value).where(
        ContactPoint.patient_id.in_(ids), ContactPoint.system == "phone"
    )
    for patient_id, value in session.execute(contacts.order_by(ContactPoint.id)):
        numbers[patient_id].append(value)
    return {patient_id: values[0] for patient_id, values in numbers.items()}


def _moments(
    session: Session, ids: Iterable[str], which: ColumnElement[datetime], when: ColumnElement[bool]
) -> dict[str, datetime]:
    statement = (
        select(Appointment.patient_id, which)
        .where(Appointment.patient_id.in_(ids), Appointment.status.in_(_VISITS), when)
        .group_by(Appointment.patient_id)
    )
    return {str(patient_id): at for patient_id, at in session.execute(statement)}
