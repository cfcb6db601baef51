"""Delivery reports, in any order."""

import itertools
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from booking.consent import is_opted_out
from booking.numbers import GIVEN_UP_AFTER
from booking.values import TaskKind
from sms.again import send_again
from sms.model import SmsState
from sms.ports import OutcomeUnknown
from sms.send import SETTLE, send_queued
from tests.integration.sms.conftest import NEXT_TUESDAY, NOW, Line
from tests.support.webhooks import CLINIC_NUMBER, PATIENT_NUMBER

pytestmark = pytest.mark.integration

HOUR = timedelta(hours=1)
AN_HOUR_LATER = NEXT_TUESDAY + HOUR


def sent_text(line: Line) -> str:
    """Send a text about a visit and return the vendor's id of it."""
    message_id = line.clinic.queue(line.clinic.visit())
    assert message_id is not None
    send_queued(line.clinic.db, line.clinic.gateway, message_id=message_id, now=NOW)
    return line.clinic.gateway.sent[-1].sid


def report(line: Line, sid: str, status: str, *, code: str | None = None, query: str = "") -> TestResponse:
    fields = {"MessageSid": sid, "MessageStatus": status, "To": PATIENT_NUMBER, "From": CLINIC_NUMBER}
    return line.vendor.post(f"/twilio/sms/status{query}", fields | ({"ErrorCode": code} if code else {}))


def state(line: Line) -> str:
    return line.clinic.texts()[0].state


def test_a_delivered_text_is_noted(line: Line):
    sid = sent_text(line)

    answer = report(line, sid, "delivered")

    assert (answer.status_code, answer.data) == (204, b"")
    assert state(line) == SmsState.DELIVERED


@pytest.mark.parametrize(("code", "times"), [("30001", 2), ("30003", 3), ("30007", 1)])
def test_trouble_of_a_kind_that_passes_has_the_text_sent_again(line: Line, code: str, times: int):
    message_id = line.clinic.queue(line.clinic.visit())
    assert message_id is not None

    assert not_arrived_after(line, message_id, code=code) == times


@pytest.mark.parametrize("order", list(itertools.permutations(["queued", "sent", "delivered"])))
def test_the_order_of_reports_does_not_matter(line: Line, order: tuple[str, ...]):
    sid = sent_text(line)
    for status in order:
        report(line, sid, status)
        report(line, sid, status)

    assert state(line) == SmsState.DELIVERED


def test_a_text_that_was_not_delivered_is_a_call_for_staff_once(line: Line):
    sid = sent_text(line)
    report(line, sid, "undelivered", code="30005")
    report(line, sid, "undelivered", code="30005")
    report(line, sid, "sent")

    stored = line.clinic.texts()[0]
    assert (stored.state, stored.error_code) == (SmsState.UNDELIVERED, 30005)
    tasks = line.clinic.tasks()
    assert [(task.kind, task.phone, task.appointment_id) for task in tasks] == [
        (TaskKind.UNDELIVERED, PATIENT_NUMBER, stored.appointment_id)
    ]
    assert "nobody has this number" in tasks[0].text


def test_a_text_refused_for_an_opt_out_is_an_opt_out(line: Line):
    sid = sent_text(line)
    report(line, sid, "failed", code="21610")

    with line.clinic.db.read() as session:
        assert is_opted_out(session, clinic_id="clinic-elm", phone=PATIENT_NUMBER)
    assert line.clinic.tasks() == []


def test_a_report_nobody_waits_for_is_acknowledged(line: Line):
    assert report(line, "SM" + "9" * 32, "delivered").status_code == 204
    assert report(line, "SM" + "9" * 32, "delivered", query="?m=nothing-of-ours").status_code == 204
    assert line.clinic.texts() == []


def test_a_status_that_is_new_to_us_changes_nothing(line: Line):
    sid = sent_text(line)

    assert report(line, sid, "teleported").status_code == 204
    assert state(line) == SmsState.SENT


def test_a_report_can_name_our_text_before_the_answer_to_its_sending_is_here(line: Line):
    line.clinic.gateway.loses_answers = True
    message_id = line.clinic.queue(line.clinic.visit())
    assert message_id is not None
    with pytest.raises(OutcomeUnknown):
        send_queued(line.clinic.db, line.clinic.gateway, message_id=message_id, now=NOW)

    sid = line.clinic.gateway.sent[0].sid
    report(line, sid, "delivered", query=f"?m={message_id}")

    stored = line.clinic.texts()[0]
    assert (stored.state, stored.vendor_sid) == (SmsState.DELIVERED, sid)
    assert send_queued(line.clinic.db, line.clinic.gateway, message_id=message_id, now=NOW) is SmsState.DELIVERED
    assert len(line.clinic.gateway.sent) == 1


def test_a_report_of_somebody_elses_text_does_not_take_over_one_that_has_its_id(line: Line):
    sid = sent_text(line)
    message_id = line.clinic.texts()[0].id

    report(line, "SM" + "9" * 32, "failed", code="30005", query=f"?m={message_id}")

    stored = line.clinic.texts()[0]
    assert (stored.state, stored.vendor_sid) == (SmsState.SENT, sid)


def test_a_report_without_its_status_is_refused(line: Line):
    answer = line.vendor.post("/twilio/sms/status", {"MessageSid": "SM1"})

    assert answer.status_code == 400
    assert "MessageStatus is missing" in answer.text


def test_a_number_that_nobody_has_is_sent_no_more_until_a_text_comes_from_it(line: Line):
    report(line, sent_text(line), "undelivered", code="30005")

    assert "No more texts are sent to this number" in line.clinic.tasks()[0].text
    assert line.clinic.queue(line.clinic.visit(starts_at=AN_HOUR_LATER)) is None
    assert {text.note for text in line.clinic.texts()} == {None, "not-working"}

    line.vendor.post(
        "/twilio/sms", {"MessageSid": "SM1", "From": PATIENT_NUMBER, "To": CLINIC_NUMBER, "Body": "I am here"}
    )
    assert line.clinic.queue(line.clinic.visit(starts_at=AN_HOUR_LATER + HOUR)) is not None


def test_trouble_that_passes_is_tried_again_and_given_up_after_a_few_texts(line: Line):
    for number in range(GIVEN_UP_AFTER):
        message_id = line.clinic.queue(line.clinic.visit(starts_at=NEXT_TUESDAY + number * HOUR))
        assert message_id is not None
        assert not_arrived_after(line, message_id, code="30008") == 2

    assert "No more texts" in line.clinic.tasks()[-1].text
    assert len(line.clinic.tasks()) == GIVEN_UP_AFTER
    assert line.clinic.queue(line.clinic.visit(starts_at=NEXT_TUESDAY + 5 * HOUR)) is None


def not_arrived_after(line: Line, message_id: str, *, code: str) -> int:
    """Let a text fail until it is not sent again, with the receipts twice; return how often it was sent."""
    sent_before = len(line.clinic.gateway.sent)
    for _ in range(5):
        line.clinic.clock.advance(HOUR)
        now = line.clinic.clock.now()
        if send_queued(line.clinic.db, line.clinic.gateway, message_id=message_id, now=now) is not SmsState.SENT:
            break
        sid = line.clinic.gateway.sent[-1].sid
        report(line, sid, "undelivered", code=code, query=f"?m={message_id}")
        report(line, sid, "undelivered", code=code, query=f"?m={message_id}")
    return len(line.clinic.gateway.sent) - sent_before


def test_staff_send_again_what_failed_and_an_old_receipt_counts_no_more(line: Line):
    sid = sent_text(line)
    report(line, sid, "failed", code="30007")
    message_id = line.clinic.texts()[0].id

    with line.clinic.db.begin() as work:
        assert send_again(work, clinic_id="clinic-elm", message_id=message_id, now=NOW, done_by="kim")
        assert not send_again(work, clinic_id="clinic-elm", message_id=message_id, now=NOW, done_by="kim")
        assert not send_again(work, clinic_id="another", message_id=message_id, now=NOW, done_by="kim")
    assert line.clinic.tasks() == []
    report(line, sid, "failed", code="30007", query=f"?m={message_id}")
    assert state(line) == SmsState.QUEUED

    # The answer to the second is lost: the first, with the same words, is not taken for it.
    line.clinic.gateway.loses_answers = True
    with pytest.raises(OutcomeUnknown):
        send_queued(line.clinic.db, line.clinic.gateway, message_id=message_id, now=NOW)
    later = NOW + SETTLE
    assert send_queued(line.clinic.db, line.clinic.gateway, message_id=message_id, now=later) is SmsState.SENT
    assert len(line.clinic.gateway.sent) == 2
    assert line.clinic.texts()[0].vendor_sid == line.clinic.gateway.sent[-1].sid
