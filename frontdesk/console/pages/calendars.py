"""How the practitioners' calendars are: all of them at a glance, and one with each difference and its history."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.values import Catalogue
from calendar_sync.feeds import FeedInfo, feeds_of
from calendar_sync.links import read_link
from calendar_sync.model import CALCOM
from calendar_sync.status import HistoryPage, LinkStatus, history_page, link_statuses
from frontdesk.console.link_view import LinkCard, deed, difference, link_card, practitioner_names
from frontdesk.console.reads.tasks import tasks_of_link
from frontdesk.console.reads.visits import Visit, visits_by_id
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words


@dataclass(frozen=True)
class _Person:
    """A practitioner and the calendars that are linked for them."""

    id: str
    key: str
    name: str
    works_here: bool
    cards: list[LinkCard]
    feed: FeedInfo | None


def add_calendar_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/calendars` and `/calendars/<id>`."""

    @blueprint.get("/calendars")
    def calendars() -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
            found = link_statuses(session, catalogue, now=g.now)
            feeds = feeds_of(session, clinic_id=staff.clinic_id)
        return render_template("console/calendars.html", people=_people(catalogue, found, feeds))

    @blueprint.get("/calendars/<link_id>")
    def calendar(link_id: str) -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            link = read_link(session, clinic_id=staff.clinic_id, link_id=link_id)
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
            found = link_statuses(session, catalogue, now=g.now)
            status = next((one for one in found if one.link_id == link_id), None)
            if status is None:
                abort(404)  # removed at this moment
            past = history_page(session, link_id=link_id, page=request.args.get("page", default=1, type=int))
            tasks = tasks_of_link(session, clinic_id=staff.clinic_id, link_id=link_id, language=g.language)
            visits = _visits_named(session, status, past)
        words = page_words()
        return render_template(
            "console/calendar.html",
            link=link,
            is_calcom=link.kind == CALCOM,
            card=_card(status),
            practitioner=practitioner_names(catalogue)[link.practitioner_id],
            differences=[
                difference(one, visits.get(one.appointment_id), words=words, dates=g.dates) for one in status.drift
            ],
            past=past,
            deeds=[deed(line, visits.get(line.appointment_id or ""), words=words) for line in past.lines],
            tasks=tasks,
        )


def _visits_named(session: Session, status: LinkStatus, past: HistoryPage) -> dict[str, Visit]:
    named = [*(one.appointment_id for one in status.drift), *(line.appointment_id for line in past.lines)]
    ids = sorted({each for each in named if each is not None})
    found = visits_by_id(session, clinic_id=current_staff().clinic_id, appointment_ids=ids)
    return {visit.id: visit for visit in found}


def _people(catalogue: Catalogue, found: list[LinkStatus], feeds: Mapping[str, FeedInfo]) -> list[_Person]:
    """Return who works here, and who left with a calendar still linked."""
    everybody = [catalogue.practitioner(each) for each in practitioner_names(catalogue)]
    people = [
        _Person(
            id=one.id,
            key=one.key,
            name=one.name,
            works_here=one in catalogue.practitioners,
            cards=[_card(link) for link in found if link.practitioner_id == one.id],
            feed=feeds.get(one.id),
        )
        for one in everybody
    ]
    return [one for one in people if one.works_here or one.cards]


def _card(status: LinkStatus) -> LinkCard:
    return link_card(status, words=page_words(), dates=g.dates)
