"""The vendor's requests are believed when they are sealed, and read without trust."""

import io
from urllib.parse import quote, urlencode

import pytest

from kernel.telephony import (
    MAXIMUM_BODY,
    TwilioAccount,
    Webhook,
    WebhookRejected,
    is_signed,
    printable,
    read_webhook,
    sign,
)

pytestmark = pytest.mark.unit

ACCOUNT = TwilioAccount(sid="AC" + "1" * 32, auth_tokens=("new token", "old token"))
BASE = "https://clinic.example.org/frontdesk"
FIELDS = {"AccountSid": ACCOUNT.sid, "CallSid": "CA1", "From": "+12125550123", "Text": " two  words é "}


def request(
    *,
    target: str = "/frontdesk/twilio/voice/turn?n=3",
    fields: dict[str, str] | None = None,
    body: bytes | None = None,
    signed_url: str = "https://clinic.example.org/frontdesk/twilio/voice/turn?n=3",
    token: str = "new token",
    **environ: object,
) -> dict[str, object]:
    fields = FIELDS if fields is None else fields
    body = urlencode(fields).encode() if body is None else body
    account = TwilioAccount(sid=ACCOUNT.sid, auth_tokens=(token,))
    return {
        "RAW_URI": target.removeprefix("/frontdesk"),
        "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=UTF-8",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_TWILIO_SIGNATURE": sign(account, url=signed_url, params=fields),
        "HTTP_HOST": "somewhere.else.example.org",
        "wsgi.input": io.BytesIO(body),
    } | environ


def read(environ: dict[str, object]) -> Webhook:
    return read_webhook(environ, account=ACCOUNT, public_base_url=BASE)


def rejection(environ: dict[str, object]) -> int:
    with pytest.raises(WebhookRejected) as caught:
        read(environ)
    return caught.value.status.value


def test_the_vendors_own_example_of_a_signature_is_accepted():
    account = TwilioAccount(sid="AC" + "0" * 32, auth_tokens=("12345",))
    params = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"

    assert is_signed(account, url=url, params=params, signature="GvWf1cFY/Q7PnoempGyD5oXAezc=")
    assert not is_signed(account, url=url, params=params | {"Digits": "1235"}, signature="GvWf1cFY/Q7PnoempGyD5oXAezc=")


def test_a_sealed_request_is_read_with_its_values_untouched():
    webhook = read(request())

    assert webhook.get("Text") == " two  words é "
    assert webhook.number("n") == 3
    assert webhook.get("NotSent") == ""


def test_the_public_address_counts_and_not_the_host_header():
    environ = request(signed_url="https://somewhere.else.example.org/twilio/voice/turn?n=3")

    assert rejection(environ) == 403


def test_either_token_is_accepted_while_they_are_rotated():
    assert read(request(token="old token")).get("CallSid") == "CA1"
    assert rejection(request(token="a token of a stranger")) == 403


@pytest.mark.parametrize("signature", [None, "", "AAAA", "ünlesbar"])
def test_a_request_without_a_good_signature_is_refused(signature: str | None):
    assert rejection(request(HTTP_X_TWILIO_SIGNATURE=signature)) == 403


def test_the_seal_covers_the_query():
    assert rejection(request(target="/frontdesk/twilio/voice/turn?n=4")) == 403


def test_a_changed_or_added_or_left_out_field_breaks_the_seal():
    sealed = request()["HTTP_X_TWILIO_SIGNATURE"]
    for fields in (FIELDS | {"CallSid": "CA2"}, FIELDS | {"Digits": "1"}, {"AccountSid": ACCOUNT.sid}):
        assert rejection(request(fields=fields, HTTP_X_TWILIO_SIGNATURE=sealed)) == 403


@pytest.mark.parametrize("target", ["*", "@evil.example.org/x", "evil.example.org:443", ""])
def test_a_target_that_would_change_the_host_is_refused(target: str):
    environ = request(signed_url=BASE + target, RAW_URI=target, PATH_INFO="", QUERY_STRING="")

    assert rejection(environ) == 403


def test_an_absolute_target_counts_by_its_path():
    environ = request(RAW_URI="http://10.0.0.7:8000/twilio/voice/turn?n=3")

    assert read(environ).number("n") == 3


def test_a_server_without_the_raw_target_is_read_by_path_and_query():
    environ = request(PATH_INFO="/twilio/voice/turn", QUERY_STRING="n=3")
    del environ["RAW_URI"]

    assert read(environ).number("n") == 3


def test_a_repeated_name_is_sealed_with_all_its_values_and_read_as_the_first():
    body = urlencode([("AccountSid", ACCOUNT.sid), ("X", "b"), ("X", "a")]).encode()

    class Form(dict[str, str]):
        def getlist(self, name: str) -> list[str]:
            return ["a", "b"] if name == "X" else [ACCOUNT.sid]

    from twilio.request_validator import RequestValidator

    url = f"{BASE}/twilio/voice/turn?n=3"
    seal = RequestValidator("new token").compute_signature(url, Form(AccountSid="", X=""))

    assert read(request(body=body, HTTP_X_TWILIO_SIGNATURE=seal)).get("X") == "b"


def test_a_body_above_the_limit_is_refused_without_being_read():
    class Untouchable(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError(f"{size} bytes were read")

    environ = request(CONTENT_LENGTH=str(MAXIMUM_BODY + 1))
    environ["wsgi.input"] = Untouchable()

    assert rejection(environ) == 413


def test_a_body_without_a_length_is_read_only_where_its_end_is_marked_and_only_to_the_limit():
    assert read(request(CONTENT_LENGTH="", **{"wsgi.input_terminated": True})).get("CallSid") == "CA1"
    assert rejection(request(CONTENT_LENGTH="")) == 403, "taken as empty, which the seal does not cover"

    endless = request(CONTENT_LENGTH="", **{"wsgi.input_terminated": True})
    endless["wsgi.input"] = io.BytesIO(b"a=" + b"x" * 10 * MAXIMUM_BODY)
    assert rejection(endless) == 413


def test_a_form_that_is_not_utf8_is_refused_once_its_seal_is_good():
    body = b"AccountSid=" + ACCOUNT.sid.encode() + b"&Body=caf%E9"
    as_the_vendor_would_read_it = {"AccountSid": ACCOUNT.sid, "Body": "caf\ufffd"}

    assert rejection(request(body=body, fields=as_the_vendor_would_read_it)) == 400
    assert rejection(request(body=body, fields={"AccountSid": ACCOUNT.sid, "Body": "café"})) == 403
    assert rejection(request(body=b"Body=caf\xe9", fields={"Body": "café"})) == 400


def test_a_sealed_request_of_another_account_is_refused():
    assert rejection(request(fields=FIELDS | {"AccountSid": "AC" + "2" * 32})) == 403
    assert rejection(request(fields={"CallSid": "CA1"})) == 403


def test_something_else_than_a_form_is_refused():
    environ = request(fields={}, body=b'{"CallSid": "CA1"}', CONTENT_TYPE="application/json")

    assert rejection(environ) == 415


def test_an_empty_request_lacks_what_is_required():
    webhook = read(request(fields={}))

    with pytest.raises(WebhookRejected, match="CallSid is missing"):
        webhook.require("CallSid")


@pytest.mark.parametrize("n", ["", "-1", "1.5", "x", "²", "99999", "1 ", "0x1"])
def test_a_turn_that_is_no_number_is_refused(n: str):
    target = f"/frontdesk/twilio/voice/turn?n={quote(n)}"
    webhook = read(request(target=target, signed_url=f"https://clinic.example.org{target}"))

    with pytest.raises(WebhookRejected, match="whole number"):
        webhook.number("n")


def test_what_no_document_or_database_can_hold_is_taken_out():
    assert printable("a\x00b\x0bc\x1bd\ud800e\ufffff\x7fg") == "abcdefg"
    assert printable("línea\n→ 日本 😀\t.") == "línea\n→ 日本 😀\t."
