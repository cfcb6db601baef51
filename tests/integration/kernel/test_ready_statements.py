"""Statements that are handed to the driver as they are: they mean, and fail, as those that SQLAlchemy sends."""

from contextlib import ExitStack
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, event, insert, literal_column, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from booking.model.clinic import Clinic
from booking.model.patient import Patient
from kernel.db import Ready, one_of, table_of
from kernel.work import Database, UnitOfWork
from tests.support.databases import SECRET

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 14, 6, 59, 59, tzinfo=UTC)
PATIENT = table_of(Patient)
ADD = Ready(
    insert(PATIENT)
    .inline()
    .values({name: bindparam(name) for name in ("id", "clinic_id", "name", "birth_date")})
    # What stands in the statement itself is sent, too.
    .values(blocked=False, is_placeholder=False, created_at=NOW, name_words="", name_sounds="")
)
BORN_BY = Ready(
    select(PATIENT.c.id, PATIENT.c.birth_date, PATIENT.c.blocked, PATIENT.c.created_at)
    .where(one_of(PATIENT.c.id, "ids"), PATIENT.c.created_at <= bindparam("now"), bindparam("now") >= NOW)
    .order_by(PATIENT.c.id)
)
RULES = Ready(select(table_of(Clinic).c.rules))


def add(work: UnitOfWork, patient_id: str, born: date | None) -> None:
    ADD.rows(work.session, {"id": patient_id, "clinic_id": "elm", "name": "Ann Smith", "birth_date": born})


@pytest.fixture
def database(database: Database) -> Database:
    with database.begin() as work:
        elm = {"key": "elm", "name": "Elm", "timezone": "America/New_York", "country": "US", "languages": ["en"]}
        work.session.add(Clinic(id="elm", rules={"step": 600}, answers=[], **elm))
    return database


def test_values_go_and_come_as_their_columns_say(database: Database):
    with database.begin() as work:
        add(work, "ann", date(1984, 5, 2))
        add(work, "bob", None)
        add(work, "cem", date(1990, 1, 1))
        found = BORN_BY.rows(work.session, {"ids": ["ann", "bob"], "now": NOW})
        rules = RULES.rows(work.session, {})

    assert [tuple(row) for row in found] == [("ann", date(1984, 5, 2), False, NOW), ("bob", None, False, NOW)]
    assert [tuple(row) for row in rules] == [({"step": 600},)]
    with database.read() as session:
        stored = session.execute(select(literal_column("birth_date")).select_from(PATIENT)).scalars().all()
        assert session.get_one(Patient, "ann").birth_date == date(1984, 5, 2)
    assert not any("1984" in each for each in stored if each)


def test_what_was_sent_is_undone_with_its_part_of_the_transaction(database: Database):
    def add_both(work: UnitOfWork) -> None:
        with work.part():
            add(work, "bob", None)
            add(work, "ann", None)

    with database.begin() as work:
        add(work, "ann", None)
        with pytest.raises(IntegrityError):
            add_both(work)

    with database.read() as session:
        assert session.scalars(select(Patient.id)).all() == ["ann"]


def test_an_error_does_not_quote_the_values(database: Database):
    with pytest.raises(DBAPIError) as failed, database.begin() as work:
        ADD.rows(work.session, {"id": "ann", "clinic_id": "nowhere", "name": "Ann Smith", "birth_date": None})

    assert "Ann Smith" not in str(failed.value)


def test_a_connection_that_is_lost_is_not_used_again(postgres_url: str):
    whose = Ready(select(literal_column("pg_backend_pid()")))
    database = Database(postgres_url, secret=SECRET)
    lost: list[Any] = []

    def lose(work: UnitOfWork) -> None:
        lost.append(whose.rows(work.session, {})[0][0])
        with database.read() as session:
            session.execute(text(f"SELECT pg_terminate_backend({lost[0]}, 5000)"))
        whose.rows(work.session, {})

    with pytest.raises(DBAPIError) as failed, database.begin() as work:
        lose(work)

    assert failed.value.connection_invalidated
    with ExitStack() as all_of_them:
        for _ in range(3):
            session = all_of_them.enter_context(database.read())
            assert whose.rows(session, {})[0][0] != lost[0]
    database.dispose()


def test_who_counts_statements_counts_these(database: Database):
    sent: list[str] = []

    def note(*given: Any) -> None:
        sent.append(given[2])

    with database.begin() as work:
        event.listen(database.engine, "before_cursor_execute", note)
        RULES.rows(work.session, {})

    assert [one for one in sent if one.startswith("SELECT")] == sent[-1:]
