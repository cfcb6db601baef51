"""How long a duty is one worker's, and what fits into that."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from kernel.clock import Clock

LEASE = timedelta(minutes=5)
_WORKS_FOR = timedelta(minutes=4)  # with one that takes its time, less than a lease


def within_lease(ids: Iterable[str], clock: Clock, *, began_at: datetime) -> Iterator[tuple[str, datetime]]:
    """Yield each id with the time it is by then, until the lease of a duty that `began_at` runs out; the rest is the next one's.

    By its time others tell whether somebody is still at it, so that of a whole batch would be too old.
    """
    for one in ids:
        at = clock.now()
        if at > began_at + _WORKS_FOR:
            return
        yield one, at
