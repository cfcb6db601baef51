"""One Turn as its page shows it. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dialog.inbound import InboundKind, StaffTurn
from frontdesk.console.evidence import NO_EVIDENCE, TurnEvidence
from frontdesk.console.stored_turn import StoredTurn
from frontdesk.console.turn_words import KeyNames, act_words, command_words
from frontdesk.console.words import Words

_SPOKEN = {InboundKind.SAID.value, StaffTurn.SAID_TO_STAFF.value}
_TASK = "task "


@dataclass(frozen=True)
class Written:
    words: str
    appointment_id: str | None


@dataclass(frozen=True)
class Stage:
    words: str
    ms: str


@dataclass(frozen=True)
class TurnView:
    """`event`: what happened instead of words, such as a key or silence. `by_staff`: who of them wrote the reply."""

    stored: StoredTurn
    said: str
    event: str | None
    by_staff: str | None
    evidence: TurnEvidence
    understood: list[str]
    decided: list[str]
    written: list[Written]
    stages: list[Stage]
    total_ms: str | None
    tokens: str | None  # what a language model was paid for, where one was asked
    raw_commands: str
    raw_acts: str
    raw_results: str


def turn_view(turn: StoredTurn, *, names: KeyNames, words: Words, evidence: TurnEvidence = NO_EVIDENCE) -> TurnView:
    """Put a stored Turn into the page's words."""
    return TurnView(
        stored=turn,
        said=turn.said if turn.kind in _SPOKEN else "",
        event=_event(turn, words),
        by_staff=turn.staff if turn.kind == StaffTurn.STAFF_SAID else None,
        evidence=evidence,
        understood=[command_words(command, names=names, words=words) for command in turn.commands],
        decided=[act_words(act, words=words) for act in turn.acts],
        written=[_written(entry, words) for entry in turn.writes],
        stages=[Stage(words=words.of_code("stage", stage), ms=_ms(ms)) for stage, ms in turn.timings.items()],
        total_ms=_ms(sum(turn.timings.values())) if turn.timings else None,
        tokens=_tokens(turn, words),
        raw_commands=_raw(turn.commands),
        raw_acts=_raw(turn.acts),
        raw_results=_raw(turn.results) if turn.results else "",
    )


def _event(turn: StoredTurn, words: Words) -> str | None:
    if turn.kind in _SPOKEN:
        return None
    if turn.kind == InboundKind.KEYS:
        return words("conversation.keys", keys=turn.said)
    if turn.kind == StaffTurn.STAFF_SAID:
        return None
    return words.of_code("kind", turn.kind)


def _written(entry: Mapping[str, Any], words: Words) -> Written:
    what = str(entry.get("what", "?"))
    if what.startswith(_TASK):
        said = words("write.task", kind=words.of_code("task", what.removeprefix(_TASK)))
    else:
        said = words.of_code("write", what)
    return Written(words=said, appointment_id=entry.get("appointment_id"))


def _tokens(turn: StoredTurn, words: Words) -> str | None:
    if not turn.tokens_in and not turn.tokens_out:
        return None
    counted = words("conversation.tokens", tokens_in=turn.tokens_in, tokens_out=turn.tokens_out)
    return counted if turn.cost is None else f"{counted}, {words('conversation.cost', cost=f'{turn.cost:.5f}')}"


def _ms(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _raw(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str)
