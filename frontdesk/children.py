"""Child processes of one command: started together, watched, ended together."""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_LOOK_AGAIN_S = 0.2
_RESTARTS = 5
_RESTARTS_WITHIN_S = 60.0


class ChildFailed(Exception):
    """A child ended again and again, or never came up. The text is one line for the operator."""


@dataclass
class Child:
    """One process. `log`: where its output goes; None: to ours."""

    name: str
    command: Sequence[str]
    log: Path | None = None
    env: Mapping[str, str] | None = None
    process: "subprocess.Popen[bytes] | None" = None
    restarts: list[float] = field(default_factory=list)

    def start(self) -> None:
        output = self.log.open("ab") if self.log else None
        try:
            # A session of its own: Ctrl-C reaches only the parent, which then ends the children in order.
            self.process = subprocess.Popen(  # noqa: S603 -- commands are ours
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env=dict(self.env) if self.env is not None else None,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 -- there are no threads here
            )
        finally:
            if output:
                output.close()

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


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
        running = [child.process for child in reversed(self._children) if child.process and child.is_running()]
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            try:
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

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
