"""The same patients twice: without a language model, and with an endpoint behind the product that is no help. Who booked has to book again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.patients.endpoints import Endpoint, serving
from benchmarks.patients.goals import Goal, Kind
from benchmarks.patients.learned import Learned
from benchmarks.patients.playing import Played
from benchmarks.patients.session import Session


@dataclass(frozen=True)
class Compared:
    """Conversations in pairs: without a model, and with the endpoint. `questions`: how often the endpoint was asked."""

    endpoint: Endpoint
    pairs: Sequence[tuple[Played, Played]]
    questions: int

    @property
    def booked(self) -> list[tuple[Played, Played]]:
        """Those in which somebody got the booking they called for, without a model."""
        return [pair for pair in self.pairs if pair[0].passed and _books(pair[0].goal)]

    @property
    def share(self) -> float:
        """How many of those that book without a model book with the endpoint: 1 if all."""
        booked = self.booked
        return sum(there.passed for _, there in booked) / len(booked) if booked else 1.0

    @property
    def lost(self) -> list[Played]:
        """Conversations that come out right without a model and not with the endpoint."""
        return [there for off, there in self.pairs if off.passed and not there.passed]

    def figures(self) -> dict[str, Any]:
        """Return the figures, and each conversation that was lost with its transcript."""
        booked, right = self.booked, [there for off, there in self.pairs if off.passed]
        turns = sum(there.turns for _, there in self.pairs)
        unsupported = sum(len(there.unsupported) for _, there in self.pairs)
        return {
            "endpoint": self.endpoint.value,
            "conversations": len(self.pairs),
            "questions": self.questions,
            "booked_without": len(booked),
            "still_book": sum(there.passed for _, there in booked),
            "share": round(self.share, 4),
            "right_without": len(right),
            "still_right": sum(there.passed for there in right),
            "only_right_with": sum(there.passed and not off.passed for off, there in self.pairs),
            "unsupported_per_1000": round(1000 * unsupported / turns, 2) if turns else 0.0,
            "failures": [
                {"goal": one.goal.id, "seed": one.run, "why": one.why, "transcript": one.transcript}
                for one in self.lost
            ],
        }


def compare(
    endpoint: Endpoint,
    *,
    off: Sequence[Played],
    folder: Path,
    seed: int,
    channel: str,
    noise: float = 0.0,
    learned: Learned | None = None,
    language: str = "en",
) -> Compared:
    """Play again, with the endpoint, what was played without a model: the same goals in the same words, misheard in the same way."""
    with serving(endpoint, seed=seed) as server:
        session = Session(folder, noise=noise, model=server.settings, learned=learned, language=language)
        there = [session.replay(one, channel=channel) for one in off]
        session.close()
        return Compared(endpoint, list(zip(off, there, strict=True)), questions=len(server.requests))


def _books(goal: Goal) -> bool:
    return any(one.kind is Kind.BOOK for one in goal.errands)
