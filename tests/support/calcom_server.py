"""A stateful stand-in for Cal.com's API v2 over real HTTP, checked both ways against the document beside it.

It keeps accounts, refuses what the vendor refuses, and fails on request in the ways networks fail. It sends no notice by
itself: a test takes them from the account and says when, how often and with which secret.
"""

import contextlib
import itertools
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

import requests
from flask import Flask, Response, current_app, g, jsonify, request
from werkzeug.serving import BaseWSGIServer, make_server

from tests.support.calcom_account import (
    LIVE,
    OWNER_EMAIL,
    Booking,
    CalcomAccount,
    EventType,
    Notice,
    Person,
    VendorRefusal,
    stamp,
    title,
)
from tests.support.calcom_document import CalcomDocument

_LIMIT = 120  # requests a minute


class FaultKind(StrEnum):
    SERVER_ERROR = "server error"  # 500, nothing done
    ERROR_AFTERWARDS = "error afterwards"  # done, but the answer is 500
    ANSWER_LOST = "answer lost"  # done, but the connection breaks before the answer
    TOO_MANY_REQUESTS = "too many requests"  # 429, nothing done
    CONFLICT = "conflict"  # 409, nothing done
    NO_HOSTS = "no hosts"  # 422, nothing done
    FORBIDDEN = "forbidden"  # 403, nothing done
    INVALID = "invalid"  # 400 for another reason than the time, nothing done


_REFUSALS = {
    FaultKind.SERVER_ERROR: (HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError"),
    FaultKind.TOO_MANY_REQUESTS: (HTTPStatus.TOO_MANY_REQUESTS, "ThrottlerException"),
    FaultKind.CONFLICT: (HTTPStatus.CONFLICT, "booking_conflict"),
    FaultKind.NO_HOSTS: (HTTPStatus.UNPROCESSABLE_ENTITY, "no_available_users_found_error"),
    FaultKind.FORBIDDEN: (HTTPStatus.FORBIDDEN, "ForbiddenException"),
    FaultKind.INVALID: (HTTPStatus.BAD_REQUEST, "ValidationError"),
}


@dataclass(frozen=True)
class Fault:
    """What happens to the next request of `method` to a path in which `path` is found."""

    kind: FaultKind
    method: str = "POST"
    path: str = ""


class CalcomServer:
    """The service. Each account has a key of its own and knows nothing of the others."""

    def __init__(self) -> None:
        self._accounts: dict[str, CalcomAccount] = {}
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = _serve(self)
        self.document = CalcomDocument(base_url=f"http://127.0.0.1:{self._server.server_port}")

    @property
    def base_url(self) -> str:
        """The address that goes into a link, without what follows `/v2`."""
        return f"http://127.0.0.1:{self._server.server_port}/v2"

    def fresh_account(self, *, clock: Callable[[], datetime] | None = None) -> CalcomAccount:
        """Open an account; without a clock of the test's own, it begins in March 2027 and each look is a second later."""
        account = CalcomAccount(key=f"cal_test_{next(_KEYS)}", clock=clock or _ticking())
        self._accounts[account.key] = account
        return account

    def address(self, kind: EventType) -> str:
        """Return what a link is given as the calendar's address: the kind of booking that visits become."""
        return f"{self.base_url}/event-types/{kind.id}"

    def will_fail(self, *faults: Fault) -> None:
        """Make the next requests fail, in this order."""
        with self._lock:
            self._faults.extend(faults)

    def forget_faults(self) -> None:
        with self._lock:
            self._faults.clear()

    def take_fault(self) -> Fault | None:
        with self._lock:
            found = (one for one in self._faults if one.method == request.method and one.path in request.path)
            fault = next(found, None)
            if fault is not None:
                self._faults.remove(fault)
            return fault

    def account(self, key: str) -> CalcomAccount | None:
        return self._accounts.get(key)

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


_KEYS = itertools.count(1)


def _ticking() -> Callable[[], datetime]:
    seconds = itertools.count()
    return lambda: datetime(2027, 3, 10, 15, 0, tzinfo=UTC) + timedelta(seconds=next(seconds))


@contextlib.contextmanager
def calcom_server() -> Iterator[CalcomServer]:
    """Run a server without accounts until the block ends."""
    server = CalcomServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def send_notice(url: str, notice: Notice, *, secret: str | None) -> requests.Response:
    """Send a notice as the vendor does. Redirects are not followed."""
    return requests.post(url, data=notice.body, headers=notice.headers(secret), timeout=60, allow_redirects=False)


def _serve(server: CalcomServer) -> BaseWSGIServer:
    app = Flask("calcom_stand_in")
    app.config["CALCOM"] = server
    app.before_request(_check_request)
    app.after_request(_check_answer)
    app.register_error_handler(VendorRefusal, _refuse)
    app.register_error_handler(HTTPStatus.NOT_FOUND, _no_such_path)
    app.add_url_rule("/v2/me", view_func=_me)
    app.add_url_rule("/v2/event-types", view_func=_event_types)
    app.add_url_rule("/v2/event-types/<int:number>", view_func=_event_type)
    app.add_url_rule("/v2/slots", view_func=_slots)
    app.add_url_rule("/v2/calendars", view_func=_calendars)
    app.add_url_rule("/v2/calendars/busy-times", view_func=_busy_times)
    app.add_url_rule("/v2/bookings", view_func=_bookings, methods=["GET", "POST"])
    app.add_url_rule("/v2/bookings/<uid>", view_func=_booking)
    app.add_url_rule("/v2/bookings/<uid>/reschedule", view_func=_reschedule, methods=["POST"])
    app.add_url_rule("/v2/bookings/<uid>/cancel", view_func=_cancel, methods=["POST"])
    app.add_url_rule("/v2/bookings/<uid>/confirm", view_func=_confirm, methods=["POST"])
    app.add_url_rule("/v2/bookings/<uid>/decline", view_func=_decline, methods=["POST"])
    made = make_server("127.0.0.1", 0, app, threaded=True)
    made.daemon_threads = True  # type: ignore[attr-defined]  # the threaded server's own setting
    return made


def _calcom() -> CalcomServer:
    server: CalcomServer = current_app.config["CALCOM"]
    return server


def _account() -> CalcomAccount:
    account: CalcomAccount = g.account
    return account


def _check_request() -> None:
    sent = request.headers.get("Authorization", "")
    account = _calcom().account(sent.removeprefix("Bearer "))
    if account is None or not sent.startswith("Bearer "):
        raise VendorRefusal(HTTPStatus.UNAUTHORIZED, "Invalid API key", code="UnauthorizedException")
    g.account = account
    if request.url_rule is None:
        return  # answered with 404
    account.requests.append(f"{request.method} {request.path}")
    wrong = _calcom().document.fault_of_request(request)
    if wrong is not None:
        account.violations.append(f"{request.method} {request.full_path}: {wrong}")
        raise VendorRefusal(HTTPStatus.BAD_REQUEST, f"Not as the document says: {wrong}")
    g.fault = _calcom().take_fault()
    if g.fault is not None and g.fault.kind in _REFUSALS:
        status, code = _REFUSALS[g.fault.kind]
        raise VendorRefusal(status, f"{code}: {status.phrase}", code=code)


def _check_answer(response: Response) -> Response:
    account: CalcomAccount | None = g.get("account")
    fault: Fault | None = g.get("fault")
    if fault is not None and fault.kind is FaultKind.ERROR_AFTERWARDS:
        response = _refuse(
            VendorRefusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error", code="InternalServerError")
        )
    response.headers["X-Request-Id"] = "request-of-a-test"
    if account is not None and request.url_rule is not None:
        blocked = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        response.headers["X-RateLimit-Limit-Default"] = str(_LIMIT)
        response.headers["X-RateLimit-Remaining-Default"] = "0" if blocked else str(_LIMIT - 1)
        response.headers["X-RateLimit-Reset-Default"] = "42"
        wrong = _calcom().document.fault_of_answer(request, response)
        if wrong is not None:
            account.violations.append(f"answer to {request.method} {request.path}: {wrong}")
    if fault is not None and fault.kind is FaultKind.ANSWER_LOST:
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return response


def _refuse(refusal: VendorRefusal) -> Response:
    error = {"code": refusal.code, "message": refusal.message, "details": {}}
    response = jsonify(status="error", timestamp=stamp(datetime.now(UTC)), path=request.path, error=error)
    response.status_code = refusal.status
    return response


def _no_such_path(_error: Exception) -> Response:
    return _refuse(
        VendorRefusal(HTTPStatus.NOT_FOUND, f"Cannot {request.method} {request.path}", code="NotFoundException")
    )


def _done(data: Any, status: HTTPStatus = HTTPStatus.OK, **more: Any) -> tuple[Response, HTTPStatus]:
    return jsonify(status="success", data=data, **more), status


def _me() -> tuple[Response, HTTPStatus]:
    return _done(
        {"id": 7, "username": "lee", "email": OWNER_EMAIL, "name": "Mina Lee", "timeZone": "America/New_York"}
        | {"avatarUrl": None, "bio": None, "timeFormat": 12, "weekStart": "Sunday", "defaultScheduleId": 1}
        | {"organizationId": None}
    )


def _event_types() -> tuple[Response, HTTPStatus]:
    return _done([_type_json(kind) for kind in _account().event_types.values()])


def _event_type(number: int) -> tuple[Response, HTTPStatus]:
    kind = _account().event_types.get(number)
    if kind is None:
        raise VendorRefusal(HTTPStatus.NOT_FOUND, f"Event type with id {number} not found", code="NotFoundException")
    return _done(_type_json(kind))


def _slots() -> tuple[Response, HTTPStatus]:
    zone = ZoneInfo(request.args.get("timeZone", "UTC"))
    found = _account().slots(int(request.args["eventTypeId"]), start=_instant("start"), end=_instant("end"), zone=zone)
    return _done({day: [{"start": start} for start in starts] for day, starts in found.items()})


def _calendars() -> tuple[Response, HTTPStatus]:
    listed = [
        {
            "credentialId": one.credential_id,
            "integration": {"type": "google_calendar"},
            "calendars": [
                {
                    "externalId": one.external_id,
                    "readOnly": False,
                    "isSelected": True,
                    "credentialId": one.credential_id,
                }
            ],
        }
        for one in _account().calendars
    ]
    return _done({"connectedCalendars": listed, "destinationCalendar": None})


def _busy_times() -> tuple[Response, HTTPStatus]:
    asked: dict[str, Any] = {}
    for name, value in request.args.items():
        if found := re.fullmatch(r"calendarsToLoad\[(\d+)\]\[(\w+)\]", name):
            asked.setdefault(found[1], {})[found[2]] = value
    if not _account().takes_lists:
        asked = {"": request.args} if "credentialId" in request.args else {}
    wanted = {(int(one["credentialId"]), one["externalId"]) for one in asked.values()}
    if not wanted:
        raise VendorRefusal(HTTPStatus.BAD_REQUEST, "calendarsToLoad must be given")
    busy = [
        {"start": stamp(start), "end": stamp(end), "source": None}
        for one in _account().calendars
        if (one.credential_id, one.external_id) in wanted
        for start, end in one.busy
    ]
    return _done(busy)


def _bookings() -> tuple[Response, HTTPStatus]:
    return _new_booking() if request.method == "POST" else _found_bookings()


def _new_booking() -> tuple[Response, HTTPStatus]:
    sent = request.get_json()
    who = sent["attendee"]
    booking = _account().book(
        event_type_id=sent["eventTypeId"],
        starts_at=datetime.fromisoformat(sent["start"]),
        attendee=Person(who["name"], who["email"], who.get("phoneNumber"), who["timeZone"], who.get("language", "en")),
        minutes=sent.get("lengthInMinutes"),
        metadata=sent.get("metadata"),
    )
    return _done(_booking_json(booking), HTTPStatus.CREATED)


def _found_bookings() -> tuple[Response, HTTPStatus]:
    account = _account()
    with account.lock:
        found = [booking for booking in account.bookings.values() if _is_asked_for(account, booking)]
    found.sort(key=lambda booking: booking.id)
    for name, key in _SORTS.items():
        if name in request.args:
            found.sort(key=lambda booking: getattr(booking, key), reverse=request.args[name] == "desc")
    skip, take = int(request.args.get("skip", 0)), int(request.args.get("take", 100))
    page = found[skip : skip + take]
    pagination = {
        "totalItems": len(found),
        "remainingItems": max(0, len(found) - skip - len(page)),
        "returnedItems": len(page),
        "itemsPerPage": take,
        "currentPage": skip // take + 1,
        "totalPages": -(-len(found) // take),
        "hasNextPage": skip + len(page) < len(found),
        "hasPreviousPage": skip > 0,
    }
    return _done([_booking_json(booking) for booking in page], pagination=pagination)


_SORTS = {"sortStart": "starts_at", "sortEnd": "ends_at", "sortCreated": "created_at", "sortUpdatedAt": "updated_at"}


def _is_asked_for(account: CalcomAccount, booking: Booking) -> bool:
    asked = request.args
    states = {
        "upcoming": booking.status in LIVE and account.is_current(booking),
        "past": booking.status in LIVE and not account.is_current(booking),
        "cancelled": booking.status not in LIVE,
        "unconfirmed": booking.status == "pending" and account.is_current(booking),
    }
    types = {*filter(None, asked.get("eventTypeIds", "").split(",")), *asked.getlist("eventTypeId")}
    after = {
        "afterStart": booking.starts_at,
        "afterCreatedAt": booking.created_at,
        "afterUpdatedAt": booking.updated_at,
    }
    before = {
        "beforeEnd": booking.ends_at,
        "beforeCreatedAt": booking.created_at,
        "beforeUpdatedAt": booking.updated_at,
    }
    return (
        ("status" not in asked or any(states.get(one, False) for one in asked["status"].split(",")))
        and asked.get("attendeeEmail", booking.attendee.email) == booking.attendee.email
        and asked.get("bookingUid", booking.uid) == booking.uid
        and (not types or str(booking.event_type.id) in types)
        and all(name not in asked or value >= _instant(name) for name, value in after.items())
        and all(name not in asked or value <= _instant(name) for name, value in before.items())
    )


def _booking(uid: str) -> tuple[Response, HTTPStatus]:
    return _done(_booking_json(_account().booking(uid)))


def _reschedule(uid: str) -> tuple[Response, HTTPStatus]:
    sent = request.get_json()
    booking = _account().reschedule(
        uid,
        starts_at=datetime.fromisoformat(sent["start"]),
        by=sent.get("rescheduledBy"),
        reason=sent.get("reschedulingReason"),
    )
    return _done(_booking_json(booking), HTTPStatus.CREATED)


def _cancel(uid: str) -> tuple[Response, HTTPStatus]:
    return _done(_booking_json(_account().cancel(uid, reason=request.get_json().get("cancellationReason"))))


def _confirm(uid: str) -> tuple[Response, HTTPStatus]:
    return _done(_booking_json(_account().confirm(uid)))


def _decline(uid: str) -> tuple[Response, HTTPStatus]:
    return _done(_booking_json(_account().decline(uid, reason=request.get_json().get("reason"))))


def _instant(name: str) -> datetime:
    return datetime.fromisoformat(request.args[name])


def _type_json(kind: EventType) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": kind.id, "title": kind.title, "slug": kind.slug, "lengthInMinutes": kind.minutes}
    if kind.lengths:
        shown["lengthInMinutesOptions"] = list(kind.lengths)
    return shown


def _booking_json(booking: Booking) -> dict[str, Any]:
    who = booking.attendee
    attendee: dict[str, Any] = {"name": who.name, "email": who.email, "displayEmail": who.email, "timeZone": who.zone}
    attendee |= {"absent": False, "language": who.language}
    if who.phone is not None:
        attendee["phoneNumber"] = who.phone
    shown = {
        "id": booking.id,
        "uid": booking.uid,
        "title": title(booking),
        "description": "",
        "hosts": [
            {"id": 7, "name": "Mina Lee", "email": OWNER_EMAIL, "displayEmail": OWNER_EMAIL, "username": "lee"}
            | {"timeZone": "America/New_York"}
        ],
        "status": booking.status,
        "start": stamp(booking.starts_at),
        "end": stamp(booking.ends_at),
        "duration": round((booking.ends_at - booking.starts_at).total_seconds() / 60),
        "eventTypeId": booking.event_type.id,
        "eventType": {"id": booking.event_type.id, "slug": booking.event_type.slug},
        "location": "",
        "absentHost": False,
        "attendees": [attendee],
        "guests": [],
        "metadata": dict(booking.metadata),
        "bookingFieldsResponses": {"name": who.name, "email": who.email},
        "icsUid": booking.ics_uid,
        "createdAt": stamp(booking.created_at),
        "updatedAt": stamp(booking.updated_at),
        "rescheduledFromUid": booking.moved_from,
        "rescheduledToUid": booking.moved_to,
    }
    return {name: value for name, value in shown.items() if value is not None}
