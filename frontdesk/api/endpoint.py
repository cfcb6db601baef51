"""The table of endpoints: what serves a request is also what the OpenAPI document is made from.

A handler says with its signature what it takes and gives: `query` and `body` are models, other names are parts of the path,
and it returns an `Answer` of a model.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar, cast, get_args, get_type_hints

from pydantic import BaseModel
from sqlalchemy.orm import Session

from booking.shown import ShownSlots
from booking.values import Catalogue, Source
from frontdesk.api.keys import KeyInfo, Scope
from kernel.work import UnitOfWork

Body = TypeVar("Body", bound=BaseModel | None)
AnyHandler = TypeVar("AnyHandler", bound=Callable[..., "Answer[Any]"])


@dataclass(frozen=True)
class Answer(Generic[Body]):
    """What a handler gives back. `etag`: the version of what is shown. `location`: where what was made is found."""

    body: Body
    etag: str | None = None
    location: str | None = None


@dataclass(frozen=True)
class Call:
    """One request, let in: who asks, about which clinic, when, in which transaction."""

    key: KeyInfo
    catalogue: Catalogue  # as this key may see it
    now: datetime
    language: str
    session: Session
    shown: ShownSlots
    if_match: str | None
    changing: UnitOfWork | None = None

    @property
    def work(self) -> UnitOfWork:
        """The transaction of an endpoint that writes."""
        if self.changing is None:
            raise RuntimeError("this endpoint is declared as one that only reads")
        return self.changing

    @property
    def actor(self) -> str:
        """Who histories say it was, unless somebody of the staff is named."""
        return f"api:{self.key.name}"

    @property
    def source(self) -> Source:
        return Source.API


class Effect(Enum):
    """What an endpoint does to the clinic's rows."""

    READS = "reads"
    WRITES = "writes"


@dataclass(frozen=True)
class Endpoint:
    """One line of the table. `path` is that of the OpenAPI document, below `/api/v1`."""

    method: str
    path: str
    summary: str
    tag: str
    scopes: tuple[Scope, ...]
    status: int
    effect: Effect
    needs_match: bool  # it changes what the caller has read: If-Match is asked for
    is_cacheable: bool
    gives_etag: bool
    handler: Callable[..., Answer[Any]]
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answer: type[BaseModel] | None

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def description(self) -> str:
        return inspect.getdoc(self.handler) or ""

    @property
    def path_names(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def is_repeatable(self) -> bool:
        """Say whether it takes an Idempotency-Key."""
        return self.method == "POST" and self.effect is Effect.WRITES


class Section:
    """Endpoints of one subject, gathered by decorators."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.endpoints: list[Endpoint] = []

    def reads(
        self,
        path: str,
        *scopes: Scope,
        summary: str,
        method: str = "GET",
        is_cacheable: bool = False,
        gives_etag: bool = False,
    ) -> Callable[[AnyHandler], AnyHandler]:
        """Add an endpoint that changes nothing. With `method` POST what is asked is kept out of the address."""
        return self._adder(
            method, path, scopes, summary, Effect.READS, is_cacheable=is_cacheable, gives_etag=gives_etag
        )

    def writes(
        self,
        path: str,
        *scopes: Scope,
        summary: str,
        method: str = "POST",
        status: int = 200,
        needs_match: bool = False,
        gives_etag: bool = False,
    ) -> Callable[[AnyHandler], AnyHandler]:
        """Add an endpoint that changes something, in one transaction."""
        return self._adder(
            method,
            path,
            scopes,
            summary,
            Effect.WRITES,
            status=status,
            needs_match=needs_match,
            gives_etag=gives_etag,
        )

    def _adder(
        self,
        method: str,
        path: str,
        scopes: tuple[Scope, ...],
        summary: str,
        effect: Effect,
        *,
        status: int = 200,
        needs_match: bool = False,
        is_cacheable: bool = False,
        gives_etag: bool = False,
    ) -> Callable[[AnyHandler], AnyHandler]:
        def add(handler: AnyHandler) -> AnyHandler:
            hints = get_type_hints(handler)
            (answer,) = get_args(hints["return"])
            endpoint = Endpoint(
                method=method,
                path=path,
                summary=summary,
                tag=self.tag,
                scopes=scopes,
                status=status,
                effect=effect,
                needs_match=needs_match,
                is_cacheable=is_cacheable,
                gives_etag=gives_etag,
                handler=handler,
                query=hints.get("query"),
                body=hints.get("body"),
                answer=None if answer is type(None) else cast(type[BaseModel], answer),
            )
            if set(endpoint.path_names) != set(hints) - {"call", "query", "body", "return"}:
                raise TypeError(f"{endpoint.name} and its path name different things")
            self.endpoints.append(endpoint)
            return handler

        return add
