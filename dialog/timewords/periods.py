"""Meanings of the rules about weeks, weekends and months, and parts of them."""

from dataclasses import replace
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from dialog.timewords.atoms import Day, Length, Recurring, Together, Unclear
from dialog.timewords.clocks import Context
from dialog.timewords.dates import Dated, holiday, monday_of
from dialog.timewords.lengths import added, length_of


def name(_: Context, word: str) -> str:
    """Stand for a kind of period."""
    return word


def _period(day: date, kind: str) -> Day:
    monday = monday_of(day)
    if kind == "week":
        return Day(monday, monday + timedelta(days=7), "week")
    if kind == "workweek":
        return Day(monday, monday + timedelta(days=5), "week")
    if kind == "weekend":
        return Day(monday + timedelta(days=5), monday + timedelta(days=7), "weekend")
    return Day(day.replace(day=1), day.replace(day=1) + relativedelta(months=1), "month")


def period(context: Context, kind: str, ahead: int) -> Day:
    """Read "next week", "this month"."""
    if kind == "month":
        return _period(context.today.replace(day=1) + relativedelta(months=ahead), kind)
    if kind == "half_month":
        return _half_month(context.today, ahead)
    if kind == "year":
        year = context.today.year + ahead
        return Day(date(year, 1, 1), date(year + 1, 1, 1), "year")
    return _period(context.today + timedelta(days=7 * ahead), kind)


def _half_month(day: date, ahead: int) -> Day:
    """The first or the second half of a month, as wages are paid in many countries."""
    months, second = divmod((day.day > 15) + ahead, 2)
    first = day.replace(day=1) + relativedelta(months=months)
    half = first.replace(day=16)
    return Day(half, first + relativedelta(months=1), "days") if second else Day(first, half, "days")


def period_coming(context: Context, kind: str) -> Day:
    """Read "the coming week", which is the next; the coming weekend is this week's."""
    return period(context, kind, 0 if kind == "weekend" else 1)


def period_to_come(context: Context, kind: str) -> Day:
    """Read "the week that comes"; a weekend that has not begun yet comes too."""
    begun = context.today.weekday() > 4
    return period(context, kind, 0 if kind == "weekend" and not begun else 1)


def period_month(context: Context, ahead: int) -> Day:
    """Read "next month" where a month is meant to hold a day."""
    return replace(period(context, "month", ahead), counted=True)


def weekend(context: Context, ahead: int) -> Day:
    """Read "this weekend"."""
    return period(context, "weekend", ahead)


def weekends_ahead(context: Context, count: int) -> Day:
    """Read "two weekends from now"."""
    return period(context, "weekend", count - (context.today.weekday() < 5))


def period_after_point(_: Context, kind: str, from_: Day) -> Dated:
    """Read "the week after Easter"."""
    if kind == "month":
        return _period(from_.first.replace(day=1) + relativedelta(months=1), kind)
    return _period(from_.first + timedelta(days=7 if kind != "weekend" or from_.first.weekday() > 4 else 0), kind)


def said_week(context: Context) -> Day:
    """Read "the week after" what was spoken of."""
    return replace(period(context, "week", 1), follows="week")


def said_week_or_next(context: Context) -> Day:
    """Read "the following week": the one after what was spoken of, or after this one."""
    return replace(period(context, "week", 1), follows="next_week")


def said_weekend_or_next(context: Context) -> Day:
    """Read "the following weekend": that of the week after what was spoken of, or after this one."""
    return replace(period(context, "weekend", 1), follows="next_week")


def period_before_point(_: Context, kind: str, from_: Day) -> Day:
    """Read "the week before Christmas"."""
    if kind == "month":
        return _period(from_.first.replace(day=1) - timedelta(days=1), kind)
    return _period(from_.first - timedelta(days=7), kind)


def week_of(_: Context, day: Day) -> Dated:
    """Read "the week of October 7th". Where weeks are written from Sunday, the week of a Sunday is the one that then begins."""
    return _period(day.first + timedelta(days=1 if day.first.weekday() == 6 else 0), "week")


def week_from(_: Context, day: Day) -> Dated:
    """Read "a week starting tomorrow"."""
    return Day(day.first, day.first + timedelta(days=7), "days")


def weekend_of(_: Context, day: Day) -> Dated:
    """Read "the weekend of Halloween": the nearest one."""
    return _period(day.first - timedelta(days=2 if day.first.weekday() < 2 else 0), "weekend")


def holiday_weekend(context: Context, name: str) -> Day:
    """Read "Labor Day weekend", with the Monday, or with the Thursday and Friday of Thanksgiving."""
    day = holiday(context, name).first
    if day.weekday() == 3:
        return Day(day, day + timedelta(days=4), "weekend")
    if day.weekday() == 0:
        return Day(day - timedelta(days=2), day + timedelta(days=1), "weekend")
    return _period(day - timedelta(days=2 if day.weekday() < 2 else 0), "weekend")


def holiday_week(context: Context, name: str) -> Day:
    """Read "Thanksgiving week"."""
    return _period(holiday(context, name).first, "week")


def _weeks_of_month(first: date) -> list[Day]:
    """The weeks that belong to a month: those whose Thursday does."""
    thursday = first + timedelta(days=(3 - first.weekday()) % 7)
    weeks = []
    while thursday.month == first.month:
        weeks.append(_period(thursday, "week"))
        thursday += timedelta(days=7)
    return weeks


def _nth(context: Context, found: list[Day], next_year: list[Day], index: int) -> Dated:
    for candidates in (found, next_year):
        if -len(candidates) <= index < len(candidates) and candidates[index].end > context.today:
            return candidates[index]
    return Unclear("no such week")


def nth_week(context: Context, count: int, month: Day) -> Dated:
    """Read "the first week of April"."""
    return _nth(context, _weeks_of_month(month.first), _weeks_of_month(month.first + relativedelta(years=1)), count - 1)


def said_nth_week(context: Context, count: int) -> Day:
    """Read "the first week" of the month that was spoken of."""
    return Day(context.today, context.today + timedelta(days=1), shift=count, follows="week_of_month")


def said_last_week(context: Context, _last: object) -> Day:
    """Read "the last week" of the month that was spoken of."""
    return said_nth_week(context, 0)


def week_told(context: Context, week: Day, month: Day | None) -> Dated:
    """Give the week that `said_nth_week` left open: of `month`, or of the first one in which it is still to come."""
    for ahead in (0, 1):
        found = _nth(context, _weeks_of_month((month or period(context, "month", ahead)).first), [], week.shift - 1)
        if isinstance(found, Day):
            return found
    return Unclear("no such week")


def month_nth_week(context: Context, month: Day, count: int) -> Dated | None:
    """Read "in April, the first week"."""
    return nth_week(context, count, month) if month.unit == "month" else None


def month_last_week(context: Context, month: Day, last: object) -> Dated | None:
    """Read "in July, the last week"."""
    return last_week(context, last, month) if month.unit == "month" else None


def last_week(context: Context, _last: object, month: Day) -> Dated:
    """Read "the last week of July"."""
    return _nth(context, _weeks_of_month(month.first), _weeks_of_month(month.first + relativedelta(years=1)), -1)


def _weekends_of_month(first: date) -> list[Day]:
    saturday = first + timedelta(days=(5 - first.weekday()) % 7)
    weekends = []
    while saturday.month == first.month:
        weekends.append(_period(saturday, "weekend"))
        saturday += timedelta(days=7)
    return weekends


def nth_weekend(context: Context, count: int, month: Day) -> Dated:
    """Read "the second weekend of May"."""
    return _nth(
        context, _weekends_of_month(month.first), _weekends_of_month(month.first + relativedelta(years=1)), count - 1
    )


def last_weekend(context: Context, _last: object, month: Day) -> Dated:
    """Read "the last weekend of July"."""
    return _nth(context, _weekends_of_month(month.first), _weekends_of_month(month.first + relativedelta(years=1)), -1)


def month(context: Context, month: int, year: int | None = None) -> Day:
    """Read "March": this month if it is March, else the next."""
    if year is None:
        year = context.today.year + (month < context.today.month)
    return _period(date(year, month, 1), "month")


month_year = month
month_alone = month


def year_next(context: Context) -> Day:
    """Read "next year"."""
    return period(context, "year", 1)


def period_and_next(_: Context, first: Day) -> Day:
    """Read "next week or the week after"."""
    length = relativedelta(months=1) if first.unit == "month" else timedelta(days=7)
    return Day(first.first, first.end + length, "days")


def this_and_next(context: Context, kind: str) -> Day:
    """Read "this week or next"."""
    return period_and_next(context, period(context, kind, 0))


def by_end_of_year(context: Context) -> Day:
    """Read "by the end of the year"."""
    return Day(context.today, date(context.today.year + 1, 1, 1), "days", "before")


def period_in(context: Context, kind: str, by: Length) -> Day | None:
    """Read "the week in three weeks"."""
    return None if by.minutes else _period(added(context.today, by), kind)


def weeks_in(context: Context, by: Length) -> Day | None:
    """Read "sometime in two weeks": the week that is then."""
    return None if by.minutes or by.days % 7 else _period(added(context.today, by), "month" if by.months else "week")


def weeks_from_now(_: Context, *_words: object) -> None:
    """A count of weeks from now is a date, not a period."""


# Parts of periods


def first_of(_: Context, count: int, unit: str, month: Day) -> Day | None:
    """Read "the first two weeks of May"."""
    by = length_of(count, unit)
    return Day(month.first, min(added(month.first, by), month.end), "days") if by and by.days and count else None


def last_of(_: Context, count: int, unit: str, month: Day) -> Day | None:
    """Read "the last two weeks of May"."""
    by = length_of(count, unit)
    return Day(max(added(month.end, by, -1), month.first), month.end, "days") if by and by.days and count else None


def _shape(period: Day, month: tuple[int, int], week: tuple[int, int]) -> Day:
    if period.unit == "year":
        start, end = (int(each * 12 / 30) for each in month)
        return Day(
            period.first + relativedelta(months=start), period.first + relativedelta(months=min(end, 12)), "days"
        )
    days = (period.end - period.first).days
    begin, end = month if period.unit == "month" else week if days > 3 else (0, days)
    first, last = period.first + timedelta(days=begin), min(period.first + timedelta(days=end), period.end)
    return Day(first, last, "days", follows=period.follows)


def start_of(context: Context, period: Day) -> Day:
    """Read "early next week": Monday to Wednesday, or the first ten days of a month."""
    return _still_ahead(context, _shape(period, (0, 10), (0, 3)), period)


def middle_of(context: Context, period: Day) -> Day:
    """Read "the middle of the month"."""
    return _still_ahead(context, _shape(period, (10, 20), (1, 4)), period)


def end_of(_: Context, period: Day) -> Day:
    """Read "the end of next week": Friday on, or the last days of a month."""
    return _shape(period, (20, 31), (4, 7))


def _still_ahead(context: Context, part: Day, period: Day) -> Day:
    """Move what is over: "early in the week", said on its Saturday, is next week's."""
    if part.end > context.today or period.unit not in {"week", "year"} or period.end <= context.today:
        return part
    ahead = timedelta(days=7) if period.unit == "week" else relativedelta(years=1)
    return replace(part, first=part.first + ahead, end=part.end + ahead)


def month_start_to_come(context: Context) -> Day:
    """Read "at the beginning of the month": of the next one, where this one's is over."""
    part = start_of(context, period(context, "month", 0))
    return part if part.end > context.today else start_of(context, period(context, "month", 1))


def month_middle_to_come(context: Context) -> Day:
    """Read "in the middle of the month": of the next one, where this one's is over."""
    part = middle_of(context, period(context, "month", 0))
    return part if part.end > context.today else middle_of(context, period(context, "month", 1))


def first_half(_: Context, period: Day) -> Day:
    """Read "the first half of March"."""
    return _shape(period, (0, 15), (0, 3))


def second_half(_: Context, period: Day) -> Day:
    """Read "the latter half of March"."""
    return _shape(period, (15, 31), (3, 7))


def by_end_of(context: Context, period: Day) -> Day:
    """Read "by the end of the month"."""
    return Day(context.today, period.end, "days", "before")


def rest_of(context: Context, period: Day) -> Day | None:
    """Read "later this week"."""
    return Day(max(context.today, period.first), period.end, "days") if period.end > context.today else None


def earlier_in(context: Context, period: Day) -> Day:
    """Read "earlier this week": over, if the period has begun."""
    return Day(period.first, context.today, "days") if period.first < context.today else start_of(context, period)


def workdays_of(_: Context, period: Day) -> Together:
    """Read "the weekdays of next week"."""
    return Together((period, Recurring(frozenset(range(5)))))
