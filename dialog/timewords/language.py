"""A language's words and rules, read once from its data file.

A data file holds lists of words by kind and rules that name a meaning for kinds that stand side by side; en.yaml explains its own form.
This module knows no language: adding one is adding a file, as long as its rules name meanings that clocks.py, lengths.py, dates.py, periods.py and ranges.py have.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from ruamel.yaml import YAML

from dialog.timewords.sounds import Sounds, read_sounds
from dialog.timewords.tokens import Token, cut, folded


@dataclass(frozen=True)
class Item:
    """One place of a rule: any of some words, or one kind; `optional` may be left out."""

    words: frozenset[str]
    kind: str | None
    optional: bool


@dataclass(frozen=True)
class Rule:
    """Kinds side by side and the meaning they have; `extra` is handed to the meaning after what was found."""

    order: int
    items: tuple[Item, ...]
    meaning: str
    extra: tuple[int | str, ...]


@dataclass(frozen=True)
class Phrase:
    """An entry of a word list: its kind and what it stands for."""

    kind: str
    value: Any


@dataclass
class _Node:
    after: dict[str, "_Node"] = field(default_factory=dict)
    phrases: list[Phrase] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Language:
    """Everything the reader needs to know of one language."""

    lexicon: _Node
    steering: dict[str, frozenset[str]]
    steering_phrases: _Node
    numbers: dict[str, int]
    ordinals: dict[str, int]
    parts: dict[str, dict[str, Any]]
    holidays: dict[str, Any]
    last_words: frozenset[str]
    fuzzy: tuple[str, ...]
    not_fuzzy: frozenset[str]
    known: frozenset[str]
    short: Mapping[str, str]
    sounds: Sounds
    by_sound: Mapping[str, str]
    fuzzy_by_sound: Mapping[str, str]
    by_blurred_sound: Mapping[str, str]
    rules: dict[str, tuple[Rule, ...]]
    starts: dict[str, dict[str, tuple[Rule, ...]]]
    joining: frozenset[str]
    day_first: bool
    telling: frozenset[str]

    def steers(self, tokens: list[Token], at: int, name: str) -> bool:
        """Say whether a steering phrase of the list called `name` begins at token `at`."""
        return any(phrase.kind == name for _, phrase in self.phrases_at(tokens, at, steering=True))

    def phrases_at(self, tokens: list[Token], at: int, *, steering: bool = False) -> list[tuple[int, Phrase]]:
        """Find the word-list entries that begin at token `at`, each with the position after it."""
        node = self.steering_phrases if steering else self.lexicon
        found: list[tuple[int, Phrase]] = []
        for position in range(at, len(tokens)):
            following = node.after.get(tokens[position].word)
            if following is None:
                break
            node = following
            found.extend((position + 1, phrase) for phrase in node.phrases)
        return found


@lru_cache
def language(name: str) -> Language:
    """Load the language called `name` ("en"), once per process. Raises KeyError for a language without a data file."""
    source = resources.files("dialog.timewords").joinpath(f"{name}.yaml")
    if not name.isalpha() or not source.is_file():
        raise KeyError(name)
    data = YAML(typ="safe", pure=True).load(folded(source.read_text(encoding="utf-8")))
    rules = _rules(data["rules"])
    lexicon = _lexicon({kind: _meanings_in(text) for kind, text in data["words"].items()})
    steering = {name: _entries(text.splitlines()) for name, text in data["steering"].items()}
    known = _words_of(lexicon) | frozenset(
        word for each in rules.values() for rule in each for item in rule.items for word in item.words
    )
    numbers, ordinals = _values_by_word(data["numbers"]), _values_by_word(data["ordinals"])
    sounds = read_sounds(data.get("sounds", ""), data.get("swallowed", ""), data.get("blurred", ""))
    return Language(
        lexicon=lexicon,
        steering={name: frozenset(words) for name, words in steering.items()},
        steering_phrases=_lexicon({name: [(0, words)] for name, words in steering.items()}),
        numbers=numbers,
        ordinals=ordinals,
        parts={name: dict(map(_setting, settings)) for name, settings in _meanings_in(data["parts"])},
        holidays=data["holidays"],
        last_words=frozenset(data["last_words"]),
        fuzzy=tuple(data["fuzzy"]),
        not_fuzzy=frozenset(data["not_fuzzy"]),
        known=known,
        short=data.get("short", {}),
        sounds=sounds,
        by_sound=sounds.by_sound([*sorted(known), *numbers, *ordinals]),
        by_blurred_sound=sounds.by_blurred_sound({*known, *numbers, *ordinals}),
        fuzzy_by_sound={sounds.of(word): word for word in data["fuzzy"]},
        rules=rules,
        starts=_starts(rules),
        day_first=bool(data["day_first"]),
        telling=frozenset(_entries(data["telling"].splitlines())),
        joining=frozenset(kind for kind, each in rules.items() if all(rule.meaning == "nothing" for rule in each)),
    )


@lru_cache
def other_languages(name: str) -> tuple[Language, ...]:
    """All languages but the one called `name`."""
    files = (each.name for each in resources.files("dialog.timewords").iterdir())
    names = sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml"))
    return tuple(language(other) for other in names if other != name)


def spoken(words: Collection[str], name: str) -> Language:
    """The language that `words` are in: the one called `name`, unless they plainly are in another and not in this one.

    Raises KeyError for a language without a data file.
    """
    given = language(name)
    if given.telling.intersection(words):
        return given
    return next((other for other in other_languages(name) if other.telling.intersection(words)), given)


def correct(word: str, of: Language) -> str:
    """The time word that `word` is short for, was written for by ear or most likely is a slip of, or `word` itself."""
    if word in of.short:
        return of.short[word]
    if word in of.known or word in of.not_fuzzy or word in of.numbers or word in of.ordinals:
        return word
    if of.by_sound and (alike := of.by_sound.get(of.sounds.of(word))):
        return alike
    return _by_slip(word, of) or of.by_blurred_sound.get(of.sounds.blurred(word), word)


def _by_slip(word: str, of: Language) -> str | None:
    """The long time word that `word` is a slip of."""
    if len(word) < 5:
        return None
    heard = of.sounds.of(word)
    best = process.extractOne(
        heard, of.fuzzy_by_sound.keys(), scorer=OSA.distance, score_cutoff=2 if len(word) >= 8 else 1
    )
    return of.fuzzy_by_sound[best[0]] if best is not None and best[0][0] == heard[0] else None


def _entries(lines: list[str]) -> list[str]:
    """The entries of a list, between commas; a comma alone on its line is itself one."""
    return [
        entry for line in lines for entry in ([line] if line == "," else line.removesuffix(",").split(", ")) if entry
    ]


def _meanings_in(text: str) -> list[tuple[Any, list[str]]]:
    """The entries for each meaning: one meaning a line, and indented lines that go on with it."""
    found: list[tuple[Any, list[str]]] = []
    for line in text.splitlines():
        if line.startswith(" "):
            found[-1][1].extend(_entries([line.strip()]))
        else:
            meaning, _, entries = line.partition(": ")
            found.append((_meaning(meaning), _entries([entries])))
    return found


def _values_by_word(text: str) -> dict[str, int]:
    return {word: value for value, words in _meanings_in(text) for word in words}


def _setting(text: str) -> tuple[str, Any]:
    """Read "from 14.5" or "half pm"."""
    name, _, value = text.partition(" ")
    return name, value if value.isalpha() else float(value)


def _meaning(text: str) -> Any:
    if text.startswith("["):
        return tuple(int(each) for each in text.strip("[]").split())
    return int(text) if text.isdigit() else text


def _lexicon(lists: dict[str, list[tuple[Any, list[str]]]]) -> _Node:
    root = _Node()
    for kind, meanings in lists.items():
        for value, entries in meanings:
            phrase = Phrase(kind, value)
            for entry in entries:
                node = root
                for word in _words_in(entry):
                    node = node.after.setdefault(word, _Node())
                node.phrases.append(phrase)
    return root


def _words_in(entry: str) -> list[str]:
    """The entry as an utterance would be cut, with the hyphens inside words dropped as they are there."""
    if entry.replace(" ", "").isalpha():
        return entry.split()  # as it would be cut, and what most entries are
    return [token.word for token in cut(entry) if token.word != "-" or entry == "-"]


def _words_of(node: _Node) -> frozenset[str]:
    words = set(node.after)
    for child in node.after.values():
        words |= _words_of(child)
    return frozenset(words)


def _rules(lists: dict[str, str]) -> dict[str, tuple[Rule, ...]]:
    return {
        kind: tuple(_rule(order, line) for order, line in enumerate(text.splitlines())) for kind, text in lists.items()
    }


def _rule(order: int, line: str) -> Rule:
    pattern, _, meaning = line.partition(" => ")
    name, *extra = meaning.split()
    return Rule(
        order,
        tuple(_item(each) for each in pattern.split()),
        name,
        tuple(int(each) if each.lstrip("-").isdigit() else each for each in extra),
    )


def _item(text: str) -> Item:
    optional = text.endswith("?") and len(text) > 1
    body = text.removesuffix("?") if optional else text
    if body.isupper() and body.isalnum():
        return Item(frozenset(), body, optional)
    return Item(frozenset(body.split("|")), None, optional)


def _starts(rules: dict[str, tuple[Rule, ...]]) -> dict[str, dict[str, tuple[Rule, ...]]]:
    """For each kind, the rules that can begin with a given word or word-list kind, so that few are tried at each place."""
    firsts: dict[str, set[str]] = {kind: set() for kind in rules}
    changed = True
    while changed:
        changed = False
        for kind, each in rules.items():
            before = len(firsts[kind])
            for rule in each:
                firsts[kind] |= _first_of(rule, firsts)
            changed = changed or len(firsts[kind]) > before
    table: dict[str, dict[str, list[Rule]]] = {kind: {} for kind in rules}
    for kind, each in rules.items():
        for rule in each:
            for first in _first_of(rule, firsts):
                table[kind].setdefault(first, []).append(rule)
    return {kind: {first: tuple(found) for first, found in each.items()} for kind, each in table.items()}


def _first_of(rule: Rule, firsts: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    for item in rule.items:
        if item.kind is None:
            found |= item.words
        else:
            found |= firsts.get(item.kind, set()) or ({item.kind} if item.kind not in firsts else set())
        if not item.optional:
            break
    return found
