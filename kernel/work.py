"""One transaction: a session, and the events that leave with it.

Only outermost use cases open one (a turn, a job step, a console action). Operations take `work` and never commit, so that
whatever they did together stands or falls together. No vendor is called inside.
"""

import copy
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import Index, bindparam, insert
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel import crypto
from kernel.db import Base, NewRow, Ready, connect_for_reading, make_engine, new_id, table_of
from kernel.errors import Unavailable
from kernel.events import DomainEvent

Result = TypeVar("Result")

_ATTEMPTS = 5
# Serialisation failure, deadlock, a lock that could not be had in time: nothing was done, so doing it again is safe.
_RETRIED_SQLSTATES = {"40001", "40P01", "55P03"}


class OutboxEntry(Base):
    """An event, stored with the change it tells of. `id` is the order of commits only within one aggregate."""

    __tablename__ = "outbox_entry"
    __table_args__ = (Index("ix_outbox_entry_dispatched_at_id", "dispatched_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    event_id: Mapped[str] = mapped_column(unique=True, default=new_id)
    name: Mapped[str]
    version: Mapped[int]
    aggregate_id: Mapped[str]
    occurred_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]]
    dispatched_at: Mapped[datetime | None]


_OUTBOX = table_of(OutboxEntry)
_TOLD = ("event_id", "name", "version", "aggregate_id", "occurred_at", "payload")
_TELL = Ready(insert(_OUTBOX).inline().values({name: bindparam(name) for name in _TOLD}))


class Watcher(Protocol):
    """Learns which things a transaction changed. Must not raise: a booking does not fail because somebody looks on."""

    def changing(self, tags: frozenset[str]) -> None:
        """Called just before the commit. The process may end before `changed` is called."""

    def changed(self, tags: frozenset[str]) -> None:
        """Called after the commit, or after it failed."""


Outside = Callable[[Hashable], bool]
"""Answers yes or no to a question that the database can't answer, with no transaction open, within seconds."""


class _MustAsk(Exception):
    """What `run` does before it runs the step again. Nobody else sees it."""

    def __init__(self, question: Hashable) -> None:
        super().__init__(repr(question))
        self.question = question


class UnitOfWork:
    """A transaction under way. `session` reads and writes; `publish` stores an event with the change."""

    def __init__(self, session: Session, *, answers: Mapping[Hashable, bool] | None = None) -> None:
        """`answers`: what those outside have said so far; None where nobody outside can be asked."""
        self.session = session
        self._answers = answers
        self.after_commit: list[Callable[[], None]] = []
        self.published = False
        self.touched: set[str] = set()

    def touch(self, *tags: str) -> None:
        """Note that something was changed that is shown from memory elsewhere: whoever keeps it there forgets it."""
        self.touched.update(tags)

    def publish(self, event: DomainEvent) -> None:
        """Tell of `event` once this transaction is committed; if it rolls back, nothing is told."""
        _TELL.rows(self.session, self.telling(event).values)

    def telling(self, event: DomainEvent) -> NewRow:
        """Return the row that tells of `event`, for the caller to write: as `publish`, but together with other rows."""
        self.published = True
        return NewRow(
            _OUTBOX,
            {
                "event_id": new_id(),
                "name": event.name,
                "version": event.version,
                "aggregate_id": event.aggregate_id,
                "occurred_at": event.occurred_at,
                "payload": event.to_json(),
            },
        )

    def ask(self, question: Hashable) -> bool | None:
        """Return what those outside say, who are asked once for all tries of a step; None where nobody can be asked.

        No vendor is called inside a transaction: this one is given up, they are asked, and the step runs again.
        """
        if self._answers is None:
            return None
        if question not in self._answers:
            raise _MustAsk(question)
        return self._answers[question]

    def answered(self, question: Hashable) -> bool | None:
        """Return what those outside have said already; None if they were not asked."""
        return (self._answers or {}).get(question)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Undo what the block did if it raises, and nothing else of the transaction, which then can go on."""
        if self.session.in_transaction():
            with self.session.begin_nested():
                yield
            return
        # Nothing was done before, so that nothing is lost with the whole transaction: a savepoint is two statements more.
        try:
            yield
            self.session.flush()
        except BaseException:
            self.session.rollback()
            raise


class Database:
    """The database of this process. Installs the keys of its encrypted columns."""

    def __init__(
        self,
        url: str,
        *,
        secret: str,
        wake_relay: Callable[[], None] | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        crypto.install(crypto.Keyring(secret))
        self.engine = make_engine(url)
        self._wake_relay = wake_relay
        self._watcher = watcher
        self.outside: Outside | None = None

    def asking(self, outside: Outside) -> "Database":
        """Return the same database, whose steps (`run`) may ask those outside."""
        asking = copy.copy(self)
        asking.outside = outside
        return asking

    @property
    def is_postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a transaction that commits at the end of the block and rolls back on any exception."""
        with self._begin(answers=None) as work:
            yield work

    @contextmanager
    def _begin(self, *, answers: Mapping[Hashable, bool] | None) -> Iterator[UnitOfWork]:
        told: frozenset[str] = frozenset()
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                work = UnitOfWork(session, answers=answers)
                yield work
                if work.touched and self._watcher:
                    told = frozenset(work.touched)
                    self._watcher.changing(told)
                session.commit()
        finally:
            if told and self._watcher:
                self._watcher.changed(told)
        for call in work.after_commit:
            call()
        # Correctness does not depend on this: the relay also polls.
        if work.published and self._wake_relay:
            self._wake_relay()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session to read with, and only that. Each statement sees what is committed when it begins: what has to agree
        is read in one. On SQLite all of them see the same, and do not wait for writers.
        """
        with connect_for_reading(self.engine) as connection, Session(connection) as session:
            yield session  # what was read stays readable outside the block

    def run(self, step: Callable[[UnitOfWork], Result]) -> Result:
        """Run `step` in a transaction of its own, again when the database undid it for reasons that pass.

        `step` has no effect outside the transaction (effects leave through the outbox), so it may be run any number of times.
        Raises Unavailable when the database stays busy.
        """
        if self.outside is None:
            return self._run(step, answers=None)
        answers: dict[Hashable, bool] = {}
        while True:
            try:
                return self._run(step, answers=answers)
            except _MustAsk as first:
                answers[first.question] = self.outside(first.question)

    def _run(self, step: Callable[[UnitOfWork], Result], *, answers: Mapping[Hashable, bool] | None) -> Result:
        for attempt in range(_ATTEMPTS):
            try:
                with self._begin(answers=answers) as work:
                    return step(work)
            except DBAPIError as error:
                if not _is_passing(error):
                    raise
                if attempt == _ATTEMPTS - 1:
                    raise Unavailable("the database is busy", retry_after=timedelta(seconds=1)) from None
        raise AssertionError("unreachable")

    def dispose(self) -> None:
        self.engine.dispose()


def _is_passing(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in _RETRIED_SQLSTATES:
        return True
    return isinstance(error, OperationalError) and "database is locked" in str(error.orig)
