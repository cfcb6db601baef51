"""Patients' words for time; see api.py."""

from dialog.timewords.api import (
    ClockRange,
    DayRange,
    HeardBirth,
    TimeMention,
    TimeReading,
    TimeWish,
    allows,
    hear_birth_date,
    is_search,
    merge_wish,
    read_birth_date,
    read_time,
)

__all__ = [
    "ClockRange",
    "DayRange",
    "HeardBirth",
    "TimeMention",
    "TimeReading",
    "TimeWish",
    "allows",
    "hear_birth_date",
    "is_search",
    "merge_wish",
    "read_birth_date",
    "read_time",
]
