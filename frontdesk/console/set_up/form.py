"""From a part of a clinic file to a form and back: what stands in each field, and what a filled-in form says.

Pure. A field left empty says nothing, so that the clinic file's default holds.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from booking.clinic_file.checks import Fault
from booking.clinic_file.forms import DAYS, read_days
from booking.clinic_file.reading import Place
from frontdesk.console.set_up.fields import Field, Kind

_MOST_PARTS = 60
Filled = MultiDict[str, str]
"""A form as it was sent."""


@dataclass(frozen=True)
class Option:
    value: str
    is_chosen: bool


@dataclass(frozen=True)
class Asked:
    """A field as a page shows it. `id` is its name in the form; `problems` are what is wrong with what stands there."""

    id: str
    field: Field
    value: str = ""
    is_on: bool = False
    options: tuple[Option, ...] = ()
    days: tuple[tuple[str, str], ...] = ()  # of hours: weekday and its times
    rows: tuple[tuple["Asked", ...], ...] = ()  # of parts; the last is an empty one
    problems: tuple[str, ...] = ()


def asked(
    fields: Sequence[Field],
    part: Mapping[str, Any],
    *,
    keys: Mapping[str, Sequence[str]],
    faults: Iterable[Fault] = (),
    place: Place = (),
) -> tuple[Asked, ...]:
    """Return the fields of a form filled in with `part`. `keys`: those of each group; `faults` have places in the part."""
    wrong = tuple(faults)
    return tuple(_asked(field, part.get(field.name), keys, wrong, (*place, field.name)) for field in fields)


def said(fields: Sequence[Field], form: Filled, *, prefix: str = "") -> dict[str, Any]:
    """Return the part of a clinic file that a filled-in form stands for, to be checked as a file is."""
    found = ((field.name, _said(field, form, f"{prefix}{field.name}")) for field in fields)
    return {name: value for name, value in found if value is not None}


def unplaced(fields: Sequence[Field], faults: Iterable[Fault]) -> list[Fault]:
    """Return the faults that belong to none of the fields."""
    names = {field.name for field in fields}
    return [fault for fault in faults if not fault.place or fault.place[0] not in names]


def _asked(field: Field, value: Any, keys: Mapping[str, Sequence[str]], faults: Sequence[Fault], place: Place) -> Asked:
    name = ".".join(map(str, place))
    here = [fault for fault in faults if fault.place[: len(place)] == place]
    match field.kind:
        case Kind.PART:
            inner = asked(field.parts, value or {}, keys=keys, faults=here, place=place)
            return Asked(name, field, rows=(inner,), problems=_told(here, at=place))
        case Kind.PARTS:
            rows = [*(value or []), {}]
            asked_rows = tuple(
                asked(field.parts, row, keys=keys, faults=here, place=(*place, number))
                for number, row in enumerate(rows)
            )
            problems = [fault for fault in here if len(fault.place) <= len(place) + 1]
            return Asked(name, field, rows=asked_rows, problems=_told(problems))
        case Kind.HOURS:
            return Asked(name, field, days=tuple(_by_day(value or {})), problems=_told(here))
        case Kind.FLAG:
            return Asked(name, field, is_on=field.is_on if value is None else bool(value), problems=_told(here))
        case Kind.CHOICE | Kind.YES_NO | Kind.ONE_OF | Kind.SOME_OF:
            return Asked(name, field, options=_options(field, value, keys), problems=_told(here))
        case _:
            return Asked(name, field, value=_text(field.kind, value), problems=_told(here))


def _told(faults: Iterable[Fault], *, at: Place | None = None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fault.message for fault in faults if at is None or fault.place == at))


def _options(field: Field, value: Any, keys: Mapping[str, Sequence[str]]) -> tuple[Option, ...]:
    if field.kind is Kind.YES_NO:
        chosen = {None: "", True: "yes", False: "no"}.get(value, "")
        return tuple(Option(code, code == chosen) for code in ("yes", "no"))
    chosen_ones = {str(one) for one in value or []} if field.kind is Kind.SOME_OF else {str(value)}
    known = field.codes or tuple(keys.get(field.of, ()))
    # What is chosen and no longer there stays to be seen: its fault says why it can't be.
    unknown = sorted(chosen_ones - set(known) - {"None", ""})
    return tuple(Option(code, code in chosen_ones) for code in (*known, *unknown))


def _text(kind: Kind, value: Any) -> str:
    if value is None:
        return ""
    if kind is Kind.LINES:
        return "\n".join(map(str, value))
    return ", ".join(map(str, value)) if kind in {Kind.TIMES, Kind.PAIR} else str(value)


def _by_day(hours: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    times: dict[str, list[str]] = {day: [] for day in DAYS}
    for days, spans in hours.items():
        for number in read_days(days):
            times[DAYS[number]] += [spans] if isinstance(spans, str) else spans
    for day in DAYS:
        yield day, ", ".join(times[day])


def _said(field: Field, form: Filled, name: str) -> Any:
    match field.kind:
        case Kind.FLAG:
            return name in form
        case Kind.YES_NO:
            return {"yes": True, "no": False}.get(form.get(name, ""))
        case Kind.LINES:
            lines = [line.strip() for line in form.get(name, "").splitlines() if line.strip()]
            return lines if lines or field.may_be_none else None
        case Kind.TIMES | Kind.PAIR:
            return _pieces(form.get(name, "")) or None
        case Kind.HOURS:
            by_day = {day: _pieces(form.get(f"{name}.{day}", "")) for day in DAYS}
            return {day: times for day, times in by_day.items() if times}
        case Kind.SOME_OF:
            return form.getlist(name) or None
        case Kind.PART:
            return _unless_empty(said(field.parts, form, prefix=f"{name}."))
        case Kind.PARTS:
            return _rows(field, form, name) or None
        case _:
            return form.get(name, "").strip().replace("\r\n", "\n") or None


def _pieces(text: str) -> list[str]:
    return [piece.strip() for piece in re.split(r"[,;\n]", text) if piece.strip()]


def _rows(field: Field, form: Filled, name: str) -> list[dict[str, Any]]:
    kept = (number for number in range(_MOST_PARTS) if f"{name}.{number}.remove" not in form)
    found = (_unless_empty(said(field.parts, form, prefix=f"{name}.{number}.")) for number in kept)
    return [row for row in found if row is not None]


def _unless_empty(part: dict[str, Any]) -> dict[str, Any] | None:
    return part if any(value not in (False, {}) for value in part.values()) else None
