"""The endpoints that are compared, each a step more than the one before: `python -m benchmarks.webhook.rows ROW` serves one.

wsgi        reads the form and answers with TwiML that is always the same
flask       the same in Flask, with TwiML made by the vendor's library
signature   and the vendor's signature is checked
session     and a session is read from Redis and written back, and a row is read from PostgreSQL
turn        the product, as `frontdesk serve` runs it

All run on the product's own server, with its settings. The first four are as plain as they can be: a connection for each thread
to PostgreSQL with the driver alone, one client for Redis.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import psycopg
from flask import Flask, Response, request
from redis import Redis
from sqlalchemy import make_url
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

from frontdesk.web import serve_app, serve_web
from kernel.config import Settings, load_settings

_WORDS = "I have Tuesday, March 9 at 9, 9:15 or 9:30 in the morning. Which of them suits you?"
_PATH = "/twilio/voice/turn"


def _wsgi(_settings: Settings) -> WSGIApplication:
    answer = _twiml().encode()
    headers = [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(answer)))]

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].read()
        start_response("200 OK", headers)
        return [answer]

    return app


def _flask(_settings: Settings) -> WSGIApplication:
    return _with_view(_twiml)


def _signature(settings: Settings) -> WSGIApplication:
    check = _checker(settings)

    def view() -> str:
        check()
        return _twiml()

    return _with_view(view)


class _Own(threading.local):
    """What a thread keeps."""

    connection: psycopg.Connection[Any] | None = None


def _session(settings: Settings) -> WSGIApplication:
    check, redis, own = _checker(settings), Redis.from_url(str(settings.redis_url)), _Own()
    folder = make_url(settings.database_url).query["host"]

    def connection() -> psycopg.Connection[Any]:
        if own.connection is None:
            own.connection = psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True)
        return own.connection

    def view() -> str:
        check()
        key = f"session:{request.form['CallSid']}"
        kept = redis.get(key)
        session = json.loads(kept) if kept else {"turns": 0}
        row = connection().execute("SELECT id, name FROM clinic WHERE phone = %s", [request.form["To"]]).fetchone()
        redis.set(key, json.dumps({"turns": session["turns"] + 1, "clinic": row and row[0]}), ex=600)
        return _twiml()

    return _with_view(view)


ROWS: dict[str, Callable[[Settings], WSGIApplication]] = {
    "wsgi": _wsgi,
    "flask": _flask,
    "signature": _signature,
    "session": _session,
}
PRODUCT = "turn"


def _with_view(view: Callable[[], str]) -> Flask:
    app = Flask(__name__)
    app.add_url_rule(_PATH, "turn", lambda: Response(view(), mimetype="text/xml"), methods=["POST"])
    return app


def _checker(settings: Settings) -> Callable[[], None]:
    validator = RequestValidator(settings.twilio.auth_tokens[0])

    def check() -> None:
        url = f"{settings.public_base_url}{_PATH}?{request.query_string.decode()}"
        assert validator.validate(url, request.form, request.headers.get("X-Twilio-Signature", "")), "not signed"

    return check


def _twiml() -> str:
    response = VoiceResponse()
    gather = Gather(input="speech dtmf", action=f"{_PATH}?n=4", method="POST", timeout=5, speech_timeout="auto")
    gather.say(_WORDS, voice="Polly.Joanna-Neural", language="en-US")
    response.append(gather)
    return str(response)


def main(row: str) -> None:
    """Serve the row of that name until SIGTERM."""
    settings = load_settings(os.environ)
    if row == PRODUCT:
        serve_web(settings)
    else:
        serve_app(lambda: ROWS[row](settings), host=settings.host, port=settings.port)


if __name__ == "__main__":
    main(sys.argv[1])
