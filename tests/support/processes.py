"""Servers as child processes: started with their output in a file, ready when they answer, stopped again."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.support.waiting import eventually


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    log: Path,
    is_ready: Callable[[], object],
    env: Mapping[str, str] | None = None,
    stop_with: signal.Signals = signal.SIGTERM,
    deadline_s: float = 60.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` until the block ends. Fails with the end of its output when it stops early or is never ready."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(os.environ) | dict(env or {}),
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, command=command, log=log, is_ready=is_ready, deadline_s=deadline_s)
        yield process
    finally:
        stop(process, stop_with=stop_with)


def stop(process: subprocess.Popen[bytes], *, stop_with: signal.Signals = signal.SIGTERM) -> None:
    """End the process and its children; those that do not listen within 5 s are killed. May be called twice."""
    if process.poll() is None:
        process.send_signal(stop_with)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=5)


def _wait_until_ready(
    process: subprocess.Popen[bytes],
    *,
    command: Sequence[str],
    log: Path,
    is_ready: Callable[[], object],
    deadline_s: float,
) -> None:
    def looks_ready() -> bool:
        return process.poll() is not None or bool(is_ready())

    try:
        eventually(looks_ready, deadline_s=deadline_s, what=f"{command[0]} being ready")
    except AssertionError as error:
        raise AssertionError(f"{error}; its output ends with:\n{_tail(log)}") from error
    if process.poll() is not None:
        raise AssertionError(
            f"{' '.join(command)} stopped with {process.returncode}; its output ends with:\n{_tail(log)}"
        )


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
