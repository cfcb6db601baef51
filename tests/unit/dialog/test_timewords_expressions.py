"""Expressions in English and Spanish with the readings that a receptionist would give them, in the form of the evaluation files."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from dialog.timewords import read_time

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[2] / "data"
DAY_MINUTES = 24 * 60


def minute_of(value: str) -> int:
    """Minutes since the first of all days; a time of day alone counts from that day's midnight."""
    day, _, clock = value.partition("T")
    hours, _, minutes = (clock or "00:00").partition(":")
    return (date.fromisoformat(day).toordinal() if day else 0) * DAY_MINUTES + int(hours) * 60 + int(minutes)


def of_same_form(value: str | None, like: str) -> bool:
    return value is not None and (len(value) == len(like) or (like.startswith("T") and "T" in value))


def same(value: str | None, expected: str | None) -> bool:
    if value is None or expected is None:
        return value is expected
    if not of_same_form(value, expected):
        return False
    if expected.startswith("T"):
        return minute_of(value[value.index("T") :]) % DAY_MINUTES == minute_of(expected) % DAY_MINUTES
    return minute_of(value) == minute_of(expected)


def overlaps(start: str | None, end: str | None, expected: list[str]) -> bool:
    """Whether two vague spans share at least half of what they cover together."""
    if start is None or end is None or not (of_same_form(start, expected[0]) and of_same_form(end, expected[1])):
        return False
    mine, theirs = (minute_of(start), minute_of(end)), (minute_of(expected[0]), minute_of(expected[1]))
    both = min(mine[1], theirs[1]) - max(mine[0], theirs[0])
    return 2 * both >= max(mine[1], theirs[1]) - min(mine[0], theirs[0])


def is_right(line: dict[str, Any]) -> bool:
    reading = read_time(
        line["text"], now=datetime.fromisoformat(line["now"]), language=line["language"], asked=line.get("asked")
    )
    said = max(reading.mentions, key=lambda each: each.end - each.start, default=None)
    if said is None or said.open != line.get("open"):
        return False
    if line.get("loose"):
        return any(overlaps(said.value_start, said.value_end, accepted) for accepted in line["accept"])
    return any(same(said.value_start, start) and same(said.value_end, end) for start, end in line["accept"])


@pytest.mark.parametrize(("language", "at_least"), [("en", 0.97), ("es", 0.98)])
def test_what_people_say_about_time_is_read_as_a_receptionist_would(language: str, at_least: float) -> None:
    lines = [json.loads(line) for line in (DATA / f"time_expressions_{language}.jsonl").read_text("utf-8").splitlines()]

    misread = [line["text"] for line in lines if not is_right(line)]

    assert len(misread) <= (1 - at_least) * len(lines), misread


FRAMES = {
    "en": ("HOW ABOUT {}", "I'd like {}", "can I come {}?", "{} would be great, thanks", "is {} free?", "my name is Ann Lee and I want {}"),
    "es": ("¿QUÉ TAL {}?", "quiero una cita {}", "¿tiene algo {}?", "{} me viene bien, gracias", "digamos {}", "me llamo Ana Ruiz y quisiera ir {}"),
}  # fmt: skip


@pytest.mark.parametrize("language", FRAMES)
def test_a_time_is_read_in_a_sentence_as_it_is_alone(language: str) -> None:
    lines = [
        json.loads(line) for line in (DATA / f"time_expressions_{language}.jsonl").read_text("utf-8").splitlines()[::5]
    ]
    framed = [
        {**line, "text": frame.format(line["text"])} for line in lines if is_right(line) for frame in FRAMES[language]
    ]

    misread = [line["text"] for line in framed if not is_right(line)]

    assert len(misread) <= 0.01 * len(framed), misread


@pytest.mark.parametrize(("spoken", "expected"), [("en", "es"), ("es", "en")])
def test_what_is_plainly_in_the_other_language_is_read_in_that(spoken: str, expected: str) -> None:
    lines = [
        json.loads(line) for line in (DATA / f"time_expressions_{spoken}.jsonl").read_text("utf-8").splitlines()[::3]
    ]

    right = [line for line in lines if is_right({**line, "language": expected})]

    assert len(right) >= 0.85 * len(lines)
