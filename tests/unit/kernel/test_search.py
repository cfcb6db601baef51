import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.search import LONGEST_WORD, words_in

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Wisdom TOOTH, wisdom!", ("wisdom", "tooth")),
        ("¿Dónde está la Ñ?", ("donde", "esta", "la", "n")),
        ("Straße İstanbul ﬁne", ("strasse", "istanbul", "fine")),
        ("O'Brien's 10:20 a_b", ("o", "brien", "s", "10", "20", "a", "b")),
        ("' OR 1=1; % \\ \x00 & | ! :* <->", ("or", "1")),
        ("Зуб 牙 שן", ("зуб", "牙", "שן")),
        ("", ()),
    ],
)
def test_words_are_told_apart_without_case_accents_and_signs(text: str, words: tuple[str, ...]):
    assert words_in(text) == words


@given(st.text())
def test_what_is_kept_of_any_text_needs_no_quoting_and_is_found_again(text: str):
    words = words_in(text)

    assert all(word.isalnum() and len(word) <= LONGEST_WORD for word in words)
    assert words_in(" ".join(words)) == words
