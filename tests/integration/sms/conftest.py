"""A clinic that can be texted, a patient, and visits to tell of."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from booking import queries
from booking.tasks import TaskInfo, open_tasks
from booking.values import BookedVisit, Catalogue, MailUse
from kernel.clock import FixedClock
from kernel.work import Database
from sms.adapters.memory_gateway import MemoryGateway
from sms.model import SmsKind, SmsMessage
from sms.visit_notices import queue_visit_notice
from sms.webhook import sms_blueprint
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET
from tests.support.visits import NOW, book_filling, patient_of
from tests.support.webhooks import ACCOUNT, PATIENT_NUMBER, PUBLIC, ScriptedDialog, Vendor

NEXT_TUESDAY = datetime(2027, 3, 16, 13, 0, tzinfo=UTC)  # 9:00 there


@dataclass
class Clinic:
    """Elm Street Clinic, its database and its way to the vendor."""

    db: Database
    catalogue: Catalogue = field(default_factory=elm_catalogue)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    gateway: MemoryGateway = field(default_factory=MemoryGateway)

    def patient(
        self, *, phone: str | None = PATIENT_NUMBER, email: str | None = None, booked_by: str | None = None
    ) -> str:
        return patient_of(self.db, self.catalogue, phone=phone, email=email, booked_by=booked_by)

    def visit(
        self, *, patient_id: str | None = None, starts_at: datetime = NEXT_TUESDAY, actor: str = "patient"
    ) -> BookedVisit:
        return book_filling(
            self.db,
            self.catalogue,
            patient_id=patient_id or self.patient(),
            starts_at=starts_at,
            actor=actor,
        )

    def queue(
        self,
        visit: BookedVisit,
        *,
        kind: SmsKind = SmsKind.BOOKED,
        revision: int = 1,
        sequence: int | None = None,
        mail: MailUse = MailUse.NEVER,
    ) -> str | None:
        """Write down the text about a change of a visit."""
        with self.db.begin() as work:
            return queue_visit_notice(
                work,
                self.catalogue,
                kind=kind,
                appointment_id=visit.id,
                revision=revision,
                sequence=visit.sequence if sequence is None else sequence,
                now=self.clock.now(),
                mail=mail,
            )

    def read_visit(self, visit: BookedVisit) -> BookedVisit:
        with self.db.read() as session:
            return queries.visit(session, appointment_id=visit.id)

    def texts(self) -> list[SmsMessage]:
        with self.db.read() as session:
            return list(session.scalars(select(SmsMessage).order_by(SmsMessage.created_at, SmsMessage.id)))

    def tasks(self) -> list[TaskInfo]:
        with self.db.read() as session:
            return open_tasks(session, clinic_id=self.catalogue.clinic_id)


@contextmanager
def opened(url: str) -> Iterator[Clinic]:
    """Store the clinic in the database at `url`."""
    made = Clinic(Database(url, secret=SECRET))
    with made.db.begin() as work:
        store_catalogue(work, made.catalogue)
    yield made
    made.db.dispose()


@pytest.fixture
def clinic(sqlite_url: str) -> Iterator[Clinic]:
    with opened(sqlite_url) as made:
        yield made


class Stopwatch:
    """Time that passes when the test says so. Seconds."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at

    def pass_(self, by: timedelta) -> None:
        self.at += by.total_seconds()


@dataclass(frozen=True)
class Line:
    """The clinic's number for texts."""

    clinic: Clinic
    vendor: Vendor
    dialog: ScriptedDialog
    stopwatch: Stopwatch


@pytest.fixture
def line(clinic: Clinic) -> Line:
    dialog, stopwatch, app = ScriptedDialog(), Stopwatch(), Flask(__name__)
    app.register_blueprint(
        sms_blueprint(
            dialog=dialog,
            db=clinic.db,
            account=ACCOUNT,
            public_base_url=PUBLIC,
            clock=clinic.clock,
            stopwatch=stopwatch,
        )
    )
    return Line(clinic, Vendor(app), dialog, stopwatch)
