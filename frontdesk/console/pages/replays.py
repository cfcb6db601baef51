"""Replays: what today's agent would make of one past conversation, or of many one after another."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flask import Blueprint, abort, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from dialog.inbound import Channel, InboundKind
from dialog.state import Outcome
from frontdesk.console.access_log import Access, log_access
from frontdesk.console.reads.replays import AT_MOST, WantedReplays, latest_conversations
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.turn_words import KeyNames, act_words, command_words
from frontdesk.console.words import Words, page_words
from frontdesk.replay.replay import Exchange, Recording, Replay, read_recording, replay
from frontdesk.scenario import Answer
from frontdesk.stage import BadScript
from kernel.errors import Unavailable
from kernel.log import get_logger

Result = TypeVar("Result")
_CHANNELS = tuple(channel.value for channel in Channel)
_OUTCOMES = tuple(outcome.value for outcome in Outcome)
_WAIT_S = 20.0
# A replay keeps a processor busy for a second: one at a time, so that callers of this process don't wait for staff.
_one_at_a_time = threading.Lock()


@contextmanager
def on_stage() -> Iterator[None]:
    """Play one thing at a time in this process. Raises Unavailable when the stage is not free for long."""
    if not _one_at_a_time.acquire(timeout=_WAIT_S):
        raise Unavailable("another replay is under way")
    try:
        yield
    finally:
        _one_at_a_time.release()


def add_replay_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/replays`, and for each conversation its replay: as a page, and in short."""

    @blueprint.get("/replays")
    def replays() -> ResponseReturnValue:
        wanted = _wanted(request.args)
        with services.db.read() as session:
            lines = latest_conversations(session, clinic_id=current_staff().clinic_id, wanted=wanted)
        return render_template(
            "console/replays.html",
            lines=lines,
            wanted=wanted,
            outcomes=_OUTCOMES,
            channels=_CHANNELS,
            lengths=AT_MOST,
        )

    @blueprint.get("/conversations/<conversation_id>/replay")
    def replay_conversation(conversation_id: str) -> ResponseReturnValue:
        recording = recording_of(services, conversation_id)
        log_access(services, what=Access.CONVERSATION, subject_id=conversation_id)
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
        played = _played(services, recording)
        names, words = KeyNames.of(catalogue), page_words()
        return render_template(
            "console/replay.html",
            conversation_id=conversation_id,
            played=played,
            exchanges=[_view(each, names, words) for each in played.exchanges] if played else [],
            written=lambda visit: written_words(visit, names),
        )

    @blueprint.get("/conversations/<conversation_id>/replay/in-short")
    def replay_in_short(conversation_id: str) -> ResponseReturnValue:
        """Say in a sentence what came of it, for the page that replays many."""
        recording = recording_of(services, conversation_id)
        log_access(services, what=Access.CONVERSATION, subject_id=conversation_id)
        played = _played(services, recording)
        state, sentence = _in_short(played, page_words())
        return jsonify(state=state, words=sentence)


def recording_of(services: ConsoleServices, conversation_id: str) -> Recording:
    """Return a conversation of this clinic, ready to be played; end the request with 404 where there is none."""
    with services.db.read() as session:
        recording = read_recording(session, clinic_id=current_staff().clinic_id, conversation_id=conversation_id)
    if recording is None:
        abort(404)
    return recording


def written_words(visit: Mapping[str, Any], names: KeyNames) -> dict[str, str]:
    """Return a visit that was, would be or should be written as a page shows it."""
    return {
        "service": names.services.get(visit["service"], visit["service"]),
        "practitioner": names.practitioners.get(visit.get("practitioner", ""), visit.get("practitioner", "")),
        "start": g.dates.day_and_time(datetime.fromisoformat(visit["start"])) if visit["start"] else "",
        "status": visit.get("status", ""),
    }


@dataclass(frozen=True)
class _Side:
    understood: list[str]
    decided: list[str]
    reply: str


@dataclass(frozen=True)
class _ExchangeView:
    """One Turn, then and now, in words. `event` is what happened instead of words."""

    exchange: Exchange
    event: str | None
    then: _Side
    now: _Side | None


def _view(exchange: Exchange, names: KeyNames, words: Words) -> _ExchangeView:
    def side(answer: Answer) -> _Side:
        return _Side(
            [command_words(command, names=names, words=words) for command in answer.commands],
            [act_words(act, words=words) for act in answer.acts],
            answer.reply,
        )

    is_said = exchange.kind == InboundKind.SAID or exchange.is_staffs
    return _ExchangeView(
        exchange,
        None if is_said else words.of_code("kind", exchange.kind),
        side(exchange.then),
        None if exchange.now is None else side(exchange.now),
    )


def _played(services: ConsoleServices, recording: Recording) -> Replay | None:
    """Play it; None where what the conversation met can't be set up again."""
    return staged(lambda: replay(recording, secret_key=services.settings.secret_key))


def staged(play: Callable[[], Result]) -> Result | None:
    """Return what came of a play, None where it can't be played. Raises Unavailable when the stage is not free."""
    try:
        with on_stage():
            return play()
    except BadScript:
        # Its text may quote what a patient said.
        get_logger().warning("console.replay.impossible")
        return None


def _in_short(played: Replay | None, words: Words) -> tuple[str, str]:
    if played is None:
        return "failed", words("replay.failed_short")
    if played.ends_differently:
        outcome = words.of_code("outcome", played.outcome_now or "open")
        return "ends", words("replay.ends_differently", outcome=outcome)
    if played.differing_turns:
        return "turns", words.count("replay.turns_differ", played.differing_turns)
    return "same", words("replay.same")


def _wanted(given: Mapping[str, str]) -> WantedReplays:
    outcome, channel, number = given.get("outcome", ""), given.get("channel", ""), given.get("last", "")
    return WantedReplays(
        outcome=outcome if outcome in _OUTCOMES else "",
        channel=channel if channel in _CHANNELS else "",
        corrected="corrected" in given,
        at_most=int(number) if number in {str(each) for each in AT_MOST} else AT_MOST[0],
    )
