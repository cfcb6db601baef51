"""Finds what the clinic has answers of its own for: the ways of asking that its file lists, wherever they stand in what was said."""

from collections.abc import Sequence
from dataclasses import dataclass

from booking.values import Answer
from dialog.commands import Topic
from dialog.understanding.mention import Span
from dialog.understanding.phrasebook import PhraseBook
from dialog.understanding.words import Utterance, read_words


@dataclass(frozen=True, slots=True)
class Asking:
    """Words that ask for one of the clinic's own answers, and what that is about."""

    span: Span
    topic: Topic


class AnswerWords:
    """The ways of asking of one clinic's own answers, ready for finding."""

    def __init__(self, answers: Sequence[Answer], book: PhraseBook) -> None:
        topics = set(Topic)
        phrases = {
            # Cut as what is said is: "step-free" is two words in both.
            read_words(phrase, book.rules).words: Topic(answer.topic) if answer.topic in topics else Topic.OTHER
            for answer in answers
            for phrase in answer.phrases
        }
        self._phrases = sorted(
            ((phrase, topic) for phrase, topic in phrases.items() if phrase), key=lambda each: (-len(each[0]), each)
        )
        self.words = frozenset(word for phrase, _ in self._phrases for word in phrase)

    def find(self, utterance: Utterance) -> tuple[Asking, ...]:
        """Find every place where such an answer is asked for; at each word the longest way of asking."""
        words = utterance.words
        long = (
            next(
                ((at, phrase, topic) for phrase, topic in self._phrases if words[at : at + len(phrase)] == phrase), None
            )
            for at in range(len(words))
        )
        return tuple(Asking((at, at + len(phrase)), topic) for at, phrase, topic in filter(None, long))
