"""Trying the agent out: a call to one's own telephone, or the simulator where there is no vendor."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.values import Catalogue
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.phone import to_e164
from voice.ports import CallRefused

_log = get_logger()


def add_test_call(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add the page from which staff let the agent call them."""

    @blueprint.get("/set-up/test-call")
    def test_call() -> ResponseReturnValue:
        return render_template(
            "console/test_call.html", is_on=services.calls.is_on, number=_number(_catalogue(services))
        )

    @blueprint.post("/set-up/test-call")
    def place_test_call() -> ResponseReturnValue:
        catalogue, words = _catalogue(services), page_words()
        to, number = to_e164(request.form.get("phone", "")[:40], country=catalogue.country), _number(catalogue)
        if to is None or number is None:
            return _told(words("test_call.no_number" if to is None else "test_call.clinic_has_none"))
        try:
            services.calls.place(to=to, number=number)
        except CallRefused as refusal:
            return _told(words("test_call.refused", code=refusal.fields["vendor_code"]))
        except Unavailable:
            return _told(words("test_call.unavailable"))
        _log.info("console.test_call.placed", login=current_staff().login)
        flash(words("test_call.placed"))
        return redirect(url_for("console.test_call"))


def _catalogue(services: ConsoleServices) -> Catalogue:
    with services.db.read() as session:
        return services.catalogues.get(session, clinic_id=current_staff().clinic_id)


def _number(catalogue: Catalogue) -> str | None:
    return catalogue.phone or next((one.phone for one in catalogue.locations if one.phone), None)


def _told(problem: str) -> ResponseReturnValue:
    flash(problem, "problem")
    return redirect(url_for("console.test_call"))
