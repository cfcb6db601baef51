"""Parts are counted as the network counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.segments import Encoding, count, plain

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", Encoding.GSM_7, 0, 1),
        ("a" * 160, Encoding.GSM_7, 160, 1),
        ("a" * 161, Encoding.GSM_7, 161, 2),
        ("a" * 306, Encoding.GSM_7, 306, 2),
        ("a" * 307, Encoding.GSM_7, 307, 3),
        ("é" * 160, Encoding.GSM_7, 160, 1),
        ("a" * 159 + "€", Encoding.GSM_7, 161, 2),
        ("[~]", Encoding.GSM_7, 6, 1),
        ("á", Encoding.UCS_2, 1, 1),
        ("日" * 70, Encoding.UCS_2, 70, 1),
        ("日" * 71, Encoding.UCS_2, 71, 2),
        ("a" * 152 + "’", Encoding.UCS_2, 153, 3),
        ("😀" * 35, Encoding.UCS_2, 70, 1),
    ],
)
def test_a_text_is_counted(text: str, encoding: Encoding, units: int, parts: int):
    counted = count(text)

    assert (counted.encoding, counted.units, counted.count) == (encoding, units, parts)


def test_a_character_of_two_units_is_not_split_over_two_parts():
    assert count("a" * 152 + "€" + "a" * 151).count == 2
    assert count("a" * 152 + "€" + "a" * 152).count == 3, "one unit of the first part stays empty"
    assert count("日" * 66 + "😀" * 34).count == 3


def test_typographic_marks_do_not_cost_the_plain_alphabet():
    assert plain("“Don’t”—it’s\u00a09…") == "\"Don't\"-it's 9..."
    assert count(plain("We’re open 9–5")).encoding is Encoding.GSM_7


def test_letters_of_a_name_are_kept():
    assert plain("María Núñez 日本") == "María Núñez 日本"


@given(st.text(max_size=400))
def test_parts_never_hold_more_than_they_can(text: str):
    counted = count(text)
    room = 153 if counted.encoding is Encoding.GSM_7 else 67

    assert counted.count == 1 or counted.units <= counted.count * room
