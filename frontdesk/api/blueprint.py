"""The JSON API over HTTP: let in, read, do in one transaction, answer."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Protocol

from flask import Blueprint, Response, request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from booking.catalogue import CatalogueCache
from booking.sentences import LANGUAGES
from booking.shown import ShownSlots
from frontdesk.api import limits, problems, repeats
from frontdesk.api.endpoint import Answer, Call, Effect, Endpoint
from frontdesk.api.keys import KeyInfo, find_key
from frontdesk.api.openapi import BASE, document
from frontdesk.api.problems import Problem, not_found
from frontdesk.api.reading import LARGEST_BODY, is_id, read_body, read_query
from frontdesk.api.repeats import Given, Repeatable
from frontdesk.api.table import ENDPOINTS
from kernel.clock import Clock
from kernel.errors import Malformed, Refused, Unavailable
from kernel.work import Database, UnitOfWork

_ENTITY_TAG = re.compile(r'\*|"[\x21\x23-\x7e]*"')


class ApiServices(Protocol):
    @property
    def db(self) -> Database: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def redis(self) -> Any:
        """A Redis client or None; its library's types are too loose to be of use."""
        ...

    @property
    def catalogues(self) -> CatalogueCache: ...

    @property
    def shown(self) -> ShownSlots: ...


def api_blueprint(services: ApiServices) -> Blueprint:
    """Return the endpoints under `/api/v1`, and the document that describes them."""
    blueprint = Blueprint("api", __name__, url_prefix=BASE)
    for endpoint in ENDPOINTS:
        blueprint.add_url_rule(
            re.sub(r"{(\w+)}", r"<\1>", endpoint.path),
            endpoint.name,
            _view(services, endpoint),
            methods=[endpoint.method],
            provide_automatic_options=False,
        )

    def openapi() -> Response:
        return _with_etag(_json(Given(200, document_of_this_api(), {})))

    blueprint.add_url_rule("/openapi.json", "openapi", openapi, provide_automatic_options=False)
    return blueprint


@cache
def document_of_this_api() -> dict[str, Any]:
    """Return the OpenAPI document of everything that is served."""
    return document(ENDPOINTS)


def is_api(path: str) -> bool:
    """Say whether errors at this path are answered as problems."""
    return path == BASE or path.startswith(f"{BASE}/")


def error_answer(status: int, *, allowed: Iterable[str] | None = None) -> Response:
    """Return the problem for an error that the web server met before or beside an endpoint. `allowed`: methods, for 405."""
    fallback = "malformed" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "internal"
    code = next((code for code, (known, _) in problems.PROBLEMS.items() if known == status), fallback)
    headers = {} if allowed is None else {"Allow": ", ".join(sorted(allowed))}
    return _json(_told(Problem(code, headers=headers)))


def _view(services: ApiServices, endpoint: Endpoint) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        try:
            given = _serve(services, endpoint, path)
        except Problem as problem:
            given = _told(problem)
        except Malformed:
            given = _told(Problem("malformed"))
        except Unavailable as error:
            seconds = max(1, int(error.retry_after.total_seconds()))
            given = _told(Problem("unavailable", headers={"Retry-After": str(seconds)}))
        response = _json(given)
        if endpoint.is_cacheable and given.status == endpoint.status:
            response.headers["Cache-Control"] = "private, max-age=60"
            response.make_conditional(request.environ)
        else:
            response.headers["Cache-Control"] = "no-store"
        return response

    return view


@dataclass(frozen=True)
class _Asked:
    """A request that was let in and can be read."""

    key: KeyInfo
    path: Mapping[str, str]
    query: BaseModel | None
    body: BaseModel | None
    language: str
    if_match: str | None

    def arguments(self) -> dict[str, Any]:
        models = {"query": self.query, "body": self.body}
        return {**self.path, **{name: model for name, model in models.items() if model is not None}}


def _serve(services: ApiServices, endpoint: Endpoint, path: Mapping[str, str]) -> Given:
    if not endpoint.scopes:
        _read_query(endpoint)
        return _given(endpoint, endpoint.handler())
    now = services.clock.now()
    with services.db.read() as session:
        key = _let_in(session, endpoint)
    limits.count_request(services.redis, api_key_id=key.id, now=now)
    asked = _read(endpoint, key, path)

    def call(session: Session, work: UnitOfWork | None) -> Call:
        catalogue = services.catalogues.get(session, clinic_id=key.clinic_id)
        seen = catalogue if key.is_staff else catalogue.for_patients()
        return Call(key, seen, now, asked.language, session, services.shown, asked.if_match, work)

    if endpoint.effect is Effect.READS:
        with services.db.read() as session:
            return _done(endpoint, call(session, None), asked)
    repeatable = _repeatable(endpoint, asked)

    def write(work: UnitOfWork) -> Given:
        before = None if repeatable is None else repeats.begin(work, repeatable, now=now)
        if before is not None:
            return before
        given = _done_or_undone(endpoint, call(work.session, work), asked)
        if repeatable is not None:
            repeats.keep(work, repeatable, given)
        return given

    return services.db.run(write)


def _let_in(session: Session, endpoint: Endpoint) -> KeyInfo:
    kind, _, presented = request.headers.get("Authorization", "").partition(" ")
    key = find_key(session, presented=presented.strip()) if kind.lower() == "bearer" else None
    if key is None:
        raise Problem("unauthorized", headers={"WWW-Authenticate": "Bearer"})
    missing = [scope.value for scope in endpoint.scopes if scope not in key.scopes]
    if missing:
        raise Problem("forbidden", f"The key lacks the scope {', '.join(missing)}.", {"scopes": missing})
    return key


def _read(endpoint: Endpoint, key: KeyInfo, path: Mapping[str, str]) -> _Asked:
    for name, value in path.items():
        if not is_id(value):
            raise not_found(name.removesuffix("_id"))
    return _Asked(
        key=key,
        path=path,
        query=_read_query(endpoint),
        body=None if endpoint.body is None else read_body(endpoint.body, _body()),
        language=request.accept_languages.best_match(LANGUAGES, default=LANGUAGES[0]) or LANGUAGES[0],
        if_match=_if_match(endpoint),
    )


def _read_query(endpoint: Endpoint) -> BaseModel | None:
    model = endpoint.query or _NoQuery
    args: MultiDict[str, str] = request.args
    read = read_query(model, args)
    return None if endpoint.query is None else read


class _NoQuery(BaseModel, extra="forbid"):
    pass


def _body() -> bytes:
    if request.mimetype != "application/json":
        raise Problem("unsupported-media-type")
    if (request.content_length or 0) > LARGEST_BODY:
        raise Problem("too-large")
    body = request.get_data(cache=True)
    if len(body) > LARGEST_BODY:
        raise Problem("too-large")
    return body


def _if_match(endpoint: Endpoint) -> str | None:
    if not endpoint.needs_match:
        return None
    value = request.headers.get("If-Match")
    if value is None:
        raise Problem("precondition-required")
    if not _ENTITY_TAG.fullmatch(value.strip()):
        raise Problem("bad-precondition")
    return value.strip()


def _repeatable(endpoint: Endpoint, asked: _Asked) -> Repeatable | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or not endpoint.is_repeatable:
        return None
    target = f"{request.full_path} {asked.if_match or ''}"
    return repeats.repeatable(
        api_key_id=asked.key.id, key=key, method=request.method, target=target, body=request.get_data(cache=True)
    )


def _done_or_undone(endpoint: Endpoint, call: Call, asked: _Asked) -> Given:
    """Do it, or undo all of it and say why; what the caller's transaction wrote before stays."""
    try:
        with call.session.begin_nested():
            return _given(endpoint, endpoint.handler(call, **asked.arguments()))
    except Problem as problem:
        return _told(problem)
    except Refused as refusal:
        return _refused(refusal, call)


def _done(endpoint: Endpoint, call: Call, asked: _Asked) -> Given:
    try:
        return _given(endpoint, endpoint.handler(call, **asked.arguments()))
    except Refused as refusal:
        return _refused(refusal, call)


def _given(endpoint: Endpoint, answer: Answer[Any]) -> Given:
    headers = {}
    if answer.etag is not None:
        headers["ETag"] = f'"{answer.etag}"'
    if answer.location is not None:
        headers["Location"] = f"{BASE}{answer.location}"
    body = None if answer.body is None else answer.body.model_dump(mode="json", by_alias=True)
    return Given(endpoint.status, body, headers)


def _told(problem: Problem) -> Given:
    told = problems.as_json(problem)
    return Given(told["status"], told, dict(problem.headers))


def _refused(refusal: Refused, call: Call) -> Given:
    told = problems.refusal_as_json(refusal, catalogue=call.catalogue, language=call.language)
    return Given(told["status"], told, {})


def _json(given: Given) -> Response:
    if given.document is None:
        return Response(status=given.status, headers=given.headers)
    is_problem = given.status >= HTTPStatus.BAD_REQUEST
    response = Response(
        json.dumps(given.document, ensure_ascii=False, separators=(",", ":")),
        status=given.status,
        mimetype="application/problem+json" if is_problem else "application/json",
    )
    response.headers.update(given.headers)
    return response


def _with_etag(response: Response) -> Response:
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.headers["Cache-Control"] = "public, max-age=300"
    response.make_conditional(request.environ)
    return response
