"""The diary of a day, by practitioner or by room, and of a week."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.values import Catalogue, LocationInfo, PractitionerInfo
from frontdesk.console.absent import Absent, who_is_away
from frontdesk.console.access import may
from frontdesk.console.axis import Axis, local_days
from frontdesk.console.pages.diary_forms import day_asked, person_asked, place_asked
from frontdesk.console.reads.diary import read_diary, read_rooms
from frontdesk.console.services import ConsoleServices
from frontdesk.console.sheet import Diary, Sheet, SheetMaker
from frontdesk.console.staff import Staff, current_staff
from frontdesk.console.words import page_words
from kernel.interval import Interval


def add_diary_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/diary`, `/diary/week` and `/diary/rooms`."""

    @blueprint.get("/diary")
    def diary() -> ResponseReturnValue:
        view = _view(services, "console.diary", days=1)
        sheet = view.maker.by_practitioner(view.first, view.people)
        return _page(view, sheet, step=timedelta(days=1))

    @blueprint.get("/diary/week")
    def diary_week() -> ResponseReturnValue:
        view = _view(services, "console.diary_week", days=7)
        days = [view.first + timedelta(days=number) for number in range(7)]
        return _page(view, view.maker.by_day(days, view.person), step=timedelta(days=7))

    @blueprint.get("/diary/rooms")
    def diary_rooms() -> ResponseReturnValue:
        view = _view(services, "console.diary_rooms", days=1)
        return _page(view, view.maker.by_room(view.first), step=timedelta(days=1))


@dataclass(frozen=True)
class _View:
    """What an address asks to see. `day` is the day it names, `first` the first that is shown."""

    endpoint: str
    catalogue: Catalogue
    day: date
    first: date
    place: LocationInfo | None
    person: PractitionerInfo | None
    maker: SheetMaker

    @property
    def people(self) -> tuple[PractitionerInfo, ...]:
        return self.catalogue.practitioners if self.person is None else (self.person,)

    def address(self, **changes: Any) -> str:
        """Return the address of this view with something else in it; None takes it out."""
        asked = {
            "day": self.day.isoformat(),
            "location": None if self.place is None else self.place.key,
            "practitioner": None if self.person is None else self.person.key,
        }
        return url_for(changes.pop("endpoint", self.endpoint), **{**asked, **changes})


def _view(services: ConsoleServices, endpoint: str, *, days: int) -> _View:
    staff = current_staff()
    day = day_asked(request.args.get("day"))
    first = day if days == 1 else day - timedelta(days=day.weekday())
    with services.db.read() as session:
        catalogue = _shown(services.catalogues.get(session, clinic_id=staff.clinic_id), staff)
        place = place_asked(catalogue, request.args.get("location"))
        person = person_asked(catalogue, request.args.get("practitioner"))
        zone = catalogue.zone if place is None else place.zone
        start, end = local_days(first, days, zone)
        if start >= end:
            abort(404)  # a day that a zone skipped
        asked = {"span": Interval(start, end), "location_id": None if place is None else place.id, "now": g.now}
        if endpoint == "console.diary_rooms":
            found = read_rooms(session, catalogue, **asked)
        else:
            people = catalogue.practitioners if person is None else (person,)
            only = staff.practitioner_id if person is None else person.id
            found = read_diary(session, catalogue, people, practitioner_id=only, **asked)
    shown_days = [first + timedelta(days=number) for number in range(days)]
    maker = _maker(catalogue, found, Axis.of(shown_days, zone), place)
    return _View(endpoint, catalogue, day, first, place, person, maker)


def _maker(catalogue: Catalogue, found: Diary, axis: Axis, place: LocationInfo | None) -> SheetMaker:
    places = catalogue.locations if place is None else (place,)
    return SheetMaker(catalogue, found, axis, places, words=page_words(), dates=g.dates, now=g.now)


def _page(view: _View, sheet: Sheet, *, step: timedelta) -> ResponseReturnValue:
    role = current_staff().role
    rules = view.catalogue.rules if view.place is None else view.catalogue.rules_at(view.place.id)
    return render_template(
        "console/diary.html",
        view=view,
        sheet=sheet,
        kind=view.endpoint.removeprefix("console."),
        last=view.first + timedelta(days=6),
        previous=view.address(day=(view.first - step).isoformat()),
        next=view.address(day=(view.first + step).isoformat()),
        today=g.dates.today,
        locations=view.catalogue.locations,
        away=_away(view) if view.endpoint == "console.diary_week" and view.person is None else (),
        many_locations=view.place is None and len(view.catalogue.locations) > 1,
        people=view.catalogue.practitioners,
        has_rooms=bool(view.catalogue.resources) and may(role, "diary_rooms"),
        may_book=bool(view.catalogue.locations) and may(role, "book_appointment"),
        may_move=may(role, "move_appointment"),
        may_note_absence=may(role, "settle_absence"),
        step_minutes=int(rules.step.total_seconds() // 60),
        here=request.full_path.rstrip("?"),
    )


def _away(view: _View) -> list[Absent]:
    """Return who is away in a week of everybody, which shows no columns of people where it would be seen."""
    away = who_is_away(view.catalogue, since=view.first, until=view.first + timedelta(days=6))
    return [one for one in away if view.place is None or one.place in (None, view.place)]


def _shown(catalogue: Catalogue, staff: Staff) -> Catalogue:
    """Return the catalogue, of practitioners only who they are."""
    if staff.practitioner_id is None:
        return catalogue
    own = tuple(one for one in catalogue.practitioners if one.id == staff.practitioner_id)
    return replace(catalogue, practitioners=own, _by_id={})
