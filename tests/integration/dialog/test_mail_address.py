"""An address that a patient gives: on file, in place of another, and told to those who write mails."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from booking import patients
from booking.clinic_file import import_clinic, parse
from booking.events import EmailLearned
from booking.model.patient import Patient
from kernel.clock import FixedClock
from kernel.work import Database, OutboxEntry
from tests.integration.dialog.test_turn import CLINIC, Line

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # Wednesday, 10:00 at the clinic


def test_an_address_given_after_booking_is_kept_encrypted_and_tells_of_the_visit(database: Database) -> None:
    clinic = parse(CLINIC.read_text(encoding="utf-8"), path=str(CLINIC))
    database.run(lambda work: import_clinic(work, clinic, now=NOW))
    line = Line(database, FixedClock(NOW))

    for words in ("a cleaning with Dr. Lee on Monday at 2 pm", "yes", "my email is ann.smith@gmial.com", "yes"):
        line.text(words)
    line.text("Ann Smith")
    answer = line.text("5/2/1984")

    assert answer.text == "Thank you, I have noted your e-mail address."
    with database.read() as session:
        ann = session.scalars(select(Patient.id).where(Patient.name == "Ann Smith")).one()
        assert patients.emails_of(session, patient_id=ann) == ("ann.smith@gmail.com",)
        told = session.scalars(select(OutboxEntry.name).where(OutboxEntry.name == EmailLearned.name)).all()
        assert len(told) == 1
