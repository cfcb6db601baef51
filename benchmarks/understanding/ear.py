"""The product's own interpreter with a stop-watch, and the files that it listens to."""

import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from os import environ
from pathlib import Path
from typing import Any

from booking.values import Catalogue
from dialog.interpreter import Interpretation, Interpreter, Listening
from frontdesk.bootstrap import make_interpreter
from frontdesk.understand import read_clinic
from kernel.config import load_settings

CLINICS = Path(__file__).parents[1] / "clinics"
DEMO = "demo"
_DEADLINE_S = 6.0


class Which(StrEnum):
    """Who interprets: phrases and rules alone, or with the language model of the settings behind them."""

    LOCAL = "local"
    MODEL = "model"


@dataclass
class Ear:
    """Interprets, and keeps how long each utterance took in milliseconds.

    The local interpreter is measured by the time its core worked, which others on the machine don't change; a model by the clock on the wall.
    """

    interpreter: Interpreter
    clock: Callable[[], float] = time.thread_time
    took_ms: list[float] = field(default_factory=list)

    def hear(self, text: str, listening: Listening) -> Interpretation:
        """Say what `text` means."""
        began = self.clock()
        understood = self.interpreter.interpret(text, listening, deadline_s=_DEADLINE_S)
        self.took_ms.append((self.clock() - began) * 1000)
        return understood

    def quantile_ms(self, percent: int) -> float:
        """Give the time that `percent` of the utterances did not exceed."""
        return statistics.quantiles(self.took_ms, n=100, method="inclusive")[percent - 1]

    def times(self) -> str:
        """Say in a line how long an utterance took."""
        if len(self.took_ms) < 2:
            return "too few utterances for times"
        told = "  ".join(f"p{percent}={self.quantile_ms(percent):.2f} ms" for percent in (50, 95, 99))
        return f"utterances={len(self.took_ms)}  {told}"


def make_ear(which: Which) -> Ear:
    """Make the interpreter as the product does; the model is that of the environment. Raises BadSetting, SystemExit without a model."""
    if which is Which.LOCAL:
        return Ear(make_interpreter(None))
    with tempfile.TemporaryDirectory() as folder:
        model = load_settings({**environ, "FRONTDESK_DATA": folder}).model
    if model is None:
        raise SystemExit("Set FRONTDESK_MODEL, and OPENAI_API_KEY or OPENAI_BASE_URL, to measure with a model.")
    return Ear(make_interpreter(model), clock=time.perf_counter)


@lru_cache
def clinic(name: str) -> Catalogue:
    """Read one of the clinics of benchmarks/clinics, or the demo clinic."""
    return read_clinic(None if name == DEMO else CLINICS / f"{name}.yaml")


def lines(file: Path) -> Iterator[dict[str, Any]]:
    """Read a data file, packed or not: one JSON object a line."""
    packed = file.suffix == ".gz"
    with gzip.open(file, "rt", encoding="utf-8") if packed else file.open(encoding="utf-8") as text:
        yield from (json.loads(line) for line in text if line.strip())
