"""All forms of a verb from its stems: a language with many endings lists its verbs and endings once, and phrases name the verb alone.

What is made is generous: a form that nobody says is harmless, since nobody says it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

CLASS_ENDING = 2
"""Letters at the end of an infinitive that say how the verb is conjugated: "cancel-ar"."""


@dataclass(frozen=True)
class Endings:
    """The endings of one kind of verb, by the stem they stand behind; those of `carrying` may have pronouns written behind them."""

    plain: Sequence[str]
    stressed: Sequence[str]
    wishing: Sequence[str]
    carrying: frozenset[str]


@dataclass(frozen=True)
class VerbRules:
    """How verbs of one language are conjugated. `pronouns` are those that are written at the end of a verb, with the words they are."""

    endings: Mapping[str, Endings]
    pronouns: Mapping[str, tuple[str, ...]]

    def forms(self, line: str) -> list[str]:
        """Give all forms of the verb of `line`: `infinitive [stressed stem [stem of wishes]] [: more forms]`, or the forms alone. Raises ValueError for a strange infinitive."""
        return list(dict.fromkeys(form for form, _ in self._forms(line)))

    def with_pronouns(self, line: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give the forms that have pronouns at their end, each with the words it is: "cancelamela" is "cancela me la"."""
        for form, is_carrying in self._forms(line):
            if is_carrying:
                yield from ((form + written, (form, *words)) for written, words in self.pronouns.items())

    def _forms(self, line: str) -> Iterator[tuple[str, bool]]:
        named, _, more = line.partition(":")
        yield from ((form, True) for form in more.split())
        if named.strip():
            yield from self._regular(line, *named.split())

    def _regular(self, line: str, infinitive: str, *stems: str) -> Iterator[tuple[str, bool]]:
        endings = self.endings.get(infinitive[-CLASS_ENDING:])
        if endings is None:
            raise ValueError(f"not conjugated like any other verb: {line!r}")
        plain = infinitive[:-CLASS_ENDING]
        stressed = stems[0] if stems else plain
        wishing = stems[1] if len(stems) > 1 else stressed
        for stem, kind in (
            (plain, endings.plain),
            (stressed, endings.stressed),
            (wishing, endings.wishing),
            (plain, endings.wishing),
        ):
            yield from ((stem + ending, ending in endings.carrying) for ending in kind)
