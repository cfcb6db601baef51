"""A correction as a case: a script in which nobody's data stands, with what is expected of the agent.

A case is the conversation it was made of, on the clinic as it was, with other names, numbers and dates of birth; the clinic's
own staff and services stay. Words in which somebody may still be told are shown to staff, who write them anew.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from booking.clinic_file import document_text
from booking.values import Catalogue
from dialog.countries import writes_month_first
from dialog.inbound import InboundKind
from dialog.interpreter import Listening
from dialog.languages import SPOKEN
from dialog.model import Turn
from dialog.model_privacy import one_line, without_personal_data
from frontdesk.opening import OPENING
from frontdesk.replay.corrections import Meaning
from frontdesk.replay.disguise import Disguise, Disguised, Heard
from frontdesk.replay.past import STRANGER, birth_dates, heard_commands
from frontdesk.replay.replay import Recording
from frontdesk.replay.script import WITHHELD

MEANT = 0
"""The number under which staff's own words stand among the words of the Turns."""
_PERSONAL = {"give_name", "give_birth_date", "give_phone", "give_email"}
_FREE = {"leave_message"}
_NAMES = {"give_name": "value", "book_for": "person"}


@dataclass(frozen=True)
class Words:
    """What was said in a Turn, and what stands for it in the case. `is_doubtful`: somebody may still be told in it."""

    number: int
    said: str
    proposed: str
    is_doubtful: bool

    @property
    def is_changed(self) -> bool:
        return self.said != self.proposed


@dataclass(frozen=True)
class Case:
    """A case ready to be read, played or written. `words` are all that stand in it and were a patient's or staff's."""

    content: Mapping[str, Any]
    words: tuple[Words, ...]

    @property
    def is_doubtful(self) -> bool:
        return any(one.is_doubtful for one in self.words)

    def text(self) -> str:
        """Write it as `frontdesk chat --script` reads it."""
        return document_text(self.content)


def make_case(
    recording: Recording,
    *,
    turn_number: int,
    meaning: Meaning,
    catalogue: Catalogue,
    read: Mapping[int, str] | None = None,
) -> Case:
    """Return the case of a correction. `catalogue` tells the clinic's own words; `read` are words as staff wrote them anew,
    by the number of the Turn: these are not doubtful any more.
    """
    script = recording.script.content
    disguise = _disguise(recording, catalogue)
    words = [_words(turn, disguise, catalogue) for turn in recording.turns if turn.number in recording.script.step_of]
    words.append(_staffs_words(meaning, recording, disguise, catalogue))
    words = [_as_read(one, read) for one in words if one.said]
    by_number = {one.number: one.proposed for one in words}
    steps = [dict(step) for step in script["turns"]]
    for number, at in recording.script.step_of.items():
        for name in ("say", "digits"):
            if name in steps[at]:
                steps[at][name] = by_number.get(number, "")
    if turn_number in recording.script.step_of and meaning.commands:
        steps[recording.script.step_of[turn_number]]["means"] = list(meaning.commands)
    caller = script["from"]
    content = {
        "meant": by_number.get(MEANT, ""),
        "clinic": _clinic(script["clinic"], disguise),
        **{name: script[name] for name in ("now", "channel")},
        "from": caller if caller == WITHHELD else disguise.number(caller),
        **{name: script[name] for name in OPENING if name in script},
        "turns": steps,
        "expect": _expected(meaning),
    }
    return Case(content, tuple(words))


def _disguise(recording: Recording, catalogue: Catalogue) -> Disguise:
    script, turns = recording.script.content, recording.turns
    clinic = script["clinic"]
    patients = [one for one in clinic["patients"] if one["key"] != STRANGER]
    heard = [command for turn in turns for command in heard_commands(turn)]
    numbers = [one["phone"] for one in patients if "phone" in one] + _values(heard, "give_phone")
    emails = [one["email"] for one in patients if "email" in one] + _values(heard, "give_email")
    caller = [] if script["from"] == WITHHELD else [script["from"]]
    days = int(hashlib.sha256(recording.conversation_id.encode()).hexdigest()[:8], 16) % 300
    return Disguise(
        names=[one["name"] for one in patients] + [name for command in heard for name in _names(command)],
        numbers=[*caller, *numbers],
        emails=emails,
        births=[date.fromisoformat(one["born"]) for one in patients if "born" in one] + birth_dates(turns),
        kept=_own_words(clinic, catalogue),
        shift=-timedelta(days=40 + days),
        now=_wall(turns[0], catalogue),
        day_first=not writes_month_first(catalogue.country),
    )


def _values(commands: Iterable[Mapping[str, Any]], name: str) -> list[str]:
    found = [command.get("value") for command in commands if command["name"] == name]
    return [str(value) for value in found if value]


def _names(command: Mapping[str, Any]) -> list[str]:
    field = _NAMES.get(command["name"])
    return [str(command[field])] if field and command.get(field) else []


def _own_words(clinic: Mapping[str, Any], catalogue: Catalogue) -> list[str]:
    """Return what the clinic calls itself, its people, places and services, then and now."""
    texts = [clinic["clinic"]["name"], catalogue.name]
    for part in ("locations", "services", "practitioners"):
        for one in clinic.get(part, ()):
            texts += [one["name"], *one.get("aliases", ()), *one.get("reasons", ()), one.get("address", "")]
    return texts


def _clinic(clinic: Mapping[str, Any], disguise: Disguise) -> dict[str, Any]:
    return {**clinic, "patients": [_patient(one, disguise) for one in clinic["patients"]]}


def _patient(part: Mapping[str, Any], disguise: Disguise) -> dict[str, Any]:
    """Return a patient with other data. Where they live is left out."""
    if part["key"] == STRANGER:
        return dict(part)
    other = {name: part[name] for name in ("key", "language") if name in part}
    other["name"] = disguise.name(part["name"])
    if "phone" in part:
        other["phone"] = disguise.number(part["phone"])
    if "email" in part:
        other["email"] = disguise.email(part["email"])
    if "born" in part:
        other["born"] = disguise.born(date.fromisoformat(part["born"])).isoformat()
    return other


def _words(turn: Turn, disguise: Disguise, catalogue: Catalogue) -> Words:
    if turn.kind == InboundKind.KEYS:
        keys = disguise.keys(turn.said)
        return Words(turn.number, turn.said, keys, is_doubtful=keys == turn.said and len(keys) >= 4)
    if turn.kind != InboundKind.SAID:
        return Words(turn.number, "", "", is_doubtful=False)
    commands = heard_commands(turn)
    kinds = {command["name"] for command in commands}
    names = tuple(name for command in commands for name in _names(command))
    found = _disguised(turn.said, disguise, names)
    is_doubtful = bool(kinds & _FREE) or (bool(kinds & _PERSONAL) and not found.spans)
    return Words(turn.number, turn.said, found.text, is_doubtful or _may_tell(found, disguise, turn, catalogue))


def _staffs_words(meaning: Meaning, recording: Recording, disguise: Disguise, catalogue: Catalogue) -> Words:
    found = _disguised(meaning.meant, disguise)
    return Words(MEANT, meaning.meant, found.text, _may_tell(found, disguise, recording.turns[0], catalogue))


def _disguised(text: str, disguise: Disguise, names: tuple[str, ...] = ()) -> Disguised:
    """Disguise a text in whatever language it is: in the one in which most is found that tells of somebody."""
    found = [disguise.text(text, Heard(names, language)) for language in SPOKEN]
    return max(found, key=lambda one: sum(end - start for start, end in one.spans))


def _may_tell(found: Disguised, disguise: Disguise, turn: Turn, catalogue: Catalogue) -> bool:
    """Say whether something is left that looks like a name, a number or an address: what no vendor would get to read either."""
    text = found.masked
    if disguise.may_tell(text):
        return True
    heard_in = (Listening(catalogue=catalogue, now=_wall(turn, catalogue), language=each) for each in SPOKEN)
    return any(without_personal_data(text, each).lower() != one_line(text).lower() for each in heard_in)


def _wall(turn: Turn, catalogue: Catalogue) -> datetime:
    zone: ZoneInfo = catalogue.zone
    return turn.at.astimezone(zone).replace(tzinfo=None)


def _as_read(words: Words, read: Mapping[int, str] | None) -> Words:
    if read is None or words.number not in read:
        return words
    return Words(words.number, words.said, read[words.number], is_doubtful=False)


def _expected(meaning: Meaning) -> dict[str, Any]:
    expected: dict[str, Any] = {}
    if meaning.outcome:
        expected["outcome"] = meaning.outcome
    if meaning.visit is not None:
        expected["wrote"] = [dict(meaning.visit)] if meaning.visit else []
    return expected


def undoubtful(words: Sequence[Words]) -> dict[int, str]:
    """Return words as they are proposed, by number: what staff agree to when they have read them."""
    return {one.number: one.proposed for one in words}
