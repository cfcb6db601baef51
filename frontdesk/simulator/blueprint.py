"""The simulator: a phone and a text window that call the real webhooks with signed requests. For demonstrations and tests.

For administrators only, and not served in production mode: it shows demo patients' dates of birth and signs requests.
"""

from typing import Any

from flask import Blueprint, Flask, abort, current_app, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from frontdesk.console.guard import administrators_only, guard, has_simulator
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from frontdesk.simulator.aftermath import read_aftermath
from frontdesk.simulator.callers import UNKNOWN_NUMBER, clinic_numbers, demo_calendar, demo_callers
from frontdesk.simulator.vendor import NotAWebhook, deliver

_MOST_FIELDS, _LONGEST_FIELD = 40, 5000


def simulator_blueprint(services: ConsoleServices) -> Blueprint:
    """Return the page under `/simulator` and what its script calls. In production mode there is nothing there."""
    blueprint = Blueprint(
        "simulator", __name__, url_prefix="/simulator", template_folder="templates", static_folder="static"
    )
    guard(blueprint, services)

    @blueprint.before_request
    def only_here_and_for_administrators() -> None:
        if not has_simulator(services):
            abort(404)
        administrators_only()

    @blueprint.get("")
    def page() -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
            callers = demo_callers(session, clinic_id=staff.clinic_id, dates=g.dates)
            calendar = demo_calendar(session, clinic_id=staff.clinic_id)
        return render_template(
            "simulator/simulator.html",
            calendar=calendar,
            callers=callers,
            numbers=clinic_numbers(catalogue),
            texts=page_words().section("simulator"),
            unknown_number=UNKNOWN_NUMBER,
        )

    @blueprint.post("/deliver")
    def deliver_webhook() -> ResponseReturnValue:
        path, fields = _webhook_of(request.get_json(silent=True))
        try:
            answer = deliver(_app(), settings=services.settings, path=path, fields=fields)
        except NotAWebhook:
            abort(404)
        return {"status": answer.status, "body": answer.body}

    @blueprint.post("/aftermath")
    def aftermath() -> ResponseReturnValue:
        _, fields = _webhook_of(request.get_json(silent=True))
        with services.db.read() as session:
            return jsonify(
                read_aftermath(
                    session,
                    clinic_id=current_staff().clinic_id,
                    number=fields.get("number") or None,
                    call_sid=fields.get("call_sid") or None,
                    now=g.now,
                    dates=g.dates,
                )
            )

    return blueprint


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001 -- Flask's documented way to the application behind the proxy


def _webhook_of(body: Any) -> tuple[str, dict[str, str]]:
    """Read what the page's script sent. Anything of another form ends the request with 400."""
    if not isinstance(body, dict) or not isinstance(body.get("fields"), dict):
        abort(400)
    fields = body["fields"]
    if len(fields) > _MOST_FIELDS:
        abort(400)
    if not all(isinstance(value, str) and len(value) <= _LONGEST_FIELD for value in fields.values()):
        abort(400)
    if not all(_has_bytes(text) for entry in fields.items() for text in entry):
        abort(400)
    path = body.get("path", "")
    if not isinstance(path, str):
        abort(400)
    return path, fields


def _has_bytes(text: str) -> bool:
    """Say whether the text can be sent at all: JSON can write half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
