"""How many requests a key may make: counted in Redis, so that it holds for all web processes together."""

from datetime import datetime
from typing import Any

from redis.exceptions import RedisError

from frontdesk.api.problems import Problem
from kernel.log import get_logger

PER_MINUTE = 600


def count_request(redis: Any, *, api_key_id: str, now: datetime) -> None:
    """Note a request. Raises Problem when the key made too many in this minute.

    Without Redis nothing is counted: whoever asks has shown a key, and a booking matters more than a count.
    """
    if redis is None:
        return
    minute, second = divmod(int(now.timestamp()), 60)
    name = f"frontdesk:api:{api_key_id}:{minute}"
    try:
        with redis.pipeline() as pipe:
            pipe.incr(name)
            pipe.expire(name, 120)
            count = pipe.execute()[0]
    except RedisError:
        get_logger().warning("api.uncounted")
        return
    if count > PER_MINUTE:
        raise Problem("too-many-requests", headers={"Retry-After": str(60 - second)})
