"""A wish for a time that is not free becomes an entry of the clinic's waiting list."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from booking.catalogue import CatalogueCache
from booking.queries import upcoming_visits
from booking.tasks import open_tasks
from booking.waiting_list.waiting import Waiting
from booking.waiting_list.waitlist import waiting_at
from dialog.inbound import Channel, Inbound, InboundKind
from dialog.turn import Dialog
from dialog.understanding.local import LocalInterpreter
from kernel.clock import FixedClock
from kernel.interval import Interval
from kernel.turn_lock import InProcessTurnLock
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, PATIENT_PHONE, book

pytestmark = pytest.mark.integration

CATALOGUE = elm_catalogue()
Text = Callable[[str], str]
ON_LIST = "You are on the waiting list for dental cleaning. If a time that suits comes free, we will let you know."


@pytest.fixture
def text(database: Database) -> Text:
    """Send a text, a minute after the one before, and return the answer. The clinic knows Ann Smith's number."""
    with database.begin() as work:
        store_catalogue(work, CATALOGUE)
    book(database, CATALOGUE, practitioner="lee", starts_at=datetime(2027, 3, 30, 13, 0, tzinfo=UTC))
    clock = FixedClock(NOW)
    dialog = Dialog(
        db=database,
        clock=clock,
        lock=InProcessTurnLock(),
        interpreter=LocalInterpreter(),
        catalogues=CatalogueCache(),
    )
    sent: list[str] = []

    def send(words: str) -> str:
        clock.advance(timedelta(minutes=1))
        sent.append(words)
        thread, key = f"{PATIENT_PHONE}>+12125550100", f"sms:{len(sent)}"
        inbound = Inbound(CATALOGUE.clinic_id, Channel.SMS, InboundKind.SAID, thread, key, PATIENT_PHONE, words)
        return dialog.handle_turn(inbound).text

    return send


def waiting(database: Database) -> list[Waiting]:
    with database.read() as session:
        return waiting_at(session, clinic_id=CATALOGUE.clinic_id, now=NOW)


def tasks(database: Database) -> list[str]:
    with database.read() as session:
        return [one.text for one in open_tasks(session, clinic_id=CATALOGUE.clinic_id)]


def visits(database: Database) -> list[str]:
    with database.read() as session:
        (patient_id,) = {one.patient_id for one in waiting_at(session, clinic_id=CATALOGUE.clinic_id, now=NOW)}
        return [str(one.id) for one in upcoming_visits(session, patient_ids=(patient_id,), now=NOW)]


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2027, 3, day, hour, minute, tzinfo=UTC)


def test_a_wish_that_can_not_be_met_waits_for_what_was_wished(database: Database, text: Text) -> None:
    book(database, CATALOGUE, practitioner="lee", starts_at=utc(16, 13), phone="+12125550777")
    text("cleaning with Dr Lee on Tuesday at 9")

    reply = text("put me on the waiting list")

    assert ON_LIST in reply
    (entry,) = waiting(database)
    assert (entry.service_id, entry.practitioner_ids) == ("service-cleaning", ("practitioner-lee",))
    assert entry.spans[0] == Interval(utc(16, 13), utc(16, 13, 1))
    assert tasks(database) == []


def test_who_books_meanwhile_waits_to_move_that_visit(database: Database, text: Text) -> None:
    book(database, CATALOGUE, practitioner="lee", starts_at=utc(16, 13), phone="+12125550777")
    text("cleaning with Dr Lee on Tuesday at 9")
    text("put me on the waiting list")

    text("1")
    text("yes")

    (entry,) = waiting(database)
    assert entry.replaces_id in visits(database)
    assert entry.spans[0] == Interval(utc(16, 13), utc(16, 13, 1))


def test_who_booked_waits_for_what_is_earlier_than_all_that_was_offered(database: Database, text: Text) -> None:
    text("I need a cleaning on Tuesday or Wednesday next week")
    text("1")
    text("yes")

    assert ON_LIST in text("let me know if something comes free earlier")
    (entry,) = waiting(database)
    assert entry.replaces_id in visits(database)
    assert [span.end for span in entry.spans] == [utc(16, 13)]


def test_before_the_first_hour_of_the_wish_nothing_can_come_free_and_staff_are_told(
    database: Database, text: Text
) -> None:
    text("I need a cleaning on Tuesday or Wednesday next week")

    reply = text("none of these work, put me on the waiting list")

    assert "told our staff" in reply
    assert waiting(database) == []
    assert len(tasks(database)) == 1


def test_who_has_a_visit_waits_for_an_earlier_time_once_they_said_who_they_are(database: Database, text: Text) -> None:
    text("I need to move my cleaning")
    text("Ann Smith")
    text("5/2/1984")

    assert ON_LIST in text("let me know if something comes free earlier")
    (entry,) = waiting(database)
    assert (entry.replaces_id in visits(database), entry.spans) == (True, ())


def test_a_number_alone_is_not_enough_to_wait_for_another_time_of_a_visit(database: Database, text: Text) -> None:
    reply = text("put me on the waiting list")

    assert "told our staff" in reply
    assert waiting(database) == []
