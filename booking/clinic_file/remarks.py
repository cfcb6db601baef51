"""What there is to say about a clinic file, in the language of who reads it: what is wrong with it, or probably not meant.

A remark is a code with details; `sentences` has a sentence for each code in each language. Command lines are in English.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from ruamel.yaml import YAML

LANGUAGES = ("en", "es")

Place = tuple[int | str, ...]
"""Where in the file: keys and positions from the top."""


@dataclass(frozen=True)
class Remark:
    """`fields` are what the sentence of `code` names: texts and numbers, a `weekday` from 0 = Monday, a `group` of the file by its key."""

    code: str
    place: Place = ()
    fields: Mapping[str, Any] = field(default_factory=dict)


def sentence(remark: Remark, language: str = LANGUAGES[0]) -> str:
    """Return what a remark says, without its place. A language that is not there gets English."""
    words = sentences(language if language in LANGUAGES else LANGUAGES[0])
    template: str = words["remarks"][remark.code]
    return template.format(**{name: _worded(words, name, value) for name, value in remark.fields.items()})


def line(remark: Remark, language: str = LANGUAGES[0]) -> str:
    """Return what a remark says, after the key that it is about."""
    text = sentence(remark, language)
    return f"{path_text(remark.place)}: {text}" if remark.place else text


def path_text(place: Place) -> str:
    """Write a place in the file, like `practitioners[0].hours`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@cache
def sentences(language: str) -> Mapping[str, Any]:
    """Return the sentences by code and the words in them, read once per process."""
    source = resources.files("booking.clinic_file").joinpath("sentences", f"{language}.yaml")
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8"))
    return loaded


def _worded(words: Mapping[str, Any], name: str, value: Any) -> Any:
    match name:
        case "weekday":
            return words["weekdays"][value]
        case "group":
            return words["groups"][value]
        case _:
            return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
