"""Wording of acts taken from dialogues that others wrote, so that the product is judged with words nobody here has chosen.

The form is that of `sgd_services_*.jsonl.gz`. Only acts that name no service are taken: yes, no, others, thanks, good-bye, asking
back, giving a date or a time. Dates and times in them are cut out and filled in with what the patient wants.
"""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

YES, NO, OTHERS, THANKS, BYE, WHERE = "AFFIRM", "NEGATE", "REQUEST_ALTS", "THANK_YOU", "GOODBYE", "REQUEST address"
GIVE_DATE, GIVE_TIME, GIVE_BOTH = "INFORM date", "INFORM time", "INFORM date time"

_ACTS = {
    ("AFFIRM",): YES,
    ("NEGATE",): NO,
    ("REQUEST_ALTS",): OTHERS,
    ("NEGATE", "THANK_YOU"): THANKS,
    ("GOODBYE", "THANK_YOU"): BYE,
    ("GOODBYE",): BYE,
    ("REQUEST address",): WHERE,
    ("INFORM appointment_date",): GIVE_DATE,
    ("INFORM appointment_time",): GIVE_TIME,
    ("INFORM appointment_date", "INFORM appointment_time"): GIVE_BOTH,
}
_SLOTS = {"appointment_date": "{date}", "appointment_time": "{time}"}
_LEADING = re.compile(r"\b(?:on|at|for|by|around|about)\s+(?:the\s+)?(?=\{)|\bthe\s+(?=\{)", re.IGNORECASE)


class Learned:
    """Ways of saying acts, by act. Dates and times are open places in them."""

    def __init__(self, ways: Mapping[str, Sequence[str]]) -> None:
        self._ways = ways

    def act(self, act: str, random: Random, **parts: str) -> str | None:
        """Say an act in one of the ways there are, None if there is none."""
        ways = self._ways.get(act)
        return random.choice(ways).format(**parts) if ways else None

    def count(self) -> dict[str, int]:
        """Return how many ways there are of each act."""
        return {act: len(ways) for act, ways in sorted(self._ways.items())}


def learn(file: Path, *, leaving_out: Collection[str]) -> Learned:
    """Read a file of dialogues. What holds a word of `leaving_out` is about a business that no clinic here is, and is not taken."""
    ways: dict[str, dict[str, None]] = defaultdict(dict)
    strange = re.compile(rf"\b(?:{'|'.join(map(re.escape, leaving_out))})s?\b", re.IGNORECASE)
    for turn in _user_turns(file):
        act = _act(turn["frames"])
        way = _open(turn["text"], turn["frames"]) if act and not turn.get("other_services") else None
        if act and way and not strange.search(way):
            ways[act][way] = None
    return Learned({act: list(found) for act, found in ways.items()})


def _user_turns(file: Path) -> Iterator[dict[str, Any]]:
    try:
        with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
            for line in lines:
                yield from (one for one in json.loads(line)["turns"] if one["speaker"] == "USER" and one["frames"])
    except OSError as error:
        raise SystemExit(f"{file}: {error.strerror or error}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise SystemExit(f"{file} is no file of dialogues: {error}") from None


def _act(frames: Iterable[Mapping[str, Any]]) -> str | None:
    """Return which of our acts a turn is; None if it is another, or more than that."""
    named = set()
    for act in (act for frame in frames for act in frame["acts"]):
        has_slot = act["act"] in {"INFORM", "REQUEST"}
        named.add(f"{act['act']} {act['slot']}" if has_slot else act["act"])
    return _ACTS.get(tuple(sorted(named)))


def _open(text: str, frames: Iterable[Mapping[str, Any]]) -> str | None:
    """Cut the date and the time out of a text. None if one of them is not in it as it is annotated."""
    way = text.replace("{", "(").replace("}", ")")
    for act in (
        act for frame in frames for act in frame["acts"] if act.get("slot") in _SLOTS and act["act"] == "INFORM"
    ):
        value = act["values"][0]
        if value not in way:
            return None
        way = way.replace(value, _SLOTS[act["slot"]], 1)
    # What fills the place brings its own preposition.
    return re.sub(r"\s+", " ", _LEADING.sub("", way)).strip()
