"""A Reply becomes a document that the vendor can read whatever stands in it."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog.inbound import Reply
from dialog.interpreter import Asked
from voice import twiml

pytestmark = pytest.mark.unit

ADDRESSES = twiml.Addresses(turn="/twilio/voice/turn?n=2", transferred="/twilio/voice/transferred?n=2", whisper="/w")


def parsed(reply: Reply) -> ET.Element:
    return ET.fromstring(twiml.answer(reply, addresses=ADDRESSES, clinic_number="+12125550100"))


def gather(reply: Reply) -> dict[str, str]:
    element = parsed(reply).find("Gather")
    assert element is not None
    return element.attrib


def test_a_question_is_spoken_while_listening_so_that_it_can_be_interrupted():
    root = parsed(
        Reply(text="When would you like to come?", asked=Asked.WHEN, hints=("Dr. Mina Lee", "Dental cleaning"))
    )

    assert [child.tag for child in root] == ["Gather"]
    assert root.findtext("Gather/Say") == "When would you like to come?"
    attributes = gather(Reply(text="When?", asked=Asked.WHEN, hints=("Dr. Mina Lee", "Dental cleaning")))
    assert attributes["input"] == "speech dtmf"
    assert attributes["action"] == "/twilio/voice/turn?n=2"
    assert attributes["hints"] == "Dr. Mina Lee, Dental cleaning"
    assert attributes["actionOnEmptyResult"] == "true"


@pytest.mark.parametrize("asked", list(Asked))
def test_every_question_can_be_answered_by_keypad_within_a_few_seconds(asked: Asked):
    attributes = gather(Reply(text="?", asked=asked))

    assert attributes["input"] == "speech dtmf"
    assert attributes["finishOnKey"] == "#"
    assert 4 <= int(attributes["timeout"]) <= 8


def test_patience_depends_on_the_question():
    assert gather(Reply(text="?", asked=Asked.YES_NO))["numDigits"] == "1"
    assert gather(Reply(text="?", asked=Asked.BIRTH_DATE))["numDigits"] == "8"
    assert "numDigits" not in gather(Reply(text="?", asked=Asked.PHONE))
    assert gather(Reply(text="?", asked=Asked.YES_NO))["speechTimeout"] == "auto"
    assert int(gather(Reply(text="?", asked=Asked.PHONE))["speechTimeout"]) >= 2


def test_who_asked_for_a_moment_is_waited_for():
    assert int(gather(Reply("Take your time.", asked=Asked.CHOICE, waits=True))["timeout"]) >= 20


def test_the_last_words_are_followed_by_hanging_up():
    root = parsed(Reply(text="Goodbye.", ends=True))

    assert [child.tag for child in root] == ["Say", "Hangup"]


def test_a_transfer_rings_a_person_and_comes_back_when_nobody_answers():
    root = parsed(Reply(text="One moment.", transfer_to="+12125550199"))

    assert [child.tag for child in root] == ["Say", "Dial"]
    dial = root[1]
    assert dial.attrib["action"] == "/twilio/voice/transferred?n=2"
    assert dial.attrib["answerOnBridge"] == "true"
    assert dial.attrib["callerId"] == "+12125550100"
    assert dial.findtext("Number") == "+12125550199"


def test_words_of_patients_cannot_become_instructions_to_the_vendor():
    root = parsed(
        Reply(text='Thank you, </Say><Dial>+1900</Dial> & "O\'Brien"\x0b\x00.', hints=('<a href="x">', "]]>"))
    )

    assert [element.tag for element in root.iter()] == ["Response", "Gather", "Say"]
    assert root.findtext("Gather/Say") == 'Thank you, </Say><Dial>+1900</Dial> & "O\'Brien".'


@given(st.text(max_size=200), st.lists(st.text(max_size=120), max_size=4))
def test_any_reply_makes_a_readable_document(text: str, hints: list[str]):
    root = parsed(Reply(text=text, hints=tuple(hints)))

    assert [child.tag for child in root] == ["Gather"]


def test_hints_stay_within_what_the_vendor_takes():
    hints = gather(Reply(text="?", hints=("long " * 30, "a, b", "a b", "", *(f"name {i}" for i in range(600)))))[
        "hints"
    ]

    assert hints.split(", ")[:2] == ["a b", "name 0"]
    assert len(hints.split(", ")) == 500


def test_a_long_text_is_spoken_in_parts_that_the_voice_takes():
    root = parsed(Reply(text="All of it. " * 600))
    parts = [say.text or "" for say in root.findall("Gather/Say")]

    assert len(parts) > 1
    assert max(map(len, parts)) <= 3000
    assert " ".join(parts) == ("All of it. " * 600).strip()


def test_spanish_is_heard_and_spoken_as_spanish_and_an_unknown_language_as_english():
    assert gather(Reply(text="¿Cuándo?", language="es"))["language"] == "es-US"
    assert gather(Reply(text="?", language="xx"))["language"] == "en-US"


def test_the_fallback_puts_through_where_there_is_somebody_and_says_goodbye_where_not():
    with_person = twiml.fallback(transfer_to="+12125550199", clinic_number="+12125550100", addresses=ADDRESSES)
    without = twiml.fallback(transfer_to=None, clinic_number="+12125550100", addresses=ADDRESSES)

    assert [child.tag for child in ET.fromstring(with_person)] == ["Say", "Dial"]
    assert [child.tag for child in ET.fromstring(without)] == ["Say", "Hangup"]


def test_whoever_is_called_must_press_a_key_or_is_not_connected():
    root = ET.fromstring(twiml.whisper("A patient is calling.", accepted="/w"))

    assert [child.tag for child in root] == ["Gather", "Hangup"]
    assert root[0].attrib["input"] == "dtmf"


def test_whose_answer_takes_a_moment_hears_that_in_their_language_and_comes_back_for_it():
    addresses = twiml.Addresses(turn="", transferred="", whisper="", ready="/twilio/voice/ready?n=2&returns=1")

    first = ET.fromstring(twiml.one_moment("Un momento, por favor.", language="es", addresses=addresses))
    again = ET.fromstring(twiml.one_moment("", language="es", addresses=addresses))

    assert [(one.tag, one.text, one.get("language")) for one in first] == [
        ("Say", "Un momento, por favor.", "es-US"),
        ("Redirect", "/twilio/voice/ready?n=2&returns=1", None),
    ]
    assert [one.tag for one in again] == ["Pause", "Redirect"]
