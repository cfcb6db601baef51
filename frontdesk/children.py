"""Child processes of one command: started together, watched, ended together."""

import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

_LOOK_AGAIN_S = 0.2
_LOOK_SOON_S = 0.02
_RESTARTS = 5
_RESTARTS_WITHIN_S = 60.0


class ChildFailed(Exception):
    """A child ended again and again, or never came up. The text is one line for the operator."""


@dataclass
class Child:
    """One process. `work`: a program to run, or a function to call in a copy of this process, which needs no imports anew.

    `log`: where its output goes; None: to ours.
    """

    name: str
    work: Sequence[str] | Callable[[], None]
    log: Path | None = None
    pid: int | None = None
    restarts: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it. Called while this process has one thread and no connections: a copy would share them."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # or both processes would write what is left in it
        pid = os.fork()
        if pid == 0:
            self._become()
        self.pid = pid

    def is_running(self) -> bool:
        """Say whether it runs. One that ended is forgotten by the system then."""
        if self.pid is not None and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.pid = None
        return self.pid is not None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.is_running() and self.pid is not None:
            os.kill(self.pid, number)

    def _become(self) -> NoReturn:
        status = 1
        try:
            # A session of its own: Ctrl-C reaches only the parent, which then ends the children in order.
            os.setsid()
            if sys.platform == "linux":
                _end_with_parent()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            self._redirect()
            if callable(self.work):
                self.work()
            else:
                os.execv(self.work[0], list(self.work))  # noqa: S606 -- commands are ours
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:  # noqa: BLE001 -- the end of a process: what it was is told, and nothing goes on
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(status)  # what the parent wants done at its end is not ours to do

    def _redirect(self) -> None:
        os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno() if sys.stdin else 0)
        if self.log:
            output = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.dup2(output, 1)
            os.dup2(output, 2)


class Children:
    """The children of this process."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._is_stopping = False

    def add(self, child: Child) -> None:
        """Start a child; it is ended with the others, the last one first."""
        child.start()
        self._children.append(child)

    def watch(self) -> None:
        """Restart children that die, until `stop_watching`. Raises ChildFailed for one that dies again and again."""
        while not self._is_stopping:
            for child in self._children:
                if not child.is_running():
                    self._restart(child)
            time.sleep(_LOOK_AGAIN_S)

    def stop_watching(self) -> None:
        """Let `watch` return. May be called from a signal handler."""
        self._is_stopping = True

    def stop(self, *, within_s: float) -> None:
        """End all children; those that take longer than `within_s` are killed."""
        deadline = time.monotonic() + within_s
        for child in reversed(self._children):
            child.send(signal.SIGTERM)
        while any(child.is_running() for child in self._children):
            if time.monotonic() >= deadline:
                for child in self._children:
                    child.send(signal.SIGKILL)
            time.sleep(_LOOK_SOON_S)

    def _restart(self, child: Child) -> None:
        now = time.monotonic()
        child.restarts = [*(at for at in child.restarts if now - at < _RESTARTS_WITHIN_S), now]
        if len(child.restarts) > _RESTARTS:
            where = f"; see {child.log}" if child.log else ""
            raise ChildFailed(f"The {child.name} process ends again and again{where}.")
        child.start()


def _end_with_parent() -> None:
    """Have the system end this process when its parent is gone, however that came: an orphan would keep the port."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)
