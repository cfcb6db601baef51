"""An answer is a document the vendor can read, and goes out as few parts."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.task_words import _words, word
from sms import twiml, vendor_codes
from sms.model import SmsState

pytestmark = pytest.mark.unit


def written(text: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(twiml.message(text))]


def test_an_answer_is_one_message_with_its_lines():
    assert written("1) Tue Mar 16, 9:00 AM\n2) Wed Mar 17, 9:00 AM") == [
        "1) Tue Mar 16, 9:00 AM\n2) Wed Mar 17, 9:00 AM"
    ]


def test_words_of_patients_cannot_become_instructions_to_the_vendor():
    assert written("Hi </Message><Redirect>x</Redirect> & you\x00\x0b’re") == [
        "Hi </Message><Redirect>x</Redirect> & you're"
    ]


@pytest.mark.parametrize("text", ["", "  ", "\x00"])
def test_nothing_is_sent_rather_than_an_empty_message(text: str):
    assert written(text) == []


def test_more_than_the_vendor_takes_goes_in_several_messages():
    parts = written("word " * 1000)

    assert len(parts) > 1
    assert max(map(len, parts)) <= 1600
    assert " ".join(parts).split() == ["word"] * 1000


@given(st.text(max_size=300))
def test_any_answer_makes_a_readable_document(text: str):
    assert len(written(text)) <= 1


def test_a_text_never_goes_back():
    final = {SmsState.DELIVERED, SmsState.UNDELIVERED, SmsState.FAILED, SmsState.SKIPPED}

    assert not [(a, b) for a in final for b in SmsState if a.may_become(b)]
    assert SmsState.UNKNOWN.may_become(SmsState.SENT)
    assert not SmsState.SENT.may_become(SmsState.SENDING)


def test_every_code_says_something_to_staff_also_one_that_is_new():
    assert word("delivery", vendor_codes.meaning(30005), language="en") == "nobody has this number"
    assert vendor_codes.meaning(99999) == vendor_codes.meaning(None)
    assert {one.word for one in vendor_codes._MEANINGS.values()} | {"unknown"} == set(_words("en")["codes"]["delivery"])
    assert vendor_codes.is_passing(20429)
    assert not vendor_codes.is_passing(99999)
    assert vendor_codes.is_set_up(20003)
