"""The language of a conversation: from the record of whose number it is, kept in the record of whoever is taken on, and in the texts to them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from booking.catalogue import load_catalogue
from booking.clinic_file import import_clinic, parse
from booking.model.patient import Patient
from dialog.inbound import InboundKind
from kernel.clock import FixedClock
from kernel.work import Database
from sms.texts import language_of
from tests.integration.dialog.test_turn import CLINIC, Line

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # Wednesday, 10:00 at the clinic


@pytest.fixture
def line(database: Database) -> Line:
    clinic = parse(CLINIC.read_text(encoding="utf-8"), path=str(CLINIC))
    database.run(lambda work: import_clinic(work, clinic, now=NOW))
    return Line(database, FixedClock(NOW))


def test_a_patient_whose_record_says_spanish_is_greeted_and_listened_to_in_it(line: Line) -> None:
    with line.db.begin() as work:
        work.session.execute(update(Patient).where(Patient.name == "Ann Smith").values(language="es"))

    greeted = line.call(InboundKind.START)

    assert greeted.language == "es"
    assert "For English, press 8." in greeted.text
    assert greeted.hints[0] == "la doctora Mina Lee"
    assert "Limpieza dental" in greeted.hints


def test_a_patient_who_speaks_english_is_greeted_in_it(line: Line) -> None:
    assert line.call(InboundKind.START).language == "en"


def test_whoever_is_taken_on_in_spanish_is_written_to_in_spanish(line: Line) -> None:
    for words in (
        "necesito un análisis de sangre para mi hija el viernes",
        "la primera",
        "Luz Reyes",
        "4 de marzo de 2020",
        "sí",
    ):
        answer = line.text(words)

    assert "Reservada: " in answer.text
    with line.db.read() as session:
        taken_on = session.scalars(select(Patient).where(Patient.name == "Luz Reyes")).one()
        catalogue = load_catalogue(session, clinic_id=line.clinic_id)
        assert language_of(session, catalogue, patient_id=taken_on.id) == "es"
        assert language_of(session, catalogue, patient_id=None) == "en"


def test_an_apology_is_made_in_the_language_of_the_conversation(line: Line) -> None:
    line.text("necesito una cita")

    reply = line.dialog.apologise(line.inbound("¿el martes?"), ValueError())

    assert reply.language == "es"
    assert reply.text.startswith("Perdone, algo falló de nuestro lado.")
