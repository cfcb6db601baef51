"""What a failing statement tells: it ends in logs, which hold no personal data."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kernel.work import Database

pytestmark = pytest.mark.integration


def test_an_error_does_not_quote_the_values_of_its_statement(database: Database):
    with pytest.raises(DBAPIError) as failed, database.begin() as work:
        work.session.execute(text("INSERT INTO nowhere (name) VALUES (:name)"), {"name": "Ann Smith"})

    assert "Ann Smith" not in str(failed.value)
