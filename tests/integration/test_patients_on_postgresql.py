"""The patients' diary on PostgreSQL is put back to what was kept, also while somebody is still connected to it."""

import psycopg
import pytest

from benchmarks.patients.storage import PostgresDatabase
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.integration


def test_what_came_after_it_was_kept_is_gone_when_it_is_put_back(postgres: PostgresServer) -> None:
    database = PostgresDatabase(postgres)
    address = database.url.replace("+psycopg", "", 1)
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE visits AS SELECT 1 AS id")
    database.keep()

    with psycopg.connect(address, autocommit=True) as left_open:
        left_open.execute("INSERT INTO visits VALUES (2)")
        database.put_back()

    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT id FROM visits").fetchall() == [(1,)]
