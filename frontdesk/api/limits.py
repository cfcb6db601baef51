"""How many requests a key may make: counted in Redis, so that it holds for all web processes together."""

from datetime import datetime
from typing import Any

from frontdesk.api.problems import Problem
from frontdesk.rates import seconds_to_wait

PER_MINUTE = 600


def count_request(redis: Any, *, api_key_id: str, now: datetime) -> None:
    """Note a request. Raises Problem when the key made too many in this minute.

    Without Redis nothing is counted: whoever asks has shown a key, and a booking matters more than a count.
    """
    wait_s = seconds_to_wait(redis, name=f"api:{api_key_id}", per_minute=PER_MINUTE, now=now)
    if wait_s is not None:
        raise Problem("too-many-requests", headers={"Retry-After": str(wait_s)})
