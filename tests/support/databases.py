"""Databases with every table of the product, on both kinds: a fresh one a test."""

import importlib
from functools import cache
from pathlib import Path

from kernel.db import Base, make_engine

ROOT = Path(__file__).parents[2]
PACKAGES = ("kernel", "booking", "calendar_sync", "dialog", "sms", "voice", "jobs", "frontdesk")
SECRET = "a secret of the tests, long enough for anything"


def make_tables(url: str) -> None:
    """Make all tables with their constraints and triggers in the empty database at `url`."""
    import_rows()
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()


@cache
def import_rows() -> None:
    """Import every module that defines a table, so that `Base.metadata` knows it."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts and "__tablename__" in path.read_text():
                importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
