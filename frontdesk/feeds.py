"""Practitioners' feeds: `/feeds/SECRET.ics`, for calendar programs, which know no other log-in than the address."""

import hashlib
from http import HTTPStatus

from flask import Blueprint, Response, abort, request

from calendar_sync.feeds import FeedInfo, find_feed, note_read, write_feed
from frontdesk.bootstrap import Services
from frontdesk.rates import seconds_to_wait

PER_MINUTE = 30
_LONGEST_SECRET = 100


def feeds_blueprint(services: Services) -> Blueprint:
    """Return the address of feeds. What is no feed, and what was one, is not found; nothing tells them apart."""
    blueprint = Blueprint("feeds", __name__)

    @blueprint.get("/feeds/<secret>.ics")
    def feed(secret: str) -> Response:
        found = _find(services, secret)
        _limit(services, found)
        text = None if found is None else _read(services, found)
        if text is None:
            abort(HTTPStatus.NOT_FOUND)
        return _answer(text)

    return blueprint


def _find(services: Services, secret: str) -> FeedInfo | None:
    if len(secret) > _LONGEST_SECRET:
        return None
    with services.db.read() as session:
        return find_feed(session, secret=secret)


def _limit(services: Services, feed: FeedInfo | None) -> None:
    """Let nobody read a feed, or guess at one, more often than any calendar program would."""
    # Feeds of many clinics are fetched from one address of the program's maker, so only guesses are counted by address.
    who = f"guess:{request.remote_addr}" if feed is None else feed.practitioner_id
    wait_s = seconds_to_wait(services.redis, name=f"feeds:{who}", per_minute=PER_MINUTE, now=services.clock.now())
    if wait_s is not None:
        abort(Response(status=HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": str(wait_s)}))


def _read(services: Services, feed: FeedInfo) -> str | None:
    now = services.clock.now()
    note_read(services.db, feed, now=now)
    with services.db.read() as session:
        catalogue = services.catalogues.get(session, clinic_id=feed.clinic_id)
        return write_feed(session, catalogue, practitioner_id=feed.practitioner_id, now=now)


def _answer(text: str) -> Response:
    body = text.encode()
    response = Response(body, content_type="text/calendar; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"  # asked for again each time, and by no one but them
    response.headers["X-Robots-Tag"] = "noindex"
    response.set_etag(hashlib.sha256(body).hexdigest())
    response.make_conditional(request)
    return response
