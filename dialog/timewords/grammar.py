"""Finds what stands side by side: applies a language's rules to the tokens of one utterance.

A parse of one kind at one place is worked out once and kept, with all the ends it can have, so that rules may share parts freely and the work stays linear in the
length of what people say.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dialog.timewords.atoms import Unclear
from dialog.timewords.language import Language, Rule
from dialog.timewords.tokens import Token

Found = dict[int, Any]  # where it ends -> what it means
Meaning = Callable[..., Any]
JOINING = ...  # the meaning of words that only join others; it is not handed on


@dataclass
class Chart:
    """The parses of one utterance so far. `leaves` are the kinds that each token (or several) has by itself; `context` goes to every meaning."""

    tokens: list[Token]
    leaves: list[dict[str, Found]]
    language: Language
    meanings: dict[str, Meaning]
    context: Any
    _kept: dict[tuple[str, int], Found] = field(default_factory=dict)

    def parses(self, kind: str, at: int) -> Found:
        """All that `kind` can be from token `at` on. Of two meanings with the same end the earlier rule's is kept."""
        if at >= len(self.tokens):
            return {}
        rules = self.language.starts.get(kind)
        if rules is None:
            return self.leaves[at].get(kind, {})
        key = (kind, at)
        if key not in self._kept:
            self._kept[key] = {}
            self._kept[key] = self._apply(rules, at)
        return self._kept[key]

    def _apply(self, rules: dict[str, tuple[Rule, ...]], at: int) -> Found:
        firsts = {self.tokens[at].word, *self.leaves[at]}
        candidates = {rule.order: rule for first in firsts for rule in rules.get(first, ())}
        found: Found = {}
        for order in sorted(candidates):
            rule = candidates[order]
            for end, captured in self._sequence(rule, 0, at, ()):
                if end not in found:
                    value = self._meaning(rule, captured)
                    if value is not None:
                        found[end] = value
        return found

    def _meaning(self, rule: Rule, captured: tuple[Any, ...]) -> Any:
        """What the rule means; what holds something unclear ("the week of February 30th") is unclear as a whole."""
        unclear = next((value for value in captured if isinstance(value, Unclear)), None)
        return unclear if unclear is not None else self.meanings[rule.meaning](self.context, *captured, *rule.extra)

    def _sequence(
        self, rule: Rule, index: int, at: int, captured: tuple[Any, ...]
    ) -> Iterator[tuple[int, tuple[Any, ...]]]:
        if index == len(rule.items):
            yield at, captured
            return
        item = rule.items[index]
        if item.kind is None:
            if at < len(self.tokens) and self.tokens[at].word in item.words:
                yield from self._sequence(rule, index + 1, at + 1, captured)
        else:
            for end, value in sorted(self.parses(item.kind, at).items(), reverse=True, key=lambda one: one[0]):
                yield from self._sequence(rule, index + 1, end, captured if value is JOINING else (*captured, value))
        if item.optional:
            left_out = () if item.kind is None or item.kind in self.language.joining else (None,)
            yield from self._sequence(rule, index + 1, at, (*captured, *left_out))
