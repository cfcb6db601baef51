"""Finds what stands side by side: applies a language's rules to the tokens of one utterance.

A parse of one kind at one place is worked out once and kept, with all the ends it can have, so that rules may share parts freely and the work stays linear in the
length of what people say.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dialog.timewords.atoms import Unclear
from dialog.timewords.language import Item, Language, Rule
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
    _usable: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._words = {token.word for token in self.tokens}
        self._leaf_kinds = {kind for found in self.leaves for kind in found}

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
            if not self._is_usable(rule):
                continue
            for end, captured in self._sequences(rule, at):
                if end not in found:
                    value = self._meaning(rule, captured)
                    if value is not None:
                        found[end] = value
        return found

    def _is_usable(self, rule: Rule) -> bool:
        """Whether the utterance has, anywhere, what the rule can't do without: most rules are out by that, which is what keeps long texts cheap."""
        known = self._usable.get(id(rule))
        if known is None:
            known = self._usable[id(rule)] = all(item.optional or self._is_there(item) for item in rule.items)
        return known

    def _is_there(self, item: Item) -> bool:
        if item.kind is None:
            return not self._words.isdisjoint(item.words)
        return item.kind in self.language.rules or item.kind in self._leaf_kinds

    def _meaning(self, rule: Rule, captured: tuple[Any, ...]) -> Any:
        """What the rule means; what holds something unclear ("the week of February 30th") is unclear as a whole."""
        unclear = next((value for value in captured if isinstance(value, Unclear)), None)
        return unclear if unclear is not None else self.meanings[rule.meaning](self.context, *captured, *rule.extra)

    def _sequences(self, rule: Rule, at: int) -> list[tuple[int, tuple[Any, ...]]]:
        """All ends the rule can have from token `at` on with what it finds on the way, the longest choices first."""
        reached: list[tuple[int, tuple[Any, ...]]] = [(at, ())]
        for item in rule.items:
            ahead: list[tuple[int, tuple[Any, ...]]] = []
            for here, captured in reached:
                if item.kind is None:
                    if here < len(self.tokens) and self.tokens[here].word in item.words:
                        ahead.append((here + 1, captured))
                elif ends := self.parses(item.kind, here):
                    ahead.extend(
                        (end, captured if ends[end] is JOINING else (*captured, ends[end]))
                        for end in sorted(ends, reverse=True)
                    )
                if item.optional:
                    silent = item.kind is None or item.kind in self.language.joining
                    ahead.append((here, captured if silent else (*captured, None)))
            if not ahead:
                return []
            reached = ahead
        return reached
