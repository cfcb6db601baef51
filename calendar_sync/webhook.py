"""Cal.com's webhooks: each one makes its link due for a look. Nothing is read from them that the look would not find.

So a notice that is lost costs minutes, one that comes twice or late costs a look, and a forged one is refused.
"""

import hashlib
from datetime import datetime
from http import HTTPStatus

import structlog
from flask import Blueprint, Response, request
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from calendar_sync.model import CALCOM, CalendarLink
from calendar_sync.notices import SIGNATURE_HEADER, Notice, is_signed, read_notice
from kernel import inbox
from kernel.clock import Clock
from kernel.errors import Malformed
from kernel.log import get_logger
from kernel.work import Database, UnitOfWork

LARGEST_BODY = 64 * 1024

_log = get_logger()


def calcom_blueprint(*, db: Database, clock: Clock) -> Blueprint:
    """Return the endpoint `/calcom/LINK`, to which the Cal.com account of a link sends what happens there."""
    blueprint = Blueprint("calcom", __name__)

    def receive(link_id: str) -> Response:
        if request.method != "POST":
            return _text(HTTPStatus.METHOD_NOT_ALLOWED, "Send a POST request")
        with structlog.contextvars.bound_contextvars(link_id=link_id):
            return _receive(db, link_id, now=clock.now())

    # GET is taken to be refused with a sentence.
    blueprint.add_url_rule("/calcom/<link_id>", "receive", receive, methods=["GET", "POST"], strict_slashes=False)
    return blueprint


def _receive(db: Database, link_id: str, *, now: datetime) -> Response:
    if (request.content_length or 0) > LARGEST_BODY:
        return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The notice is too large")
    body = request.stream.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The notice is too large")
    secret = _secret(db, link_id)
    if secret is None:
        return _refused(HTTPStatus.NOT_FOUND, "No calendar takes notices here")
    if not is_signed(body, signature=request.headers.get(SIGNATURE_HEADER), secret=secret):
        return _refused(HTTPStatus.FORBIDDEN, "The signature is missing or does not match")
    try:
        notice = read_notice(body)
    except Malformed as malformed:
        return _refused(HTTPStatus.BAD_REQUEST, str(malformed))
    _log.info("calcom.notice", trigger=notice.trigger, uid=notice.uid)
    if notice.is_worth_a_look:
        _note_once(db, link_id, notice, key=f"calcom:{hashlib.sha256(body).hexdigest()}", now=now)
    return _text(HTTPStatus.OK, "Noted")


def _secret(db: Database, link_id: str) -> str | None:
    with db.read() as session:
        return session.scalar(
            select(CalendarLink.webhook_secret).where(CalendarLink.id == link_id, CalendarLink.kind == CALCOM)
        )


def _note_once(db: Database, link_id: str, notice: Notice, *, key: str, now: datetime) -> None:
    at = now + notice.look_after

    def note(work: UnitOfWork) -> None:
        # Nothing in it is signed that would tell an old notice from a new one.
        if inbox.recorded_answer(work.session, key=key) is not None:
            return
        inbox.record(work, key=key, answer="", now=now)
        # A link in trouble waits as long as it has to, whoever calls.
        work.session.execute(
            update(CalendarLink)
            .where(CalendarLink.id == link_id, CalendarLink.failures == 0, CalendarLink.next_try_at > at)
            .values(next_try_at=at)
        )

    try:
        db.run(note)
    except IntegrityError:
        _log.info("calcom.notice.repeat")  # the same notice at the same moment: the other delivery of it was first


def _refused(status: HTTPStatus, text: str) -> Response:
    _log.warning("calcom.notice.refused", status=status.value, why=text)
    return _text(status, text)


def _text(status: HTTPStatus, text: str) -> Response:
    response = Response(text + "\n", status=status, mimetype="text/plain")
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = "POST"
    return response
