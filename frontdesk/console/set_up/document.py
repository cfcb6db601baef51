"""A clinic's document while it is changed: one part put in, taken out or compared. Pure; nothing given is changed."""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from booking.clinic_file.remarks import Place, Remark
from booking.clinic_file.schema import CalendarsPart, MessagesPart, RulesPart
from frontdesk.console.set_up.fields import GROUPS, SINGLE

_DEFAULTS: Mapping[str, BaseModel] = {"rules": RulesPart(), "calendars": CalendarsPart(), "messages": MessagesPart()}

Document = Mapping[str, Any]
Part = dict[str, Any]


class Difference(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True)
class Change:
    """What differs between two documents: of a group the part with `key`, else the section as such."""

    section: str
    key: str
    difference: Difference


def keys_of(document: Document, group: str) -> list[str]:
    """Return what names the parts of a group, in their order: their keys; of answers, which have none, what they say.

    An answer by its number would be another one as soon as one before it is gone.
    """
    parts = document.get(group, [])
    return list(_digests(parts)) if group == "answers" else [part["key"] for part in parts]


def names_in(document: Document, group: str) -> dict[str, str]:
    """Return what the parts of a group are called, by what names them in addresses and in the file."""
    called = (name_of(document, (group, number)) for number in range(len(document.get(group, []))))
    return dict(zip(keys_of(document, group), called, strict=True))


def part_of(document: Document, section: str, key: str | None) -> Part | None:
    """Return a part of a group, or a section there is one of (`key` is None); None if there is no such part.

    A section says what holds, also where the file leaves it to the default.
    """
    if section in SINGLE:
        defaults = _DEFAULTS[section].model_dump(mode="json", exclude_none=True) if section in _DEFAULTS else {}
        return {**defaults, **document.get(section, {})}
    return dict(zip(keys_of(document, section), document.get(section, []), strict=True)).get(key or "")


def with_part(document: Document, section: str, key: str | None, part: Part) -> tuple[Document, Place]:
    """Return the document with `part` in the place of what `key` names, or at the end of its group; and that place."""
    if section in SINGLE:
        return {**document, section: part}, (section,)
    parts, keys = list(document.get(section, [])), keys_of(document, section)
    position = keys.index(key) if key in keys else len(parts)
    parts[position : position + 1] = [part]
    return {**document, section: parts}, (section, position)


def without_part(document: Document, group: str, key: str) -> Document:
    """Return the document without a part, and without what names it: what is left to say, a check will say."""
    named = zip(keys_of(document, group), document[group], strict=True)
    left = {**document, group: [part for name, part in named if name != key]}
    if group == "services":
        left["practitioners"] = [_without_service(person, key) for person in document.get("practitioners", [])]
    if group == "locations":
        left["practitioners"] = [_without_location(person, key) for person in document.get("practitioners", [])]
        left["resources"] = [part for part in document.get("resources", []) if part["location"] != key]
    return left


def remarks_on_part(remarks: Sequence[Remark], place: Place) -> tuple[list[Remark], list[Remark]]:
    """Return the remarks on the part at `place`, with their places in it, and those on the rest of the document."""
    inside = [remark for remark in remarks if remark.place[: len(place)] == place]
    outside = [remark for remark in remarks if remark not in inside]
    return [replace(remark, place=remark.place[len(place) :]) for remark in inside], outside


def name_of(document: Document, place: Place) -> str:
    """Return what the part of a group that `place` lies in is called; nothing where it lies in none."""
    match place:
        case (str(group), int(number), *_) if group in GROUPS:
            part = document[group][number]
            return str(part.get("name") or part.get("topic") or part.get("key") or "")
        case _:
            return ""


def new_key(document: Document, group: str, name: str) -> str:
    """Make a key out of a name that no other part of the group has."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    wanted = re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:50] or group.removesuffix("s")
    taken, number, key = set(keys_of(document, group)), 2, wanted
    while key in taken:
        key, number = f"{wanted}-{number}", number + 1
    return key


def changes(before: Document, after: Document) -> list[Change]:
    """Return what differs between two documents, in the order of the file."""
    found = [
        Change(section, "", Difference.CHANGED)
        for section in SINGLE
        if before.get(section, {}) != after.get(section, {})
    ]
    for group in GROUPS:
        was, will_be = _by_key(before, group), _by_key(after, group)
        for key in [*was, *(key for key in will_be if key not in was)]:
            if key not in will_be:
                found.append(Change(group, key, Difference.REMOVED))
            elif key not in was:
                found.append(Change(group, key, Difference.ADDED))
            elif was[key] != will_be[key]:
                found.append(Change(group, key, Difference.CHANGED))
    return found


def _digests(parts: Sequence[Part]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for part in parts:
        said = json.dumps(part, sort_keys=True)
        seen[said] += 1
        yield hashlib.sha256(f"{said}{seen[said]}".encode()).hexdigest()[:12]


def _by_key(document: Document, group: str) -> dict[str, Part]:
    # Answers by what they say: with their number every one behind a new one would count as changed.
    if group == "answers":
        return {f"{part['topic']}: {part['text']}": part for part in document.get(group, [])}
    return {part["key"]: part for part in document.get(group, [])}


def _without_service(person: Part, key: str) -> Part:
    return {**person, "services": [one for one in person.get("services", []) if one != key]}


def _without_location(person: Part, key: str) -> Part:
    return {**person, "schedules": [one for one in person.get("schedules", []) if one["location"] != key]}
