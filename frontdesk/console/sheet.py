"""The diary of some days as columns: who works when, what is taken, and who comes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from booking.hours import Timetable
from booking.spans import intersected
from booking.values import Catalogue, LocationInfo, PractitionerInfo, ResourceInfo
from frontdesk.console.axis import Axis
from frontdesk.console.dates import DateWriter
from frontdesk.console.reads.visits import Visit
from frontdesk.console.words import Words
from kernel.interval import Interval, merged, subtracted, wall_to_instant

_FIRST_HOUR, _LAST_HOUR = 8, 18  # shown even when nobody works then, so that a day looks like the next


@dataclass(frozen=True)
class Span:
    """A part of a column, in minutes of the axis, `end` excluded."""

    start: int
    end: int


@dataclass(frozen=True)
class Placed:
    """A visit in its column. Visits that overlap stand beside each other, each in one of so many `lanes`."""

    visit: Visit
    at: Span
    lane: int
    lanes: int


@dataclass(frozen=True)
class Away:
    """Time of a column that somebody usually works, and is away."""

    at: Span
    label: str


@dataclass(frozen=True)
class Hour:
    at: Span
    label: str


@dataclass(frozen=True)
class Column:
    """One practitioner, room or day. `note` says why nobody works then, when there is something to say.

    `practitioner`, `day`: what is booked by a click into the column. `now`: where the present moment stands in it.
    """

    name: str
    day: date
    practitioner: PractitionerInfo | None
    working: tuple[Span, ...]
    busy: tuple[Span, ...]
    away: tuple[Away, ...]
    visits: tuple[Placed, ...]
    note: str | None
    now: int | None

    @property
    def lanes(self) -> int:
        return max((placed.lanes for placed in self.visits), default=1)


@dataclass(frozen=True)
class Sheet:
    columns: tuple[Column, ...]
    hours: tuple[Hour, ...]
    total: int
    axis: Axis

    @property
    def first(self) -> int:
        return self.hours[0].at.start

    @property
    def end(self) -> int:
        return self.hours[-1].at.end


@dataclass(frozen=True)
class Diary:
    """What is in the diary during some days. `busy`: time taken elsewhere by schedule; `in_room`: visits by schedule."""

    visits: Sequence[Visit]
    busy: Mapping[str, Sequence[Interval]]
    in_room: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class SheetMaker:
    """Lays out what is in the diary of one clinic, at one Location or at all of them."""

    catalogue: Catalogue
    diary: Diary
    axis: Axis
    places: tuple[LocationInfo, ...]
    words: Words
    dates: DateWriter
    now: datetime

    def by_practitioner(self, day: date, people: Sequence[PractitionerInfo]) -> Sheet:
        """Lay out a day: these people in the clinic's order, then those who left but still have visits then.

        Where only some Locations are shown, of several people only those who work or are booked there on that day.
        """
        columns = [self._person(person, day, name=person.name) for person in people]
        if len(self.places) < len(self.catalogue.locations) and len(people) > 1:
            columns = [column for column in columns if column.working or column.visits]
        if len(people) != 1:
            columns += self._former(day)
        return self._sheet(columns)

    def by_day(self, days: Sequence[date], person: PractitionerInfo | None) -> Sheet:
        """Lay out several days, of one practitioner or of everybody."""
        return self._sheet([self._day(day, person) for day in days])

    def by_room(self, day: date) -> Sheet:
        """Lay out a day by rooms and devices."""
        here = {place.id for place in self.places}
        rooms = [room for room in self.catalogue.resources if room.location_id in here]
        return self._sheet([self._room(room, rooms, day) for room in rooms])

    def _person(self, person: PractitionerInfo, day: date, *, name: str) -> Column:
        working = self._working(person, day)
        return self._column(
            name,
            day,
            [visit for visit in self.diary.visits if visit.practitioner_id == person.id],
            person=person,
            working=working,
            busy=self.diary.busy.get(person.schedule_id, ()),
            away=subtracted(self._planned(person, day), working),
            note=None if working else self._why_not(person, day),
        )

    def _day(self, day: date, person: PractitionerInfo | None) -> Column:
        name = self.dates.short_date(day)
        if person is not None:
            return self._person(person, day, name=name)
        working = merged(span for one in self.catalogue.practitioners for span in self._working(one, day))
        note = None if working else self._why_not(None, day)
        return self._column(name, day, self.diary.visits, working=working, note=note)

    def _room(self, room: ResourceInfo, rooms: Sequence[ResourceInfo], day: date) -> Column:
        place = next(one for one in self.places if one.id == room.location_id)
        seats = [one.schedule_id for one in rooms if one.id == room.id]
        name = room.key if len(seats) == 1 else f"{room.key} ({seats.index(room.schedule_id) + 1})"
        minutes = intersected(Timetable.of_location(place).minutes(day), Timetable.of_resource(room).minutes(day))
        there = self.diary.in_room.get(room.schedule_id, frozenset())
        visits = [visit for visit in self.diary.visits if visit.id in there]
        return self._column(name, day, visits, working=_instants(minutes, day, place))

    def _former(self, day: date) -> list[Column]:
        known = {practitioner.id for practitioner in self.catalogue.practitioners}
        former = {
            visit.practitioner_id: visit.practitioner
            for visit in self.diary.visits
            if visit.practitioner_id not in known
        }
        return [
            self._column(name, day, [one for one in self.diary.visits if one.practitioner_id == practitioner_id])
            for practitioner_id, name in sorted(former.items(), key=lambda item: item[1])
        ]

    def _column(
        self,
        name: str,
        day: date,
        visits: Iterable[Visit],
        *,
        person: PractitionerInfo | None = None,
        working: Iterable[Interval] = (),
        busy: Iterable[Interval] = (),
        away: Iterable[Interval] = (),
        note: str | None = None,
    ) -> Column:
        def spans(intervals: Iterable[Interval]) -> tuple[Span, ...]:
            return tuple(span for each in intervals if (span := self._span(each, day)).start < span.end)

        today = self.now.astimezone(self.axis.zone).date()
        return Column(
            name=name,
            day=day,
            practitioner=person,
            working=spans(working),
            busy=spans(busy),
            away=tuple(Away(span, self._away_words(each)) for each in away for span in spans([each])),
            visits=self._side_by_side(visits, day),
            note=note,
            now=self.axis.place(self.now, day=day) if day == today else None,
        )

    def _side_by_side(self, visits: Iterable[Visit], day: date) -> tuple[Placed, ...]:
        placed: list[Placed] = []
        together: list[tuple[Visit, Span, int]] = []
        ends: list[int] = []  # of the visits that overlap, lane by lane

        def close() -> None:
            placed.extend(Placed(visit, span, lane, len(ends)) for visit, span, lane in together)
            together.clear()
            ends.clear()

        for visit in visits:
            span = self._span(Interval(visit.starts_at, visit.ends_at), day)
            if span.start == span.end:
                continue  # of another day
            if ends and max(ends) <= span.start:
                close()
            lane = next((number for number, end in enumerate(ends) if end <= span.start), len(ends))
            ends[lane : lane + 1] = [span.end]
            together.append((visit, span, lane))
        close()
        return tuple(placed)

    def _span(self, interval: Interval, day: date) -> Span:
        return Span(self.axis.place(interval.start, day=day), self.axis.place(interval.end, day=day))

    def _working(self, person: PractitionerInfo, day: date) -> list[Interval]:
        found = []
        for place in self.places:
            there = Timetable.of_practitioner(person, place).minutes(day)
            found += _instants(intersected(Timetable.of_location(place).minutes(day), there), day, place)
        return merged(found)

    def _planned(self, person: PractitionerInfo, day: date) -> list[Interval]:
        """Return when somebody would work who is away for some hours; nothing for who is not."""
        if all(one.is_open or one.day != day for one in person.dated):
            return []
        return self._working(replace(person, dated=tuple(one for one in person.dated if one.is_open)), day)

    def _away_words(self, away: Interval) -> str:
        first, last = (self.dates.clock(at.astimezone(self.axis.zone)) for at in (away.start, away.end))
        return self.words("diary.away_between", first=first, last=last)

    def _why_not(self, person: PractitionerInfo | None, day: date) -> str:
        if all(any(span.first <= day < span.end for span in place.closures) for place in self.places):
            return self.words("diary.closed")
        here = {None, *(place.id for place in self.places)}
        off = () if person is None else person.time_off
        is_off = any(span.first <= day < span.end and span.location_id in here for span in off)
        if is_off or (person is not None and self._planned(person, day)):
            return self.words("diary.away")
        return self.words("diary.not_working")

    def _sheet(self, columns: Sequence[Column]) -> Sheet:
        """Show the usual hours, widened by whoever works or is booked earlier or later."""
        taken = [span for column in columns for span in (*column.working, *(one.at for one in column.visits))]
        first = min([self.axis.wall_minute(_FIRST_HOUR * 60), *(span.start for span in taken)])
        last = max([self.axis.wall_minute(_LAST_HOUR * 60), *(span.end for span in taken)])
        marks = self.axis.marks()
        hours = tuple(
            Hour(Span(mark.at, following.at), self.dates.hour(mark.hour))
            for mark, following in pairwise(marks)
            if following.at > first and mark.at < last
        )
        ids = {placed.visit.id for column in columns for placed in column.visits}
        return Sheet(tuple(columns), hours, total=len(ids), axis=self.axis)


def _instants(minutes: Iterable[tuple[int, int]], day: date, place: LocationInfo) -> list[Interval]:
    """Return the time between such wall times of the day at the place; what a change of the clocks skips is left out."""
    midnight = datetime.combine(day, time())
    found = []
    for first, last in minutes:
        start, end = (wall_to_instant(midnight + timedelta(minutes=each), place.zone) for each in (first, last))
        if start < end:
            found.append(Interval(start, end))
    return found
