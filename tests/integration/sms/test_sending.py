"""A text reaches the vendor once, whatever breaks on the way."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest

from booking.consent import is_opted_out, opt_out
from booking.values import TaskKind
from kernel.errors import Unavailable
from sms.model import SmsState
from sms.ports import OutcomeUnknown, OutgoingText
from sms.send import SETTLE, send_queued, texts_to_send
from tests.integration.sms.conftest import NOW, Clinic, opened
from tests.support.webhooks import PATIENT_NUMBER

pytestmark = pytest.mark.integration


class Killed(BaseException):
    """The process ends here: nothing after it runs."""


@pytest.fixture
def clinic(database_url: str) -> Iterator[Clinic]:
    """The clinic on each kind of database: what is locked here differs."""
    with opened(database_url) as made:
        yield made


@pytest.fixture
def text(clinic: Clinic) -> str:
    """A text that waits to be sent."""
    message_id = clinic.queue(clinic.visit())
    assert message_id is not None
    return message_id


def send(clinic: Clinic, message_id: str) -> SmsState:
    return send_queued(clinic.db, clinic.gateway, message_id=message_id, now=clinic.clock.now())


def waiting(clinic: Clinic) -> list[str]:
    with clinic.db.read() as session:
        return texts_to_send(session, now=clinic.clock.now())


def kill_before_the_call(clinic: Clinic, message_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sender die when it has noted that it is about to call the vendor."""

    def die(_text: OutgoingText) -> str:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(clinic.gateway, "send", die)
        with pytest.raises(Killed):
            send(clinic, message_id)


def kill_after_the_call(clinic: Clinic, message_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sender die when the vendor has the text and nothing is noted yet."""
    really_send = clinic.gateway.send

    def send_and_die(text: OutgoingText) -> str:
        really_send(text)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(clinic.gateway, "send", send_and_die)
        with pytest.raises(Killed):
            send(clinic, message_id)


def test_a_text_is_sent_once_however_often_it_is_asked_for(clinic: Clinic, text: str):
    assert [send(clinic, text) for _ in range(3)] == [SmsState.SENT] * 3

    assert [sent.sid for sent in clinic.gateway.sent] == [clinic.texts()[0].vendor_sid]
    assert waiting(clinic) == []


def test_a_sender_killed_before_the_vendor_was_called_loses_nothing(
    clinic: Clinic, text: str, monkeypatch: pytest.MonkeyPatch
):
    kill_before_the_call(clinic, text, monkeypatch)
    assert clinic.texts()[0].state == SmsState.SENDING
    assert waiting(clinic) == [], "it may be on its way still"

    clinic.clock.advance(SETTLE)

    assert waiting(clinic) == [text]
    assert send(clinic, text) is SmsState.SENT
    assert len(clinic.gateway.sent) == 1


def test_a_sender_killed_after_the_vendor_was_called_sends_nothing_twice(
    clinic: Clinic, text: str, monkeypatch: pytest.MonkeyPatch
):
    kill_after_the_call(clinic, text, monkeypatch)

    with pytest.raises(OutcomeUnknown):
        send(clinic, text)
    clinic.clock.advance(SETTLE)

    assert send(clinic, text) is SmsState.SENT
    assert [sent.sid for sent in clinic.gateway.sent] == [clinic.texts()[0].vendor_sid]


def test_a_lost_answer_is_asked_for_and_not_repeated(clinic: Clinic, text: str):
    clinic.gateway.loses_answers = True
    with pytest.raises(OutcomeUnknown):
        send(clinic, text)
    assert clinic.texts()[0].state == SmsState.UNKNOWN

    clinic.clock.advance(SETTLE)
    assert send(clinic, text) is SmsState.SENT

    assert len(clinic.gateway.sent) == 1


def test_an_earlier_text_with_the_same_words_is_not_taken_for_this_one(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    visit = clinic.visit()
    first = clinic.queue(visit, revision=1)
    assert first is not None
    send(clinic, first)
    second = clinic.queue(visit, revision=2)
    assert second is not None
    kill_before_the_call(clinic, second, monkeypatch)

    clinic.clock.advance(SETTLE)
    send(clinic, second)

    assert len(clinic.gateway.sent) == 2
    assert {text.vendor_sid for text in clinic.texts()} == {sent.sid for sent in clinic.gateway.sent}


def test_two_senders_that_ask_at_the_same_time_send_once(clinic: Clinic, text: str, monkeypatch: pytest.MonkeyPatch):
    kill_before_the_call(clinic, text, monkeypatch)
    clinic.clock.advance(SETTLE)
    ask = clinic.gateway.find

    def ask_while_somebody_else_sends(wanted: OutgoingText) -> list[str]:
        found = ask(wanted)
        monkeypatch.setattr(clinic.gateway, "find", ask)
        send(clinic, text)
        return found

    monkeypatch.setattr(clinic.gateway, "find", ask_while_somebody_else_sends)
    with pytest.raises(OutcomeUnknown):
        send(clinic, text)

    assert len(clinic.gateway.sent) == 1
    assert clinic.texts()[0].state == SmsState.SENT


def test_a_vendor_that_is_down_is_tried_again_later_and_given_up_with_a_task(clinic: Clinic, text: str):
    clinic.gateway.is_down = True
    with pytest.raises(Unavailable):
        send(clinic, text)
    assert waiting(clinic) == []
    assert send(clinic, text) is SmsState.QUEUED, "not due again yet"

    states = []
    for _ in range(10):
        clinic.clock.advance(timedelta(hours=1))
        try:
            states.append(send(clinic, text))
        except Unavailable:
            states.append(SmsState.QUEUED)

    assert states[-1] is SmsState.FAILED
    assert [task.kind for task in clinic.tasks()] == [TaskKind.UNDELIVERED]
    assert clinic.gateway.sent == []


def test_a_vendor_that_comes_back_sends_it(clinic: Clinic, text: str):
    clinic.gateway.is_down = True
    with pytest.raises(Unavailable):
        send(clinic, text)
    clinic.gateway.is_down = False
    clinic.clock.advance(timedelta(minutes=1))

    assert waiting(clinic) == [text]
    assert send(clinic, text) is SmsState.SENT


def test_a_text_of_unknown_outcome_waits_until_the_vendor_can_be_asked_and_is_given_up_in_the_end(
    clinic: Clinic, text: str
):
    clinic.gateway.loses_answers = True
    with pytest.raises(OutcomeUnknown):
        send(clinic, text)
    clinic.clock.advance(SETTLE)
    clinic.gateway.is_down = True

    with pytest.raises(Unavailable):
        send(clinic, text)

    assert clinic.texts()[0].state == SmsState.UNKNOWN
    assert waiting(clinic) == [], "it is not asked without a pause"
    assert send(clinic, text) is SmsState.UNKNOWN
    while waiting(clinic) or clinic.texts()[0].state == SmsState.UNKNOWN:
        clinic.clock.advance(timedelta(minutes=20))
        with contextlib.suppress(Unavailable):
            send(clinic, text)
    assert [task.kind for task in clinic.tasks()] == [TaskKind.UNDELIVERED]
    assert len(clinic.gateway.sent) == 1


def test_a_refused_number_is_a_call_for_staff(clinic: Clinic, text: str):
    clinic.gateway.refused_numbers[PATIENT_NUMBER] = 21614

    assert send(clinic, text) is SmsState.FAILED

    assert clinic.texts()[0].error_code == 21614
    assert [(task.kind, task.phone) for task in clinic.tasks()] == [(TaskKind.UNDELIVERED, PATIENT_NUMBER)]
    assert "not a mobile number" in clinic.tasks()[0].text


def test_a_refusal_for_an_opt_out_is_remembered(clinic: Clinic, text: str):
    clinic.gateway.refused_numbers[PATIENT_NUMBER] = 21610

    assert send(clinic, text) is SmsState.FAILED

    with clinic.db.read() as session:
        assert is_opted_out(session, clinic_id=clinic.catalogue.clinic_id, phone=PATIENT_NUMBER)
    assert clinic.tasks() == []


def test_a_stop_that_comes_before_the_sending_counts(clinic: Clinic, text: str):
    with clinic.db.begin() as work:
        opt_out(work, clinic_id=clinic.catalogue.clinic_id, phone=PATIENT_NUMBER, now=NOW)

    assert send(clinic, text) is SmsState.SKIPPED
    assert clinic.gateway.sent == []
