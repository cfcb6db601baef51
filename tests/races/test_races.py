"""Whoever wants the same at the same moment, from real processes: nobody gets what another has, and nothing is lost."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from booking.model.appointment import NO_OVERLAP, SQLITE_TRIGGERS
from booking.queries import find_slots
from booking.values import SlotQuery
from kernel.interval import Interval
from kernel.work import Database
from tests.races.deeds import Deed
from tests.races.kinds import Judge, Kind, Stage
from tests.races.running import Tally, run_races

pytestmark = pytest.mark.integration

ROUNDS = 4


def test_races_of_every_kind_leave_a_sound_diary(database: Database):
    tallies = run_races(database, rounds=ROUNDS)

    assert [
        (one.kind, one.doubles, one.gave_up, one.lost[:3], one.errors[:3]) for one in tallies if not one.is_sound
    ] == []
    assert sum(one.refused for one in tallies) > 0, "nobody met anybody: no race took place"


def _blind(stage: Stage) -> tuple[list[Deed], Judge]:
    """Two look at the same moment, and then write what they saw to be free."""
    hour = Interval(stage.at(9), stage.at(9) + timedelta(minutes=1))
    query = SlotQuery("service-visit", hour, ("practitioner-ann",))
    with stage.db.read() as session:
        (slot,) = find_slots(session, stage.catalogue, query=query, now=stage.now)
    deeds = [
        Deed("write_blindly", {"slot": slot, "patient_id": stage.patient_ids[n], "now": stage.now}) for n in range(2)
    ]
    return deeds, lambda _: []


def blind_race(db: Database) -> Tally:
    (tally,) = run_races(db, rounds=3, kinds=[Kind("control", _blind)])
    return tally


def test_who_looks_first_and_writes_then_is_stopped_by_the_database(database: Database):
    tally = blind_race(database)

    assert (tally.winners, len(tally.errors), tally.doubles) == (3, 3, 0)


def test_who_looks_first_and_writes_then_does_double_book_once_constraint_and_lock_are_taken_away(database: Database):
    with database.begin() as work:
        if database.is_postgresql:
            work.session.execute(text(f"ALTER TABLE allocation DROP CONSTRAINT {NO_OVERLAP}"))
        else:
            for name in SQLITE_TRIGGERS:
                work.session.execute(text(f"DROP TRIGGER {name}"))

    tally = blind_race(database)

    assert (tally.winners, len(tally.errors), tally.doubles) == (6, 0, 3)
    assert any("is taken twice" in fault for fault in tally.lost), "a diary that is double-booked was called sound"
