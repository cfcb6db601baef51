"""Every task has a sentence in every language, made of what the task keeps, in the form of whoever reads it."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import booking
from booking.task_words import LANGUAGES, TaskSays, _words, fields, packed, told
from jobs.subscriptions import STEPS

pytestmark = pytest.mark.unit

NEW_YORK = ZoneInfo("America/New_York")
ENGLISH, *OTHERS = (_words(language) for language in LANGUAGES)


def named(sentence: list[str]) -> list[set[str]]:
    return [fields(part) for part in sentence]


def test_every_task_has_a_sentence_of_the_same_parts_in_every_language():
    assert sorted(ENGLISH["sentences"]) == sorted(TaskSays)
    for other in OTHERS:
        assert {says: named(parts) for says, parts in other["sentences"].items()} == {
            says: named(parts) for says, parts in ENGLISH["sentences"].items()
        }
        assert {group: list(codes) for group, codes in other["codes"].items()} == {
            group: list(codes) for group, codes in ENGLISH["codes"].items()
        }


def test_every_sentence_is_said_somewhere():
    code = Path(booking.__file__).parents[1]
    rooms = ("booking", "dialog", "voice", "sms", "jobs", "calendar_sync", "frontdesk")
    text = "\n".join(path.read_text() for room in rooms for path in (code / room).rglob("*.py"))

    assert [says.name for says in TaskSays if f"TaskSays.{says.name}" not in text] == []


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Confirm or reject: Cleaning with Dr. Ito, Monday, March 15, 2027, 1:05 PM."),
        ("es", "Confirme o rechace: Cleaning con Dr. Ito, lunes 15 de marzo de 2027, 1:05 p.m."),
        ("xx", "Confirm or reject: Cleaning with Dr. Ito, Monday, March 15, 2027, 1:05 PM."),
    ],
)
def test_a_moment_is_told_by_the_clock_of_its_place_in_the_reader_s_form(language: str, sentence: str):
    visit_at = datetime(2027, 3, 15, 13, 5, tzinfo=NEW_YORK)
    kept = packed({"service": "Cleaning", "practitioner": "Dr. Ito", "visit_at": visit_at})

    assert told(TaskSays.CONFIRM, kept, language=language) == sentence


@pytest.mark.parametrize(("fold", "clock"), [(0, "1:30 AM EDT"), (1, "1:30 AM EST")])
def test_a_moment_that_clocks_show_twice_is_told_with_its_zone(fold: int, clock: str):
    kept = packed({"service": "X-ray", "visit_at": datetime(2027, 11, 7, 1, 30, tzinfo=NEW_YORK, fold=fold)})

    assert f"Sunday, November 7, 2027, {clock}." in str(told(TaskSays.COMES, kept, language="en"))


def test_what_a_patient_said_stays_as_said_and_what_is_not_known_is_left_out():
    said = "{name} <b>¿mañana?</b>"

    assert told(TaskSays.MESSAGE, packed({"words": said, "name": None, "whom": ""}), language="es") == said
    assert told(TaskSays.MESSAGE, packed({"words": said, "whom": "Bo"}), language="es") == f"{said} (para Bo)"


def test_codes_and_refusals_are_said_in_words_and_what_nobody_knows_as_it_is():
    offer = {"why_refused": "patient-overlap"}
    odd = packed({"mail_code": "552 too large", "words": "Hi"})

    assert "El paciente tiene otra cita" in str(told(TaskSays.OFFER_REFUSED, packed(offer), language="es"))
    assert told(TaskSays.MAIL_FAILED, odd, language="en") == (
        "A mail could not be delivered: 552 too large. Please tell the patient: Hi"
    )
    assert told("of-the-next-release", None, language="en") is None


def test_every_job_that_can_be_given_up_has_a_name():
    assert sorted(STEPS) == sorted(ENGLISH["codes"]["job"])
