"""Every refusal has a sentence in every language, and a sentence names only what its refusal brings."""

import importlib
import pkgutil
import string
from datetime import UTC, datetime, timedelta

import pytest

import booking
from booking.rules import BookingRules, Facts, check_booking
from booking.sentences import LANGUAGES, _words, sentence
from kernel.errors import Refused
from kernel.interval import Interval
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

for module in pkgutil.walk_packages(booking.__path__, "booking."):
    importlib.import_module(module.name)

ELM = elm_catalogue()
NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)


def refusals(kind: type[Refused] = Refused) -> set[type[Refused]]:
    return {
        one for sub in kind.__subclasses__() for one in ({sub} | refusals(sub)) if sub.__module__.startswith("booking")
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_of_booking_has_a_sentence(language: str):
    assert [one.__name__ for one in refusals() if one.code not in _words(language)] == []


def test_the_languages_say_the_same_things_with_the_same_values():
    english, *others = (_words(language) for language in LANGUAGES)
    for other in others:
        assert english.keys() == other.keys()
        assert english["parts"].keys() == other["parts"].keys()
        named = {code: names(english[code]) - names(other[code]) for code in english if code != "parts"}
        assert {code: missing for code, missing in named.items() if missing} == {}


def names(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_a_sentence_tells_lengths_and_moments_in_the_clinic_s_own_time():
    facts = Facts(rules=BookingRules(), now=NOW, visit=Interval(NOW, NOW + timedelta(hours=1)))

    with pytest.raises(Refused) as refused:
        check_booking(facts)

    assert sentence(refused.value, catalogue=ELM, language="en") == (
        "It is too soon. The clinic needs 2 hours notice, so the earliest time is 3/10/2027 at 12:00."
    )
    assert "2 horas" in sentence(refused.value, catalogue=ELM, language="es")


def test_a_language_nobody_wrote_gets_english():
    class Odd(Refused):
        code = "odd"

    assert sentence(Odd(), catalogue=ELM, language="fr") == "That can't be done."
