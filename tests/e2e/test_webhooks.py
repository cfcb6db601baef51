"""The vendor's requests over HTTP against the running product: those that book, and those that must do nothing."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from booking.model.appointment import Appointment
from booking.model.task import StaffTask
from dialog.model import Conversation, Turn
from kernel.telephony import SIGNATURE_HEADER, sign
from kernel.work import OutboxEntry
from tests.support.product import ANN, CLINIC_NUMBER, Product, running_product, stored, twiml

pytestmark = pytest.mark.e2e


@pytest.fixture
def product(tmp_path: Path, redis_url: str) -> Iterator[Product]:
    url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
    with running_product(data_dir=tmp_path, database_url=url, redis_url=redis_url) as running:
        yield running


def booked(product: Product) -> list[tuple[str, str]]:
    """Status and source of what conversations wrote."""
    return [(row.status, row.source) for row in stored(product, Appointment) if row.conversation_id]


def a_text(**changes: str) -> dict[str, str]:
    fields = {"MessageSid": f"SM{uuid.uuid4().hex}", "From": ANN, "To": CLINIC_NUMBER, "Body": "hello"}
    return {**fields, **changes}


def test_a_patient_books_by_text(product: Product) -> None:
    product.text("I'd like a cleaning with Dr Lee on Monday at 2 pm")
    product.text("the first one")
    reply = product.text("yes")

    assert "Booked" in reply
    assert booked(product) == [("booked", "sms")]


def test_a_patient_books_by_phone(product: Product) -> None:
    call = product.call()
    call.say("i need a cleaning with doctor lee on monday at two p m")
    call.say("the first one")
    reply = call.say("yes")
    call.hang_up()

    assert "booked" in reply.lower()
    assert booked(product) == [("booked", "phone")]
    assert [row.outcome for row in stored(product, Conversation)] == ["booked"]


def test_an_unsigned_request_is_refused_and_writes_nothing(product: Product) -> None:
    before = product.row_counts()

    for target in (
        "/twilio/sms",
        "/twilio/voice",
        "/twilio/voice/turn?n=1",
        "/twilio/voice/status",
        "/twilio/sms/status",
    ):
        response = requests.post(product.base_url + target, data=a_text(AccountSid=product.account.sid), timeout=60)
        assert response.status_code == 403

    assert product.row_counts() == before


@pytest.mark.parametrize("signature", ["", "bm90IG91cnM=", "é" * 10, "x" * 10_000])
def test_a_wrongly_signed_request_is_refused_and_writes_nothing(product: Product, signature: str) -> None:
    before = product.row_counts()
    headers = {SIGNATURE_HEADER: signature.encode()}

    response = requests.post(
        f"{product.base_url}/twilio/sms", data=a_text(AccountSid=product.account.sid), headers=headers, timeout=60
    )

    # A header of ten kilobytes may be refused by the server before we see it.
    assert response.status_code in {400, 403, 431}
    assert product.row_counts() == before


def test_a_seal_for_another_body_or_another_address_does_not_fit(product: Product) -> None:
    before = product.row_counts()
    fields = {"AccountSid": product.account.sid, **a_text()}
    signature = sign(product.account, url=f"{product.base_url}/twilio/sms", params=fields)

    other_body = product.post("/twilio/sms", {**fields, "Body": "cancel everything"}, signature=signature)
    other_address = product.post("/twilio/sms?x=1", fields, signature=signature)

    assert (other_body.status_code, other_address.status_code) == (403, 403)
    assert product.row_counts() == before


def test_the_host_header_is_not_trusted_for_the_seal(product: Product) -> None:
    fields = {"AccountSid": product.account.sid, **a_text()}
    signature = sign(product.account, url="http://evil.test/twilio/sms", params=fields)

    response = requests.post(
        f"{product.base_url}/twilio/sms",
        data=fields,
        headers={SIGNATURE_HEADER: signature, "Host": "evil.test", "X-Forwarded-Host": "evil.test"},
        timeout=60,
    )

    assert response.status_code == 403


def test_a_text_that_comes_twice_gets_the_same_answer_and_does_nothing_twice(product: Product) -> None:
    product.text("a cleaning with Dr Lee on Monday at 2 pm")
    product.text("the first one")
    first = product.text("yes", sid="SM" + "1" * 32)
    before = product.row_counts()

    again = product.text("yes", sid="SM" + "1" * 32)

    assert again == first
    assert product.row_counts() == before
    assert booked(product) == [("booked", "sms")]


def test_a_turn_of_a_call_that_comes_twice_is_answered_twice_and_done_once(product: Product) -> None:
    call = product.call()
    words = {"SpeechResult": "a cleaning with doctor lee on monday", "Confidence": "0.9"}
    first = call.send(words).text
    before = product.row_counts()

    again = call.send(words).text

    assert again == first
    assert product.row_counts() == before


def test_an_empty_text_is_answered_and_books_nothing(product: Product) -> None:
    assert product.text("")

    assert booked(product) == []


def test_a_request_without_parameters_is_refused_and_writes_nothing(product: Product) -> None:
    before = product.row_counts()
    signature = sign(product.account, url=f"{product.base_url}/twilio/sms", params={})

    response = requests.post(f"{product.base_url}/twilio/sms", headers={SIGNATURE_HEADER: signature}, timeout=60)

    assert 400 <= response.status_code < 500
    assert product.row_counts() == before


def test_a_hundred_kilobytes_are_refused_and_write_nothing(product: Product) -> None:
    before = product.row_counts()

    response = product.post("/twilio/sms", a_text(Body="x" * 100_000))

    assert response.status_code == 413
    assert product.row_counts() == before


def test_a_body_that_is_not_utf_8_is_refused_and_writes_nothing(product: Product) -> None:
    before = product.row_counts()
    body = (
        b"AccountSid="
        + product.account.sid.encode()
        + b"&MessageSid=SM1&From=%2B12125550123&To=%2B12125550100&Body=%FF%FE"
    )

    response = requests.post(
        f"{product.base_url}/twilio/sms",
        data=body,
        headers={SIGNATURE_HEADER: "bm90IG91cnM=", "Content-Type": "application/x-www-form-urlencoded"},
        timeout=60,
    )

    assert 400 <= response.status_code < 500
    assert product.row_counts() == before


def test_a_number_that_is_no_clinics_is_answered_and_writes_nothing(product: Product) -> None:
    before = product.row_counts()

    text = twiml(product.post("/twilio/sms", a_text(To="+12125559999")))
    call = twiml(
        product.post(
            "/twilio/voice", {"CallSid": "CA" + "2" * 32, "From": ANN, "To": "+12125559999", "CallStatus": "ringing"}
        )
    )

    assert text.tag == call.tag == "Response"
    assert product.row_counts() == before


def test_a_get_is_refused_with_a_sentence(product: Product) -> None:
    response = requests.get(f"{product.base_url}/twilio/voice/turn?n=1", timeout=60)

    assert response.status_code == 405
    assert response.text


def test_without_redis_a_patient_books_all_the_same(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
    with running_product(data_dir=tmp_path, database_url=url, redis_url=f"unix://{tmp_path / 'nobody'}") as product:
        product.text("a cleaning with Dr Lee on Monday at 2 pm")
        product.text("the first one")
        product.text("yes")

        assert booked(product) == [("booked", "sms")]
        [entry] = [row for row in stored(product, OutboxEntry) if row.name == "booking.appointment.booked"]
        assert entry.dispatched_at is None


def test_a_failure_inside_is_an_apology_and_a_task(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(type(product.services.interpreter), "interpret", fail)

    reply = product.text("a cleaning please")

    assert reply
    assert [row.kind for row in stored(product, StaffTask)] == ["apology"]
    assert stored(product, Turn) == []


def test_health_is_told_to_anybody_and_readiness_needs_a_worker(product: Product) -> None:
    health = requests.get(f"{product.base_url}/healthz", timeout=60)
    readiness = requests.get(f"{product.base_url}/readyz", timeout=60)

    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert readiness.status_code == 503
    assert readiness.json()["checks"] == {"database": "ok", "redis": "ok", "worker": "not seen"}


def test_the_bare_address_leads_to_the_console(product: Product) -> None:
    response = requests.get(product.base_url, timeout=60)

    assert response.status_code == 200
    assert response.url.startswith(f"{product.base_url}/console/log-in")


@pytest.mark.parametrize("path", ["/nothing-here", "/console/%00", "/twilio/nothing"])
def test_an_unknown_page_is_a_plain_answer_with_the_headers_of_all_pages(product: Product, path: str) -> None:
    response = requests.get(product.base_url + path, timeout=60)

    assert response.status_code in {302, 404}
    assert "Traceback" not in response.text
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_who_takes_a_test_call_talks_with_the_agent_as_the_caller(product: Product) -> None:
    fields = {"CallSid": f"CA{uuid.uuid4().hex}", "From": CLINIC_NUMBER, "To": ANN, "Direction": "outbound-api"}

    answer = twiml(product.post("/twilio/voice", {**fields, "CallStatus": "in-progress"}))

    assert "automated assistant" in " ".join(element.text or "" for element in answer.iter("Say"))
    assert [row.caller for row in stored(product, Conversation)] == [ANN]
