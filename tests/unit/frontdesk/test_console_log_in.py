from typing import Any, Self

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from frontdesk.console.attempts import (
    CODES_PER_NAME,
    PER_ADDRESS,
    PER_NAME,
    PER_NAME_AND_ADDRESS,
    Attempt,
    TooManyAttempts,
    count_attempt,
    forget_attempts,
)
from frontdesk.console.pages.log_in import wanted_page
from frontdesk.simulator.vendor import NotAWebhook, local_target
from kernel.errors import Unavailable

pytestmark = pytest.mark.unit


class CountingRedis:
    """The few commands of Redis that counting needs, without a server."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._answers: list[Any] = []

    def pipeline(self) -> "CountingRedis":
        return self

    def __enter__(self) -> Self:
        self._answers = []
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def incr(self, key: str) -> None:
        self.counts[key] = self.counts.get(key, 0) + 1
        self._answers.append(self.counts[key])

    def expire(self, _key: str, _seconds: int, *, nx: bool) -> None:
        self._answers.append(nx)

    def execute(self) -> list[Any]:
        return self._answers

    def delete(self, key: str) -> None:
        self.counts.pop(key, None)


class DeadRedis:
    def pipeline(self) -> "DeadRedis":
        raise RedisConnectionError("gone")


def test_the_sixth_try_of_a_name_from_one_address_is_refused():
    redis = CountingRedis()
    for _ in range(PER_NAME_AND_ADDRESS):
        count_attempt(redis, login="maria", address="10.0.0.1")

    with pytest.raises(TooManyAttempts):
        count_attempt(redis, login="MARIA", address="10.0.0.1")
    count_attempt(redis, login="maria", address="10.0.0.2")


def test_many_names_from_one_address_are_refused():
    redis = CountingRedis()
    for number in range(PER_ADDRESS):
        count_attempt(redis, login=f"name-{number}", address="10.0.0.1")

    with pytest.raises(TooManyAttempts):
        count_attempt(redis, login="another", address="10.0.0.1")


@pytest.mark.parametrize(("kind", "limit"), [(Attempt.PASSWORD, PER_NAME), (Attempt.CODE, CODES_PER_NAME)])
def test_one_name_from_many_addresses_is_refused(kind: Attempt, limit: int):
    redis = CountingRedis()
    for number in range(limit):
        count_attempt(redis, login="maria", address=f"10.0.0.{number}", kind=kind)

    with pytest.raises(TooManyAttempts):
        count_attempt(redis, login="maria", address="10.0.1.1", kind=kind)


def test_a_right_password_gives_all_tries_back():
    redis = CountingRedis()
    for _ in range(PER_NAME_AND_ADDRESS * 2):
        count_attempt(redis, login="maria", address="10.0.0.1")
        forget_attempts(redis, login="maria", address="10.0.0.1")

    count_attempt(redis, login="maria", address="10.0.0.1")


def test_a_name_is_not_stored_as_it_was_typed():
    redis = CountingRedis()

    count_attempt(redis, login="my-secret-password", address="10.0.0.1")

    assert not any("my-secret-password" in key for key in redis.counts)


@pytest.mark.parametrize("redis", [DeadRedis(), None])
def test_nobody_logs_in_while_tries_cannot_be_counted(redis: object):
    with pytest.raises(Unavailable):
        count_attempt(redis, login="maria", address="10.0.0.1")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/console/tasks", "/console/tasks"),
        ("/console/diary?day=2027-03-15", "/console/diary?day=2027-03-15"),
        ("/simulator", "/simulator"),
        ("", "/home"),
        ("https://elsewhere.example/console/tasks", "/home"),
        ("//elsewhere.example/console/", "/home"),
        ("/\\elsewhere.example", "/home"),
        ("/console/\\..\\..", "/home"),
        ("javascript:alert(1)", "/home"),
        ("/healthz", "/home"),
        ("/console/log-in", "/home"),
        ("//[", "/home"),
        ("/console/tasks\r\nSet-Cookie: a=b", "/home"),
    ],
)
def test_a_log_in_leads_to_a_page_of_ours_only(asked: str, shown: str):
    assert wanted_page(asked, home="/home", log_in="/console/log-in") == shown


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/twilio/voice", "/twilio/voice"),
        ("/twilio/voice/turn?n=3", "/twilio/voice/turn?n=3"),
        ("/desk/twilio/sms", "/twilio/sms"),
    ],
)
def test_the_simulator_calls_webhooks(path: str, target: str):
    assert local_target(path, public_base_url="https://clinic.example/desk") == target


@pytest.mark.parametrize(
    "path",
    ["", "/", "/console/tasks", "/twilio/../console/tasks", "https://elsewhere.example/twilio/sms", "//elsewhere/twilio/sms", "/api/v1/holds"],
)  # fmt: skip
def test_the_simulator_signs_nothing_but_webhooks(path: str):
    with pytest.raises(NotAWebhook):
        local_target(path, public_base_url="https://clinic.example/desk")
