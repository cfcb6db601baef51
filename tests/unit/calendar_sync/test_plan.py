"""The plan for one event, as a table and as laws."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calendar_sync.entry import CalendarEntry, content_hash
from calendar_sync.plan import GONE, REMOVING, Action, Finding, Known, Plan, There, agreed, plan, to_write

pytestmark = pytest.mark.unit

NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
NO_VISIT = There("v-series")


def entry(*, hour: int = 0, words: str = "Cleaning", sequence: int = 0) -> CalendarEntry:
    start = NINE + timedelta(hours=hour)
    return CalendarEntry("u@frontdesk", sequence, start, start + timedelta(hours=1), words, "Main Street", True)


def there(said: CalendarEntry, version: str = "v2") -> There:
    return There(version, said)


NEVER = Known()
AGREED = agreed(ours=entry(), theirs=there(entry(), "v1"), known=NEVER)
MOVED_HERE = entry(hour=1, sequence=1)
MAKING = replace(NEVER, attempt=content_hash(entry()))
WRITING = replace(AGREED, attempt=content_hash(MOVED_HERE))
OF_AN_EARLIER_RELEASE = replace(AGREED, starts_at=None, ends_at=None)


@pytest.mark.parametrize(
    ("known", "ours", "theirs", "planned"),
    [
        # Nobody has looked.
        (NEVER, entry(), None, Plan(Action.CREATE)),
        (NEVER, None, None, Plan(Action.NOTHING)),
        (AGREED, entry(), None, Plan(Action.NOTHING)),
        (AGREED, MOVED_HERE, None, Plan(Action.UPDATE)),
        (AGREED, None, None, Plan(Action.DELETE)),
        (MAKING, entry(), None, Plan(Action.LOOK)),
        (MAKING, None, None, Plan(Action.LOOK)),
        (replace(AGREED, attempt=REMOVING), None, None, Plan(Action.LOOK)),
        # Our own write, read back.
        (AGREED, entry(), there(entry(), "v1"), Plan(Action.NOTHING)),
        (MAKING, entry(), there(entry()), Plan(Action.REMEMBER)),
        (WRITING, MOVED_HERE, there(MOVED_HERE), Plan(Action.REMEMBER)),
        (MAKING, MOVED_HERE, there(entry()), Plan(Action.UPDATE)),
        (WRITING, entry(hour=2, sequence=2), there(MOVED_HERE), Plan(Action.UPDATE)),
        (MAKING, None, there(entry()), Plan(Action.DELETE)),
        (replace(AGREED, attempt=REMOVING), None, GONE, Plan(Action.REMEMBER)),
        (replace(AGREED, attempt=REMOVING), MOVED_HERE, GONE, Plan(Action.CREATE)),
        # Only they changed it.
        (AGREED, entry(), there(entry(hour=1)), Plan(Action.UPDATE, Finding.MOVED)),
        (AGREED, entry(), there(entry(words="Lunch")), Plan(Action.REMEMBER)),
        (AGREED, entry(), GONE, Plan(Action.CREATE, Finding.DELETED)),
        (AGREED, entry(), There("v2", entry(), is_called_off=True), Plan(Action.UPDATE, Finding.DELETED)),
        (AGREED, entry(), NO_VISIT, Plan(Action.UPDATE, Finding.UNREADABLE)),
        (OF_AN_EARLIER_RELEASE, entry(), there(entry(hour=1)), Plan(Action.UPDATE, Finding.MOVED)),
        # Only we did.
        (AGREED, MOVED_HERE, there(entry(), "v1"), Plan(Action.UPDATE)),
        (AGREED, None, there(entry(), "v1"), Plan(Action.DELETE)),
        # Both did.
        (AGREED, MOVED_HERE, there(entry(hour=2)), Plan(Action.UPDATE, Finding.CONFLICT)),
        (AGREED, MOVED_HERE, there(entry(words="Lunch")), Plan(Action.UPDATE)),
        (AGREED, MOVED_HERE, there(entry(hour=1, words="Lunch")), Plan(Action.UPDATE)),
        (AGREED, MOVED_HERE, there(MOVED_HERE), Plan(Action.REMEMBER)),
        (AGREED, MOVED_HERE, GONE, Plan(Action.CREATE, Finding.CONFLICT)),
        (AGREED, MOVED_HERE, NO_VISIT, Plan(Action.UPDATE, Finding.CONFLICT)),
        (AGREED, None, there(entry(hour=2)), Plan(Action.DELETE, Finding.CONFLICT)),
        (AGREED, None, GONE, Plan(Action.REMEMBER)),
        (MAKING, entry(), there(entry(hour=2)), Plan(Action.UPDATE, Finding.CONFLICT)),
        # Ours by its name, from before the calendar was linked anew.
        (NEVER, entry(), there(entry(hour=2)), Plan(Action.UPDATE)),
        (NEVER, None, there(entry(hour=2)), Plan(Action.DELETE)),
        (NEVER, None, GONE, Plan(Action.NOTHING)),
    ],
)
def test_both_sides_are_brought_together(
    known: Known, ours: CalendarEntry | None, theirs: There | None, planned: Plan
) -> None:
    assert plan(known=known, ours=ours, theirs=theirs) == planned


entries = st.builds(
    entry, hour=st.integers(0, 2), words=st.sampled_from(["Cleaning", "Lunch"]), sequence=st.integers(0, 2)
)
wishes = st.none() | entries
sights = (
    st.just(GONE)
    | st.builds(there, entries, st.sampled_from(["v1", "v2"]))
    | st.just(NO_VISIT)
    | st.builds(There, st.just("v2"), entries, st.just(value=True))
)
attempts = st.none() | st.just(REMOVING) | st.builds(content_hash, entries)


def agreement(ours: CalendarEntry | None, theirs: There, attempt: str | None) -> Known:
    """Both sides have agreed: the words may differ, the time does not."""
    if ours and theirs.entry:
        theirs = replace(theirs, entry=replace(theirs.entry, starts_at=ours.starts_at, ends_at=ours.ends_at))
    return replace(agreed(ours=ours, theirs=theirs, known=NEVER), attempt=attempt)


knowledge = st.builds(agreement, wishes, sights, attempts)


def done(known: Known, ours: CalendarEntry | None, theirs: There) -> tuple[Known, There]:
    """Carry out what is planned, as a calendar does it, and return what is known and there afterwards."""
    action = plan(known=known, ours=ours, theirs=theirs).action
    if action is Action.NOTHING:
        return known, theirs
    if action is Action.REMEMBER:
        return agreed(ours=ours, theirs=theirs, known=known), theirs
    if action is Action.DELETE:
        return agreed(ours=None, theirs=GONE, known=known), GONE
    assert ours is not None
    assert action is (Action.CREATE if theirs.version is None else Action.UPDATE)
    after = There("v3", to_write(ours=ours, theirs=theirs, known=known))
    return agreed(ours=ours, theirs=after, known=known), after


@given(known=knowledge, ours=wishes, theirs=sights)
def test_after_the_action_nothing_is_left_to_do(known: Known, ours: CalendarEntry | None, theirs: There) -> None:
    known, theirs = done(known, ours, theirs)

    assert plan(known=known, ours=ours, theirs=theirs) == Plan(Action.NOTHING)
    assert plan(known=known, ours=ours, theirs=None) == Plan(Action.NOTHING)


@given(known=knowledge, ours=wishes, theirs=sights)
def test_afterwards_the_visit_is_there_once_at_its_time_or_not_at_all(
    known: Known, ours: CalendarEntry | None, theirs: There
) -> None:
    assume(theirs.version != known.version)

    _, after = done(known, ours, theirs)

    times = None if after.entry is None else (after.entry.starts_at, after.entry.ends_at)
    assert times == (None if ours is None else (ours.starts_at, ours.ends_at))


@given(ours=entries, said=entries, attempt=attempts)
def test_nothing_is_written_where_only_they_changed_the_words(
    ours: CalendarEntry, said: CalendarEntry, attempt: str | None
) -> None:
    known = replace(agreed(ours=ours, theirs=there(ours, "v1"), known=NEVER), attempt=attempt)
    theirs = there(replace(said, starts_at=ours.starts_at, ends_at=ours.ends_at))

    assert plan(known=known, ours=ours, theirs=theirs).action in {Action.NOTHING, Action.REMEMBER}


@given(known=knowledge, ours=wishes)
def test_what_stands_there_as_we_left_it_is_nobody_elses_doing(known: Known, ours: CalendarEntry | None) -> None:
    assume(known.version is not None)
    assert known.starts_at is not None
    assert known.ends_at is not None
    left = There(known.version, replace(entry(), starts_at=known.starts_at, ends_at=known.ends_at))

    assert plan(known=known, ours=ours, theirs=left).finding is None


@given(written=entries, ours=wishes, before=knowledge)
def test_our_own_write_that_nobody_heard_of_is_nobody_elses_doing(
    written: CalendarEntry, ours: CalendarEntry | None, before: Known
) -> None:
    known = replace(before, attempt=content_hash(written))

    assert plan(known=known, ours=ours, theirs=there(written, "v9")).finding is None


@given(known=knowledge, ours=entries, theirs=sights)
def test_what_is_written_is_never_older_than_what_stood_there(known: Known, ours: CalendarEntry, theirs: There) -> None:
    written = to_write(ours=ours, theirs=theirs, known=known)

    assert written.sequence >= max(ours.sequence, known.sequence, theirs.entry.sequence if theirs.entry else 0)
    assert replace(written, sequence=ours.sequence) == ours
