"""What Cal.com's webhooks say, and who is believed."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from calendar_sync.notices import Notice, is_signed, read_notice
from kernel.errors import Malformed

pytestmark = pytest.mark.unit

SECRET = "a secret of one link"
BODY = '{"triggerEvent":"BOOKING_CREATED","payload":{"uid":"abc","title":"Limpieza de José"}}'.encode()
SEAL = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()


def test_who_knows_the_secret_is_believed() -> None:
    assert is_signed(BODY, signature=SEAL, secret=SECRET)


@pytest.mark.parametrize(
    ("body", "signature", "secret"),
    [
        (BODY, None, SECRET),
        (BODY, "", SECRET),
        (BODY, "no-secret-provided", SECRET),
        (BODY, SEAL.upper(), SECRET),
        (BODY, f"sha256={SEAL}", SECRET),
        (BODY + b" ", SEAL, SECRET),
        (BODY, SEAL, "another secret"),
        (BODY, "sëal", SECRET),
        (BODY, hmac.new(b"", BODY, hashlib.sha256).hexdigest(), ""),
    ],
)
def test_nobody_else_is_believed(body: bytes, signature: str | None, secret: str) -> None:
    assert not is_signed(body, signature=signature, secret=secret)


@pytest.mark.parametrize(
    ("said", "is_worth_a_look", "seconds"),
    [
        ({"triggerEvent": "BOOKING_CREATED", "payload": {"uid": "abc"}}, True, 0),
        ({"triggerEvent": "BOOKING_REQUESTED", "payload": {"uid": "abc"}}, True, 0),
        ({"triggerEvent": "BOOKING_RESCHEDULED", "payload": {"uid": "abc", "rescheduleUid": "old"}}, True, 0),
        ({"triggerEvent": "BOOKING_CANCELLED", "payload": {"uid": "abc"}}, True, 20),
        ({"triggerEvent": "BOOKING_REJECTED", "payload": {"uid": "abc"}}, True, 20),
        ({"triggerEvent": "BOOKING_NO_SHOW_UPDATED", "payload": {"bookingUid": "abc"}}, True, 0),
        ({"triggerEvent": "MEETING_ENDED", "uid": "abc"}, False, 0),
        ({"triggerEvent": "PING"}, False, 0),
    ],
)
def test_a_notice_says_whether_and_when_a_look_is_worth_it(
    said: dict[str, object], is_worth_a_look: bool, seconds: int
) -> None:
    notice = read_notice(json.dumps(said).encode())

    assert (notice.is_worth_a_look, notice.look_after) == (is_worth_a_look, timedelta(seconds=seconds))


def test_a_notice_names_the_booking_as_it_is_now() -> None:
    assert read_notice(BODY) == Notice("BOOKING_CREATED", "abc")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"triggerEvent=BOOKING_CREATED",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"triggerEvent": 7}',
        b'{"triggerEvent": ""}',
        b"[" * 60_000,
        json.dumps({"triggerEvent": "B" * 100}).encode(),
    ],
)
def test_what_is_no_notice_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_notice(body)


@pytest.mark.parametrize("payload", [None, [], "text", {"uid": 7}, {"uid": "u" * 100}])
def test_a_notice_with_a_strange_payload_names_no_booking(payload: object) -> None:
    notice = read_notice(json.dumps({"triggerEvent": "BOOKING_CREATED", "payload": payload}).encode())

    assert notice.uid is None
