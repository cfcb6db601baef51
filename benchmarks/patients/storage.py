"""Where the diary of a clinic lies that is put back before each conversation: a file of SQLite, or a database of PostgreSQL."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.support.postgres import PostgresServer

_ADMINISTRATION = "postgres"


class Storage(Protocol):
    """`url` is the address of the database. Nobody may be connected to it while it is kept or put back."""

    @property
    def url(self) -> str: ...

    def keep(self) -> None:
        """Remember everything as it stands."""
        ...

    def put_back(self) -> None:
        """Bring it back to what was kept."""
        ...


class SqliteFile:
    """A file in `folder`, copied in a millisecond."""

    def __init__(self, folder: Path) -> None:
        self._live, self._kept = folder / "frontdesk.db", folder / "kept.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self._live}"

    def keep(self) -> None:
        shutil.copy(self._live, self._kept)

    def put_back(self) -> None:
        for rest in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                self._live.with_name(f"{self._live.name}{rest}").unlink()
        shutil.copy(self._kept, self._live)


class PostgresDatabase:
    """A database of a running server, copied from a template."""

    def __init__(self, server: PostgresServer) -> None:
        self.url = server.empty_database()
        self._name = str(make_url(self.url).database)
        self._administration = server.url(_ADMINISTRATION).replace("+psycopg", "", 1)

    def keep(self) -> None:
        self._copy(self._name, f"{self._name}_kept")

    def put_back(self) -> None:
        self._copy(f"{self._name}_kept", self._name)

    def _copy(self, template: str, name: str) -> None:
        with psycopg.connect(self._administration, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
