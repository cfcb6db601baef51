"""Understanding line by line, for scripts and benchmarks: one JSON object in, one out."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from booking.values import Catalogue
from dialog.commands import to_json
from dialog.interpreter import Asked, Interpreter, Listening, Option
from kernel.errors import Malformed


def understand_line(line: str, *, interpreter: Interpreter, catalogue: Catalogue, deadline_s: float = 6.0) -> str:
    """Say as JSON what one JSON line means: `{"text", "now", "zone", "language"?, "asked"?, "offered"?}`.

    `now` is wall time in `zone`; options are words or `{"start"?, "practitioner"?, "location"?, "text"?}`, their starts wall time too. Gives
    `{"commands": [{"name", ...}], "language", "confidence"}`. Raises Malformed for a line of another form.
    """
    try:
        asked_for = json.loads(line)
        text, listening = str(asked_for["text"]), _listening(asked_for, catalogue)
    except (KeyError, TypeError, ValueError, ZoneInfoNotFoundError) as error:
        raise Malformed(f"not a line to understand: {error}") from error
    found = interpreter.interpret(text, listening, deadline_s=deadline_s)
    return json.dumps(
        {
            "commands": [to_json(command) for command in found.commands],
            "language": found.language,
            "confidence": found.confidence,
        },
        ensure_ascii=False,
    )


def _listening(asked_for: Mapping[str, Any], catalogue: Catalogue) -> Listening:
    zone = ZoneInfo(str(asked_for.get("zone", catalogue.zone.key)))
    return Listening(
        catalogue=catalogue,
        now=_wall(str(asked_for["now"]), zone),
        language=str(asked_for.get("language") or "en"),
        asked=Asked(str(asked_for.get("asked") or "nothing").replace("_", "-")),
        offered=tuple(_option(option, zone) for option in asked_for.get("offered") or ()),
    )


def _option(option: str | Mapping[str, Any], zone: ZoneInfo) -> Option:
    if isinstance(option, str):
        return Option(text=option)
    if not isinstance(option, Mapping):
        raise TypeError(f"an option is words or an object, not {option!r}")
    return Option(
        starts=_wall(str(option["start"]), zone) if option.get("start") else None,
        practitioner_key=option.get("practitioner"),
        location_key=option.get("location"),
        text=str(option.get("text", "")),
    )


def _wall(written: str, zone: ZoneInfo) -> datetime:
    """Read a wall time of `zone`; one with an offset of its own is put into the zone first."""
    at = datetime.fromisoformat(written)
    return at.astimezone(zone).replace(tzinfo=None) if at.tzinfo else at
