"""Puts the phrases of one utterance together: which are refused, which replaced by a later one, which are a story and no wish."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from dialog.timewords.atoms import Clock, Day, Signal
from dialog.timewords.clocks import Context
from dialog.timewords.dates import monday_of
from dialog.timewords.language import Language
from dialog.timewords.leaves import MOVED_TO
from dialog.timewords.mention import is_past, settled, wish_of
from dialog.timewords.phrases import Phrase, Piece, joined_of
from dialog.timewords.tokens import Token
from dialog.timewords.values import (
    ANY_CLOCK,
    ANY_WEEKDAY,
    DAY_MINUTES,
    HORIZON,
    ClockRange,
    DayRange,
    TimeWish,
    united_clocks,
    united_days,
)

REFUSALS = ("not_before", "not_before_far", "not_after", "no")
MARKS = (
    *REFUSALS,
    "all_but",
    "never_not",
    "corrections",
    "corrections_after",
    "stops",
    "history",
    "history_if_past",
    "hoping",
    "never_hoping",
    "wishing_after",
    "born",
    "moving",
    "preferring",
    "question_lead",
)
WRITTEN_OUT = timedelta(days=91)  # how far weekdays are written out as dates where a wish cannot say both
JUST_BEEN = timedelta(days=250)  # a date so far ahead, told in the past, is rather the last one than the next
REACH = 4  # how many words may stand between a refusal and what it refuses


@dataclass(frozen=True)
class Said:
    """A phrase with the part it plays."""

    phrase: Phrase
    refused: bool = False
    dropped: bool = False
    past: bool = False


@dataclass(frozen=True)
class Mark:
    """A steering phrase ("except", "or", "actually") outside all phrases about time."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Utterance:
    """The tokens with everything found in them."""

    tokens: list[Token]
    marks: list[Mark]
    context: Context

    def words(self, start: int, end: int) -> list[str]:
        return [token.word for token in self.tokens[start:end]]

    def marked(self, kind: str, start: int, end: int) -> list[Mark]:
        return [mark for mark in self.marks if mark.kind == kind and start <= mark.start and mark.end <= end]


def marks_of(tokens: list[Token], phrases: Iterable[Phrase], language: Language) -> list[Mark]:
    """Find the steering phrases; of two of a kind at one place the longer counts."""
    taken = {at for phrase in phrases for piece in phrase.pieces for at in range(piece.start, piece.end)}
    found: list[Mark] = []
    for at in range(len(tokens)):
        here = [
            (end, phrase.kind)
            for end, phrase in language.phrases_at(tokens, at, steering=True)
            if phrase.kind in MARKS and not taken.intersection(range(at, end))
        ]
        longest = {kind: max(end for end, other in here if other == kind) for _, kind in here}
        found.extend(Mark(at, end, kind) for kind, end in longest.items())
    return [mark for mark in found if not _is_undone(mark, found)]


def _is_undone(mark: Mark, found: list[Mark]) -> bool:
    """Whether the mark is part of a longer phrase that means something else: "why not", "had an appointment"."""
    by = "never_not" if mark.kind in REFUSALS else "never_hoping" if mark.kind == "hoping" else None
    return any(other.kind == by and _overlap(mark, other) for other in found)


def _overlap(one: Mark, other: Mark) -> bool:
    return one.start < other.end and other.start < one.end


def parts_of(phrases: list[Phrase], said: Utterance) -> list[Said]:
    """Give every phrase its part."""
    parts = [Said(phrase, past=is_past(phrase, said.context)) for phrase in phrases]
    parts = [replace(part, refused=_is_refused(index, phrases, said)) for index, part in enumerate(parts)]
    parts = _refused_around(parts, said)
    parts = [
        piece for part in _refusals_carried_on(parts, said) for piece in _cut_where_refusal_ends(part, parts, said)
    ]
    phrases = [part.phrase for part in parts]
    parts = [
        replace(part, dropped=part.phrase.unclear or _is_story(part, index, phrases, said))
        for index, part in enumerate(parts)
    ]
    return _in_same_half(_on_refused_day(_without_replaced(parts, said)))


# Refusals


def _is_refused(index: int, phrases: list[Phrase], said: Utterance) -> bool:
    return _is_refused_before(index, phrases, said) or _is_refused_behind(phrases[index], phrases, said)


def _is_refused_behind(phrase: Phrase, phrases: list[Phrase], said: Utterance) -> bool:
    end = min((other.start for other in phrases if other.start >= phrase.end), default=len(said.tokens))
    return any(_refuses_behind(mark, phrase.end, said) for mark in said.marked("not_after", phrase.end, end))


def _is_refused_before(index: int, phrases: list[Phrase], said: Utterance) -> bool:
    phrase = phrases[index]
    begin = phrases[index - 1].end if index else 0
    marks = said.marked("not_before", begin, phrase.start) + said.marked("not_before_far", begin, phrase.start)
    if any(_reaches(mark, phrase, begin if index else None, said) for mark in marks):
        return True
    plural = phrase.recurring or (phrase.part and phrase.part.plural)
    follows_no = bool(said.marked("no", phrase.start - 1, phrase.start))
    return follows_no and bool(plural or _gives_way(index, phrases, said))


def _gives_way(index: int, phrases: list[Phrase], said: Utterance) -> bool:
    """Whether another date takes its place at once: "no" before the first of "no el martes, el miércoles" refuses it, but not before a date alone."""
    if index + 1 >= len(phrases) or not (phrases[index].dated and phrases[index + 1].dated):
        return False
    return said.words(phrases[index].end, phrases[index + 1].start) in ([], [","])


def _refuses_behind(mark: Mark, end: int, said: Utterance) -> bool:
    """Whether the mark ("... doesn't work") is said of the phrase that ends at `end`. After a comma it may open a new clause: then only if nothing follows."""
    gap = said.words(end, mark.start)
    if len(gap) > 2 or _stopped(end, mark.start, said):
        return False
    behind = said.words(mark.end, mark.end + 1)
    return "," not in gap or behind in ([], ["."]) or (behind == [","] and not said.marked("no", mark.start, mark.end))


def _cut_where_refusal_ends(part: Said, parts: list[Said], said: Utterance) -> list[Said]:
    """Refuse only the first of "any day but Thursday, before noon" and "anything but Monday next week": the second part is asked for.

    Of "in the afternoon but Wednesday doesn't work" only the second is refused.
    """
    if not part.refused:
        return [part]
    pieces = part.phrase.pieces
    contrast = _contrast_in(part.phrase, said)
    if contrast and _is_refused_behind(part.phrase, [each.phrase for each in parts], said):
        wanted, refused = settled(joined_of(pieces[:contrast]), said.context), joined_of(pieces[contrast:])
        return [Said(wanted, past=is_past(wanted, said.context)), replace(part, phrase=settled(refused, said.context))]
    all_but = bool(said.marked("all_but", part.phrase.start - REACH, part.phrase.start))
    for at, (one, other) in enumerate(pairwise(pieces), start=1):
        refused, wanted = joined_of(pieces[:at]), joined_of(pieces[at:])
        parted = at == contrast or "," in said.words(one.end, other.start)
        behind_comma = parted and refused.dated and not refused.timed and wanted.timed
        if behind_comma or (all_but and wanted.day is not None and wanted.day.unit != "day"):
            wanted = settled(wanted, said.context)
            return [
                replace(part, phrase=settled(refused, said.context)),
                Said(wanted, past=is_past(wanted, said.context)),
            ]
    if all_but and part.phrase.day is not None and part.phrase.day.week_named:
        monday = monday_of(part.phrase.day.first)
        week = Phrase(part.phrase.start, part.phrase.end, day=Day(monday, monday + timedelta(days=7), "week"))
        return [part, Said(week, past=is_past(week, said.context))]
    return [part]


def _contrast_in(phrase: Phrase, said: Utterance) -> int | None:
    """At which piece the phrase turns ("but")."""
    contrasts = said.context.language.steering["contrasts"]
    pairs = enumerate(pairwise(phrase.pieces), start=1)
    return next((at for at, (one, other) in pairs if contrasts.intersection(said.words(one.end, other.start))), None)


def _reaches(mark: Mark, phrase: Phrase, begin: int | None, said: Utterance) -> bool:
    gap, steering = said.words(mark.end, phrase.start), said.context.language.steering
    if len(gap) > REACH or "," in gap or _stopped(mark.end, phrase.start, said):
        return False
    if mark.kind == "not_before" and not all(word in steering["refusal_glue"] for word in gap):
        return False
    # "Monday doesn't work" refuses what stands before it.
    behind = [other for other in said.marks if other.kind == "not_after" and _overlap(other, mark)]
    if begin is not None and any(begin <= other.start and _refuses_behind(other, begin, said) for other in behind):
        return False
    # "I can't until after three" asks for after three.
    opens_later = phrase.span is not None and phrase.span.open == "after"
    return not (opens_later and gap and gap[-1] in steering["until"])


def _stopped(start: int, end: int, said: Utterance) -> bool:
    return bool(said.marked("stops", start, end) or said.marked("question_lead", start, end))


def _refused_around(parts: list[Said], said: Utterance) -> list[Said]:
    """Refuse the time of day with the day where the refusal stands between them ("on Friday I can't in the morning")."""
    result: list[Said] = []
    for part in parts:
        before = result[-1] if result else None
        if before is not None and _is_time_of_refused_day(part, before, parts, said):
            own = part.phrase
            whole = replace(before.phrase, end=own.end, clock=own.clock, span=own.span, part=own.part)
            result[-1] = replace(before, phrase=whole)
        else:
            result.append(part)
    return result


def _is_time_of_refused_day(part: Said, before: Said, parts: list[Said], said: Utterance) -> bool:
    day, time = before.phrase, part.phrase
    if not before.refused or day.timed or time.dated or not time.timed:
        return False
    if not _is_refused_behind(day, [each.phrase for each in parts], said):
        return False
    ends = [mark.end for mark in said.marked("not_after", day.end, time.start)]
    return bool(ends) and said.context.language.steering["weak_glue"].issuperset(said.words(max(ends), time.start))


def _refusals_carried_on(parts: list[Said], said: Utterance) -> list[Said]:
    """Carry refusals on: "not Monday, Tuesday or Friday" refuses all three; "not Monday, Tuesday" asks for Tuesday."""
    either, joins = said.context.language.steering["either"], said.context.language.steering["or"]
    result = _refusals_carried_back(parts, said)
    for index, part in enumerate(parts):
        if not part.refused:
            continue
        chain, at = [], index
        while at + 1 < len(parts) and not parts[at + 1].refused:
            gap = said.words(parts[at].phrase.end, parts[at + 1].phrase.start)
            words = [word for word in gap if word not in said.context.language.steering["weak_glue"]]
            if not all(word in either for word in words):
                break
            chain.append((at + 1, any(word in joins for word in words)))
            at += 1
        # "I have class Monday Wednesday Friday": a third without any word between makes it a list too.
        if any(joined for _, joined in chain) or (len(chain) > 1 and not any(_commas_between(chain, parts, said))):
            for position, _ in chain:
                result[position] = replace(result[position], refused=True)
    return result


def _refusals_carried_back(parts: list[Said], said: Utterance) -> list[Said]:
    """Refuse both of "Tuesday and Thursday don't work", but not what is asked for before ("I'd like Tuesday and Thursday is no good")."""
    joins, small = said.context.language.steering["or"], said.context.language.steering["weak_glue"]
    phrases = [part.phrase for part in parts]
    result = list(parts)
    for index in range(len(parts) - 1, 0, -1):
        one, other = parts[index - 1].phrase, parts[index].phrase
        gap = [word for word in said.words(one.end, other.start) if word not in small]
        begin = phrases[index - 2].end if index > 1 else 0
        if (
            result[index].refused
            and (result[index] is not parts[index] or _is_refused_behind(other, phrases, said))
            and not _is_refused_before(index, phrases, said)
            and gap
            and all(word in joins for word in gap)
            and one.dated
            and other.dated
            and not (one.timed or other.timed)
            and not said.marked("hoping", begin, one.start)
        ):
            result[index - 1] = replace(parts[index - 1], refused=True)
    return result


def _commas_between(chain: list[tuple[int, bool]], parts: list[Said], said: Utterance) -> list[str]:
    gaps = (said.words(parts[at - 1].phrase.end, parts[at].phrase.start) for at, _ in chain)
    return [word for gap in gaps for word in gap if word == ","]


# Stories, corrections and moves


def _is_story(part: Said, index: int, phrases: list[Phrase], said: Utterance) -> bool:
    """Whether it is told and not wished ("it broke yesterday", "born in May"): not when somebody wants to come."""
    begin, start = phrases[index - 1].end if index else 0, part.phrase.start
    steering = said.context.language.steering
    clause = max((mark.end for mark in said.marked("stops", 0, start)), default=0)
    led_in = said.tokens[start].word in steering["story_leads"] or steering["was"] & set(said.words(start - 1, start))
    if led_in and not _points_ahead(part, said):
        return True
    births = said.marked("born", max(begin, clause), start)
    if births and not said.marked("hoping", births[-1].end, start):
        return True
    near = max(begin, clause, start - 7)
    if said.marked("hoping", near, start) or _points_ahead(part, said):
        return False
    if _may_be_over(part, said.context) and (
        said.marked("history_if_past", near, start) or steering["past_leads"] & set(said.words(start - 1, start))
    ):
        return True
    return bool(said.marked("history", near, start))


def _may_be_over(part: Said, context: Context) -> bool:
    """Whether words of the past may be about it: today in part, and a date without a year that has just been."""
    day = part.phrase.day
    return part.past or (
        day is not None and day.unit == "day" and (day.first == context.today or day.first > context.today + JUST_BEEN)
    )


def _points_ahead(part: Said, said: Utterance) -> bool:
    """Whether nothing can have happened then ("tomorrow", "in two weeks"), or something said after it makes it a wish ("would be great")."""
    phrase, steering = part.phrase, said.context.language.steering
    ahead = steering["ahead"].intersection(said.words(phrase.start, phrase.end))
    counted = phrase.day is not None and phrase.day.counted and not part.past
    return bool(ahead or counted or said.marked("wishing_after", phrase.end, phrase.end + 3))


def _without_replaced(parts: list[Said], said: Utterance) -> list[Said]:
    result = list(parts)
    for index in range(1, len(parts)):
        if parts[index].refused or parts[index].dropped:
            continue
        if _is_outdone(index, parts, said):
            result[index] = replace(parts[index], dropped=True)
            continue
        gap_start, gap_end = parts[index - 1].phrase.end, parts[index].phrase.start
        if not _replaces(gap_start, gap_end, parts[index], said):
            continue
        moved = MOVED_TO in said.words(gap_start, gap_end + 1)
        for earlier in range(index):
            if not parts[earlier].refused and _same_kind(parts[earlier].phrase, parts[index].phrase):
                left = None if moved else _left_of(parts[earlier].phrase, parts[index].phrase)
                result[earlier] = (
                    replace(result[earlier], dropped=True) if left is None else replace(result[earlier], phrase=left)
                )
    return result


def _on_refused_day(parts: list[Said]) -> list[Said]:
    """Keep the day of which only the time was refused: "tomorrow night no, in the afternoon" is tomorrow afternoon."""
    result = list(parts)
    for index, (one, other) in enumerate(pairwise(parts), start=1):
        refused, wanted = one.phrase, other.phrase
        on_a_day = one.refused and refused.timed and refused.day is not None and refused.day.unit == "day"
        in_its_place = not (other.refused or other.dropped) and wanted.timed and not wanted.dated
        if on_a_day and in_its_place and not (wanted.part and wanted.part.plural):
            result[index] = replace(other, phrase=replace(wanted, day=refused.day))
    return result


def _in_same_half(parts: list[Said]) -> list[Said]:
    """Read the hour that takes the place of another as the nearest to it: of "not at eight in the evening, at seven" both are in the evening."""
    result = list(parts)
    for index, (one, other) in enumerate(pairwise(parts), start=1):
        before, after = one.phrase.clock, other.phrase.clock
        if not (one.refused or one.dropped) or other.phrase.dated or other.phrase.part or not (before and after):
            continue
        if len(before.readings) == 1 < len(after.readings):
            near = sorted(after.readings, key=lambda minute: abs(minute - before.readings[0]))
            result[index] = replace(other, phrase=replace(other.phrase, clock=Clock(tuple(near))))
    return result


def _left_of(earlier: Phrase, later: Phrase) -> Phrase | None:
    """What a correction leaves of a phrase: the date of "Monday at four, no, at five", the time of "Monday at four, no, Tuesday"."""
    if earlier.dated and earlier.timed and not later.dated:
        return replace(earlier, clock=None, span=None, part=None)
    if earlier.dated and earlier.timed and not later.timed:
        return replace(earlier, day=None, recurring=None, moment=None, stretch=None)
    return None


def _is_outdone(index: int, parts: list[Said], said: Utterance) -> bool:
    """Whether something else is preferred to it: the second of "rather Thursday than Friday"."""
    one, other = parts[index - 1].phrase, parts[index].phrase
    begin = parts[index - 2].phrase.end if index > 1 else 0
    steering = said.context.language.steering
    gap = [word for word in said.words(one.end, other.start) if word not in steering["weak_glue"]]
    return (
        bool(gap)
        and steering["than"].issuperset(gap)
        and not parts[index].refused
        and bool(said.marked("preferring", begin, one.start))
    )


def _replaces(start: int, end: int, part: Said, said: Utterance) -> bool:
    if MOVED_TO in said.words(start, end + 1) or said.marked("corrections", start, end):
        return True
    behind = said.marked("corrections_after", part.phrase.end, part.phrase.end + 2)
    if any(not _stopped(part.phrase.end, mark.start, said) for mark in behind):
        return True
    if part.phrase.day is not None and part.phrase.day.follows == "limit":
        return True
    words = said.words(start, end)
    return (
        bool(said.marked("no", start, end))
        and not part.phrase.recurring
        and all(word in said.context.language.steering["correcting"] for word in words)
    )


def _same_kind(one: Phrase, other: Phrase) -> bool:
    return (one.dated and other.dated) or (one.timed and other.timed and not other.dated)


# The wish


def wish_from(parts: list[Said], signals: list[Piece], context: Context) -> TimeWish | None:
    """Join what is wished: dates and times that stand apart must all hold, alternatives are united. None if nothing was wished."""
    wanted = [
        part.phrase for part in parts if not (part.dropped or part.refused or part.past or _doubtful(part.phrase))
    ]
    refused = [part.phrase for part in parts if part.refused and not part.dropped]
    wish = _wanted(wanted, context)
    for phrase in refused:
        wish = _refusing(wish, phrase, context)
    for piece in signals:
        if isinstance(piece.atom, Signal):
            wish = _with_signal(wish, piece.atom)
    wish = _with_flexibility(
        wish,
        [piece.atom.flexible for piece in signals if isinstance(piece.atom, Signal) and piece.atom.flexible],
    )
    return wish if replace(wish, soft=False) != TimeWish() else None


def _doubtful(phrase: Phrase) -> bool:
    return phrase.day is not None and phrase.day.doubtful


def _wanted(phrases: list[Phrase], context: Context) -> TimeWish:
    wishes = [wish_of(phrase) for phrase in phrases]
    clocks, at, alternatives = _times(wishes)
    weekdays = frozenset[int]().union(*(wish.weekdays for wish in wishes))
    days = _dates(phrases, context)
    if weekdays and any(phrase.day and not phrase.recurring and phrase.day.unit == "day" for phrase in phrases):
        # "Tomorrow or any Friday": as the one restricts dates and the other weekdays, the Fridays are written out.
        days, weekdays = united_days([*days, *_occurrences(weekdays, context.today)]), frozenset()
    order = next((wish.order for wish in wishes if wish.order), None)
    relative = next((wish.relative for wish in wishes if wish.relative), None)
    return TimeWish(
        days=days,
        weekdays=weekdays,
        clocks=clocks,
        at_minute=at,
        at_alternatives=alternatives,
        order=order,
        relative=relative,
        shift_days=next((wish.shift_days for wish in wishes if wish.shift_days), 0),
    )


def _occurrences(weekdays: frozenset[int], today: date) -> list[DayRange]:
    dates = (today + timedelta(days=ahead) for ahead in range(WRITTEN_OUT.days))
    return [DayRange(day, day + timedelta(days=1)) for day in dates if day.weekday() in weekdays]


def _dates(phrases: list[Phrase], context: Context) -> tuple[DayRange, ...]:
    """Unite dates; a weekday or date named after a period that holds one narrows the period."""
    ranges: list[DayRange] = []
    for phrase in phrases:
        for wished in wish_of(phrase).days:
            weekday = phrase.day.weekday if phrase.day else None
            ranges = _narrowed(ranges, wished, weekday)
    return united_days(_limited(ranges, phrases, context))


def _narrowed(ranges: list[DayRange], wished: DayRange, weekday: int | None) -> list[DayRange]:
    length = (wished.end - wished.first).days
    for index, wide in enumerate(ranges):
        wide_length = (wide.end - wide.first).days
        if wide_length <= max(length, 1) or wide_length > 100:
            continue
        if weekday is not None and wide_length <= 8:
            inside = next(
                (
                    wide.first + timedelta(days=ahead)
                    for ahead in range(wide_length)
                    if (wide.first + timedelta(days=ahead)).weekday() == weekday
                ),
                None,
            )
            if inside is not None:
                return [*ranges[:index], DayRange(inside, inside + timedelta(days=1)), *ranges[index + 1 :]]
        elif wide.first <= wished.first and wished.end <= wide.end:
            return [*ranges[:index], wished, *ranges[index + 1 :]]
    return [*ranges, wished]


def _limited(ranges: list[DayRange], phrases: list[Phrase], context: Context) -> list[DayRange]:
    """Hold both limits: "after the 3rd but before the 10th": limits on both sides hold together."""
    del context
    opens = {phrase.day.open: phrase.day for phrase in phrases if phrase.day and phrase.day.open}
    if len(ranges) != 2 or len(opens) != 2:
        return ranges
    first, end = opens["after"].first, opens["before"].end
    if first >= end and next(iter(opens)) == "after":
        end = _next_such_day(end, first)  # "after April 20th but before the 25th" is the 25th of April
    return [DayRange(first, end)] if first < end else ranges


def _next_such_day(day: date, after: date) -> date:
    """Give the next date after `after` that has the same number in its month as `day`; `day` itself where a month is too short."""
    for ahead in range(1, 32):
        candidate = after + timedelta(days=ahead)
        if candidate.day == day.day:
            return candidate
    return day


def _times(wishes: list[TimeWish]) -> tuple[tuple[ClockRange, ...], int | None, tuple[int, ...]]:
    timed = [wish for wish in wishes if wish.clocks or wish.at_minute is not None]
    exact = {wish.at_minute: wish.at_alternatives for wish in timed if wish.at_minute is not None}
    ranges = [clock for wish in timed for clock in wish.clocks]
    if len(exact) == 1 and not ranges:
        minute, alternatives = next(iter(exact.items()))
        return (), minute, alternatives
    starts = [ClockRange(minute, minute + 1) for minute in exact]
    if len(exact) == 1 and ranges and any(minute in clock for minute in exact for clock in ranges):
        # "Tomorrow morning, at nine": the exact one is within the other.
        return (), next(iter(exact)), ()
    return united_clocks([*_limited_clocks(timed), *starts]), None, ()


def _limited_clocks(wishes: list[TimeWish]) -> list[ClockRange]:
    """Hold a limit together with what it overlaps ("in the morning but not before nine"), unless each is of a day of its own."""
    ranges: list[tuple[ClockRange, bool]] = []
    for wish in wishes:
        dated = bool(wish.days or wish.weekdays)
        for clock in wish.clocks:
            for index, (other, other_dated) in enumerate(ranges):
                first, end = max(clock.start_minute, other.start_minute), min(clock.end_minute, other.end_minute)
                if first < end and not (dated and other_dated) and (_is_limit(clock) or _is_limit(other)):
                    ranges[index] = ClockRange(first, end), dated or other_dated
                    break
            else:
                ranges.append((clock, dated))
    return [clock for clock, _ in ranges]


def _is_limit(clock: ClockRange) -> bool:
    return (clock.start_minute == 0) != (clock.end_minute == DAY_MINUTES)


def _refusing(wish: TimeWish, phrase: Phrase, context: Context) -> TimeWish:
    """Add what `phrase` refuses: a day with a time of day only that time, a bare weekday every such day."""
    refused = wish_of(phrase)
    if phrase.day and phrase.day.until:
        return (
            replace(
                wish,
                days=united_days([*wish.days, DayRange(phrase.day.end - timedelta(days=1), context.today + HORIZON)]),
            )
            if not wish.days
            else wish
        )
    if phrase.timed and refused.days and wish.days and not _overlap_in_days(refused, wish):
        return wish
    if phrase.timed and (not phrase.dated or wish.days or _is_many(phrase)):
        at = refused.at_minute
        clocks = refused.clocks or ((ClockRange(at, at + 1),) if at is not None else ())
        period = refused.days if phrase.part and phrase.part.plural and not wish.days else ()
        # "No mornings next week" is still about next week.
        return replace(wish, days=wish.days or period, not_clocks=united_clocks([*wish.not_clocks, *clocks]))
    if phrase.timed:
        # A refusal of one part of one day cannot be said in a wish; what is nearest is not to offer that day.
        return replace(
            wish,
            not_days=united_days([*wish.not_days, *refused.days]),
            not_weekdays=wish.not_weekdays | refused.weekdays,
        )
    if phrase.day and phrase.day.weekday is not None and not _wants_weekday(wish, phrase.day.weekday):
        return replace(wish, not_weekdays=wish.not_weekdays | {phrase.day.weekday})
    return replace(
        wish, not_days=united_days([*wish.not_days, *refused.days]), not_weekdays=wish.not_weekdays | refused.weekdays
    )


def _overlap_in_days(one: TimeWish, other: TimeWish) -> bool:
    return any(mine.first < its.end and its.first < mine.end for mine in one.days for its in other.days)


def _wants_weekday(wish: TimeWish, weekday: int) -> bool:
    """Whether a single date on that weekday is wished: then not all of them are refused ("not Monday, the Monday after")."""
    return any(each.end - each.first == timedelta(days=1) and each.first.weekday() == weekday for each in wish.days)


def _is_many(phrase: Phrase) -> bool:
    """Whether the phrase is of so many days ("I work Monday to Friday, nine to five") that its hours matter more than its days."""
    weekdays = len(phrase.recurring.weekdays) if phrase.recurring else 0
    length = (phrase.day.end - phrase.day.first).days if phrase.day else 0
    return weekdays > 2 or length > 2


def _with_signal(wish: TimeWish, signal: Signal) -> TimeWish:
    return replace(
        wish, order=signal.order or wish.order, relative=signal.relative or wish.relative, soft=wish.soft or signal.soft
    )


def _with_flexibility(wish: TimeWish, named: list[str]) -> TimeWish:
    if not named:
        return wish
    dated = bool(wish.days or wish.weekdays or wish.not_days or wish.not_weekdays)
    timed = bool(wish.clocks or wish.at_minute is not None or wish.not_clocks)
    if "both" in named or {"day", "clock"} <= set(named):
        return replace(wish, flexible=True)
    if "clock" in named and not timed:
        return replace(wish, flexible=True, clocks=(ANY_CLOCK,))
    if "day" in named and not dated:
        return replace(wish, flexible=True, weekdays=frozenset() if timed else ANY_WEEKDAY)
    return wish
