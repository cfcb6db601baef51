"""Meanings of the rules about ranges of dates, limits, and dates with a time of day."""

import calendar
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from dialog.timewords.atoms import Clock, Day, Half, Length, Part, Recurring, Span, Together, Unclear
from dialog.timewords.clocks import Context, half_day, named_part, part_early, part_late, span, span_after, span_before
from dialog.timewords.dates import Dated, day_in, day_month, day_of_month, monday_of, point, weekday_day, written_date
from dialog.timewords.lengths import added, length_of
from dialog.timewords.periods import month
from dialog.timewords.values import HORIZON


def days_between(_: Context, first: Day, last: Day) -> Dated | None:
    """Read "Monday to Wednesday", "from March 3 to March 7", both included."""
    if first.open or last.open:
        return None
    start, end = first.first, last.end
    if end <= start and last.weekday is not None:
        end += timedelta(days=7)
    if end <= start:
        # The end is the next to come, and what begins before it may have begun already.
        start -= relativedelta(years=1)
    return Day(start, end, "days") if start < end else None


def month_days(context: Context, month: int, first: int, last: int, year: int | None = None) -> Dated | None:
    """Read "April 9 through 17"."""
    if not 1 <= first < last <= 31:
        return None
    end = written_date(context, year, month, last)
    if isinstance(end, Unclear):
        return end
    return Day(end.first.replace(day=first), end.end, "days")


def months_between(context: Context, first: int, last: int, year: int | None = None) -> Dated | None:
    """Read "between May and July"."""
    return days_between(context, month(context, first, year), month(context, last, year))


def days_month(context: Context, first: int, last: int, month: int, year: int | None = None) -> Dated | None:
    """Read "1-8 September"."""
    return month_days(context, month, first, last, year)


def month_dates(context: Context, month: int, *days: int) -> Together | None:
    """Read "May 3rd, 4th or 5th"."""
    dates = tuple(written_date(context, None, month, day) for day in days)
    return Together(dates) if all(1 <= day <= 31 for day in days) else None


def dates_of_month(context: Context, *days_and_month: int) -> Together | None:
    """Read "the 3rd or the 5th of May"."""
    *days, month = days_and_month
    return month_dates(context, month, *days)


def days_in_month(_: Context, first: int, last: int, month: Day) -> Dated | None:
    """Read "from the 3rd to the 7th of next month"."""
    start, end = day_in(_, first, month), day_in(_, last, month)
    if not (isinstance(start, Day) and isinstance(end, Day)):
        return start if isinstance(start, Unclear) else end
    return Day(start.first, end.end, "days") if first < last else None


def day_hyphen_number(context: Context, day: int, number: int) -> Dated | None:
    """Read "5-7" as a date where the day is written first and the second number can be a month, else as days from one to another."""
    is_date = number <= 12 and context.language.day_first
    return day_month(context, day, number) if is_date else days_of_month(context, day, number)


def month_between_days(context: Context, month: Day, first: int, last: int) -> Dated | None:
    """Read "next month, between the 3rd and the 7th"."""
    return days_in_month(context, first, last, month) if month.unit == "month" else None


def month_after_day(context: Context, month: Day, day: int) -> Dated | None:
    """Read "next month, after the 10th"."""
    return month_between_days(context, month, day + 1, _length(month))


def month_from_day(context: Context, month: Day, day: int) -> Dated | None:
    """Read "next month, from the 10th on"."""
    return month_between_days(context, month, day, _length(month))


def month_before_day(context: Context, month: Day, day: int) -> Dated | None:
    """Read "next month, before the 10th"."""
    return month_between_days(context, month, 1, day - 1)


def month_until_day(context: Context, month: Day, day: int) -> Dated | None:
    """Read "next month, until the 10th"."""
    return month_between_days(context, month, 1, day)


def _length(period: Day) -> int:
    return (period.end - period.first).days


def dates_in_month(context: Context, first: int, last: int, month: Day) -> Together | None:
    """Read "the 3rd or the 5th of next month"."""
    dates = tuple(found for day in (first, last) if (found := day_in(context, day, month)) is not None)
    return Together(dates) if len(dates) == 2 else None


def day_to_date(_: Context, first: int, last: Day) -> Dated | None:
    """Read "from the 28th to May 3rd", which begins in the month before."""
    for back in range(31):
        start = last.first - timedelta(days=back)
        if start.day == first:
            return Day(start, last.end, "days")
    return None


def date_to_day(_: Context, first: Day, last: int) -> Dated | None:
    """Read "from May 5th to the 9th"."""
    for ahead in range(1, 31):
        end = first.first + timedelta(days=ahead)
        if end.day == last:
            return Day(first.first, end + timedelta(days=1), "days")
    return None


def two_days_of_month(context: Context, first: int, last: int) -> Together | None:
    """Read "the 3rd or the 5th"."""
    days = [found for day in (first, last) if (found := day_of_month(context, day)) is not None]
    return Together(tuple(days)) if len(days) == 2 else None


def days_of_month(context: Context, first: int, last: int) -> Dated | None:
    """Read "from the 3rd to the 7th"."""
    end = day_of_month(context, last)
    if not isinstance(end, Day):
        return end
    if first < last:
        return Day(end.first.replace(day=first), end.end, "days")
    start = day_of_month(context, first)
    return Day(start.first, _until(start.first, last), "days") if isinstance(start, Day) else start


def _until(start: date, last: int) -> date:
    following = start.replace(day=1) + relativedelta(months=1)
    return following + timedelta(days=min(last, calendar.monthrange(following.year, following.month)[1]))


def days_after(context: Context, day: Day) -> Dated | None:
    """Read "after the 15th"."""
    return _from(context, day, after=True)


def days_from(context: Context, day: Day) -> Dated | None:
    """Read "from Monday on"."""
    return _from(context, day, after=False)


def _from(context: Context, day: Day, *, after: bool) -> Dated | None:
    if day.open:
        return None
    first = day.end if after else day.first
    return Day(first, max(first, context.today) + HORIZON, "days", "after")


def _before(context: Context, day: Day, end: date, *, until: bool = False) -> Dated | None:
    return None if day.open else Day(min(context.today, end - timedelta(days=1)), end, "days", "before", until=until)


def days_before(context: Context, day: Day) -> Dated | None:
    """Read "before Friday"."""
    return _before(context, day, day.first)


def days_by(context: Context, day: Day) -> Dated | None:
    """Read "by Friday", Friday included."""
    return _before(context, day, day.end, until=True)


days_by_end = days_by


def by_day(context: Context, ahead: int) -> Dated | None:
    """Read "by the end of the day"."""
    return days_by(context, point(context.today + timedelta(days=ahead)))


def within(context: Context, by: Length) -> Day | None:
    """Read "within two weeks"."""
    return None if by.minutes else Day(context.today, added(context.today, by) + timedelta(days=1), "days")


def next_length(context: Context, by: Length) -> Day | None:
    """Read "next three weeks" as whole weeks from Monday on, and "next three days" from tomorrow on."""
    if by.minutes:
        return None
    tomorrow = context.today + timedelta(days=1)
    if by.days and by.days % 7 == 0:
        return Day(
            monday_of(context.today) + timedelta(days=7), monday_of(context.today) + timedelta(days=7 + by.days), "days"
        )
    return Day(tomorrow, added(context.today, by) + timedelta(days=1), "days")


def next_count(context: Context, count: int, unit: str) -> Day | None:
    """Read "the three next weeks": from tomorrow on."""
    by = length_of(count, unit)
    return (
        None
        if by is None or by.minutes
        else Day(context.today + timedelta(days=1), added(context.today, by) + timedelta(days=1), "days")
    )


def lengths(context: Context, first: int, last: int, unit: str) -> Day | None:
    """Read "in two or three weeks"."""
    start, end = length_of(first, unit), length_of(last, unit)
    if start is None or end is None or start.minutes or first >= last:
        return None
    return Day(added(context.today, start), added(context.today, end) + timedelta(days=1), "days")


def unit_or_two(context: Context, unit: str) -> Day | None:
    """Read "in a week or two"."""
    return lengths(context, 1, 2, unit)


def next_days(context: Context, by: Length) -> Day | None:
    """Read "the coming two weeks": from tomorrow on."""
    return (
        None
        if by.minutes
        else Day(context.today + timedelta(days=1), added(context.today, by) + timedelta(days=1), "days")
    )


def point_and_next(_: Context, day: Day) -> Day:
    """Read "tomorrow or the day after"."""
    return Day(day.first, day.first + timedelta(days=2), "days")


def for_days(_: Context, by: Length, day: Day) -> Dated | None:
    """Read "for three days from tomorrow"."""
    return None if by.minutes or by.workdays else Day(day.first, added(day.first, by), "days")


def length_after_open(context: Context, by: Length, day: Day) -> Dated | None:
    """Read "more than two weeks after Monday"."""
    return None if by.minutes else days_from(context, point(added(day.first, by)))


def length_open(context: Context, by: Length) -> Dated | None:
    """Read "at least two weeks from now"."""
    return length_after_open(context, by, point(context.today))


def until_day(context: Context, day: Day) -> Dated | None:
    """Read "between now and Friday"."""
    return Day(context.today, day.end, "days") if day.end > context.today else None


# Dates with a time of day


def day_half(context: Context, day: Day, half: Half) -> Together:
    """Read "Friday a.m."."""
    return Together((day, half_day(context, half)))


def day_part(_: Context, day: Day, part: Part) -> Together:
    """Read "Tuesday evening"."""
    return Together((day, part))


def weekday_day_part(context: Context, weekday: int, day: int, part: Part) -> Together | None:
    """Read "Friday 12 in the afternoon": the date, where such a day is near; else the number is an hour."""
    found = weekday_day(context, weekday, day)
    return Together((found, part)) if isinstance(found, Day) and not found.doubtful else None


def day_clock(_: Context, day: Day, clock: Clock) -> Together:
    """Read "Monday, 9 in the morning"."""
    return Together((day, clock))


def day_part_early(context: Context, day: Day, part: Part) -> Together:
    """Read "early Friday afternoon"."""
    return Together((day, part_early(context, part)))


def day_part_late(context: Context, day: Day, part: Part) -> Together:
    """Read "late Friday afternoon"."""
    return Together((day, part_late(context, part)))


def day_part_named(context: Context, day: Day, name: str) -> Together:
    """Read "early on Tuesday"."""
    return Together((day, named_part(context.language, name)))


def weekday_parts(_: Context, weekday: int, part: Part) -> Together:
    """Read "Saturday mornings"."""
    return Together((Recurring(frozenset({weekday})), part))


def workday_parts(_: Context, part: Part) -> Together:
    """Read "weekday evenings"."""
    return Together((Recurring(frozenset(range(5))), part))


def weekend_parts(_: Context, part: Part) -> Together:
    """Read "weekend mornings"."""
    return Together((Recurring(frozenset({5, 6})), part))


def today_part(context: Context, name: str) -> Together:
    """Read "tonight"."""
    return today_part_of(context, named_part(context.language, name))


def today_part_of(context: Context, part: Part) -> Together:
    """Read "this afternoon"."""
    return Together((point(context.today), part))


def today_part_early(context: Context, part: Part) -> Together:
    """Read "early this afternoon"."""
    return today_part_of(context, part_early(context, part))


def today_part_late(context: Context, part: Part) -> Together:
    """Read "later this afternoon"."""
    return today_part_of(context, part_late(context, part))


def day_span(context: Context, start: Any, day: Day, end: Any) -> Together | None:
    """Read "between 2:00 tomorrow and 4:00"."""
    return point_span(context, day, start, end)


def point_before(context: Context, day: Day, clock: Clock) -> Together:
    """Read "by tomorrow noon". Of the days before it nothing is said that a wish could hold, so that day is what is wished."""
    return Together((day, span_before(context, clock)))


def point_after(context: Context, day: Day, clock: Clock) -> Together:
    """Read "after tomorrow noon", as `point_before`."""
    return Together((day, span_after(context, clock)))


def point_span(context: Context, day: Day, start: Any, end: Any) -> Together | None:
    """Read "from Monday 2 to 4"."""
    between = span(context, start, end)
    return Together((day, between)) if isinstance(between, Span) else None
