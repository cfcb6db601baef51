"""A change and the new rows that belong to it, as one statement where the database can do that: fewer are what a turn waits for."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, Update, bindparam, insert
from sqlalchemy.orm import Session

from kernel.db import NewRow, Ready


def change_and_write(session: Session, change: Update, given: Mapping[str, Any], *, rows: Sequence[NewRow]) -> None:
    """Make `change`, whose parameters are `given`, and write `rows`. One statement on PostgreSQL, one after the other on SQLite.

    `change` is a statement that is made once. Rows may refer to what is there already, not to each other.
    """
    if session.get_bind().dialect.name != "postgresql":
        _alone(change).rows(session, given)
        for row in rows:
            _new(row.table, tuple(row.values)).rows(session, row.values)
        return
    values = {f"{name}_{at}": value for at, row in enumerate(rows) for name, value in row.values.items()}
    _together(change, tuple((row.table, tuple(row.values)) for row in rows)).rows(session, {**given, **values})


@lru_cache(maxsize=64)
def _together(change: Update, rows: tuple[tuple[Table, tuple[str, ...]], ...]) -> Ready:
    for at, (table, names) in enumerate(rows):
        values: dict[str, Any] = {name: bindparam(f"{name}_{at}") for name in names}
        change = change.add_cte(insert(table).inline().values(values).cte(f"new_{table.name}"))
    return Ready(change)


@lru_cache(maxsize=64)
def _alone(change: Update) -> Ready:
    return Ready(change)


@lru_cache(maxsize=64)
def _new(table: Table, names: tuple[str, ...]) -> Ready:
    return Ready(insert(table).inline().values({name: bindparam(name) for name in names}))
