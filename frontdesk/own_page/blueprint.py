"""The patient's own page: `/mine/KEY`. Their number gets a link by text, which with the date of birth opens what is theirs.

Nothing tells whether a number is on file, and what is another's is not found. Works without a script.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from booking.ledger import UnknownVisit
from booking.model.clinic import Clinic
from booking.sentences import sentence
from booking.values import BookedVisit, Catalogue
from frontdesk.bootstrap import Services
from frontdesk.console.dates import DateWriter
from frontdesk.console.security import harden
from frontdesk.console.words import LANGUAGES, page_words
from frontdesk.own_page import visitor, visits
from frontdesk.own_page.links import LinkOver, Opened, ask_for_link, is_good, open_link
from frontdesk.rates import seconds_to_wait
from kernel.errors import Refused
from kernel.phone import readable, to_e164
from kernel.work import UnitOfWork

ASKS_PER_ADDRESS = 10  # for links, in a minute
_A_STEP = timedelta(days=visits.DAYS_AT_A_TIME)
_FURTHEST = timedelta(days=3660)  # no clinic books so far ahead, and no calendar ends before


def own_page_blueprint(services: Services) -> Blueprint:
    """Return the pages under `/mine`. A key that is no clinic's is not found."""
    pages = _Pages(services)
    blueprint = Blueprint("own_page", __name__, url_prefix="/mine", template_folder="templates", static_folder="static")
    for rule, name, view, methods in (
        ("/<key>", "page", pages.page, ["GET"]),
        ("/<key>", "ask", pages.ask, ["POST"]),
        ("/<key>/open/<secret>", "link", pages.link, ["GET"]),
        ("/<key>/open/<secret>", "open", pages.open, ["POST"]),
        ("/<key>/close", "close", pages.close, ["POST"]),
        ("/<key>/visits/<appointment_id>/cancel", "cancel", pages.cancel, ["GET", "POST"]),
        ("/<key>/visits/<appointment_id>/move", "move", pages.move, ["GET", "POST"]),
    ):
        blueprint.add_url_rule(rule, name, pages.at_clinic(view), methods=methods)
    blueprint.after_request(harden)
    return blueprint


class _Pages:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._db = services.db

    def at_clinic(self, view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        """Let a view know its clinic, its language and the moment."""

        def at(key: str, **rest: str) -> ResponseReturnValue:
            g.now = self._services.clock.now()
            if any("\0" in value for value in (key, *rest.values(), *request.form.values())):
                abort(HTTPStatus.NOT_FOUND)
            with self._db.read() as session:
                clinic_id = session.scalar(select(Clinic.id).where(Clinic.key == key))
                if clinic_id is None:
                    abort(HTTPStatus.NOT_FOUND)
                catalogue = self._services.catalogues.get(session, clinic_id=clinic_id)
            known = [language for language in catalogue.languages if language in LANGUAGES] or list(LANGUAGES)
            g.language = request.accept_languages.best_match(known, known[0])
            return view(catalogue, **rest)

        return at

    def page(self, catalogue: Catalogue) -> ResponseReturnValue:
        opened = visitor.opened(clinic_id=catalogue.clinic_id, now=g.now)
        if opened is None:
            return _render("ask", catalogue)
        with self._db.read() as session:
            found = visits.read_visits(session, opened, now=g.now)
        return _render(
            "visits",
            catalogue,
            ahead=[_shown(catalogue, visit) for visit in found.ahead],
            past=[_shown(catalogue, visit) for visit in found.past],
        )

    def ask(self, catalogue: Catalogue) -> ResponseReturnValue:
        """Text a link, if the number is on file; the answer is the same if not."""
        phone = to_e164(request.form.get("phone", "")[:40], country=catalogue.country)
        if phone is None:
            return _render(
                "ask", catalogue, problem=page_words()("own_page.no_number")
            ), HTTPStatus.UNPROCESSABLE_ENTITY
        if seconds_to_wait(
            self._services.redis, name=f"mine:{request.remote_addr}", per_minute=ASKS_PER_ADDRESS, now=g.now
        ):
            return _render("ask", catalogue, problem=page_words()("own_page.too_often")), HTTPStatus.TOO_MANY_REQUESTS
        address = self._services.settings.public_base_url + url_for("own_page.link", key=catalogue.key, secret="")
        self._db.run(
            lambda work: ask_for_link(work, catalogue, phone=phone, address=address, language=g.language, now=g.now)
        )
        return _render("asked", catalogue)

    def link(self, catalogue: Catalogue, secret: str) -> ResponseReturnValue:
        with self._db.read() as session:
            if not is_good(session, clinic_id=catalogue.clinic_id, secret=secret, now=g.now):
                return _over(catalogue)
        return _render("open", catalogue)

    def open(self, catalogue: Catalogue, secret: str) -> ResponseReturnValue:
        born = _day(request.form.get("born", ""))
        if born is None:
            return _render("open", catalogue, problem=page_words()("own_page.no_date")), HTTPStatus.UNPROCESSABLE_ENTITY

        def use(work: UnitOfWork) -> Opened | None:
            return open_link(work, clinic_id=catalogue.clinic_id, secret=secret, born=born, now=g.now)

        try:
            opened = self._db.run(use)
        except LinkOver:
            return _over(catalogue)
        if opened is None:
            return _render("open", catalogue, problem=page_words()("own_page.wrong_date")), HTTPStatus.FORBIDDEN
        response = make_response(redirect(_home(catalogue), HTTPStatus.SEE_OTHER))
        is_secure = self._services.settings.public_base_url.startswith("https://")
        visitor.remember(response, opened, path=_home(catalogue), now=g.now, is_secure=is_secure)
        return response

    def close(self, catalogue: Catalogue) -> ResponseReturnValue:
        response = make_response(redirect(_home(catalogue), HTTPStatus.SEE_OTHER))
        visitor.forget(response, path=_home(catalogue))
        return response

    def cancel(self, catalogue: Catalogue, appointment_id: str) -> ResponseReturnValue:
        opened = _opened(catalogue)
        if request.method == "GET":
            with self._db.read() as session:
                is_done = visits.was_cancelled(session, opened, appointment_id=appointment_id) is not None
            if is_done:
                return redirect(_home(catalogue), HTTPStatus.SEE_OTHER)
            return _render("cancel", catalogue, visit=_shown(catalogue, self._own(opened, appointment_id)))
        return self._do(
            catalogue,
            lambda work: visits.cancel(work, catalogue, opened, appointment_id=appointment_id, now=g.now),
            done="own_page.was_cancelled",
            again=_home(catalogue),
        )

    def move(self, catalogue: Catalogue, appointment_id: str) -> ResponseReturnValue:
        opened = _opened(catalogue)
        here = url_for("own_page.move", key=catalogue.key, appointment_id=appointment_id)
        if request.method == "GET":
            return self._times(catalogue, self._own(opened, appointment_id))
        starts_at = _instant(request.form.get("start", ""))
        if starts_at is None or abs(starts_at - g.now) > _FURTHEST:
            abort(HTTPStatus.BAD_REQUEST)
        return self._do(
            catalogue,
            lambda work: visits.move(
                work, catalogue, opened, appointment_id=appointment_id, starts_at=starts_at, now=g.now
            ),
            done="own_page.was_moved",
            again=here,
        )

    def _times(self, catalogue: Catalogue, visit: BookedVisit) -> ResponseReturnValue:
        zone = catalogue.location(visit.location_id).zone
        today = g.now.astimezone(zone).date()
        first = min(max(_day(request.args.get("from", "")) or today, today), today + _FURTHEST)
        days = []
        if visits.may_be_moved(catalogue, visit):
            with self._db.read() as session:
                days = list(visits.free_days(session, catalogue, visit, first=first, now=g.now))
        dates = DateWriter(page_words(), zone=zone, now=g.now)
        return _render(
            "move",
            catalogue,
            visit=_shown(catalogue, visit),
            days=[(dates.long_date(one.day), [(slot.starts_at.isoformat(), dates.clock(slot.starts_at)) for slot in one.slots]) for one in days],
            first_less=first - _A_STEP,
            first_more=first + _A_STEP,
            is_first=first == today,
        )  # fmt: skip

    def _own(self, opened: Opened, appointment_id: str) -> BookedVisit:
        try:
            with self._db.read() as session:
                return visits.read_own(session, opened, appointment_id=appointment_id, now=g.now)
        except UnknownVisit:
            abort(HTTPStatus.NOT_FOUND)

    def _do(
        self, catalogue: Catalogue, step: Callable[[UnitOfWork], BookedVisit], *, done: str, again: str
    ) -> ResponseReturnValue:
        """Do it and say so, or say why it can't be done."""
        try:
            self._db.run(step)
        except UnknownVisit:
            abort(HTTPStatus.NOT_FOUND)
        except Refused as refusal:
            told = sentence(refusal, catalogue=catalogue, language=g.language)
            call = page_words()("own_page.call", phone=readable(catalogue.phone)) if catalogue.phone else ""
            return _told(again, f"{told} {call}".strip(), is_problem=True)
        return _told(_home(catalogue), page_words()(done), is_problem=False)


def _told(address: str, text: str, *, is_problem: bool) -> ResponseReturnValue:
    flash(text, "problem" if is_problem else "message")
    return redirect(address, HTTPStatus.SEE_OTHER)


def _opened(catalogue: Catalogue) -> Opened:
    """Return whose page is open; ends the request by asking for a link where it is nobody's."""
    found = visitor.opened(clinic_id=catalogue.clinic_id, now=g.now)
    if found is None:
        abort(redirect(_home(catalogue), HTTPStatus.SEE_OTHER))
    return found


def _over(catalogue: Catalogue) -> ResponseReturnValue:
    """Say that a link is over, unless it is tapped once more by whoever came in by it."""
    if visitor.opened(clinic_id=catalogue.clinic_id, now=g.now) is not None:
        return redirect(_home(catalogue), HTTPStatus.SEE_OTHER)
    return _render("ask", catalogue, problem=page_words()("own_page.over")), HTTPStatus.NOT_FOUND


def _home(catalogue: Catalogue) -> str:
    return url_for("own_page.page", key=catalogue.key)


def _shown(catalogue: Catalogue, visit: BookedVisit) -> dict[str, Any]:
    location = catalogue.location(visit.location_id)
    dates = DateWriter(page_words(), zone=location.zone, now=g.now)
    return {
        "id": visit.id,
        "service": catalogue.service(visit.service_id).name,
        "practitioner": catalogue.practitioner(visit.practitioner_id).name if visit.practitioner_id else "",
        "location": location.name,
        "address": location.address,
        "day": dates.long_date(visit.starts_at.astimezone(location.zone).date()),
        "clock": dates.clock(visit.starts_at),
        "status": visit.status.value,
        "meeting_url": visit.meeting_url,
        "preparation": catalogue.service(visit.service_id).preparation,
        "may_be_moved": visits.may_be_moved(catalogue, visit),
    }


def _render(name: str, catalogue: Catalogue, **fields: Any) -> BaseResponse:
    page = render_template(
        f"own_page/{name}.html",
        t=page_words(),
        of_code=page_words().of_code,
        lang=g.language,
        clinic=catalogue,
        **fields,
    )
    return make_response(page)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
