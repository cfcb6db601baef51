"""Meanings of the rules about lengths of time, and how a length is added to a date."""

from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from dialog.timewords.atoms import Length, Moment, Stretch
from dialog.timewords.clocks import Context
from dialog.timewords.values import DAY_MINUTES

LONGER_DAYS = {"week": 7, "fortnight": 14, "half_month": 15}  # units that have halves in days
LONGEST = 1000  # of anything; beyond it nobody speaks of an appointment


def length_of(count: float, unit: str) -> Length | None:
    """So many of a unit; half a week is three days. None for what cannot be counted in days, such as half a day."""
    if unit == "minute":
        return Length(minutes=round(count))
    if unit == "hour":
        return Length(minutes=round(count * 60))
    if unit == "year":
        count, unit = count * 12, "month"
    whole = int(count)
    if whole > LONGEST:
        return None
    if unit in LONGER_DAYS:
        return Length(days=int(count * LONGER_DAYS[unit]))
    if unit == "month":
        return Length(months=whole, days=int((count - whole) * 30))
    if whole != count:
        return None
    return Length(workdays=whole) if unit == "workday" else Length(days=whole)


def length(_: Context, count: float, unit: str) -> Length | None:
    """Read "three weeks"."""
    return length_of(count, unit)


def length_sum(_: Context, count: float, unit: str, more: float, smaller: str) -> Length | None:
    """Read "three hours and thirty minutes"."""
    first, second = length_of(count, unit), length_of(more, smaller)
    if first is None or second is None or unit == smaller:
        return None
    return Length(
        first.months + second.months,
        first.days + second.days,
        first.minutes + second.minutes,
        first.workdays + second.workdays,
    )


def length_and_half(_: Context, count: float, unit: str) -> Length | None:
    """Read "two and a half hours"."""
    return length_of(count + 0.5, unit)


def length_and_part(_: Context, count: float, unit: str, part: int, of: int) -> Length | None:
    """Read "an hour and a quarter"."""
    return length_of(count + part / of, unit)


def length_mixed(_: Context, count: float, fraction: tuple[int, int], unit: str) -> Length | None:
    """Read "2 1/2 hours"."""
    return length_of(count + fraction[0] / fraction[1], unit)


def length_part(_: Context, unit: str, part: int, of: int) -> Length | None:
    """Read "half an hour"."""
    return length_of(part / of, unit)


def length_fraction(_: Context, fraction: tuple[int, int], unit: str) -> Length | None:
    """Read "1/4 hour"."""
    return length_of(fraction[0] / fraction[1], unit)


def added(day: date, by: Length, sign: int = 1) -> date:
    """The date a length after `day`, or before it with `sign` -1. Minutes do not count."""
    if by.workdays:
        for _ in range(by.workdays):
            day += timedelta(days=sign)
            while day.weekday() > 4:
                day += timedelta(days=sign)
        return day
    return day + relativedelta(months=sign * by.months) + timedelta(days=sign * by.days)


def moment(context: Context, by: Length) -> Moment | None:
    """Read "in two hours"."""
    return (
        Moment(context.now + timedelta(minutes=by.minutes))
        if by.minutes and by.minutes < 30 * DAY_MINUTES and not (by.days or by.months)
        else None
    )


def moment_later(context: Context, by: Length) -> Moment | None:
    """Read "two hours later"."""
    then = moment(context, by)
    return None if then is None else Moment(then.at, shift=True)


def stretch(context: Context, by: Length) -> Stretch | None:
    """Read "the next three hours"."""
    then = moment(context, by)
    return Stretch(context.now, then.at) if then is not None else None
