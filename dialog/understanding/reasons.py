"""Finds what somebody wants to come for: a service by any of its names, or a reason that leads to one.

Names count more than the clinic's list of reasons, that more than the general list of concerns, that more than part of a name; among equals, what
covers more words. Words are compared by what they stand for ("teeth" is "tooth"), in any order.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from rapidfuzz import process
from rapidfuzz.distance import OSA

from booking.values import ServiceInfo
from dialog.understanding.mention import Mention, Span, overlaps
from dialog.understanding.phrasebook import PhraseBook
from dialog.understanding.words import Utterance

MOST_KEYS = 5
WIDEST = 10
"""Words between the first and the last word of one reason."""


SHORTEST_ROUGH = 5
SHORTEST_PLURAL = 4


class _Rank(IntEnum):
    PART = 1
    CONCERN = 2
    REASON = 3
    NAME = 4


@dataclass(frozen=True)
class _Entry:
    key: str
    rank: _Rank
    words: frozenset[str]  # what must be said, as stems
    generic: frozenset[str]  # what may be missing, at the cost of rank


@dataclass(frozen=True)
class _Found:
    key: str
    rank: _Rank
    size: int
    places: tuple[int, ...]

    @property
    def spread(self) -> int:
        """How far apart the words are: what was said in one breath is meant rather than what was said in two."""
        return self.places[-1] - self.places[0]

    @property
    def span(self) -> Span:
        return self.places[0], self.places[-1] + 1


class ServiceNames:
    """What one clinic's services are called and come for, ready for finding."""

    def __init__(self, services: Sequence[ServiceInfo], book: PhraseBook) -> None:
        self._book = book
        self._categories = {each.key: each.category for each in services}
        self._entries = tuple(dict.fromkeys(entry for each in services for entry in self._entries_of(each)))
        self._hints = tuple(
            dict.fromkeys(
                _Entry(entry.key, _Rank.PART, frozenset({word}), frozenset())
                for entry in self._entries
                if entry.rank is _Rank.REASON
                for word in sorted(entry.words - book.names.common - book.negations)
            )
        )
        self._parts_of_reasons = tuple(
            dict.fromkeys(
                _Entry(entry.key, _Rank.PART, frozenset({word}), frozenset())
                for entry in (*self._entries, *self._concerns_of(services))
                if entry.rank in {_Rank.REASON, _Rank.CONCERN}
                for word in sorted(entry.words - book.services.generic - book.services.child - book.negations)
            )
        )
        self._concerns = tuple(dict.fromkeys(entry for entry in self._concerns_of(services)))
        self._known = frozenset(
            word for entry in (*self._entries, *self._concerns) for word in entry.words | entry.generic
        )
        self._forms = {
            self._rough(word): word
            for word in sorted(self._known, reverse=True)
            if len(self._rough(word)) >= SHORTEST_ROUGH
        }
        self._long = sorted(word for word in self._known if len(word) >= 5)
        self.words = frozenset(
            word
            for each in services
            for text in (each.name, *each.aliases, *each.reasons)
            for word in self._plain(text)
        )

    def find(
        self,
        utterance: Utterance,
        *,
        taken: Sequence[Span],
        for_child: bool,
        reasons: Collection[int] = (),
        is_asked: bool,
    ) -> list[Mention]:
        """Find what they want to come for; a mention for each stretch of words.

        `for_child`: services for children are meant where there are any. `is_asked`: the question was what for, so that part of a reason is enough, as it is
        at the words `reasons`, which follow "about my".
        """
        said = self._stems(utterance, taken)
        here = {word: at for word, at in said.items() if at in reasons}
        extra = dict.fromkeys(self._book.services.child, -1) if for_child else {}
        found = sorted(
            [
                *self._matches(said, extra, self._hints if is_asked else ()),
                *(
                    _Found(each.key, each.rank, 1, (here[word],))
                    for each in self._parts_of_reasons
                    for word in each.words
                    if word in here
                ),
            ],
            # What was said counts more than what is only known of a child.
            key=lambda each: (-each.rank, -each.size, -len(each.places), each.spread),
        )
        found = [each for each in found if not self._is_denied(each, utterance)]
        if not found:
            return []
        best = found[0]
        chosen = [each for each in found if self._belongs(each, best)]
        apart = [each for each in found if not any(overlaps(each.span, one.span) for one in chosen)]
        chosen += [each for each in apart if self._is_added(each, best, utterance)]
        mentions: list[Mention] = []
        for each in chosen:
            near = [one for one in mentions if overlaps((one.start, one.end), each.span)]
            mentions = [one for one in mentions if one not in near]
            start, end = (
                min([each.span[0], *(one.start for one in near)]),
                max([each.span[1], *(one.end for one in near)]),
            )
            keys = dict.fromkeys([*(key for one in near for key in one.keys), each.key])
            is_reason = each.rank in {_Rank.REASON, _Rank.CONCERN}
            mentions.append(
                Mention(
                    start,
                    end,
                    tuple(keys)[:MOST_KEYS],
                    utterance.said(start, end),
                    is_reason,
                    is_part=each.rank is _Rank.PART,
                )
            )
        return mentions

    def are_joined(self, utterance: Utterance, one: Span, other: Span) -> bool:
        """Whether nothing but an "and" and words of no meaning stands between two stretches."""
        first, last = min(one[1], other[1]), max(one[0], other[0])
        between = set(utterance.words[first:last])
        return bool(between & self._book.both_words) and between <= self._book.small | self._book.both_words

    def _is_added(self, each: _Found, best: _Found, utterance: Utterance) -> bool:
        """Whether a reason is told beside a service that was named ("my back hurts, and I need a cleaning") and leads to another branch of the clinic."""
        if best.rank is not _Rank.NAME or each.rank not in {_Rank.REASON, _Rank.CONCERN}:
            return False
        own, other = self._categories.get(best.key), self._categories.get(each.key)
        is_apart = own is not None and other is not None and own != other
        return is_apart and not overlaps(each.span, best.span) and self.are_joined(utterance, best.span, each.span)

    @staticmethod
    def _belongs(one: _Found, best: _Found) -> bool:
        if one.rank != best.rank:
            return False
        if not overlaps(one.span, best.span):
            return one.rank >= _Rank.REASON
        return one.size == best.size and one.spread == best.spread

    def _matches(self, said: dict[str, int], extra: dict[str, int], hints: Sequence[_Entry]) -> Iterator[_Found]:
        everything = {**extra, **said}
        for entry in (*self._entries, *self._concerns, *hints):
            if not entry.words <= everything.keys():
                continue
            places = sorted(everything[word] for word in entry.words if everything[word] >= 0)
            if not places or places[-1] - places[0] > WIDEST:
                continue
            whole = entry.generic <= everything.keys()
            spread = sorted({*places, *(everything[word] for word in entry.generic if whole and everything[word] >= 0)})
            rank = entry.rank if whole else _Rank.PART
            yield _Found(entry.key, rank, len(entry.words) + (len(entry.generic) if whole else 0), tuple(spread))

    def _is_denied(self, found: _Found, utterance: Utterance) -> bool:
        before = utterance.words[max(0, found.span[0] - 2) : found.span[0]]
        return self._book.refusal in before

    def _stems(self, utterance: Utterance, taken: Sequence[Span]) -> dict[str, int]:
        words = utterance.words
        said: dict[str, int] = {}
        for at, word in enumerate(words):
            if any(overlaps((at, at + 1), span) for span in taken):
                continue
            if at + 1 < len(words) and (joined := self._book.services.stem(word + words[at + 1])) in self._known:
                said.setdefault(joined, at)
            stem = self._book.services.stem(word)
            said.setdefault(stem if stem in self._known else self._other_form(stem) or self._nearly(stem), at)
        return said

    def _other_form(self, word: str) -> str | None:
        """Give the word of a service that `word` is another form of: "whitened" is "whitening", "callo" one of "callos"."""
        if word in self._book.names.common:
            return None
        other = word.removesuffix("s") if word.endswith("s") else word + "s"
        is_one_of_many = len(other) >= SHORTEST_PLURAL and other in self._known and word not in self._book.vocabulary
        return other if is_one_of_many else self._forms.get(self._rough(word))

    def _rough(self, word: str) -> str:
        """Cut the ending off `word`."""
        return next((word.removesuffix(end) for end in self._book.services.endings if word.endswith(end)), word)

    def _nearly(self, stem: str) -> str:
        if len(stem) < 5 or stem in self._book.vocabulary:
            return stem
        found = process.extractOne(stem, self._long, scorer=OSA.distance, score_cutoff=1 if len(stem) < 8 else 2)
        return found[0] if found and found[0][0] == stem[0] else stem

    def _entries_of(self, service: ServiceInfo) -> Iterator[_Entry]:
        for name in (service.name, *service.aliases, service.key):
            words = self._meaning(name)
            content = words - self._book.services.generic
            if content and content <= self._book.services.vague:
                # "See a doctor" is meant only by all of it.
                yield _Entry(service.key, _Rank.NAME, self._stemmed(name), frozenset())
            elif content:
                yield _Entry(service.key, _Rank.NAME, content, words - content)
                # Recognisers and hurried writers put two words together: "bloodwork".
                yield _Entry(service.key, _Rank.NAME, frozenset({"".join(self._plain(name))}), frozenset())
                if len(content) > 1:
                    telling = content - self._book.names.common
                    yield from (
                        _Entry(service.key, _Rank.PART, frozenset({word}), frozenset()) for word in sorted(telling)
                    )
            elif words:
                yield _Entry(service.key, _Rank.NAME, words, frozenset())
        for word in sorted(self._meaning(service.category or "") - self._book.services.generic):
            yield _Entry(service.key, _Rank.PART, frozenset({word}), frozenset())
        for reason in service.reasons:
            words = self._meaning(reason)
            content = words - self._book.services.generic
            if content and content <= self._book.services.vague:
                # "See how it is going" is meant only by all of it.
                yield _Entry(service.key, _Rank.REASON, self._stemmed(reason), frozenset())
            elif content - self._book.negations:
                yield _Entry(service.key, _Rank.REASON, content, frozenset())

    def _concerns_of(self, services: Sequence[ServiceInfo]) -> Iterator[_Entry]:
        for concern in self._book.services.concerns:
            mentions = {each.key: len(concern.leads_to & self._topic_of(each)) for each in services}
            most = max(mentions.values(), default=0)
            for key, count in mentions.items():
                if count and (count == most or not concern.is_best_only):
                    yield from (_Entry(key, _Rank.CONCERN, way, frozenset()) for way in concern.said)

    def _topic_of(self, service: ServiceInfo) -> frozenset[str]:
        texts = (service.name, *service.aliases, service.description or "", service.category or "")
        return frozenset().union(*(self._meaning(text) for text in texts))

    def _meaning(self, text: str) -> frozenset[str]:
        plain = self._plain(text)
        idle = self._book.small | self._book.services.silent
        kept = (word for word in plain if word not in idle or word in self._book.negations)
        return frozenset(self._book.services.stem(word) for word in kept)

    def _stemmed(self, text: str) -> frozenset[str]:
        return frozenset(self._book.services.stem(word) for word in self._plain(text))

    def _plain(self, text: str) -> tuple[str, ...]:
        pieces = "".join(letter if letter.isalnum() or letter in "'-" else " " for letter in text).split()
        words = [word for piece in pieces for part in self._parts(piece) for word in self._book.rules.plain(part)]
        return tuple(words)

    def _parts(self, piece: str) -> list[str]:
        """Take "check-up" as one word where the language has it, else apart."""
        joined = piece.replace("-", "").lower()
        return [joined] if joined in self._book.vocabulary or "-" not in piece else piece.split("-")
