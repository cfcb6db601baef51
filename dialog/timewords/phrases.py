"""Finds the phrases about time in an utterance: applies the rules from left to right and joins neighbours that belong together.

Bare numbers and the like ("3", "the second") are found too, but count only where a neighbour or the agent's question makes them a time.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from types import FunctionType, MappingProxyType

from dialog.timewords import clocks, dates, lengths, periods, ranges
from dialog.timewords.atoms import Atom, Clock, Day, Moment, Part, Recurring, Signal, Span, Stretch, Together, Unclear
from dialog.timewords.clocks import Context
from dialog.timewords.grammar import Chart, Meaning
from dialog.timewords.language import Language
from dialog.timewords.leaves import MOVED_TO, leaves_of, words_of_kind
from dialog.timewords.tokens import Token

STRONG = ("UNCLEAR", "SIGNAL", "DAYPART", "MOMENT", "DAY", "RECURRING", "PARTOF", "SPAN", "TIME")
PLAIN = ("MOMENT", "DAY", "RECURRING", "PARTOF", "SPAN", "TIME")
MOST_CHOICES = 5  # that anybody reads out on the telephone
WEAK = ("WEAKDAY", "WEAKSPAN", "WEAKTIME")


@dataclass(frozen=True)
class Piece:
    """What was found from one token up to another."""

    start: int
    end: int
    atom: Atom
    weak: bool = False


@dataclass
class Phrase:
    """Neighbouring pieces that say one thing: at most one date, one recurring choice of weekdays and one time of day."""

    start: int
    end: int
    day: Day | None = None
    recurring: Recurring | None = None
    clock: Clock | None = None
    span: Span | None = None
    part: Part | None = None
    moment: Moment | None = None
    stretch: Stretch | None = None
    unclear: bool = False
    pieces: list[Piece] = field(default_factory=list)

    @property
    def timed(self) -> bool:
        return bool(self.clock or self.span or self.part)

    @property
    def dated(self) -> bool:
        return bool(self.day or self.recurring or self.moment or self.stretch)


@cache
def meanings() -> MappingProxyType[str, Meaning]:
    """The functions that a language's rules may name."""
    return MappingProxyType(
        {
            name: value
            for module in (clocks, lengths, dates, periods, ranges)
            for name, value in vars(module).items()
            if isinstance(value, FunctionType) and value.__module__ == module.__name__ and not name.startswith("_")
        }
    )


def pieces_of(tokens: list[Token], context: Context) -> list[Piece]:
    """Take from left to right the longest phrase at each place; the weak ones only if something makes them a time."""
    chart = Chart(tokens, leaves_of(tokens, context), context.language, dict(meanings()), context)
    found: list[Piece] = []
    at = 0
    while at < len(tokens):
        piece = _longest(chart, at, STRONG, weak=False) or _weak(chart, at)
        if piece is None or _is_cut_off(chart, piece):
            at += 1
        else:
            found.extend(_apart(piece))
            at = piece.end
    return _resolved(_without_idle_weak(found, tokens, context), tokens, context)


def _is_cut_off(chart: Chart, piece: Piece) -> bool:
    """Whether the piece, with small words before it, takes the beginning off a longer one ("about April 5" in "how about April 5 to April 9")."""
    small, start = chart.language.steering["glue"], piece.start
    leading = next((at for at in range(start, piece.end) if chart.tokens[at].word not in small), piece.end)
    later = (_longest(chart, at, PLAIN, weak=False) for at in range(start + 1, min(leading + 1, piece.end)))
    return any(
        each is not None
        and each.end > piece.end
        and each.end - each.start > piece.end - piece.start
        and not isinstance(each.atom, Unclear)
        for each in later
    )


def _resolved(found: list[Piece], tokens: list[Token], context: Context) -> list[Piece]:
    """Count from the day spoken of before where the words do ("the day after", "so before that"); with none before, it is unclear."""
    result: list[Piece] = []
    for piece in _in_weeks_told(found, tokens, context):
        atom = piece.atom
        if isinstance(atom, Day) and atom.follows == "again":
            again = _again(piece, result, tokens, context)
            if again is None:
                continue
            atom = again
        elif isinstance(atom, Day) and atom.follows == "week_of_month":
            atom = periods.week_told(context, atom, _last_month(result))
        elif isinstance(atom, Day) and atom.follows:
            before = _last_day(result)
            atom = dates.following(context, atom, before) if before else _after_what(atom, context)
        elif isinstance(atom, Signal) and atom.refers and result:
            atom = _limit_said(atom, result, context)
        result.append(replace(piece, atom=atom))
    return result


def _in_weeks_told(found: list[Piece], tokens: list[Token], context: Context) -> list[Piece]:
    """Put weekdays side by side into the week that was told with one of them ("Tuesday or Wednesday of next week")."""
    ahead = _weeks_carried(found, tokens, context)
    return _weeks_carried(ahead[::-1], tokens, context)[::-1]


def _weeks_carried(found: list[Piece], tokens: list[Token], context: Context) -> list[Piece]:
    either = context.language.steering["either"] | context.language.steering["weak_glue"]
    result: list[Piece] = []
    week: date | None = None
    for piece in found:
        one, other = sorted((result[-1], piece), key=lambda each: each.start) if result else (piece, piece)
        if any(token.word not in either for token in tokens[one.end : other.start]):
            week = None
        result.append(_in_week(piece, week, context))
        if not isinstance(piece.atom, Clock | Span | Part):
            week = _week_told(result[-1].atom)
    return result


def _in_week(piece: Piece, week: date | None, context: Context) -> Piece:
    day = piece.atom
    if week is None or not isinstance(day, Day) or day.weekday is None or day.open:
        return piece
    then = week + timedelta(days=day.weekday)
    return replace(piece, atom=dates.point(then, week_named=True)) if then > context.today else piece


def _week_told(atom: Atom) -> date | None:
    """The Monday of the week that was told, with a weekday or alone."""
    if isinstance(atom, Day) and not atom.open and (atom.unit == "week" or atom.week_named):
        return dates.monday_of(atom.first)
    return None


def _again(piece: Piece, found: list[Piece], tokens: list[Token], context: Context) -> Day | None:
    """The other one of what was spoken of before ("not this Monday, the other one"). None where it is something else's ("the other doctor")."""
    language = context.language
    behind = tokens[piece.end] if piece.end < len(tokens) else None
    if behind is not None and behind.kind == "word" and behind.word not in language.steering["behind_other"]:
        return None
    for before in reversed(found):
        if isinstance(before.atom, Day):
            said = {token.word for token in tokens[before.start : before.end]}
            return dates.next_of_kind(before.atom, weekly=not said.isdisjoint(words_of_kind(language, "WEEKDAY")))
        if isinstance(before.atom, Recurring) and len(before.atom.weekdays) == 1:
            return dates.weekday_coming(context, min(before.atom.weekdays))
    return None


def _after_what(day: Day, context: Context) -> Atom:
    """Leave "the week after" to the conversation, which may know after what; a weekday after what nobody said is unclear."""
    spoken_of = context.day_spoken_of
    if day.follows == "week" or (day.follows == "next_week" and day.unit == "week" and spoken_of):
        return replace(day, follows=None, shift=7)
    if spoken_of and day.follows != "day":
        return dates.following(context, day, dates.point(spoken_of))
    if day.follows in {"next_week", "next_weekday"}:
        return replace(day, follows=None)
    if day.follows == "day":
        return replace(day, follows=None, shift=(day.first - context.today).days)
    return Unclear("after what")


def _last_day(found: list[Piece]) -> Day | None:
    return next((piece.atom for piece in reversed(found) if isinstance(piece.atom, Day)), None)


def _last_month(found: list[Piece]) -> Day | None:
    said = _last_day(found)
    return said if said is not None and said.unit == "month" else None


def _limit_said(signal: Signal, found: list[Piece], context: Context) -> Atom:
    """Turn "after that" into a limit of dates after a date; after a time of day the limit has been told with it."""
    last = found[-1].atom
    if isinstance(last, Clock | Span | Part):
        return Signal()
    if not isinstance(last, Day):
        return signal
    limit = (ranges.days_after if signal.relative == "later" else ranges.days_before)(context, last)
    return replace(limit, follows="limit") if isinstance(limit, Day) else signal


def _apart(piece: Piece) -> list[Piece]:
    """The two dates of "the 3rd or 5th of May" are alternatives: two pieces of the same words."""
    if isinstance(piece.atom, Together) and all(isinstance(atom, Day | Unclear) for atom in piece.atom.atoms):
        return [replace(piece, atom=atom) for atom in piece.atom.atoms]
    return [piece]


def _weak(chart: Chart, at: int) -> Piece | None:
    """The weak phrase at this place, unless something stronger begins inside and goes as far or on after it ("like 9" in "I'd like 9 o'clock")."""
    piece = _longest(chart, at, WEAK, weak=True)
    if piece is None:
        return None
    inside = (_longest(chart, later, STRONG, weak=False) for later in range(at + 1, piece.end))
    stronger = (
        each is not None and (each.end > piece.end or (each.end == piece.end and type(each.atom) is type(piece.atom)))
        for each in inside
    )
    return None if any(stronger) else piece


def _longest(chart: Chart, at: int, kinds: tuple[str, ...], *, weak: bool) -> Piece | None:
    best: Piece | None = None
    for kind in kinds:
        ends = chart.parses(kind, at)
        if not ends:
            continue
        found = Piece(at, max(ends), ends[max(ends)], weak)
        clearer = best is not None and found.end == best.end and kind != "SIGNAL" and isinstance(best.atom, Unclear)
        if best is None or found.end > best.end or (clearer and not isinstance(found.atom, Unclear)):
            best = found
    return best


# Weak pieces


def _without_idle_weak(found: list[Piece], tokens: list[Token], context: Context) -> list[Piece]:
    kept: list[Piece] = []
    for index, piece in enumerate(found):
        if not piece.weak:
            kept.append(piece)
            continue
        before = kept[-1] if kept else None
        after = found[index + 1] if index + 1 < len(found) else None
        if _answers(piece, tokens, context):
            kept.append(_as_asked(piece, tokens, context))
        elif _is_supported(piece, before, after, tokens, context.language):
            kept.append(replace(piece, atom=_beside(piece, after, tokens, context.language), weak=False))
    return kept


def _beside(piece: Piece, after: Piece | None, tokens: list[Token], language: Language) -> Atom:
    """What the piece is; the "8" of "8 or 9 pm" is in the evening too."""
    if not isinstance(piece.atom, Clock) or after is None or not isinstance(after.atom, Clock):
        return piece.atom
    if not _is_first_of_two(piece, after, tokens, language):
        return piece.atom
    with_it = after.atom.readings[0]
    nearest = sorted(piece.atom.readings, key=lambda minute: abs(minute - with_it))
    return Clock(tuple(nearest[: len(after.atom.readings)]))


def _answers(piece: Piece, tokens: list[Token], context: Context) -> bool:
    """Whether the agent's question, or the lack of anything else in the utterance, makes a weak piece a time."""
    if piece.start and tokens[piece.start - 1].word in context.language.steering["stating"]:
        return False
    if isinstance(piece.atom, Span) and context.asked is None:
        return _is_all_there_is(piece, tokens)
    if isinstance(piece.atom, Clock | Span):
        return context.asked in {"when", "time", "date", "choice"}
    if context.asked in {"when", "date"}:
        return True
    if context.asked == "choice":
        return isinstance(piece.atom, Day) and piece.atom.first.day > MOST_CHOICES
    # "The first" alone picks among what was offered; "May" alone can only be the month, "the sixth" a day, and "9 to 5" hours.
    dated = isinstance(piece.atom, Day) and (piece.atom.unit == "month" or piece.atom.first.day > MOST_CHOICES)
    return dated and _is_all_there_is(piece, tokens)


def _is_all_there_is(piece: Piece, tokens: list[Token]) -> bool:
    return not any(token.kind != "mark" for token in (*tokens[: piece.start], *tokens[piece.end :]))


def _as_asked(piece: Piece, tokens: list[Token], context: Context) -> Piece:
    """A bare number is a day of the month if a date was asked for, or if no hour can be that late."""
    token = tokens[piece.start]
    if isinstance(piece.atom, Clock) and piece.end == piece.start + 1 and token.kind == "int" and len(token.word) <= 2:
        dated = (
            dates.day_of_month(context, int(token.word)) if context.asked == "date" or int(token.word) > 18 else None
        )
        if dated is not None:
            return Piece(piece.start, piece.end, dated)
    return replace(piece, weak=False)


def _is_supported(
    piece: Piece, before: Piece | None, after: Piece | None, tokens: list[Token], language: Language
) -> bool:
    glue, either = language.steering["weak_glue"], language.steering["or"]
    wanted = (Day, Part, Together, Recurring) if isinstance(piece.atom, Clock | Span) else (Clock, Span, Part)
    if before is not None and not before.weak:
        gap = [token.word for token in tokens[before.end : piece.start]]
        if gap == [MOVED_TO] and isinstance(before.atom, (*wanted, type(piece.atom))):
            return True
        if isinstance(before.atom, wanted) and all(word in glue for word in gap):
            return True
        if isinstance(before.atom, wanted) and isinstance(piece.atom, Span) and gap == [","]:
            return True
        if type(before.atom) is type(piece.atom) and gap and all(word in either or word in glue for word in gap):
            return True
    if after is not None and not after.weak and isinstance(after.atom, wanted):
        return all(token.word in glue for token in tokens[piece.end : after.start])
    approved = language.phrases_at(tokens, piece.end, steering=True)
    if isinstance(piece.atom, Clock) and before is not None and isinstance(before.atom, Clock | Span | Part):
        # "I get out at four, so five would be good"
        return any(phrase.kind == "wishing_after" for _, phrase in approved)
    refused = piece.start > 0 and tokens[piece.start - 1].word in language.steering["not_before"]
    return (refused and isinstance(piece.atom, Span)) or _is_first_of_two(piece, after, tokens, language)


def _is_first_of_two(piece: Piece, after: Piece | None, tokens: list[Token], language: Language) -> bool:
    """Whether the piece is the "5" of "5 or 6 pm"."""
    if after is None or type(after.atom) is not type(piece.atom):
        return False
    gap = [token.word for token in tokens[piece.end : after.start]]
    return len(gap) == 1 and gap[0] in language.steering["or"]


# Neighbours


def phrases_of(found: list[Piece], tokens: list[Token], language: Language) -> list[Phrase]:
    """Join pieces that stand side by side, or with nothing but small words between, where their meanings fit together."""
    phrases: list[Phrase] = []
    glue, apart, skipped = language.steering["glue"], language.steering["alternatives"], _signal_tokens(found)
    for piece in found:
        if isinstance(piece.atom, Signal):
            continue
        current = phrases[-1] if phrases else None
        gap = [tokens[at].word for at in range(current.end, piece.start) if at not in skipped] if current else []
        if (
            current is not None
            and all(word in glue for word in gap)
            and not (current.timed and _are_limits(current, piece) and not apart.isdisjoint(gap))
            and _joined(current, piece)
        ):
            continue
        phrase = Phrase(piece.start, piece.end)
        if _joined(phrase, piece):
            phrases.append(phrase)
    return phrases


def _are_limits(phrase: Phrase, piece: Piece) -> bool:
    """Whether both say when it may begin or must end ("before ten or after four")."""
    return phrase.span is not None and phrase.span.open is not None and isinstance(piece.atom, Span)


def joined_of(pieces: list[Piece]) -> Phrase:
    """One phrase of pieces that are known to fit together."""
    phrase = Phrase(pieces[0].start, pieces[0].end)
    for piece in pieces:
        _joined(phrase, piece)
    return phrase


def _signal_tokens(found: list[Piece]) -> set[int]:
    return {
        at
        for piece in found
        if isinstance(piece.atom, Signal) and piece.atom != Signal()
        for at in range(piece.start, piece.end)
    }


def _joined(phrase: Phrase, piece: Piece) -> bool:
    """Take `piece` into `phrase` if they fit; say whether they did."""
    trial = replace(phrase, pieces=[*phrase.pieces, piece])
    atoms = piece.atom.atoms if isinstance(piece.atom, Together) else (piece.atom,)
    if not all(_take(trial, atom) for atom in atoms):
        return False
    vars(phrase).update(vars(trial), end=piece.end)
    return True


def _take(phrase: Phrase, atom: Atom) -> bool:
    match atom:
        case Day():
            return _take_day(phrase, atom)
        case Recurring():
            return _take_recurring(phrase, atom)
        case Clock():
            return _take_clock(phrase, atom)
        case Span():
            return _take_span(phrase, atom)
        case Part():
            return _take_part(phrase, atom)
        case Unclear():
            phrase.unclear = not phrase.pieces[:-1]
            return phrase.unclear
        case Moment() | Stretch():
            return _take_moment(phrase, atom)
        case Signal() | Together():
            return False


def _take_moment(phrase: Phrase, atom: Moment | Stretch) -> bool:
    if phrase.dated or phrase.timed or phrase.unclear:
        return False
    if isinstance(atom, Moment):
        phrase.moment = atom
    else:
        phrase.stretch = atom
    return True


def _take_day(phrase: Phrase, day: Day) -> bool:
    if phrase.moment or phrase.stretch or phrase.unclear:
        return False
    if phrase.recurring and not phrase.day and day.unit == "day":
        return False
    narrowed = day if phrase.day is None else narrowed_day(phrase.day, day)
    if narrowed is None:
        return _weekday_of_month(phrase, day)
    phrase.day = narrowed
    return True


def _weekday_of_month(phrase: Phrase, day: Day) -> bool:
    """Take "next month, on a Friday" as any of them."""
    if phrase.day is not None and phrase.day.unit == "month" and day.weekday is not None and phrase.recurring is None:
        phrase.recurring = Recurring(frozenset({day.weekday}), plural=False)
        return True
    return False


def narrowed_day(wide: Day, narrow: Day) -> Day | None:
    """The dates that two neighbours mean together, or None if they are alternatives."""
    for one, other in ((wide, narrow), (narrow, wide)):
        if other.open or one.open:
            continue
        days_long = (one.end - one.first).days
        if other.weekday is not None and one.unit != "day" and days_long <= 8:
            inside = [
                candidate
                for ahead in range(days_long)
                if (candidate := one.first.fromordinal(one.first.toordinal() + ahead)).weekday() == other.weekday
            ]
            return dates.point(inside[0]) if inside else None
        if other.weekday is not None and one.unit == "day" and one.weekday is None:
            if one.first.weekday() == other.weekday:
                return one
            if one.counted:
                return dates.point(one.first.fromordinal(one.first.toordinal() - one.first.weekday() + other.weekday))
    if wide.first <= narrow.first and narrow.end <= wide.end:
        return narrow
    if narrow.first <= wide.first and wide.end <= narrow.end and not narrow.open:
        return wide
    return None


def _take_recurring(phrase: Phrase, recurring: Recurring) -> bool:
    if (
        phrase.recurring
        or phrase.moment
        or phrase.stretch
        or phrase.unclear
        or (phrase.day and phrase.day.unit == "day")
    ):
        return False
    phrase.recurring = recurring
    return True


def _take_clock(phrase: Phrase, clock: Clock) -> bool:
    if phrase.clock or phrase.span or phrase.moment or phrase.stretch or phrase.unclear:
        return False
    phrase.clock = clock
    return True


def _take_span(phrase: Phrase, span: Span) -> bool:
    if phrase.clock or phrase.moment or phrase.stretch or phrase.unclear:
        return False
    if phrase.span is None:
        phrase.span = span
        return True
    pair = {phrase.span.open, span.open}
    if pair != {"after", "before"}:
        return False
    after, before = (phrase.span, span) if phrase.span.open == "after" else (span, phrase.span)
    inside = tuple((start, end) for start, _ in after.readings for _, end in before.readings if start < end)
    phrase.span = Span(tuple(sorted(inside, key=lambda one: one[1] - one[0]))) if inside else phrase.span
    return bool(inside)


def _take_part(phrase: Phrase, part: Part) -> bool:
    if phrase.moment or phrase.stretch or phrase.unclear:
        return False
    if phrase.part is None:
        phrase.part = part
        return True
    start, end = max(part.start, phrase.part.start), min(part.end, phrase.part.end)
    if start >= end:
        return False
    phrase.part = replace(phrase.part, start=start, end=end, order=phrase.part.order or part.order)
    return True
