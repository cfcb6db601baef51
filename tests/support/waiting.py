"""Waiting for something that other threads or processes do: by looking again, never by guessing how long it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_AGAIN_S = 0.02


def eventually(condition: Callable[[], T], *, deadline_s: float = 30.0, what: str = "the condition") -> T:
    """Return the first truthy value of `condition`; fail the test when there is none before the deadline.

    An exception of `condition` counts as "not yet" until the deadline, and is then the cause of the failure.
    """
    ends_at = time.monotonic() + deadline_s
    while True:
        cause: Exception | None = None
        try:
            value = condition()
            if value:
                return value
        except Exception as error:  # noqa: BLE001 -- whatever is not ready yet fails in its own way
            cause = error
        if time.monotonic() > ends_at:
            raise AssertionError(f"{what} did not come true within {deadline_s:g} s") from cause
        time.sleep(LOOK_AGAIN_S)
