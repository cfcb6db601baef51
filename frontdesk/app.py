"""The web application: every blueprint, and one answer for each kind of error."""

from flask import Flask, Response, jsonify, redirect, render_template_string, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from calendar_sync.webhook import calcom_blueprint
from frontdesk.api.blueprint import api_blueprint, error_answer, is_api
from frontdesk.bootstrap import Services
from frontdesk.channels import add_channels
from frontdesk.console.blueprint import console_blueprint
from frontdesk.feeds import feeds_blueprint
from frontdesk.health import health_blueprint
from frontdesk.own_page.blueprint import own_page_blueprint
from frontdesk.proxies import trust_proxies
from frontdesk.simulator.blueprint import simulator_blueprint
from frontdesk.web_chat.blueprint import web_chat_blueprint
from kernel.config import Mode
from kernel.errors import Malformed, Refused, Unavailable
from kernel.log import get_logger

LARGEST_BODY = 1_000_000

log = get_logger()

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title></head><body><main><h1>{{ title }}</h1><p>{{ text }}</p></main></body></html>"""


def create_app(services: Services) -> Flask:
    """Make the application around `services`. Starts nothing and connects to nothing."""
    app = Flask("frontdesk", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    settings = services.settings
    trust_proxies(app, count=settings.proxies)
    add_channels(app, services)
    app.register_blueprint(calcom_blueprint(db=services.db, clock=services.clock))
    app.register_blueprint(health_blueprint(services))
    app.register_blueprint(console_blueprint(services))
    app.register_blueprint(api_blueprint(services))
    app.register_blueprint(feeds_blueprint(services))
    app.register_blueprint(web_chat_blueprint(services))
    app.register_blueprint(own_page_blueprint(services))
    app.add_url_rule("/", "home", lambda: redirect(url_for("console.conversations")))
    if settings.mode is not Mode.PRODUCTION:
        app.register_blueprint(simulator_blueprint(services))
    answer_errors(app)
    app.after_request(_add_headers)
    return app


def answer_errors(app: Flask) -> None:
    """Give each kind of error its one answer."""

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> ResponseReturnValue:
        if error.response is not None:
            return error.response
        if isinstance(error, MethodNotAllowed) and is_api(request.path):
            return error_answer(405, allowed=error.valid_methods)
        return _answer(error.code or 500, error.name, error.description or "")

    @app.errorhandler(Refused)
    def refused(error: Refused) -> ResponseReturnValue:
        return _answer(409, "Not possible", f"The clinic's rules say no: {error.code}.")

    @app.errorhandler(Malformed)
    def malformed(_error: Malformed) -> ResponseReturnValue:
        return _answer(400, "Not readable", "The request can't be read.")

    @app.errorhandler(Unavailable)
    def unavailable(error: Unavailable) -> ResponseReturnValue:
        response = _answer(503, "Not available", "Something this page needs can't be reached. Please try again.")
        response.headers["Retry-After"] = str(max(1, int(error.retry_after.total_seconds())))
        return response

    @app.errorhandler(Exception)
    def bug(error: Exception) -> ResponseReturnValue:
        # The rule rather than the path, which may hold the secret of a feed.
        log.error("http.bug", path=str(request.url_rule or ""), exc_info=error)
        return _answer(500, "Something went wrong", "The fault is on our side and has been noted.")


def _answer(status: int, title: str, text: str) -> Response:
    if is_api(request.path):
        return error_answer(status)
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        response = jsonify(error={"title": title, "text": text})
    else:
        response = Response(render_template_string(_PAGE, title=title, text=text), mimetype="text/html")
    response.status_code = status
    return response


def _add_headers(response: Response) -> Response:
    # Pages of the console set stricter ones of their own.
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    return response
