"""CLINC150: single messages without context, as if each were the first words of a conversation.

The label is that of the command. Of several commands what is asked for goes before what is only polite. Out of scope is what the interpreter calls so, and
what it makes nothing of at all: the agent answers both by saying what it can do.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.understanding.ear import Ear, clinic, lines
from dialog import commands as say
from dialog.commands import Command
from dialog.interpreter import Listening

NOW = datetime(2027, 3, 10, 10, 0)  # noqa: DTZ001 -- wall time of the clinic, naive as Listening has it
_LABELS: dict[type[Command], str] = {
    say.AskIfBot: "ask_if_bot",
    say.Help: "help",
    say.Repeat: "repeat",
    say.Stop: "stop",
    say.StartCancel: "stop",  # "cancel that": what it cancels, a conversation knows
    say.Goodbye: "goodbye",
    say.Unsure: "unsure",
    say.Affirm: "affirm",
    say.Deny: "deny",
    say.Thank: "thank",
    say.Greet: "greet",
}
_POLITE = (say.Greet, say.Thank)


def predict(file: Path, ear: Ear) -> Iterator[dict[str, Any]]:
    """Give a label for each message."""
    listening = Listening(clinic("demo"), NOW)
    for message in lines(file):
        yield {"id": message["id"], "label": _label(ear.hear(message["text"], listening).commands)}


def is_rejected(commands: Sequence[Command]) -> bool:
    """Whether the agent would say that this is none of its business, or that it did not understand."""
    return not commands or any(isinstance(each, say.OutOfScope) for each in commands)


def _label(commands: Sequence[Command]) -> str:
    if is_rejected(commands):
        return "out_of_scope"
    wanted = [each for each in commands if not isinstance(each, _POLITE)] or commands
    business = next((each for each in wanted if type(each) not in _LABELS), None)
    return business.name if business else _LABELS[type(wanted[0])]
