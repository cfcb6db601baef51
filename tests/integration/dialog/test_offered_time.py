"""A text that answers an offer of freed time, from the telephone that it was sent to."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.catalogue import CatalogueCache
from booking.model.appointment import Appointment
from booking.queries import upcoming_visits
from booking.tasks import open_tasks
from booking.values import AppointmentStatus
from booking.waiting_list.waitlist import OfferStatus
from dialog.inbound import Channel, Inbound, InboundKind
from dialog.model import Turn
from dialog.turn import Dialog
from dialog.understanding.local import LocalInterpreter
from kernel.clock import FixedClock
from kernel.turn_lock import InProcessTurnLock
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW
from tests.support.waiting_list import NINE, WaitingList

pytestmark = pytest.mark.integration

ANN, BOB = "+12125550150", "+12125550151"
Text = Callable[..., str]


@pytest.fixture
def waiting(database: Database) -> WaitingList:
    catalogue = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
    return WaitingList(database, catalogue)


@pytest.fixture
def text(database: Database, waiting: WaitingList) -> Text:
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

    def send(words: str, *, sender: str = ANN, now: datetime = NOW + timedelta(minutes=1), key: str = "") -> str:
        clock.advance(now - clock.now())
        sent.append(words)
        inbound: Any = Inbound(
            waiting.catalogue.clinic_id,
            Channel.SMS,
            InboundKind.SAID,
            f"{sender}>+12125550100",
            key or f"sms:{len(sent)}",
            sender,
            words,
        )
        return dialog.handle_turn(inbound).text

    return send


def visits(waiting: WaitingList, patient_id: str) -> list[datetime]:
    with waiting.database.read() as session:
        return [one.starts_at for one in upcoming_visits(session, patient_ids=(patient_id,), now=NOW)]


def test_a_one_takes_the_time_and_says_so(waiting: WaitingList, text: Text) -> None:
    patient = waiting.patient(phone=ANN)
    waiting.join(patient)
    waiting.offer()

    reply = text("1")

    assert reply == "It is yours: Wed Mar 17, 9:00 AM, Riverside."
    assert visits(waiting, patient) == [NINE]
    with waiting.database.read() as session:
        [turn] = session.scalars(select(Turn))
        assert turn.number == 1


def test_the_same_text_twice_takes_it_once(waiting: WaitingList, text: Text) -> None:
    patient = waiting.patient(phone=ANN)
    waiting.join(patient)
    waiting.offer()

    assert text("1", key="sms:same") == text("1", key="sms:same")
    assert visits(waiting, patient) == [NINE]


def test_a_two_passes_and_the_next_in_line_can_have_it(waiting: WaitingList, text: Text) -> None:
    first, second = waiting.patient("Ann Smith", phone=ANN), waiting.patient("Bob Jones", phone=BOB)
    waiting.join(first)
    waiting.join(second, now=NOW + timedelta(seconds=1))
    waiting.offer(now=NOW + timedelta(seconds=2))

    reply = text("2")
    waiting.offer(now=NOW + timedelta(minutes=2))

    assert reply == "All right, I let it go. You stay on the waiting list."
    assert waiting.of(first)[0].status is OfferStatus.DECLINED
    assert text("yes", sender=BOB, now=NOW + timedelta(minutes=3)).startswith("It is yours")
    assert visits(waiting, second) == [NINE]


def test_another_s_telephone_takes_nothing(waiting: WaitingList, text: Text) -> None:
    patient = waiting.patient(phone=ANN)
    waiting.join(patient)
    waiting.offer()

    reply = text("1", sender=BOB)

    assert "yours" not in reply
    assert waiting.of(patient)[0].status is OfferStatus.OPEN


def test_who_comes_second_or_too_late_hears_that_it_is_gone(waiting: WaitingList, text: Text) -> None:
    waiting = waiting.offering_to_all()
    first, second = waiting.patient("Ann Smith", phone=ANN), waiting.patient("Bob Jones", phone=BOB)
    waiting.join(first)
    waiting.join(second)
    waiting.offer()

    text("1", sender=BOB)

    assert text("1", sender=ANN) == "Sorry, that time is gone. You stay on the waiting list."
    assert visits(waiting, first) == []


def test_a_yes_after_the_deadline_is_too_late(waiting: WaitingList, text: Text) -> None:
    patient = waiting.patient(phone=ANN)
    waiting.join(patient)
    waiting.offer()

    assert "gone" in text("1", now=NOW + timedelta(minutes=31))
    assert visits(waiting, patient) == []


def test_a_visit_that_is_moved_is_told_as_moved(waiting: WaitingList, text: Text) -> None:
    having = waiting.taken(NINE + timedelta(days=2))
    waiting.join(str(having.patient_id), replaces_id=having.id)
    waiting.offer()

    reply = text("1", sender="+12125550999")

    assert reply == "Your appointment is now on Wed Mar 17, 9:00 AM, Riverside."
    assert visits(waiting, str(having.patient_id)) == [NINE]


def test_what_stands_in_the_way_is_for_staff(waiting: WaitingList, text: Text) -> None:
    waiting = waiting.offering_to_all()
    patient = waiting.patient(phone=ANN)
    waiting.join(patient)
    waiting.offer()
    with waiting.database.begin() as work:
        from booking.model.patient import Patient

        work.session.get_one(Patient, patient).blocked = True

    reply = text("1")

    assert reply == "I could not book that for you. I have asked our staff to contact you."
    with waiting.database.read() as session:
        [task] = open_tasks(session, clinic_id=waiting.catalogue.clinic_id)
        held = session.scalars(select(Appointment.status)).all()
    assert "This patient can't be booked without the clinic's staff." in task.text
    assert held == [AppointmentStatus.PENDING]


def test_in_a_conversation_under_way_a_number_answers_what_was_asked_last(waiting: WaitingList, text: Text) -> None:
    patient = waiting.patient(phone=ANN)
    waiting.join(patient)
    waiting.offer()

    text("I want to book a flu shot tomorrow")
    text("1")

    assert waiting.of(patient)[0].status is OfferStatus.OPEN
