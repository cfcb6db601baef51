"""Simulated patients call the clinic through the real webhooks; the diary afterwards is graded, and every claim of every reply.

`python -m benchmarks.patients [--goals N|FILE] [--runs 4] [--seed N] [--noise 0.15] [--phrases FILE] [--channel text|phone]
[--interpreter local|model] [--only FAMILY ...] [--json] [-v]`. With `--json` the figures and what failed are JSON on standard output; a table
of the families is on standard error, with `-v` every conversation that failed. A file of goals is what `--write FILE` writes.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.patients import figures
from benchmarks.patients.interpreters import Which, model_settings
from benchmarks.patients.learned import Learned, learn
from benchmarks.patients.making import FAMILIES
from benchmarks.patients.session import Session
from benchmarks.patients.wording import words
from kernel import log


def main() -> int:
    """Play, grade and print."""
    asked = _arguments()
    log.configure(level="CRITICAL")  # standard output is for the figures
    learned = _learned(asked.phrases)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="frontdesk-patients-") as folder:
        session = Session(Path(folder), noise=asked.noise, model=model_settings(asked.interpreter), learned=learned)
        goals = session.goals(asked.goals, seed=asked.seed, families=asked.only)
        if asked.write:
            session.write(asked.write, goals)
        played = list(session.play(goals, runs=asked.runs, seed=asked.seed, channel=asked.channel))
        session.close()
    found = figures.of(played, runs=asked.runs, word_error_rate=session.word_error_rate)
    print(figures.table(found, played, took_s=time.monotonic() - began), file=sys.stderr)
    if asked.verbose:
        print("\n\n".join(figures.transcript(one) for one in played if not one.passed), file=sys.stderr)
    print(json.dumps(found, ensure_ascii=False, indent=None if asked.json else 1))
    return 0


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
    parser.add_argument("--only", nargs="*", choices=list(FAMILIES), default=(), metavar="FAMILY")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the goals")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the conversations that failed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
