"""What a clinic with a Spanish file is asked for: its services by what the people are called who give them, by complaints, and written by ear."""

from dataclasses import replace
from datetime import datetime

import pytest

from dialog import commands as c
from dialog.interpreter import Listening
from dialog.understanding.local import LocalInterpreter
from tests.support.clinics import a_service, elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime.fromisoformat("2027-03-10T10:00")
CLINIC = replace(
    elm_catalogue(),
    country="ES",
    languages=("es",),
    practitioners=(),
    answers=(),
    services=(
        a_service("skin", "Consulta de dermatología"),
        a_service("women", "Revisión ginecológica", aliases=("citología",)),
        a_service("mind", "Sesión de psicología"),
        a_service("children", "Consulta de pediatría"),
        a_service("eyes", "Revisión de la vista", aliases=("oftalmólogo",)),
        a_service("braces", "Ortodoncia", aliases=("brackets",), category="dental"),
        a_service("feet", "Podología", aliases=("callos",)),
        a_service("food", "Consulta de nutrición"),
        a_service("bones", "Traumatología"),
        a_service("heart", "Electrocardiograma"),
        a_service("scan", "Ecografía abdominal"),
    ),
)
INTERPRETER = LocalInterpreter()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("¿me da hora con la dermatóloga?", "skin"),
        ("quiero que me vea la ginecóloga", "women"),
        ("me toca el papanicolau", "women"),
        ("busco psicóloga", "mind"),
        ("kiero una sita con el sicologo", "mind"),
        ("necesito que el pediatra vea a mi niña", "children"),
        ("el oculista, por favor", "eyes"),
        ("tengo que graduarme la vista", "eyes"),
        ("se me soltó un bracket", "braces"),
        ("tengo un callo en el pie", "feet"),
        ("cita con el podólogo", "feet"),
        ("quiero ver a la nutrióloga", "food"),
        ("para el traumatólogo", "bones"),
        ("me mandaron un electro", "heart"),
        ("un ultrasonido del abdomen", "scan"),
    ],
)
def test_a_service_is_found_by_who_gives_it_by_complaint_and_by_ear(text: str, key: str) -> None:
    commands = INTERPRETER.interpret(text, Listening(CLINIC, NOW, "es")).commands

    assert [one.keys for one in commands if isinstance(one, c.GiveService)] == [(key,)]
