"""Seats in groups and steps of packages by text, on a real database: who has what afterwards, and what staff see."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache, load_catalogue
from booking.clinic_file import import_clinic, parse
from booking.model.appointment import Appointment, Participant
from booking.model.patient import Patient
from booking.several.groups import confirm_seat, join_session, open_session
from booking.tasks import open_tasks
from booking.values import BookedVisit, Catalogue, Source
from dialog.due import close_idle
from dialog.inbound import Channel, Inbound, InboundKind
from dialog.turn import Dialog
from dialog.understanding.local import LocalInterpreter
from kernel.clock import FixedClock
from kernel.turn_lock import InProcessTurnLock
from kernel.work import Database, UnitOfWork

pytestmark = pytest.mark.integration

CLINIC = Path(__file__).parents[2] / "scenarios" / "clinics" / "oak.yaml"
NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # Wednesday, 10:00 at the clinic
MONDAY_AT_TWO = datetime(2027, 3, 15, 18, 0, tzinfo=UTC)
ANN, BOB = "+12125550123", "+12125550124"
WISH = "a place in the back class on Monday at 2 pm please"


class Clinic:
    """The clinic, and the telephones of its patients."""

    def __init__(self, db: Database, clock: FixedClock) -> None:
        self.db, self.clock, self._count = db, clock, 0
        self._dialog = Dialog(
            db=db,
            clock=clock,
            lock=InProcessTurnLock(),
            interpreter=LocalInterpreter(),
            catalogues=CatalogueCache(),
        )
        with db.read() as session:
            self.clinic_id = session.execute(text("SELECT id FROM clinic")).scalar_one()
            self.catalogue: Catalogue = load_catalogue(session, clinic_id=self.clinic_id)
            self.patients = {one.name: one.id for one in session.scalars(select(Patient))}

    def text(self, words: str, *, caller: str = ANN) -> str:
        self._count += 1
        thread, key = f"{caller}>+12125550100", f"sms:{self._count}"
        inbound = Inbound(self.clinic_id, Channel.SMS, InboundKind.SAID, thread, key, caller, words)
        return self._dialog.handle_turn(inbound).text

    def open_session(self) -> BookedVisit:
        """Let the class meet on Monday at two."""
        return self.db.run(
            lambda work: open_session(
                work,
                self.catalogue,
                service_id=self._service("yoga"),
                location_id=self.catalogue.locations[0].id,
                starts_at=MONDAY_AT_TWO,
                now=NOW,
                actor="staff:desk",
            )
        )

    def fill(self, session_id: str, seats: int) -> None:
        """Let others take seats."""

        def take(work: UnitOfWork) -> None:
            for number in range(seats):
                join_session(
                    work,
                    self.catalogue,
                    session_id=session_id,
                    conversation_id=f"another-{number}",
                    source=Source.SMS,
                    now=self.clock.now(),
                    expires_at=NOW + timedelta(days=2),
                )

        self.db.run(take)

    def book_seat(self, session_id: str, name: str) -> None:
        def take(work: UnitOfWork) -> None:
            seat = join_session(
                work,
                self.catalogue,
                session_id=session_id,
                patient_id=self.patients[name],
                conversation_id=None,
                source=Source.STAFF,
                now=NOW,
            )
            confirm_seat(
                work,
                self.catalogue,
                seat_id=seat.id,
                patient_id=self.patients[name],
                now=NOW,
                actor="staff:desk",
            )

        self.db.run(take)

    def seats(self) -> list[tuple[str, str | None]]:
        """Status and patient of each seat, by status."""
        with self.db.read() as session:
            rows = session.execute(
                select(Participant.status, Patient.name).outerjoin(Patient, Patient.id == Participant.patient_id)
            )
            return sorted((row.status, row.name) for row in rows)

    def sessions(self) -> list[tuple[str, datetime]]:
        with self.db.read() as session:
            rows = session.execute(
                select(Appointment.status, Appointment.starts_at).order_by(Appointment.starts_at, Appointment.status)
            )
            return [(row.status, row.starts_at) for row in rows]

    def practitioners(self) -> list[str]:
        """Keys of those who give what is in the diary, in order of time."""
        with self.db.read() as session:
            ids = session.scalars(select(Appointment.practitioner_id).order_by(Appointment.starts_at)).all()
        return [self.catalogue.practitioner(one).key for one in ids if one is not None]

    def _service(self, key: str) -> str:
        return next(one.id for one in self.catalogue.services if one.key == key)


@pytest.fixture
def clinic(database: Database) -> Clinic:
    file = parse(CLINIC.read_text(encoding="utf-8"), path=str(CLINIC))
    database.run(lambda work: import_clinic(work, file, now=NOW))
    return Clinic(database, FixedClock(NOW))


def test_a_session_with_room_is_joined_and_no_other_is_opened(clinic: Clinic) -> None:
    clinic.open_session()

    clinic.text(WISH)
    reply = clinic.text("yes")

    assert reply.startswith("Booked: Back class, Mon Mar 15, 2:00 PM, Eva Novak.")
    assert clinic.seats() == [("booked", "Ann Smith")]
    assert clinic.sessions() == [("booked", MONDAY_AT_TWO)]


def test_where_nobody_opened_a_session_the_first_seat_opens_it_and_the_next_patient_joins(clinic: Clinic) -> None:
    clinic.text(WISH)
    clinic.text("yes")
    clinic.text(WISH, caller=BOB)
    clinic.text("yes", caller=BOB)

    assert clinic.seats() == [("booked", "Ann Smith"), ("booked", "Robert Jones")]
    assert clinic.sessions() == [("booked", MONDAY_AT_TWO)]


def test_the_last_seat_lost_before_the_yes_books_nothing_and_leads_to_other_times(clinic: Clinic) -> None:
    session = clinic.open_session()
    clinic.text(WISH)
    clinic.fill(session.id, 3)

    reply = clinic.text("yes")

    assert "2:00 PM has just been taken" in reply
    assert [status for status, _ in clinic.seats()] == ["pending"] * 3


def test_a_held_seat_that_ran_out_is_taken_anew_by_a_late_yes(clinic: Clinic) -> None:
    clinic.open_session()
    clinic.text(WISH)
    clinic.text("the first one")
    clinic.clock.advance(timedelta(minutes=9))

    reply = clinic.text("yes")

    assert reply.startswith("Booked: Back class")
    assert ("booked", "Ann Smith") in clinic.seats()


def test_a_held_seat_is_given_back_when_the_patient_starts_over(clinic: Clinic) -> None:
    session = clinic.open_session()
    clinic.fill(session.id, 2)
    clinic.text(WISH)
    clinic.text("the first one")

    clinic.text("start over")

    assert [status for status, _ in clinic.seats()] == ["cancelled", "pending", "pending"]
    clinic.text(WISH, caller=BOB)
    assert clinic.text("yes", caller=BOB).startswith("Booked: Back class")


def test_a_held_seat_is_given_back_when_another_time_is_held_instead(clinic: Clinic) -> None:
    clinic.open_session()
    clinic.text(WISH)
    clinic.text("the first one")

    clinic.text("no, a health day on Monday at 9 instead")
    clinic.text("yes")

    assert [status for status, _ in clinic.seats()] == ["cancelled"]


def test_a_held_seat_of_a_conversation_gone_quiet_is_given_back(clinic: Clinic) -> None:
    clinic.open_session()
    clinic.text(WISH)
    clinic.text("the first one")

    clinic.clock.advance(timedelta(minutes=61))
    clinic.db.run(lambda work: close_idle(work, now=clinic.clock.now()))

    assert [status for status, _ in clinic.seats()] == ["cancelled"]


def test_giving_a_seat_back_leaves_the_session_and_the_others_in_it(clinic: Clinic) -> None:
    session = clinic.open_session()
    clinic.book_seat(session.id, "Ann Smith")
    clinic.book_seat(session.id, "Robert Jones")

    clinic.text("please cancel my back class")
    clinic.text("Ann Smith, May 2 1984")
    reply = clinic.text("yes")

    assert reply.startswith("Cancelled: Back class, Mon Mar 15, 2:00 PM")
    assert clinic.seats() == [("booked", "Robert Jones"), ("cancelled", "Ann Smith")]
    assert clinic.sessions() == [("booked", MONDAY_AT_TWO)]


def test_who_says_that_they_will_come_to_a_group_is_told_to_staff(clinic: Clinic) -> None:
    clinic.book_seat(clinic.open_session().id, "Ann Smith")

    clinic.text("I want to confirm my appointment")
    clinic.text("Ann Smith, May 2 1984")

    with clinic.db.read() as session:
        told = [task.text for task in open_tasks(session, clinic_id=clinic.clinic_id)]
        confirmed = session.scalars(select(Appointment.patient_confirmed_at)).all()
    assert told == ["Says that they will come to Back class, Monday, March 15, 2027, 2:00 PM."]
    assert confirmed == [None]


def test_who_says_that_they_will_come_to_a_package_comes_to_every_step(clinic: Clinic) -> None:
    clinic.text("health day on Monday at 9")
    clinic.text("yes")

    reply = clinic.text("I want to confirm my appointment")

    assert "noted that you are coming on Mon Mar 15, 9:00 AM" in reply
    with clinic.db.read() as session:
        assert session.scalars(select(Appointment.patient_confirmed_at)).all() == [NOW, NOW]


def test_a_package_whose_steps_staff_took_apart_is_told_step_by_step(clinic: Clinic) -> None:
    clinic.text("health day on Monday at 9")
    clinic.text("yes")
    with clinic.db.begin() as work:
        first = work.session.scalars(select(Appointment.id).order_by(Appointment.starts_at)).first()
        assert first is not None
        cancel_appointment(
            work, clinic.catalogue, appointment_id=first, reason=None, now=NOW, actor="staff:desk", source=Source.STAFF
        )

    clinic.text("when is my appointment?")
    reply = clinic.text("Ann Smith, May 2 1984")

    assert "Doctor's examination, Mon Mar 15, 9:15 AM" in reply
    assert "Health day" not in reply


@pytest.mark.parametrize(
    ("wish", "doctor"),
    [
        ("health day on Tuesday at 9 with Dr. Ruiz", "ruiz"),
        ("health day on Tuesday at 9 with Dr. Patel", "patel"),
        ("health day on Tuesday at 9, but not with Dr. Patel", "ruiz"),
        ("health day on Tuesday at 9, but not with Dr. Ruiz", "patel"),
    ],
)
def test_who_was_asked_for_gives_their_step_of_a_package_and_who_was_refused_gives_none(
    clinic: Clinic, wish: str, doctor: str
) -> None:
    clinic.text(wish)
    reply = clinic.text("yes")

    assert reply.startswith("Booked: Health day, Tue Mar 16, 9:00 AM, Nurse Tom Brooks.")
    assert clinic.practitioners() == ["brooks", doctor]


def test_a_package_that_only_a_refused_person_could_give_is_not_offered(clinic: Clinic) -> None:
    reply = clinic.text("health day on Monday at 9, but not with Dr. Patel and not with Dr. Ruiz")

    assert "Shall I book it" not in reply
    assert clinic.practitioners() == []
