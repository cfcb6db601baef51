"""A short form of the simulated patients who speak Spanish, and what would be untrue in Spanish is found to be."""

from collections.abc import Iterator

import pytest

from benchmarks.patients import figures
from benchmarks.patients.claims import Checker
from benchmarks.patients.session import Session
from tests.support.patients import ELM, claimed, listening

pytestmark = pytest.mark.integration

FAMILIES = ["known", "new", "move", "cancel"]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    opened = Session(tmp_path_factory.mktemp("pacientes"), language="es")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def checker(session: Session) -> Checker:
    return listening(session)


@pytest.mark.parametrize("channel", ["text", "phone"])
def test_patients_get_what_they_came_for_in_spanish(session: Session, channel: str) -> None:
    goals = [goal for family in FAMILIES for goal in session.goals("1", seed=5, families=[family], at=[ELM])]

    played = list(session.play(goals, runs=1, seed=1, channel=channel))

    assert [figures.transcript(one) for one in played if not one.passed] == []


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("Reservada: Limpieza dental, jueves 11 mar, 10:00 am, Dra. Mina Lee.", "not booked in the database"),
        ("Cancelada: Limpieza dental, jueves 11 mar, 10:00 am, Dra. Mina Lee.", "not cancelled in the database"),
        ("Tengo el domingo 21 de marzo a las diez de la mañana con la doctora Lee.", "not free"),
        ("Tengo el lunes 11 de marzo a las diez de la mañana.", "no such day"),
        ("Le vería la doctora Kildare.", "nobody here is called"),
        ("Abrimos a las cuatro menos cuarto, a las 3:45 am.", "a time from nowhere"),
        ("Está en la lista de espera para limpieza dental.", "on no waiting list"),
        ("Ya avisé a nuestro personal.", "no task for the staff"),
    ],
)
def test_what_is_not_so_is_found_out_in_spanish(checker: Checker, reply: str, why: str) -> None:
    assert why in " ".join(claimed(checker, reply))


@pytest.mark.parametrize(
    "reply",
    [
        "Para su cita de limpieza dental tengo el jueves 11 de marzo a las diez de la mañana con la doctora Lee.",
        "Limpieza dental:\n1) jueves 11 mar, 10:00 am con la Dra. Lee, Main Street",
        "No hay nada libre con la Dra. Lee el miércoles 17 mar.",
        "¿Pido a nuestro personal que le llame?",
    ],
)
def test_what_is_so_is_no_false_claim_in_spanish(checker: Checker, reply: str) -> None:
    assert claimed(checker, reply) == []
