"""What has to happen in a calendar: pure, from what we last knew of it and what should be there."""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Known:
    """An object as it was there when we last looked. `content_hash` None: there, but not readable as ours."""

    etag: str
    content_hash: str | None


def plan(*, known: Known | None, wanted_hash: str | None) -> Action:
    """Say what brings the calendar to what is wanted. `wanted_hash` None: the object should not be there.

    Carrying the action out and planning again gives NOTHING, so it may be run any number of times.
    """
    if known is None:
        return Action.CREATE if wanted_hash else Action.NOTHING
    if wanted_hash is None:
        return Action.DELETE
    return Action.NOTHING if known.content_hash == wanted_hash else Action.UPDATE
