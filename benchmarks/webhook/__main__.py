"""Turns a second through the product's webhook, against endpoints that do less and less, in the same run.

    python -m benchmarks.webhook [--rounds N] [--conversations N] [--connections 1,8,20] [--rows turn,session]

The product as `frontdesk serve` runs it, with PostgreSQL and Redis, is called and texted by patients who book; `rows` says what
it is compared with. The rows take turns within a round, so that a machine whose speed changes changes it for all. Ends with an
error unless every turn is in the database and every conversation has booked. JSON goes to standard output, ratios to standard
error.
"""

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, text

from benchmarks.databases import SECRET, postgresql
from benchmarks.webhook import clients
from benchmarks.webhook.clinic import NOW, make_clinic
from benchmarks.webhook.processor import processor_s
from benchmarks.webhook.rows import PRODUCT, ROWS
from booking.model.appointment import Appointment
from dialog.model import Turn
from frontdesk.embedded import embedded_redis, free_port, redis_url
from kernel.config import Settings, load_settings
from kernel.work import Database

PLAIN_REQUESTS = 2400
_PATIENCE_S = 30.0


@dataclass(frozen=True)
class Figure:
    """What one row reached with a number of connections, over all rounds. Milliseconds; `per_second` of each round."""

    requests: int
    wrong: int
    per_second: list[float]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    processor_ms: float  # of a request, in the web server's processes: what others on the machine disturb least
    database_ms: float  # the same in PostgreSQL's


@dataclass(frozen=True)
class Round:
    answers: list[clients.Answered]
    took_s: float
    processor_s: float
    database_s: float


@dataclass(frozen=True)
class Served:
    """A row being served: where, and by which process."""

    port: int
    pid: int


def main(arguments: Sequence[str]) -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="benchmarks.webhook", description="Turns a second through the webhook.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--conversations", type=int, default=80, help="in each round, with each number of connections")
    parser.add_argument("--connections", default="1,8,20", help="20 at most; default 1,8,20")
    parser.add_argument("--rows", default=",".join([*ROWS, PRODUCT]))
    given = parser.parse_args(arguments)
    connections = [int(each) for each in given.connections.split(",")]
    rows = given.rows.split(",")
    found = measure(rows=rows, rounds=given.rounds, conversations=given.conversations, connections=connections)
    print(json.dumps(found, indent=1))


def measure(*, rows: Sequence[str], rounds: int, conversations: int, connections: Sequence[int]) -> dict[str, Any]:
    """Return the figures by row and number of connections, and print how they compare. Raises SystemExit for wrong answers."""
    patients = sum(_each(conversations, number) * number for number in connections) * rounds
    patients += 2 * max(connections)
    measured: dict[tuple[str, int], list[Round]] = defaultdict(list)
    with _world(patients=patients) as (engine, settings), contextlib.ExitStack() as running:
        served = {row: running.enter_context(_serving(row, settings)) for row in rows}
        patient = 0
        for row in rows:
            patient = _warm_up(row, served[row], connections=max(connections), first=patient)
        for _ in range(rounds):
            for number in connections:
                for row in rows:
                    scripts = _scripts(row, number, conversations=conversations, first=patient)
                    measured[row, number].append(_round(scripts, served[row], engine))
                    patient += _each(conversations, number) * number if row == PRODUCT else 0
        if PRODUCT in rows:
            _check_rows(engine, conversations=patient)
    figures = {f"{row} {number}": asdict(_figure(some)) for (row, number), some in measured.items()}
    steps = _by_step([one for (row, _), some in measured.items() if row == PRODUCT for one in some])
    compare(figures, rows=rows, connections=connections)
    if wrong := [name for name, figure in figures.items() if figure["wrong"]]:
        raise SystemExit(f"Not every answer was right: {', '.join(wrong)}")
    return figures | {"steps of a conversation, p50 ms": steps}


def compare(figures: dict[str, Any], *, rows: Sequence[str], connections: Sequence[int]) -> None:
    """Print each figure with its ratio to the row that the product is held against."""
    for number in connections:
        print(f"{number} connections", file=sys.stderr)
        for row in rows:
            one = figures[f"{row} {number}"]
            print(
                f"  {row:10} {statistics.median(one['per_second']):7.0f}/s   p50 {one['p50_ms']:7.2f}  p95 {one['p95_ms']:7.2f}"
                f"  p99 {one['p99_ms']:7.2f} ms   processor {one['processor_ms']:6.2f} ms, database {one['database_ms']:5.2f} ms",
                file=sys.stderr,
            )
        if {"session", PRODUCT} <= set(rows):
            turn, session = figures[f"{PRODUCT} {number}"], figures[f"session {number}"]
            ratio = statistics.median(a / b for a, b in zip(turn["per_second"], session["per_second"], strict=True))
            worst, processor = (turn[name] / session[name] for name in ("p99_ms", "processor_ms"))
            print(
                f"  turns a second: {ratio:.3f} x session (target 0.08, aim 0.2); p99 {worst:.1f} x (with one connection at"
                f" most 10, or 25 ms), processor {processor:.1f} x",
                file=sys.stderr,
            )
        if {"signature", PRODUCT} <= set(rows):
            p95 = figures[f"{PRODUCT} {number}"]["p95_ms"] / figures[f"signature {number}"]["p95_ms"]
            print(f"  p95: {p95:.1f} x signature", file=sys.stderr)


@contextlib.contextmanager
def _world(*, patients: int) -> Iterator[tuple[Engine, Settings]]:
    """Run PostgreSQL with the clinic and Redis until the block ends; also returns the settings of the servers."""
    with postgresql() as engine, tempfile.TemporaryDirectory(prefix="fd-bench-") as folder:
        url = engine.url.render_as_string(hide_password=False)
        settings = load_settings(
            {
                "FRONTDESK_DATA": folder,
                "FRONTDESK_SECRET_KEY": SECRET,
                "FRONTDESK_NOW": NOW.isoformat(),
                "DATABASE_URL": url,
                "TWILIO_AUTH_TOKEN": clients.ACCOUNT.auth_tokens[0],
            }
        )
        make_clinic(Database(url, secret=SECRET), patients=patients)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        with embedded_redis(settings):
            yield engine, settings


@contextlib.contextmanager
def _serving(row: str, settings: Settings) -> Iterator[Served]:
    port = free_port(preferred=65536)
    environ = os.environ | {
        "FRONTDESK_DATA": str(settings.data_dir),
        "FRONTDESK_SECRET_KEY": settings.secret_key,
        "FRONTDESK_NOW": NOW.isoformat(),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": redis_url(settings),
        "TWILIO_AUTH_TOKEN": settings.twilio.auth_tokens[0],
        "PORT": str(port),
    }
    with (settings.data_dir / f"{row}.log").open("wb") as log:
        command = [sys.executable, "-m", "benchmarks.webhook.rows", row]
        server = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_for(port, server, Path(log.name))
        yield Served(port, server.pid)
    finally:
        server.terminate()
        server.wait(timeout=_PATIENCE_S)


def _wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"A server does not answer: {log.read_text(errors='replace')[-2000:]}")


def _scripts(row: str, connections: int, *, conversations: int, first: int) -> list[clients.Script]:
    if row != PRODUCT:
        return [clients.Repeating(PLAIN_REQUESTS // connections)] * connections
    each = _each(conversations, connections)
    return [
        clients.Conversing(clients.SURNAMES[one], first=first + one * each, conversations=each)
        for one in range(connections)
    ]


def _each(conversations: int, connections: int) -> int:
    """Return how many conversations a connection has: an even number, so that there are as many calls as texts."""
    return max(2, conversations // connections // 2 * 2)


def _warm_up(row: str, served: Served, *, connections: int, first: int) -> int:
    """Let a server load what it loads once; return the first patient who has not been heard yet."""
    conversations = 2 * connections
    clients.run(_scripts(row, connections, conversations=conversations, first=first), port=served.port)
    return first + conversations if row == PRODUCT else first


def _round(scripts: Sequence[clients.Script], served: Served, engine: Engine) -> Round:
    with engine.connect() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    server, database = processor_s(served.pid), processor_s(backend, of_parent=True)
    answers, took_s = clients.run(scripts, port=served.port)
    return Round(answers, took_s, processor_s(served.pid) - server, processor_s(backend, of_parent=True) - database)


def _figure(rounds: Sequence[Round]) -> Figure:
    answers = [answered for one in rounds for answered in one.answers]
    times = sorted(1000 * one.seconds for one in answers)

    def at(share: float) -> float:
        return round(times[min(len(times) - 1, int(share * len(times)))], 2)

    return Figure(
        requests=len(times),
        wrong=sum(not one.is_right for one in answers),
        per_second=[round(len(one.answers) / one.took_s, 1) for one in rounds],
        p50_ms=at(0.5),
        p95_ms=at(0.95),
        p99_ms=at(0.99),
        processor_ms=round(1000 * sum(one.processor_s for one in rounds) / len(times), 3),
        database_ms=round(1000 * sum(one.database_s for one in rounds) / len(times), 3),
    )


def _by_step(rounds: Sequence[Round]) -> dict[str, float]:
    times: dict[str, list[float]] = defaultdict(list)
    for one in rounds:
        for answered in one.answers:
            times[answered.step].append(1000 * answered.seconds)
    return {step: round(statistics.median(some), 2) for step, some in times.items()}


def _check_rows(engine: Engine, *, conversations: int) -> None:
    """Raise SystemExit unless every conversation has left its turns and its appointment."""
    all_of_them = clients.Conversing(clients.SURNAMES[0], first=0, conversations=conversations)
    turns = sum(1 for _ in all_of_them.steps())
    with engine.connect() as connection:
        written = connection.scalar(select(func.count()).select_from(Turn))
        booked = connection.scalar(select(func.count()).select_from(Appointment).where(Appointment.status == "booked"))
    print(
        f"{written} turns and {booked} appointments of {conversations} conversations are in the database",
        file=sys.stderr,
    )
    if (written, booked) != (turns, conversations):
        raise SystemExit(f"There should be {turns} turns and {conversations} appointments.")


if __name__ == "__main__":
    main(sys.argv[1:])
