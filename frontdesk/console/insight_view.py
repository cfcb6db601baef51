"""The Insight page's figures as tiles and tables in words. The page draws the tables, and each of them is a file as well. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from booking.values import Catalogue, PractitionerInfo, ServiceInfo
from frontdesk.console.dates import DateWriter
from frontdesk.console.figures import Entry, Step, Totals, Use
from frontdesk.console.words import Words


@dataclass(frozen=True)
class Tile:
    label: str
    value: str
    before: str  # of the period before
    help: str


@dataclass(frozen=True)
class Table:
    """`rows`: a label first, then numbers, or what stands for them. `shares`: of each row's bar, from 0 to 1."""

    head: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    shares: tuple[float, ...] = ()

    @property
    def drawn(self) -> list[tuple[tuple[object, ...], float]]:
        return list(zip(self.rows, self.shares, strict=True))


_TOTALS: tuple[tuple[str, str], ...] = (
    ("conversations", "number"),
    ("conversations_a_day", "mean"),
    ("bookings", "number"),
    ("bookings_a_day", "mean"),
    ("conversion", "share"),
    ("contained", "share"),
    ("turns_to_book", "mean"),
    ("visits", "number"),
    ("lead_days", "mean"),
    ("cancelled", "share"),
    ("missed", "share"),
)


def tiles(now: Totals, before: Totals, words: Words) -> list[Tile]:
    """Return the headline numbers beside those of the period before; what can't be told for a part of the clinic is left out."""
    return [
        Tile(
            label=words.of_code("insight_total", key),
            value=_written(getattr(now, key), kind, words),
            before=_written(getattr(before, key), kind, words),
            help=words.of_code("insight_help", key),
        )
        for key, kind in _TOTALS
        if now.conversations is not None or key not in _OF_TALKS
    ]


_OF_TALKS = {"conversations", "conversations_a_day", "conversion", "contained", "turns_to_book"}


def _written(value: float | None, kind: str, words: Words) -> str:
    if value is None:
        return words("insight.none")
    if kind == "share":
        return words("insight.percent", n=f"{100 * value:.0f}")
    return f"{value:.1f}".removesuffix(".0") if kind == "mean" else str(int(value))


def totals_table(now: Totals, before: Totals, words: Words) -> Table:
    """Return every headline number of this period and the one before, unrounded; empty where it can't be told."""
    rows = tuple((words.of_code("insight_total", key), getattr(now, key), getattr(before, key)) for key, _ in _TOTALS)
    head = (words("insight.figure"), words("insight.this_period"), words("insight.period_before"))
    return Table(head, rows)


def course_table(steps: Iterable[Step], words: Words) -> Table:
    """Return a row for each bar of the period's course, by its first day."""
    head = (words("insight.from_day"), words("insight.days"), *_both(words))
    return Table(head, tuple((step.first.isoformat(), step.days, step.conversations, step.bookings) for step in steps))


def _both(words: Words) -> tuple[str, str]:
    return words.of_code("insight_total", "conversations"), words.of_code("insight_total", "bookings")


def times_table(times: Mapping[tuple[int, int], int], words: Words, dates: DateWriter) -> Table:
    """Return a row for each hour in which any visit starts or that lies between two such, and a number for each weekday."""
    hours = [hour for _, hour in times]
    shown = range(min(hours), max(hours) + 1) if hours else range(0)
    rows = tuple((dates.hour(hour), *(times.get((day, hour), 0) for day in range(7))) for hour in shown)
    return Table((words("insight.hour"), *words("date.short_weekdays").split()), rows)


def services_table(made: Iterable[Entry], catalogue: Catalogue, words: Words) -> Table:
    """Return which services were booked, the most wanted first. One that is no longer offered keeps its name."""
    counted = Counter(entry.service_id for entry in made)
    return _ranked(counted, words("insight.service"), words, name=lambda key: catalogue.service(key).name)


def sources_table(made: Iterable[Entry], words: Words) -> Table:
    """Return by which ways bookings came: phone, text, web, staff and others, the usual one first."""
    counted = Counter(entry.source for entry in made)
    return _ranked(counted, words("insight.way"), words, name=lambda key: words.of_code("source", key))


def _ranked(counted: Mapping[str, int], what: str, words: Words, *, name: Callable[[str], str]) -> Table:
    ranked = sorted(((name(key), n) for key, n in counted.items()), key=lambda each: (-each[1], each[0]))
    total = sum(counted.values())
    head = (what, words.of_code("insight_total", "bookings"), words("insight.share"))
    rows = tuple((label, n, words("insight.percent", n=f"{100 * n / total:.0f}")) for label, n in ranked)
    most = max(counted.values(), default=1)
    return Table(head, rows, tuple(n / most for _, n in ranked))


def people_table(uses: Sequence[Use], words: Words) -> Table:
    """Return how much of each person's working time is booked, in hours and as a share."""
    head = (words("insight.practitioner"), words("insight.booked"), words("insight.working"), words("insight.used"))
    rows = tuple(
        (use.name, _hours(use.booked), _hours(use.working), _written(use.share, "share", words)) for use in uses
    )
    return Table(head, rows, tuple(min(use.share or 0, 1) for use in uses))


def _hours(minutes: int) -> float:
    return round(minutes / 60, 1)


def access_table(
    thirds: Mapping[str, datetime | None], services: Sequence[ServiceInfo], words: Words, dates: DateWriter
) -> Table:
    """Return for each service in how many days its third next available time is, and when."""
    head = (words("insight.service"), words("insight.in_days"), words("insight.when"))
    rows, days = [], []
    for service in services:
        if service.id not in thirds:
            continue
        third = thirds[service.id]
        away = dates.days_until(third) if third else None
        days.append(away or 0)
        rows.append((service.name, away, dates.day_and_time(third) if third else words("insight.nothing_free")))
    most = max(days, default=0) or 1
    return Table(head, tuple(rows), tuple(away / most for away in days))


def shown_people(catalogue: Catalogue, practitioner_id: str | None) -> list[PractitionerInfo]:
    """Return the one practitioner figures are of, or everybody."""
    return [person for person in catalogue.practitioners if practitioner_id in {None, person.id}]
