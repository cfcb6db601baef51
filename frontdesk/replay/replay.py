"""What today's agent would make of a past conversation, Turn by Turn, on the clinic as it was then.

The whole conversation is played on a stage of its own, which is thrown away: nothing is written, and no vendor is asked.
Where a language model helped to understand a Turn, what it found then is heard again.
"""

import json
from collections.abc import Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from dialog.commands import from_json
from dialog.interpreter import Interpretation, Interpreter, Listening
from dialog.model import Conversation, Turn
from dialog.model_interpreter import leaves_something_open
from dialog.state import Outcome
from dialog.understanding.local import LocalInterpreter
from frontdesk.replay.past import read_past
from frontdesk.replay.script import PastScript, script_of
from frontdesk.scenario import Answer, ScriptResult, run_script
from kernel.errors import Malformed

_COMPARED = ("service", "practitioner", "location", "start", "status")


@dataclass(frozen=True)
class Recording:
    """A past conversation, read and ready to be played without a database."""

    conversation_id: str
    turns: tuple[Turn, ...]
    script: PastScript
    outcome: str | None
    written: tuple[Mapping[str, Any], ...]
    is_exact: bool  # what the clinic's file said then is known


@dataclass(frozen=True)
class Exchange:
    """One Turn, then and now. `now` is None where today's agent was not asked: staff had the conversation, or it had ended."""

    number: int
    kind: str
    at: datetime
    said: str
    then: Answer
    now: Answer | None
    is_staffs: bool

    @property
    def understands_otherwise(self) -> bool:
        return self.now is not None and self.now.commands != self.then.commands

    @property
    def answers_otherwise(self) -> bool:
        return self.now is not None and self.now.reply != self.then.reply

    @property
    def differs(self) -> bool:
        return self.understands_otherwise or self.answers_otherwise or (self.now is None and not self.is_staffs)


@dataclass(frozen=True)
class Replay:
    """A conversation, then and now. Visits are told by keys, `start` as wall time with its offset."""

    conversation_id: str
    exchanges: tuple[Exchange, ...]
    outcome_then: str | None  # None: under way
    outcome_now: str | None
    written_then: tuple[Mapping[str, Any], ...]
    written_now: tuple[Mapping[str, Any], ...]
    is_exact: bool

    @property
    def differing_turns(self) -> int:
        return sum(exchange.differs for exchange in self.exchanges)

    @property
    def ends_differently(self) -> bool:
        """Say whether the diary or the outcome would be another. Without an outcome yet it is one that was given up so far."""
        then = self.outcome_then or Outcome.ABANDONED.value
        return then != self.outcome_now or list(self.written_then) != list(self.written_now)


def read_recording(session: Session, *, clinic_id: str, conversation_id: str) -> Recording | None:
    """Read a conversation with everything that it met; None when the clinic has no such one, or nothing was said in it."""
    conversation = session.scalar(
        select(Conversation).where(Conversation.clinic_id == clinic_id, Conversation.id == conversation_id)
    )
    turns = session.scalars(select(Turn).where(Turn.conversation_id == conversation_id).order_by(Turn.number)).all()
    if conversation is None or not turns:
        return None
    past = read_past(session, conversation, turns)
    return Recording(
        conversation_id=conversation.id,
        turns=tuple(turns),
        script=script_of(conversation, turns, past),
        outcome=conversation.outcome,
        written=_compared(past.written),
        is_exact=past.is_exact,
    )


def replay(recording: Recording, *, secret_key: str) -> Replay:
    """Play the conversation with today's agent and compare. Takes a fraction of a second, and some more for each Turn.

    `secret_key` is that of this process's database. Raises BadScript where what was met can't be set up again.
    """
    result = play(recording.script.content, secret_key=secret_key, turns=recording.turns)
    now = dict(zip(recording.script.answered, result.answers, strict=False))
    return Replay(
        conversation_id=recording.conversation_id,
        exchanges=tuple(_exchange(turn, now.get(turn.number)) for turn in recording.turns),
        outcome_then=recording.outcome,
        outcome_now=result.outcome,
        written_then=recording.written,
        written_now=_compared(result.written),
        is_exact=recording.is_exact,
    )


def play(script: Mapping[str, Any], *, secret_key: str, turns: Sequence[Turn] = ()) -> ScriptResult:
    """Play a script with today's agent and no language model but for what one found in `turns`. Raises BadScript."""
    interpreter = _HeardThen(LocalInterpreter(), turns)
    # Of what this thread is just at (a page, its log) nothing is to be seen on the stage.
    return Context().run(partial(_play, script, interpreter=interpreter, secret_key=secret_key))


def _play(script: Mapping[str, Any], *, interpreter: Interpreter, secret_key: str) -> ScriptResult:
    with structlog.contextvars.bound_contextvars(is_replay=True):
        return run_script(script, interpreter=interpreter, secret_key=secret_key)


class _HeardThen:
    """Implements Interpreter: the local one, and where it leaves something open what a language model found in a Turn then."""

    def __init__(self, local: Interpreter, turns: Sequence[Turn]) -> None:
        self._local = local
        self._helped = {turn.said: turn for turn in turns if turn.tokens_in}

    def interpret(self, text: str, listening: Listening, *, deadline_s: float) -> Interpretation:
        found = self._local.interpret(text, listening, deadline_s=deadline_s)
        turn = self._helped.get(text)
        if turn is None or not leaves_something_open(found, listening):
            return found
        try:
            commands = tuple(from_json(each) for each in json.loads(turn.heard))
        except Malformed:
            return found  # a release before this one had other commands
        return Interpretation(commands, found.language, turn.confidence or found.confidence, found.open_words)


def _exchange(turn: Turn, now: Answer | None) -> Exchange:
    then = Answer(tuple(turn.commands), tuple(act["say"] for act in turn.acts), turn.reply)
    is_staffs = turn.staff is not None
    # Nobody is answered who has hung up, then as now.
    answer = then if turn.kind == "hung-up" else now
    return Exchange(turn.number, turn.kind, turn.at, turn.said, then, None if is_staffs else answer, is_staffs)


def _compared(visits: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Bring visits into one form."""
    found = [{name: visit[name] for name in _COMPARED} for visit in visits]
    return tuple(sorted(found, key=lambda one: [one[name] for name in _COMPARED]))
