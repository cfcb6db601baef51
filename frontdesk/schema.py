"""The tables in the database against those of the code: what state they are in, and how they are brought up to date.

Migrations are numbered files in `frontdesk/migrations/versions`, made by `write_migration` from the rows and then read
and mended by hand: triggers and the exclusion constraint are not found by comparing.
"""

import contextlib
import importlib
import pkgutil
import sqlite3
from collections.abc import Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, cast

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Connection, Engine, inspect, text
from sqlalchemy.types import TypeDecorator

from kernel.db import Base

_PACKAGES = ("kernel", "booking", "calendar_sync", "dialog", "sms", "voice", "jobs", "frontdesk")
_MIGRATION_LOCK = 7_264_311  # any number, but always the same: one migrates, others wait
_LOCK_TIMEOUT = "3s"


class SchemaState(StrEnum):
    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"


class WrongSchema(Exception):
    """The database and the code do not fit. The text is one sentence for the operator."""


def schema_state(engine: Engine) -> SchemaState:
    """Compare the database's revision with the code's."""
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        if found is None:
            return SchemaState.OLDER if _has_tables(connection) else SchemaState.EMPTY
    scripts = ScriptDirectory.from_config(_config())
    if found == scripts.get_current_head():
        return SchemaState.CURRENT
    known = {script.revision for script in scripts.walk_revisions()}
    return SchemaState.OLDER if found in known else SchemaState.NEWER


def check_schema(engine: Engine) -> None:
    """Raise WrongSchema unless the database is just as the code expects it."""
    match schema_state(engine):
        case SchemaState.CURRENT:
            return
        case SchemaState.NEWER:
            raise WrongSchema(
                "The database was made by a newer Frontdesk; start that version, or restore the copy made before."
            )
        case SchemaState.EMPTY:
            raise WrongSchema("The database has no tables yet; run: frontdesk migrate")
        case SchemaState.OLDER:
            raise WrongSchema("The database was made by an older Frontdesk; run: frontdesk migrate")


def migrate(engine: Engine, *, revision: str = "head") -> None:
    """Bring the tables to `revision`, up or down, in one transaction. Raises WrongSchema for a newer database."""
    if schema_state(engine) is SchemaState.NEWER:
        check_schema(engine)
    with _one_at_a_time(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        if revision == "head" or _is_upgrade(connection, revision):
            command.upgrade(config, revision)
        else:
            command.downgrade(config, revision)


def make_tables(engine: Engine) -> None:
    """Make the tables of the code in an empty database that lives no longer than this process: sooner than by migrations."""
    import_rows()
    Base.metadata.create_all(engine)


def copy_database(engine: Engine) -> Path | None:
    """Copy an SQLite database beside itself before it is migrated; return the copy, or None when there is nothing to copy."""
    source = Path(engine.url.database or "")
    if engine.dialect.name != "sqlite" or not source.is_file():
        return None
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    target = source.with_name(f"{source.name}.before-{found or 'first'}")
    # Through SQLite itself: a copied file would miss what still stands in the write-ahead log.
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)
    return target


def differences(engine: Engine) -> list[Any]:
    """Return what distinguishes the tables in the database from the rows in the code: nothing, if migrations are complete."""
    import_rows()
    with engine.connect() as connection:
        return cast(list[Any], compare_metadata(_context(connection), Base.metadata))


def write_migration(engine: Engine, *, number: str, title: str) -> Path:
    """Write a new migration file with what `differences` finds, for a person to finish."""
    import_rows()
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        script = command.revision(config, message=title, rev_id=number, autogenerate=True)
    return Path(cast(Any, script).path)


def describe(context: Any, *, connection: Connection) -> None:
    """Tell Alembic (its `context`) what to compare and how to write it down."""
    import_rows()
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=_render,
        compare_type=True,
        render_as_batch=True,
        include_object=partial(_is_compared, connection.dialect.name),
    )


def import_rows() -> None:
    """Import every module of the product that defines rows, so that `Base.metadata` has all tables."""
    for package in _PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            name = module.name.rpartition(".")[2]
            if name in {"model", "work", "inbox", "users"} or ".model." in module.name:
                importlib.import_module(module.name)


@contextlib.contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        yield connection


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "frontdesk:migrations")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _context(connection: Connection) -> MigrationContext:
    is_compared = partial(_is_compared, connection.dialect.name)
    opts = {"compare_type": True, "render_item": _render, "include_object": is_compared}
    return MigrationContext.configure(connection, opts=opts)


def _is_compared(dialect: str, item: Any, _name: str | None, kind: str, is_in_database: bool, _other: Any) -> bool:  # noqa: FBT001 -- as Alembic calls it
    """Leave out the indexes of PostgreSQL's own kinds on other databases, where the rows don't make them either."""
    is_elsewhere = kind == "index" and not is_in_database and dialect != "postgresql"
    return not (is_elsewhere and item.kwargs.get("postgresql_using"))


def _is_upgrade(connection: Connection, revision: str) -> bool:
    found = MigrationContext.configure(connection).get_current_revision() or ""
    return revision != "base" and revision > found


def _has_tables(connection: Connection) -> bool:
    return "outbox_entry" in inspect(connection).get_table_names()


def _render(kind: str, item: Any, autogenerate: Any) -> str | bool:
    """Write our column types as what they are in the database: a migration must not change when a Python class does."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    if kind == "type" and isinstance(item, JSON):
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False
