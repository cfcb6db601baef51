"""The clinic of the tests as rows, on each kind of database in turn."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from booking.patients import register_patient
from booking.values import Catalogue
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Albany; the clocks go forward on Sunday


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    """The Elm Street Clinic, stored."""
    stored = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, stored)
    return stored


@pytest.fixture
def a_patient(database: Database, catalogue: Catalogue) -> Callable[..., str]:
    """Take on a patient by name and return the id."""

    def take_on(name: str = "Ann Smith") -> str:
        with database.begin() as work:
            patient = register_patient(
                work,
                clinic_id=catalogue.clinic_id,
                name=name,
                birth_date=date(1984, 5, 2),
                phone="+12125550123",
                language="en",
                now=NOW,
            )
        return str(patient.id)

    return take_on
