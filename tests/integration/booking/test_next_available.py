"""When somebody could next be seen, kept beside the diary, on each kind of database."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, select, text

from booking import next_available as kept
from booking.asked import UnknownPractitioner
from booking.cancel import cancel_appointment
from booking.model.schedule import NextAvailable
from booking.next_available import Giving, listed_practitioners, next_available, refresh
from booking.queries import find_slots
from booking.values import BookingRules, Catalogue, DateSpan, SlotQuery, Source
from kernel.interval import Interval
from kernel.work import Database, UnitOfWork
from tests.support.visits import NOW, book
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

CARTER = "practitioner-carter"
SKIN = Giving(CARTER, "service-skin-check", "location-riverside")
FIRST = datetime(2027, 3, 10, 17, 0, tzinfo=UTC)  # two hours from now, 13:00 in Troy


def refreshed(database: Database, catalogue: Catalogue, *people: str, now: datetime = NOW) -> None:
    database.run(lambda work: refresh(work, catalogue, practitioner_ids=people, now=now))


def known(database: Database, catalogue: Catalogue) -> dict[Giving, datetime | None]:
    with database.read() as session:
        return next_available(session, catalogue)


def test_it_is_the_first_free_time_of_each_service_at_each_place(database: Database, catalogue: Catalogue) -> None:
    everybody = [one.id for one in catalogue.practitioners]

    refreshed(database, catalogue, *everybody)

    found = known(database, catalogue)
    assert found[SKIN] == FIRST
    with database.read() as session:
        for giving, starts_at in found.items():
            query = SlotQuery(
                giving.service_id,
                Interval(NOW, NOW + timedelta(days=91)),
                practitioner_ids=(giving.practitioner_id,),
                location_ids=(giving.location_id,),
            )
            slots = find_slots(session, catalogue, query=query, now=NOW)
            assert starts_at == (slots[0].starts_at if slots else None)
    assert {one.practitioner_id for one in found} == set(everybody)
    assert {one.location_id for one in found if one.practitioner_id == "practitioner-ito"} == {
        "location-main",
        "location-riverside",
    }


def test_it_follows_the_diary(database: Database, catalogue: Catalogue) -> None:
    visit = book(
        database, catalogue, service="skin-check", practitioner="carter", location="riverside", starts_at=FIRST
    )
    refreshed(database, catalogue, CARTER)
    assert known(database, catalogue)[SKIN] == FIRST + timedelta(minutes=30)

    database.run(
        lambda work: cancel_appointment(
            work,
            catalogue,
            appointment_id=visit.id,
            reason=None,
            now=NOW,
            actor="patient",
            source=Source.SMS,
        )
    )
    refreshed(database, catalogue, CARTER)

    assert known(database, catalogue)[SKIN] == FIRST


def test_a_day_on_which_somebody_has_enough_is_left_out(database: Database, catalogue: Catalogue) -> None:
    limited = replace(catalogue, rules=BookingRules(max_per_practitioner_per_day=1), _by_id={})
    book(database, limited, service="skin-check", practitioner="carter", location="riverside", starts_at=FIRST)

    refreshed(database, limited, CARTER)

    assert known(database, limited)[SKIN] == datetime(2027, 3, 12, 14, 0, tzinfo=UTC)


def away(catalogue: Catalogue, **changes: object) -> Catalogue:
    """Return the catalogue with Dr. Carter away for the whole year."""
    carter = catalogue.practitioner(CARTER)
    gone = replace(carter, time_off=(DateSpan(date(2027, 1, 1), date(2028, 1, 1)),), **changes)  # type: ignore[arg-type]  # a builder of tests
    people = tuple(gone if one.id == CARTER else one for one in catalogue.practitioners)
    return replace(catalogue, practitioners=people, _by_id={})


def test_nothing_as_far_as_the_clinic_books_is_known_as_nothing(database: Database, catalogue: Catalogue) -> None:
    refreshed(database, away(catalogue), CARTER)

    assert known(database, catalogue) == {SKIN: None}


def test_what_somebody_no_longer_gives_is_forgotten(database: Database, catalogue: Catalogue) -> None:
    refreshed(database, catalogue, CARTER)

    refreshed(database, away(catalogue, service_ids=frozenset()), CARTER)

    with database.read() as session:
        assert session.scalars(select(NextAvailable)).all() == []


def test_who_wants_it_so_is_not_listed_while_there_is_nothing(database: Database, catalogue: Catalogue) -> None:
    shy = away(catalogue, visible_when_unavailable=False)

    def listed(of: Catalogue, **where: str) -> list[str]:
        with database.read() as session:
            return [one.key for one in listed_practitioners(session, of, **where)]

    before = listed(shy)
    refreshed(database, shy, *(one.id for one in shy.practitioners))

    assert "carter" in before, "nobody has looked yet"
    assert "carter" not in listed(shy)
    assert listed(shy) == [one.key for one in shy.practitioners if one.key != "carter"]
    assert "carter" in listed(away(catalogue))
    assert listed(catalogue, service_id="service-flu-shot", location_id="location-riverside") == ["ben-carter", "ito"]


def test_reading_is_one_statement_and_refreshing_as_many_for_all_as_for_one(
    database: Database, catalogue: Catalogue
) -> None:
    def count(call: Callable[[], object]) -> int:
        sent: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            sent.append(statement)

        event.listen(database.engine, "before_cursor_execute", note)
        call()
        event.remove(database.engine, "before_cursor_execute", note)
        return len([one for one in sent if not one.startswith("BEGIN")])

    for_one = count(lambda: refreshed(database, catalogue, CARTER))
    for_all = count(lambda: refreshed(database, catalogue, *(one.id for one in catalogue.practitioners)))

    assert for_one == for_all
    assert count(lambda: known(database, catalogue)) == 1


def test_a_practitioner_nobody_knows_is_refused(database: Database, catalogue: Catalogue) -> None:
    with pytest.raises(UnknownPractitioner):
        refreshed(database, catalogue, "practitioner-nobody")


def test_an_older_reading_never_replaces_a_newer_one(
    database: Database, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One refresh has read and waits to write; a visit is booked, and a second refresh begins and must come after it."""
    has_read, may_write = threading.Event(), threading.Event()
    real = kept._first_starts

    def slowly(*args: object, **options: object) -> object:
        found = real(*args, **options)  # type: ignore[arg-type]  # passed on as it came
        if threading.current_thread().name == "first":
            has_read.set()
            may_write.wait(30)
        return found

    monkeypatch.setattr(kept, "_first_starts", slowly)
    first = threading.Thread(target=refreshed, args=(database, catalogue, CARTER), name="first")
    first.start()
    assert has_read.wait(30)

    def later() -> None:
        if not database.is_postgresql:
            first.join(30)  # there the first transaction keeps every writer out
        book(database, catalogue, service="skin-check", practitioner="carter", location="riverside", starts_at=FIRST)
        refreshed(database, catalogue, CARTER)

    second = threading.Thread(target=later, name="second")
    second.start()
    if database.is_postgresql:
        eventually(lambda: database.run(_somebody_waits_for_a_lock), what="a wait for the lock")
    may_write.set()
    first.join(30)
    second.join(30)

    assert known(database, catalogue)[SKIN] == FIRST + timedelta(minutes=30)


def _somebody_waits_for_a_lock(work: UnitOfWork) -> bool:
    return bool(work.session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
