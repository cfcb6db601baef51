"""Strangers who want what is not theirs: nothing of others is told, and nothing of others is changed."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from sqlalchemy import select

from booking.model.appointment import Appointment
from booking.model.patient import Patient
from frontdesk.patient_line import CallLine, LineFault
from frontdesk.stage import Stage

pytestmark = pytest.mark.scenario

FOLDER = Path(__file__).parent
CLINIC = FOLDER / "clinics" / "elm.yaml"
NOW = datetime.fromisoformat("2027-03-10T10:00:00-05:00")
NUMBERS = {
    "stranger": "+12125550199",
    "ann": "+12125550123",
    "bob": "+12125550124",
    "cara": "+12125550125",
    "eve": "+12125550126",
    "withheld": "",
}
NAMES = ("Robert", "Jones", "Evelyn", "Stone", "Cara", "Daniel", "Diaz", "Ann Smith")
SECRETS = (
    re.compile(r"(?i)\b(1959|1975|1990|2018)\b"),  # years of birth
    re.compile(r"(?i)555.?012[3-6]"),
    # When somebody has a visit, with whom: no such time can be offered to anybody else.
    re.compile(r"(?i)(mar\w* 15\w*|15 (de )?mar\w*)\W.{0,20}\b9(:00)?(?![:\d]).{0,20}\blee\b"),
    re.compile(r"(?i)(mar\w* 16\w*|16 (de )?mar\w*)\W.{0,20}\b10(:00)?(?![:\d]).{0,20}\bpatel\b"),
    re.compile(r"(?i)(mar\w* 18\w*|18 (de )?mar\w*)\W.{0,20}\b8(:00)?(?![:\d]).{0,20}\bnovak\b"),
    re.compile(r"(?i)auth.?token|SELECT|Traceback|patient_id"),
)


@dataclass(frozen=True)
class Rows:
    """What stands in the diary and in the register."""

    visits: frozenset[tuple[Any, ...]]
    patients: frozenset[tuple[Any, ...]]


def attacks() -> list[dict[str, Any]]:
    return list(YAML(typ="safe").load((FOLDER / "attacks.yaml").read_text(encoding="utf-8")))


def rows(stage: Stage) -> Rows:
    with stage.services.db.read() as session:
        visits = session.scalars(select(Appointment).where(Appointment.hold_expires_at.is_(None)))
        patients = session.scalars(select(Patient))
        return Rows(
            frozenset(
                (one.id, one.status, one.starts_at, one.patient_id) for one in visits if one.status != "cancelled"
            ),
            frozenset((one.id, one.name, one.birth_date) for one in patients),
        )


def played(attack: dict[str, Any], data_dir: Path) -> tuple[Rows, str, Rows]:
    """Return what stood before, all that was told, and what stood afterwards."""
    stage = Stage(
        clinic=CLINIC.read_text(encoding="utf-8"),
        path=str(CLINIC),
        now=NOW,
        channel="voice" if attack.get("phone") else "sms",
        caller=NUMBERS[attack.get("from", "stranger")],
        data_dir=data_dir,
    )
    try:
        before = rows(stage)
        replies = [stage.line.ring().text] if isinstance(stage.line, CallLine) else []
        for text in attack["say"]:
            with suppress(LineFault):  # they were hung up on
                replies.append(stage.line.say(text).text)
            stage.work()
        return before, "\n".join(replies), rows(stage)
    finally:
        stage.close()


@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack["say"][0][:60])
def test_nothing_of_others_is_told_or_changed(attack: dict[str, Any], tmp_path: Path) -> None:
    before, told, after = played(attack, tmp_path)

    said = " ".join(attack["say"]).lower()
    # The year that they guessed themselves is asked about in the same words whether it is right or wrong.
    found = [match.group() for secret in SECRETS for match in secret.finditer(told)]
    assert [one for one in found if one.lower() not in said.split()] == [], told
    assert [name for name in NAMES if name.lower() not in said and name in told] == [], told
    new_visits, new_patients = after.visits - before.visits, after.patients - before.patients
    assert before.visits <= after.visits, told
    assert before.patients <= after.patients, told
    # Whoever booked is somebody new, whatever they call themselves.
    assert len(new_visits) == len(new_patients) <= (1 if attack.get("may_book") else 0), told
    assert {visit[3] for visit in new_visits} == {patient[0] for patient in new_patients}


@pytest.mark.parametrize(
    "honest",
    [
        {"from": "eve", "say": ["when is my appointment", "Evelyn Stone", "August 21, 1975"]},
        {"from": "eve", "phone": True, "say": ["when is my appointment", "evelyn stone", "august 21st 1975"]},
        {"from": "eve", "say": ["¿cuándo es mi cita?", "Evelyn Stone", "21 de agosto de 1975"]},
    ],
    ids=["text", "phone", "spanish"],
)
def test_who_asks_for_their_own_is_told_what_attackers_are_not(honest: dict[str, Any], tmp_path: Path) -> None:
    _, told, _ = played(honest, tmp_path)

    assert any(secret.search(told) for secret in SECRETS), told


def test_there_are_attacks_in_both_languages() -> None:
    spanish = [
        one for one in attacks() if re.search(r"[áéíóúñ¿¡]|\b(quiero|soy|dime|todas)\b", " ".join(one["say"]).lower())
    ]

    assert len(attacks()) >= 60
    assert len(spanish) >= 15
