"""Meanings of the rules about dates. Each takes the context and what its rule found; None says that the words do not mean a date after all.

Weeks begin on Monday. "Next Thursday" is the Thursday of next week, "this Thursday" that of this week; a weekday or a date without a year is the next to come. A date
that does not exist is unclear, never moved to a neighbour.
"""

import calendar
from datetime import date, timedelta
from typing import Any, Literal

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

from dialog.timewords.atoms import Day, Length, Moment, Part, Recurring, Span, Stretch, Together, Unclear
from dialog.timewords.clocks import Context, named_part, part_early, part_late, span
from dialog.timewords.values import DAY_MINUTES

HORIZON = timedelta(days=400)  # how far an open wish reaches: farther than any clinic books
DOUBT = timedelta(days=45)  # a weekday and a day of the month that first meet later than this are likelier a slip

Dated = Day | Unclear
Period = Literal["week", "workweek", "weekend", "month"]


def point(day: date, **more: Any) -> Day:
    """Make a single date."""
    return Day(day, day + timedelta(days=1), **more)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _made(year: int, month: int, day: int) -> Dated:
    try:
        return point(date(year, month, day))
    except ValueError:
        return Unclear("no such date")


def _next_of(context: Context, month: int, day: int) -> Dated:
    for year in (context.today.year, context.today.year + 1):
        made = _made(year, month, day)
        if isinstance(made, Day) and made.first >= context.today:
            return made
    return Unclear("no such date")


# Lengths


def _length(count: float, unit: str) -> Length | None:
    if unit == "minute":
        return Length(minutes=round(count))
    if unit == "hour":
        return Length(minutes=round(count * 60))
    whole = int(count)
    if whole != count or whole > 1000:
        return None
    days = {"day": 1, "week": 7, "fortnight": 14}
    if unit in days:
        return Length(days=whole * days[unit])
    return Length(workdays=whole) if unit == "workday" else Length(months=whole * (12 if unit == "year" else 1))


def length(_: Context, count: float, unit: str) -> Length | None:
    """Read "three weeks"."""
    return _length(count, unit)


def length_sum(_: Context, count: float, unit: str, more: float, smaller: str) -> Length | None:
    """Read "three hours and thirty minutes"."""
    first, second = _length(count, unit), _length(more, smaller)
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
    return _length(count + 0.5, unit)


def length_part(_: Context, unit: str, part: int, of: int) -> Length | None:
    """Read "half an hour"."""
    return _length(part / of, unit)


def length_fraction(_: Context, fraction: tuple[int, int], unit: str) -> Length | None:
    """Read "1/4 hour"."""
    return _length(fraction[0] / fraction[1], unit)


def _add(day: date, by: Length, sign: int = 1) -> date:
    if by.workdays:
        for _ in range(by.workdays):
            day += timedelta(days=sign)
            while day.weekday() > 4:
                day += timedelta(days=sign)
        return day
    return day + relativedelta(months=sign * by.months) + timedelta(days=sign * by.days)


# Single dates


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
    day = _monday(context.today) + timedelta(days=weekday)
    return point(day if day >= context.today else day + timedelta(days=7))


def weekday_in_week(context: Context, weekday: int, weeks: int) -> Day:
    """Read "Tuesday of next week"."""
    return point(_monday(context.today) + timedelta(days=weekday + 7 * weeks))


def weekday_next(context: Context, weekday: int) -> Day:
    """Read "next Tuesday"."""
    return weekday_in_week(context, weekday, 1)


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
    return weekday_in_week(context, weekday, 1 + weeks)


def count_weeks_weekday(context: Context, weeks: int, weekday: int) -> Day:
    """Read "two weeks on Tuesday"."""
    return weekday_weeks(context, weekday, weeks)


def _in_week_of(day: date, weekday: int) -> Day:
    return point(_monday(day) + timedelta(days=weekday))


def weekday_in_length(context: Context, weekday: int, by: Length) -> Day | None:
    """Read "Monday in two weeks"."""
    return length_weekday(context, by, weekday)


def length_weekday(context: Context, by: Length, weekday: int) -> Day | None:
    """Read "in two weeks on Monday": the Monday of the week that is then."""
    return None if by.minutes else _in_week_of(_add(context.today, by), weekday)


def length_after_weekday(context: Context, by: Length, name: str, weekday: int) -> Day | None:
    """Read "three weeks after Easter on Friday"."""
    return None if by.minutes else _in_week_of(_add(holiday(context, name).first, by), weekday)


def nth_weekday_on(context: Context, count: int, weekdays: tuple[int, ...]) -> Day | None:
    """Read "three Fridays from now"."""
    return weekday_weeks(context, weekdays[0], count - 1) if len(weekdays) == 1 else None


def nth_weekday_from(_: Context, count: int, weekdays: tuple[int, ...], from_: Day) -> Day | None:
    """Read "two Mondays from the 3rd"."""
    if len(weekdays) != 1:
        return None
    return point(from_.first + timedelta(days=(weekdays[0] - from_.first.weekday() - 1) % 7 + 1 + 7 * (count - 1)))


def weekday_after(_: Context, weekday: int, from_: Dated) -> Dated:
    """Read "the Thursday after Easter"."""
    if isinstance(from_, Unclear):
        return from_
    return point(from_.first + timedelta(days=(weekday - from_.first.weekday() - 1) % 7 + 1))


def weekday_before(_: Context, weekday: int, from_: Dated) -> Dated:
    """Read "the Thursday before Easter"."""
    if isinstance(from_, Unclear):
        return from_
    return point(from_.first - timedelta(days=(from_.first.weekday() - weekday - 1) % 7 + 1))


def point_offset(_: Context, from_: Dated, days: int) -> Dated:
    """Read "the day after Christmas"."""
    return from_ if isinstance(from_, Unclear) else point(from_.first + timedelta(days=days))


def length_after(_: Context, by: Length, from_: Dated) -> Dated | None:
    """Read "three days after Easter"."""
    if isinstance(from_, Unclear):
        return from_
    return None if by.minutes else point(_add(from_.first, by), counted=True)


def length_before(_: Context, by: Length, from_: Dated) -> Dated | None:
    """Read "two weeks before Christmas"."""
    if isinstance(from_, Unclear):
        return from_
    return None if by.minutes else point(_add(from_.first, by, -1), counted=True)


def in_length(context: Context, by: Length) -> Day | None:
    """Read "in two weeks"."""
    return None if by.minutes else point(_add(context.today, by), counted=True)


def ago(context: Context, by: Length) -> Day:
    """Read "two weeks ago"; hours ago count as yesterday, since all that matters is that it is over."""
    return point(min(_add(context.today, by, -1), context.today - timedelta(days=1)))


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


def weekday_date(_: Context, weekday: int, day: Dated) -> Dated:
    """Read "Thursday, March 14": both must agree."""
    if isinstance(day, Unclear) or day.first.weekday() == weekday:
        return day
    return Unclear("weekday and date disagree")


def date_weekday(context: Context, day: Dated, weekday: int) -> Dated:
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


def last_day(_: Context, month: Day) -> Day:
    """Read "the last day of the month"."""
    return point(month.end - timedelta(days=1))


def nth_weekday(context: Context, count: int, weekday: int, month: Day) -> Dated:
    """Read "the first Tuesday of October"; of the next October if this year's is over."""
    for candidate in (month.first, month.first + relativedelta(years=1)):
        day = candidate + timedelta(days=(weekday - candidate.weekday()) % 7 + 7 * (count - 1))
        if day >= context.today:
            return point(day) if day.month == candidate.month else Unclear("no such date")
    return Unclear("no such date")


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
    which, wanted, month = when
    first = date(year, month, 1)
    if which > 0:
        return first + timedelta(days=(wanted - first.weekday()) % 7 + 7 * (which - 1))
    last = first + relativedelta(months=1, days=-1)
    return last - timedelta(days=(last.weekday() - wanted) % 7)


def holiday(context: Context, name: str) -> Day:
    """Read a holiday: the next one, today included."""
    days = (_holiday_in(context, name, context.today.year + ahead) for ahead in (0, 1))
    return point(next(day for day in days if day >= context.today))


def holiday_year(context: Context, name: str, year: int) -> Day:
    """Read "Easter 2027"."""
    return point(_holiday_in(context, name, year))


# Periods


def name(_: Context, word: str) -> str:
    """Stand for a kind of period."""
    return word


def _period(day: date, kind: str) -> Day:
    monday = _monday(day)
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
    return _period(context.today + timedelta(days=7 * ahead), kind)


def period_coming(context: Context, kind: str) -> Day:
    """Read "the coming week", which is the next; the coming weekend is this week's."""
    return period(context, kind, 0 if kind == "weekend" else 1)


def period_month(context: Context, ahead: int) -> Day:
    """Read "next month" where a month is meant to hold a day."""
    return period(context, "month", ahead)


def weekend(context: Context, ahead: int) -> Day:
    """Read "this weekend"."""
    return period(context, "weekend", ahead)


def period_after_point(_: Context, kind: str, from_: Dated) -> Dated:
    """Read "the week after Easter"."""
    if isinstance(from_, Unclear):
        return from_
    if kind == "month":
        return _period(from_.first.replace(day=1) + relativedelta(months=1), kind)
    return _period(from_.first + timedelta(days=7 if kind != "weekend" or from_.first.weekday() > 4 else 0), kind)


def week_of(_: Context, day: Dated) -> Dated:
    """Read "the week of October 7th". Where weeks are written from Sunday, the week of a Sunday is the one that then begins."""
    return (
        day
        if isinstance(day, Unclear)
        else _period(day.first + timedelta(days=1 if day.first.weekday() == 6 else 0), "week")
    )


def week_from(_: Context, day: Dated) -> Dated:
    """Read "a week starting tomorrow"."""
    return day if isinstance(day, Unclear) else Day(day.first, day.first + timedelta(days=7), "days")


def weekend_of(_: Context, day: Dated) -> Dated:
    """Read "the weekend of Halloween": the nearest one."""
    if isinstance(day, Unclear):
        return day
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
    return Day(date(context.today.year + 1, 1, 1), date(context.today.year + 2, 1, 1), "days")


def period_in(context: Context, kind: str, by: Length) -> Day | None:
    """Read "the week in three weeks"."""
    return None if by.minutes else _period(_add(context.today, by), kind)


def weeks_in(context: Context, by: Length) -> Day | None:
    """Read "sometime in two weeks": the week that is then."""
    return None if by.minutes or by.days % 7 else _period(_add(context.today, by), "month" if by.months else "week")


def weeks_from_now(_: Context, *_words: object) -> None:
    """A count of weeks from now is a date, not a period."""


# Parts of periods


def _shape(period: Day, month: tuple[int, int], week: tuple[int, int]) -> Day:
    days = (period.end - period.first).days
    begin, end = month if period.unit == "month" else week if days > 3 else (0, days)
    return Day(period.first + timedelta(days=begin), min(period.first + timedelta(days=end), period.end), "days")


def start_of(_: Context, period: Day) -> Day:
    """Read "early next week": Monday to Wednesday, or the first ten days of a month."""
    return _shape(period, (0, 10), (0, 3))


def middle_of(_: Context, period: Day) -> Day:
    """Read "the middle of the month"."""
    return _shape(period, (10, 20), (1, 4))


def end_of(_: Context, period: Day) -> Day:
    """Read "the end of next week": Friday on, or the last days of a month."""
    return _shape(period, (20, 31), (4, 7))


def first_half(_: Context, period: Day) -> Day:
    """Read "the first half of March"."""
    return _shape(period, (0, 15), (0, 3))


def second_half(_: Context, period: Day) -> Day:
    """Read "the latter half of March"."""
    return _shape(period, (15, 31), (3, 7))


def by_end_of(context: Context, period: Day) -> Day:
    """Read "by the end of the month"."""
    return Day(context.today, period.end, "days", "before")


def end_of_this(context: Context, kind: str) -> Day:
    """Read "the end of the month"."""
    return end_of(context, period(context, kind, 0))


def by_end_of_this(context: Context, kind: str) -> Day:
    """Read "by the end of the week"."""
    return by_end_of(context, period(context, kind, 0))


def rest_of(context: Context, period: Day) -> Day | None:
    """Read "later this week"."""
    return Day(max(context.today, period.first), period.end, "days") if period.end > context.today else None


def earlier_in(context: Context, period: Day) -> Day:
    """Read "earlier this week": over, if the period has begun."""
    return Day(period.first, context.today, "days") if period.first < context.today else start_of(context, period)


def workdays_of(_: Context, period: Day) -> Together:
    """Read "the weekdays of next week"."""
    return Together((period, Recurring(frozenset(range(5)))))


# Ranges and limits


def days_between(_: Context, first: Dated, last: Dated) -> Dated | None:
    """Read "Monday to Wednesday", "from March 3 to March 7", both included."""
    if isinstance(first, Unclear) or isinstance(last, Unclear):
        return Unclear("no such date")
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


def days_month(context: Context, first: int, last: int, month: int, year: int | None = None) -> Dated | None:
    """Read "1-8 September"."""
    return month_days(context, month, first, last, year)


def two_days_month(context: Context, first: int, last: int, month: int, year: int | None = None) -> Together | None:
    """Read "the 3rd or the 5th of May"."""
    days = [written_date(context, year, month, day) for day in (first, last) if 1 <= day <= 31]
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


def days_after(context: Context, day: Dated) -> Dated | None:
    """Read "after the 15th"."""
    return _from(context, day, after=True)


def days_from(context: Context, day: Dated) -> Dated | None:
    """Read "from Monday on"."""
    return _from(context, day, after=False)


def _from(context: Context, day: Dated, *, after: bool) -> Dated | None:
    if isinstance(day, Unclear):
        return day
    if day.open:
        return None
    first = day.end if after else day.first
    return Day(first, max(first, context.today) + HORIZON, "days", "after")


def _before(context: Context, day: Dated, end: date, *, until: bool = False) -> Dated | None:
    if isinstance(day, Unclear):
        return day
    return None if day.open else Day(min(context.today, end - timedelta(days=1)), end, "days", "before", until=until)


def days_before(context: Context, day: Dated) -> Dated | None:
    """Read "before Friday"."""
    return _before(context, day, day.first) if isinstance(day, Day) else day


def days_by(context: Context, day: Dated) -> Dated | None:
    """Read "by Friday", Friday included."""
    return _before(context, day, day.end, until=True) if isinstance(day, Day) else day


days_by_end = days_by


def within(context: Context, by: Length) -> Day | None:
    """Read "within two weeks"."""
    return None if by.minutes else Day(context.today, _add(context.today, by) + timedelta(days=1), "days")


def next_length(context: Context, by: Length) -> Day | None:
    """Read "next three weeks" as whole weeks from Monday on, and "next three days" from tomorrow on."""
    if by.minutes:
        return None
    tomorrow = context.today + timedelta(days=1)
    if by.days and by.days % 7 == 0:
        return Day(
            _monday(context.today) + timedelta(days=7), _monday(context.today) + timedelta(days=7 + by.days), "days"
        )
    return Day(tomorrow, _add(context.today, by) + timedelta(days=1), "days")


def next_count(context: Context, count: int, unit: str) -> Day | None:
    """Read "the three next weeks": from tomorrow on."""
    by = _length(count, unit)
    return (
        None
        if by is None or by.minutes
        else Day(context.today + timedelta(days=1), _add(context.today, by) + timedelta(days=1), "days")
    )


def for_days(_: Context, by: Length, day: Dated) -> Dated | None:
    """Read "for three days from tomorrow"."""
    if isinstance(day, Unclear):
        return day
    return None if by.minutes or by.workdays else Day(day.first, _add(day.first, by), "days")


def length_after_open(context: Context, by: Length, day: Dated) -> Dated | None:
    """Read "more than two weeks after Monday"."""
    if isinstance(day, Unclear):
        return day
    return None if by.minutes else days_from(context, point(_add(day.first, by)))


def length_open(context: Context, by: Length) -> Dated | None:
    """Read "at least two weeks from now"."""
    return length_after_open(context, by, point(context.today))


def until_day(context: Context, day: Dated) -> Dated | None:
    """Read "between now and Friday"."""
    return day if isinstance(day, Unclear) else Day(context.today, day.end, "days") if day.end > context.today else None


# Weekdays in general


def recurring(_: Context, weekdays: tuple[int, ...]) -> Recurring:
    """Read "Tuesdays"."""
    return Recurring(frozenset(weekdays))


def recurring_any(_: Context, weekday: int) -> Recurring:
    """Read "any Tuesday"."""
    return Recurring(frozenset({weekday}), plural=False)


def recurring_range(_: Context, first: tuple[int, ...], last: tuple[int, ...]) -> Recurring:
    """Read "Mondays to Thursdays"."""
    start = first[0]
    return Recurring(frozenset((start + ahead) % 7 for ahead in range((last[-1] - start) % 7 + 1)))


# Dates with a time of day


def moment(context: Context, by: Length) -> Moment | None:
    """Read "in two hours"."""
    return (
        Moment(context.now + timedelta(minutes=by.minutes))
        if by.minutes and by.minutes < 30 * DAY_MINUTES and not (by.days or by.months)
        else None
    )


def stretch(context: Context, by: Length) -> Stretch | None:
    """Read "the next three hours"."""
    then = moment(context, by)
    return Stretch(context.now, then.at) if then is not None else None


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


def day_span(context: Context, start: Any, day: Dated, end: Any) -> Together | None:
    """Read "between 2:00 tomorrow and 4:00"."""
    return point_span(context, day, start, end)


def point_span(context: Context, day: Dated, start: Any, end: Any) -> Together | None:
    """Read "from Monday 2 to 4"."""
    between = span(context, start, end)
    return Together((day, between)) if isinstance(between, Span) else None
