"""What simulated patients come to without a model, and with useless ones, as two tables in the documentation.

`python -m benchmarks.patients.report FOLDER DOCUMENT` plays two hundred goals four times each by text and on a bad line, once each in the words of every
file of dialogues in FOLDER, fewer in Spanish, and some again with each kind of useless model; it writes the figures between the marks of
DOCUMENT. Nothing of the dialogues goes there.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.patients import figures
from benchmarks.patients.comparing import compare
from benchmarks.patients.endpoints import Endpoint
from benchmarks.patients.learned import learn
from benchmarks.patients.playing import Played
from benchmarks.patients.session import Session
from benchmarks.patients.wording import words
from kernel import log

PATIENTS = ("<!-- figures of patients -->", "<!-- end of figures of patients -->")
ENDPOINTS = ("<!-- figures of useless models -->", "<!-- end of figures of useless models -->")
_GOALS, _GOALS_IN_SPANISH, _RUNS, _SEED, _NOISE = "200", "50", 4, 1, 0.15
_COMPARED = 60
_TOLD = {
    Endpoint.REFUSING: "refuses: 401, 429, 503, a dropped connection, a polite no",
    Endpoint.HANGING: "never answers",
    Endpoint.NONSENSE: "talks nonsense: prose, broken JSON, another form, keys of nothing",
    Endpoint.LYING: "lies in perfect form, sure of what is not so",
}


@dataclass(frozen=True)
class Condition:
    """One way in which all goals are played. `phrases`: dialogues whose wording is taken."""

    name: str
    channel: str = "text"
    noise: float = 0.0
    phrases: Path | None = None
    language: str = "en"
    goals: str = _GOALS
    runs: int = _RUNS


_BAD_LINE = Condition("by phone, 15 % of the words misheard", channel="phone", noise=_NOISE)


def main() -> None:
    """Play, in a process for each processor, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("document", type=Path)
    asked = parser.parse_args()
    log.configure(level="CRITICAL")
    for marks in (PATIENTS, ENDPOINTS):
        _cut(asked.document, marks)  # rather now than after all the work
    conditions = list(_conditions(asked.folder))
    quietly = partial(log.configure, level="CRITICAL")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=quietly) as processes:
        found = list(processes.map(_played, conditions))
        heading = "| patients | pass^1 | pass^4 | unsupported claims in 1,000 turns | turns to book | seconds of speech | handed to a person |"
        rows = [_row(condition, played) for condition, played in zip(conditions, found, strict=True)]
        _write(asked.document, PATIENTS, [heading, "| --- | --: | --: | --: | --: | --: | --: |", *rows])
        on_a_bad_line = found[conditions.index(_BAD_LINE)]
        once = [one for one in on_a_bad_line if one.run == _SEED * 1000][:_COMPARED]
        heading = "| the model's server | it was asked | bookings without it | the same with it | unsupported claims in 1,000 turns |"
        compared = processes.map(partial(_compared, off=once), Endpoint)
        _write(asked.document, ENDPOINTS, [heading, "| --- | --: | --: | --: | --: |", *compared])


def _cut(document: Path, marks: tuple[str, str]) -> tuple[str, str]:
    """Return what stands before the first mark, and after the second."""
    head, _, rest = document.read_text(encoding="utf-8").partition(marks[0])
    _, mark, tail = rest.partition(marks[1])
    if not mark:
        raise SystemExit(f"{document} has no place for the figures: {marks[0]} and {marks[1]}.")
    return head, tail


def _write(document: Path, marks: tuple[str, str], table: Sequence[str]) -> None:
    head, tail = _cut(document, marks)
    document.write_text("".join([head, marks[0], "\n\n", "\n".join(table), "\n\n", marks[1], tail]), encoding="utf-8")


def _conditions(folder: Path) -> Iterator[Condition]:
    yield _BAD_LINE  # takes longest
    yield Condition("by text")
    yield Condition("by phone", channel="phone", runs=1)
    for file in sorted(folder.glob("sgd_services_*.jsonl*")):
        yield Condition(f"by text, in the words of {file.name.partition('.')[0]}", phrases=file, runs=1)
    yield Condition("by text, in Spanish", language="es", goals=_GOALS_IN_SPANISH)
    yield Condition("by phone, in Spanish", channel="phone", language="es", goals=_GOALS_IN_SPANISH, runs=1)


def _played(condition: Condition) -> list[Played]:
    learned = learn(condition.phrases, leaving_out=words()["names_a_service"]) if condition.phrases else None
    with tempfile.TemporaryDirectory(prefix="frontdesk-patients-") as folder:
        session = Session(Path(folder), noise=condition.noise, learned=learned, language=condition.language)
        goals = session.goals(condition.goals, seed=_SEED)
        played = list(session.play(goals, runs=condition.runs, seed=_SEED, channel=condition.channel))
        session.close()
    print(f"{condition.name}: done", file=sys.stderr)
    return played


def _compared(endpoint: Endpoint, *, off: Sequence[Played]) -> str:
    with tempfile.TemporaryDirectory(prefix="frontdesk-patients-") as folder:
        compared = compare(
            endpoint, off=off, folder=Path(folder), seed=_SEED, channel=_BAD_LINE.channel, noise=_BAD_LINE.noise
        )
    print(f"with a model that is {endpoint}: done", file=sys.stderr)
    found = compared.figures()
    cells = [
        _TOLD[endpoint],
        f"{found['questions']} times",
        f"{found['booked_without']} of {found['conversations']}",
        f"{found['still_book']} ({100 * compared.share:.0f} %)",
        f"{found['unsupported_per_1000']:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _row(condition: Condition, played: Sequence[Played]) -> str:
    found = figures.of(played, runs=condition.runs, word_error_rate=None)
    speech = f"{found['speech_s_median']:.0f}" if condition.channel == "phone" else ""
    cells = [
        condition.name,
        f"{found['pass1']:.3f}",
        f"{found[f'pass{_RUNS}']:.3f}" if condition.runs == _RUNS else "",
        f"{found['unsupported_per_1000']:.2f}",
        f"{found['turns_median']:.0f}",
        speech,
        f"{100 * found['handed_over']:.1f} %",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
