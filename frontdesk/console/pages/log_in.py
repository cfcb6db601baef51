"""Log-in with password and second factor, and log-out."""

from collections.abc import Callable

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from frontdesk.accounts.second_factor import WrongCode, has_factor, take_code
from frontdesk.accounts.sessions import begin_session, end_session
from frontdesk.console.access_log import Access, note_of
from frontdesk.console.account_problems import typed_password
from frontdesk.console.attempts import Attempt, TooManyAttempts, count_attempt, forget_attempts
from frontdesk.console.security import path_here
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import admit, admit_half, forget_cookie, half_admitted
from frontdesk.console.words import page_words
from frontdesk.users import UserInfo, check_password
from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.work import UnitOfWork

_LONGEST_LOGIN, _LONGEST_CODE = 100, 40

_log = get_logger()


def add_log_in(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/log-in`, `/log-in/code` and `/log-out`."""

    @blueprint.route("/log-in", methods=["GET", "POST"])
    def log_in() -> ResponseReturnValue:
        if request.method == "POST":
            return _guarded(lambda: _try_password(services), otherwise=_form)
        if g.staff:
            return redirect(_wanted())
        return _form()

    @blueprint.route("/log-in/code", methods=["GET", "POST"])
    def give_code() -> ResponseReturnValue:
        with services.db.read() as session:
            user = half_admitted(session, now=g.now)
        if user is None:
            return redirect(url_for("console.log_in", next=_wanted()))
        if request.method == "POST":
            return _guarded(lambda: _try_code(services, user), otherwise=_code_form)
        return _code_form()

    @blueprint.post("/log-out")
    def log_out() -> ResponseReturnValue:
        staff = g.staff
        services.db.run(lambda work: end_session(work, user_id=staff.user_id, session_id=staff.session_id))
        forget_cookie()
        flash(page_words()("login.logged_out"))
        return redirect(url_for("console.log_in"))


def _guarded(
    step: Callable[[], ResponseReturnValue], *, otherwise: Callable[..., ResponseReturnValue]
) -> ResponseReturnValue:
    """Take a step of the log-in, unless it was tried too often or can't be checked."""
    words = page_words()
    try:
        return step()
    except TooManyAttempts as refused:
        _log.warning("console.log_in.too_many")
        return otherwise(words("login.too_many", **refused.fields), status=429)
    except Unavailable:
        _log.error("console.log_in.unavailable")
        return otherwise(words("login.unreachable"), status=503)


def _try_password(services: ConsoleServices) -> ResponseReturnValue:
    login, password = request.form.get("login", "")[:_LONGEST_LOGIN], typed_password("password")
    address = request.remote_addr or ""
    count_attempt(services.redis, login=login, address=address)
    with services.db.read() as session:
        user = check_password(session, login=login, password=password)
        owes_code = user is not None and has_factor(session, user_id=user.id)
    if user is None:
        _log.info("console.log_in.refused")
        return _form(page_words()("login.wrong"), status=401)
    forget_attempts(services.redis, login=login, address=address)
    if owes_code:
        admit_half(user, now=g.now)
        return redirect(url_for("console.give_code", next=_wanted()))
    return _welcome(user, services.db.run(lambda work: _begin(work, user)))


def _try_code(services: ConsoleServices, user: UserInfo) -> ResponseReturnValue:
    address = request.remote_addr or ""
    count_attempt(services.redis, login=user.login, address=address, kind=Attempt.CODE)

    def begin(work: UnitOfWork) -> str:
        take_code(work, user_id=user.id, code=request.form.get("code", "")[:_LONGEST_CODE], now=g.now)
        return _begin(work, user)

    try:
        session_id = services.db.run(begin)
    except WrongCode:
        _log.info("console.log_in.wrong_code", user_id=user.id)
        return _code_form(page_words()("login.wrong_code"), status=401)
    forget_attempts(services.redis, login=user.login, address=address, kind=Attempt.CODE)
    return _welcome(user, session_id)


def _begin(work: UnitOfWork, user: UserInfo) -> str:
    note_of(work, clinic_id=user.clinic_id, login=user.login, what=Access.LOGGED_IN, subject_id=user.id)
    return begin_session(
        work, user_id=user.id, address=request.remote_addr or "", browser=request.user_agent.string, now=g.now
    )


def _welcome(user: UserInfo, session_id: str) -> ResponseReturnValue:
    admit(session_id)
    _log.info("console.log_in.done", user_id=user.id)
    return redirect(_wanted())


def _form(problem: str = "", *, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "console/login.html",
        problem=problem,
        login=request.form.get("login", "")[:_LONGEST_LOGIN],
        next=_wanted(),
    )
    return page, status


def _code_form(problem: str = "", *, status: int = 200) -> ResponseReturnValue:
    return render_template("console/login_code.html", problem=problem, next=_wanted()), status


def wanted_page(target: str, *, home: str, log_in: str) -> str:
    """Return the page that was asked for before the log-in if it is one of ours: anything else would send staff astray."""
    path = path_here(target) or ""
    is_page = path.startswith("/console/") or path == "/simulator"
    return target if is_page and path != log_in else home


def _wanted() -> str:
    return wanted_page(
        request.values.get("next", ""), home=url_for("console.conversations"), log_in=url_for("console.log_in")
    )
