"""Links to calendars as their pages show them: in words that say what is wrong and what follows from it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from booking.values import Catalogue, PractitionerInfo, WhenFailed
from calendar_sync.model import Clearing, LinkState
from calendar_sync.status import Drift, HistoryLine, LinkStatus
from frontdesk.console.change_words import actor_words
from frontdesk.console.dates import DateWriter
from frontdesk.console.reads.visits import Visit
from frontdesk.console.words import Words
from kernel.interval import Interval


@dataclass(frozen=True)
class LinkCard:
    """A link at a glance. `state` is a code of the group `link_state`; `trouble` says what is wrong and what follows."""

    status: LinkStatus
    title: str
    host: str
    state: str
    read: str
    rights: str
    trouble: list[str]


@dataclass(frozen=True)
class Difference:
    """A visit that stands otherwise in the calendar. `here`, `there`: when; None where it does not stand."""

    appointment_id: str
    what: str
    words: str
    here: str | None
    there: str | None
    since: datetime


@dataclass(frozen=True)
class Deed:
    """A line of the history in words."""

    at: datetime
    what: str
    visit: str
    outcome: str
    actor: str
    appointment_id: str | None


def link_card(status: LinkStatus, *, words: Words, dates: DateWriter) -> LinkCard:
    """Put a link into words."""
    return LinkCard(
        status=status,
        title=status.name or _place(status.url),
        host=urlsplit(status.url).hostname or status.url,
        state=_state(status),
        read=words("calendars.never_read") if status.read_at is None else dates.age(status.read_at),
        rights=words.of_code("link_rights", rights_of(status)),
        trouble=_trouble(status, words),
    )


def rights_of(status: LinkStatus) -> str:
    """Return the code of what a link may do: both, read, write, or none while it is being left."""
    if status.reads_busy:
        return "both" if status.shows_visits else "read"
    return "write" if status.shows_visits else "none"


def difference(drift: Drift, visit: Visit | None, *, words: Words, dates: DateWriter) -> Difference:
    """Say how one visit differs: what we have, what is there, since when."""
    is_wanted = drift.difference.value != "left-over"
    return Difference(
        appointment_id=drift.appointment_id,
        what=_visit_words(visit, words),
        words=words.of_code("difference", drift.difference.value),
        here=dates.day_and_time(drift.starts_at) if is_wanted else None,
        there=_when(drift.there, dates),
        since=drift.since,
    )


def deed(line: HistoryLine, visit: Visit | None, *, words: Words) -> Deed:
    """Put a line of a link's history into words."""
    return Deed(
        at=line.at,
        what=words.of_code("link_action", line.action),
        visit=_visit_words(visit, words),
        outcome=_outcome(line, words),
        actor=actor_words(line.actor, words=words),
        appointment_id=line.appointment_id,
    )


def duration_words(length: timedelta, *, words: Words) -> str:
    """Write a length of time in the largest unit that fits it."""
    minutes = round(length.total_seconds() / 60)
    for unit, size in (("days", 24 * 60), ("hours", 60)):
        if minutes and minutes % size == 0:
            return words.count(f"span.{unit}", minutes // size)
    return words.count("span.minutes", minutes)


def practitioner_names(catalogue: Catalogue) -> Mapping[str, str]:
    """Return everybody's name by id, in the clinic's order, those who left last."""
    everybody = (*catalogue.practitioners, *catalogue.retired)
    return {one.id: one.name for one in everybody if isinstance(one, PractitionerInfo)}


def _visit_words(visit: Visit | None, words: Words) -> str:
    if visit is None:
        return words("tasks.appointment")
    return f"{visit.service}, {visit.patient}" if visit.patient else visit.service


def _place(url: str) -> str:
    """Return what an address says to people: its last part."""
    return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2]) or url


def _state(status: LinkStatus) -> str:
    if status.clearing == Clearing.THEN_REMOVE.value:
        return "leaving"
    if status.is_paused and status.state is not LinkState.FAILED:
        return "paused"
    return "new" if _is_new(status) else status.state.value


def _is_new(status: LinkStatus) -> bool:
    return status.read_at is None and status.error is None


def _trouble(status: LinkStatus, words: Words) -> list[str]:
    told = []
    if status.error is not None:
        told.append(words.of_code("link_error", status.error))
    elif status.state is LinkState.STALE and not status.is_paused and not _is_new(status):
        told.append(words("calendars.not_read_lately"))
    if status.clearing is not None:
        told.append(words("calendars.being_cleared", n=len(status.drift)))
    if status.is_paused:
        told.append(words("calendars.is_paused"))
    if status.state is LinkState.FAILED and status.reads_busy:
        stops = status.policy.when_failed is WhenFailed.STOP_OFFERING
        told.append(words("calendars.offers_nothing" if stops else "calendars.offers_anyway"))
    return told


def _when(time: Interval | None, dates: DateWriter) -> str | None:
    return None if time is None else dates.day_and_time(time.start)


def _outcome(line: HistoryLine, words: Words) -> str:
    if line.action == "change":
        return ", ".join(words.of_code("link_field", name) for name in line.outcome.split())
    first, _, why = line.outcome.partition(": ")
    said = words.of_code("link_outcome", first)
    if not why:
        return said
    return f"{said}: {words.of_code('link_error' if line.action == 'state' else 'link_outcome', why)}"
