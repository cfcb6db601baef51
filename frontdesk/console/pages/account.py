"""My account: password, second factor, address for a lost password, and where somebody is logged in."""

from collections.abc import Callable
from io import BytesIO

import segno
from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from frontdesk.accounts.second_factor import (
    confirm_secret,
    factor_state,
    leave_factor,
    make_recovery_codes,
    proposal,
    propose_secret,
)
from frontdesk.accounts.sessions import IDLE_FOR, LOGGED_IN_FOR, end_session, end_sessions, list_sessions
from frontdesk.accounts.staff_accounts import change_email, read_account
from frontdesk.console.access_log import Access, note_access
from frontdesk.console.account_problems import (
    ACCOUNT_PROBLEMS,
    ask_password,
    new_password_typed,
    problem_words,
    typed_email,
)
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from frontdesk.users import set_password
from kernel.errors import Refused
from kernel.work import UnitOfWork

_LONGEST_CODE = 20


def add_account_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/account` and its buttons. Whatever lets somebody in asks for the password once more."""
    _add_page(blueprint, services)
    _add_password(blueprint, services)
    _add_second_factor(blueprint, services)
    _add_recovery(blueprint, services)
    _add_sessions(blueprint, services)


def _add_page(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/account", endpoint="account")
    def show_account() -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            account = read_account(session, clinic_id=staff.clinic_id, user_id=staff.user_id)
            factor = factor_state(session, user_id=staff.user_id, clinic_id=staff.clinic_id)
            proposed = proposal(session, user_id=staff.user_id, login=staff.login)
            sessions = list_sessions(session, user_id=staff.user_id, now=g.now)
        return render_template(
            "console/account.html",
            account=account,
            factor=factor,
            proposal=proposed,
            sessions=sessions,
            idle_hours=int(IDLE_FOR.total_seconds() // 3600),
            most_hours=int(LOGGED_IN_FOR.total_seconds() // 3600),
        )

    @blueprint.post("/account/email")
    def change_own_email() -> ResponseReturnValue:
        staff = current_staff()

        def change(work: UnitOfWork) -> None:
            change_email(work, clinic_id=staff.clinic_id, user_id=staff.user_id, email=typed_email())

        return _do(services, change, done=page_words()("accounts.email_changed"))


def _add_password(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/account/password")
    def change_password() -> ResponseReturnValue:
        staff = current_staff()

        def change(work: UnitOfWork) -> None:
            set_password(work, user_id=staff.user_id, password=new_password_typed(), but_session=staff.session_id)
            note_access(work, what=Access.PASSWORD_CHANGED, subject_id=staff.user_id)

        return _do(services, change, done=page_words()("accounts.password_changed"))


def _add_second_factor(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/account/second-factor")
    def propose_factor() -> ResponseReturnValue:
        user_id = current_staff().user_id
        return _do(services, lambda work: propose_secret(work, user_id=user_id))

    @blueprint.get("/account/second-factor.svg")
    def factor_image() -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            proposed = proposal(session, user_id=staff.user_id, login=staff.login)
        if proposed is None:
            abort(404)
        picture = BytesIO()
        segno.make(proposed.address, error="m").save(picture, kind="svg", scale=5, border=4, light="#fff")
        return Response(picture.getvalue(), mimetype="image/svg+xml")

    @blueprint.post("/account/second-factor/confirm")
    def confirm_factor() -> ResponseReturnValue:
        staff = current_staff()

        def confirm(work: UnitOfWork) -> list[str]:
            codes = confirm_secret(
                work, user_id=staff.user_id, code=request.form.get("code", "")[:_LONGEST_CODE], now=g.now
            )
            note_access(work, what=Access.FACTOR_SET_UP, subject_id=staff.user_id)
            return codes

        try:
            return _show_codes(services.db.run(confirm))
        except ACCOUNT_PROBLEMS as problem:
            return _back(problem)


def _add_recovery(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/account/recovery-codes")
    def renew_recovery_codes() -> ResponseReturnValue:
        user_id = current_staff().user_id
        try:
            ask_password(services)
            return _show_codes(services.db.run(lambda work: make_recovery_codes(work, user_id=user_id)))
        except ACCOUNT_PROBLEMS as problem:
            return _back(problem)

    @blueprint.post("/account/second-factor/off")
    def leave_second_factor() -> ResponseReturnValue:
        staff = current_staff()

        def leave(work: UnitOfWork) -> None:
            leave_factor(work, user_id=staff.user_id, clinic_id=staff.clinic_id)
            note_access(work, what=Access.FACTOR_REMOVED, subject_id=staff.user_id)

        return _do(services, leave, done=page_words()("accounts.factor_removed"))


def _add_sessions(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/account/sessions/<session_id>/end")
    def end_own_session(session_id: str) -> ResponseReturnValue:
        user_id = current_staff().user_id
        if not services.db.run(lambda work: end_session(work, user_id=user_id, session_id=session_id)):
            abort(404)
        flash(page_words()("accounts.session_ended"))
        return redirect(url_for("console.account"))

    @blueprint.post("/account/sessions/end-others")
    def end_other_sessions() -> ResponseReturnValue:
        staff = current_staff()
        services.db.run(lambda work: end_sessions(work, user_id=staff.user_id, but=staff.session_id))
        flash(page_words()("accounts.others_ended"))
        return redirect(url_for("console.account"))


def _do(services: ConsoleServices, step: Callable[[UnitOfWork], None], *, done: str = "") -> ResponseReturnValue:
    """Take a step after the right password, or say why not; then show the account."""
    try:
        ask_password(services)
        services.db.run(step)
    except ACCOUNT_PROBLEMS as problem:
        return _back(problem)
    if done:
        flash(done)
    return redirect(url_for("console.account"))


def _back(problem: Refused) -> ResponseReturnValue:
    flash(problem_words(problem), "problem")
    return redirect(url_for("console.account"))


def _show_codes(codes: list[str]) -> ResponseReturnValue:
    # In the answer to the form itself: it is the only time that they are shown.
    return render_template("console/account_codes.html", codes=codes)
