"""The tables as migrations make them are the tables of the code, and they hold what they promise, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from booking.model.appointment import NO_OVERLAP, SQLITE_TRIGGERS, Allocation
from booking.values import Catalogue
from frontdesk import schema
from frontdesk.schema import SchemaState, WrongSchema, check_schema, copy_database, differences, migrate, schema_state
from kernel.db import make_engine, new_id
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET
from tests.support.postgres import PostgresServer
from tests.support.visits import book

pytestmark = pytest.mark.integration

MONDAY_9 = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables, on each of the two kinds in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'frontdesk.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.empty_database()
    yield url
    server.drop(url)


@pytest.fixture
def engine(empty_url: str) -> Iterator[Engine]:
    opened = make_engine(empty_url)
    yield opened
    opened.dispose()


def guards(engine: Engine) -> set[str]:
    """Return what is in the database to keep allocations apart."""
    if engine.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'allocation'"
    else:
        query = "SELECT conname FROM pg_constraint WHERE contype = 'x' AND conrelid = 'allocation'::regclass"
    with engine.connect() as connection:
        return set(connection.scalars(text(query)))


def expected_guards(engine: Engine) -> set[str]:
    return set(SQLITE_TRIGGERS) if engine.dialect.name == "sqlite" else {NO_OVERLAP}


def test_an_empty_database_becomes_what_the_code_expects(engine: Engine) -> None:
    migrate(engine)

    assert differences(engine) == []
    assert schema_state(engine) is SchemaState.CURRENT
    check_schema(engine)


def test_every_step_can_be_taken_back_and_again(engine: Engine) -> None:
    migrate(engine)
    scripts = ScriptDirectory.from_config(schema._config())

    for script in scripts.walk_revisions():
        migrate(engine, revision=str(script.down_revision or "base"))
        migrate(engine)

        assert differences(engine) == []
        assert guards(engine) == expected_guards(engine)


def test_going_down_to_nothing_leaves_no_table(engine: Engine) -> None:
    migrate(engine)

    migrate(engine, revision="base")

    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}


def test_migrating_a_current_database_changes_nothing(engine: Engine) -> None:
    migrate(engine)

    migrate(engine)

    assert differences(engine) == []


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(schema._config()).get_heads()) == 1


def test_a_migrated_database_refuses_overlapping_allocations_by_itself(empty_url: str, engine: Engine) -> None:
    migrate(engine)
    database = Database(empty_url, secret=SECRET)
    catalogue: Catalogue = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
    visit = book(database, catalogue, practitioner="lee", starts_at=MONDAY_9)
    other = book(database, catalogue, service="sick-visit", practitioner="ruiz", starts_at=MONDAY_9)

    with pytest.raises(IntegrityError), database.begin() as work:
        work.session.add(
            Allocation(
                id=new_id(),
                appointment_id=other.id,
                schedule_id="schedule-lee",
                starts_at=visit.starts_at,
                ends_at=visit.ends_at,
                live=True,
            )
        )
    database.dispose()


def test_an_empty_database_is_refused_until_it_is_migrated(engine: Engine) -> None:
    with pytest.raises(WrongSchema, match="frontdesk migrate"):
        check_schema(engine)


def test_a_database_of_an_unknown_newer_version_is_refused_and_left_alone(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(WrongSchema, match="newer"):
        migrate(engine)

    assert schema_state(engine) is SchemaState.NEWER


def test_the_copy_made_before_migrating_is_a_whole_database(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'frontdesk.db'}")
    migrate(engine)

    copy = copy_database(engine)

    assert copy is not None
    copied = make_engine(f"sqlite:///{copy}")
    assert schema_state(copied) is SchemaState.CURRENT
    engine.dispose()
    copied.dispose()


def test_turns_of_the_release_before_are_held_where_their_conversation_was(engine: Engine, empty_url: str) -> None:
    migrate(engine)
    database = Database(empty_url, secret=SECRET)
    with database.begin() as work:
        store_catalogue(work, elm_catalogue())
    migrate(engine, revision="0001")
    at = {"at": "2027-03-10 15:00:00"}
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO conversation (id, clinic_id, channel, thread_hash, language, state, version, needs_review, started_at,"
                " last_turn_at) VALUES ('c1', 'clinic-elm', 'voice', 'hash', 'en', '', 1, false, :at, :at)"
            ),
            at,
        )
        connection.execute(
            text(
                "INSERT INTO turn (id, conversation_id, number, kind, message_key, said, reply, commands, heard, acts, writes,"
                " results, at, catalogue_version, timings) VALUES"
                " ('t1', 'c1', 1, 'start', 'voice:CA1:0', '', 'Hello.', '[]', '', '[]', '[]', '', :at, 1, '{}')"
            ),
            at,
        )
    database.dispose()

    migrate(engine)

    with engine.connect() as connection:
        found = connection.execute(text("SELECT channel, thread_hash, tokens_in, cost FROM turn")).one()
    assert tuple(found) == ("voice", "hash", 0, None)


def test_what_the_release_before_wrote_into_a_calendar_counts_as_seen_there(engine: Engine, empty_url: str) -> None:
    migrate(engine)
    database = Database(empty_url, secret=SECRET)
    catalogue = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
    visit = book(database, catalogue, practitioner="lee", starts_at=MONDAY_9)
    database.dispose()
    migrate(engine, revision="0002")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO calendar_link (id, clinic_id, practitioner_id, kind, url, username, password, state, created_at)"
                " VALUES ('l1', 'clinic-elm', 'practitioner-lee', 'caldav', 'https://a.test/', 'lee', '', 'ok', :at)"
            ),
            {"at": "2027-03-10 15:00:00"},
        )
        connection.execute(
            text(
                "INSERT INTO remote_object (id, link_id, appointment_id, href, etag, sequence, pushed_hash, state, changed_at)"
                " VALUES ('o1', 'l1', :visit, '/a.ics', '1', 0, 'hash', 'ok', :at)"
            ),
            {"at": "2027-03-10 15:00:00", "visit": visit.id},
        )

    migrate(engine)

    with engine.connect() as connection:
        found = connection.execute(text("SELECT seen_hash, attempt_hash, appointment_id FROM remote_object")).one()
        link = connection.execute(text("SELECT reads_busy, shows_visits, sync_token FROM calendar_link")).one()
    assert tuple(found) == ("hash", None, visit.id)
    assert (bool(link[0]), bool(link[1]), link[2]) == (True, True, None)
