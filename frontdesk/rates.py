"""How often something may be asked for in a minute: counted in Redis, so that it holds for all web processes together."""

from datetime import datetime
from typing import Any

from redis.exceptions import RedisError

from kernel.log import get_logger


def seconds_to_wait(redis: Any, *, name: str, per_minute: int, now: datetime) -> int | None:
    """Note a request for `name` and return how long to wait before the next, or None while there were no more than allowed.

    Without Redis nothing is counted: an answer matters more than a count.
    """
    if redis is None:
        return None
    minute, second = divmod(int(now.timestamp()), 60)
    key = f"frontdesk:{name}:{minute}"
    try:
        with redis.pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, 120)
            count = pipe.execute()[0]
    except RedisError:
        get_logger().warning("rates.uncounted")
        return None
    return 60 - second if count > per_minute else None
