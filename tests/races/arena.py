"""Real processes that do their deeds at the same moment, round after round, each with its own connection."""

import multiprocessing
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from booking.catalogue import load_catalogue
from kernel.work import Database
from tests.races.deeds import Deed, Ending, do
from tests.support.databases import SECRET, import_rows

PROCESSES = 6
_WITHIN_S = 100


class Arena:
    """Processes that stand ready. `round` gives each of the first of them a deed and waits for all endings."""

    def __init__(self, lines: Sequence[Connection]) -> None:
        self._lines = lines

    def round(self, deeds: Sequence[Deed]) -> list[Ending]:
        """Let the deeds begin at the same moment; return their endings in the same order."""
        starts_at = time.monotonic() + 0.003  # one clock for all processes: nobody waits for the slowest message
        for line, deed in zip(self._lines, deeds, strict=False):
            line.send((starts_at, deed))
        return [_answer(line) for line, _ in zip(self._lines, deeds, strict=False)]


@contextmanager
def arena(database_url: str, *, clinic_id: str, processes: int = PROCESSES) -> Iterator[Arena]:
    """Start the processes, and end them with the block."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    lines, workers = [], []
    for _ in range(processes):
        ours, theirs = context.Pipe()
        worker = context.Process(target=_serve, args=(theirs, database_url, clinic_id), daemon=True)
        worker.start()
        theirs.close()
        lines.append(ours)
        workers.append(worker)
    try:
        for line in lines:
            _answer(line)
        yield Arena(lines)
    finally:
        for line in lines:
            line.close()
        for worker in workers:
            worker.join(timeout=60)


def _answer(line: Connection) -> Any:
    if not line.poll(_WITHIN_S):
        raise AssertionError(f"a process did not answer within {_WITHIN_S} s")
    return line.recv()


def _serve(line: Connection, database_url: str, clinic_id: str) -> None:
    import_rows()
    db = Database(database_url, secret=SECRET)
    with db.read() as session:
        catalogue = load_catalogue(session, clinic_id=clinic_id)
    line.send("ready")
    idle = threading.Event()
    while True:
        try:
            starts_at, deed = line.recv()
        except EOFError:
            break
        idle.wait(max(0.0, starts_at - time.monotonic()))
        began = time.monotonic()
        ending = do(db, catalogue, deed)
        line.send(replace(ending, seconds=time.monotonic() - began))
    db.dispose()
