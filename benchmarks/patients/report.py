"""What simulated patients come to without a model, as one table in the documentation.

`python -m benchmarks.patients.report FOLDER DOCUMENT` plays two hundred goals four times each by text, on a bad line, and in the words of every
file of dialogues in FOLDER, and writes the figures between the two marks of DOCUMENT. Nothing of the dialogues goes there.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.patients import figures
from benchmarks.patients.learned import learn
from benchmarks.patients.session import Session
from benchmarks.patients.wording import words
from kernel import log

BEGIN, END = "<!-- figures of patients -->", "<!-- end of figures of patients -->"
_GOALS, _RUNS, _SEED, _NOISE = "200", 4, 1, 0.15


@dataclass(frozen=True)
class Condition:
    """One way in which all goals are played. `phrases`: dialogues whose wording is taken."""

    name: str
    channel: str = "text"
    noise: float = 0.0
    phrases: Path | None = None


def main() -> None:
    """Play, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("document", type=Path)
    asked = parser.parse_args()
    log.configure(level="CRITICAL")
    document = asked.document.read_text(encoding="utf-8")
    head, _, rest = document.partition(BEGIN)
    _, mark, tail = rest.partition(END)
    if not mark:
        raise SystemExit(f"{asked.document} has no place for the figures: {BEGIN} and {END}.")
    rows = [_row(one, _measured(one)) for one in _conditions(asked.folder)]
    heading = "| patients | pass^1 | pass^4 | unsupported claims in 1,000 turns | turns to book | seconds of speech | handed to a person |"
    table = "\n".join([heading, "| --- | --: | --: | --: | --: | --: | --: |", *rows])
    asked.document.write_text(f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}", encoding="utf-8")


def _conditions(folder: Path) -> Iterator[Condition]:
    yield Condition("by text")
    yield Condition("by phone", channel="phone")
    yield Condition("by phone, 15 % of the words misheard", channel="phone", noise=_NOISE)
    for file in sorted(folder.glob("sgd_services_*.jsonl*")):
        yield Condition(f"by text, in the words of {file.name.partition('.')[0]}", phrases=file)


def _measured(condition: Condition) -> dict[str, Any]:
    learned = learn(condition.phrases, leaving_out=words()["names_a_service"]) if condition.phrases else None
    with tempfile.TemporaryDirectory(prefix="frontdesk-patients-") as folder:
        session = Session(Path(folder), noise=condition.noise, learned=learned)
        goals = session.goals(_GOALS, seed=_SEED)
        played = list(session.play(goals, runs=_RUNS, seed=_SEED, channel=condition.channel))
        session.close()
    print(f"{condition.name}: done", file=sys.stderr)
    return figures.of(played, runs=_RUNS, word_error_rate=session.word_error_rate)


def _row(condition: Condition, found: dict[str, Any]) -> str:
    speech = f"{found['speech_s_median']:.0f}" if condition.channel == "phone" else ""
    cells = [
        condition.name,
        f"{found['pass1']:.3f}",
        f"{found[f'pass{_RUNS}']:.3f}",
        f"{found['unsupported_per_1000']:.2f}",
        f"{found['turns_median']:.0f}",
        speech,
        f"{100 * found['handed_over']:.1f} %",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
