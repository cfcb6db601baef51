"""Meaning to words, as one patient with their own ways would put it. `words.LANGUAGE.yaml` holds the ways; a seed chooses.

Nothing here knows how the product understands: a day is said in any way that means that day to a person who knows today's date.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from ruamel.yaml import YAML

from benchmarks.patients.goals import Days, Somebody, Times, Wish
from benchmarks.patients.learned import Learned
from booking.values import Catalogue, ServiceInfo

_NOON, _DAY = 12 * 60, 24 * 60


LANGUAGES = ("en", "es")


@lru_cache
def words(language: str = "en") -> Mapping[str, Any]:
    """Return the file of words of a language."""
    file = Path(__file__).parent / f"words.{language}.yaml"
    found: Mapping[str, Any] = YAML(typ="safe").load(file.read_text("utf-8"))
    return found


@dataclass
class Voice:
    """How one patient talks on one channel. `today` is the clinic's; `learned` replaces our wording where it has some."""

    random: Random
    catalogue: Catalogue
    today: date
    is_spoken: bool
    learned: Learned | None = None
    language: str = "en"

    @property
    def words(self) -> Mapping[str, Any]:
        """The ways of this patient's language."""
        return words(self.language)

    def say(self, *path: str, **parts: str) -> str:
        """Say one of the ways that the file of words has under `path`."""
        ways: Any = self.words
        for key in path:
            ways = ways[key]
        return self.fill(ways if isinstance(ways, str) else self.random.choice(ways), **parts)

    def fill(self, way: str, **parts: str) -> str:
        """Fill in what a way leaves open. What it does not mention is not said."""
        return " ".join(way.format(**parts).split())

    def act(self, act: str, otherwise: str) -> str:
        """Say an act in words that were learned, or else `otherwise`."""
        return (self.learned.act(act, self.random) if self.learned else None) or otherwise

    def service(self, key: str) -> dict[str, str]:
        """Return what a service is called now, with its article: a part of many ways."""
        if "services" in self.words:
            called = self.words["services"][key]
            article, name = self.random.choice([(article, one) for article, some in called.items() for one in some])
            return {"a": article, "service": name}
        names = said_names(self._service(key))
        name = self.random.choice(names)
        name = name if name.isupper() else name[0].lower() + name[1:]
        article = "" if name in self.words["without_article"] else "an" if name[0].lower() in "aeiou" else "a"
        return {"a": article, "service": name}

    def reason(self, key: str) -> str | None:
        """Return a complaint that is a sentence of its own and leads to this service only."""
        others = {one for service in self.catalogue.services if service.key != key for one in service.reasons}
        found = [
            one
            for one in own_language(self._service(key).reasons, self.language)
            if one.startswith(("my ", "I ")) and one not in others
        ]
        return self.random.choice(found) if found else None

    def person(self, key: str) -> str:
        """Name a practitioner: whole, or as people call them."""
        who = next(one for one in self.catalogue.practitioners if one.key == key)
        title, _, rest = who.name.partition(" ")
        if title in self.words.get("titles", {}):
            called = self.random.choice(self.words["titles"][title][who.gender])
            return f"{called} {self.random.choice([rest, rest.split()[-1]])}"
        short = f"{title} {rest.split()[-1]}" if title in {"Dr.", "Nurse"} else who.name
        return self.random.choice([who.name, short, short.replace("Dr.", "Dr"), short.replace("Dr.", "Doctor")])

    def place(self, key: str) -> str:
        return next(one.name for one in self.catalogue.locations if one.key == key)

    def day(self, day: date) -> str:
        """Name one day."""
        forms = ["date", "date"]
        monday = self.today - timedelta(days=self.today.weekday())
        ahead = (day - self.today).days
        if ahead <= 1:
            forms = ["today" if ahead == 0 else "tomorrow"]
        elif day < monday + timedelta(days=7):
            forms += ["this_week", "this_week"]
        elif day < monday + timedelta(days=14):
            forms += ["next_week", "next_week"]
        if 2 <= ahead <= 6:
            forms.append("soon")
        if day.month == self.today.month and ahead > 1:
            forms.append("same_month")
        return self.say("days", self.random.choice(forms), **self.calendar(day))

    def days(self, days: Days) -> str:
        """Say which days will do; nothing if any."""
        return f"{self._days(days)} {self._but_not(days)}".strip()

    def times(self, times: Times) -> str:
        """Say which times will do; nothing if any."""
        if times.shape == "any":
            return ""
        return self.say("times", times.shape, clock=self.clock(times.clock), other_clock=self.clock(times.last))

    def clock(self, minute: int) -> str:
        """Say a time of day."""
        hour, minutes = minute // 60 % 12 or 12, minute % 60
        half = "am" if minute < _NOON else "pm"
        if self.is_spoken:
            half = f"{half[0]} m" if self.random.random() < 0.3 else half
        part = next(name for until, name in self.words["parts_of_day"].items() if minute % _DAY < until)
        key = "clock_half_past" if minutes == 30 else "clock"
        tail = f":{minutes:02}" if minutes else ""
        article = self.words["clock_articles"]["one" if hour == 1 else "other"]
        return self.say(key, hour=str(hour), minutes=tail, half=half, part=part, article=article)

    def when(self, wish: Wish, *, has_days: bool = True, has_times: bool = True) -> str:
        """Say the days and times of a wish, in either order."""
        day = self._days(wish.days) if has_days else ""
        at = self.times(wish.times) if has_times else ""
        parts = [day, at] if self.random.random() < 0.8 else [at, day]
        # At the end, or "not Tuesday in the afternoon" would refuse less than they mean.
        parts.append(self._but_not(wish.days) if has_days else "")
        return " ".join(one for one in parts if one)

    def born(self, born: date) -> str:
        """Say a date of birth."""
        return self.say("born_spoken" if self.is_spoken else "born_forms", **self.calendar(born))

    def phone(self, number: str) -> str:
        """Say the clinic's country's form of a number."""
        digits = number[-10:]
        if self.is_spoken:
            return " ".join(digits)
        return self.random.choice(
            [f"{digits[:3]}-{digits[3:6]}-{digits[6:]}", f"({digits[:3]}) {digits[3:6]}-{digits[6:]}", digits]
        )

    def name(self, who: Somebody) -> dict[str, str]:
        """Return the parts that ways of saying a name have."""
        first, _, last = who.name.partition(" ")
        return {"name": who.name, "first_name": first, "last_name": last}

    def _but_not(self, days: Days) -> str:
        if days.not_weekday is None:
            return ""
        return self.say("days", "not_weekday", weekday=self.words["weekdays"][days.not_weekday])

    def _days(self, days: Days) -> str:
        match days.shape, days.first:
            case "on", date() as day:
                return self.day(day)
            case "either", date() as day:
                return self.say("days", "either", one=self.day(day), other=self.day(days.others[0]))
            case "week", date() as monday:
                weeks = (monday - (self.today - timedelta(days=self.today.weekday()))).days // 7
                ways = self.words["days"]["week"]
                return self.fill(self.random.choice(ways.get(weeks, ways["other"])), **self.calendar(monday))
            case "weekday", _:
                return self.say("days", "weekday", weekday=self.words["weekdays"][days.weekday or 0])
            case "from", date() as day:
                return self.say("days", "from", date=self.say("days", "from_date", **self.calendar(day)))
            case _:
                return ""

    def _service(self, key: str) -> ServiceInfo:
        return next(one for one in self.catalogue.services if one.key == key)

    def calendar(self, day: date) -> dict[str, str]:
        """Return the parts that ways of saying a date have."""
        return {
            "weekday": self.words["weekdays"][day.weekday()],
            "month": self.words["months"][day.month - 1],
            "number": str(day.day),
            "ordinal": f"{day.day}{_suffix(day.day)}",
            "year": str(day.year),
            "m": str(day.month),
            "d": str(day.day),
            "mm": f"{day.month:02}",
            "dd": f"{day.day:02}",
        }


def said_names(service: ServiceInfo) -> Sequence[str]:
    """Return what people who know the clinic call a service."""
    left_out = words()["not_nouns"]
    return [service.name, *(one for one in own_language(service.aliases) if one.split()[0] not in left_out)]


def own_language(names: Sequence[str], language: str = "en") -> list[str]:
    """Return the names that are not those of another language. Clinics write theirs in English and Spanish, unmarked."""
    foreign = words()["foreign"]
    is_english = {one: one.isascii() and not any(word in foreign for word in one.lower().split()) for one in names}
    return [one for one in names if is_english[one] is (language == "en")]


def bare(when: str, language: str) -> str:
    """Return a time without the preposition that would stand twice."""
    for each in words(language)["prepositions"]:
        when = when.removeprefix(each)
    return when


def _suffix(number: int) -> str:
    if number in {11, 12, 13}:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
