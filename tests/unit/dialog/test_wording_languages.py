"""Languages say the same things: no text is missing in any, all name the same values, and each says them as its speakers do."""

import string
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Any

import pytest
from ruamel.yaml import YAML

from booking.values import WeeklyHours
from dialog.acts import Act, Say
from dialog.inbound import Channel
from dialog.languages import SPOKEN
from dialog.wording.moments import Moments
from dialog.wording.names import person_called, person_called_shortly, price_called, service_called
from dialog.wording.render import render, wording
from kernel.money import Money
from tests.support.clinics import a_practitioner, a_service, elm_catalogue

pytestmark = pytest.mark.unit

OTHERS = [one for one in SPOKEN if one != "en"]
LONGEST_SPOKEN = 36  # words of one sentence of the files, what is filled in counted as one
PARTS = wording("es")["parts"]
SPANISH = Moments(PARTS, Channel.VOICE)
WRITTEN = Moments(PARTS, Channel.SMS)
NETWORK_WORDS = {
    "STOP",
    "CANCEL",
    "END",
    "QUIT",
    "YES",
    "START",
    "HELP",
    "INFO",
    "ALTO",
    "PARAR",
    "BAJA",
    "AYUDA",
    "ALTA",
}


def told(language: str) -> Iterator[tuple[str, str, list[str]]]:
    """Give each entry of a wording file: where it stands, its side, and its variants."""
    for name, entry in wording(language).items():
        if name == "parts":
            continue
        groups: Mapping[str, Any] = entry if name in {Say.WHY_NOT, Say.REFUSED} else {"": entry}
        for code, group in groups.items():
            for side, texts in group.items():
                yield f"{name} {code}".strip(), side, texts


def named(text: str) -> set[str]:
    """Give what a text names in braces, whatever form it takes: "del martes" and "el martes", "Filling" and "filling"."""
    names = (name for _, name, _, _ in string.Formatter().parse(text) if name)
    return {name.removeprefix("of_").removesuffix("_low") for name in names}


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_is_missing_in_any_language(language: str) -> None:
    english = {(where, side): len(texts) for where, side, texts in told("en")}

    assert {(where, side): len(texts) for where, side, texts in told(language)} == english
    assert set(wording(language)["parts"]) == set(wording("en")["parts"])


@pytest.mark.parametrize("language", OTHERS)
def test_texts_name_the_same_values_in_every_language(language: str) -> None:
    english = {(where, side): [named(one) for one in texts] for where, side, texts in told("en")}

    for where, side, texts in told(language):
        assert [named(one) for one in texts] == english[where, side], where


@pytest.mark.parametrize("language", SPOKEN)
def test_a_question_that_is_put_again_is_put_in_other_words(language: str) -> None:
    repeated = [texts for _, _, texts in told(language) if len(texts) > 1]

    assert all(len(set(texts)) == len(texts) for texts in repeated)


@pytest.mark.parametrize("language", SPOKEN)
def test_no_spoken_sentence_is_long(language: str) -> None:
    spoken = [one for _, side, texts in told(language) if side == "spoken" for one in texts]

    assert max(len(one.split()) for one in spoken) <= LONGEST_SPOKEN


@pytest.mark.parametrize("language", SPOKEN)
def test_no_text_suggests_a_word_that_stops_texts(language: str) -> None:
    written = [one for _, side, texts in told(language) if side == "written" for one in texts]

    assert not NETWORK_WORDS & {word.strip(string.punctuation) for one in written for word in one.split()}


def test_phrase_files_of_all_languages_have_all_parts_sets_and_meanings_of_the_english_one() -> None:
    files = {
        one: YAML(typ="safe").load(
            resources.files("dialog.understanding.phrases").joinpath(f"{one}.yaml").read_text(encoding="utf-8")
        )
        for one in SPOKEN
    }
    english = files["en"]
    missing = [
        f"{one}: {part} {name}".strip()
        for one, file in files.items()
        for part, content in english.items()
        for name in ("", *(content if isinstance(content, dict) else ()))
        if part not in file or (name and name not in file[part])
    ]

    commands = {one: {label.partition(" ")[0] for label in file["intents"]} for one, file in files.items()}

    assert missing == []
    assert all(each == commands["en"] for each in commands.values())


# Spanish, as it is said and written.


@pytest.mark.parametrize(
    ("minute", "spoken", "written"),
    [
        (0, "las doce de la noche", "12:00 am"),
        (60, "la una de la mañana", "1:00 am"),
        (9 * 60, "las nueve de la mañana", "9:00 am"),
        (9 * 60 + 20, "las nueve y 20 de la mañana", "9:20 am"),
        (12 * 60, "las doce del mediodía", "12:00 pm"),
        (13 * 60 + 15, "la una y cuarto de la tarde", "1:15 pm"),
        (15 * 60 + 30, "las tres y media de la tarde", "3:30 pm"),
        (20 * 60 + 45, "las ocho y 45 de la noche", "8:45 pm"),
    ],
)
def test_times_of_day_are_told_in_spanish_as_people_tell_them(minute: int, spoken: str, written: str) -> None:
    assert SPANISH.clock(minute) == spoken
    assert WRITTEN.clock(minute) == written


def test_in_spain_texts_count_the_hours_to_twenty_four() -> None:
    assert Moments(PARTS, Channel.SMS, "ES").clock(15 * 60 + 30) == "15:30"


@pytest.mark.parametrize(
    ("day", "spoken", "written"),
    [
        (date(2027, 5, 4), "el martes 4 de mayo", "martes 4 may"),
        (date(2027, 5, 1), "el sábado primero de mayo", "sábado 1 may"),
        (date(2027, 9, 22), "el miércoles 22 de septiembre", "miércoles 22 sep"),
    ],
)
def test_days_are_told_in_spanish_with_weekday_and_date(day: date, spoken: str, written: str) -> None:
    assert SPANISH.day(day) == spoken
    assert WRITTEN.day(day) == written


def test_a_moment_is_said_in_one_phrase() -> None:
    moment = datetime.fromisoformat("2027-05-04T15:30")

    assert SPANISH.moment(moment) == "el martes 4 de mayo a las tres y media de la tarde"
    assert WRITTEN.moment(moment) == "martes 4 may, 3:30 pm"


def test_weekly_hours_are_told_in_spanish() -> None:
    week = [WeeklyHours(day, timedelta(hours=9), timedelta(hours=14)) for day in (0, 1, 2, 5)]

    assert SPANISH.week(week) == (
        "de lunes a miércoles de las nueve de la mañana a las dos de la tarde, "
        "el sábado de las nueve de la mañana a las dos de la tarde"
    )
    assert WRITTEN.week(week) == "lun-mié 9:00 am-2:00 pm, sáb 9:00 am-2:00 pm"


@pytest.mark.parametrize(
    ("name", "gender", "spoken", "written", "short"),
    [
        ("Dr. Mina Lee", "female", "la doctora Mina Lee", "Dra. Mina Lee", "la doctora Lee"),
        ("Dr. Luis Ortega", "male", "el doctor Luis Ortega", "Dr. Luis Ortega", "el doctor Ortega"),
        ("Nurse Lin", "female", "la enfermera Lin", "Enf. Lin", "la enfermera Lin"),
        ("Tom Baker", "male", "Tom Baker", "Tom Baker", "Tom Baker"),
    ],
)
def test_titles_agree_with_who_bears_them(name: str, gender: str, spoken: str, written: str, short: str) -> None:
    person = a_practitioner("one", name, services=(), skills=(), hours={}, gender=gender)

    assert person_called(person, PARTS, side="spoken") == spoken
    assert person_called(person, PARTS, side="written") == written
    assert person_called_shortly(person, PARTS, side="spoken") == short


def test_a_text_names_people_with_their_article_in_a_sentence_and_without_it_in_a_list() -> None:
    fields = {"practitioner": "practitioner-lee", "day": "2027-03-13", "code": "practitioner-away"}
    told = render([Act(Say.WHY_NOT, fields)], catalogue=elm_catalogue(), channel=Channel.SMS, language="es")

    assert told == "La Dra. Mina Lee no está el sábado 13 mar."


@pytest.mark.parametrize(
    ("name", "aliases", "called"),
    [
        ("Dental cleaning", (), "Limpieza dental"),
        ("Deep cleaning", ("limpieza profunda", "scaling"), "Limpieza profunda"),
        ("Limpieza dental", ("cleaning",), "Limpieza dental"),
        ("MRI scan", ("MRI",), "MRI scan"),
    ],
)
def test_services_have_their_spanish_name_where_one_is_known(name: str, aliases: tuple[str, ...], called: str) -> None:
    assert service_called(a_service("one", name, aliases=aliases), PARTS) == called


def test_prices_are_said_in_words_and_written_in_signs() -> None:
    assert price_called(Money(9500, "USD"), PARTS, side="spoken") == "95 dólares"
    assert price_called(Money(9550, "USD"), PARTS, side="written") == "$95.50"


def test_of_and_the_become_one_word() -> None:
    fields = {
        "service": "service-cleaning",
        "practitioner": "practitioner-lee",
        "location": "location-main",
        "starts_at": "2027-03-16T13:00:00+00:00",
    }
    said = render([Act(Say.CANCELLED, fields)], catalogue=elm_catalogue(), channel=Channel.VOICE, language="es")

    assert "limpieza dental del martes 16 de marzo a las nueve de la mañana con la doctora Mina Lee" in said


def test_a_caller_is_told_how_to_choose_another_language_in_that_language() -> None:
    greeting = Act(Say.GREETING, {"others": ["es"]})
    alone = replace(greeting, fields={"others": []})

    assert "Para español, oprima 8." in render([greeting], catalogue=elm_catalogue(), channel=Channel.VOICE)
    assert "8" not in render([alone], catalogue=elm_catalogue(), channel=Channel.VOICE)


@pytest.mark.parametrize(("language", "lead"), [("en", ""), ("es", "Esto solo lo tengo en inglés: ")])
@pytest.mark.parametrize("channel", Channel)
def test_what_the_clinic_wrote_is_told_to_be_in_its_language(language: str, lead: str, channel: Channel) -> None:
    clinic = replace(elm_catalogue(), languages=("en", "es"))

    said = render(
        [Act(Say.CLINIC_ANSWER, {"text": "Bring your card."})], catalogue=clinic, channel=channel, language=language
    )

    assert said == f"{lead}Bring your card."


@pytest.mark.parametrize(
    "text", ["Aceptamos Blue Cross y Aetna.", "Detrás de la clínica, gratis.", "Traiga su tarjeta."]
)
def test_what_the_clinic_wrote_in_the_language_that_is_spoken_is_told_as_it_is(text: str) -> None:
    clinic = replace(elm_catalogue(), languages=("en", "es"))

    assert (
        render([Act(Say.CLINIC_ANSWER, {"text": text})], catalogue=clinic, channel=Channel.SMS, language="es") == text
    )
