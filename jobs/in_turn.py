"""One after the other: what goes wrong with one keeps nobody else waiting."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from kernel.errors import Unavailable
from kernel.log import get_logger

log = get_logger()


@contextmanager
def in_turn() -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Give what is to stand around the work on each. Once all have had their turn one failure is raised, of several a bug."""
    failures: list[Exception] = []

    @contextmanager
    def turn() -> Iterator[None]:
        try:
            yield
        except Exception as failure:  # noqa: BLE001 -- raised below, or told
            failures.append(failure)

    yield turn
    failures.sort(key=lambda one: isinstance(one, Unavailable))
    for other in failures[1:]:
        log.error("jobs.in_turn.failed", exc_info=other)
    if failures:
        raise failures[0]
