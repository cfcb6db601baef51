"""A stateful stand-in for Twilio's REST interface: messages and calls, checked both ways against the vendor's document.

It keeps what was sent, refuses what the vendor refuses, fails on request in the ways networks fail, and posts signed
status callbacks. It never acts by itself: a test says when a message is delivered.
"""
# ruff: noqa: N803 -- the parts of the paths are named as in the vendor's document

import contextlib
import itertools
import math
import socket
import threading
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import phonenumbers
import requests
from flask import Flask, Request, Response, current_app, jsonify, request
from twilio.request_validator import RequestValidator
from werkzeug.serving import BaseWSGIServer, make_server

from tests.support.twilio_document import TwilioDocument

ACCOUNT_SID = "AC" + "a1" * 16
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
CLINIC_NUMBER = "+12125550100"
MAXIMUM_BODY = 1600
BASE = "/2010-04-01/Accounts/<AccountSid>"


class FaultKind(StrEnum):
    SERVER_ERROR = "server error"  # 500, nothing done
    TOO_MANY_REQUESTS = "too many requests"  # 429 with Retry-After and code 20429, nothing done
    SLOW = "slow"  # done and answered after the delay
    ANSWER_LOST = "answer lost"  # done, but the connection breaks before the answer


@dataclass(frozen=True)
class Fault:
    """What happens to the next request of `method`."""

    kind: FaultKind
    method: str = "POST"
    delay_s: float = 0.0
    retry_after_s: int = 1


@dataclass(frozen=True)
class Message:
    sid: str
    to: str
    sender: str | None
    body: str
    status: str
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None = None
    error_code: int | None = None
    messaging_service_sid: str | None = None
    status_callback: str | None = None
    media: int = 0
    form: Mapping[str, str] = field(default_factory=dict)  # everything the client sent


@dataclass(frozen=True)
class Call:
    sid: str
    to: str
    sender: str
    status: str
    direction: str
    created_at: datetime
    updated_at: datetime
    twiml: str | None = None
    url: str | None = None
    status_callback: str | None = None
    form: Mapping[str, str] = field(default_factory=dict)


class VendorRefusal(Exception):
    """The answer is an error of the vendor, with its number."""

    def __init__(
        self, code: int, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.retry_after_s = retry_after_s


class TwilioServer:
    """The account as the test sees it. `base_url` is what goes into `TWILIO_API_BASE_URL`.

    `violations` lists every request and answer that the vendor's document does not allow: it must stay empty.
    """

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.account_sid = ACCOUNT_SID
        self.auth_token = AUTH_TOKEN
        self.numbers = {CLINIC_NUMBER}  # what the account may send from
        self.opted_out: set[str] = set()
        self.unreachable: dict[
            str, int
        ] = {}  # number -> the error a message to it gets: 21614 no mobile, 21408 no such country
        self.violations: list[str] = []
        self.requests_seen = 0
        self._clock = clock
        self._lock = threading.RLock()
        self._messages: dict[str, Message] = {}
        self._calls: dict[str, Call] = {}
        self._faults: list[Fault] = []
        self._is_stopping = threading.Event()
        self._server = _serve(self)
        self.document = TwilioDocument(base_url=self.base_url)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def messages(self) -> list[Message]:
        """Everything that was sent, oldest first."""
        with self._lock:
            return list(self._messages.values())

    @property
    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls.values())

    def environment(self) -> dict[str, str]:
        """Return the settings that make the product use this server."""
        return {
            "TWILIO_ACCOUNT_SID": self.account_sid,
            "TWILIO_AUTH_TOKEN": self.auth_token,
            "TWILIO_API_BASE_URL": self.base_url,
        }

    def will_fail(self, *faults: Fault) -> None:
        """Make the next requests fail, in this order."""
        with self._lock:
            self._faults.extend(faults)

    def receive_call(self, *, caller: str, called: str = CLINIC_NUMBER) -> Call:
        """Let a call come in, so that the product can steer it by REST."""
        now = self._clock()
        call = Call(_new_sid("CA"), called, caller, "in-progress", "inbound", created_at=now, updated_at=now)
        with self._lock:
            self._calls[call.sid] = call
        return call

    def report_message(
        self, sid: str, status: str, *, error_code: int | None = None, via: str | None = None
    ) -> int | None:
        """Move a message to `status` and post the signed callback where one was asked for; return its HTTP status.

        `via` replaces scheme and host of the address that is called, not of the one that is signed.
        """
        with self._lock:
            message = replace(self._messages[sid], status=status, error_code=error_code, updated_at=self._clock())
            self._messages[sid] = message
        if message.status_callback is None:
            return None
        fields = {"MessageSid": sid, "SmsSid": sid, "MessageStatus": status, "SmsStatus": status, "To": message.to}
        fields |= {"AccountSid": self.account_sid, "ApiVersion": "2010-04-01", "From": message.sender or ""}
        if error_code is not None:
            fields["ErrorCode"] = str(error_code)
        return self.post_signed(message.status_callback, fields, via=via).status_code

    def report_call(self, sid: str, status: str, *, via: str | None = None) -> int | None:
        """Move a call to `status` and post the signed callback where one was asked for; return its HTTP status."""
        with self._lock:
            call = replace(self._calls[sid], status=status, updated_at=self._clock())
            self._calls[sid] = call
        if call.status_callback is None:
            return None
        fields = {"CallSid": sid, "CallStatus": status, "AccountSid": self.account_sid, "ApiVersion": "2010-04-01"}
        fields |= {"From": call.sender, "To": call.to, "Direction": call.direction}
        return self.post_signed(call.status_callback, fields, via=via).status_code

    def post_signed(self, url: str, fields: Mapping[str, str], *, via: str | None = None) -> requests.Response:
        """Post a form as the vendor does: `url` is the public address that the signature covers."""
        signature = RequestValidator(self.auth_token).compute_signature(url, dict(fields))
        address = url if via is None else via.rstrip("/") + "/" + url.split("/", 3)[3]
        headers = {"X-Twilio-Signature": signature, "I-Twilio-Idempotency-Token": str(uuid.uuid4())}
        return requests.post(address, data=dict(fields), headers=headers, timeout=60)

    def stop(self) -> None:
        self._is_stopping.set()  # wakes the slow answers
        self._server.shutdown()
        self._server.server_close()

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    # What the requests do; the routes below only read and write the wire.

    def take_fault(self, method: str) -> Fault | None:
        """Take the next fault planned for a request of `method` and let its first half happen."""
        with self._lock:
            self.requests_seen += 1
            fault = next((planned for planned in self._faults if planned.method == method), None)
            if fault is None:
                return None
            self._faults.remove(fault)
        if fault.delay_s:
            self._is_stopping.wait(fault.delay_s)
        if fault.kind is FaultKind.SERVER_ERROR:
            raise VendorRefusal(20500, "An internal server error has occurred", HTTPStatus.INTERNAL_SERVER_ERROR)
        if fault.kind is FaultKind.TOO_MANY_REQUESTS:
            raise VendorRefusal(
                20429, "Too Many Requests", HTTPStatus.TOO_MANY_REQUESTS, retry_after_s=fault.retry_after_s
            )
        return fault

    def check_credentials(self, sent: Request) -> None:
        expected = b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        if sent.headers.get("Authorization") != f"Basic {expected}":
            raise VendorRefusal(20003, "Authenticate", HTTPStatus.UNAUTHORIZED)
        if (sent.view_args or {}).get("AccountSid") != self.account_sid:
            raise VendorRefusal(20404, "The requested resource was not found", HTTPStatus.NOT_FOUND)

    def create_message(self, form: Mapping[str, str], *, media: int) -> Message:
        """Take a message as the vendor does. It counts as sent at once; its receipts are the test's affair."""
        to, sender, body = form["To"], form.get("From"), form.get("Body", "")
        self._check_recipient(to)
        if sender is None and "MessagingServiceSid" not in form:
            raise VendorRefusal(21603, "A 'From' phone number is required")
        if sender is not None and sender not in self.numbers:
            raise VendorRefusal(
                21606, f"The 'From' phone number {sender} is not a valid, SMS-capable number of your account"
            )
        if not body and not media and "ContentSid" not in form:
            raise VendorRefusal(21602, "Message body is required")
        if len(body) > MAXIMUM_BODY:
            raise VendorRefusal(21617, "The concatenated message body exceeds the 1600 character limit")
        if to in self.unreachable:
            raise VendorRefusal(self.unreachable[to], "The recipient can't be reached by text")
        if to in self.opted_out:
            raise VendorRefusal(21610, "Attempt to send to unsubscribed recipient")
        now = self._clock()
        message = Message(
            sid=_new_sid("MM" if media else "SM"),
            to=to,
            sender=sender,
            body=body,
            status="sent",
            created_at=now,
            updated_at=now,
            sent_at=now,
            messaging_service_sid=form.get("MessagingServiceSid"),
            status_callback=form.get("StatusCallback"),
            media=media,
            form=form,
        )
        with self._lock:
            self._messages[message.sid] = message
        # The answer is older than what happens to the message next.
        return replace(message, status="queued", sent_at=None)

    def message(self, sid: str) -> Message:
        with self._lock:
            if sid not in self._messages:
                raise VendorRefusal(20404, "The requested resource was not found", HTTPStatus.NOT_FOUND)
            return self._messages[sid]

    def update_message(self, sid: str, form: Mapping[str, str]) -> Message:
        """Redact the body (`Body` empty) or cancel a message that has not left."""
        with self._lock:
            message = self.message(sid)
            if form.get("Status") == "canceled":
                if message.status not in {"accepted", "scheduled", "queued"}:
                    raise VendorRefusal(30409, "The message cannot be canceled any more")
                message = replace(message, status="canceled")
            if "Body" in form:
                if form["Body"]:
                    raise VendorRefusal(20001, "The body of a message can only be emptied")
                message = replace(message, body="")
            self._messages[sid] = replace(message, updated_at=self._clock())
            return self._messages[sid]

    def delete_message(self, sid: str) -> None:
        with self._lock:
            self.message(sid)
            del self._messages[sid]

    def create_call(self, form: Mapping[str, str]) -> Call:
        self._check_recipient(form["To"])
        if form["From"] not in self.numbers:
            raise VendorRefusal(
                21210, f"The source phone number provided, {form['From']}, is not yet verified for your account"
            )
        if not form.keys() & {"Url", "Twiml", "ApplicationSid"}:
            raise VendorRefusal(21205, "Url parameter is required")
        now = self._clock()
        call = Call(
            sid=_new_sid("CA"),
            to=form["To"],
            sender=form["From"],
            status="queued",
            direction="outbound-api",
            created_at=now,
            updated_at=now,
            twiml=form.get("Twiml"),
            url=form.get("Url"),
            status_callback=form.get("StatusCallback"),
            form=form,
        )
        with self._lock:
            self._calls[call.sid] = call
        return call

    def call(self, sid: str) -> Call:
        with self._lock:
            if sid not in self._calls:
                raise VendorRefusal(20404, "The requested resource was not found", HTTPStatus.NOT_FOUND)
            return self._calls[sid]

    def update_call(self, sid: str, form: Mapping[str, str]) -> Call:
        with self._lock:
            call = self.call(sid)
            if call.status in {"completed", "busy", "failed", "no-answer", "canceled"}:
                raise VendorRefusal(21220, "Call is not in-progress. Cannot redirect.")
            call = replace(
                call,
                twiml=form.get("Twiml", call.twiml),
                url=form.get("Url", call.url),
                status=form.get("Status", call.status),
                updated_at=self._clock(),
            )
            self._calls[sid] = call
            return call

    def delete_call(self, sid: str) -> None:
        with self._lock:
            self.call(sid)
            del self._calls[sid]

    @staticmethod
    def _check_recipient(to: str) -> None:
        try:
            if phonenumbers.is_possible_number(phonenumbers.parse(to, None)):
                return
        except phonenumbers.NumberParseException:
            pass
        raise VendorRefusal(21211, f"The 'To' number {to} is not a valid phone number")


@contextlib.contextmanager
def twilio_server(*, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[TwilioServer]:
    """Run a server with an empty account until the block ends."""
    server = TwilioServer(clock=clock)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _new_sid(prefix: str) -> str:
    return prefix + uuid.uuid4().hex


def _serve(twilio: TwilioServer) -> BaseWSGIServer:
    app = Flask("twilio_stand_in")
    app.config["TWILIO"] = twilio
    app.before_request(_check_request)
    app.after_request(_check_answer)
    app.register_error_handler(VendorRefusal, _refuse)
    app.add_url_rule(f"{BASE}/Messages.json", view_func=_messages, methods=["GET", "POST"])
    app.add_url_rule(f"{BASE}/Messages/<Sid>.json", view_func=_message, methods=["GET", "POST", "DELETE"])
    app.add_url_rule(f"{BASE}/Calls.json", view_func=_calls, methods=["GET", "POST"])
    app.add_url_rule(f"{BASE}/Calls/<Sid>.json", view_func=_call, methods=["GET", "POST", "DELETE"])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]  # the threaded server's own setting
    return server


def _twilio() -> TwilioServer:
    twilio: TwilioServer = current_app.config["TWILIO"]
    return twilio


def _check_request() -> None:
    twilio = _twilio()
    request.environ["fault"] = twilio.take_fault(request.method)
    twilio.check_credentials(request)
    fault = twilio.document.fault_of_request(request)
    if fault is None:
        return
    if request.method == "POST" and "To" not in request.form and request.path.endswith("s.json"):
        raise VendorRefusal(21604, "A 'To' phone number is required.")
    twilio.violations.append(f"{request.method} {request.path}: {fault}")
    raise VendorRefusal(20001, f"Not as the document says: {fault}")


def _check_answer(response: Response) -> Response:
    twilio = _twilio()
    if response.status_code < HTTPStatus.BAD_REQUEST:
        fault = twilio.document.fault_of_answer(request, response)
        if fault is not None:
            twilio.violations.append(f"answer to {request.method} {request.path}: {fault}")
    planned: Fault | None = request.environ.get("fault")
    if planned is not None and planned.kind is FaultKind.ANSWER_LOST:
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return response


def _refuse(refusal: VendorRefusal) -> Response:
    more_info = f"https://www.twilio.com/docs/errors/{refusal.code}"
    response = jsonify(code=refusal.code, message=refusal.message, more_info=more_info, status=refusal.status.value)
    response.status_code = refusal.status
    if refusal.retry_after_s is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_s)
    return response


def _messages(AccountSid: str) -> tuple[Response, int]:
    twilio = _twilio()
    if request.method == "POST":
        media = len(request.form.getlist("MediaUrl"))
        return jsonify(_message_json(AccountSid, twilio.create_message(request.form.to_dict(), media=media))), 201
    found = [m for m in reversed(twilio.messages) if _matches(to=m.to, sender=m.sender) and _is_in_time(m.sent_at)]
    return _page("messages", [_message_json(AccountSid, m) for m in found]), 200


def _message(AccountSid: str, Sid: str) -> tuple[Response | str, int]:
    twilio = _twilio()
    if request.method == "DELETE":
        twilio.delete_message(Sid)
        return "", 204
    message = twilio.message(Sid) if request.method == "GET" else twilio.update_message(Sid, request.form.to_dict())
    return jsonify(_message_json(AccountSid, message)), 200


def _calls(AccountSid: str) -> tuple[Response, int]:
    twilio = _twilio()
    if request.method == "POST":
        return jsonify(_call_json(AccountSid, twilio.create_call(request.form.to_dict()))), 201
    status = request.args.get("Status")
    found = [c for c in reversed(twilio.calls) if _matches(to=c.to, sender=c.sender) and status in {None, c.status}]
    return _page("calls", [_call_json(AccountSid, c) for c in found]), 200


def _call(AccountSid: str, Sid: str) -> tuple[Response | str, int]:
    twilio = _twilio()
    if request.method == "DELETE":
        twilio.delete_call(Sid)
        return "", 204
    call = twilio.call(Sid) if request.method == "GET" else twilio.update_call(Sid, request.form.to_dict())
    return jsonify(_call_json(AccountSid, call)), 200


def _matches(*, to: str, sender: str | None) -> bool:
    return request.args.get("To") in {None, to} and request.args.get("From") in {None, sender}


def _is_in_time(sent_at: datetime | None) -> bool:
    """Apply the filters on the sending time: a plain date means the whole day, and both bounds are included."""
    on, until, since = (request.args.get(f"DateSent{sign}") for sign in ("", "<", ">"))
    if sent_at is None:
        return not (on or until or since)
    return (
        (on is None or _first_moment(on) <= sent_at < _end(on))
        and (until is None or sent_at < _end(until))
        and (since is None or _first_moment(since) <= sent_at)
    )


def _first_moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _end(text: str) -> datetime:
    """Return the first moment after what the filter names: a day, or else a second."""
    return _first_moment(text) + (timedelta(seconds=1) if "T" in text else timedelta(days=1))


def _page(name: str, entries: list[dict[str, Any]]) -> Response:
    size, number = int(request.args.get("PageSize", 50)), int(request.args.get("Page", 0))
    last = max(0, math.ceil(len(entries) / size) - 1)
    filters = "".join(
        f"&{key}={quote(value)}" for key, value in request.args.items() if key not in {"Page", "PageSize"}
    )

    def uri(page: int) -> str:
        return f"{request.path}?PageSize={size}&Page={page}{filters}"

    return jsonify(
        {
            name: list(itertools.islice(entries, number * size, (number + 1) * size)),
            "page": number,
            "page_size": size,
            "start": number * size,
            "end": min(len(entries), (number + 1) * size) - 1 if entries else 0,
            "uri": uri(number),
            "first_page_uri": uri(0),
            "next_page_uri": uri(number + 1) if number < last else None,
            "previous_page_uri": uri(number - 1) if number else None,
        }
    )


def _wire_time(at: datetime | None) -> str | None:
    return None if at is None else format_datetime(at.astimezone(UTC))


def _message_json(account_sid: str, message: Message) -> dict[str, Any]:
    uri = f"/2010-04-01/Accounts/{account_sid}/Messages/{message.sid}"
    return {
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": message.body,
        "date_created": _wire_time(message.created_at),
        "date_sent": _wire_time(message.sent_at),
        "date_updated": _wire_time(message.updated_at),
        "direction": "outbound-api",
        "error_code": message.error_code,
        "error_message": None,
        "from": message.sender,
        "messaging_service_sid": message.messaging_service_sid,
        "num_media": str(message.media),
        "num_segments": str(_segments(message.body)),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def _segments(body: str) -> int:
    """Count the parts of a text as if every character outside ASCII forced the wide alphabet."""
    single, several = (160, 153) if body.isascii() else (70, 67)
    length = len(body) if body.isascii() else len(body.encode("utf-16-le")) // 2
    return 1 if length <= single else math.ceil(length / several)


def _call_json(account_sid: str, call: Call) -> dict[str, Any]:
    has_ended = call.status == "completed"
    return {
        "account_sid": account_sid,
        "answered_by": None,
        "api_version": "2010-04-01",
        "caller_name": None,
        "date_created": _wire_time(call.created_at),
        "date_updated": _wire_time(call.updated_at),
        "direction": call.direction,
        "duration": str(round((call.updated_at - call.created_at).total_seconds())) if has_ended else None,
        "end_time": _wire_time(call.updated_at) if has_ended else None,
        "forwarded_from": None,
        "from": call.sender,
        "from_formatted": call.sender,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": call.sid,
        "start_time": _wire_time(call.created_at),
        "status": call.status,
        "subresource_uris": {},
        "to": call.to,
        "to_formatted": call.to,
        "trunk_sid": None,
        "uri": f"/2010-04-01/Accounts/{account_sid}/Calls/{call.sid}.json",
    }
