"""What the forms of requests and answers are made of."""

import re
from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
"""The id of something. Services, practitioners and locations may also be named by their key of the clinic file."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


def _whole(value: Any) -> Any:
    # To JSON 45.0 is the same number as 45.
    return int(value) if isinstance(value, float) and value.is_integer() else value


Minutes = Annotated[int, Field(ge=1, le=24 * 60), BeforeValidator(_whole)]

_EARLIEST, _LATEST = date(1900, 1, 1), date(2200, 1, 1)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Form(BaseModel):
    """Base of what requests bring: nothing beside what is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """Base of what answers hold. Later releases may add names."""

    model_config = ConfigDict(frozen=True)


def _read_instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise PydanticCustomError(
            "instant", "Not an instant like 2027-03-15T09:00:00-04:00 (in an address, + is written %2B)"
        )
    try:
        instant = datetime.fromisoformat(value.upper())
    except ValueError:
        raise PydanticCustomError("instant", "No calendar or clock has this time") from None
    if instant.tzinfo is None:
        raise PydanticCustomError("time-without-zone", "The time needs its offset from UTC, as in -04:00, or Z")
    if not _EARLIEST <= instant.date() < _LATEST:
        raise PydanticCustomError("implausible-time", "Years are between 1900 and 2199")
    return instant


def _read_day(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValueError
        day = date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("day", "Not a day like 2027-03-15") from None
    if not _EARLIEST <= day < _LATEST:
        raise PydanticCustomError("implausible-time", "Years are between 1900 and 2199")
    return day


def _read_time_of_day(value: Any) -> time:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not _TIME_OF_DAY.fullmatch(value):
        raise PydanticCustomError("time-of-day", "Not a time of day like 15:00")
    return time.fromisoformat(value)


def _read_day_or_instant(value: Any) -> date | datetime:
    return _read_day(value) if isinstance(value, str) and _DAY.fullmatch(value) else _read_instant(value)


_A_DAY = {"type": "string", "format": "date"}
_AN_INSTANT = {"type": "string", "format": "date-time"}

Instant = Annotated[datetime, PlainValidator(_read_instant), WithJsonSchema(_AN_INSTANT)]
"""RFC 3339 with an offset, which is kept: it tells where the sender thinks the time is."""

Day = Annotated[date, PlainValidator(_read_day), WithJsonSchema(_A_DAY)]
TimeOfDay = Annotated[
    time,
    PlainValidator(_read_time_of_day),
    WithJsonSchema({"type": "string", "pattern": f"^{_TIME_OF_DAY.pattern}$", "examples": ["15:00"]}),
]
"""What clocks show at the location, without a zone."""

DayOrInstant = Annotated[
    date | datetime,
    PlainValidator(_read_day_or_instant),
    WithJsonSchema({"type": "string", "anyOf": [_A_DAY, _AN_INSTANT]}),
]
"""A day means the midnight at which it begins, by the clinic's clock."""
