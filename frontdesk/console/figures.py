"""The figures of a period, worked out from what was read. Pure; every number of the Insight page is defined here.

Days, weekdays and hours are those of local clocks: of the clinic for what was said and booked, of the Location for visits.

- A *conversation* counts on the day it began; of a part of the clinic those are counted that made an appointment there, since
  nobody can say whom the others concern. It was *contained* if it came to an end other than by hanging up, and no
  person was needed for that: no hand-over, no message, nobody of the staff took over.
- A *search* is a conversation in which times were offered; *conversion* is the share of them that booked or moved a visit.
- *Turns to book* is the median number of turns of the conversations that booked.
- A *booking* counts on the day it was made, whatever became of it. Holds, wishes, and requests nobody answered are none.
- *Lead time* is the median number of days from making a booking to the visit.
- A *visit* counts on the day it is for. *Cancelled* is the share of all visits; *did not come* the share of those that were
  kept or missed, as far as that is noted.
- Each seat of a group is an appointment; the time of its session is booked once.
- *Utilisation* is the booked time of the visits that stand, by the time that people work while the place is open: the weekly
  hours that held on each day, less the absences that are noted today. It can pass 100 %, since staff may book beyond the hours.
- The *third next available* time is the third that a patient could be given who asks now, none overlapping another of the
  same person: less moved by a single cancellation than the first.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from statistics import median
from zoneinfo import ZoneInfo

from booking import hours
from booking.clinic_file.past_hours import HoursThen
from booking.hours import Timetable
from booking.values import AppointmentStatus, Catalogue, LocationInfo, PractitionerInfo
from dialog.state import Outcome
from kernel.interval import Interval, day_interval

_DAY = timedelta(days=1)
_BOOKED = {Outcome.BOOKED, Outcome.MOVED}
_BY_A_PERSON = {Outcome.HANDED_OVER, Outcome.MESSAGE_TAKEN}
_KEPT = {AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED}
_STANDS = {*_KEPT, AppointmentStatus.BOOKED, AppointmentStatus.NOSHOW}
_MOST_DAYS_SHOWN, _MOST_WEEKS_SHOWN = 62, 54  # each by itself


@dataclass(frozen=True)
class Period:
    """Local days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def length(self) -> int:
        """In days."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """The period of the same length that ends where this one begins."""
        return Period(self.first - self.length * _DAY, self.first - _DAY)

    @property
    def steps(self) -> "list[Period]":
        """The pieces in which its course is shown: days, or of a long one weeks, or months."""
        if self.length <= _MOST_DAYS_SHOWN:
            return [Period(day, day) for day in self.days()]
        weekly = self.length <= 7 * _MOST_WEEKS_SHOWN
        pieces = groupby(self.days(), key=lambda day: (day - self.first).days // 7 if weekly else (day.year, day.month))
        return [Period(days[0], days[-1]) for days in (list(piece) for _, piece in pieces)]

    def span(self, zone: ZoneInfo) -> Interval:
        return Interval(day_interval(self.first, zone).start, day_interval(self.last, zone).end)

    def days(self) -> list[date]:
        return [self.first + number * _DAY for number in range(self.length)]


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation, as far as it is counted. `needed_staff`: somebody of the staff took it over."""

    began_at: datetime
    channel: str
    outcome: str | None
    needed_staff: bool
    turns: int
    was_offered_times: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """An appointment, as far as it is counted: a visit, or a seat in a group. Holds and wishes are none."""

    made_at: datetime
    starts_at: datetime
    ends_at: datetime
    status: str
    source: str
    service_id: str
    location_id: str
    practitioner_id: str | None


@dataclass(frozen=True)
class Handled:
    """How conversations went: how many, the share of searches that booked, and of those settled without a person."""

    conversations: int
    conversion: float | None
    contained: float | None


@dataclass(frozen=True)
class Totals:
    """The headline numbers. None: there is nothing to divide by."""

    conversations: int
    conversations_a_day: float
    bookings: int
    bookings_a_day: float
    conversion: float | None
    contained: float | None
    turns_to_book: float | None
    visits: int
    lead_days: float | None
    cancelled: float | None
    missed: float | None


@dataclass(frozen=True)
class Step:
    """One bar of the course of a period: a day, or of a long one a week or month."""

    first: date
    days: int
    conversations: int
    bookings: int


@dataclass(frozen=True)
class Use:
    """How much of somebody's working time is booked, in minutes."""

    name: str
    booked: int
    working: int

    @property
    def share(self) -> float | None:
        return self.booked / self.working if self.working else None


def totals(*, period: Period, made: Sequence[Entry], due: Sequence[Entry], talks: Sequence[Talk]) -> Totals:
    """Return the headline numbers of what was made, is due and was said in the period."""
    count = Counter(entry.status for entry in due)
    kept = sum(count[status] for status in _KEPT)
    missed = count[AppointmentStatus.NOSHOW]
    went = handled(talks)
    return Totals(
        conversations=len(talks),
        conversations_a_day=len(talks) / period.length,
        bookings=len(made),
        bookings_a_day=len(made) / period.length,
        conversion=went.conversion,
        contained=went.contained,
        turns_to_book=_median(talk.turns for talk in talks if talk.outcome == Outcome.BOOKED),
        visits=len(due) - count[AppointmentStatus.CANCELLED],
        lead_days=_median((entry.starts_at - entry.made_at) / _DAY for entry in made),
        cancelled=_share(count[AppointmentStatus.CANCELLED], len(due)),
        missed=_share(missed, kept + missed),
    )


def handled(talks: Sequence[Talk]) -> Handled:
    """Return how these conversations went."""
    searches = [talk for talk in talks if talk.was_offered_times]
    ended = [talk for talk in talks if talk.outcome not in {None, Outcome.ABANDONED}]
    alone = [talk for talk in ended if talk.outcome not in _BY_A_PERSON and not talk.needed_staff]
    return Handled(
        conversations=len(talks),
        conversion=_share(sum(talk.outcome in _BOOKED for talk in searches), len(searches)),
        contained=_share(len(alone), len(ended)),
    )


def course(*, period: Period, zone: ZoneInfo, made: Iterable[Entry], talks: Iterable[Talk]) -> list[Step]:
    """Return what was said and booked in each step of the period."""
    bookings = Counter(entry.made_at.astimezone(zone).date() for entry in made)
    began = Counter(talk.began_at.astimezone(zone).date() for talk in talks)
    return [
        Step(
            piece.first,
            piece.length,
            conversations=sum(began[day] for day in piece.days()),
            bookings=sum(bookings[day] for day in piece.days()),
        )
        for piece in period.steps
    ]


def popular_times(due: Iterable[Entry], catalogue: Catalogue) -> dict[tuple[int, int], int]:
    """Return how many visits start in each hour of each weekday, by (weekday, hour); Monday is 0. Cancelled ones don't count."""
    starts = (
        entry.starts_at.astimezone(catalogue.location(entry.location_id).zone)
        for entry in due
        if entry.status in _STANDS
    )
    return dict(Counter((at.weekday(), at.hour) for at in starts))


def utilisation(
    due: Sequence[Entry],
    *,
    period: Period,
    people: Iterable[PractitionerInfo],
    places: Sequence[LocationInfo],
    held: Sequence[HoursThen],
) -> list[Use]:
    """Return booked and working minutes of each of these people, at these Locations. `held`: the hours, from its first day on."""
    # Seats of one session share its time.
    times = {(one.practitioner_id, one.starts_at, one.ends_at) for one in due if one.status in _STANDS}
    booked: Counter[str | None] = Counter()
    for practitioner_id, starts_at, ends_at in times:
        booked[practitioner_id] += int((ends_at - starts_at).total_seconds() // 60)
    until = [then.since - _DAY for then in held[1:]] + [period.last]
    stretches = [(then, Period(then.since, last)) for then, last in zip(held, until, strict=True)]
    return [
        Use(
            person.name,
            booked[person.id],
            sum(_working_minutes(person, place, then, days) for place in places for then, days in stretches),
        )
        for person in people
    ]


def _working_minutes(person: PractitionerInfo, place: LocationInfo, then: HoursThen, days: Period) -> int:
    place = replace(place, hours=then.places.get(place.id, ()))
    person = replace(person, hours=then.people.get(person.id, ()))
    tables = [Timetable.of_location(place), Timetable.of_practitioner(person, place)]
    around = hours.days(days.first, days.last, place.zone)
    return sum(end - start for start, end in hours.spans(tables, around)) // 60


def third_of(times: Iterable[tuple[int, int, str]]) -> int | None:
    """Return the start of the third of `times` (start, end, whose), in order, that overlaps none counted of the same person."""
    counted = 0
    until: dict[str, int] = {}
    for start, end, whose in times:
        if start < until.get(whose, start):
            continue
        until[whose] = end
        counted += 1
        if counted == 3:
            return start
    return None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return float(median(found)) if found else None
