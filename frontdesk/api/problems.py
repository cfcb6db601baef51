"""What can be wrong with a request, as RFC 9457 problems: one table of codes, and the way from a refusal to an answer."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any

import booking
from booking.sentences import sentence
from booking.values import Catalogue
from kernel.errors import Refused

TYPE = "/api/v1/problems#"

PROBLEMS: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request can't be read: it is not UTF-8, not JSON, or names something twice."),
    "invalid-request": (400, "A value is missing, unknown, or of the wrong type or size; `errors` says which."),
    "bad-cursor": (400, "The cursor is not one that this list gave."),
    "bad-idempotency-key": (400, "An Idempotency-Key has 1 to 200 visible characters."),
    "bad-precondition": (400, "If-Match holds one entity tag, or *."),
    "span-reversed": (400, "The span ends before it starts."),
    "span-too-long": (400, "The span is longer than can be asked for at once."),
    "no-such-time": (400, "Clocks at the location never show this time: they go forward then."),
    "unauthorized": (401, "The request needs a key: Authorization: Bearer fdk_..."),
    "forbidden": (403, "The key lacks a scope that this needs."),
    "not-found": (404, "There is nothing of that id, or nothing that this clinic has."),
    "method-not-allowed": (405, "This address is not for this method."),
    "not-acceptable": (406, "The answer would be JSON, which the request does not accept."),
    "request-in-progress": (409, "A request with this Idempotency-Key is just being answered."),
    "precondition-failed": (412, "It was changed since: read it again."),
    "too-large": (413, "The request's body is larger than 64 KiB."),
    "unsupported-media-type": (415, "The request's body must be application/json."),
    "idempotency-key-reused": (422, "The Idempotency-Key was used for another request."),
    "precondition-required": (428, "Changing this needs If-Match with the ETag it was read with."),
    "too-many-requests": (429, "The key made too many requests in this minute."),
    "internal": (500, "The fault is on our side and has been noted."),
    "unavailable": (503, "Something this needs can't be had now; try again."),
}
"""Problems of the protocol, by code: status and meaning. Those of the diary are the refusals of `booking`."""

# The wish clashes with how the diary stands, and not with a rule: another look at it helps.
_CONFLICTS = frozenset({"slot-taken", "not-held", "visit-closed", "session-full", "offer-gone"})


@dataclass(frozen=True)
class Wrong:
    """One value of the request that is not as it should be."""

    where: str
    code: str
    detail: str


@dataclass
class Problem(Exception):
    """The request ends with this problem. `detail` replaces the code's general meaning."""

    code: str
    detail: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[Wrong, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.code


def not_found(what: str) -> Problem:
    """Return the problem for an id that the clinic does not have. Whether another clinic has it is not told."""
    return Problem("not-found", f"There is no such {what}.", {"what": what})


def status_of(code: str) -> int:
    """Return the HTTP status of a problem, of the protocol or of the diary."""
    if code in PROBLEMS:
        return PROBLEMS[code][0]
    if code.startswith("unknown-"):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.CONFLICT if code in _CONFLICTS else HTTPStatus.UNPROCESSABLE_ENTITY


def as_json(problem: Problem) -> dict[str, Any]:
    """Return the document of a problem of the protocol."""
    status, meaning = PROBLEMS[problem.code]
    return {
        **_head(problem.code, status, problem.detail or meaning),
        "fields": dict(problem.fields),
        "also": [],
        "errors": [vars(wrong) for wrong in problem.errors],
    }


def refusal_as_json(refusal: Refused, *, catalogue: Catalogue, language: str) -> dict[str, Any]:
    """Return the document of a refusal, with every other rule that says no."""

    def told(one: Refused) -> str:
        return sentence(one, catalogue=catalogue, language=language)

    return {
        **_head(refusal.code, status_of(refusal.code), told(refusal)),
        "fields": refusal.fields,
        "also": [{"code": one.code, "detail": told(one), "fields": one.fields} for one in refusal.also],
        "errors": [],
    }


def _head(code: str, status: int, detail: str) -> dict[str, Any]:
    return {
        "type": f"{TYPE}{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": int(status),
        "detail": detail,
        "code": code,
    }


@cache
def meanings() -> Mapping[str, tuple[int, str]]:
    """Return every code that an answer may carry, with status and meaning, by code."""
    for module in pkgutil.walk_packages(booking.__path__, "booking."):
        importlib.import_module(module.name)
    of_diary = {
        kind.code: (status_of(kind.code), " ".join((kind.__doc__ or "").split()))
        for kind in _kinds(Refused)
        if kind.__module__.startswith("booking.")
    }
    return dict(sorted((of_diary | dict(PROBLEMS)).items()))


def _kinds(base: type[Refused]) -> Iterator[type[Refused]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)
