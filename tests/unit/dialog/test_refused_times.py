"""Times that a patient cannot come at, said when asked for a time and said of a visit that exists."""

from datetime import datetime

import pytest

from dialog import commands as c
from dialog.interpreter import Asked, Listening
from dialog.timewords import ClockRange, TimeWish
from dialog.understanding.local import LocalInterpreter
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime.fromisoformat("2027-03-10T10:00")
CLINIC = elm_catalogue()
INTERPRETER = LocalInterpreter()


def understood(text: str, language: str, asked: Asked) -> tuple[c.Command, ...]:
    return INTERPRETER.interpret(text, Listening(CLINIC, NOW, language, asked)).commands


@pytest.mark.parametrize("asked", [Asked.WHEN, Asked.CHOICE])
@pytest.mark.parametrize(
    ("language", "text", "refused"),
    [
        ("es", "los miércoles no puedo", TimeWish(not_weekdays=frozenset({2}))),
        ("es", "no puedo antes de las cuatro", TimeWish(not_clocks=(ClockRange(0, 960),))),
        ("en", "I can't come on Wednesdays", TimeWish(not_weekdays=frozenset({2}))),
    ],
)
def test_a_time_that_does_not_suit_is_refused_where_a_time_was_asked_for(
    language: str, text: str, refused: TimeWish, asked: Asked
) -> None:
    wishes = [each.wish for each in understood(text, language, asked) if isinstance(each, c.GiveTime)]

    assert wishes == [refused]
    assert c.StartCancel(only_unable=True) not in understood(text, language, asked)


@pytest.mark.parametrize(
    ("language", "text"),
    [("es", "no puedo ir a mi cita del martes"), ("en", "I can't make my appointment on Tuesday")],
)
def test_not_coming_to_a_visit_is_no_refusal_of_a_time(language: str, text: str) -> None:
    assert c.StartCancel(only_unable=True) in understood(text, language, Asked.WHEN)
