"""One message of a conversation at a time, in the order of arrival.

A lease, not a mutex: it has an owner and ends by itself, so a process that dies holding it delays the next message by the
lease and no more. It is for order; that two holders after a lost lease do no harm is seen to by the conversation's version.
"""

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from redis.exceptions import RedisError

from kernel.errors import Unavailable
from kernel.log import get_logger


class TurnLock(Protocol):
    def hold(self, key: str, *, wait_s: float, lease_s: float) -> AbstractContextManager[bool]:
        """Hold `key` for the block, first come first served. Gives whether it was had at once, with nobody before.

        Raises Unavailable when it is not one's turn within `wait_s`. After `lease_s` the next in line goes on regardless.
        """
        ...


class InProcessTurnLock:
    """For one process: tests and the terminal chat."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._queues: dict[str, list[object]] = {}
        self._expires: dict[str, float] = {}

    @contextmanager
    def hold(self, key: str, *, wait_s: float, lease_s: float) -> Iterator[bool]:
        ticket = object()
        deadline = time.monotonic() + wait_s
        with self._condition:
            self._queues.setdefault(key, []).append(ticket)
            at_once = self._queues[key][0] is ticket
            while self._queues[key][0] is not ticket:
                now = time.monotonic()
                if now >= self._expires.get(key, float("inf")):
                    self._queues[key].pop(0)
                    self._grant_next(key, lease_s)
                elif now >= deadline:
                    self._leave(key, ticket)
                    raise Unavailable("an earlier message is still being answered")
                else:
                    self._condition.wait(min(deadline, self._expires.get(key, deadline)) - now)
            self._expires[key] = time.monotonic() + lease_s
        try:
            yield at_once
        finally:
            with self._condition:
                self._leave(key, ticket)

    def _grant_next(self, key: str, lease_s: float) -> None:
        self._expires[key] = time.monotonic() + lease_s
        self._condition.notify_all()

    def _leave(self, key: str, ticket: object) -> None:
        queue = self._queues.get(key, [])
        if ticket in queue:
            was_first = queue[0] is ticket
            queue.remove(ticket)
            if was_first:
                self._expires.pop(key, None)
        if not queue:
            self._queues.pop(key, None)
        self._condition.notify_all()


# Tickets are a list per key; the holder is the first. An entry is "ticket", and a key of its own with a lifetime says
# that its owner is alive: while waiting it is renewed, while holding it is the lease. A first ticket without it is dropped.
# Who joins is appended first, in the same step: a turn that nobody is in the way of costs one round trip.
_IS_MY_TURN = """
if ARGV[4] == 'join' then redis.call('RPUSH', KEYS[1], ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], 600000)
while true do
  local first = redis.call('LINDEX', KEYS[1], 0)
  if not first then return 0 end
  if first == ARGV[1] then
    redis.call('SET', KEYS[1] .. ':' .. ARGV[1], 1, 'PX', ARGV[2])
    return 1
  end
  if redis.call('EXISTS', KEYS[1] .. ':' .. first) == 1 then
    redis.call('SET', KEYS[1] .. ':' .. ARGV[1], 1, 'PX', ARGV[3])
    return 0
  end
  redis.call('LPOP', KEYS[1])
end
"""


class RedisTurnLock:
    """For many processes on many machines.

    Without Redis a message is answered all the same, only not in a queue: order is a courtesy, what two at once could
    spoil is seen to by the conversation's version, and a patient who is told nothing at all would be worse off.
    """

    _POLL_S = 0.02
    _WAITING_MS = 2000

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self._is_my_turn = redis.register_script(_IS_MY_TURN)

    @contextmanager
    def hold(self, key: str, *, wait_s: float, lease_s: float) -> Iterator[bool]:
        queue, ticket = f"frontdesk:turn:{key}", uuid.uuid4().hex
        at_once = True
        try:
            try:
                at_once = self._wait_for_turn(queue, ticket, wait_s=wait_s, lease_s=lease_s)
            except RedisError:
                get_logger().warning("turn_lock.without_redis")
            yield at_once
        finally:
            with contextlib.suppress(RedisError), self._redis.pipeline(transaction=False) as pipe:
                pipe.lrem(queue, 1, ticket)
                pipe.delete(f"{queue}:{ticket}")
                pipe.execute()

    def _wait_for_turn(self, queue: str, ticket: str, *, wait_s: float, lease_s: float) -> bool:
        """Return when it is this ticket's turn, and whether that was at once."""
        deadline = time.monotonic() + wait_s
        told = [ticket, int(lease_s * 1000), self._WAITING_MS]
        if self._is_my_turn(keys=[queue], args=[*told, "join"]):
            return True
        while True:
            if time.monotonic() >= deadline:
                raise Unavailable("an earlier message is still being answered")
            time.sleep(self._POLL_S)
            if self._is_my_turn(keys=[queue], args=[*told, "stay"]):
                return False
