"""What staff are asked to do, as sentences in the language of whoever reads them.

A task keeps which sentence it is and what stands in it: names, moments, a patient's own words. The sentence is made when it
is read. A code without a sentence here fails a test.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any

from ruamel.yaml import YAML

from booking.sentences import plain_sentence
from kernel.interval import comes_twice, zone_name

LANGUAGES = ("en", "es")

TaskDetails = Mapping[str, str | int | datetime | None]
"""What a sentence names. A moment is by the clock of the place that it is about; None is what is not known."""


_ZONE = "_zone"


class TaskSays(StrEnum):
    """Which sentence a task is."""

    # What came of conversations.
    MESSAGE = "message"
    ASKED_FOR_PERSON = "asked-for-person"
    NOT_UNDERSTOOD = "not-understood"
    NOT_UNDERSTOOD_IN_CALL = "not-understood-in-call"
    UNKNOWN_CALLER = "unknown-caller"
    OTHER_LANGUAGE = "other-language"
    EMERGENCY = "emergency"
    RUNNING_LATE = "running-late"
    RUNNING_LATE_BY = "running-late-by"
    COMES = "comes"
    WANTS_TO_MOVE = "wants-to-move"
    WANTS_EARLIER = "wants-earlier"
    LEFT_BY_RULES = "left-by-rules"
    CALENDAR_UNREAD = "calendar-unread"
    KEPT_TIME_TOO_LATE = "kept-time-too-late"
    KEPT_TIME_REFUSED = "kept-time-refused"
    KEPT_TIME_DECLINED = "kept-time-declined"
    OFFER_REFUSED = "offer-refused"
    OTHER_BIRTH_DATE = "other-birth-date"
    NEW_PATIENT = "new-patient"
    NEW_FROM_PAGE = "new-from-page"
    UNANSWERED = "unanswered"
    CALL_ASKED_FOR = "call-asked-for"
    AGENT_FAILED = "agent-failed"
    CALL_NOT_ANSWERED = "call-not-answered"
    CALL_FAILED = "call-failed"
    TEXTED_CANCEL = "texted-cancel"
    WROTE_AFTER_STOP = "wrote-after-stop"
    PICTURES = "pictures"
    # What visits wait for.
    CONFIRM = "confirm"
    FIND_TIME = "find-time"
    OVERDUE = "overdue"
    TOO_FEW = "too-few"
    AWAY_CALL = "away-call"
    AWAY_NOTHING_FREE = "away-nothing-free"
    AWAY_ASKED = "away-asked"
    # What was not delivered.
    TEXT_FAILED = "text-failed"
    NO_NUMBER = "no-number"
    NO_SENDER = "no-sender"
    MAIL_FAILED = "mail-failed"
    UNREADABLE_EMAIL = "unreadable-email"
    ACCOUNT_MAIL_FAILED = "account-mail-failed"
    # Calendars, and what only people can mend.
    LINK_UNREACHABLE = "link-unreachable"
    LINK_REFUSED = "link-refused"
    LINK_EMPTY = "link-empty"
    MOVED_THERE = "moved-there"
    MOVE_PUT_RIGHT = "move-put-right"
    DELETED_THERE = "deleted-there"
    DELETION_PUT_BACK = "deletion-put-back"
    UNREADABLE_THERE = "unreadable-there"
    CHANGED_BOTH = "changed-both"
    TIME_TAKEN_THERE = "time-taken-there"
    NOT_TAKEN_ON = "not-taken-on"
    MAIL_OFF = "mail-off"
    DELETE_RECORDINGS = "delete-recordings"
    PARKED = "parked"


def told(says: str, details: str | None, *, language: str) -> str | None:
    """Return the sentence of a stored task; None if this release does not know it. An unknown language gets English."""
    words = _words(language if language in LANGUAGES else LANGUAGES[0])
    parts = words["sentences"].get(says)
    if parts is None:
        return None
    known = {name: value for name, value in unpacked(details).items() if value not in {None, ""}}
    values = {name: _written(name, value, words, language) for name, value in known.items()}
    values |= {name: f"{text} {values[name + _ZONE]}" for name, text in values.items() if name + _ZONE in values}
    return " ".join(_filled(part, values) for part in parts if fields(part) <= values.keys())


def packed(details: TaskDetails) -> str:
    """Return the details as they are stored: beside a moment that clocks show twice, which of the two it is."""
    zones = {
        f"{name}{_ZONE}": zone_name(value)
        for name, value in details.items()
        if isinstance(value, datetime) and comes_twice(value)
    }
    return json.dumps({**details, **zones}, default=datetime.isoformat, ensure_ascii=False)


def unpacked(details: str | None) -> dict[str, str | int | None]:
    """Return stored details; moments are in ISO form."""
    return {} if details is None else json.loads(details)


def word(group: str, code: str, *, language: str) -> str:
    """Return what a code of a group is called, or the code itself where nobody has a word for it."""
    words = _words(language if language in LANGUAGES else LANGUAGES[0])
    return str(words["codes"][group].get(code, code))


def fields(part: str) -> set[str]:
    """Return what a part of a sentence names."""
    return {name for _, name, _, _ in Formatter().parse(part) if name}


def _filled(part: str, values: Mapping[str, str]) -> str:
    text = ""
    for literal, name, _, _ in Formatter().parse(part):
        # "1:05 p.m." ends a sentence without a second full stop.
        text += literal[1:] if text.endswith(".") and literal.startswith(".") else literal
        text += values[name] if name else ""
    return text


def _written(name: str, value: str | int, words: Mapping[str, Any], language: str) -> str:
    if name.endswith("_code"):
        return word(name.removesuffix("_code"), str(value), language=language)
    if name.endswith("_refused"):
        return plain_sentence(str(value), language=language)
    if name.endswith(("_at", "_clock")):
        at, dates = datetime.fromisoformat(str(value)), words["dates"]
        half = dates["am"] if at.hour < 12 else dates["pm"]
        clock = dates["clock"].format(hour=at.hour % 12 or 12, minute=f"{at.minute:02}", half=half)
        return clock if name.endswith("_clock") else _moment(at, clock, dates)
    return str(value)


def _moment(at: datetime, clock: str, dates: Mapping[str, Any]) -> str:
    weekday, month = dates["weekdays"][at.weekday()], dates["months"][at.month - 1]
    return str(dates["moment"].format(weekday=weekday, day=at.day, month=month, year=at.year, clock=clock))


@cache
def _words(language: str) -> Mapping[str, Any]:
    source = resources.files("booking.task_words").joinpath(f"{language}.yaml")
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8"))
    return loaded
