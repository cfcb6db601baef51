"""A text that answers a reminder, from the telephone that was reminded."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache
from booking.model.appointment import Appointment
from booking.reminded import note_reminders, note_told, visits_ahead
from booking.reminders import Due
from booking.values import BookedVisit, Catalogue, Source
from dialog.inbound import Channel, Inbound, InboundKind
from dialog.turn import Dialog
from dialog.understanding.local import LocalInterpreter
from kernel.clock import FixedClock
from kernel.turn_lock import InProcessTurnLock
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET
from tests.support.visits import book_filling, patient_of

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 14, 15, 0, tzinfo=UTC)  # a Sunday, 11:00 in Albany
TUESDAY_9 = datetime(2027, 3, 16, 13, 0, tzinfo=UTC)
ANN, STRANGER = "+12125550141", "+12125550142"
TWO_DAYS, HOUR = timedelta(days=2), timedelta(hours=1)
COMING = "Thank you, I have noted that you are coming."
Text = Callable[..., str]


class Reminding:
    """Elm Street Clinic, a patient who has visits, and texts that remind of them."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.catalogue: Catalogue = elm_catalogue()
        with db.begin() as work:
            store_catalogue(work, self.catalogue)
        self.ann = patient_of(db, self.catalogue, phone=ANN, now=NOW)

    def book(self, *, starts_at: datetime = TUESDAY_9) -> BookedVisit:
        return book_filling(self.db, self.catalogue, patient_id=self.ann, starts_at=starts_at, now=NOW)

    def remind(self, *visits: BookedVisit, now: datetime = NOW) -> None:
        """Let a text have told Ann of these visits."""
        with self.db.begin() as work:
            ahead = visits_ahead(work.session, clinic_id=self.catalogue.clinic_id, leads=[TWO_DAYS], now=now)
            told = [Due(one, TWO_DAYS) for one in ahead if one.appointment_id in {visit.id for visit in visits}]
            message_id = f"text-{visits[0].id}"
            note_reminders(work, told, clinic_id=self.catalogue.clinic_id, now=now, message_id=message_id, number=ANN)
            note_told(work, message_id=message_id, now=now)

    def cancel(self, visit: BookedVisit) -> None:
        with self.db.begin() as work:
            cancel_appointment(
                work, self.catalogue, appointment_id=visit.id, reason="ill", now=NOW, actor="patient", source=Source.SMS
            )

    def confirmed(self) -> list[datetime]:
        with self.db.read() as session:
            said = Appointment.patient_confirmed_at.is_not(None)
            return list(session.scalars(select(Appointment.starts_at).where(said).order_by(Appointment.starts_at)))


@pytest.fixture
def clinic(sqlite_url: str) -> Iterator[Reminding]:
    db = Database(sqlite_url, secret=SECRET)
    yield Reminding(db)
    db.dispose()


@pytest.fixture
def text(clinic: Reminding) -> Text:
    """Send a text and return the answer."""
    clock = FixedClock(NOW)
    dialog = Dialog(
        db=clinic.db,
        clock=clock,
        lock=InProcessTurnLock(),
        interpreter=LocalInterpreter(),
        catalogues=CatalogueCache(),
    )
    sent: list[str] = []

    def send(words: str, *, sender: str = ANN, now: datetime = NOW + HOUR) -> str:
        clock.advance(now - clock.now())
        sent.append(words)
        thread, key = f"{sender}>+12125550100", f"sms:{len(sent)}"
        return dialog.handle_turn(
            Inbound(clinic.catalogue.clinic_id, Channel.SMS, InboundKind.SAID, thread, key, sender, words)
        ).text

    return send


@pytest.mark.parametrize("words", ["1", "Yes", "sí", "I confirm my appointment", "Sí, ahí estaré"])
def test_a_yes_from_the_number_reminded_confirms_and_tells_nothing(clinic: Reminding, text: Text, words: str) -> None:
    clinic.remind(clinic.book())

    assert text(words) == COMING
    assert clinic.confirmed() == [TUESDAY_9]


def test_a_one_confirms_all_visits_of_the_text_and_another_s_nothing(clinic: Reminding, text: Text) -> None:
    clinic.remind(clinic.book(), clinic.book(starts_at=TUESDAY_9 + HOUR))

    assert text("1", sender=STRANGER) != COMING
    assert clinic.confirmed() == []
    assert text("1") == COMING
    assert clinic.confirmed() == [TUESDAY_9, TUESDAY_9 + HOUR]


@pytest.mark.parametrize("words", ["2", "I need to move it", "No"])
def test_who_wants_to_move_proves_who_they_are_and_need_not_say_which(
    clinic: Reminding, text: Text, words: str
) -> None:
    clinic.book(starts_at=TUESDAY_9 + 2 * HOUR)
    clinic.remind(clinic.book())

    asked = text(words)
    assert "9:00" not in asked
    assert "name" in asked
    text("Ann Smith", now=NOW + HOUR)
    moving = text("May 2, 1984", now=NOW + HOUR)

    assert "9:00" in moving
    assert "11:00" not in moving


def test_a_one_with_a_question_confirms_and_answers_the_question(clinic: Reminding, text: Text) -> None:
    clinic.remind(clinic.book())

    answer = text("1, and is there parking?")

    assert COMING in answer
    assert "Free parking" in answer
    assert clinic.confirmed() == [TUESDAY_9]


@pytest.mark.parametrize("words", ["2, can I come at 10?", "Yes but can we make it 10?"])
def test_who_names_another_time_moves_the_visit_and_books_no_second_one(
    clinic: Reminding, text: Text, words: str
) -> None:
    clinic.remind(clinic.book())

    for said in (words, "Ann Smith"):
        text(said)
    offered = text("May 2, 1984")

    assert "Filling: Tue Mar 16, 10:00 AM" in offered
    assert clinic.confirmed() == []


@pytest.mark.parametrize("words", ["1 pm is better", "Can I book another appointment for Friday?"])
def test_a_text_that_begins_something_else_confirms_and_moves_nothing(
    clinic: Reminding, text: Text, words: str
) -> None:
    clinic.remind(clinic.book())

    assert "What would you like to come in for?" in text(words)
    assert clinic.confirmed() == []


def test_who_cancels_in_words_is_asked_about_the_visit_they_were_reminded_of(clinic: Reminding, text: Text) -> None:
    clinic.book(starts_at=TUESDAY_9 + 2 * HOUR)
    clinic.remind(clinic.book())

    text("Please cancel my appointment")
    text("Ann Smith")

    assert "9:00" in text("May 2, 1984")


def test_a_later_one_that_answers_something_else_confirms_nothing(clinic: Reminding, text: Text) -> None:
    clinic.remind(clinic.book())
    offered = text("I'd like a filling on Wednesday")
    assert "1" in offered

    text("1", now=NOW + HOUR)

    assert clinic.confirmed() == []


def test_what_has_changed_since_is_not_confirmed(clinic: Reminding, text: Text) -> None:
    visit = clinic.book()
    clinic.remind(visit)
    clinic.cancel(visit)

    assert text("1").startswith("That appointment has changed")
    assert clinic.confirmed() == []


def test_a_yes_after_the_visit_is_about_nothing(clinic: Reminding, text: Text) -> None:
    clinic.remind(clinic.book())

    assert text("yes", now=TUESDAY_9 + HOUR) != COMING
    assert clinic.confirmed() == []
