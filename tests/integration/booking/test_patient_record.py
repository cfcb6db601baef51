"""What is on file about a patient, and who changed it."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from booking.asked import UnknownPatient
from booking.history import PatientLine, patient_history
from booking.patient_record import (
    PatientChanges,
    block_patient,
    change_patient,
    unblock_patient,
)
from booking.patients import find_by_birth_date, find_by_phone, phones_of
from booking.values import Catalogue, Place, Source
from kernel.work import Database

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)


class Record:
    def __init__(self, database: Database, catalogue: Catalogue, patient_id: str) -> None:
        self.database, self.clinic_id, self.patient_id = database, catalogue.clinic_id, patient_id

    def change(self, clinic_id: str | None = None, **changes: object) -> None:
        with self.database.begin() as work:
            change_patient(
                work,
                clinic_id=clinic_id or self.clinic_id,
                patient_id=self.patient_id,
                changes=PatientChanges(**changes),  # type: ignore[arg-type]  # fields by name
                now=NOW,
                actor="staff:kim",
                source=Source.STAFF,
            )

    def block(self) -> None:
        with self.database.begin() as work:
            block_patient(
                work,
                clinic_id=self.clinic_id,
                patient_id=self.patient_id,
                now=NOW,
                actor="staff:kim",
                source=Source.STAFF,
            )

    def unblock(self) -> None:
        with self.database.begin() as work:
            unblock_patient(
                work,
                clinic_id=self.clinic_id,
                patient_id=self.patient_id,
                now=NOW,
                actor="staff:kim",
                source=Source.API,
            )

    def lines(self) -> list[PatientLine]:
        with self.database.read() as session:
            return patient_history(session, patient_id=self.patient_id)


@pytest.fixture
def record(database: Database, catalogue: Catalogue, a_patient: Callable[..., str]) -> Record:
    return Record(database, catalogue, a_patient())


def test_a_record_begins_with_who_made_it_and_keeps_secrets_out(record: Record):
    line = record.lines()[0]

    assert (line.what, line.actor, line.before) == ("registered", "system", None)
    assert line.after == {
        "name": "Ann Smith",
        "language": "en",
        "is_placeholder": False,
        "encrypted": ["birth_date", "phone"],
    }


def test_a_change_says_what_was_before_and_after(record: Record):
    record.change(name="Ann Jones", language="es")

    line = record.lines()[-1]
    assert (line.what, line.actor, line.source, line.changed_at) == ("changed", "staff:kim", "staff", NOW)
    assert line.before == {"name": "Ann Smith", "language": "en"}
    assert line.after == {"name": "Ann Jones", "language": "es"}


def test_what_is_encrypted_is_told_by_name_and_found_by_its_new_value(record: Record, database: Database):
    record.change(
        birth_date=date(1990, 1, 2),
        phones=("+12125550177",),
        emails=("Ann@Example.org",),
        address="7 Oak Road",
        place=Place(42.65, -73.75),
    )

    assert record.lines()[-1].after == {"encrypted": ["address", "birth_date", "email", "phone", "place"]}
    with database.read() as session:
        assert phones_of(session, patient_id=record.patient_id) == ("+12125550177",)
        found = find_by_birth_date(session, clinic_id=record.clinic_id, birth_date=date(1990, 1, 2))
        assert [one.id for one in found] == [record.patient_id]
        assert find_by_phone(session, clinic_id=record.clinic_id, phone="+12125550123") == ()
        stored = str(session.execute(text("SELECT * FROM patient_change")).all())
    assert not any(secret in stored for secret in ("2125550177", "Oak", "1990", "xample", "42.65"))


def test_what_is_so_already_is_no_change(record: Record):
    record.change(name="Ann Smith", phones=("+12125550123",))
    record.change()

    assert [line.what for line in record.lines()] == ["registered"]


def test_blocking_and_unblocking_are_told_once_each(record: Record):
    record.block()
    record.block()
    record.unblock()
    record.unblock()

    assert [(line.what, line.source, line.after) for line in record.lines()[1:]] == [
        ("blocked", "staff", {"blocked": True}),
        ("unblocked", "api", {"blocked": False}),
    ]


def test_a_patient_of_another_clinic_is_unknown(record: Record):
    with pytest.raises(UnknownPatient):
        record.change(clinic_id="clinic-other", name="Eve")
    assert len(record.lines()) == 1
