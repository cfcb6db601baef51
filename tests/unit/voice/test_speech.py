"""Recognised speech is made readable without changing what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice import speech

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("heard", "clean"),
    [
        ("Um, hi, I'd like to, uh, book a cleaning.", "hi, I'd like to book a cleaning."),
        ("uh-huh", "yes"),
        ("Mm-hmm.", "yes."),
        ("uh-uh", "no"),
        ("Nuh-uh", "no"),
        ("Er, the first one", "the first one"),
        ("I have an umbrella and a hummer", "I have an umbrella and a hummer"),
        ("Dr. Oh please", "Dr. Oh please"),
        ("double u i l s o n", "W i l s o n"),
        ("two one two, five five five, oh one double two", "2125550122"),
        ("it's 2 1 2 5 5 5 0 1 2 3.", "it's 2125550123."),
        ("at five oh five", "at five oh five"),
        ("May two, one nine eight four", "May two, one nine eight four"),
        ("212-555-0123", "212-555-0123"),
        ("  so \n many\tspaces ", "so many spaces"),
        ("caf\u00e9 \x00\x07", "café"),
        ("", ""),
    ],
)
def test_speech_is_cleaned(heard: str, clean: str):
    assert speech.clean(heard) == clean


@given(st.text(max_size=300))
def test_any_text_can_be_cleaned_and_is_printable_afterwards(heard: str):
    cleaned = speech.clean(heard)

    assert "\x00" not in cleaned
    assert cleaned == cleaned.strip()


def test_endless_speech_is_cut():
    assert len(speech.clean("word " * 100_000)) <= 2000


@pytest.mark.parametrize(
    ("sent", "keyed"), [("05021984", "05021984"), ("*1#", "*1#"), ("1;DROP", "1"), ("٣", ""), ("", "")]
)
def test_only_keys_of_a_telephone_are_read(sent: str, keyed: str):
    assert speech.keys(sent) == keyed


@pytest.mark.parametrize(
    ("sent", "value"), [("0.87", 0.87), ("1", 1.0), ("0.0", None), ("", None), ("nan", None), ("7", None), ("x", None)]
)
def test_a_confidence_counts_when_there_is_one(sent: str, value: float | None):
    assert speech.confidence(sent) == value
