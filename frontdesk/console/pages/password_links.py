"""A forgotten password: asking for a link by mail, and the page on which a link sets a new one."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from frontdesk.accounts.password_links import LinkOver, ask_for_link, link_owner, use_link
from frontdesk.console.access_log import Access, note_of
from frontdesk.console.account_problems import ACCOUNT_PROBLEMS, new_password_typed, problem_words
from frontdesk.console.attempts import Attempt, TooManyAttempts, count_attempt
from frontdesk.console.services import ConsoleServices
from frontdesk.console.words import page_words
from kernel.errors import Unavailable
from kernel.work import UnitOfWork

_LONGEST_LOGIN = 100


def add_password_links(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/password`, which everybody may open, and `/password/<token>`, for whoever holds a link."""

    @blueprint.route("/password", methods=["GET", "POST"])
    def ask_for_password_link() -> ResponseReturnValue:
        sends_mail = services.jobs.mailer.is_on
        if request.method == "GET" or not sends_mail:
            return render_template("console/password_ask.html", sends_mail=sends_mail, was_asked=False)
        return _ask(services)

    @blueprint.get("/password/<token>")
    def open_password_link(token: str) -> ResponseReturnValue:
        try:
            with services.db.read() as session:
                owner = link_owner(session, token=token, now=g.now)
        except LinkOver as problem:
            return _form("", token=token, problem=problem_words(problem), status=410)
        return _form(owner.login, token=token)

    @blueprint.post("/password/<token>")
    def use_password_link(token: str) -> ResponseReturnValue:
        def use(work: UnitOfWork) -> None:
            owner = use_link(work, token=token, password=new_password_typed(), now=g.now)
            note_of(
                work,
                clinic_id=owner.clinic_id,
                login=owner.login,
                what=Access.PASSWORD_CHANGED,
                subject_id=owner.user_id,
            )

        try:
            services.db.run(use)
        except ACCOUNT_PROBLEMS as problem:
            is_over = isinstance(problem, LinkOver)
            return _form(
                "" if is_over else request.form.get("login", "")[:_LONGEST_LOGIN],
                token=token,
                problem=problem_words(problem),
                status=410 if is_over else 422,
            )
        flash(page_words()("accounts.password_set"))
        return redirect(url_for("console.log_in"))


def _ask(services: ConsoleServices) -> ResponseReturnValue:
    login, problem, status = request.form.get("login", "")[:_LONGEST_LOGIN], "", 200
    try:
        # No word about whether somebody has this login: neither here nor in how long it takes, since a duty sends.
        count_attempt(services.redis, login=login, address=request.remote_addr or "", kind=Attempt.LINK)
        services.db.run(lambda work: ask_for_link(work, login=login, now=g.now))
    except TooManyAttempts as refused:
        problem, status = problem_words(refused), 429
    except Unavailable:
        problem, status = page_words()("login.unreachable"), 503
    page = render_template("console/password_ask.html", sends_mail=True, was_asked=not problem, problem=problem)
    return page, status


def _form(login: str, *, token: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    return render_template("console/password_set.html", login=login, token=token, problem=problem), status
