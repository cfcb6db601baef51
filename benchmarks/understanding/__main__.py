"""How well the product understands what people say when they book, measured on published data.

`python -m benchmarks.understanding {sgd|time|clinc|star} FILE --out P.jsonl [--interpreter local|model]` feeds FILE through the product's own interpreter,
writes what it understood, and prints the figures of the scorer that lies beside FILE. benchmarks/understanding/report.py does so for all files of
a folder and writes one table. What the data sets are, and whose, is in the README beside them; nothing of their text is kept here.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.understanding.ear import Which, make_ear
from benchmarks.understanding.sets import SETS


def main() -> None:
    """Predict, score and print."""
    asked = _arguments()
    if not asked.file.is_file():
        raise SystemExit(f"There is no file {asked.file}.")
    ear = make_ear(asked.interpreter)
    with asked.out.open("w", encoding="utf-8") as out:
        for prediction in SETS[asked.set](asked.file, ear):
            out.write(json.dumps(prediction, ensure_ascii=False) + "\n")
    print(f"interpreter={asked.interpreter}  {ear.times()}")
    scorer = asked.file.parent / f"score_{asked.set}.py"
    if not scorer.is_file():
        raise SystemExit(
            f"The predictions are in {asked.out}. There is no score: {scorer.name} does not lie beside the data."
        )
    errors = ["--errors", str(asked.errors)] if asked.errors else []
    sys.stdout.flush()
    subprocess.run([sys.executable, str(scorer), str(asked.file), str(asked.out), *errors], check=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="where the predictions go")
    parser.add_argument("--interpreter", type=Which, choices=list(Which), default=Which.LOCAL)
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="also print the first N that are wrong")
    return parser.parse_args()


if __name__ == "__main__":
    main()
