"""Figures of a period, as charts and as files."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from flask import Blueprint, abort, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.clinic_file.past_hours import hours_during
from booking.values import Catalogue
from frontdesk.console import charts
from frontdesk.console import insight_view as view
from frontdesk.console.csv_file import csv_response
from frontdesk.console.dates import day_in_reach
from frontdesk.console.figures import Entry, Period, Step, Talk, Totals, Use, course, popular_times, totals, utilisation
from frontdesk.console.insight_view import Table
from frontdesk.console.reads.insight import Part, due_during, made_during, talks_during
from frontdesk.console.reads.third_next import third_next_available
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import Staff, current_staff
from frontdesk.console.words import page_words

_USUAL_DAYS, _MOST_DAYS = 30, 5 * 366
_PRESETS = (7, 30, 90, 365)


@dataclass(frozen=True)
class _Asked:
    """What the page is asked for. `location`, `practitioner`: their keys as chosen, if any."""

    catalogue: Catalogue
    period: Period
    is_cut: bool  # a longer one was wanted
    part: Part
    location: str
    practitioner: str


@dataclass(frozen=True)
class _Seen:
    now: Totals
    before: Totals
    course: list[Step]
    times: dict[tuple[int, int], int]
    tables: dict[str, Table]


def add_insight_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/insight`, and a file of each of its charts."""

    @blueprint.get("/insight")
    def insight() -> ResponseReturnValue:
        with services.db.read() as session:
            asked = _asked(services, session, current_staff())
            seen = _look(session, asked)
        words = page_words()
        return render_template(
            "console/insight.html",
            asked=asked,
            presets=[(days, g.dates.today - timedelta(days=days - 1)) for days in _PRESETS],
            today=g.dates.today,
            most_years=_MOST_DAYS // 366,
            tiles=view.tiles(seen.now, seen.before, words, part=asked.part),
            tables=seen.tables,
            columns=_columns(seen),
            shade=partial(charts.shade, most=max(seen.times.values(), default=0)),
            chosen=_chosen(asked),
            is_own=current_staff().practitioner_id is not None,
        )

    @blueprint.get("/insight/<chart>.csv")
    def insight_file(chart: str) -> ResponseReturnValue:
        with services.db.read() as session:
            asked = _asked(services, session, current_staff())
            seen = _look(session, asked)
        if chart not in seen.tables:
            abort(404)
        table = seen.tables[chart]
        name = f"{chart}-{asked.period.first}-{asked.period.last}.csv"
        return csv_response([table.head, *table.rows], name=name)


def _asked(services: ConsoleServices, session: Session, staff: Staff) -> _Asked:
    """Read the address. What names nothing of this clinic, or nobody but them for a practitioner, ends the request with 404."""
    catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
    location, practitioner = request.args.get("location", ""), request.args.get("practitioner", "")
    places = {place.key: place.id for place in catalogue.locations}
    people = {person.key: person.id for person in view.shown_people(catalogue, staff.practitioner_id)}
    if (location and location not in places) or (practitioner and practitioner not in people):
        abort(404)
    period, is_cut = _period(g.dates.today)
    return _Asked(
        catalogue=catalogue,
        period=period,
        is_cut=is_cut,
        part=Part(staff.clinic_id, places.get(location), staff.practitioner_id or people.get(practitioner)),
        location=location,
        practitioner=practitioner,
    )


def _period(today: date) -> tuple[Period, bool]:
    """Return the period that the address names, and whether it is but the end of it."""
    last = _day("last", today, today=today)
    first = _day("first", last - timedelta(days=_USUAL_DAYS - 1), today=today)
    first, last = min(first, last), max(first, last)
    earliest = last - timedelta(days=_MOST_DAYS - 1)
    return Period(max(first, earliest), last), first < earliest


def _day(field: str, default: date, *, today: date) -> date:
    text = request.args.get(field)
    if not text:
        return default
    day = day_in_reach(text, today=today)
    if day is None:
        abort(404)
    return day


def _look(session: Session, asked: _Asked) -> _Seen:
    catalogue, part, period = asked.catalogue, asked.part, asked.period
    made, due, talks = _read(session, asked, period)
    before = _totals(session, asked, period.before)
    now = totals(period=period, made=made, due=due, talks=talks)
    steps = course(period=period, zone=catalogue.zone, made=made, talks=talks)
    times = popular_times(due, catalogue)
    thirds = third_next_available(session, catalogue, part, now=g.now)
    words = page_words()
    return _Seen(
        now=now,
        before=before,
        course=steps,
        times=times,
        tables={
            "totals": view.totals_table(now, before, words, part=part),
            "days": view.course_table(steps, words, part=part),
            "times": view.times_table(times, words, g.dates),
            "services": view.services_table(made, catalogue, words),
            "sources": view.sources_table(made, words),
            "channels": view.channels_table(talks, words, part=part),
            "people": view.people_table(_uses(session, asked, due), words),
            "access": view.access_table(thirds, catalogue, words, g.dates),
        },
    )


def _uses(session: Session, asked: _Asked, due: list[Entry]) -> list[Use]:
    catalogue, part, period = asked.catalogue, asked.part, asked.period
    return utilisation(
        due,
        period=period,
        people=view.people_then(catalogue, part.practitioner_id, due),
        places=view.places_then(catalogue, part.location_id),
        held=hours_during(session, catalogue, first=period.first, last=period.last, today=g.dates.today),
    )


def _read(session: Session, asked: _Asked, period: Period) -> tuple[list[Entry], list[Entry], list[Talk]]:
    return (
        made_during(session, asked.catalogue, asked.part, period=period),
        due_during(session, asked.catalogue, asked.part, period=period),
        talks_during(session, asked.catalogue, asked.part, period=period),
    )


def _totals(session: Session, asked: _Asked, period: Period) -> Totals:
    made, due, talks = _read(session, asked, period)
    return totals(period=period, made=made, due=due, talks=talks)


def _columns(seen: _Seen) -> list[tuple[str, charts.Columns]]:
    """Return the drawings of the period's course, each by the head of its column in the table."""
    labels = [g.dates.short_date_with_year(step.first) for step in seen.course]
    said = charts.columns([(label, step.conversations) for label, step in zip(labels, seen.course, strict=True)])
    booked = charts.columns([(label, step.bookings) for label, step in zip(labels, seen.course, strict=True)])
    return list(zip(seen.tables["days"].head[2:], (said, booked), strict=True))


def _chosen(asked: _Asked) -> dict[str, str]:
    """Return what stands in the address of this page, for those of its files."""
    chosen = {"first": asked.period.first.isoformat(), "last": asked.period.last.isoformat()}
    return chosen | {key: value for key in ("location", "practitioner") if (value := getattr(asked, key))}
