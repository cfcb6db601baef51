"""Whether what the agent says is so: every date, time, name, price and "it is booked" in a reply, against the rows of the database.

Reads the text of the reply, not what the dialog meant to say, and shares no code with it. A moment is supported by an appointment of
the people the conversation is about, or by a time that can be booked; a promise by the task, entry or appointment that keeps it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from benchmarks.patients.goals import Goal, Wish
from benchmarks.patients.tongues import TONGUES, unaccented
from benchmarks.patients.wording import words
from benchmarks.patients.world import Row, World
from booking.model.task import StaffTask
from booking.model.waitlist import WaitlistEntry
from booking.values import ServiceInfo

_PRICE = re.compile(r"\$(\d+)(?:\.(\d\d))?")


@dataclass(frozen=True)
class Moment:
    """A date and a time in a text, with what follows up to the next: where and with whom."""

    at: datetime
    sentence: str
    tail: str


class Checker:
    """Checks the replies of one conversation."""

    def __init__(self, world: World, goal: Goal, before: Mapping[str, Row]) -> None:
        self._world = world
        self._tongue = TONGUES[world.language]
        self._before = before
        self._names = {_plain(goal.me.name), *(_plain(one.person.name) for one in goal.errands if one.person)}
        wishes = [wish for one in goal.errands for wish in (one.first, one.wish) if wish]
        self._wishes: Sequence[Wish] = wishes
        self._services = {wish.service for wish in wishes} | {one.service for one in goal.diary}
        self._hours = set(_times_in(world.document))
        self._prices = {one.price.amount_minor for one in world.catalogue.services if one.price}
        self._surnames = {_plain(one.name).split()[-1] for one in world.catalogue.practitioners}
        self._free: dict[str, list[tuple[datetime, str]]] = {}
        self._named: Sequence[str] = ()
        self._held: Sequence[str] = ()  # for them at this moment

    def unsupported(self, text: str, *, conversation: str | None, is_handed_over: bool) -> list[str]:
        """Return what a reply says that is not so, each in a few words. To be asked before the next message is sent."""
        self._free = {}
        text = self._tongue.written(text)
        self._named = [one.key for one in self._world.catalogue.services if self._is_named(one, text)]
        # Reading all rows is half of the work, and needed only where a reply names a moment.
        has_moments = self._tongue.day.search(text) or self._tongue.time.search(text)
        rows = self._rows(conversation) if has_moments else []
        self._held = [one.id for one in rows if one.is_hold]
        found = []
        for sentence in _sentences(text):
            found += [*self._false_days(sentence), *self._false_moments(sentence, rows)]
            found += [*self._false_names(sentence), *self._false_deeds(sentence, rows)]
        found += list(self._false_promises(text, conversation, is_handed_over=is_handed_over))
        return found

    def _is_named(self, service: ServiceInfo, text: str) -> bool:
        called = words(self._world.language).get("services", {}).get(service.key, {})
        names = [service.name, *(name for some in called.values() for name in some)]
        return any(_plain(one) in _plain(text) for one in names)

    def _rows(self, conversation: str | None) -> list[Row]:
        """Return the appointments that this patient may be told of, as they are and as they were."""
        now = self._world.rows().values()
        mine = [one for one in now if one.conversation == conversation or _plain(one.patient or "") in self._names]
        return mine + [self._before[one.id] for one in mine if one.id in self._before]

    def _false_days(self, sentence: str) -> Iterator[str]:
        for found in self._tongue.day.finditer(sentence):
            day = self._day(found)
            if day is None or (
                found["weekday"] and self._tongue.weekdays[day.weekday()] != found["weekday"][:3].lower()
            ):
                yield f"no such day: {found[0]}"
        for found in _PRICE.finditer(sentence):
            if int(found[1]) * 100 + int(found[2] or 0) not in self._prices:
                yield f"no such price: {found[0]}"

    def _false_moments(self, sentence: str, rows: Sequence[Row]) -> Iterator[str]:
        moments = list(self.moments(sentence))
        is_denial = self._tongue.denial.search(sentence) is not None
        for one in moments:
            who = self._person_in(one.tail)
            is_row = any(row.start == one.at and who in {None, row.practitioner} for row in rows)
            is_free = not is_row and self._is_free(one.at, who)
            if not is_row and is_free is is_denial:
                yield f"{'denied but free' if is_denial else 'not free'}: {one.at:%a %d %b %H:%M} {who or ''}".rstrip()
        if not moments:
            yield from self._false_times(sentence, rows)
            yield from self._false_denials(sentence)

    def _false_denials(self, sentence: str) -> Iterator[str]:
        """Check that on a day on which nothing is said to be free there is nothing, with whoever is named."""
        denied = self._tongue.nothing.fullmatch(sentence.strip())
        named = self._tongue.day.search(denied["day"]) if denied else None
        day = self._day(named) if named else None
        if denied is None or day is None:
            return
        who = self._person_in(denied["who"] or "")
        free = [
            at
            for one in self._named or sorted(self._services)
            for at, key in self._slots(one)
            if at.date() == day and who in {None, key}
        ]
        if free:
            yield f"denied but free: {free[0]:%a %d %b %H:%M}"

    def _false_times(self, sentence: str, rows: Sequence[Row]) -> Iterator[str]:
        """Check times that stand alone: hours of the clinic, a visit of theirs, or what they asked for. One that is denied must not be free."""
        named = self._tongue.day.search(sentence)
        day, who = self._day(named) if named else None, self._person_in(sentence)
        times = list(self._tongue.time.finditer(sentence))
        # "8:00 AM-6:00 PM, closed on Sunday" denies none of its times.
        is_denied = len(times) == 1 and self._tongue.denial.search(sentence) is not None
        for found in times:
            minute = _minute(found)
            if is_denied:
                # Without a day it is about the days they asked for, which no sentence tells.
                if day is not None and self._is_free_at(minute, day, who, rows):
                    yield f"denied but free: {found[0]} {day}"
                continue
            is_theirs = any(row.start.hour * 60 + row.start.minute == minute for row in rows)
            is_wished = any(minute in {one.times.clock, one.times.last} for one in self._wishes)
            if minute not in self._hours and not is_theirs and not is_wished:
                yield f"a time from nowhere: {found[0]}"

    def _is_free_at(self, minute: int, day: date, who: str | None, rows: Sequence[Row]) -> bool:
        """Say whether what is named, or was asked for, can be had then; not where they have a visit of their own."""
        at = _wall(day, minute)
        if any(row.start == at for row in rows):
            return False
        services = self._named or sorted(self._services)
        return any(start == at and who in {None, key} for one in services for start, key in self._slots(one))

    def _false_names(self, sentence: str) -> Iterator[str]:
        if self._tongue.nobody_called.search(sentence):
            return
        for found in self._tongue.named.finditer(sentence):
            if _plain(found[0]).split()[-1] not in self._surnames:
                yield f"nobody here is called {found[0]}"

    def _false_deeds(self, sentence: str, rows: Sequence[Row]) -> Iterator[str]:
        deeds = ((self._tongue.booked, "booked"), (self._tongue.moved, "booked"), (self._tongue.cancelled, "cancelled"))
        for pattern, status in deeds:
            if pattern.search(sentence):
                starts = {row.start for row in rows if row.status == status and not row.is_hold}
                if not any(one.at in starts for one in self.moments(sentence)):
                    yield f"not {status} in the database: {sentence}"

    def _false_promises(self, text: str, conversation: str | None, *, is_handed_over: bool) -> Iterator[str]:
        if self._tongue.waiting.search(text) and not self._has(WaitlistEntry, conversation):
            yield "on no waiting list"
        if self._tongue.promised.search(text) and not is_handed_over and not self._has(StaffTask, conversation):
            yield "no task for the staff"

    def _has(self, kind: type[WaitlistEntry] | type[StaffTask], conversation: str | None) -> bool:
        with self._world.services.db.read() as session:
            return session.scalars(select(kind.id).where(kind.conversation_id == conversation)).first() is not None

    def moments(self, sentence: str) -> Iterator[Moment]:
        """Yield each date of a sentence that a time goes with."""
        days = list(self._tongue.day.finditer(sentence))
        for place, found in enumerate(days):
            day, clock = self._day(found), self._tongue.time.search(sentence, found.end())
            if (
                day is None
                or clock is None
                or not self._tongue.between.fullmatch(sentence[found.end() : clock.start()])
            ):
                continue
            end = days[place + 1].start() if place + 1 < len(days) else len(sentence)
            yield Moment(_wall(day, _minute(clock)), sentence, sentence[clock.end() : end])

    def _day(self, found: re.Match[str]) -> date | None:
        """Return the day that is meant: this year's, or next year's once it has passed."""
        today = self._world.now.astimezone(self._world.catalogue.zone).date()
        month = self._tongue.months.index(found["month"].lower()) + 1
        try:
            day = date(today.year, month, int(found["day"]))
            return day if day >= today else day.replace(year=today.year + 1)
        except ValueError:
            return None

    def _person_in(self, text: str) -> str | None:
        """Return the practitioner who is named first: a patient may have the same name."""
        plain = f" {_plain(text)} "
        named = {
            one.key: plain.find(f" {_plain(one.name).split()[-1]} ") for one in self._world.catalogue.practitioners
        }
        found = [key for key in named if named[key] >= 0]
        return min(found, key=lambda key: named[key], default=None)

    def _is_free(self, at: datetime, who: str | None) -> bool:
        """Say whether somebody, or `who`, could be booked then for what the reply names; for anything where it names nothing."""
        services = self._named or [one.key for one in self._world.catalogue.services]
        return any(start == at and who in {None, key} for service in services for start, key in self._slots(service))

    def _slots(self, service: str) -> list[tuple[datetime, str]]:
        if service not in self._free:
            catalogue = self._world.catalogue
            reach = catalogue.rules.maximum_advance + timedelta(days=1)  # further is cut off by the clinic's own rule
            # A visit that is to be moved is no obstacle to its own new time, nor is what is held for them.
            moved = [one.id for one in self._before.values() if _plain(one.patient or "") in self._names] + [
                *self._held
            ]
            self._free[service] = [
                (self._world.wall(slot), catalogue.practitioner(slot.practitioner_id).key)
                for replaces in (None, *moved)
                for slot in self._world.free_now(service, ahead=reach, replaces=replaces)
            ]
        return self._free[service]


def moments_in(text: str, *, world: World, goal: Goal) -> set[datetime]:
    """Return every date with a time that a text names, as wall times."""
    checker = Checker(world, goal, {})
    written = TONGUES[world.language].written(text)
    return {one.at for sentence in _sentences(written) for one in checker.moments(sentence)}


def _wall(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60))


def _sentences(text: str) -> list[str]:
    """Cut a text where a claim ends: at lines, semicolons and full stops, but not after a title."""
    parts = re.split(r"\n|; |(?<!Dr)(?<!Mr)(?<!Mrs)(?<!St)(?<!Dra)(?<!Enf)[.?!] ", text)
    return [one for one in parts if one.strip()]


def _times_in(value: Any) -> Iterator[int]:
    """Return the minutes of every time of day that a clinic file holds."""
    if isinstance(value, str):
        for hour, minute in re.findall(r"\b(\d\d):(\d\d)\b", value):
            yield int(hour) * 60 + int(minute)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _times_in(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _times_in(one)


def _minute(found: re.Match[str]) -> int:
    hour = int(found["hour"]) % 12 + (12 if found["half"].upper() == "P" else 0)
    return hour * 60 + int(found["minute"] or 0)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", unaccented(text).lower()).split())
