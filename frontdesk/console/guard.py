"""What every staff page goes through: log-in, form seal, headers, and the words and dates its template uses."""

from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, NotFound

from booking.asked import UnknownPatient
from booking.patient_record import UnknownNumber
from calendar_sync.links import UnknownLink
from calendar_sync.set_up import UnknownSetUp
from frontdesk.accounts.staff_accounts import UnknownAccount
from frontdesk.console.access import may
from frontdesk.console.dates import DateWriter
from frontdesk.console.display import LOOKS, shown_language, shown_look
from frontdesk.console.navigation import Entry, entries
from frontdesk.console.reads.notices import count_pending
from frontdesk.console.security import csrf, harden, secure_app
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import load_staff
from frontdesk.console.words import DEFAULT_LANGUAGE, LANGUAGES, load_words, page_words
from kernel.config import Mode
from kernel.phone import readable

OPEN_TO_ALL = {
    "console.log_in", "console.give_code", "console.ask_for_password_link", "console.open_password_link",
    "console.use_password_link",
    "console.static", "console.choose_language", "console.choose_look",
}  # fmt: skip
# Where somebody sets up the second factor that the clinic asks for: until then there is nothing else.
_SETTING_UP = {
    "console.account",
    "console.propose_factor",
    "console.factor_image",
    "console.confirm_factor",
    "console.log_out",
}

_LARGEST_NUMBER = 2**31 - 1

NOTICES_EVERY = 4
"""So many times as rarely as a live page every other page asks for news."""


def guard(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Put the pages of `blueprint` behind the log-in and give its templates what they need."""
    blueprint.record(lambda state: secure_app(state, services.settings))

    @blueprint.before_request
    def let_in() -> ResponseReturnValue | None:
        g.now = services.clock.now()
        g.staff = None
        g.language = shown_language(of_account=None)  # until it is known whose account it is
        if request.endpoint == "console.static":
            return None
        _refuse_what_no_row_holds()
        csrf.protect()
        g.staff = load_staff(services.db, now=g.now)
        g.language = shown_language(of_account=g.staff.language if g.staff else None)
        if g.staff:
            g.dates = DateWriter(page_words(), zone=g.staff.zone, now=g.now)
        return _stop_at_the_door()

    @blueprint.after_request
    def seal(response: Response) -> Response:
        return harden(response)

    @blueprint.context_processor
    def dress() -> dict[str, Any]:
        return _page_context(services)

    for name in ("clock", "moment", "day_and_time", "long_date", "short_date", "short_date_with_year"):
        blueprint.add_app_template_filter(_date_filter(name), name)
    blueprint.add_app_template_filter(readable, "phone")
    blueprint.register_error_handler(CSRFError, _stale_form)
    for status in (403, 404, 413):
        blueprint.register_error_handler(status, _refusal)
    for unknown in (UnknownLink, UnknownNumber, UnknownPatient, UnknownSetUp, UnknownAccount):
        blueprint.register_error_handler(unknown, lambda _error: _refusal(NotFound()))


def _stop_at_the_door() -> ResponseReturnValue | None:
    if request.endpoint in OPEN_TO_ALL:
        return None
    if g.staff is None:
        return _to_log_in()
    if g.staff.owes_factor and request.endpoint not in _SETTING_UP:
        if request.method != "GET":
            abort(403)
        return redirect(url_for("console.account"))
    blueprint, _, page = str(request.endpoint).rpartition(".")
    if blueprint == "console" and not may(g.staff.role, page):
        abort(403)
    return None


def _refuse_what_no_row_holds() -> None:
    """End the request with 404 where it names what can't be stored: text with a NUL, or a number that no column has room for."""
    named = (request.view_args or {}).values()
    if any("\0" in str(value) for value in (*named, *request.values.values())):
        abort(404)
    if any(isinstance(value, int) and value > _LARGEST_NUMBER for value in named):
        abort(404)


def has_simulator(services: ConsoleServices) -> bool:
    """Say whether the simulator is served: it shows demo patients and signs requests, so never in production mode."""
    return services.settings.mode is not Mode.PRODUCTION


def ways_on(services: ConsoleServices) -> list[Entry]:
    """Return where whoever asks may go from the page under way, with what waits there. One query."""
    staff = g.get("staff")
    if staff is None:
        return []
    with services.db.read() as session:
        pending = count_pending(session, clinic_id=staff.clinic_id, practitioner_id=staff.practitioner_id, now=g.now)
    return entries(staff, pending, has_simulator=has_simulator(services))


def administrators_only() -> None:
    """End the request with 403 unless an administrator asks."""
    if not g.staff.is_administrator:
        abort(403)


def _to_log_in() -> ResponseReturnValue:
    if request.method != "GET" or request.accept_mimetypes.best == "application/json":
        abort(403)
    flash(page_words()("login.needed"))
    return redirect(url_for("console.log_in", next=request.full_path.rstrip("?")))


def _page_context(services: ConsoleServices) -> dict[str, Any]:
    words = page_words()
    staff = g.get("staff")
    return {
        "t": words,
        "of_code": words.of_code,
        "count": words.count,
        "lang": g.get("language", DEFAULT_LANGUAGE),
        "languages": {language: load_words(language)("app.own_name") for language in LANGUAGES},
        "look": shown_look(),
        "looks": LOOKS,
        "this_page": request.full_path.rstrip("?") if request.method == "GET" else "",
        "staff": staff,
        "may": lambda page: bool(staff) and may(staff.role, page),
        "clinic_name": staff.clinic_name if staff else "",
        "has_simulator": bool(has_simulator(services) and staff and staff.is_administrator),
        "navigation": partial(ways_on, services),  # asked for by whole pages only
        "notices_every_ms": NOTICES_EVERY * services.settings.live_every_ms,
    }


def _date_filter(name: str) -> Any:
    # Looked up for each page, since the writer knows the clinic's zone and the page's moment.
    return lambda value: getattr(g.dates, name)(value)  # noqa: PLW0108 -- `g` is another one for each request


def _stale_form(_error: CSRFError) -> ResponseReturnValue:
    words = page_words()
    return _error_page(title=words("error.form_title"), text=words("error.form")), 400


def _refusal(error: HTTPException) -> ResponseReturnValue:
    words = page_words()
    if error.code == 413:  # its form can't be read, here neither
        title, text = words("error.too_large_title"), words("error.too_large")
        return render_template("console/error.html", title=title, text=text, written=""), 413
    key = "not_found"
    if error.code == 403:
        key = "forbidden" if g.get("staff") else "logged_out"
    return _error_page(title=words(f"error.{key}_title"), text=words(f"error.{key}")), error.code or 500


def _error_page(*, title: str, text: str) -> str:
    # What somebody wrote into a page that was open for too long is theirs to copy.
    return render_template("console/error.html", title=title, text=text, written=request.form.get("text", ""))
