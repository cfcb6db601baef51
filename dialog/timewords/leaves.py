"""What single tokens mean before any rule: words from the lists, numbers in figures and in words, written dates.

Whether a number may be an hour is decided here, by its neighbours: not in "option 2", "two people" or "5 Main Street".
"""

from functools import lru_cache

from dialog.timewords.atoms import Unclear
from dialog.timewords.clocks import Context, Figures, named_part
from dialog.timewords.dates import written_date
from dialog.timewords.grammar import Found
from dialog.timewords.language import Language, correct
from dialog.timewords.numbers import thousands
from dialog.timewords.periods import month_year
from dialog.timewords.tokens import Token

Leaves = dict[str, Found]
SURELY_A_DATE = 11
MOST_RANKS = 5  # "the third available" counts what is offered, "the 11th available" is a question about a date
MIDNIGHT = 24  # as an hour
SMALLEST_TENS = 20
LONGEST_YEAR = 8  # in words
ELLIPSIS = "…"
DOTS = (".", ELLIPSIS)
ALWAYS = "24/7"  # a date only where the day is written first


def prepared(tokens: list[Token], language: Language) -> list[Token]:
    """Mend slips in time words, drop hyphens inside compounds and dots after short forms, and mark the "to" of a move so that it makes no range."""
    kept: list[Token] = []
    dated = words_of_kind(language, "WEEKDAY") | words_of_kind(language, "MONTH")
    moving = False
    tokens = [part for token in without_fillers(tokens, language) for part in _without_suffix(token, language)]
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        before = kept[-1] if kept else None
        if (
            token.word == "-"
            and _joins_words(before, token, following)
            and not (before and following and before.word in dated and following.word in dated)
        ):
            continue
        if token.word == "-" and following and following.word in language.steering["suffixes"]:
            continue
        if token.word == "." and token.glued and before and before.word in dated and len(before.word) < 6:
            continue
        if token.word in language.steering["moving"]:
            moving = True
        elif token.word in language.steering["stops"]:
            moving = False
        elif moving and (
            (token.word in language.steering["to"] and _is_move(before, following, language))
            or language.steers(tokens, at, "exchanged_for")
        ):
            kept.append(_reworded(token, MOVED_TO))
            moving = False
            continue
        kept.append(_reworded(token, correct(token.word, language)) if token.kind == "word" else token)
    return kept


MOVED_TO = "»"


def without_fillers(tokens: list[Token], language: Language) -> list[Token]:
    """Leave out what is said while thinking ("eh", and "este" between commas), and take dots in a row for a comma."""
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        if end := _filler_end(tokens, at, language):
            # Of the commas around it one stays, and none at the beginning.
            at = end + (end < len(tokens) and _is_pause(tokens[end]) and (not kept or _is_pause(kept[-1])))
        elif tokens[at].word in DOTS and kept and kept[-1].word in {*DOTS, ","} and tokens[at].glued:
            kept[-1] = _reworded(kept[-1], ",")
            at += 1
        else:
            kept.append(_reworded(tokens[at], ",") if tokens[at].word == ELLIPSIS else tokens[at])
            at += 1
    return kept


def _filler_end(tokens: list[Token], at: int, language: Language) -> int | None:
    """Where the filler that begins here ends, if one does. A word that may also mean something counts only between pauses."""
    begins = at == 0 or _is_pause(tokens[at - 1]) or language.steers(tokens, at - 1, "fillers_apart")
    for end, phrase in language.phrases_at(tokens, at, steering=True):
        ends = end == len(tokens) or _is_pause(tokens[end]) or language.steers(tokens, end, "fillers_apart")
        if phrase.kind == "fillers" or (phrase.kind == "fillers_apart" and begins and ends):
            return end
    return None


def _is_pause(token: Token) -> bool:
    return token.word in {*DOTS, ","}


def _without_suffix(token: Token, language: Language) -> list[Token]:
    """Cut the "ish" off "fourish"."""
    for suffix in language.steering["suffixes"]:
        stem = token.word.removesuffix(suffix)
        cut_at = token.end - len(suffix)
        if token.kind == "word" and stem != token.word and (stem in language.numbers or stem in language.fuzzy):
            return [
                Token("word", stem, token.start, cut_at, token.capital, token.glued),
                Token("word", suffix, cut_at, token.end, glued=True),
            ]
    return [token]


def _is_move(before: Token | None, following: Token | None, language: Language) -> bool:
    """Whether a "to" between these tokens is that of a move: not in "quarter to four", nor in Spanish where it leads to the hour of a day just named."""
    if following is not None and following.word in words_of_kind(language, "WEEKDAY"):
        return True
    counts = before is not None and before.word in language.numbers
    if following is not None and following.word in language.steering["hour_articles"]:
        return counts or (before is not None and before.kind in {"int", "clock"})
    return not (counts or (before is not None and before.word in language.steering["clock_units"]))


def _reworded(token: Token, word: str) -> Token:
    return token if token.word == word else Token(token.kind, word, token.start, token.end, token.capital, token.glued)


def _joins_words(before: Token | None, hyphen: Token, following: Token | None) -> bool:
    return bool(
        before and following and hyphen.glued and following.glued and before.kind == "word" and following.kind == "word"
    )


def _is_year(word: str) -> bool:
    return len(word) == 4 and word.isdecimal()


@lru_cache
def words_of_kind(language: Language, kind: str) -> frozenset[str]:
    """The words with which an entry of the word lists of that kind begins."""
    return frozenset(
        word for word, node in language.lexicon.after.items() if any(phrase.kind == kind for phrase in node.phrases)
    )


def leaves_of(tokens: list[Token], context: Context) -> list[Leaves]:
    """Work out, for every token, the kinds it begins by itself and where they end."""
    months = words_of_kind(context.language, "MONTH")
    return [_Leaf(tokens, at, context, months).all() for at in range(len(tokens))]


class _Leaf:
    """The leaves that begin at one token."""

    def __init__(self, tokens: list[Token], at: int, context: Context, months: frozenset[str]) -> None:
        self.tokens, self.at, self.context, self.months = tokens, at, context, months
        self.language, self.steering = context.language, context.language.steering
        self.token = tokens[at]
        self.found: Leaves = {}

    def all(self) -> Leaves:
        self._from_lists()
        kind = self.token.kind
        if kind == "word":
            self._add("WORD", 1, self.token.word)
            if not self._year_words():
                self._number_words()
            self._ordinal_words()
        elif kind == "int":
            self._figures()
        elif kind == "ordinal":
            self._ordinal(int("".join(each for each in self.token.word if each.isdecimal())), 1, digits=True)
        elif kind == "clock":
            self._clock()
        elif kind == "decimal":
            self._decimal()
        elif kind == "date":
            self._date()
        return self.found

    def _add(self, kind: str, tokens: int, value: object) -> None:
        self.found.setdefault(kind, {}).setdefault(self.at + tokens, value)

    def _word(self, ahead: int) -> str:
        at = self.at + ahead
        return self.tokens[at].word if 0 <= at < len(self.tokens) else ""

    # Words from the lists

    def _from_lists(self) -> None:
        for end, phrase in self.language.phrases_at(self.tokens, self.at):
            value: object = phrase.value
            if phrase.kind in {"MONTH", "WEEKDAY"} and not self._is_really(phrase.kind):
                continue
            if phrase.kind in {"PART", "PARTNAME", "PARTS"}:
                value = named_part(self.language, str(phrase.value))
            self.found.setdefault(phrase.kind, {}).setdefault(end, value)
            if phrase.kind == "MONTH" and self.token.word not in self.steering["months_that_are_words"]:
                self.found.setdefault("MONTHALONE", {})[end] = value
        for end, phrase in self.language.phrases_at(self.tokens, self.at, steering=True):
            kind = {"mine": "MINE", "events": "EVENT", "long_weekends": "LONGWEEKEND", "seasons": "SEASON"}.get(
                phrase.kind
            )
            if kind is not None:
                self.found.setdefault(kind, {})[end] = self.token.word
        if self.token.word in self.language.last_words:
            self._add("LASTWORD", 1, self.token.word)

    def _is_really(self, kind: str) -> bool:
        """Whether a month's or weekday's word is one here, and no name or verb."""
        word, before, following = self.token.word, self._word(-1), self._word(1)
        if before in self.steering["titles"] or (before == "." and self._word(-2) in self.steering["titles"]):
            return False
        if kind == "MONTH" and before in self.steering["relatives"]:
            return False
        if word in self.steering["months_that_are_words"] and kind == "MONTH":
            return self._is_month(before, following)
        return not (word in self.steering["weekdays_that_are_words"] and before in self.steering["pronouns"])

    def _is_month(self, before: str, following: str) -> bool:
        numbered = (
            following[:1].isdigit()
            or following in self.language.ordinals
            or following in self.language.numbers
            or following in self.steering["before_days"]
        )
        after_number = before[:1].isdigit() or before in self.language.ordinals or before in self.language.numbers
        alone = len(self.tokens) == 1 or before in self.steering["before_months"]
        return (
            (numbered or after_number or alone)
            and following not in self.steering["after_modals"]
            and (numbered or before not in self.steering["pronouns"])
        )

    # Numbers

    def _number_words(self) -> None:
        numbers = self.language.numbers
        value = numbers.get(self.token.word)
        if value is None:
            if self.token.word in self.steering["oh"] and 1 <= numbers.get(self._word(1), 0) <= 9:
                self._minute(numbers[self._word(1)], 2)
            return
        self._number(value, 1)
        between = 1 + (value >= 30 and self._word(1) in self.steering["number_joiners"])
        if 20 <= value < 100 and 1 <= numbers.get(self._word(between), 0) <= 9:
            self._number(value + numbers[self._word(between)], between + 1)

    def _year_words(self) -> bool:
        """Take "nineteen eighty-four" or "two thousand twenty-seven" for a year; say whether it can be nothing else."""
        numbers = self.language.numbers
        ahead = [token.word for token in self.tokens[self.at : self.at + LONGEST_YEAR]]
        if found := thousands(ahead, 0, self.language):
            taken, year = found
            if 1900 <= year <= 2100:
                self._add("YEAR", taken, year)
            return True
        century, tens = numbers.get(self.token.word, 0), numbers.get(self._word(1), 0)
        if century not in {19, 20} or tens < 10:
            return False
        ones = numbers.get(self._word(2), 0) if tens >= 20 else 0
        if not 1 <= ones <= 9:
            self._add("YEAR", 2, century * 100 + tens)
        else:
            self._add("YEAR", 3, century * 100 + tens + ones)
        return tens >= 60

    def _number(self, value: int, tokens: int) -> None:
        self._add("NUM", tokens, value)
        if not (self._counts(tokens) or self._is_thing(tokens)):
            # "Martes una cita" is no first of a month, "jueves dos personas" no second.
            self._add("DAYOF", tokens, value)
        if value in {5, 10, 20, 25} and not self._counts(tokens):
            self._add("MINUTESTO", tokens, value)
        if 10 <= value < 60:
            self._minute(value, tokens)
        if (
            (value < MIDNIGHT or (value == MIDNIGHT and self._is_clock(tokens)))
            and self._may_be_hour(tokens)
            and not (self._is_thing(tokens) or self._is_day_of(tokens) or self._is_half_said(value, tokens))
        ):
            self._add("HOUR", tokens, Figures(value))
            if 1 <= value <= 12:
                self._add("HOURWORD", tokens, Figures(value))

    def _is_clock(self, tokens: int) -> bool:
        """Whether a word beside the number tells a time of day: nobody says a bare 24 for midnight, but many for the 24th."""
        told = self._word(tokens) in self.steering["clock_words"] | self.steering["hours"]
        return told or self._word(-1) in self.steering["clock_leads"]

    def _is_half_said(self, value: int, tokens: int) -> bool:
        """Whether a word is only the tens or the ones of a number: "twenty four" is neither 20:00 nor four o'clock, though "nine thirty, four" may be."""
        numbers = self.language.numbers
        if tokens > 1 or self.token.kind != "word":
            return False
        before = numbers.get(self._word(-1), 0)
        if 1 <= value <= 9:
            return before in range(SMALLEST_TENS, 60, 10) and self._word(-2) not in numbers
        return value == SMALLEST_TENS and 1 <= numbers.get(self._word(1), 0) <= 9

    def _is_thing(self, tokens: int) -> bool:
        """Whether a word such as "one" stands for a thing here ("book one for tomorrow")."""
        if self.token.word not in self.steering["things"] or tokens > 1 or not self.at:
            return False
        following = self._word(tokens)
        told = following in self.steering["clock_words"] or following in self.language.numbers
        placed = following in self.steering["weak_glue"] and self._word(-1) in self.steering["things_leads"]
        led = self._word(-1) in self.steering["hour_leads"] or self._ends_span()
        return not (told or placed or led)

    def _ends_span(self) -> bool:
        """Whether a time of day stands before and leads up to this word ("de once a una")."""
        before = self._word(-2)
        timed = before[:1].isdigit() or before in self.language.numbers or before in self.steering["clock_fractions"]
        return timed and self._word(-1) in self.steering["span_joiners"]

    def _is_day_of(self, tokens: int) -> bool:
        """Whether a month follows and has no other number behind it that could be its day: "14 Sept" against "at 3 May 5th"."""
        after = self.at + tokens + 1
        behind = self.tokens[after] if after < len(self.tokens) else None
        numbered = behind is not None and (
            (behind.kind in {"int", "ordinal"} and len(behind.word) <= 4 and not _is_year(behind.word))
            or behind.word in self.language.numbers
            or behind.word in self.language.ordinals
        )
        return self._word(tokens) in self.months - self.steering["months_that_are_words"] and not numbered

    def _minute(self, value: int, tokens: int) -> None:
        self._add("MINUTE", tokens, value)
        self._add("MINUTEWORD", tokens, value)

    def _ordinal_words(self) -> None:
        value = self.language.ordinals.get(self.token.word)
        if value is not None:
            self._ordinal(value, 1)
        tens = self.language.numbers.get(self.token.word, 0)
        if tens in {20, 30} and 1 <= self.language.ordinals.get(self._word(1), 99) <= 9:
            self._ordinal(tens + self.language.ordinals[self._word(1)], 2)

    def _ordinal(self, value: int, tokens: int, *, digits: bool = False) -> None:
        following = self._word(tokens)
        if not 1 <= value <= 31:
            if following not in self.steering["ranked"]:
                self._add("BADDAY", tokens, value)
            return
        timed = value >= SURELY_A_DATE and (
            following in self.language.numbers or following in self.steering["clock_units"]
        )
        free = value > MOST_RANKS and following in self.steering["ranked_if_few"]
        if following in self.steering["ranked"] and self._word(-1) not in self.months and not (timed or free):
            # "The first week of April" counts too, and a rule may know what.
            self.found.setdefault("ORD", {}).update(
                {self.at + tokens: value} if following in self.steering["ranked_periods"] else {}
            )
            return
        self._add("ORD", tokens, value)
        # Few things have so many that "the thirteenth" could be one of them.
        if digits or value >= SURELY_A_DATE:
            self._add("DIGITORD", tokens, value)

    def _figures(self) -> None:
        text = self.token.word
        value = int(text)
        if len(text) <= 3:
            self._add("NUM", 1, value)
        if len(text) == 4 and 1900 <= value <= 2100:
            self._add("YEAR", 1, value)
        if len(text) <= 2:
            self._small(value, text)
        elif (
            len(text) <= 4 and value % 100 < 60 and value // 100 <= 24 and (self._may_be_hour(1) or self._is_military())
        ):
            self._add("COMPACT", 1, Figures(value // 100, value % 100, exact=len(text) == 4 and text[0] == "0"))

    def _small(self, value: int, text: str) -> None:
        if not self._counts(1):
            self._add("DAYOF", 1, value)
        if 13 <= value <= 31 and not self._counts(1):
            self._add("DAYNUM", 1, value)
        if len(text) == 2 and value < 60:
            self._add("MINUTE", 1, value)
        if self._may_be_hour(1) and not self._is_day_of(1):
            if value < MIDNIGHT or (value == MIDNIGHT and self._is_clock(1)):
                self._add("HOUR", 1, Figures(value, exact=text[0] == "0"))
                if 1 <= value <= 12:
                    self._add("HOURWORD", 1, Figures(value))
            elif self._word(-1) in self.steering["clock_leads"]:
                self._add("BADCLOCK", 1, text)

    def _is_military(self) -> bool:
        return len(self.token.word) == 4 and self._word(1) in self.steering["hours"]

    def _clock(self) -> None:
        hour, _, minute = self.token.word.replace(".", ":").replace("h", ":").partition(":")
        if int(hour) <= 24 and int(minute) < 60:
            self._add("HHMM", 1, Figures(int(hour), int(minute), exact=hour[0] == "0"))
        else:
            self._add("BADCLOCK", 1, self.token.word)

    def _decimal(self) -> None:
        whole, _, part = self.token.word.partition(".")
        self._add("DECIMAL", 1, float(self.token.word) if len(whole) < 6 else 0.0)
        if len(whole) <= 2 and len(part) == 2 and int(whole) <= 24 and int(part) < 60 and self._may_be_hour(1):
            self._add("DOTTED", 1, Figures(int(whole), int(part)))

    def _may_be_hour(self, tokens: int) -> bool:
        before = self._word(-1)
        if before in self.steering["labels"] or self._counts(tokens):
            return False
        if len(self.token.word) > 2 and self.token.kind == "int" and self._capital(tokens):
            return self._word(tokens) in self.language.known
        return not any(
            self._word(tokens + ahead) in self.steering["streets"] for ahead in (0, 1, 2) if self._capital(tokens)
        )

    def _capital(self, ahead: int) -> bool:
        at = self.at + ahead
        return at < len(self.tokens) and self.tokens[at].capital

    def _counts(self, tokens: int) -> bool:
        following = self._word(tokens)
        return following in self.steering["counted"] and not (
            (following in self.steering["clock_units"] and self._word(tokens + 1) in self.steering["to_or_past"])
            or (following in self.steering["hours"] and self._word(-1) in self.steering["hour_articles"])
            or (following in self.steering["hours_behind"] and not self._is_counted_from())
        )

    def _is_counted_from(self) -> bool:
        """Whether words before the number make it a length ("dentro de 2 h") and no time of day ("el lunes 18 h")."""
        return not self.steering["counting_leads"].isdisjoint({self._word(-1), self._word(-2)})

    # Written dates

    def _date(self) -> None:
        if self.token.word == ALWAYS and not self.language.day_first:
            return
        text = self.token.word.replace("-", "/").replace(".", "/")
        numbers = [int(part) for part in text.split("/")]
        if len(numbers) == 2:
            self._short_date(*numbers)
            return
        if len(text.split("/")[0]) == 4:
            year, month, day = numbers
        else:
            month, day, year = numbers
            year += 0 if year > 99 else 2000 if year < 70 else 1900
            if month > 12 or self._is_day_first():
                month, day = (day, month) if day <= 12 else (month, day)
        self._add("DATE", 1, written_date(self.context, year, month, day))

    def _is_day_first(self) -> bool:
        """Dates with full stops are written day first in every language."""
        return self.language.day_first or self.token.word[1:3].count(".") == 1

    def _short_date(self, first: int, second: int) -> None:
        if second >= 1900:
            if 1 <= first <= 12 and second <= 2100:
                self._add("MONTHYEAR", 1, month_year(self.context, first, second))
            return
        self._add("FRACTION", 1, (first, second) if second else (0, 1))
        if self._counts(1):
            return
        if first > 12 >= second >= 1 or (self.language.day_first and 1 <= second <= 12):
            first, second = second, first
        self._add(
            "DATE", 1, written_date(self.context, None, first, second) if 1 <= first <= 12 else Unclear("no such date")
        )
