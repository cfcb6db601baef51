"""Texts in the language of who gets them: nothing is missing, and a Spanish one costs no more parts than an English one."""

import string
from datetime import UTC, datetime, timedelta

import pytest

from dialog.languages import SPOKEN
from sms import keywords, segments
from sms.model import SmsKind
from sms.notices import Instead, Origin, compose
from sms.offer_texts import OfferedTime, compose_offer
from sms.texts import moment, words
from tests.support.clinics import elm_catalogue
from tests.unit.sms.test_notices import NOW, a_visit

pytestmark = pytest.mark.unit

KINDS = [SmsKind.BOOKED, SmsKind.MOVED, SmsKind.CANCELLED, SmsKind.REJECTED, SmsKind.MOVE_OFFERED]


def named(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", SPOKEN)
def test_every_language_has_the_same_texts_with_the_same_values(language: str) -> None:
    english = words("en")

    assert {name: named(text) for name, text in words(language).items()} == {
        name: named(text) for name, text in english.items()
    }


def test_a_booking_is_told_in_spanish() -> None:
    assert compose(elm_catalogue(), a_visit(), kind=SmsKind.BOOKED, now=NOW, language="es") == (
        "Elm Street Clinic: su cita queda reservada para el martes 16 mar, 9:00 am EDT, Main Street. "
        "Para cambiarla, responda o llame al +1 212-555-0100."
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("origin", Origin)
def test_a_spanish_text_is_in_the_cheap_alphabet_and_has_no_word_of_the_network(kind: SmsKind, origin: Origin) -> None:
    kept = Instead((datetime(2027, 3, 17, 14, 0, tzinfo=UTC),), None, NOW + timedelta(hours=3))
    written = compose(elm_catalogue(), a_visit(), kind=kind, now=NOW, origin=origin, instead=kept, language="es")

    counted = segments.count(written)
    assert (counted.encoding, counted.count <= 2) == (segments.Encoding.GSM_7, True), written
    assert not {word.strip(string.punctuation) for word in written.split()} & {"STOP", "ALTO", "BAJA", "CANCEL", "END"}


def test_an_offer_of_freed_time_is_made_in_spanish() -> None:
    offered = OfferedTime(a_visit(), NOW + timedelta(minutes=30), None, is_shared=True)

    written = compose_offer(elm_catalogue(), offered, now=NOW, language="es")

    assert written.startswith("Elm Street Clinic: se ha liberado el martes 16 mar, 9:00 am EDT")
    assert "Responda 1 para tomarla, 2 para dejarla, antes de: 10:30 am." in written
    assert segments.count(written).count <= 2


def test_a_date_of_another_year_has_its_year() -> None:
    at = datetime(2028, 1, 5, 9, 30, tzinfo=UTC)

    assert moment(at, today=NOW, language="es") == "miércoles 5 ene 2028, 9:30 am UTC"


@pytest.mark.parametrize(
    ("text", "sent"),
    [("médico el día 3, mañana", "médico el dia 3, mañana"), ("día ✓", "día ✓"), ("¿Cuándo?", "¿Cuando?")],
)
def test_an_accent_that_alone_would_cost_another_alphabet_is_left_out(text: str, sent: str) -> None:
    assert segments.plain(text) == sent


def test_the_answer_to_a_stop_in_spanish_names_the_word_that_brings_texts_back() -> None:
    assert "START" in words("es")["stopped"]
    assert keywords.read("START", opt_out_type="", is_opted_out=True) is keywords.Action.OPT_IN
