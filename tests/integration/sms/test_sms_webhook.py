"""Texts, as the vendor delivers them, against a stored clinic and a dialog that does as it is told."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from booking.consent import is_opted_out, opt_out
from booking.values import TaskKind
from dialog.inbound import Channel, Inbound, InboundKind, Reply
from kernel.db import make_engine
from sms.model import SmsKind, SmsState
from sms.send import send_queued
from tests.integration.sms.conftest import NOW, Line
from tests.support.webhooks import ACCOUNT, CLINIC_NUMBER, PATIENT_NUMBER, document, tags, words

pytestmark = pytest.mark.integration


def fields(body: str = "I'd like a cleaning", *, sid: str = "SM" + "0f" * 16, **changes: str) -> dict[str, str]:
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "From": PATIENT_NUMBER,
        "To": CLINIC_NUMBER,
        "Body": body,
        "NumMedia": "0",
        "NumSegments": "1",
        "ApiVersion": "2010-04-01",
        "SomethingNew": "2027",
    } | changes


def text(line: Line, body: str, *, sid: str, **changes: str) -> TestResponse:
    return line.vendor.post("/twilio/sms", fields(body, sid=sid, **changes))


def has_opted_out(line: Line) -> bool:
    with line.clinic.db.read() as session:
        return is_opted_out(session, clinic_id="clinic-elm", phone=PATIENT_NUMBER)


def let_opt_out(line: Line) -> None:
    with line.clinic.db.begin() as work:
        opt_out(work, clinic_id="clinic-elm", phone=PATIENT_NUMBER, now=NOW)


def test_a_text_is_answered_in_the_same_request(line: Line):
    line.dialog.replies = [Reply(text="1) Tue Mar 16, 9:00 AM Dr. Lee\n2) Wed Mar 17, 9:00 AM Dr. Lee")]

    answer = line.vendor.post("/twilio/sms", fields())

    assert words(answer) == "1) Tue Mar 16, 9:00 AM Dr. Lee\n2) Wed Mar 17, 9:00 AM Dr. Lee"
    assert line.dialog.heard == [
        Inbound(
            clinic_id="clinic-elm",
            channel=Channel.SMS,
            kind=InboundKind.SAID,
            thread_key=f"{PATIENT_NUMBER}:{CLINIC_NUMBER}",
            message_key="sms:SM" + "0f" * 16,
            caller=PATIENT_NUMBER,
            text="I'd like a cleaning",
        )
    ]
    assert line.clinic.texts() == []


def test_a_repeat_has_the_same_key_so_that_the_dialog_can_tell(line: Line):
    text(line, "hello", sid="SM1")
    text(line, "hello", sid="SM1")
    text(line, "hello", sid="SM2")

    assert [heard.message_key for heard in line.dialog.heard] == ["sms:SM1", "sms:SM1", "sms:SM2"]


def test_a_silent_reply_sends_nothing(line: Line):
    line.dialog.replies = [Reply(text="", silent=True)]

    assert tags(line.vendor.post("/twilio/sms", fields())) == []


@pytest.mark.parametrize("body", ["STOP", "stop.", "Unsubscribe"])
def test_stop_is_noted_and_not_answered(line: Line, body: str):
    answer = text(line, body, sid="SM1")

    assert tags(answer) == []
    assert has_opted_out(line)
    assert line.dialog.heard == []
    assert line.clinic.tasks() == []


@pytest.mark.parametrize("body", ["CANCEL", "cancel", "Cancel."])
def test_a_bare_cancel_stops_texts_and_asks_staff_to_call_once(line: Line, body: str):
    text(line, body, sid="SM1")
    text(line, body, sid="SM1")

    assert has_opted_out(line)
    assert [(task.kind, task.phone) for task in line.clinic.tasks()] == [(TaskKind.OPTED_OUT, PATIENT_NUMBER)]
    assert line.dialog.heard == []


def test_cancelling_an_appointment_in_words_is_for_the_dialog(line: Line):
    text(line, "cancel my appointment", sid="SM1")

    assert not has_opted_out(line)
    assert [heard.text for heard in line.dialog.heard] == ["cancel my appointment"]


@pytest.mark.parametrize("body", ["START", "Unstop", "YES", "yes!"])
def test_somebody_who_stopped_can_come_back(line: Line, body: str):
    let_opt_out(line)

    answer = text(line, body, sid="SM1")

    assert tags(answer) == []
    assert not has_opted_out(line)
    assert line.dialog.heard == []


def test_a_yes_that_opted_in_is_not_an_answer_when_it_is_delivered_again(line: Line):
    let_opt_out(line)

    text(line, "YES", sid="SM1")
    text(line, "YES", sid="SM1")

    assert line.dialog.heard == []


def test_a_yes_of_anybody_else_is_an_answer(line: Line):
    text(line, "YES", sid="SM1")

    assert [heard.text for heard in line.dialog.heard] == ["YES"]


def test_an_old_stop_that_is_delivered_again_does_not_undo_a_start(line: Line):
    text(line, "STOP", sid="SM1")
    text(line, "START", sid="SM2")
    text(line, "STOP", sid="SM1")

    assert not has_opted_out(line)


def test_help_is_left_to_the_vendor(line: Line):
    assert tags(text(line, "HELP", sid="SM1")) == []
    assert line.dialog.heard == []


def test_the_vendors_reading_of_a_word_counts(line: Line):
    text(line, "arrêt", sid="SM1", OptOutType="STOP")

    assert has_opted_out(line)


def test_words_of_somebody_who_stopped_go_to_staff_since_no_answer_can_arrive(line: Line):
    let_opt_out(line)

    answer = text(line, "can I come on Friday?", sid="SM1")

    assert tags(answer) == []
    assert line.dialog.heard == []
    task = line.clinic.tasks()[0]
    assert (task.kind, task.phone) == (TaskKind.OPTED_OUT, PATIENT_NUMBER)
    assert "can I come on Friday?" in task.text


def test_a_picture_without_words_is_answered_and_noted(line: Line):
    answer = text(line, "", sid="MM1", NumMedia="2", MediaUrl0="https://x", MediaContentType0="image/jpeg")

    assert "pictures" in words(answer)
    assert [task.kind for task in line.clinic.tasks()] == [TaskKind.MESSAGE]
    assert line.dialog.heard == []


def test_words_beside_a_picture_are_heard(line: Line):
    text(line, "this is my tooth", sid="MM1", NumMedia="1")

    assert [heard.text for heard in line.dialog.heard] == ["this is my tooth"]


def test_what_no_database_can_hold_is_taken_out_and_the_rest_is_heard(line: Line):
    text(line, "\x00hello\x0b 日本 😀\n", sid="SM1")

    assert [heard.text for heard in line.dialog.heard] == ["hello 日本 😀"]


def test_an_answer_that_comes_too_late_is_sent_as_a_text_of_its_own_exactly_once(line: Line):
    line.dialog.replies = [Reply(text="Here’s what I have.")]
    line.dialog.meanwhile = lambda: line.stopwatch.pass_(timedelta(seconds=13))

    late = text(line, "hello", sid="SM1")
    line.dialog.meanwhile = lambda: None
    again = text(line, "hello", sid="SM1")

    assert tags(late) == []
    assert tags(again) == [], "the vendor tried again; the answer is on its way already"
    queued = line.clinic.texts()
    assert [(one.kind, one.to, one.sender, one.body) for one in queued] == [
        (SmsKind.REPLY, PATIENT_NUMBER, CLINIC_NUMBER, "Here's what I have.")
    ]
    state = send_queued(line.clinic.db, line.clinic.gateway, message_id=queued[0].id, now=NOW)
    assert state is SmsState.SENT
    assert [sent.text.body for sent in line.clinic.gateway.sent] == ["Here's what I have."]


def test_an_answer_just_in_time_is_given_in_the_request(line: Line):
    line.dialog.meanwhile = lambda: line.stopwatch.pass_(timedelta(seconds=11))

    assert tags(text(line, "hello", sid="SM1")) == ["Message"]
    assert line.clinic.texts() == []


def test_a_failing_turn_ends_in_an_apology(line: Line):
    line.dialog.error = RuntimeError("a bug")

    with capture_logs() as logs:
        answer = text(line, "my name is Ann Smith", sid="SM1")

    assert words(answer) == "I am sorry, that did not work."
    assert line.dialog.apologies == [line.dialog.error]
    assert [entry["event"] for entry in logs] == ["sms.turn.failed"]
    assert "Ann" not in repr(logs)


def test_even_a_failing_apology_ends_in_words(line: Line):
    line.dialog.error = RuntimeError("a bug")
    line.dialog.cannot_apologise = True

    assert "something is wrong" in words(text(line, "hello", sid="SM1"))


def test_without_a_database_the_patient_reads_an_apology(line: Line):
    line.clinic.db.dispose()
    line.clinic.db.engine = make_engine("sqlite:////nowhere/frontdesk.db")

    with capture_logs() as logs:
        answer = text(line, "hello", sid="SM1")

    assert "something is wrong" in words(answer)
    assert [entry["event"] for entry in logs] == ["sms.webhook.failed"]


@pytest.mark.parametrize("body", ["hello", "STOP", ""])
def test_a_number_of_no_clinic_is_answered_and_leaves_no_trace(line: Line, body: str):
    answer = text(line, body, sid="SM1", To="+19995550000", NumMedia="1")

    assert "no clinic" in words(answer)
    assert line.dialog.heard == []
    assert line.clinic.tasks() == []


@pytest.mark.parametrize("sender", ["12345", "VERIFY", "whatsapp:+12125550123", "anonymous"])
def test_a_machine_is_not_answered(line: Line, sender: str):
    assert tags(text(line, "Your code is 1234", sid="SM1", From=sender)) == []
    assert line.dialog.heard == []


@pytest.mark.parametrize("path", ["", "/status"])
def test_nothing_is_taken_from_anybody_but_the_vendor(line: Line, path: str):
    url = f"/twilio/sms{path}"
    body = urlencode({"AccountSid": ACCOUNT.sid, **fields("STOP")}).encode()

    unsigned = line.vendor.post_unsealed(url, body, {})
    wrong = line.vendor.post_unsealed(url, body, {"X-Twilio-Signature": "QUJD"})
    other_account = line.vendor.post(url, fields("STOP"), account_sid="AC" + "9" * 32)

    assert {unsigned.status_code, wrong.status_code, other_account.status_code} == {403}
    assert not has_opted_out(line)
    assert line.dialog.heard == []


@pytest.mark.parametrize("path", ["", "/status"])
def test_bad_input_gets_a_clear_answer_and_writes_nothing(line: Line, path: str):
    url = f"/twilio/sms{path}"
    other = {"AccountSid": ACCOUNT.sid, "Body": "caf\ufffd"}
    huge = line.vendor.post_raw(url, b"a=" + b"x" * (100 * 1024), signed_as={})
    other_charset = line.vendor.post_raw(url, b"AccountSid=" + ACCOUNT.sid.encode() + b"&Body=caf%E9", signed_as=other)
    empty = line.vendor.post_raw(url, b"", signed_as={})
    got = line.vendor.get(url)

    assert [answer.status_code for answer in (huge, other_charset, empty, got)] == [413, 400, 400, 405]
    assert all(answer.text.strip() for answer in (huge, other_charset, empty, got))
    assert line.dialog.heard == []


@pytest.mark.parametrize("missing", ["MessageSid", "From", "To", "Body"])
def test_a_text_without_what_makes_it_one_is_refused_by_name(line: Line, missing: str):
    sent = {name: value for name, value in fields().items() if name not in {missing, "SmsSid"}}

    answer = line.vendor.post("/twilio/sms", sent)

    assert answer.status_code == 400
    assert "missing" in answer.text


def test_hostile_words_reach_the_dialog_as_words_and_come_back_as_words(line: Line):
    hostile = "Robert'); DROP TABLE patient;-- <Redirect>http://evil.example.org</Redirect> &amp;"
    line.dialog.replies = [Reply(text=f"Thank you, {hostile}")]

    answer = text(line, hostile, sid="SM1")

    assert line.dialog.heard[0].text == hostile
    assert [element.tag for element in document(answer).iter()] == ["Response", "Message"]
    assert words(answer) == f"Thank you, {hostile}"


@pytest.mark.parametrize(
    ("said", "answer"),
    [("ALTO", "ya no recibira mensajes nuestros"), ("Please stop texting me", "you will get no more texts from us")],
)
def test_what_stops_texts_and_the_vendor_does_not_know_is_answered_here(line: Line, said: str, answer: str):
    first, again = (text(line, said, sid="SM9") for _ in range(2))

    assert has_opted_out(line)
    assert answer in words(first)
    assert words(again) == words(first)
    assert line.dialog.heard == []


def test_ayuda_is_answered_with_who_we_are_and_how_to_reach_us(line: Line):
    answer = words(text(line, "Ayuda", sid="SM9"))

    assert answer.startswith("Elm Street Clinic")
    assert "+1 212-555-0100" in answer
    assert line.dialog.heard == []
