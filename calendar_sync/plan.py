"""What has to happen to one event: pure, from what both sides last had, what the diary says now, and what stands there now.

The same for every kind of calendar. Carrying an action out and planning again gives NOTHING, so it may be run any number
of times; where only the words differ that somebody wrote there, nothing is written until the diary has a change of its own.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from calendar_sync.entry import CalendarEntry, content_hash

REMOVING = ""
"""As `Known.attempt`: we were removing the event."""
UNSURE = "?"
"""As `Known.attempt`: we know that we have not seen all, and write nothing before we have."""


class Action(StrEnum):
    NOTHING = "nothing"
    REMEMBER = "remember"  # both sides agree, though it is not what they last had
    LOOK = "look"  # an earlier write may have arrived: look what stands there, then plan again
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Finding(StrEnum):
    """What somebody else did there to an event of ours. The action beside it is what undoes that."""

    MOVED = "moved-outside"
    DELETED = "deleted-outside"
    UNREADABLE = "unreadable"  # made a series, or something else that is no single visit
    CONFLICT = "conflict"  # moved or deleted there while the diary has a change of its own, which is written


@dataclass(frozen=True)
class Known:
    """The event as both sides had it when they last agreed. Hashes: `entry.content_hash`."""

    version: str | None = None  # None: it was not there
    ours: str | None = None  # what the diary said
    theirs: str | None = None  # what the calendar said, which may be other words
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    sequence: int = 0  # the highest that stood there
    attempt: str | None = None  # what we set out to write since, REMOVING or UNSURE; None: nothing unheard of


@dataclass(frozen=True)
class There:
    """What a look found. `entry` None: something that can't be read as one visit."""

    version: str | None  # None: it is not there
    entry: CalendarEntry | None = None
    is_called_off: bool = False  # still there, as a note that it does not take place


GONE = There(version=None)


@dataclass(frozen=True)
class Plan:
    action: Action
    finding: Finding | None = None


def plan(*, known: Known, ours: CalendarEntry | None, theirs: There | None) -> Plan:
    """Say what brings diary and calendar together. `ours` None: it should not be there. `theirs` None: nobody has looked."""
    if theirs is None:
        return Plan(_without_looking(known, ours))
    if theirs.version is None:
        return _where_it_is_gone(known, ours)
    if ours is None:
        return Plan(Action.DELETE, Finding.CONFLICT if _moved_there(known, ours, theirs) else None)
    if theirs.is_called_off or theirs.entry is None:
        return _where_it_is_no_visit(known, ours, theirs)
    if _say_the_same(theirs.entry, ours):
        is_agreed = known == agreed(ours=ours, theirs=theirs, known=known)
        return Plan(Action.NOTHING if is_agreed else Action.REMEMBER)
    if not _changed_here(known, ours):
        if _moved_there(known, ours, theirs):
            return Plan(Action.UPDATE, Finding.MOVED)
        if known.version != theirs.version and _time(theirs.entry) != _time(ours):
            return Plan(Action.UPDATE)  # a write of ours that arrived when it was no longer what we wanted
        return Plan(Action.NOTHING if known.version == theirs.version and known.attempt is None else Action.REMEMBER)
    both_moved = _moved_there(known, ours, theirs) and _time(theirs.entry) != _time(ours)
    return Plan(Action.UPDATE, Finding.CONFLICT if both_moved else None)


def agreed(*, ours: CalendarEntry | None, theirs: There, known: Known) -> Known:
    """Return what both sides have once they agree on `ours`, with the calendar as in `theirs`."""
    if ours is None or theirs.version is None:
        return Known(sequence=known.sequence)
    said = theirs.entry or ours
    return Known(
        version=theirs.version,
        ours=content_hash(ours),
        theirs=content_hash(said),
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        sequence=max(known.sequence, said.sequence),
    )


def to_write(*, ours: CalendarEntry, theirs: There | None, known: Known) -> CalendarEntry:
    """Return the entry as it is to be written: its sequence is never below one that stood there, or it would be ignored."""
    highest = max(known.sequence, theirs.entry.sequence if theirs and theirs.entry else 0)
    return ours if ours.sequence >= highest else replace(ours, sequence=highest + 1)


def _without_looking(known: Known, ours: CalendarEntry | None) -> Action:
    if known.attempt is not None:
        return Action.LOOK
    if known.version is None:
        return Action.CREATE if ours else Action.NOTHING
    if ours is None:
        return Action.DELETE
    return Action.UPDATE if _changed_here(known, ours) else Action.NOTHING


def _where_it_is_gone(known: Known, ours: CalendarEntry | None) -> Plan:
    if ours is None:
        is_agreed = known == Known(sequence=known.sequence)
        return Plan(Action.NOTHING if is_agreed else Action.REMEMBER)
    if known.version is None or known.attempt == REMOVING:
        return Plan(Action.CREATE)
    return Plan(Action.CREATE, Finding.CONFLICT if _changed_here(known, ours) else Finding.DELETED)


def _where_it_is_no_visit(known: Known, ours: CalendarEntry, theirs: There) -> Plan:
    if known.version == theirs.version and not _changed_here(known, ours):
        return Plan(Action.NOTHING if known.attempt is None else Action.REMEMBER)
    if known.version == theirs.version or known.version is None:
        return Plan(Action.UPDATE)
    if _changed_here(known, ours):
        return Plan(Action.UPDATE, Finding.CONFLICT)
    return Plan(Action.UPDATE, Finding.DELETED if theirs.is_called_off else Finding.UNREADABLE)


def _changed_here(known: Known, ours: CalendarEntry) -> bool:
    return content_hash(ours) != known.ours


def _moved_there(known: Known, ours: CalendarEntry | None, theirs: There) -> bool:
    """Say whether somebody else gave it another time since we last knew: not our own write that we have not heard of."""
    if theirs.entry is None or known.version == theirs.version:
        return False
    if content_hash(theirs.entry) in {known.theirs, known.attempt}:
        return False
    if known.version is None:
        # What we were making was changed before we heard that it is there; of anything else there is nothing to compare.
        return known.attempt not in {None, REMOVING, UNSURE}
    if known.starts_at is None or known.ends_at is None:
        # Written by a release that kept no times: when it was is only known where the diary still says the same.
        return ours is not None and not _changed_here(known, ours) and _time(theirs.entry) != _time(ours)
    return _time(theirs.entry) != (known.starts_at, known.ends_at)


def _time(entry: CalendarEntry) -> tuple[datetime, datetime]:
    return entry.starts_at, entry.ends_at


def _say_the_same(one: CalendarEntry, other: CalendarEntry) -> bool:
    return replace(one, sequence=0) == replace(other, sequence=0)
