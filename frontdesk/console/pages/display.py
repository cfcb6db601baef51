"""The switches of language and colours that stand on every page."""

from typing import cast

from flask import Blueprint, Response, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import update

from frontdesk.console.display import LOOKS, keep_language, keep_look
from frontdesk.console.pages.log_in import wanted_page
from frontdesk.console.services import ConsoleServices
from frontdesk.console.words import LANGUAGES
from frontdesk.users import User
from kernel.work import UnitOfWork


def add_display_switches(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add the buttons' addresses, `/language` and `/look`. Both lead back to the page they stood on."""

    @blueprint.post("/language")
    def choose_language() -> ResponseReturnValue:
        language = _one_of(LANGUAGES, "language")
        if g.staff:
            login = g.staff.login
            services.db.run(lambda work: _store(work, login=login, language=language))
        response = _back()
        keep_language(response, language)
        return response

    @blueprint.post("/look")
    def choose_look() -> ResponseReturnValue:
        look = _one_of(LOOKS, "look")
        response = _back()
        keep_look(response, look)
        return response


def _one_of(choices: tuple[str, ...], field: str) -> str:
    chosen = request.form.get(field, "")
    if chosen not in choices:
        abort(404)
    return chosen


def _store(work: UnitOfWork, *, login: str, language: str) -> None:
    work.session.execute(update(User).where(User.login == login).values(language=language))


def _back() -> Response:
    # The log-in is a page like others here: its switches lead back to it.
    page = wanted_page(request.form.get("next", ""), home=url_for("console.home"), log_in="")
    return cast(Response, redirect(page))
