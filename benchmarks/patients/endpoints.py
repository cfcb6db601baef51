"""Language-model servers that are no help, over real HTTP: they refuse, never answer, talk nonsense, or lie in perfect form.

A conversation that books without a model has to book with any of them behind it. What a liar says is drawn by a seed from the very lists that
the product gave it, so that it is as plausible as a wrong answer can be.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import cycle
from random import Random
from typing import Any

from kernel.config import ModelSettings
from tests.support.chat_server import Answer, ChatRequest, ChatServer, ToolCall

_Way = Answer | Callable[[Mapping[str, Any], Random], Answer]
"""An answer, or what makes one of a request."""

_FOREVER_S = 3600.0
_TOOL = "understood"


class Endpoint(StrEnum):
    """What is wrong with a server. `NONSENSE` mixes answers out of form with empty ones in form, so that the circuit breaker never opens."""

    REFUSING = "refusing"
    HANGING = "hanging"
    NONSENSE = "nonsense"
    LYING = "lying"


@contextmanager
def serving(endpoint: Endpoint, *, seed: int = 1) -> Iterator["UselessServer"]:
    """Run such a server until the block ends."""
    server = UselessServer(endpoint, seed=seed)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class UselessServer(ChatServer):
    """Answers every question in its way. `settings` point the product at it."""

    def __init__(self, endpoint: Endpoint, *, seed: int) -> None:
        super().__init__()
        self._random = Random(f"{endpoint} {seed}")
        ways: Mapping[Endpoint, Sequence[_Way]] = {
            Endpoint.REFUSING: _REFUSALS,
            Endpoint.HANGING: [Answer(delay_s=_FOREVER_S)],
            Endpoint.NONSENSE: [way for broken, empty in zip(_BROKEN, cycle(_EMPTY)) for way in (broken, empty)],
            Endpoint.LYING: [_lie],
        }
        self._ways = cycle(ways[endpoint])

    @property
    def settings(self) -> ModelSettings:
        return ModelSettings(name="useless", api_key="none", base_url=self.base_url)

    def next_answer(self, request: ChatRequest) -> Answer:
        way = next(self._ways)
        self.will_answer(way if isinstance(way, Answer) else way(request.body, self._random))
        return super().next_answer(request)


def _lie(body: Mapping[str, Any], random: Random) -> Answer:
    """Answer in the form asked for, sure of something that is not so."""
    fields = {name: _drawn(form, random) for name, form in _form(body)["properties"].items()}
    fields["intents"] = random.sample(_form(body)["properties"]["intents"]["items"]["enum"], random.choice([1, 1, 2]))
    fields["time_phrases"] = _phrases(body, random)
    return _called(fields | {"confidence": "high"})


def _drawn(form: Mapping[str, Any], random: Random) -> Any:
    if "enum" in form:
        return random.choice(form["enum"])
    return random.randint(0, 3) if form["type"] == "integer" else []


def _phrases(body: Mapping[str, Any], random: Random) -> list[str]:
    """Return some of the patient's words as if they were about time, and a time that nobody said."""
    said = str(json.loads(str(body["messages"][-1]["content"]).rsplit("\n", 1)[-1])).split()
    start = random.randrange(len(said)) if said else 0
    return [" ".join(said[start : start + random.randint(1, 3)]), random.choice(["today", "tomorrow at 9 am"])]


def _form(body: Mapping[str, Any]) -> Mapping[str, Any]:
    form: Mapping[str, Any] = body["tools"][0]["function"]["parameters"]
    return form


def _called(arguments: Mapping[str, Any] | str, *, tool: str = _TOOL) -> Answer:
    return Answer(tool_calls=(ToolCall(tool, arguments),))


def _with(**fields: Any) -> _Way:
    """Answer that nothing was understood, but for these fields."""

    def way(body: Mapping[str, Any], _: Random) -> Answer:
        nothing = {name: _nothing(form) for name, form in _form(body)["properties"].items()}
        told = {**nothing, "confidence": "high", **fields}
        return _called({name: value for name, value in told.items() if value is not _LEFT_OUT})

    return way


def _nothing(form: Mapping[str, Any]) -> Any:
    if "enum" in form:
        return form["enum"][-1]
    return 0 if form["type"] == "integer" else []


def _arguments(answer: Answer) -> str:
    return json.dumps(answer.tool_calls[0].arguments)


_LEFT_OUT = object()
_OTHERS = {"patient": "Ann Smith", "name": "Ann Smith", "appointment_id": "1", "starts_at": "2027-03-11T09:00:00-05:00"}

_REFUSALS: Sequence[_Way] = [
    Answer(status=401),
    Answer(status=429, headers={"Retry-After": "1"}),
    Answer(drops_connection=True),
    Answer(status=503),
    Answer(refusal="I can't help with that."),
]
_BROKEN: Sequence[_Way] = [
    Answer(content="Sure! I have booked you in with Dr. Smith tomorrow at 9 AM."),
    lambda body, random: _called(_arguments(_lie(body, random))[:-25]),
    Answer(content="Claro que sí, su cita está confirmada.", finish_reason="length"),
    _called({"action": "confirm_hold", "id": "00000000-0000-0000-0000-000000000000"}),
    lambda body, random: _called(_arguments(_lie(body, random)), tool="book_appointment"),
    Answer(raw_body=b"<html><body>502 Bad Gateway</body></html>"),
    Answer(without_choices=True),
    _called("[]"),
    _called("{" * 10_000),
    _with(intents=["confirm_booking"]),
    _with(intents="affirm"),
    _with(option="two"),
    _with(service=None, practitioner=None),
    _with(intents=_LEFT_OUT, confidence=_LEFT_OUT),
]
_EMPTY: Sequence[_Way] = [
    _with(service="brain-surgery", practitioner="dr-kildare", location="the-moon", **_OTHERS),
    _with(option=10**9, time_phrases=["", "yesterday", "the 31st of February", "; DROP TABLE appointments"]),
    _with(intents=["affirm", "confirm_visit", "start_cancel"]),
]
