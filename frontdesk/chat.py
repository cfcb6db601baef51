"""Talking to the agent in a terminal: the same webhooks as a text or a call, with a clinic of its own for the time being."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from frontdesk.demo.clinic import demo_text
from frontdesk.files import read_text
from frontdesk.patient_line import CallLine, Heard, Line
from frontdesk.stage import Stage
from kernel.config import ModelSettings


def talk(
    *,
    channel: str,
    caller: str,
    clinic_file: Path | None,
    model: ModelSettings | None,
    hear: Callable[[], str | None],
    say: Callable[[str], None],
) -> None:
    """Exchange words until `hear` gives None or the call is over. On a call, digits are keys and an empty line is silence.

    Raises UnreadableFile, and BadScript when the clinic file can't be used.
    """
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="frontdesk-chat-") as folder:
        stage = Stage(
            clinic=read_text(clinic_file) if clinic_file else demo_text(today=now.date()),
            path=str(clinic_file or "demo"),
            now=now,
            channel=channel,
            caller=caller,
            data_dir=Path(folder),
            model=model,
        )
        try:
            _talk(stage.line, hear, say)
        finally:
            stage.close()


def _talk(line: Line, hear: Callable[[], str | None], say: Callable[[str], None]) -> None:
    heard = line.ring() if isinstance(line, CallLine) else None
    if heard:
        say(heard.text)
    while not (heard and heard.ended):
        words = hear()
        if words is None:
            break
        heard = _answer(line, words.strip())
        say(heard.text)
        if heard.transferred_to:
            say(f"[transferred to {heard.transferred_to}]")
    line.end()


def _answer(line: Line, words: str) -> Heard:
    if not isinstance(line, CallLine):
        return line.say(words)
    if not words:
        return line.keep_silent()
    return line.press(words) if all(key in "0123456789*#" for key in words) else line.say(words)
