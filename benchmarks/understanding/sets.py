"""The data sets by name: each makes predictions in the form that its scorer reads."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.understanding import clinc, sgd, star, times
from benchmarks.understanding.ear import Ear

SETS: dict[str, Callable[[Path, Ear], Iterator[dict[str, Any]]]] = {
    "sgd": sgd.predict,
    "time": times.predict,
    "clinc": clinc.predict,
    "star": star.predict,
}
