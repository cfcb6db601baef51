"""Who of the clinic's staff may log in, and as what: for administrators."""

from collections.abc import Callable

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from frontdesk.accounts.password_links import HANDED_OVER_FOR, make_link
from frontdesk.accounts.passwords import new_password
from frontdesk.accounts.second_factor import drop_factor, factor_state, set_policy
from frontdesk.accounts.staff_accounts import (
    Rights,
    change_account,
    check_rights,
    list_accounts,
    read_account,
    switch_off,
    switch_on,
)
from frontdesk.console.access_log import Access, note_access
from frontdesk.console.account_problems import ACCOUNT_PROBLEMS, ask_password, problem_words, typed_email
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from frontdesk.users import Role, add_user
from kernel.errors import Refused
from kernel.work import UnitOfWork


def add_staff_account_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/staff` and `/staff/<id>`. Accounts of another clinic are not there.

    Whatever lets somebody in asks for the administrator's password: a screen left open must not be enough.
    """
    _add_list(blueprint, services)
    _add_policy(blueprint, services)
    _add_one(blueprint, services)
    _add_ways_in(blueprint, services)


def _add_list(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/staff")
    def staff_accounts() -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            accounts = list_accounts(session, clinic_id=staff.clinic_id)
            practitioners = services.catalogues.get(session, clinic_id=staff.clinic_id).practitioners
            factor = factor_state(session, user_id=staff.user_id, clinic_id=staff.clinic_id)
        return render_template(
            "console/staff_accounts.html",
            accounts=accounts,
            roles=list(Role),
            practitioners=practitioners,
            needs_factor=factor.is_needed,
        )

    @blueprint.post("/staff")
    def add_account() -> ResponseReturnValue:
        staff = current_staff()

        def add(work: UnitOfWork) -> tuple[str, str]:
            rights = check_rights(work.session, _rights(), clinic_id=staff.clinic_id)
            user = add_user(
                work,
                clinic_id=staff.clinic_id,
                login=request.form.get("login", ""),
                password=new_password(),  # nobody's: its owner sets one with the link
                role=rights.role,
                practitioner_id=rights.practitioner_id,
                email=rights.email,
                now=g.now,
            )
            note_access(work, what=Access.ACCOUNT_ADDED, subject_id=user.id)
            return user.login, make_link(work, user_id=user.id, now=g.now)

        try:
            ask_password(services)
            login, token = services.db.run(add)
        except ACCOUNT_PROBLEMS as problem:
            return _back(problem)
        return _show_link(services, login=login, token=token)


def _add_policy(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/staff/log-in")
    def set_log_in_policy() -> ResponseReturnValue:
        clinic_id = current_staff().clinic_id

        def set_it(work: UnitOfWork) -> None:
            set_policy(work, clinic_id=clinic_id, needs_second_factor=request.form.get("needs_factor") == "yes")
            note_access(work, what=Access.POLICY_CHANGED, subject_id=clinic_id)

        try:
            ask_password(services)
        except ACCOUNT_PROBLEMS as problem:
            return _back(problem)
        services.db.run(set_it)
        flash(page_words()("accounts.policy_set"))
        return redirect(url_for("console.staff_accounts"))


def _add_one(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/staff/<user_id>")
    def staff_account(user_id: str) -> ResponseReturnValue:
        clinic_id = current_staff().clinic_id
        with services.db.read() as session:
            account = read_account(session, clinic_id=clinic_id, user_id=user_id)
            practitioners = services.catalogues.get(session, clinic_id=clinic_id).practitioners
        return render_template(
            "console/staff_account.html", account=account, roles=list(Role), practitioners=practitioners
        )

    @blueprint.post("/staff/<user_id>")
    def change_staff_account(user_id: str) -> ResponseReturnValue:
        return _let_in(
            services,
            user_id,
            lambda work, clinic_id: change_account(work, clinic_id=clinic_id, user_id=user_id, rights=_rights()),
            what=Access.ACCOUNT_CHANGED,
            done=page_words()("accounts.changed"),
        )

    @blueprint.post("/staff/<user_id>/off")
    def switch_account_off(user_id: str) -> ResponseReturnValue:
        return _change(
            services,
            user_id,
            lambda work, clinic_id: switch_off(work, clinic_id=clinic_id, user_id=user_id, now=g.now),
            what=Access.ACCOUNT_SWITCHED_OFF,
            done=page_words()("accounts.was_switched_off"),
        )

    @blueprint.post("/staff/<user_id>/on")
    def switch_account_on(user_id: str) -> ResponseReturnValue:
        return _let_in(
            services,
            user_id,
            lambda work, clinic_id: switch_on(work, clinic_id=clinic_id, user_id=user_id),
            what=Access.ACCOUNT_SWITCHED_ON,
            done=page_words()("accounts.was_switched_on"),
        )


def _add_ways_in(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/staff/<user_id>/link")
    def make_password_link(user_id: str) -> ResponseReturnValue:
        clinic_id = current_staff().clinic_id

        def make(work: UnitOfWork) -> tuple[str, str]:
            account = read_account(work.session, clinic_id=clinic_id, user_id=user_id)
            note_access(work, what=Access.PASSWORD_LINK_MADE, subject_id=user_id)
            return account.login, make_link(work, user_id=user_id, now=g.now)

        try:
            ask_password(services)
            login, token = services.db.run(make)
        except ACCOUNT_PROBLEMS as problem:
            return _back(problem, user_id=user_id)
        return _show_link(services, login=login, token=token)

    @blueprint.post("/staff/<user_id>/second-factor/off")
    def remove_factor(user_id: str) -> ResponseReturnValue:
        def drop(work: UnitOfWork, clinic_id: str) -> None:
            read_account(work.session, clinic_id=clinic_id, user_id=user_id)
            drop_factor(work, user_id=user_id)

        return _let_in(
            services, user_id, drop, what=Access.FACTOR_REMOVED, done=page_words()("accounts.factor_removed")
        )


def _let_in(
    services: ConsoleServices, user_id: str, step: Callable[[UnitOfWork, str], None], *, what: Access, done: str
) -> ResponseReturnValue:
    """As `_change`, after the right password."""
    try:
        ask_password(services)
    except ACCOUNT_PROBLEMS as problem:
        return _back(problem, user_id=user_id)
    return _change(services, user_id, step, what=what, done=done)


def _change(
    services: ConsoleServices, user_id: str, step: Callable[[UnitOfWork, str], None], *, what: Access, done: str
) -> ResponseReturnValue:
    """Change an account of this clinic and note who did; then show it, with what came of it."""
    clinic_id = current_staff().clinic_id

    def change(work: UnitOfWork) -> None:
        step(work, clinic_id)
        note_access(work, what=what, subject_id=user_id)

    try:
        services.db.run(change)
    except ACCOUNT_PROBLEMS as problem:
        return _back(problem, user_id=user_id)
    flash(done)
    return redirect(url_for("console.staff_account", user_id=user_id))


def _rights() -> Rights:
    """Read a form. A role that is none ends the request with 404. Raises BadEmail."""
    role = request.form.get("role", "")
    if role not in list(Role):
        abort(404)
    return Rights(role=Role(role), practitioner_id=request.form.get("practitioner") or None, email=typed_email())


def _back(problem: Refused, *, user_id: str | None = None) -> ResponseReturnValue:
    flash(problem_words(problem), "problem")
    if user_id is None:
        return redirect(url_for("console.staff_accounts"))
    return redirect(url_for("console.staff_account", user_id=user_id))


def _show_link(services: ConsoleServices, *, login: str, token: str) -> ResponseReturnValue:
    # In the answer to the form itself: the browser does not keep it, and it is in no address of ours before it is used.
    path = url_for("console.open_password_link", token=token)
    return render_template(
        "console/staff_link.html",
        login=login,
        address=f"{services.settings.public_base_url.rstrip('/')}{path}",
        hours=int(HANDED_OVER_FOR.total_seconds() // 3600),
    )
