"""Whoever writes to the diary and its calendars, and whatever fails meanwhile: soon both sides say the same, and then rest."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import event

from booking.catalogue import CatalogueCache
from booking.values import CalendarPolicy, Outside
from kernel.work import Database
from tests.laws.calendar_world import NAMES, Deed, Hindrance, World
from tests.races.clinic import race_catalogue
from tests.races.kinds import take_on_patients
from tests.support.clinic_rows import store_catalogue
from tests.support.databases import SECRET

pytestmark = pytest.mark.integration

HOURS = st.sampled_from((9, 9.5, 10, 14))
PEOPLE = st.sampled_from(("ann", "bob"))
CALENDARS = st.sampled_from(NAMES)
PICK = st.integers(0, 2)


def deed(name: str, *parts: st.SearchStrategy[object]) -> st.SearchStrategy[Deed]:
    return st.tuples(st.just(name), *parts)


OUTSIDE = st.one_of(
    deed("book", PEOPLE, HOURS),
    deed("move", PICK, PEOPLE, HOURS),
    deed("cancel", PICK),
    deed("add_own", CALENDARS, HOURS),
    deed("move_own", CALENDARS, PICK, HOURS),
    deed("delete_own", CALENDARS, PICK),
    deed("move_visit_there", CALENDARS, PICK, HOURS),
    deed("write_on_visit_there", CALENDARS, PICK),
    deed("make_visit_a_series_there", CALENDARS, PICK),
    deed("delete_visit_there", CALENDARS, PICK),
)
WORK = deed("push", PICK) | deed("tick", CALENDARS)
TROUBLE = st.one_of(
    deed("killed"),
    deed("out-of-reach", st.sampled_from((5, 120))),
    deed("changed"),
    deed("refused"),
    deed("lose_tokens"),
    deed("move_and_push", PICK, PEOPLE, HOURS),
    OUTSIDE,
    WORK,
)
HINDRANCES = st.lists(st.tuples(st.integers(0, 10), TROUBLE), max_size=2)
STEP = st.one_of(
    st.tuples(OUTSIDE, st.just([])),
    st.tuples(WORK, HINDRANCES),
    st.tuples(WORK, HINDRANCES),
    st.tuples(deed("wait", st.integers(1, 5)), st.just([])),
)
EXAMPLES = 250  # four times
LINKED = pytest.mark.parametrize("people", [("ann", "ann"), ("ann", "bob")])
POLICY = pytest.mark.parametrize("policy", [Outside.FOLLOW, Outside.RESTORE])


def check(
    db: Database, monkeypatch: pytest.MonkeyPatch, *, policy: Outside, people: Sequence[str], examples: int
) -> None:
    catalogue, catalogues, ids = race_catalogue(), CatalogueCache(), random.Random()
    catalogue = replace(catalogue, calendars=CalendarPolicy(moved_outside=policy, deleted_outside=policy), _by_id={})
    with db.begin() as work:
        store_catalogue(work, catalogue)
    patient_ids = take_on_patients(db, catalogue)
    # Some things are done in the order of ids: the same steps shall lead to the same end.
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=ids.getrandbits(128)))

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=st.lists(STEP, min_size=1, max_size=6))
    def agree(steps: Sequence[tuple[Deed, Sequence[Hindrance]]]) -> None:
        note("\n".join(map(repr, steps)))
        world = World(db, catalogue, patient_ids, people=people, catalogues=catalogues, ids=ids)
        for what, hindrances in steps:
            world.do(what, hindrances)

        world.calm_down()
        world.tick_all()
        world.tell_that_it_is_empty()
        world.tick_all()
        assert world.faults() == []

        before = world.snapshot()
        world.tick_all()
        assert world.snapshot() == before

    agree()


@pytest.mark.timeout(900)
@LINKED
@POLICY
def test_diary_and_calendars_agree_within_two_ticks_and_then_nothing_happens(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, policy: Outside, people: Sequence[str]
) -> None:
    db = Database(sqlite_url, secret=SECRET)
    # Nothing has to outlive the machine.
    event.listen(db.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))

    check(db, monkeypatch, policy=policy, people=people, examples=EXAMPLES)
    db.dispose()


@LINKED
def test_the_same_holds_on_postgresql(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, people: Sequence[str]
) -> None:
    db = Database(postgres_url, secret=SECRET)

    check(db, monkeypatch, policy=Outside.FOLLOW, people=people, examples=5)
    db.dispose()
