"""An appointment's history in words: what was before, what is after. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from frontdesk.console.dates import DateWriter
from frontdesk.console.words import Words

_SHOWN = ("starts_at", "practitioner_id", "location_id", "service_id", "status")


def actor_words(actor: str, *, words: Words) -> str:
    """Say who did it: the patient, ourselves, somebody in a calendar, or a login of the staff."""
    kind, _, login = actor.partition(":")
    return login if login and kind != "calendar" else words.of_code("actor", kind)


def change_words(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    names: Mapping[str, str],
    words: Words,
    dates: DateWriter,
    zone: str,
) -> list[str]:
    """List what changed, a phrase each: "Tue, Mar 16, 9:00 AM → Thu, Mar 18, 2:00 PM". A first line has nothing before."""

    def said(field: str, value: Any) -> str:
        if field == "starts_at":
            return dates.day_and_time(datetime.fromisoformat(value).astimezone(ZoneInfo(zone)))
        return words.of_code("status", value) if field == "status" else names.get(value, str(value))

    phrases = []
    for field in _SHOWN:
        old, new = before.get(field), after.get(field)
        if new is None or new == old:
            continue
        phrases.append(f"{said(field, old)} → {said(field, new)}" if old else said(field, new))
    return phrases
