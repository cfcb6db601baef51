"""Time expressions: the value of the mention that says most, exactly as the product's records have it."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.understanding.ear import Ear, clinic, lines
from dialog import commands as say
from dialog.interpreter import Asked, Listening
from dialog.timewords import TimeMention, read_time


def predict(file: Path, ear: Ear) -> Iterator[dict[str, Any]]:
    """Give start, end and openness of each expression. The interpreter hears it too, for its time and for what it takes as no time."""
    for line in lines(file):
        now = datetime.fromisoformat(line["now"])
        language = line.get("language", "en")
        listening = Listening(clinic("providers"), now, language=language, asked=Asked.WHEN)
        understood = ear.hear(line["text"], listening)
        is_time = any(isinstance(each, say.GiveTime) for each in understood.commands)
        mentions = read_time(line["text"], now=now, language=understood.language, asked="when").mentions
        yield {"id": line["id"], **(_value(mentions) if is_time else {"start": None, "end": None})}


def _value(mentions: tuple[TimeMention, ...]) -> dict[str, Any]:
    if not mentions:
        return {"start": None, "end": None}
    fullest = max(mentions, key=lambda each: each.end - each.start)
    return {"start": fullest.value_start, "end": fullest.value_end, "open": fullest.open}
