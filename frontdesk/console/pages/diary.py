"""The diary of a day, and one appointment."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from flask import Blueprint, abort, g, render_template, request
from flask.typing import ResponseReturnValue

from booking.values import Catalogue
from frontdesk.console.access_log import Access, log_access
from frontdesk.console.change_words import actor_words, change_words
from frontdesk.console.reads.calendars import CalendarState, calendar_states
from frontdesk.console.reads.names import names_by_id
from frontdesk.console.reads.visits import AppointmentPage, Change, read_appointment, visits_of_day
from frontdesk.console.services import ConsoleServices
from frontdesk.console.sheet import make_sheet
from frontdesk.console.staff import Staff, current_staff
from frontdesk.console.words import page_words


def add_diary_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/diary` and `/appointments/<id>`."""

    @blueprint.get("/diary")
    def diary() -> ResponseReturnValue:
        staff = current_staff()
        day = _day(request.args.get("day"))
        with services.db.read() as session:
            catalogue = _shown(services.catalogues.get(session, clinic_id=staff.clinic_id), staff)
            location_key, location_id = _location(catalogue, request.args.get("location"))
            visits = visits_of_day(
                session,
                clinic_id=staff.clinic_id,
                practitioner_id=staff.practitioner_id,
                day=day,
                location_id=location_id,
                zone=staff.zone,
                now=g.now,
            )
        return render_template(
            "console/diary.html",
            day=day,
            previous=(day - timedelta(days=1)).isoformat(),
            next=(day + timedelta(days=1)).isoformat(),
            today=g.dates.today,
            locations=catalogue.locations,
            location_key=location_key,
            sheet=make_sheet(catalogue, visits, day=day, location_id=location_id, words=page_words(), dates=g.dates),
        )

    @blueprint.get("/appointments/<appointment_id>")
    def appointment(appointment_id: str) -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            page = read_appointment(
                session,
                clinic_id=staff.clinic_id,
                practitioner_id=staff.practitioner_id,
                appointment_id=appointment_id,
            )
            if page is None:
                abort(404)
            states = calendar_states(session, clinic_id=staff.clinic_id, appointment_ids=[appointment_id])
            names = names_by_id(session, clinic_id=staff.clinic_id)
        log_access(services, what=Access.APPOINTMENT, subject_id=appointment_id)
        return render_template(
            "console/appointment.html",
            a=page,
            visit=page.visit,
            calendar_state=states.get(appointment_id, CalendarState.NONE).value,
            history=[_line(change, page=page, names=names) for change in page.history],
        )


def _shown(catalogue: Catalogue, staff: Staff) -> Catalogue:
    if staff.practitioner_id is None:
        return catalogue
    own = tuple(one for one in catalogue.practitioners if one.id == staff.practitioner_id)
    return replace(catalogue, practitioners=own)


@dataclass(frozen=True)
class _HistoryLine:
    change: Change
    actor: str
    details: list[str]


def _line(change: Change, *, page: AppointmentPage, names: dict[str, str]) -> _HistoryLine:
    words = page_words()
    return _HistoryLine(
        change=change,
        actor=actor_words(change.actor, words=words),
        details=change_words(change.before, change.after, names=names, words=words, dates=g.dates, zone=page.zone),
    )


def _day(text: str | None) -> date:
    today: date = g.dates.today
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        abort(404)
    # Outside these years no clinic has a diary, and date arithmetic would run off the calendar's end.
    if not today.year - 100 < day.year < today.year + 100:
        abort(404)
    return day


def _location(catalogue: Catalogue, key: str | None) -> tuple[str | None, str | None]:
    if not key:
        return None, None
    by_key = {location.key: location.id for location in catalogue.locations}
    if key not in by_key:
        abort(404)
    return key, by_key[key]
