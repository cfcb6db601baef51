"""Meanings of the rules about single dates. Each takes the context and what its rule found; None says that the words do not mean a date after all.

Weeks begin on Monday. "Next Thursday" is the Thursday of next week, "this Thursday" that of this week; a weekday or a date without a year is the next to come. A date
that does not exist is unclear, never moved to a neighbour.
"""

import calendar
from datetime import date, timedelta
from typing import Any

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

from dialog.timewords.atoms import Day, Length, Recurring, Unclear
from dialog.timewords.clocks import Context
from dialog.timewords.lengths import added

DOUBT = timedelta(days=45)  # a weekday and a day of the month that first meet later than this are likelier a slip

Dated = Day | Unclear


def point(day: date, **more: Any) -> Day:
    """Make a single date."""
    return Day(day, day + timedelta(days=1), **more)


def monday_of(day: date) -> date:
    """The Monday of the week that `day` is in."""
    return day - timedelta(days=day.weekday())


def _made(year: int, month: int, day: int) -> Dated:
    try:
        return point(date(year, month, day))
    except ValueError:
        return Unclear("no such date")


def _next_of(context: Context, month: int, day: int) -> Dated:
    for year in (context.today.year, context.today.year + 1):
        day_then = _made(year, month, day)
        if isinstance(day_then, Day) and day_then.first >= context.today:
            return day_then
    return Unclear("no such date")


def offset(context: Context, days: int) -> Day:
    """Read "tomorrow"."""
    return point(context.today + timedelta(days=days))


def _coming(context: Context, weekday: int) -> date:
    return context.today + timedelta(days=(weekday - context.today.weekday() - 1) % 7 + 1)


def weekday(context: Context, weekday: int) -> Day:
    """Read "Tuesday": the next one after today."""
    return point(_coming(context, weekday), weekday=weekday)


def weekday_coming(context: Context, weekday: int) -> Day:
    """Read "this coming Tuesday"."""
    return point(_coming(context, weekday))


def weekday_this(context: Context, weekday: int) -> Day:
    """Read "this Tuesday": today too, if it is one."""
    day = monday_of(context.today) + timedelta(days=weekday)
    return point(day if day >= context.today else day + timedelta(days=7))


def weekday_in_week(context: Context, weekday: int, weeks: int) -> Day:
    """Read "Tuesday of next week"."""
    return point(monday_of(context.today) + timedelta(days=weekday + 7 * weeks), week_named=True)


def weekday_following_week(context: Context, weekday: int) -> Day:
    """Read "Tuesday of the following week": of the one after what was spoken of, or after this one."""
    return point(monday_of(context.day_spoken_of or context.today) + timedelta(days=weekday + 7), week_named=True)


def weekday_next(context: Context, weekday: int) -> Day:
    """Read "next Tuesday"."""
    return weekday_next_weeks(context, weekday, 0)


def weekday_after_next(context: Context, weekday: int) -> Day:
    """Read "the Tuesday after next"."""
    return weekday_weeks(context, weekday, 1)


def weekday_last(context: Context, weekday: int) -> Day:
    """Read "last Tuesday"."""
    return point(context.today - timedelta(days=(context.today.weekday() - weekday - 1) % 7 + 1))


def weekday_weeks(context: Context, weekday: int, weeks: int) -> Day:
    """Read "a week on Tuesday"."""
    return point(_coming(context, weekday) + timedelta(days=7 * weeks))


def weekday_next_weeks(context: Context, weekday: int, weeks: int) -> Day:
    """Read "a week from next Tuesday"."""
    return point(monday_of(context.today) + timedelta(days=weekday + 7 * (1 + weeks)))


def count_weeks_weekday(context: Context, weeks: int, weekday: int) -> Day:
    """Read "two weeks on Tuesday"."""
    return weekday_weeks(context, weekday, weeks)


def weeks_point(_: Context, by: Length, day: Day) -> Day | None:
    """Read "a week tomorrow"."""
    return point(added(day.first, by)) if by.days and by.days % 7 == 0 and not by.months else None


def point_weeks(_: Context, day: Day, weeks: int) -> Day:
    """Read "tomorrow week"."""
    return point(day.first + timedelta(days=7 * weeks))


def _in_week_of(day: date, weekday: int) -> Day:
    return point(monday_of(day) + timedelta(days=weekday))


def weekday_in_length(context: Context, weekday: int, by: Length) -> Day | None:
    """Read "Monday in two weeks"."""
    return length_weekday(context, by, weekday)


def length_weekday(context: Context, by: Length, weekday: int) -> Day | None:
    """Read "in two weeks on Monday": the Monday of the week that is then."""
    return None if by.minutes else _in_week_of(added(context.today, by), weekday)


def length_after_weekday(context: Context, by: Length, name: str, weekday: int) -> Day | None:
    """Read "three weeks after Easter on Friday"."""
    return None if by.minutes else _in_week_of(added(holiday(context, name).first, by), weekday)


def nth_weekday_on(context: Context, count: int, weekdays: tuple[int, ...]) -> Day | None:
    """Read "three Fridays from now"."""
    return weekday_weeks(context, weekdays[0], count - 1) if len(weekdays) == 1 else None


def nth_weekday_from(_: Context, count: int, weekdays: tuple[int, ...], from_: Day) -> Day | None:
    """Read "two Mondays from the 3rd"."""
    if len(weekdays) != 1:
        return None
    return point(from_.first + timedelta(days=(weekdays[0] - from_.first.weekday() - 1) % 7 + 1 + 7 * (count - 1)))


def weekday_after(_: Context, weekday: int, from_: Day) -> Dated:
    """Read "the Thursday after Easter"."""
    last = from_.end - timedelta(days=1)
    return point(last + timedelta(days=(weekday - last.weekday() - 1) % 7 + 1))


def weekday_before(_: Context, weekday: int, from_: Day) -> Dated:
    """Read "the Thursday before Easter"."""
    return point(from_.first - timedelta(days=(from_.first.weekday() - weekday - 1) % 7 + 1))


def weekday_nearest(_: Context, weekday: int, from_: Day) -> Dated:
    """Read "the Monday closest to the 5th"."""
    return point(from_.first + timedelta(days=(weekday - from_.first.weekday() + 3) % 7 - 3))


def point_offset(_: Context, from_: Day, days: int) -> Dated:
    """Read "the day after Christmas"."""
    return point(from_.first + timedelta(days=days))


def said_offset(context: Context, days: int) -> Day:
    """Read "the day after" what was spoken of."""
    return point(context.today + timedelta(days=days), follows="day")


def said_again(context: Context, *_words: object) -> Day:
    """Read "the other one" after a weekday, week or month: the next of its kind."""
    return point(context.today, follows="again")


def next_of_kind(before: Day, *, weekly: bool) -> Day | None:
    """Give the day, week or month that comes after `before`; of a weekday, the one a week later. None after a stretch of any length."""
    if before.open or before.unit in {"days", "year"}:
        return None
    if before.unit == "month":
        return Day(before.end, before.end + relativedelta(months=1), "month")
    ahead = timedelta(days=7 if weekly or before.unit != "day" else 1)
    return Day(before.first + ahead, before.end + ahead, before.unit)


def following(context: Context, day: Day, before: Day) -> Day:
    """Count `day`, which was counted from today, from the day `before` it instead."""
    last = before.end - timedelta(days=1)
    if day.follows in {"weekday", "next_weekday"}:
        return point(last + timedelta(days=(day.first.weekday() - last.weekday() - 1) % 7 + 1))
    weekly = day.follows in {"week", "next_week"}
    moved = monday_of(last) - monday_of(context.today) if weekly else last - context.today
    if day.follows == "day" and day.first < context.today:
        moved = before.first - context.today
    return Day(day.first + moved, day.end + moved, day.unit)


def said_weekday(context: Context, weekday: int) -> Day:
    """Read "the Monday after that"."""
    return point(_coming(context, weekday), follows="weekday")


def said_weekday_or_next(context: Context, weekday: int) -> Day:
    """Read "the following Monday": the one after what was spoken of, or after today."""
    return point(_coming(context, weekday), follows="next_weekday")


def length_after(_: Context, by: Length, from_: Day) -> Dated | None:
    """Read "three days after Easter"."""
    return None if by.minutes else point(added(from_.first, by), counted=True)


def length_before(_: Context, by: Length, from_: Day) -> Dated | None:
    """Read "two weeks before Christmas"."""
    return None if by.minutes else point(added(from_.first, by, -1), counted=True)


def in_length(context: Context, by: Length) -> Day | None:
    """Read "in two weeks"."""
    return None if by.minutes else point(added(context.today, by), counted=True)


def ago(context: Context, by: Length) -> Day:
    """Read "two weeks ago"; hours ago count as yesterday, since all that matters is that it is over."""
    return point(min(added(context.today, by, -1), context.today - timedelta(days=1)))


def length_later(context: Context, by: Length) -> Day | None:
    """Read "two days later"."""
    then = added(context.today, by)
    return None if by.minutes else point(then, counted=True, shift=(then - context.today).days)


def length_earlier(context: Context, by: Length) -> Day | None:
    """Read "two days earlier"."""
    then = added(context.today, by, -1)
    return None if by.minutes else point(then, counted=True, shift=(then - context.today).days)


def month_day(context: Context, month: int, day: int) -> Dated | None:
    """Read "March 3"."""
    return _next_of(context, month, day) if 1 <= day <= 31 else None


def day_month(context: Context, day: int, month: int) -> Dated | None:
    """Read "the 3rd of March"."""
    return month_day(context, month, day)


def month_day_year(_: Context, month: int, day: int, year: int) -> Dated | None:
    """Read "March 3, 2027"."""
    return _made(year, month, day) if 1 <= day <= 31 else None


def day_month_year(context: Context, day: int, month: int, year: int) -> Dated | None:
    """Read "3 March 2027"."""
    return month_day_year(context, month, day, year)


def written_date(context: Context, year: int | None, month: int, day: int) -> Dated:
    """Read "3/14" or "2027-03-14" once cut into its numbers."""
    return _next_of(context, month, day) if year is None else _made(year, month, day)


def weekday_date(_: Context, weekday: int, day: Day) -> Dated:
    """Read "Thursday, March 14": both must agree."""
    if day.first.weekday() == weekday:
        return day
    return Unclear("weekday and date disagree")


def date_weekday(context: Context, day: Day, weekday: int) -> Dated:
    """Read "March 14, Thursday"."""
    return weekday_date(context, weekday, day)


def weekday_day(context: Context, weekday: int, day: int) -> Dated | None:
    """Read "Thursday the 14th": the next day that is both. Doubtful if that is far off."""
    if not 1 <= day <= 31:
        return None
    for ahead in range(366 * 2):
        candidate = context.today + timedelta(days=ahead)
        if candidate.day == day and candidate.weekday() == weekday:
            return point(candidate, doubtful=timedelta(days=ahead) > DOUBT)
    return Unclear("weekday and date disagree")


def day_of_month(context: Context, day: int) -> Dated | None:
    """Read "the 15th": the next one to come, today included."""
    if not 1 <= day <= 31:
        return None
    first = context.today.replace(day=1)
    for months in range(4):
        month = first + relativedelta(months=months)
        if day <= calendar.monthrange(month.year, month.month)[1] and month.replace(day=day) >= context.today:
            return point(month.replace(day=day))
    return Unclear("no such date")


def day_in(_: Context, day: int, month: Day) -> Dated | None:
    """Read "the 20th of next month"."""
    return _made(month.first.year, month.first.month, day) if 1 <= day <= 31 else None


def last_day(_: Context, _last: object, month: Day) -> Day:
    """Read "the last day of the month"."""
    return point(month.end - timedelta(days=1))


def nth_weekday(context: Context, count: int, weekday: int, month: Day) -> Dated:
    """Read "the first Tuesday of October"; of the next October if this year's is over."""
    for candidate in _this_or_next_year(month):
        day = candidate + timedelta(days=(weekday - candidate.weekday()) % 7 + 7 * (count - 1))
        if day >= context.today:
            return point(day) if day.month == candidate.month else Unclear("no such date")
    return point(month.first + timedelta(days=(weekday - month.first.weekday()) % 7 + 7 * (count - 1)))


def _this_or_next_year(month: Day) -> tuple[date, ...]:
    """The first of the month; of the next year's too, unless the month was named by counting from now."""
    return (month.first,) if month.counted else (month.first, month.first + relativedelta(years=1))


def nth_workday(_: Context, count: int, month: Day) -> Dated | None:
    """Read "the first working day of December"."""
    eve = month.first - timedelta(days=1)
    return point(added(eve, Length(workdays=count))) if 1 <= count <= 20 else None


def last_workday(_: Context, _last: object, month: Day) -> Day:
    """Read "the last working day of the month"."""
    return point(added(month.end, Length(workdays=1), -1))


def month_nth_weekday(context: Context, month: Day, count: int, weekday: int) -> Dated | None:
    """Read "next month, the first Tuesday"."""
    return nth_weekday(context, count, weekday, month) if month.unit == "month" else None


def month_last_weekday(context: Context, month: Day, last: object, weekday: int) -> Dated | None:
    """Read "next month, the last Friday"."""
    return last_weekday(context, last, weekday, month) if month.unit == "month" else None


def month_day_in(context: Context, month: Day, day: int) -> Dated | None:
    """Read "next month, the 20th"."""
    return day_in(context, day, month) if month.unit == "month" else None


def last_weekday(context: Context, _last: object, weekday: int, month: Day) -> Day:
    """Read "the last Friday of October"."""
    end = month.end
    if end <= context.today:
        end += relativedelta(years=1)
    last = end - timedelta(days=1)
    return point(last - timedelta(days=(last.weekday() - weekday) % 7))


def _holiday_in(context: Context, name: str, year: int) -> date:
    when = context.language.holidays[name]
    if isinstance(when, int):
        day: date = easter(year) + timedelta(days=when)
        return day
    if isinstance(when, str):
        month, number = map(int, when.split("-"))
        return date(year, month, number)
    which, wanted, month, *later = when
    first = date(year, month, 1)
    if which > 0:
        return first + timedelta(days=(wanted - first.weekday()) % 7 + 7 * (which - 1) + sum(later))
    last = first + relativedelta(months=1, days=-1)
    return last - timedelta(days=(last.weekday() - wanted) % 7)


def holiday(context: Context, name: str) -> Day:
    """Read a holiday: the next one, today included."""
    days = (_holiday_in(context, name, context.today.year + ahead) for ahead in (0, 1))
    return point(next(day for day in days if day >= context.today))


def holiday_year(context: Context, name: str, year: int) -> Day:
    """Read "Easter 2027"."""
    return point(_holiday_in(context, name, year))


# Weekdays in general


def recurring(_: Context, weekdays: tuple[int, ...]) -> Recurring:
    """Read "Tuesdays"."""
    return Recurring(frozenset(weekdays))


def recurring_from_to(_: Context, first: int, last: int) -> Recurring:
    """Read "Mondays to Thursdays" where only the article tells the plural."""
    return recurring_range(_, (first,), (last,))


def recurring_each(_: Context, *weekdays: int) -> Recurring:
    """Read "Mondays, Tuesdays and Fridays" where only the article tells the plural."""
    return Recurring(frozenset(weekdays))


def recurring_any(_: Context, weekday: int) -> Recurring:
    """Read "any Tuesday"."""
    return Recurring(frozenset({weekday}), plural=False)


def recurring_range(_: Context, first: tuple[int, ...], last: tuple[int, ...]) -> Recurring:
    """Read "Mondays to Thursdays"."""
    start = first[0]
    return Recurring(frozenset((start + ahead) % 7 for ahead in range((last[-1] - start) % 7 + 1)))
