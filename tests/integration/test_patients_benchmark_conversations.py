"""A short form of the simulated patients: one of every family gets what they came for, and what would be untrue is found to be."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.patients import figures
from benchmarks.patients.claims import Checker
from benchmarks.patients.goals import Goal, read_goals
from benchmarks.patients.making import FAMILIES
from benchmarks.patients.playing import Played
from benchmarks.patients.session import Session
from tests.support.patients import ELM, claimed, listening

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    opened = Session(tmp_path_factory.mktemp("patients"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def goals(session: Session) -> list[Goal]:
    """One of each family."""
    return [goal for family in FAMILIES for goal in session.goals("1", seed=5, families=[family], at=[ELM])]


@pytest.fixture(scope="module")
def checker(session: Session) -> Checker:
    return listening(session)


def told(played: list[Played]) -> str:
    return "\n\n".join(figures.transcript(one) for one in played if not one.passed)


def test_patients_of_every_family_get_what_they_came_for_by_text(session: Session, goals: list[Goal]) -> None:
    played = list(session.play(goals, runs=1, seed=1, channel="text"))

    assert sum(one.passed for one in played) >= len(FAMILIES) - 1, told(played)
    assert [one.unsupported for one in played if one.unsupported] == []


def test_the_same_patients_say_and_hear_the_same_again(session: Session, goals: list[Goal]) -> None:
    again = [list(session.play(goals[:2], runs=1, seed=1, channel="phone")) for _ in range(2)]

    assert [one.transcript for one in again[0]] == [one.transcript for one in again[1]]


def test_goals_come_back_from_their_file(session: Session, goals: list[Goal], tmp_path: Path) -> None:
    session.write(tmp_path / "goals.json", goals)

    assert list(read_goals(tmp_path / "goals.json")) == goals


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("Booked: Dental cleaning, Tue Mar 16, 10:00 AM, Dr. Mina Lee, Main Street.", "not booked in the database"),
        ("Cancelled: Dental cleaning, Tue Mar 16, 10:00 AM, Dr. Mina Lee.", "not cancelled in the database"),
        ("For your cleaning I have Sunday, March 21st at 10 AM with Dr. Lee.", "not free"),
        ("I have Monday, March 16th at 10 AM with Dr. Lee.", "no such day"),
        ("Dental cleaning:\n1) Tue Mar 16, 10:00 AM with Eva Novak, North Side", "not free"),
        ("10:00 AM on Thu Mar 11 is taken. Nothing is free on Thu Mar 11.", "denied but free"),
        ("We are closed at 10:00 AM on Thu Mar 11.", "denied but free"),
        ("You would see Dr. Kildare.", "nobody here is called"),
        ("A cleaning is $12.", "no such price"),
        ("We open at 3:45 AM.", "a time from nowhere"),
        ("You are on the waiting list for a cleaning.", "on no waiting list"),
        ("I have told our staff.", "no task for the staff"),
    ],
)
def test_what_is_not_so_is_found_out(checker: Checker, reply: str, why: str) -> None:
    assert why in " ".join(claimed(checker, reply))


@pytest.mark.parametrize(
    "reply",
    [
        "For your cleaning I have Thursday, March 11th at 10 AM with Dr. Lee at Main Street. Does that suit you?",
        "There is no Dr. Kildare here. A cleaning is $95.",
        "Main Street: Mon-Fri 8:00 AM-6:00 PM.",
        "Nothing is free with Dr. Lee on Wed Mar 17.",
        "We are closed at 5 AM on Thursday, March 11th.",
        "Shall I ask our staff to call you?",
    ],
)
def test_what_is_so_is_no_false_claim(checker: Checker, reply: str) -> None:
    assert claimed(checker, reply) == []
