"""What an answer to "may we record this call?" means. Whatever is not clearly a yes is none."""

import pytest

from voice.consent import Consent, read_answer
from voice.twiml import ask_consent, with_recording

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "said", ["Yes.", "yes please", "sure, go ahead", "that's fine with me", "OK", "of course", "Sí", "sí, claro", "está bien", "no problem, sure"]
)  # fmt: skip
def test_a_yes_is_a_yes(said: str):
    assert read_answer(said=said, keys="") is Consent.GIVEN


@pytest.mark.parametrize(
    "said", ["No.", "no thanks", "I'd rather not", "please don't record this", "No, gracias", "prefiero que no"]
)
def test_a_no_is_a_no(said: str):
    assert read_answer(said=said, keys="") is Consent.REFUSED


@pytest.mark.parametrize(
    "said", ["", "I can't breathe", "yes I need an appointment tomorrow", "no I want to cancel", "what?", "quiero una cita", "uh"]
)  # fmt: skip
def test_what_is_about_something_else_is_left_to_the_conversation(said: str):
    assert read_answer(said=said, keys="") is None


@pytest.mark.parametrize(("keys", "meant"), [("1", Consent.GIVEN), ("2", Consent.REFUSED), ("0", None), ("*", None)])
def test_keys_answer_too(keys: str, meant: Consent | None):
    assert read_answer(said="", keys=keys) is meant


def test_recording_begins_before_anything_is_said():
    document = ask_consent("Hello", language="en", action="/twilio/voice/consent")

    recorded = with_recording(document, report_to="https://clinic.example/twilio/voice/recording")

    start = '<Start><Recording recordingStatusCallback="https://clinic.example/twilio/voice/recording"'
    assert recorded.index(start) < recorded.index("<Gather")
    assert recorded.count("<Response>") == 1
