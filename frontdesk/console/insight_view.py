"""The Insight page's figures as tiles and tables in words. The page draws the tables, and each of them is a file as well. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from booking.values import Catalogue, LocationInfo, PractitionerInfo
from frontdesk.console.dates import DateWriter
from frontdesk.console.figures import Entry, Handled, Step, Talk, Totals, Use, handled
from frontdesk.console.reads.insight import Part
from frontdesk.console.words import Words

AnyInfo = TypeVar("AnyInfo", bound=LocationInfo | PractitionerInfo)


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


def tiles(now: Totals, before: Totals, words: Words, *, part: Part) -> list[Tile]:
    """Return the headline numbers beside those of the period before; what can't be told of a part of the clinic is left out."""
    return [
        Tile(
            label=words.of_code("insight_total", _code(key, part)),
            value=_written(getattr(now, key), kind, words),
            before=_written(getattr(before, key), kind, words),
            help=words.of_code("insight_help", _code(key, part)),
        )
        for key, kind in _told(part)
    ]


# Of a part of the clinic only those conversations are known that led to an appointment there.
_LED_THERE = {"conversations", "conversations_a_day"}


def _told(part: Part) -> list[tuple[str, str]]:
    return [(key, kind) for key, kind in _TOTALS if part.is_whole or key != "conversion"]


def _code(key: str, part: Part) -> str:
    return key if part.is_whole or key not in _LED_THERE else f"{key}_there"


def _written(value: float | None, kind: str, words: Words) -> str:
    if value is None:
        return words("insight.none")
    if kind == "share":
        return words("insight.percent", n=f"{100 * value:.0f}")
    return f"{value:.1f}".removesuffix(".0") if kind == "mean" else str(int(value))


def totals_table(now: Totals, before: Totals, words: Words, *, part: Part) -> Table:
    """Return every headline number of this period and the one before, unrounded; empty where there is nothing to divide by."""
    rows = tuple(
        (words.of_code("insight_total", _code(key, part)), getattr(now, key), getattr(before, key))
        for key, _ in _told(part)
    )
    head = (words("insight.figure"), words("insight.this_period"), words("insight.period_before"))
    return Table(head, rows)


def course_table(steps: Iterable[Step], words: Words, *, part: Part) -> Table:
    """Return a row for each bar of the period's course, by its first day."""
    counted = (words.of_code("insight_total", key) for key in (_code("conversations", part), "bookings"))
    head = (words("insight.from_day"), words("insight.days"), *counted)
    return Table(head, tuple((step.first.isoformat(), step.days, step.conversations, step.bookings) for step in steps))


def channels_table(talks: Iterable[Talk], words: Words, *, part: Part) -> Table:
    """Return how conversations went by the channel on which they began, the usual one first."""
    by_channel: dict[str, list[Talk]] = {}
    for talk in talks:
        by_channel.setdefault(talk.channel, []).append(talk)
    went = sorted(((channel, handled(some)) for channel, some in by_channel.items()), key=_most_first)
    heads = {
        "conversations": words("insight.conversations"),
        "conversion": words("insight.led_to_booking"),
        "contained": words("insight.alone"),
    }
    shown = [(key, kind) for key, kind in _told(part) if key in heads]
    rows = tuple(
        (words.of_code("channel", channel), *(_written(getattr(one, key), kind, words) for key, kind in shown))
        for channel, one in went
    )
    most = max((one.conversations for _, one in went), default=1)
    head = (words("insight.channel"), *(heads[key] for key, _ in shown))
    return Table(head, rows, tuple(one.conversations / most for _, one in went))


def _most_first(went: tuple[str, Handled]) -> tuple[int, str]:
    channel, one = went
    return -one.conversations, channel


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


def access_table(thirds: Mapping[str, datetime | None], catalogue: Catalogue, words: Words, dates: DateWriter) -> Table:
    """Return for each service in how many days its third next available time is, and when."""
    head = (words("insight.service"), words("insight.in_days"), words("insight.when"))
    rows, days = [], []
    for service in catalogue.services:
        if service.id not in thirds:
            continue
        third = thirds[service.id]
        away = dates.days_until(third) if third else None
        days.append(away or 0)
        rows.append((service.name, away, dates.day_and_time(third) if third else words("insight.nothing_free")))
    most = max(days, default=0) or 1
    return Table(head, tuple(rows), tuple(away / most for away in days))


def shown_people(catalogue: Catalogue, practitioner_id: str | None) -> list[PractitionerInfo]:
    """Return the one practitioner figures are of, or everybody who works here."""
    return [person for person in catalogue.practitioners if practitioner_id in {None, person.id}]


def people_then(catalogue: Catalogue, practitioner_id: str | None, due: Iterable[Entry]) -> list[PractitionerInfo]:
    """Return the one practitioner figures are of, or everybody who works here or has these visits: some may have left."""
    here = shown_people(catalogue, practitioner_id)
    others = {entry.practitioner_id for entry in due} - {person.id for person in here} - {None}
    return [*here, *(person for person in _retired(catalogue, PractitionerInfo) if person.id in others)]


def places_then(catalogue: Catalogue, location_id: str | None) -> list[LocationInfo]:
    """Return the Location figures are of, or all there are and were."""
    places = [*catalogue.locations, *_retired(catalogue, LocationInfo)]
    return [place for place in places if location_id in {None, place.id}]


def _retired(catalogue: Catalogue, kind: type[AnyInfo]) -> list[AnyInfo]:
    return [one for one in catalogue.retired if isinstance(one, kind)]
