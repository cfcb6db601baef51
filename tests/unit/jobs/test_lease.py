"""What fits into the lease of a duty."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.lease import LEASE, within_lease
from kernel.clock import FixedClock

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 8, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_each_is_done_at_its_own_time_and_what_would_outlast_the_lease_is_left() -> None:
    clock = FixedClock(NOW)
    done = {}
    for one, at in within_lease("abcdefgh", clock, began_at=NOW):
        done[one] = at
        clock.advance(MINUTE)

    assert done == {one: NOW + minutes * MINUTE for minutes, one in enumerate("abcde")}
    assert clock.now() <= NOW + LEASE
