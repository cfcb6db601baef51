"""From a part of a clinic file to a form and back: what stands in each field, and what a filled-in form says.

Pure. A field left empty says nothing, so that the clinic file's default holds.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from booking.clinic_file.forms import DAYS, read_days
from booking.clinic_file.remarks import Place, Remark
from frontdesk.console.set_up.fields import Field, Kind

_LONGEST_PIECE = 60
Filled = MultiDict[str, str]
"""A form as it was sent."""


@dataclass(frozen=True)
class Option:
    value: str
    is_chosen: bool
    label: str = ""  # of a key: what it is the key of


@dataclass(frozen=True)
class Problem:
    """What is wrong in a field. `about`: the line, or other piece of what stands there, that it is about."""

    remark: Remark
    about: str = ""


@dataclass(frozen=True)
class Asked:
    """A field as a page shows it. `id` is its name in the form; `problems` are what is wrong with what stands there."""

    id: str
    field: Field
    value: str = ""
    is_on: bool = False
    options: tuple[Option, ...] = ()
    days: tuple["Asked", ...] = ()  # of hours: the weekdays, each with its times
    rows: tuple[tuple["Asked", ...], ...] = ()  # of parts; the last is an empty one
    problems: tuple[Problem, ...] = ()


def asked(
    fields: Sequence[Field],
    part: Mapping[str, Any],
    *,
    names: Mapping[str, Mapping[str, str]],
    remarks: Iterable[Remark] = (),
    place: Place = (),
) -> tuple[Asked, ...]:
    """Return the fields of a form filled in with `part`. `names`: what is called how in each group, by its key; `remarks` have places in the part."""
    wrong = tuple(remarks)
    return tuple(_asked(field, part.get(field.name), names, wrong, (*place, field.name)) for field in fields)


def said(fields: Sequence[Field], form: Filled, *, prefix: str = "") -> dict[str, Any]:
    """Return the part of a clinic file that a filled-in form stands for, to be checked as a file is."""
    found = ((field.name, _said(field, form, f"{prefix}{field.name}")) for field in fields)
    return {name: value for name, value in found if value is not None}


def unplaced(fields: Sequence[Field], remarks: Iterable[Remark]) -> list[Remark]:
    """Return the remarks that belong to none of the fields."""
    names = {field.name for field in fields}
    return [remark for remark in remarks if not remark.place or remark.place[0] not in names]


def _asked(
    field: Field, value: Any, names: Mapping[str, Mapping[str, str]], remarks: Sequence[Remark], place: Place
) -> Asked:
    name = ".".join(map(str, place))
    here = [remark for remark in remarks if remark.place[: len(place)] == place]
    match field.kind:
        case Kind.PART:
            inner = asked(field.parts, value or {}, names=names, remarks=here, place=place)
            own = [remark for remark in here if remark.place == place]
            return Asked(name, field, rows=(inner,), problems=_problems(own))
        case Kind.PARTS:
            rows = [*(value or []), {}]
            asked_rows = tuple(
                asked(field.parts, row, names=names, remarks=here, place=(*place, number))
                for number, row in enumerate(rows)
            )
            own = [remark for remark in here if len(remark.place) <= len(place) + 1]
            return Asked(name, field, rows=asked_rows, problems=_problems(own))
        case Kind.HOURS:
            days = tuple(_asked_days(field, value or {}, here, place))
            told = [problem.remark for day in days for problem in day.problems]
            return Asked(name, field, days=days, problems=_problems(one for one in here if one not in told))
        case Kind.FLAG:
            return Asked(name, field, is_on=field.is_on if value is None else bool(value), problems=_problems(here))
        case Kind.CHOICE | Kind.YES_NO | Kind.ONE_OF | Kind.SOME_OF:
            return Asked(name, field, options=_options(field, value, names), problems=_problems(here, value, place))
        case _:
            return Asked(name, field, value=_text(field.kind, value), problems=_problems(here, value, place))


def _problems(remarks: Iterable[Remark], value: Any = None, place: Place = ()) -> tuple[Problem, ...]:
    """Return what is wrong, each thing once. Of a list at `place` it is told which of its pieces is meant."""
    found: list[Problem] = []
    for remark in remarks:
        match remark.place[len(place) :]:
            case (int(number), *_) if isinstance(value, list) and number < len(value):
                problem = Problem(remark, str(value[number])[:_LONGEST_PIECE])
            case _:
                problem = Problem(remark)
        if all((one.remark.code, one.about) != (remark.code, problem.about) for one in found):
            found.append(problem)
    return tuple(found)


def _options(field: Field, value: Any, names: Mapping[str, Mapping[str, str]]) -> tuple[Option, ...]:
    if field.kind is Kind.YES_NO:
        chosen = {None: "", True: "yes", False: "no"}.get(value, "")
        return tuple(Option(code, code == chosen) for code in ("yes", "no"))
    chosen_ones = {str(one) for one in value or []} if field.kind is Kind.SOME_OF else {str(value)}
    called = names.get(field.of, {})
    known = field.codes or tuple(called)
    # What is chosen and no longer there stays to be seen: its fault says why it can't be.
    unknown = sorted(chosen_ones - set(known) - {"None", ""})
    return tuple(Option(code, code in chosen_ones, called.get(code, code)) for code in (*known, *unknown))


def _text(kind: Kind, value: Any) -> str:
    if value is None:
        return ""
    if kind is Kind.LINES:
        return "\n".join(map(str, value))
    return ", ".join(map(str, value)) if kind in {Kind.TIMES, Kind.PAIR} else str(value)


def _asked_days(field: Field, hours: Mapping[str, Any], remarks: Sequence[Remark], place: Place) -> Iterator[Asked]:
    times = _by_day(hours)
    for number, day in enumerate(DAYS):
        at = (*place, day)
        here = [one for one in remarks if one.place[: len(at)] == at or one.fields.get("weekday") == number]
        yield Asked(
            ".".join(map(str, at)), field, value=", ".join(times[day]), problems=_problems(here, times[day], at)
        )


def _by_day(hours: Mapping[str, Any]) -> dict[str, list[str]]:
    times: dict[str, list[str]] = {day: [] for day in DAYS}
    for days, spans in hours.items():
        for number in read_days(days):
            times[DAYS[number]] += [spans] if isinstance(spans, str) else spans
    return times


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
    sent = (re.match(rf"{re.escape(name)}\.(\d{{1,6}})\.", one) for one in form)
    numbers = sorted({int(one[1]) for one in sent if one})
    kept = (number for number in numbers if f"{name}.{number}.remove" not in form)
    found = (_unless_empty(said(field.parts, form, prefix=f"{name}.{number}.")) for number in kept)
    return [row for row in found if row is not None]


def _unless_empty(part: dict[str, Any]) -> dict[str, Any] | None:
    return part if any(value not in (False, {}) for value in part.values()) else None
