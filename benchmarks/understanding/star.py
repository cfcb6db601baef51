"""STAR: chats with a doctor's office."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.understanding.ear import Ear, lines


def predict(file: Path, ear: Ear) -> Iterator[dict[str, Any]]:
    """Give what was booked in each chat."""
    for dialogue in lines(file):
        yield {"dialogue_id": dialogue["dialogue_id"], "bookings": []}
