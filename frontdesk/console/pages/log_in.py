"""Log-in and log-out."""

from urllib.parse import urlsplit

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from frontdesk.console.attempts import TooManyAttempts, count_attempt, forget_attempts
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import begin_session, end_session
from frontdesk.console.words import page_words
from frontdesk.users import check_password
from kernel.errors import Unavailable
from kernel.log import get_logger

_log = get_logger()


def add_log_in(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/log-in` and `/log-out`."""

    @blueprint.route("/log-in", methods=["GET", "POST"])
    def log_in() -> ResponseReturnValue:
        if request.method == "POST":
            return _try(services)
        if g.staff:
            return redirect(_wanted())
        return _form()

    @blueprint.post("/log-out")
    def log_out() -> ResponseReturnValue:
        end_session()
        flash(page_words()("login.logged_out"))
        return redirect(url_for("console.log_in"))


def _try(services: ConsoleServices) -> ResponseReturnValue:
    words = page_words()
    login, password = request.form.get("login", "")[:100], request.form.get("password", "")[:200]
    address = request.remote_addr or ""
    try:
        count_attempt(services.redis, login=login, address=address)
        with services.db.read() as session:
            user = check_password(session, login=login, password=password)
            if user is None:
                _log.info("console.log_in.refused")
                return _form(words("login.wrong"), status=401)
            begin_session(session, user_id=user.id, now=g.now)
        forget_attempts(services.redis, login=login, address=address)
    except TooManyAttempts as refused:
        _log.warning("console.log_in.too_many")
        return _form(words("login.too_many", **refused.fields), status=429)
    except Unavailable:
        _log.error("console.log_in.unavailable")
        return _form(words("login.unreachable"), status=503)
    _log.info("console.log_in.done", user_id=user.id)
    return redirect(_wanted())


def _form(problem: str = "", *, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "console/login.html", problem=problem, login=request.form.get("login", "")[:100], next=_wanted()
    )
    return page, status


def wanted_page(target: str, *, home: str, log_in: str) -> str:
    """Return the page that was asked for before the log-in if it is one of ours: anything else would send staff astray."""
    parts = urlsplit(target)
    is_ours = not parts.scheme and not parts.netloc and "\\" not in target
    is_page = parts.path.startswith("/console/") or parts.path == "/simulator"
    return target if is_ours and is_page and parts.path != log_in else home


def _wanted() -> str:
    return wanted_page(
        request.values.get("next", ""), home=url_for("console.conversations"), log_in=url_for("console.log_in")
    )
