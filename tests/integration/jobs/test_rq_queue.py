"""Deliveries through a real Redis: put in, taken out, and what happens when it is not there."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

import jobs.run
from jobs.adapters.rq_queue import RqQueue
from kernel.errors import Unavailable

pytestmark = pytest.mark.integration


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


def taken_out(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Work off what is in the queue and return the deliveries that were run."""
    from rq import Queue
    from rq.worker import SimpleWorker

    ran: list[str] = []
    monkeypatch.setattr(jobs.run, "run_delivery", lambda *, delivery_id: ran.append(delivery_id))
    queue = Queue("frontdesk", connection=redis, serializer="json")
    SimpleWorker([queue], connection=redis, serializer="json").work(burst=True, logging_level="ERROR")
    return ran


def test_what_is_put_in_is_run(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    RqQueue(redis).put(delivery_id="a1", handout=1)
    RqQueue(redis).put(delivery_id="b2", handout=1)

    assert taken_out(redis, monkeypatch) == ["a1", "b2"]


def test_the_same_handout_twice_is_run_once_and_the_next_handout_again(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = RqQueue(redis)
    for handout in (1, 1, 2):
        queue.put(delivery_id="a1", handout=handout)

    assert taken_out(redis, monkeypatch) == ["a1", "a1"]


def test_a_redis_that_is_down_is_unavailable(tmp_path: Path) -> None:
    with Redis(unix_socket_path=str(tmp_path / "nobody"), socket_timeout=1) as nobody, pytest.raises(Unavailable):
        RqQueue(nobody).put(delivery_id="a1", handout=1)


def test_many_relays_that_put_the_same_handout_at_once_make_one_job(
    redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(8)

    def put() -> None:
        with Redis.from_url(redis_url) as own:
            together.wait()
            RqQueue(own).put(delivery_id="a1", handout=1)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert taken_out(redis, monkeypatch) == ["a1"]
