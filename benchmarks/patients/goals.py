"""What a simulated patient wants, what they know and tell, and by what it is judged. Plain values, JSON both ways.

Keys are those of the clinic file; dates are days of the clinic, minutes are counted from midnight.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError


class Kind(StrEnum):
    """What one errand is."""

    BOOK = "book"
    MOVE = "move"
    CANCEL = "cancel"
    WHEN = "when"
    ASK = "ask"
    WAIT = "wait"
    PERSON = "person"
    DANGER = "danger"
    WRONG_NUMBER = "wrong-number"


class Part(StrEnum):
    """A part of a wish that can be kept back until it matters."""

    PRACTITIONER = "practitioner"
    GENDER = "gender"
    LOCATION = "location"
    DAYS = "days"
    TIMES = "times"


@dataclass(frozen=True)
class Days:
    """Which days will do. `shape` is how it is said: any, on, either, week, weekday, from."""

    shape: str = "any"
    first: date | None = None
    last: date | None = None
    others: tuple[date, ...] = ()
    weekday: int | None = None
    not_weekday: int | None = None

    def allow(self, day: date) -> bool:
        """Say whether a visit on `day` is as wished."""
        if day.weekday() == self.not_weekday or (self.weekday is not None and day.weekday() != self.weekday):
            return False
        if day in self.others:
            return True
        is_after = self.first is None or day >= self.first
        return is_after and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class Times:
    """When a visit may start, in minutes: from `first` until before `last`. `clock`: the time that is named.

    `shape`: any, at, about, after, before, between, morning, afternoon.
    """

    shape: str = "any"
    first: int = 0
    last: int = 24 * 60
    clock: int = 0

    def allow(self, minute: int) -> bool:
        """Say whether a start at `minute` is as wished."""
        return self.first <= minute < self.last


@dataclass(frozen=True)
class Wish:
    """What a visit has to be. None: they don't care."""

    service: str
    practitioner: str | None = None
    gender: str | None = None
    location: str | None = None
    days: Days = field(default_factory=Days)
    times: Times = field(default_factory=Times)


@dataclass(frozen=True)
class Somebody:
    """A person as they call themselves. `phone`: the number on file."""

    name: str
    born: date
    phone: str | None = None


@dataclass(frozen=True)
class Existing:
    """A visit that stands in the diary before: wall time of its Location."""

    service: str
    practitioner: str
    location: str
    patient: Somebody
    start: datetime


@dataclass(frozen=True)
class Errand:
    """One thing to be done. `first`: what they say they want before they come to `wish`; `hidden`: what they keep back at first."""

    kind: Kind
    wish: Wish | None = None
    first: Wish | None = None
    hidden: tuple[Part, ...] = ()
    visit: Existing | None = None
    person: Somebody | None = None  # whom it is for, if not the one who calls
    relation: str | None = None
    topic: str | None = None  # of a question
    words: str | None = None  # a question's words, where the clinic wrote them
    answer: str | None = None  # what the reply must hold


@dataclass(frozen=True)
class Goal:
    """One patient with everything about them."""

    id: str
    family: str
    clinic: str
    now: datetime
    caller: str
    me: Somebody
    is_known: bool
    errands: tuple[Errand, ...]
    diary: tuple[Existing, ...] = ()
    wrong_birth_date: date | None = None
    digression: Errand | None = None
    patience: int = 16


_ADAPTER = TypeAdapter(tuple[Goal, ...])


def read_goals(path: Path) -> tuple[Goal, ...]:
    """Read a file that `write_goals` wrote, or one of that form. Raises SystemExit with a line that says what is wrong."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise SystemExit(f"{path}: {'.'.join(str(one) for one in first['loc'])}: {first['msg']}") from None


def write_goals(path: Path, goals: Sequence[Goal]) -> None:
    """Keep goals in a file."""
    path.write_bytes(_ADAPTER.dump_json(tuple(goals), indent=1, exclude_defaults=True))
