"""A Turn in words: what was understood and what was decided, from the codes that were stored. Pure.

A code this release does not know is shown as it is: transcripts outlive releases.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from booking.values import Catalogue
from frontdesk.console.words import Words

_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class KeyNames:
    """Names for the keys that commands carry; a service and a place may have the same key."""

    services: Mapping[str, str]
    practitioners: Mapping[str, str]
    locations: Mapping[str, str]

    @classmethod
    def of(cls, catalogue: Catalogue) -> "KeyNames":
        return cls(
            services={item.key: item.name for item in catalogue.services},
            practitioners={item.key: item.name for item in catalogue.practitioners},
            locations={item.key: item.name for item in catalogue.locations},
        )

    def named(self, command: str, keys: list[str]) -> list[str]:
        by_subject = {"service": self.services, "practitioner": self.practitioners, "location": self.locations}
        names = by_subject.get(command.rpartition("_")[2], {})
        return [names.get(key, key) for key in keys]


class _Details(dict[str, str]):
    """What a command carries; details it lacks are left out of the sentence."""

    def __missing__(self, key: str) -> str:
        return ""


def command_words(command: Mapping[str, Any], *, names: KeyNames, words: Words) -> str:
    """Say what one command means: "With: Dr. Mina Lee"."""
    name = str(command.get("name", "?"))
    key = f"command.{name}"
    if key not in words:
        return name.replace("_", " ")
    sentence = words.raw(key).format_map(_details(name, command, names, words))
    return _SPACES.sub(" ", sentence).strip().rstrip(":").strip()


def act_words(act: Any, *, words: Words) -> str:
    """Say what one act is: "Offers times"."""
    code = act.get("say") or act.get("name") if isinstance(act, Mapping) else act
    return words.of_code("act", str(code))


def _details(name: str, command: Mapping[str, Any], names: KeyNames, words: Words) -> _Details:
    details = _Details()
    for field, value in command.items():
        if value is None or value == "":
            continue
        if isinstance(value, list):
            details[field] = ", ".join(names.named(name, [str(item) for item in value]))
        else:
            details[field] = str(value)
    if isinstance(command.get("index"), int):
        index = command["index"]
        details["choice"] = words("command_detail.last") if index < 0 else str(index + 1)
    if isinstance(command.get("minutes"), int):
        details["minutes"] = words("command_detail.minutes", n=command["minutes"])
    return details
