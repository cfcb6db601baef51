"""The vendor's side: processes that call and text the clinic, one connection each, and note how long each answer took.

The requests have the fields the vendor sends and its signature. A connection is a bare socket that stays open, so that little
of what is measured is the client.
"""

import multiprocessing
import socket
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from kernel.telephony import SIGNATURE_HEADER, TwilioAccount, sign

ACCOUNT = TwilioAccount(sid="AC" + "0" * 32, auth_tokens=("a token for benchmarks only",), is_real=False)
CLINIC_NUMBER = "+15185550100"
SURNAMES = (
    *("Adams", "Becker", "Castillo", "Dimitrov", "Eriksen", "Fontaine", "Gupta", "Hartley", "Ibrahim", "Jensen"),
    *("Kowalski", "Larsson", "Moretti", "Novak", "Osborne", "Petrov", "Quinn", "Romero", "Schultz", "Tanaka"),
)
"""The practitioners of the clinic: each client asks for its own, so that nobody takes another's time."""

_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Step:
    """A request: what it is called in the figures, where it goes, its form, and what its answer must contain."""

    name: str
    target: str
    fields: dict[str, str]
    expected: str


@dataclass(frozen=True)
class Answered:
    """How long an answer took, and whether it was one."""

    step: str
    seconds: float
    is_right: bool


class Script(Protocol):
    """What one client sends."""

    def steps(self) -> Iterator[Step]: ...


@dataclass(frozen=True)
class Repeating:
    """The same turn of a call, again and again: for endpoints that remember nothing of it."""

    times: int

    def steps(self) -> Iterator[Step]:
        fields = _call_fields(1, sid=uuid.uuid4().hex) | {"SpeechResult": "the first one please", "Confidence": "0.91"}
        step = Step("turn", "/twilio/voice/turn?n=3", fields, "<Response>")
        for _ in range(self.times):
            yield step


@dataclass(frozen=True)
class Conversing:
    """Patients who book, by call and by text in turns: each a known one, with a number of their own, as `first` says."""

    surname: str
    first: int
    conversations: int

    def steps(self) -> Iterator[Step]:
        for number in range(self.first, self.first + self.conversations):
            yield from _call(number, self.surname) if number % 2 else _texts(number, self.surname)


def run(scripts: Sequence[Script], *, port: int) -> tuple[list[Answered], float]:
    """Let each script be sent by a process of its own, all from the same moment on; return the answers and the seconds it took."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.webhook.clients"])
    barrier, results = context.Barrier(len(scripts) + 1), context.SimpleQueue()
    processes = [context.Process(target=_client, args=(one, port, barrier, results)) for one in scripts]
    for process in processes:
        process.start()
    barrier.wait(_PATIENCE_S)
    began = time.perf_counter()
    answers = [answered for _ in processes for answered in results.get()]
    took = time.perf_counter() - began
    for process in processes:
        process.join(_PATIENCE_S)
    return answers, took


def patient_number(number: int) -> str:
    """Return the telephone number of a patient."""
    return f"+1518{5560000 + number}"


def _client(script: Script, port: int, barrier: Any, results: Any) -> None:
    requests = [(step, _request(step, port)) for step in script.steps()]
    answers = []
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        barrier.wait(_PATIENCE_S)
        for step, request in requests:
            began = time.perf_counter()
            connection.sendall(request)
            answer = _answer(connection)
            took = time.perf_counter() - began
            is_right = answer.startswith(b"HTTP/1.1 2") and step.expected.encode() in answer
            answers.append(Answered(step.name, took, is_right))
    results.put(answers)


def _request(step: Step, port: int) -> bytes:
    fields = {"AccountSid": ACCOUNT.sid, "ApiVersion": "2010-04-01", **step.fields}
    signature = sign(ACCOUNT, url=f"http://127.0.0.1:{port}{step.target}", params=fields)
    body = urlencode(fields)
    head = (
        f"POST {step.target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
        f"{SIGNATURE_HEADER}: {signature}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def _answer(connection: socket.socket) -> bytes:
    """Read one answer whole."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += _more(connection)
    head, _, body = got.partition(b"\r\n\r\n")
    named = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(named[0]) if named else 0  # an answer without content names none
    while len(body) < length:
        body += _more(connection)
    return head + body


def _more(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise ConnectionError("the server hung up")
    return received


def _call(number: int, surname: str) -> Iterator[Step]:
    fields = _call_fields(number, sid=uuid.uuid4().hex)
    yield Step("call: it rings", "/twilio/voice", fields | {"CallStatus": "ringing"}, "<Gather")
    said = (
        ("call: the wish", f"I'd like a check-up with doctor {surname} as soon as possible", "<Gather"),
        ("call: the choice", "the first one", "<Gather"),
        ("call: yes", "yes please", "booked"),
        ("call: a question", "what are your opening hours", "<Gather"),
        ("call: goodbye", "no thank you goodbye", "<Hangup"),
    )
    for turn, (name, words, expected) in enumerate(said, start=1):
        spoken = {"SpeechResult": words, "Confidence": "0.91"}
        yield Step(name, f"/twilio/voice/turn?n={turn}", fields | spoken, expected)
    ended = fields | {"CallStatus": "completed", "CallDuration": "40"}
    yield Step("call: it is over", "/twilio/voice/status", ended, "")


def _texts(number: int, surname: str) -> Iterator[Step]:
    said = (
        ("text: the wish", f"Hi, can I get a flu shot with Dr. {surname} next week in the morning?", "<Message>"),
        ("text: the choice", "the second one", "<Message>"),
        ("text: yes", "Yes", "ooked"),
        ("text: a question", "Where can I park?", "<Message>"),
    )
    for name, words, expected in said:
        sid = f"SM{uuid.uuid4().hex}"
        sent = {"MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "Body": words, "NumMedia": "0"}
        yield Step(
            name, "/twilio/sms", _people(number) | sent | {"NumSegments": "1", "SmsStatus": "received"}, expected
        )


def _call_fields(number: int, *, sid: str) -> dict[str, str]:
    people = _people(number)
    called = {"Called": people["To"], "Caller": people["From"], "Direction": "inbound", "CallStatus": "in-progress"}
    return people | called | {"CallSid": f"CA{sid}", "Language": "en-US"}


def _people(number: int) -> dict[str, str]:
    where = {"City": "ALBANY", "State": "NY", "Zip": "12207", "Country": "US"}
    return {
        **{f"{side}{name}": value for side in ("From", "To") for name, value in where.items()},
        "From": patient_number(number),
        "To": CLINIC_NUMBER,
    }
