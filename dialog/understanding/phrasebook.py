"""A language's phrase file, read once and made ready for searching. en.yaml explains its own form; this module knows no language.

The file is laid out for people: blocks of lines, so that a new wording is a new line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from ruamel.yaml import YAML

from dialog.timewords.language import language as time_words
from dialog.timewords.sounds import Sounds
from dialog.understanding.pattern import Phrases, Plain
from dialog.understanding.verbs import Endings, VerbRules
from dialog.understanding.words import WordRules

SHORTEST_MISSPELT = 6

_CUES = (
    "name_cues_strong",
    "name_cues_weak",
    "name_cues_others",
    "name_cues_for",
    "name_cues_heard",
    "name_after",
    "spelling_cues",
    "birth_cues",
    "phone_cues",
    "email_cues",
    "book_for_self",
    "book_for_both",
    "book_for_not",
    "for_named",
    "for_another",
    "reason_cues",
    "question_cues",
    "same_cues",
    "search_cues",
    "every_cues",
    "others_cues",
    "also_cues",
    "each_for",
    "each_does",
    "instead_cues",
)


@dataclass(frozen=True)
class Concern:
    """What is said (all words of any of `said`, in any order) leads to services that mention any, or most, of `leads_to`."""

    said: tuple[frozenset[str], ...]
    leads_to: frozenset[str]
    is_best_only: bool


@dataclass(frozen=True)
class NameWords:
    """What helps to tell people's names from other words, and to put spelled ones together."""

    common: frozenset[str]
    never: frozenset[str]
    idle: frozenset[str]  # between two names they are a sound
    joiners: frozenset[str]
    followers: frozenset[str]
    titles: frozenset[str]
    letters: Mapping[str, str]
    alphabet: frozenset[str]
    letter_as: frozenset[str]
    letter_double: frozenset[str]
    letter_breaks: frozenset[str]
    letter_signs: Mapping[str, str]


@dataclass(frozen=True)
class EmailWords:
    """How addresses are said; `heard`: what recognisers make of the names of providers."""

    at: frozenset[str]
    at_heard: frozenset[str]  # what that is misheard as, before the name of a provider
    dot: frozenset[str]
    signs: Mapping[str, str]
    idle: frozenset[str]  # say how it is written, and are none of it: "all one word"
    leads: frozenset[str]  # before an address that was asked for: "it's"
    heard: Mapping[str, str]


@dataclass(frozen=True)
class ServiceWords:
    """How what is said is compared with what services are called."""

    generic: frozenset[str]
    vague: frozenset[str]
    same: Mapping[str, str]
    concerns: tuple[Concern, ...]
    child: frozenset[str]
    silent: frozenset[str]  # of other languages: they say nothing in a name
    endings: tuple[str, ...]  # of words that mean the same in other forms, longest first

    def stem(self, word: str) -> str:
        """Give the word that stands for all that mean the same as `word`."""
        return self.same.get(word, word)


@dataclass(frozen=True, eq=False)
class PhraseBook:
    """Everything the local interpreter knows of one language."""

    language: str
    rules: WordRules
    sets: Phrases  # labels are names: "<visit>"
    intents: Phrases  # labels are commands: "ask_clinic hours"
    choose: Phrases  # labels are places in the list, or "earlier" and "later"
    cues: Phrases  # labels are kinds of cue, and "book_for child"
    red_flags: Phrases  # labels are "flag", or "N/M place" for one of the M parts of line N that must all be said
    denials: Phrases
    harmless: Phrases  # around a red flag these say that it is none
    history: (
        Phrases  # labels are "before" (directly before a red flag), "when", "never" (around such a when) and "ongoing"
    )
    past_verbs: frozenset[str]
    present_verbs: frozenset[str]
    always_flags: frozenset[str]
    red_flag_lists: frozenset[str]
    around_choice: frozenset[str]
    bare_choice: Mapping[str, int]
    numbers: Mapping[str, int]
    number_joints: frozenset[str]
    multiples: Mapping[str, int]
    minutes_said: Mapping[tuple[str, ...], int]  # "half an hour", the longest first
    small: frozenset[str]
    names: NameWords
    emails: EmailWords
    services: ServiceWords
    date_words: frozenset[str]
    date_names: frozenset[str]
    date_leads: frozenset[str]
    century_words: frozenset[str]
    reversals: frozenset[str]
    negations: frozenset[str]
    refusal: str
    both_words: frozenset[str]
    another_words: frozenset[str]
    aside_leads: frozenset[str]
    loose_yes: frozenset[str]
    instead_words: frozenset[str]
    own_words: frozenset[str]
    hour_leads: frozenset[str]
    pronoun_leads: frozenset[str]
    visit_leads: frozenset[str]
    visit_pronouns: frozenset[str]
    since_words: frozenset[str]
    move_leads: frozenset[str]
    several_people: frozenset[str]
    pointers: frozenset[str]
    languages: Mapping[str, str]
    foreign_all: frozenset[str]  # the sure ones among them
    foreign_surely: frozenset[str]
    vocabulary: frozenset[str]
    unlike: frozenset[str]  # words that are taken for no other
    diminutives: Mapping[str, str]  # how words end that were made small, and how without that: "horita" is "hora"
    by_letter: Mapping[str, tuple[str, ...]]  # the words that slips are compared with, as they sound
    sounds: Sounds
    by_sound: Mapping[str, str]  # the words that are found by their sound


@lru_cache
def phrase_book(language: str) -> PhraseBook:
    """Read the book of `language`, once. Raises FileNotFoundError where there is none, PatternError for a line that can't be read."""
    file = resources.files("dialog.understanding.phrases").joinpath(f"{language}.yaml")
    return _Binder(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))).book()


@lru_cache(maxsize=8192)
def spelled_right(word: str, book: PhraseBook) -> str:
    """Give the word of `book` that `word` was written for by ear, was made small from or is a slip of, or `word` itself. Slips in short words are left alone: too many are one letter apart."""
    if word in book.vocabulary or word in book.unlike or not word.isalpha():
        return word
    if book.by_sound and (alike := book.by_sound.get(book.sounds.of(word))):
        return alike
    for ending, plain in book.diminutives.items():
        if word.endswith(ending) and (whole := word.removesuffix(ending) + plain) in book.vocabulary:
            return whole
    if len(word) < SHORTEST_MISSPELT:
        return word
    allowed = 1 if len(word) < 11 else 2
    heard = book.sounds.of(word)
    found = process.extractOne(heard, book.by_letter.get(heard[:1], ()), scorer=OSA.distance, score_cutoff=allowed)
    return book.by_sound.get(found[0], found[0]) if found else word


class _Binder:
    """Turns the content of a phrase file into a book."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self._verbs = self._verb_rules()
        self._rules = WordRules(
            whole={**self._forms_with_pronouns(), **self._pairs_of_words("whole")},
            together=self._pairs_of_words("together"),
            endings=tuple(sorted(self._pairs_of_words("endings").items(), key=lambda pair: -len(pair[0]))),
            fillers=self._words("fillers"),
            signs=self._pairs_of_words("signs"),
            abbreviations=self._words("abbreviations"),
            joiners=self._words("joiners"),
            courtesies=frozenset(self._pairs_of_words("courtesies").values())
            if "courtesies" in content
            else frozenset(),
        )

    def book(self) -> PhraseBook:
        intents = self._phrases(self._blocks("intents"))
        sets = self._phrases([*((f"<{name}>", line) for name, line in self._blocks("sets")), *self._verb_sets()])
        choose = self._phrases(self._blocks("choose"))
        cues = self._phrases([*self._cue_lines(), *self._relation_lines()])
        red_flags = self._phrases(self._red_flag_lines())
        names, services = self._names(), self._services()
        small, foreign = self._words("small"), self._words("foreign") | self._words("foreign_surely")
        known = [
            intents.words,
            sets.words,
            choose.words,
            cues.words,
            red_flags.words,
            names.common,
            small,
            foreign,
            services.same,
        ]
        vocabulary = frozenset(word for words in known for word in words if word)
        sounds = time_words(str(self._content["language"])).sounds
        heard = [*(sorted(words) for words in known), sorted(self._words("date_words")), list(self._numbers("numbers"))]
        by_sound = sounds.by_sound(word for words in heard for word in words)
        return PhraseBook(
            language=str(self._content["language"]),
            rules=self._rules,
            sets=sets,
            intents=intents,
            choose=choose,
            cues=cues,
            red_flags=red_flags,
            denials=self._phrases(("denial", line) for line in self._lines("red_flag_denials")),
            harmless=self._phrases(("harmless", line) for line in self._lines("red_flag_harmless")),
            history=self._phrases(self._blocks("red_flag_history")),
            past_verbs=self._words("past_verbs"),
            present_verbs=self._words("present_verbs"),
            always_flags=self._words("red_flag_always"),
            red_flag_lists=self._words("red_flag_lists"),
            around_choice=self._words("around_choice"),
            bare_choice=self._numbers("bare_choice"),
            numbers=self._numbers("numbers"),
            number_joints=self._words("number_joints"),
            multiples=self._numbers("multiples"),
            minutes_said=self._minutes_said(),
            small=small,
            names=names,
            emails=self._emails(),
            services=services,
            date_words=self._words("date_words"),
            date_names=self._words("date_names"),
            date_leads=self._words("date_leads"),
            century_words=self._words("century_words"),
            reversals=self._words("reversals"),
            negations=self._words("negations"),
            refusal=str(self._content["refusal"]),
            both_words=self._words("both_words"),
            another_words=self._words("another_words"),
            aside_leads=self._words("aside_leads"),
            loose_yes=self._words("loose_yes"),
            instead_words=self._words("instead_words"),
            own_words=self._words("own_words"),
            hour_leads=self._words("hour_leads"),
            pronoun_leads=self._words("pronoun_leads"),
            visit_leads=self._words("visit_leads"),
            visit_pronouns=self._words("visit_pronouns"),
            since_words=self._words("since_words"),
            move_leads=self._words("move_leads"),
            several_people=self._words("several_people"),
            pointers=self._words("pointers"),
            languages=self._pairs("languages"),
            foreign_all=foreign,
            foreign_surely=self._words("foreign_surely"),
            vocabulary=vocabulary,
            by_letter=_by_letter(frozenset(by_sound) or vocabulary),
            sounds=sounds,
            by_sound=by_sound,
            unlike=frozenset(str(self._content.get("unlike", "")).split()),
            diminutives=self._pairs("diminutives") if "diminutives" in self._content else {},
        )

    def _verb_rules(self) -> VerbRules:
        endings = {
            kind: Endings(
                plain=each["plain"].split(),
                stressed=each["stressed"].split(),
                wishing=each["wishing"].split(),
                carrying=frozenset(each["carrying"].split()),
            )
            for kind, each in self._content.get("verb_endings", {}).items()
        }
        return VerbRules(endings, self._pairs_of_words("verb_pronouns") if endings else {})

    def _verb_lines(self) -> Iterator[tuple[str, str]]:
        return self._blocks("verbs") if self._verbs.endings else iter(())

    def _verb_sets(self) -> Iterator[tuple[str, str]]:
        for name, line in self._verb_lines():
            yield from ((f"<{name}>", form) for form in self._verbs.forms(line))

    def _forms_with_pronouns(self) -> dict[str, tuple[str, ...]]:
        """Give the verbs with pronouns at their end, but for those that are forms of a verb themselves: "pasamos" is no "pasa mos"."""
        forms = {form for _, line in self._verb_lines() for form in self._verbs.forms(line)}
        found = (pair for _, line in self._verb_lines() for pair in self._verbs.with_pronouns(line))
        return {written: words for written, words in found if written not in forms}

    def _names(self) -> NameWords:
        return NameWords(
            common=self._words("common") | self._words("small"),
            never=self._words("never_names"),
            idle=self._words("name_idle"),
            joiners=self._words("name_joiners"),
            followers=self._words("name_followers"),
            titles=self._words("titles"),
            letters=self._pairs("letters"),
            alphabet=self._words("spelling_alphabet"),
            letter_as=self._words("letter_as"),
            letter_double=self._words("letter_double"),
            letter_breaks=self._words("letter_breaks"),
            letter_signs=self._pairs("letter_signs"),
        )

    def _emails(self) -> EmailWords:
        return EmailWords(
            at=self._words("email_at"),
            at_heard=self._words("email_at_heard"),
            dot=self._words("email_dot"),
            signs=self._pairs("email_signs"),
            idle=frozenset(self._lines("email_idle")),
            leads=self._words("email_leads"),
            heard=self._pairs("email_heard"),
        )

    def _services(self) -> ServiceWords:
        same = {each: word for word, meant in self._pairs("same").items() for each in meant.split()}
        stems = {word: same.get(word, word) for word in same}
        generic = self._words("generic")
        return ServiceWords(
            generic=frozenset(stems.get(word, word) for word in generic),
            vague=frozenset(stems.get(word, word) for word in self._words("vague")),
            same=same,
            concerns=tuple(self._concern(line, stems) for line in self._lines("concerns")),
            child=frozenset(stems.get(word, word) for word in self._words("child_words")),
            silent=self._words("silent"),
            endings=tuple(sorted(self._words("word_endings"), key=lambda ending: (-len(ending), ending))),
        )

    def _minutes_said(self) -> dict[tuple[str, ...], int]:
        lines = sorted(self._numbers("minutes_said").items(), key=lambda pair: -len(pair[0].split()))
        return {tuple(words.split()): minutes for words, minutes in lines}

    def _concern(self, line: str, stems: Mapping[str, str]) -> Concern:
        said, arrow, leads_to = line.partition(" >> ") if " >> " in line else line.partition(" > ")
        plain = self._rules.plain
        ways = [
            frozenset(stems.get(word, word) for piece in way.split() for word in plain(piece))
            for way in said.split("|")
        ]
        targets = frozenset(stems.get(word, word) for word in leads_to.split())
        return Concern(tuple(ways), targets, is_best_only=arrow == " >> ")

    def _red_flag_lines(self) -> Iterator[tuple[str, str]]:
        for number, line in enumerate(self._lines("red_flags")):
            parts = line.split(" & ")
            for place, part in enumerate(parts):
                yield (f"{number}/{len(parts)} {place}" if len(parts) > 1 else "flag"), part

    def _cue_lines(self) -> Iterator[tuple[str, str]]:
        for cue in _CUES:
            for line in self._lines(cue):
                yield cue, line

    def _relation_lines(self) -> Iterator[tuple[str, str]]:
        for people, relation in self._pairs("relations").items():
            for line in self._lines("book_for"):
                yield f"book_for {relation}", line.replace("(who)", f"<{people}>")
            for line in self._lines("book_for_named"):
                yield f"named {relation}", line.replace("(who)", f"<{people}>")

    def _phrases(self, lines: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> Phrases:
        phrases = Phrases()
        plain: Plain = self._rules.plain
        for label, line in lines:
            phrases.add(line, label, plain=plain)
        return phrases

    def _blocks(self, key: str) -> Iterator[tuple[str, str]]:
        for label, block in self._mapping(key):
            for line in _lines(block):
                yield label, line

    def _mapping(self, key: str) -> list[tuple[str, str]]:
        return [(str(name), str(value)) for name, value in self._content[key].items()]

    def _lines(self, key: str) -> list[str]:
        return list(_lines(str(self._content[key])))

    def _words(self, key: str) -> frozenset[str]:
        return frozenset(str(self._content[key]).split())

    def _pairs(self, key: str) -> dict[str, str]:
        split = (line.partition("=") for line in self._lines(key))
        return {left.strip(): right.strip() for left, _, right in split}

    def _pairs_of_words(self, key: str) -> dict[str, tuple[str, ...]]:
        return {left: tuple(right.split()) for left, right in self._pairs(key).items()}

    def _numbers(self, key: str) -> dict[str, int]:
        return {left: int(right) for left, right in self._pairs(key).items()}


def _by_letter(vocabulary: frozenset[str]) -> dict[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = {}
    for word in sorted(vocabulary):
        if len(word) >= SHORTEST_MISSPELT - 1:
            grouped.setdefault(word[0], []).append(word)
    return {letter: tuple(words) for letter, words in grouped.items()}


def _lines(block: str) -> Iterator[str]:
    for line in block.splitlines():
        if (stripped := line.strip()) and not stripped.startswith("#"):
            yield stripped
