"""A text that answers another time kept instead of a visit that can't take place, from the telephone that it was told to."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from booking.catalogue import CatalogueCache, load_catalogue
from booking.desk.absence import Absence
from booking.desk.away import Instead, apply_away
from booking.desk.offered_moves import offered_moves
from booking.queries import upcoming_visits, visit
from booking.tasks import open_tasks
from booking.values import BookedVisit, Catalogue, DateSpan
from dialog.inbound import Channel, Inbound, InboundKind
from dialog.turn import Dialog
from dialog.understanding.local import LocalInterpreter
from kernel.clock import FixedClock
from kernel.turn_lock import InProcessTurnLock
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, PATIENT_PHONE, book

pytestmark = pytest.mark.integration

NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # a Monday, 9:00 in Albany, when both dentists work
MONDAY = DateSpan(date(2027, 3, 15), date(2027, 3, 16))
BOB = "+12125550151"
BEN = "practitioner-ben-carter"
MINUTE = timedelta(minutes=1)
Text = Callable[..., str]


@dataclass
class Kept:
    """A clinic that keeps another time for a patient whose dentist is away."""

    database: Database
    catalogue: Catalogue
    visit: BookedVisit

    def standing(self) -> BookedVisit:
        with self.database.read() as session:
            return visit(session, appointment_id=self.visit.id)

    def is_kept(self) -> bool:
        with self.database.read() as session:
            return bool(offered_moves(session, patient_ids=(str(self.visit.patient_id),), now=NOW))

    def tasks(self) -> list[str]:
        with self.database.read() as session:
            return [one.text for one in open_tasks(session, clinic_id=self.catalogue.clinic_id)]


@pytest.fixture
def kept(database: Database) -> Kept:
    catalogue = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
    one = book(database, catalogue, practitioner="lee", starts_at=NINE)
    with database.begin() as work:
        apply_away(
            work,
            load_catalogue(work.session, clinic_id=catalogue.clinic_id),
            practitioner_id="practitioner-lee",
            absence=Absence(MONDAY),
            reason="ill",
            instead=Instead.ASK,
            now=NOW,
            actor="staff:kim",
        )
    return Kept(database, catalogue, one)


@pytest.fixture
def text(database: Database, kept: Kept) -> Text:
    """Send a text and return the answer."""
    clock = FixedClock(NOW)
    dialog = Dialog(
        db=database,
        clock=clock,
        lock=InProcessTurnLock(),
        interpreter=LocalInterpreter(),
        catalogues=CatalogueCache(),
    )
    sent: list[str] = []

    def send(words: str, *, sender: str = PATIENT_PHONE, now: datetime = NOW + MINUTE) -> str:
        clock.advance(now - clock.now())
        sent.append(words)
        thread = f"{sender}>+12125550100"
        key = f"sms:{len(sent)}"
        inbound = Inbound(kept.catalogue.clinic_id, Channel.SMS, InboundKind.SAID, thread, key, sender, words)
        return dialog.handle_turn(inbound).text

    return send


@pytest.mark.parametrize("words", ["1", "Yes please", "I'll take it", "OK thanks"])
def test_a_yes_moves_the_visit_and_says_to_when_and_nothing_else(kept: Kept, text: Text, words: str) -> None:
    reply = text(words)

    assert reply == "Your appointment is now on Mon Mar 15, 9:00 AM, Main Street."
    assert (kept.standing().practitioner_id, kept.standing().starts_at) == (BEN, NINE)
    assert kept.tasks() == []


def test_a_second_yes_moves_nothing_more(kept: Kept, text: Text) -> None:
    text("1")
    moved = kept.standing()

    text("1", now=NOW + 2 * MINUTE)

    assert kept.standing() == moved


def test_a_no_gives_the_time_back_and_staff_hear_of_it(kept: Kept, text: Text) -> None:
    reply = text("2")

    assert reply == "All right, I let it go. I have asked our staff to get in touch with you about another time."
    assert kept.standing() == kept.visit
    assert not kept.is_kept()
    assert any("Said no to the time that was kept" in one for one in kept.tasks())


def test_another_s_telephone_answers_nothing(kept: Kept, text: Text) -> None:
    reply = text("1", sender=BOB)

    assert "Mar 15" not in reply
    assert kept.standing() == kept.visit
    assert kept.is_kept()


def test_a_yes_that_comes_too_late_is_told_and_left_to_staff(kept: Kept, text: Text) -> None:
    reply = text("1", now=NOW + timedelta(hours=24))

    assert "not kept for you any more" in reply
    assert kept.standing() == kept.visit
    assert any("but too late" in one for one in kept.tasks())


def test_a_number_answers_what_the_conversation_asked_since(kept: Kept, text: Text) -> None:
    text("I want to book a flu shot tomorrow")
    text("1")

    assert kept.standing() == kept.visit
    assert kept.is_kept()


def asks_to_move(text: Text, when: str) -> str:
    text(f"I need to move my cleaning to {when}")
    text("Ann Smith")
    return text("5/2/1984")


def test_who_asks_for_the_kept_time_by_name_can_have_it(kept: Kept, text: Text) -> None:
    asks_to_move(text, "Monday March 15 at 9")
    reply = text("Ben Carter")

    assert "to Mon Mar 15, 9:00 AM, Ben Carter" in reply
    assert kept.is_kept()
    text("yes")
    assert (kept.standing().practitioner_id, kept.standing().starts_at) == (BEN, NINE)


def test_who_moves_to_another_time_gives_the_kept_one_back(kept: Kept, text: Text) -> None:
    asks_to_move(text, "Tuesday March 16 at 10 with anybody")
    text("1")
    text("yes")

    assert kept.standing().starts_at > NINE
    assert not kept.is_kept()


def test_the_patient_has_one_visit_whatever_the_answer(kept: Kept, text: Text) -> None:
    text("1")

    with kept.database.read() as session:
        visits = upcoming_visits(session, patient_ids=(str(kept.visit.patient_id),), now=NOW)
    assert [one.id for one in visits] == [kept.visit.id]
