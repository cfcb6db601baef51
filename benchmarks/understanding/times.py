"""Time expressions: the value of the mention that says most of what is wished, exactly as the product's records have it."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.understanding.ear import Ear, clinic, lines
from dialog import commands as say
from dialog.interpreter import Asked, Listening
from dialog.timewords import TimeMention, TimeReading, TimeWish, read_time


def predict(file: Path, ear: Ear) -> Iterator[dict[str, Any]]:
    """Give start, end and openness of each expression. The interpreter hears it too, for its time and for what it takes as no time."""
    for line in lines(file):
        now = datetime.fromisoformat(line["now"])
        language = line.get("language", "en")
        listening = Listening(clinic("providers"), now, language=language, asked=Asked.WHEN)
        understood = ear.hear(line["text"], listening)
        is_time = any(isinstance(each, say.GiveTime) for each in understood.commands)
        reading = read_time(line["text"], now=now, language=understood.language, asked="when")
        yield {"id": line["id"], **(_value(reading) if is_time else {"start": None, "end": None})}


def _value(reading: TimeReading) -> dict[str, Any]:
    if not reading.mentions:
        return {"start": None, "end": None}
    fullest = max(reading.mentions, key=lambda each: (_is_wished(each, reading.wish), each.end - each.start))
    return {"start": fullest.value_start, "end": fullest.value_end, "open": fullest.open}


def _is_wished(mention: TimeMention, wish: TimeWish | None) -> bool:
    """Whether it has a value and is not refused or replaced by another in the same utterance."""
    if mention.value_start is None and mention.value_end is None:
        return False
    if wish is None:
        return True
    own = mention.wish
    if wish.at_minute is not None and own.at_minute not in {None, wish.at_minute, *wish.at_alternatives}:
        return False
    return not wish.days or all(
        any(one.first < day.end and day.first < one.end for day in wish.days) for one in own.days
    )
