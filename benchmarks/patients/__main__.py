"""Simulated patients call the clinic through the real webhooks; the diary afterwards is graded, and every claim of every reply.

`python -m benchmarks.patients [--goals N|FILE] [--runs 4] [--seed N] [--noise 0.15] [--phrases FILE] [--channel text|phone]
[--interpreter local|model] [--language en|es] [--endpoint refusing|hanging|nonsense|lying] [--postgresql] [--only FAMILY ...] [--json] [-v]`. With `--json` the
figures and what failed are JSON on standard output; a table of the families is on standard error, with `-v` every conversation that failed. A
file of goals is what `--write FILE` writes. With `--endpoint` everything is played twice, without a language model and with a useless one.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.patients import figures
from benchmarks.patients.comparing import compare
from benchmarks.patients.endpoints import Endpoint
from benchmarks.patients.interpreters import Which, model_settings
from benchmarks.patients.learned import Learned, learn
from benchmarks.patients.making import FAMILIES
from benchmarks.patients.playing import Played
from benchmarks.patients.session import Session
from benchmarks.patients.wording import LANGUAGES, words
from kernel import log
from tests.support.postgres import postgres_server


def main() -> int:
    """Play, grade and print."""
    asked = _arguments()
    log.configure(level="CRITICAL")  # standard output is for the figures
    learned = _learned(asked.phrases)
    began = time.monotonic()
    server = postgres_server() if asked.postgresql else nullcontext()
    with server as running, tempfile.TemporaryDirectory(prefix="frontdesk-patients-") as name:
        folder, model = Path(name), model_settings(asked.interpreter)
        session = Session(
            folder / "first", noise=asked.noise, model=model, learned=learned, server=running, language=asked.language
        )
        goals = session.goals(asked.goals, seed=asked.seed, families=asked.only)
        if asked.write:
            session.write(asked.write, goals)
        played = list(session.play(goals, runs=asked.runs, seed=asked.seed, channel=asked.channel))
        session.close()
        if asked.endpoint:
            return _with_endpoint(asked, played, folder / "second", learned)
    found = figures.of(played, runs=asked.runs, word_error_rate=session.word_error_rate)
    print(figures.table(found, played, took_s=time.monotonic() - began), file=sys.stderr)
    if asked.verbose:
        _print_failed(played)
    _print_figures(asked, found)
    return 0


def _with_endpoint(asked: argparse.Namespace, off: Sequence[Played], folder: Path, learned: Learned | None) -> int:
    """Play the same again with a useless model, and print who still gets what they came for. Fails if somebody does not."""
    compared = compare(
        asked.endpoint,
        off=off,
        folder=folder,
        seed=asked.seed,
        channel=asked.channel,
        noise=asked.noise,
        learned=learned,
    )
    if asked.verbose:
        _print_failed(compared.lost)
    _print_figures(asked, compared.figures())
    return int(bool(compared.lost))


def _print_failed(played: Sequence[Played]) -> None:
    print("\n\n".join(figures.transcript(one) for one in played if not one.passed), file=sys.stderr)


def _print_figures(asked: argparse.Namespace, found: dict[str, Any]) -> None:
    print(json.dumps(found, ensure_ascii=False, indent=None if asked.json else 1))


def _learned(file: Path | None) -> Learned | None:
    if file is None:
        return None
    learned = learn(file, leaving_out=words()["names_a_service"])
    print(f"wording from {file.name}: {learned.count()}", file=sys.stderr)
    return learned


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--goals", default="200", metavar="N|FILE", help="how many, or a file of them (default: 200)")
    parser.add_argument("--runs", "--seeds", type=int, default=4, help="how often each goal is played (default: 4)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--noise", type=float, default=0.0, metavar="RATE", help="word error rate of the recogniser")
    parser.add_argument("--phrases", type=Path, metavar="FILE", help="dialogues that wording is taken from")
    parser.add_argument("--channel", choices=["text", "phone"], default="text")
    parser.add_argument("--interpreter", type=Which, choices=list(Which), default=Which.LOCAL)
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument(
        "--endpoint", type=Endpoint, choices=list(Endpoint), help="compare with a useless language model"
    )
    parser.add_argument("--postgresql", action="store_true", help="keep the diaries in PostgreSQL")
    parser.add_argument("--only", nargs="*", choices=list(FAMILIES), default=(), metavar="FAMILY")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the goals")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the conversations that failed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
