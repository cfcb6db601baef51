"""What every table shares: the base class, column types that mean the same on SQLite and PostgreSQL, ids and names."""

import json
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Executable,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    create_engine,
    event,
    literal_column,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from kernel import crypto


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, `timestamptz` on PostgreSQL, sortable UTC text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored instant needs a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EncryptedText(TypeDecorator[str]):
    """Text that is encrypted at rest. It can't be searched: store `crypto.keyring().lookup_hash(...)` beside it for that."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else crypto.keyring().encrypt(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else crypto.keyring().decrypt(value)


class EncryptedDate(TypeDecorator[date]):
    """A date of birth: encrypted like `EncryptedText`, a `date` in Python."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        return None if value is None else crypto.keyring().encrypt(value.isoformat())

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(crypto.keyring().decrypt(value))


JsonColumn = JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """Base of all rows. Constraint names are made by rule, so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 -- SQLAlchemy reads this attribute by name
        datetime: UtcDateTime,
        str: String(),
        dict[str, Any]: JsonColumn,
        list[Any]: JsonColumn,
        list[str]: JsonColumn,
    }


def table_of(row: type[Base]) -> Table:
    """Return the table of a class of rows: statements on it do without the mapper, which costs more than many of them."""
    return cast(Table, row.__table__)


class _Keys(TypeDecorator[list[str]]):
    """Any number of keys as one value: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(Text()))

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        return json.dumps(value) if dialect.name == "sqlite" else value


class _OneOf(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_OneOf, "postgresql")
def _one_of_on_postgresql(element: _OneOf, compiler: Any, **options: Any) -> str:
    column, keys = (compiler.process(each, **options) for each in element.clauses)
    return f"({column} = ANY ({keys}))"


@compiles(_OneOf, "sqlite")
def _one_of_on_sqlite(element: _OneOf, compiler: Any, **options: Any) -> str:
    column, keys = (compiler.process(each, **options) for each in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({keys})))"  # noqa: S608 -- made of what was compiled


def one_of(column: ColumnElement[Any] | InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that `column` is one of the keys that are given as the list `name` when the statement is sent.

    As `in_`, but the statement is the same for any number of them, none included: it need not be written anew each time.
    """
    return _OneOf(column, bindparam(name, type_=_Keys()))


def one_of_these(
    column: ColumnElement[Any] | InstrumentedAttribute[Any], words: Iterable[StrEnum]
) -> ColumnElement[bool]:
    """Return the condition that `column` is one of `words`, which stand in the statement itself."""
    return column.in_([literal_column(f"'{word}'") for word in sorted(words)])


class Ready:
    """A statement that many send in the same second: written once for each kind of database, then handed to the driver as it is.

    What SQLAlchemy does for each execution takes longer than the driver does. Types mean what they mean elsewhere.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._written: dict[str, _Written] = {}

    def rows(self, session: Session, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Send it within the session's transaction, with `given` for its parameters, and return its rows, if it has any."""
        connection = _connection_of(session)
        dialect = connection.dialect
        written = self._written.get(dialect.name)
        if written is None:
            written = self._written[dialect.name] = _Written(self._statement, dialect)
        return written.rows(connection, given)


_KEPT = "kernel.db: connection"


def _connection_of(session: Session) -> Connection:
    """Return the connection of the session's transaction, or of the part of it that is under way.

    Kept for as long as that is: the session takes half as long to find it as the driver to send a statement. It has to be
    asked first, since it begins transaction and savepoint when they are needed.
    """
    under_way = session.get_nested_transaction() or session.get_transaction()
    transaction, connection = session.info.get(_KEPT, (None, None))
    if under_way is None or transaction is not under_way:
        connection = session.connection()
        session.info[_KEPT] = session.get_nested_transaction() or session.get_transaction(), connection
    return cast(Connection, connection)


class _Written:
    """A statement in the words of one kind of database."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._dialect = dialect
        self._text = str(compiled)
        self._order: Sequence[str] | None = compiled.positiontup
        self._fixed = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
        # By name: one that stands twice in the statement is a parameter of its own each time.
        self._to_driver = {
            name: process
            for bind, name in compiled.bind_names.items()
            if (process := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        columns = list(statement.exported_columns)
        self._has_rows = bool(columns)
        self._from_driver = [
            (number, process)
            for number, column in enumerate(columns)
            if (process := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]

    def rows(self, connection: Connection, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        values = {**self._fixed, **given}
        for name, process in self._to_driver.items():
            values[name] = process(values[name])
        rows = self._send(connection, values if self._order is None else [values[name] for name in self._order])
        for number, process in self._from_driver:
            rows = [(*row[:number], process(row[number]), *row[number + 1 :]) for row in rows]
        return rows

    def _send(self, connection: Connection, values: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
        driver = connection.connection.dbapi_connection
        cursor = cast(Any, driver).cursor()
        # For those who count statements; in production nobody listens.
        connection.dispatch.before_cursor_execute(connection, cursor, self._text, values, None, False)  # noqa: FBT003 -- as SQLAlchemy calls it
        try:
            cursor.execute(self._text, values)
            return cast(list[tuple[Any, ...]], cursor.fetchall()) if self._has_rows else []
        except self._dialect.loaded_dbapi.Error as error:
            is_lost = self._dialect.is_disconnect(error, cast(Any, driver), cursor)
            if is_lost:
                connection.invalidate(error)
            raise self._as_elsewhere(error, is_lost=is_lost) from error
        finally:
            cursor.close()

    def _as_elsewhere(self, error: Exception, *, is_lost: bool) -> BaseException:
        """Return the driver's error as SQLAlchemy tells it, without the values: they may be a patient's words."""
        return DBAPIError.instance(
            self._text,
            None,
            error,
            self._dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=is_lost,
            dialect=self._dialect,
        )


class NewRow(NamedTuple):
    """A row that is to be written, with all its values: columns left out have no default."""

    table: Table
    values: Mapping[str, Any]


def new_id() -> str:
    """Return an id for a new row: unique everywhere, and it says nothing."""
    return uuid.uuid4().hex


def make_engine(url: str) -> Engine:
    """Open the database named by `url`. On SQLite every transaction takes the write lock at once (`BEGIN IMMEDIATE`).

    A deferred transaction that turns into a writer fails with "database is locked" whatever the time-out is. On PostgreSQL
    nobody waits for a lock longer than 3 s. Errors do not quote the values of a statement: they are logged, and may be a
    patient's words.
    """
    # A connection for each thread of a web process: with fewer, threads wait for one while the vendor waits for them.
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_size=16, max_overflow=48, hide_parameters=True, skip_autocommit_rollback=True)
        event.listen(engine, "connect", _configure_postgresql)
        event.listen(engine, "checkin", _note_since_when_idle)
        event.listen(engine, "checkout", partial(_ping_if_idle, engine.dialect))
        return engine
    engine = create_engine(url, pool_size=16, max_overflow=48, connect_args={"timeout": 30}, hide_parameters=True)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def connect_for_reading(engine: Engine) -> Connection:
    """Return a connection for somebody who only reads.

    On PostgreSQL without a transaction, whose beginning and end are round trips: at its level of isolation (READ COMMITTED)
    each statement has a snapshot of its own either way. On SQLite in one that is none of a writer.
    """
    if engine.dialect.name == "sqlite":
        return engine.connect().execution_options(sqlite_begin="DEFERRED")
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


_LOCK_TIMEOUT_MS = 3000
_IDLE_S = 1.0
_IDLE_SINCE = "kernel.db: idle since"


def _configure_postgresql(connection: Any, _record: Any) -> None:
    connection.execute(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}")
    connection.commit()


def _note_since_when_idle(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_IDLE_SINCE] = time.monotonic()


def _ping_if_idle(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Replace a connection that the server closed while nobody used it.

    As `pool_pre_ping`, but not for one that has just been used: of a booking's statements the ping would be one in ten.
    """
    idle_since = record.info.get(_IDLE_SINCE)
    if idle_since is None or time.monotonic() - idle_since < _IDLE_S:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error:
        raise DisconnectionError from None


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's BEGIN below is then the only one
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Any) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    connection.exec_driver_sql(f"BEGIN {mode}")
