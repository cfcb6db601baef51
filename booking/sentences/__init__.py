"""Refusals as a sentence that a caller understands, in each language: for pages and programs.

A conversation has wording of its own, for ear and eye. A code without a sentence here fails a test.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from booking.values import Catalogue
from kernel.errors import Refused

LANGUAGES = ("en", "es")


def sentence(refusal: Refused, *, catalogue: Catalogue, language: str, zone: ZoneInfo | None = None) -> str:
    """Return the sentence for `refusal`; times are wall time of `zone`, or of the clinic. An unknown language gets English."""
    words = _words(language if language in LANGUAGES else LANGUAGES[0])
    values = _Values(refusal.fields, catalogue, words["parts"], zone or catalogue.zone)
    template: str = words.get(refusal.code) or words["refused"]
    return template.format_map(values)


def plain_sentence(code: str, *, language: str) -> str:
    """Return the sentence for a refusal of which only the code is known: the general one where its own names values."""
    words = _words(language if language in LANGUAGES else LANGUAGES[0])
    template = str(words.get(code, words["refused"]))
    return str(words["refused"]) if "{" in template else template


@lru_cache
def _words(language: str) -> Mapping[str, Any]:
    source = resources.files("booking.sentences").joinpath(f"{language}.yaml")
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8"))
    return loaded


class _Values(dict[str, str]):
    """What a sentence may name, made from the refusal's fields."""

    def __init__(
        self, fields: Mapping[str, Any], catalogue: Catalogue, parts: Mapping[str, str], zone: ZoneInfo
    ) -> None:
        super().__init__()
        self._fields = fields
        self._catalogue = catalogue
        self._parts = parts
        self._zone = zone

    def __missing__(self, name: str) -> str:
        if name.endswith("_minutes"):
            return self._length(self._fields.get(name, 0))
        if name.endswith("_at"):
            return self._moment(self._fields[name])
        if name in {"people", "places"}:
            return self._names(name)
        return str(self._fields.get(name, self._parts["unknown"]))

    def _length(self, minutes: int) -> str:
        for unit, size in (("days", 24 * 60), ("hours", 60), ("minutes", 1)):
            if minutes >= size and minutes % size == 0:
                number = minutes // size
                return self._parts[unit if number != 1 else unit[:-1]].format(number=number)
        return self._parts["minutes"].format(number=minutes)

    def _moment(self, text: str) -> str:
        wall = datetime.fromisoformat(text).astimezone(self._zone)
        return self._parts["moment"].format(day=wall.day, month=wall.month, year=wall.year, clock=f"{wall:%H:%M}")

    def _names(self, name: str) -> str:
        ids = self._fields.get("practitioner_ids" if name == "people" else "location_ids") or []
        if name == "people":
            found = [self._catalogue.practitioner(one).name for one in ids]
        else:
            found = [self._catalogue.location(one).name for one in ids]
        return self._parts["or"].join(found) if found else self._parts["nobody" if name == "people" else "clinic"]
