"""Who takes part in a group is told by text, and nobody is told of the session itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache, stored_rules
from booking.events import EVENTS, AppointmentEvent
from booking.hold import place_hold
from booking.model.clinic import Clinic as ClinicRow
from booking.patient_record import PatientChanges, change_patient
from booking.patients import register_patient
from booking.reschedule import reschedule
from booking.several.groups import cancel_session, confirm_seat, join_session, leave_session, open_session
from booking.tasks import open_tasks
from booking.values import BookedVisit, CalendarPolicy, Catalogue, Source
from calendar_sync.adapters.memory_store import MemoryStore
from jobs.context import JobServices
from jobs.due import DUTIES, run_due
from jobs.subscriptions import PARTICIPANTS, SEAT, STEPS, SUBSCRIBERS
from kernel.clock import FixedClock
from kernel.work import Database, OutboxEntry
from sms.adapters.memory_gateway import MemoryGateway
from sms.model import PatientMail, SmsKind, SmsMessage
from tests.support.clinic_rows import store_catalogue
from tests.support.mail_server import KeptMails
from tests.support.together import GROUP, elm_with_more
from tests.support.visits import NOW

pytestmark = pytest.mark.integration

MONDAY_NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)


@dataclass
class Clinic:
    """A clinic with a worker, and a group."""

    database: Database
    catalogue: Catalogue
    services: JobServices
    told: set[int] = field(default_factory=set)

    def open(self) -> BookedVisit:
        with self.database.begin() as work:
            return open_session(
                work,
                self.catalogue,
                service_id=GROUP,
                location_id="location-riverside",
                starts_at=MONDAY_NINE,
                now=NOW,
                actor="staff:ann",
            )

    def take_part(self, session: BookedVisit, name: str, phone: str | None) -> str:
        with self.database.begin() as work:
            patient = register_patient(
                work,
                clinic_id=self.catalogue.clinic_id,
                name=name,
                birth_date=date(1984, 5, 2),
                phone=phone,
                language="en",
                now=NOW,
            )
            seat = join_session(
                work,
                self.catalogue,
                session_id=session.id,
                patient_id=patient.id,
                conversation_id=None,
                source=Source.PHONE,
                now=NOW,
            )
            confirm_seat(work, self.catalogue, seat_id=seat.id, patient_id=patient.id, now=NOW, actor="patient")
        return str(patient.id)

    def tell(self) -> None:
        """Do what is to be done about everything that was published, as long as there is anything; what concerns seats twice."""
        while new := self._new():
            for entry in new:
                self.told.add(entry.id)
                event = EVENTS[entry.name].from_json(entry.payload)
                for name in SUBSCRIBERS.get(entry.name, ()):
                    assert isinstance(event, AppointmentEvent)
                    for _ in range(2 if name in {SEAT, PARTICIPANTS} else 1):
                        STEPS[name](self.services, event, NOW)

    def _new(self) -> Sequence[OutboxEntry]:
        with self.database.read() as session:
            return session.scalars(
                select(OutboxEntry).where(OutboxEntry.id.not_in(self.told)).order_by(OutboxEntry.id)
            ).all()

    def texts(self) -> list[tuple[SmsKind, str | None]]:
        with self.database.read() as session:
            rows = session.scalars(select(SmsMessage))
            return sorted(((SmsKind(row.kind), row.to) for row in rows), key=str)


@pytest.fixture
def clinic(database: Database) -> Clinic:
    stored = elm_with_more()
    with database.begin() as work:
        store_catalogue(work, stored)
    services = JobServices(
        db=database,
        clock=FixedClock(NOW),
        catalogues=CatalogueCache(),
        sms_gateway=MemoryGateway(),
        open_calendar=lambda _link: MemoryStore(),
    )
    return Clinic(database, stored, services)


ANN, BEA = "+12125550123", "+12125550124"


def by_session(clinic: Clinic, session: BookedVisit) -> None:
    with clinic.database.begin() as work:
        cancel_session(work, clinic.catalogue, session_id=session.id, reason="ill", now=NOW, actor="staff:ann")


def as_any_visit(clinic: Clinic, session: BookedVisit) -> None:
    with clinic.database.begin() as work:
        cancel_appointment(
            work,
            clinic.catalogue,
            appointment_id=session.id,
            reason="ill",
            now=NOW,
            actor="staff:ann",
            source=Source.STAFF,
        )
    run_due(clinic.services, now=NOW, duties=[duty for duty in DUTIES if duty.name == "look-after-groups"])


@pytest.mark.parametrize("call_off", [by_session, as_any_visit])
def test_each_participant_is_told_of_their_seat_and_that_the_session_is_called_off(
    clinic: Clinic, call_off: Callable[[Clinic, BookedVisit], None]
):
    session = clinic.open()
    for name, phone in (("Ann Smith", ANN), ("Bea Smith", BEA)):
        clinic.take_part(session, name, phone)
    clinic.tell()
    assert clinic.texts() == [(SmsKind.BOOKED, ANN), (SmsKind.BOOKED, BEA)]

    call_off(clinic, session)
    clinic.tell()

    assert clinic.texts()[2:] == [(SmsKind.CANCELLED, ANN), (SmsKind.CANCELLED, BEA)]
    with clinic.database.read() as reading:
        bodies = reading.scalars(select(SmsMessage).where(SmsMessage.kind == SmsKind.CANCELLED)).all()
        assert all("we had to call off your appointment on Mon Mar 15, 9:00 AM EDT" in one.body for one in bodies)
        assert open_tasks(reading, clinic_id=clinic.catalogue.clinic_id) == []


def test_who_leaves_is_told_and_who_has_no_number_is_called(clinic: Clinic):
    session = clinic.open()
    ann = clinic.take_part(session, "Ann Smith", ANN)
    clinic.take_part(session, "Bea Smith", None)
    clinic.tell()
    with clinic.database.begin() as work:
        leave_session(work, clinic.catalogue, session_id=session.id, patient_id=ann, now=NOW, actor="patient")
    clinic.tell()

    assert {(kind, to) for kind, to in clinic.texts() if to} == {(SmsKind.BOOKED, ANN), (SmsKind.CANCELLED, ANN)}
    with clinic.database.read() as reading:
        [task] = open_tasks(reading, clinic_id=clinic.catalogue.clinic_id)
    assert "Please tell the patient" in task.text


def test_who_has_a_place_gets_a_mail_of_it_where_others_are_invited(clinic: Clinic):
    with clinic.database.begin() as work:
        row = work.session.get_one(ClinicRow, clinic.catalogue.clinic_id)
        row.email, row.calendars = "desk@elm.example", stored_rules(vars(CalendarPolicy(invitations=True)))
        row.version += 1
    clinic.services = replace(clinic.services, catalogues=CatalogueCache(), mailer=KeptMails())
    patient_id = clinic.take_part(clinic.open(), "Ann Smith", None)
    changes = PatientChanges(emails=("ann@example.org",))
    with clinic.database.begin() as work:
        change_patient(
            work,
            clinic_id=clinic.catalogue.clinic_id,
            patient_id=patient_id,
            changes=changes,
            now=NOW,
            actor="staff:ann",
            source=Source.STAFF,
        )
    clinic.tell()

    with clinic.database.read() as reading:
        assert [(mail.kind, mail.to) for mail in reading.scalars(select(PatientMail))] == [
            (SmsKind.BOOKED, "ann@example.org")
        ]


def test_a_text_that_is_not_true_any_more_is_not_sent(clinic: Clinic):
    session = clinic.open()
    ann = clinic.take_part(session, "Ann Smith", ANN)
    with clinic.database.begin() as work:
        leave_session(work, clinic.catalogue, session_id=session.id, patient_id=ann, now=NOW, actor="patient")
    clinic.tell()

    with clinic.database.read() as reading:
        sent = {row.kind: row.note for row in reading.scalars(select(SmsMessage))}
    assert sent == {SmsKind.BOOKED: "superseded", SmsKind.CANCELLED: None}


def test_each_participant_is_told_that_their_session_is_moved(clinic: Clinic):
    session = clinic.open()
    for name, phone in (("Ann Smith", ANN), ("Bea Smith", BEA)):
        clinic.take_part(session, name, phone)
    with clinic.database.begin() as work:
        hold = place_hold(
            work,
            clinic.catalogue,
            service_id=GROUP,
            location_id="location-riverside",
            starts_at=MONDAY_NINE + timedelta(hours=1),
            conversation_id=None,
            source=Source.STAFF,
            now=NOW,
            replaces_appointment_id=session.id,
            actor="staff:ann",
        )
        reschedule(
            work,
            clinic.catalogue,
            appointment_id=session.id,
            hold_id=hold.id,
            now=NOW,
            actor="staff:ann",
            source=Source.STAFF,
        )
    clinic.tell()

    moved = [to for kind, to in clinic.texts() if kind is SmsKind.MOVED]
    assert moved == [ANN, BEA]
    with clinic.database.read() as reading:
        assert open_tasks(reading, clinic_id=clinic.catalogue.clinic_id) == []
