"""Patients get what they came for though the language model behind the product refuses, never answers, or talks nonsense."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.patients import figures
from benchmarks.patients.comparing import Compared, compare
from benchmarks.patients.endpoints import Endpoint
from benchmarks.patients.making import clocks
from benchmarks.patients.playing import Played
from benchmarks.patients.session import Session
from dialog import turn
from dialog.inbound import Channel

pytestmark = pytest.mark.integration

ELM = clocks()[1]
FAMILIES = ["hidden", "move"]
SEED = 3


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Played]]:
    """A few patients, who are hard to hear, without a model."""
    session = Session(tmp_path_factory.mktemp("without"), noise=0.15)
    goals = [goal for family in FAMILIES for goal in session.goals("1", seed=SEED, families=[family], at=[ELM])]
    yield list(session.play(goals, runs=1, seed=SEED, channel="phone"))
    session.close()


def with_endpoint(endpoint: Endpoint, without: Sequence[Played], folder: Path) -> Compared:
    return compare(endpoint, off=without, folder=folder, seed=SEED, channel="phone", noise=0.15)


def told(compared: Compared) -> str:
    return "\n\n".join(figures.transcript(one) for one in compared.lost)


@pytest.mark.parametrize("endpoint", [Endpoint.REFUSING, Endpoint.NONSENSE])
def test_who_books_without_a_model_books_with_a_useless_one(
    endpoint: Endpoint, without: list[Played], tmp_path: Path
) -> None:
    compared = with_endpoint(endpoint, without, tmp_path)

    assert compared.booked, "nobody books"
    assert compared.questions, "the model was never asked"
    assert compared.lost == [], told(compared)
    assert [one.unsupported for _, one in compared.pairs if one.unsupported] == []


def test_who_books_without_a_model_books_with_one_that_never_answers(
    without: list[Played], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real ones are seconds; what comes after them is the same.
    monkeypatch.setattr(turn, "INTERPRETER_DEADLINE_S", {Channel.VOICE: 0.5, Channel.SMS: 0.5})

    compared = with_endpoint(Endpoint.HANGING, without, tmp_path)

    assert 0 < compared.questions <= 3, "the breaker did not open"
    assert compared.lost == [], told(compared)
    assert [one.transcript for one, _ in compared.pairs] == [one.transcript for _, one in compared.pairs]


def test_a_liar_books_nothing_that_nobody_said_yes_to(without: list[Played], tmp_path: Path) -> None:
    compared = with_endpoint(Endpoint.LYING, without, tmp_path)

    assert compared.questions, "the model was never asked"
    assert [why for one in compared.lost for why in one.why if why.startswith("also ")] == [], told(compared)
    assert [one.unsupported for _, one in compared.pairs if one.unsupported] == []
