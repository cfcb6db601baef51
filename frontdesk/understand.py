"""What utterances mean, without a conversation around them: for `frontdesk understand` and for benchmarks."""

import dataclasses
import tempfile
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from booking.catalogue import load_catalogue
from booking.clinic_file import import_clinic, parse
from booking.model.clinic import Clinic
from booking.values import Catalogue
from dialog.interpreter import Asked, Listening, Option
from frontdesk.bootstrap import make_interpreter
from frontdesk.demo.clinic import demo_text
from frontdesk.schema import migrate
from kernel.config import ModelSettings
from kernel.work import Database

_DEADLINE_S = 6.0


class Ear:
    """Listens for one clinic: that of `clinic_file`, or the demo clinic."""

    def __init__(self, *, clinic_file: Path | None, model: ModelSettings | None) -> None:
        self._catalogue = _catalogue(clinic_file)
        self._interpreter = make_interpreter(model)

    def understand(self, line: dict[str, Any]) -> dict[str, Any]:
        """Return what `text` means. `now` is a wall time in `zone`. Raises KeyError, ValueError for what can't be read."""
        catalogue = dataclasses.replace(self._catalogue, zone=ZoneInfo(line.get("zone") or str(self._catalogue.zone)))
        listening = Listening(
            catalogue=catalogue,
            now=datetime.fromisoformat(line["now"]).replace(tzinfo=None),
            language=line.get("language") or "en",
            asked=Asked(line.get("asked") or Asked.NOTHING),
            offered=tuple(_option(one) for one in line.get("offered") or ()),
        )
        meant = self._interpreter.interpret(str(line["text"]), listening, deadline_s=_DEADLINE_S)
        return {
            "commands": [{"name": one.name, **_plain(one)} for one in meant.commands],
            "language": meant.language,
            "confidence": meant.confidence,
        }


def _option(given: Any) -> Option:
    if isinstance(given, str):
        return Option(text=given)
    start = given.get("start")
    return Option(
        starts=datetime.fromisoformat(start).replace(tzinfo=None) if start else None,
        practitioner_key=given.get("practitioner"),
        location_key=given.get("location"),
        text=given.get("text", ""),
    )


def _catalogue(clinic_file: Path | None) -> Catalogue:
    """Read a clinic file the way the product does: through a database, here one that is thrown away."""
    now = datetime.now(ZoneInfo("UTC"))
    text = clinic_file.read_text(encoding="utf-8") if clinic_file else demo_text(today=now.date())
    file = parse(text, path=str(clinic_file or "demo"))
    with tempfile.TemporaryDirectory(prefix="frontdesk-understand-") as folder:
        db = Database(f"sqlite:///{folder}/clinic.db", secret="0" * 32)
        try:
            migrate(db.engine)
            db.run(lambda work: import_clinic(work, file, now=now))
            with db.read() as session:
                return load_catalogue(session, clinic_id=session.scalars(select(Clinic.id)).one())
        finally:
            db.dispose()


def _plain(value: Any) -> Any:
    """Turn commands and what they hold into what JSON can carry."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [_plain(one) for one in items]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
