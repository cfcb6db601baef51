"""A queue without a worker: what is put in is run on the spot. Scenarios, the terminal chat and tests."""

from collections.abc import Callable


class ImmediateQueue:
    """Calls `run(delivery_id)` at once."""

    def __init__(self, run: Callable[[str], None]) -> None:
        self._run = run

    def put(self, *, delivery_id: str, handout: int) -> None:
        self._run(delivery_id)
