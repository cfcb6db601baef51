"""A conversation of the past as a script that can be played again (`frontdesk.scenario`). Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dialog.inbound import Channel, InboundKind
from dialog.model import Conversation, Turn
from frontdesk.replay.past import Past

WITHHELD = "anonymous"  # as the vendor says it
_STEPS: dict[str, dict[str, Any]] = {
    InboundKind.SILENCE: {"silence": True},
    InboundKind.TRANSFER_FAILED: {"nobody_answers": True},
    InboundKind.HUNG_UP: {"hang_up": True},
}


@dataclass(frozen=True)
class PastScript:
    """`content` is a script with everything in it. `step_of` says which of its turns a Turn became, by the Turn's number;
    `answered` are the numbers of the Turns in the order in which a play of it gives answers.
    """

    content: dict[str, Any]
    step_of: dict[int, int]
    answered: tuple[int, ...]


def script_of(conversation: Conversation, turns: Sequence[Turn], past: Past) -> PastScript:
    """Return the script of a conversation. What staff said and what was said to them is left out."""
    by_agent = [turn for turn in turns if turn.staff is None and turn.kind in set(InboundKind)]
    document = dict(past.clinics[turns[0].catalogue_version].document)
    steps, step_of = _steps(conversation, turns[0], by_agent, past)
    content = {
        "clinic": document | {"patients": list(past.patients), "appointments": list(past.appointments)},
        "now": turns[0].at.astimezone(past.zone).replace(microsecond=0).isoformat(),
        "channel": conversation.channel,
        "from": conversation.caller or WITHHELD,
        **{name: list(parts) for name, parts in past.opening.items() if parts},
        "turns": steps,
    }
    answered = tuple(turn.number for turn in by_agent if turn.kind != InboundKind.HUNG_UP)
    return PastScript(content, step_of, answered)


def _steps(
    conversation: Conversation, first: Turn, by_agent: Sequence[Turn], past: Past
) -> tuple[list[dict[str, Any]], dict[int, int]]:
    steps: list[dict[str, Any]] = []
    step_of: dict[int, int] = {}
    is_mixed = len({turn.channel for turn in by_agent} | {conversation.channel}) > 1
    clock, version, meanwhile = first.at.replace(microsecond=0), first.catalogue_version, list(past.meanwhile)
    for turn, before in zip(by_agent, [None, *by_agent], strict=False):
        passed = int((turn.at - clock).total_seconds())
        if passed > 0:
            steps.append({"wait": f"{passed}s"})
            clock = turn.at.replace(microsecond=0)
        while meanwhile and meanwhile[0][0] <= turn.at:
            steps.append(dict(meanwhile.pop(0)[1]))
        if turn.catalogue_version != version:
            version = turn.catalogue_version
            steps.append({"clinic": dict(past.clinics[version].document)})
        for step in _said(turn, before):
            steps.append(step | ({"by": turn.channel} if is_mixed else {}))
            step_of[turn.number] = len(steps) - 1
    return steps, step_of


def _said(turn: Turn, before: Turn | None) -> Iterator[dict[str, Any]]:
    match turn.kind:
        case InboundKind.START:
            # A call rings by itself when something is said on it, and the one before is over by then.
            is_second = before is not None and before.channel == Channel.VOICE and before.kind != InboundKind.HUNG_UP
            if is_second:
                yield {"hang_up": True}
        case InboundKind.SAID:
            yield {"say": turn.said}
        case InboundKind.KEYS:
            yield {"digits": turn.said}
        case _:
            yield dict(_STEPS[turn.kind])
