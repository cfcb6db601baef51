"""iCalendar text as components and properties, read however badly it is written.

A parser that takes values for what they say (`icalendar`) stops at the first broken one, and keeps what a text calls a time
zone for the next text. Here nothing is interpreted: what cannot be a property is left out, a component that is not closed ends
with the text. Only properties that say when and for whom are kept, so that a picture in an event costs nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kernel.errors import Malformed

_LONGEST = 1_000_000  # characters of properties that are kept
# fmt: off
_KEPT = frozenset([
    "BEGIN", "END", "UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID",
    "STATUS", "TRANSP", "ATTENDEE", "SUMMARY", "LOCATION", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "X-LIC-LOCATION",
    "X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-CDO-ALLDAYEVENT",
])
# fmt: on
_NEWLINE = re.compile(r"\r\n|\n|\r")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:])*)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class TooLarge(Malformed):
    """More is said than anybody's event can have to say."""


@dataclass(frozen=True)
class Property:
    name: str
    value: str
    parameters: Mapping[str, str]  # names in capitals, values without quotes

    @property
    def text(self) -> str:
        """The value of a property that is text, without its escapes."""
        return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)


@dataclass(frozen=True)
class Component:
    name: str
    properties: list[Property] = field(default_factory=list)
    children: list["Component"] = field(default_factory=list)

    def first(self, name: str) -> Property | None:
        """Return the first property of that name."""
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[Property]:
        """Return the properties of that name in order."""
        return (one for one in self.properties if one.name == name)

    def value(self, name: str) -> str:
        """Return the value of the first property of that name in capitals, or nothing."""
        found = self.first(name)
        return found.value.strip().upper() if found else ""

    def named(self, name: str) -> list["Component"]:
        """Return the components directly inside that have that name."""
        return [one for one in self.children if one.name == name]


def read_calendars(text: str) -> list[Component]:
    """Return the VCALENDARs of a text. Raises TooLarge."""
    root = Component("")
    open_ones, kept = [root], 0
    for line in _unfolded(text):
        read = _property(line)
        if read is None:
            continue
        if read.name == "BEGIN":
            inner = Component(read.value.strip().upper())
            open_ones[-1].children.append(inner)
            open_ones.append(inner)
        elif read.name == "END":
            _close(open_ones, read.value.strip().upper())
        else:
            kept += len(line)
            if kept > _LONGEST:
                raise TooLarge("an object of a calendar says too much")
            open_ones[-1].properties.append(read)
    return root.named("VCALENDAR")


def _unfolded(text: str) -> Iterator[str]:
    parts: list[str] = []
    for line in _NEWLINE.split(text.removeprefix("\ufeff")):
        if line[:1] in {" ", "\t"}:
            parts.append(line[1:])
            continue
        yield "".join(parts)
        parts = [line]
    yield "".join(parts)


def _property(line: str) -> Property | None:
    name = _NAME.match(line)
    if name is None or (called := name[0].upper()) not in _KEPT:
        return None
    at, parameters = name.end(), {}
    while found := _PARAMETER.match(line, at):
        parameters[found[1].upper()] = found[2].replace('"', "")
        at = found.end()
    return Property(called, line[at + 1 :], parameters) if line[at : at + 1] == ":" else None


def _close(open_ones: list[Component], name: str) -> None:
    # An END of what was never begun is no reason to close something else.
    if any(one.name == name for one in open_ones[1:]):
        while open_ones.pop().name != name:
            pass
