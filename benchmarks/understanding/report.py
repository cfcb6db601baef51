"""All that is measured of understanding without a model, as one table in the documentation.

`python -m benchmarks.understanding.report FOLDER DOCUMENT` feeds every data file of FOLDER through the local interpreter and writes the figures between the
two marks of DOCUMENT. Nothing of the data goes there.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.understanding.ear import Which, make_ear
from benchmarks.understanding.sets import SETS

BEGIN, END = "<!-- figures of understanding -->", "<!-- end of figures -->"


@dataclass(frozen=True)
class Figure:
    """A figure of a scorer, and what is wanted of it."""

    key: str
    name: str
    target: str = ""


_SGD = (
    Figure("turn_exact", "turns wholly right"),
    Figure("act_f1", "acts, F1"),
    Figure("slot_f1", "slots, F1"),
    Figure("intent_acc", "intent"),
    Figure("requested_f1", "what is asked, F1"),
    Figure("flagged_oos", "taken for another business", "≤ 0.02"),
)
_FIGURES: Mapping[str, tuple[Figure, ...]] = {
    "sgd": _SGD,
    "time": (Figure("exact", "exact", "≥ 0.95"),),
    "clinc": (
        Figure("score", "score", "≥ 0.92"),
        Figure("control_acc", "words that steer a conversation"),
        Figure("reject", "other businesses' told apart"),
    ),
    "star": (
        Figure("booking_exact", "bookings wholly right", "≥ 0.68"),
        Figure("count_ok", "right number of bookings"),
    ),
}
_SGD_TARGETS = {
    "dev": {"turn_exact": "≥ 0.93", "act_f1": "≥ 0.98", "slot_f1": "≥ 0.985", "intent_acc": "≥ 0.98"},
    "train": {"turn_exact": "≥ 0.88"},
}
_BEGINNINGS = {"sgd_services_": "sgd", "time_expressions_": "time", "clinc150_": "clinc", "star_doctor_": "star"}


def main() -> None:
    """Measure all files of the folder and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("document", type=Path)
    asked = parser.parse_args()
    files = sorted(file for file in asked.folder.glob("*.jsonl*") if _set_of(file)) if asked.folder.is_dir() else []
    if not files:
        raise SystemExit(
            f"There is no data in {asked.folder}: nothing was measured. Say where it is, as in make eval DATA=FOLDER."
        )
    rows = [row for file in files for row in _measured(file)]
    document = asked.document.read_text(encoding="utf-8")
    head, _, rest = document.partition(BEGIN)
    _, mark, tail = rest.partition(END)
    if not mark:
        raise SystemExit(f"{asked.document} has no place for the figures: {BEGIN} and {END}.")
    table = "\n".join(["| data | what | figure | target |", "| --- | --- | --: | --- |", *rows])
    asked.document.write_text(f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}", encoding="utf-8")
    print(f"{len(rows)} figures are in {asked.document}.")


def _set_of(file: Path) -> str | None:
    return next((name for beginning, name in _BEGINNINGS.items() if file.name.startswith(beginning)), None)


def _measured(file: Path) -> Iterator[str]:
    name = _set_of(file) or ""
    ear = make_ear(Which.LOCAL)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "predictions.jsonl"
        with out.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(each) + "\n" for each in SETS[name](file, ear))
        scored = _score(file, out, name)
    label = file.name.partition(".")[0]
    for figure in _FIGURES[name]:
        target = next((targets.get(figure.key, "") for part, targets in _SGD_TARGETS.items() if part in label), "")
        yield f"| {label} | {figure.name} | {scored[figure.key]:.3f} | {figure.target or target} |"
    yield f"| {label} | processor time of an utterance, median and p95 | {ear.quantile_ms(50):.1f} and {ear.quantile_ms(95):.1f} ms | p95 ≤ 10 ms |"
    print(f"{label}: done", file=sys.stderr)


def _score(file: Path, predictions: Path, name: str) -> dict[str, Any]:
    scorer = file.parent / f"score_{name}.py"
    if not scorer.is_file():
        raise SystemExit(f"There is no score: {scorer.name} does not lie beside {file.name}.")
    done = subprocess.run(
        [sys.executable, str(scorer), str(file), str(predictions), "--json"], check=True, capture_output=True, text=True
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    main()
