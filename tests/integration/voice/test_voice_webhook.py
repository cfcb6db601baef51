"""Calls, as the vendor reports them, against a stored clinic and a dialog that does as it is told."""

from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from booking.tasks import open_tasks
from booking.values import TaskKind
from dialog.inbound import Channel, Inbound, InboundKind, Reply
from dialog.interpreter import Asked
from kernel.db import make_engine
from kernel.telephony import MAXIMUM_BODY
from tests.integration.voice.conftest import NOW, Line
from tests.support.webhooks import ACCOUNT, CLINIC_NUMBER, PATIENT_NUMBER, document, tags, words
from voice.model import Call

pytestmark = pytest.mark.integration

CALL = "CA" + "0f" * 16
ENDPOINTS = ["", "/turn?n=1", "/transferred?n=1", "/fallback", "/whisper", "/status"]


def fields(**changes: str) -> dict[str, str]:
    return {
        "CallSid": CALL,
        "From": PATIENT_NUMBER,
        "To": CLINIC_NUMBER,
        "CallStatus": "in-progress",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
        "SomethingNew": "2027",
    } | changes


def stored_calls(line: Line) -> list[Call]:
    with line.db.read() as session:
        return list(session.scalars(select(Call)))


def tasks(line: Line) -> list[tuple[TaskKind, str | None]]:
    with line.db.read() as session:
        return [(task.kind, task.phone) for task in open_tasks(session, clinic_id="clinic-elm")]


def test_a_call_is_greeted_and_listened_to(line: Line):
    line.dialog.replies = [Reply(text="Elm Street Clinic, good morning.", asked=Asked.WHAT_TO_DO)]

    answer = line.vendor.post("/twilio/voice", fields(CallStatus="ringing"))

    assert words(answer) == "Elm Street Clinic, good morning."
    assert document(answer)[0].attrib["action"] == "/twilio/voice/turn?n=1"
    assert line.dialog.heard == [
        Inbound(
            clinic_id="clinic-elm",
            channel=Channel.VOICE,
            kind=InboundKind.START,
            thread_key=CALL,
            message_key=f"voice:{CALL}:0",
            caller=PATIENT_NUMBER,
        )
    ]
    assert [(call.call_sid, call.status, call.started_at) for call in stored_calls(line)] == [(CALL, "ringing", NOW)]


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "", "sip:someone@example.org", "Restricted"])
def test_a_withheld_number_is_an_unknown_caller(line: Line, caller: str):
    line.vendor.post("/twilio/voice", fields(From=caller))

    assert line.dialog.heard[0].caller is None


def test_a_call_without_from_is_answered(line: Line):
    sent = fields()
    del sent["From"]

    assert tags(line.vendor.post("/twilio/voice", sent)) == ["Gather"]


@pytest.mark.parametrize(
    ("sent", "kind", "text", "confidence"),
    [
        (
            {"SpeechResult": "Um, I'd like a cleaning.", "Confidence": "0.91"},
            InboundKind.SAID,
            "I'd like a cleaning.",
            0.91,
        ),
        ({"SpeechResult": "yes", "Confidence": "0.0"}, InboundKind.SAID, "yes", None),
        ({"Digits": "05021984"}, InboundKind.KEYS, "05021984", None),
        ({"Digits": "1", "SpeechResult": "one"}, InboundKind.KEYS, "1", None),
        ({}, InboundKind.SILENCE, "", None),
        ({"SpeechResult": "", "Digits": ""}, InboundKind.SILENCE, "", None),
        ({"SpeechResult": "Um..."}, InboundKind.SILENCE, "", None),
        ({"SpeechResult": "a\x00b"}, InboundKind.SAID, "ab", None),
    ],
)
def test_what_is_said_keyed_or_not_said_reaches_the_dialog(
    line: Line, sent: dict[str, str], kind: InboundKind, text: str, confidence: float | None
):
    answer = line.vendor.post("/twilio/voice/turn?n=4", fields(**sent))

    heard = line.dialog.heard[0]
    assert (heard.kind, heard.text, heard.confidence) == (kind, text, confidence)
    assert heard.message_key == f"voice:{CALL}:4"
    assert document(answer)[0].attrib["action"] == "/twilio/voice/turn?n=5"


def test_the_turns_of_a_call_have_keys_of_their_own_and_a_repeat_has_the_same(line: Line):
    first = line.vendor.post("/twilio/voice", fields())
    second = line.vendor.follow(first, "action", fields(SpeechResult="a cleaning"))
    line.vendor.follow(first, "action", fields(SpeechResult="a cleaning"))
    line.vendor.follow(second, "action", fields(SpeechResult="a cleaning"))

    assert [heard.message_key.rpartition(":")[2] for heard in line.dialog.heard] == ["0", "1", "1", "2"]


def test_a_call_that_is_announced_twice_is_one_call(line: Line):
    line.vendor.post("/twilio/voice", fields())
    line.vendor.post("/twilio/voice", fields())

    assert len(stored_calls(line)) == 1


def test_the_dialog_may_end_the_call(line: Line):
    line.dialog.replies = [Reply(text="Goodbye.", ends=True)]

    assert tags(line.vendor.post("/twilio/voice/turn?n=9", fields(SpeechResult="bye"))) == ["Say", "Hangup"]


def test_a_caller_is_put_through_and_taken_back_when_nobody_answers(line: Line):
    line.dialog.replies = [Reply(text="One moment.", transfer_to="+12125550199"), Reply(text="Shall I take a message?")]

    dialled = line.vendor.post("/twilio/voice/turn?n=2", fields(SpeechResult="a person please"))
    back = line.vendor.follow(dialled, "action", fields(DialCallStatus="no-answer"))

    assert tags(dialled) == ["Say", "Dial"]
    assert document(dialled).findtext("Dial/Number") == "+12125550199"
    assert document(dialled)[1].attrib["callerId"] == CLINIC_NUMBER
    assert words(back) == "Shall I take a message?"
    assert [(heard.kind, heard.message_key) for heard in line.dialog.heard[1:]] == [
        (InboundKind.TRANSFER_FAILED, f"voice:{CALL}:3")
    ]
    assert document(back)[0].attrib["action"] == "/twilio/voice/turn?n=4"


@pytest.mark.parametrize("status", ["completed", "answered"])
def test_after_a_conversation_with_a_person_the_call_is_over(line: Line, status: str):
    answer = line.vendor.post("/twilio/voice/transferred?n=3", fields(DialCallStatus=status, DialBridged="true"))

    assert tags(answer) == []
    assert line.dialog.heard == []


@pytest.mark.parametrize("sent", [{"DialCallStatus": status} for status in ("busy", "failed", "canceled", "")])
def test_every_other_end_of_a_transfer_brings_the_caller_back(line: Line, sent: dict[str, str]):
    line.vendor.post("/twilio/voice/transferred?n=3", fields(**sent))

    assert line.dialog.heard[0].kind is InboundKind.TRANSFER_FAILED


def test_somebody_who_picked_up_and_pressed_no_key_has_not_taken_the_call(line: Line):
    line.vendor.post("/twilio/voice/transferred?n=3", fields(DialCallStatus="completed", DialBridged="false"))

    assert line.dialog.heard[0].kind is InboundKind.TRANSFER_FAILED


def test_whoever_is_called_hears_whose_patient_it_is_and_takes_the_call_by_a_key(line: Line):
    line.vendor.post("/twilio/voice", fields())

    leg = {"CallSid": "CA" + "1e" * 16, "ParentCallSid": CALL, "To": "+12125550199"}
    asked = line.vendor.post("/twilio/voice/whisper", leg)
    taken = line.vendor.follow(asked, "action", leg | {"Digits": "1"})

    assert words(asked) == "A patient is calling for Elm Street Clinic. Press any key to take the call."
    assert tags(asked) == ["Gather", "Hangup"]
    assert tags(taken) == []


def test_hanging_up_closes_call_and_conversation(line: Line):
    line.vendor.post("/twilio/voice", fields())
    line.clock.advance(timedelta(minutes=3))

    answer = line.vendor.post("/twilio/voice/status", fields(CallStatus="completed", CallDuration="180"))

    assert (answer.status_code, answer.data) == (HTTPStatus.NO_CONTENT, b"")
    assert (line.dialog.heard[-1].kind, line.dialog.heard[-1].message_key) == (
        InboundKind.HUNG_UP,
        f"voice:{CALL}:ended",
    )
    call = stored_calls(line)[0]
    assert (call.status, call.ended_at, call.duration_s) == ("completed", NOW + timedelta(minutes=3), 180)


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
def test_every_end_of_a_call_is_one(line: Line, status: str):
    line.vendor.post("/twilio/voice", fields())
    line.vendor.post("/twilio/voice/status", fields(CallStatus=status))

    assert line.dialog.heard[-1].kind is InboundKind.HUNG_UP


def test_a_status_that_comes_late_does_not_bring_a_call_back(line: Line):
    line.vendor.post("/twilio/voice", fields(CallStatus="ringing"))
    for status in ("completed", "in-progress", "ringing", "busy", "a new word"):
        line.vendor.post("/twilio/voice/status", fields(CallStatus=status))

    assert stored_calls(line)[0].status == "completed"


def test_the_status_of_a_call_nobody_knows_is_acknowledged_and_forgotten(line: Line):
    answer = line.vendor.post("/twilio/voice/status", fields(CallStatus="completed"))

    assert answer.status_code == HTTPStatus.NO_CONTENT
    assert stored_calls(line) == []
    assert line.dialog.heard == []


@pytest.mark.parametrize("path", ["", "/turn?n=1", "/fallback", "/transferred?n=1"])
@pytest.mark.parametrize("number", ["+19995550000", "sip:clinic@example.org"])
def test_a_number_of_no_clinic_is_answered_and_leaves_no_trace(line: Line, path: str, number: str):
    answer = line.vendor.post(f"/twilio/voice{path}", fields(To=number))

    assert document(answer) is not None
    assert line.dialog.heard == []
    assert stored_calls(line) == []
    assert tasks(line) == []


def test_a_failing_turn_ends_in_an_apology_and_goes_on(line: Line):
    line.dialog.error = RuntimeError("a bug")

    with capture_logs() as logs:
        answer = line.vendor.post("/twilio/voice/turn?n=2", fields(SpeechResult="hello"))

    assert words(answer) == "I am sorry, that did not work."
    assert document(answer)[0].attrib["action"] == "/twilio/voice/turn?n=3"
    assert line.dialog.apologies == [line.dialog.error]
    assert [entry["event"] for entry in logs] == ["voice.turn.failed"]


@pytest.mark.parametrize("path", ["", "/turn?n=2", "/transferred?n=2"])
def test_even_a_failing_apology_ends_in_words(line: Line, path: str):
    line.dialog.error = RuntimeError("a bug")
    line.dialog.cannot_apologise = True

    answer = line.vendor.post(f"/twilio/voice{path}", fields(SpeechResult="hello"))

    assert tags(answer) == ["Say", "Hangup"]
    assert "call again" in words(answer)


def test_without_a_database_the_caller_hears_an_apology_and_a_transfer_is_connected(line: Line):
    line.db.dispose()
    line.db.engine = make_engine("sqlite:////nowhere/frontdesk.db")

    with capture_logs() as logs:
        assert "something is wrong" in words(line.vendor.post("/twilio/voice", fields()))
        assert "something is wrong" in words(line.vendor.post("/twilio/voice/fallback", fields()))
        assert line.vendor.post("/twilio/voice/status", fields(CallStatus="completed")).status_code == 503
        assert tags(line.vendor.post("/twilio/voice/whisper", {"CallSid": "CA1"})) == []

    assert [entry["event"] for entry in logs] == ["voice.webhook.failed"] * 4


def test_the_fallback_puts_through_without_the_dialog_and_tells_staff_once(line: Line):
    line.dialog.error = RuntimeError("broken")

    answer = line.vendor.post("/twilio/voice/fallback", fields(ErrorCode="11205", ErrorUrl="https://x/twilio/voice"))
    line.vendor.post("/twilio/voice/fallback", fields(ErrorCode="11205"))

    assert tags(answer) == ["Say", "Dial"]
    assert document(answer).findtext("Dial/Number") == "+12125550199"
    assert tasks(line) == [(TaskKind.APOLOGY, PATIENT_NUMBER)]


def test_when_nobody_answers_after_the_fallback_a_call_back_is_promised_and_written_down(line: Line):
    dialled = line.vendor.post("/twilio/voice/fallback", fields(ErrorCode="11205"))

    answer = line.vendor.follow(dialled, "action", fields(DialCallStatus="no-answer"))

    assert tags(answer) == ["Say", "Hangup"]
    assert "call you back" in words(answer)
    assert (TaskKind.CALL_BACK, PATIENT_NUMBER) in tasks(line)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_nothing_is_taken_from_anybody_but_the_vendor(line: Line, path: str):
    body = urlencode({"AccountSid": ACCOUNT.sid, **fields(CallStatus="completed")}).encode()

    unsigned = line.vendor.post_unsealed(f"/twilio/voice{path}", body, {})
    wrong = line.vendor.post_unsealed(f"/twilio/voice{path}", body, {"X-Twilio-Signature": "QUJD"})
    other_account = line.vendor.post(f"/twilio/voice{path}", fields(), account_sid="AC" + "9" * 32)

    assert {unsigned.status_code, wrong.status_code, other_account.status_code} == {403}
    assert line.dialog.heard == []
    assert stored_calls(line) == []
    assert tasks(line) == []


@pytest.mark.parametrize("path", ENDPOINTS)
def test_bad_input_gets_a_clear_answer_and_writes_nothing(line: Line, path: str):
    url = f"/twilio/voice{path}"
    signed_as = {"AccountSid": ACCOUNT.sid, "SpeechResult": "caf\ufffd"}
    huge = line.vendor.post_raw(url, b"a=" + b"x" * (100 * 1024), signed_as={})
    other_charset = line.vendor.post_raw(
        url, b"AccountSid=" + ACCOUNT.sid.encode() + b"&SpeechResult=caf%E9", signed_as=signed_as
    )
    got = line.vendor.get(url)

    assert (huge.status_code, other_charset.status_code, got.status_code) == (413, 400, 405)
    assert got.headers["Allow"] == "POST"
    assert all(answer.text.strip() for answer in (huge, other_charset, got))
    assert line.dialog.heard == []
    assert MAXIMUM_BODY < 100 * 1024


@pytest.mark.parametrize("path", ["", "/turn?n=1", "/transferred?n=1", "/fallback", "/status"])
@pytest.mark.parametrize("missing", ["CallSid", "all"])
def test_a_request_without_its_call_is_refused_with_the_name_of_what_is_missing(line: Line, path: str, missing: str):
    sent = {} if missing == "all" else {name: value for name, value in fields().items() if name != missing}

    answer = line.vendor.post(f"/twilio/voice{path}", sent, account_sid=None if missing == "all" else ACCOUNT.sid)

    assert answer.status_code == 400
    assert "missing" in answer.text


@pytest.mark.parametrize("query", ["", "?n=", "?n=x", "?n=-1"])
def test_a_turn_without_its_number_is_refused(line: Line, query: str):
    assert line.vendor.post(f"/twilio/voice/turn{query}", fields(SpeechResult="hi")).status_code == 400


def test_a_call_id_that_is_none_is_refused(line: Line):
    assert line.vendor.post("/twilio/voice", fields(CallSid="CA1; --")).status_code == 400


def test_a_slash_at_the_end_is_not_a_redirect(line: Line):
    assert tags(line.vendor.post("/twilio/voice/turn/?n=1", fields(SpeechResult="hi"))) == ["Gather"]


def test_logs_hold_no_words_and_no_numbers(line: Line):
    line.dialog.error = RuntimeError("a bug")

    with capture_logs() as logs:
        line.vendor.post("/twilio/voice/turn?n=1", fields(SpeechResult="my name is Ann Smith"))
        line.vendor.post("/twilio/voice", fields(To="+19995550000"))
        line.vendor.post("/twilio/voice/fallback", fields())

    assert len(logs) == 3
    assert "Ann" not in repr(logs)
    assert PATIENT_NUMBER not in repr(logs)
