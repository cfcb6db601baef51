"""Work on one after the other."""

from collections.abc import Callable, Sequence

import pytest

from jobs.in_turn import in_turn
from kernel.errors import Unavailable

pytestmark = pytest.mark.unit


def work_on(steps: Sequence[Callable[[], str]], done: list[str]) -> None:
    with in_turn() as turn:
        for step in steps:
            with turn():
                done.append(step())


def failing_with(failure: Exception) -> Callable[[], str]:
    def step() -> str:
        raise failure

    return step


def test_what_goes_wrong_with_one_is_raised_when_all_have_had_their_turn() -> None:
    done: list[str] = []

    with pytest.raises(KeyError, match="bug"):
        work_on([failing_with(Unavailable("busy")), failing_with(KeyError("bug")), lambda: "well"], done)

    assert done == ["well"]


def test_who_stops_early_hears_of_what_went_wrong_before() -> None:
    def first_good(steps: Sequence[Callable[[], str]]) -> str | None:
        with in_turn() as turn:
            for step in steps:
                with turn():
                    return step()
        return None

    assert first_good([lambda: "well", failing_with(KeyError("bug"))]) == "well"
    with pytest.raises(Unavailable):
        first_good([failing_with(Unavailable("busy")), lambda: "well"])
