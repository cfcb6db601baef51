"""Patients' words for time; see api.py."""

from dialog.timewords.api import (
    ClockRange,
    DayRange,
    TimeMention,
    TimeReading,
    TimeWish,
    allows,
    merge_wish,
    read_birth_date,
    read_time,
)

__all__ = [
    "ClockRange",
    "DayRange",
    "TimeMention",
    "TimeReading",
    "TimeWish",
    "allows",
    "merge_wish",
    "read_birth_date",
    "read_time",
]
