"""Cal.com's notices make a link due, once each, and only when Cal.com sent them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from calendar_sync.model import CalendarLink
from calendar_sync.webhook import LARGEST_BODY, calcom_blueprint
from kernel.clock import FixedClock
from kernel.work import Database
from tests.support.calcom_account import CalcomAccount, Notice, Person
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 14, 6, 59, tzinfo=UTC)  # a minute before the clocks go forward in New York
LATER = NOW + timedelta(minutes=1)
SECRET = "a secret of one link"
AT = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)


@pytest.fixture
def link_id(database: Database) -> str:
    catalogue = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
        link = CalendarLink(
            clinic_id=catalogue.clinic_id,
            practitioner_id="practitioner-lee",
            kind="calcom",
            url="https://api.cal.test/v2/event-types/7",
            username="visits@clinic.example",
            password="key",
            webhook_secret=SECRET,
            next_try_at=LATER,
            created_at=NOW,
        )
        work.session.add(link)
        work.session.flush()
        return link.id


@pytest.fixture
def web(database: Database) -> Iterator[FlaskClient]:
    app = Flask("test")
    app.register_blueprint(calcom_blueprint(db=database, clock=FixedClock(NOW)))
    with app.test_client() as client:
        yield client


@pytest.fixture
def account() -> CalcomAccount:
    account = CalcomAccount(key="key", clock=lambda: NOW)
    kind = account.add_type("Check-up", minutes=30)
    account.book(event_type_id=kind.id, starts_at=AT, attendee=Person("Ann Smith", "ann@example.com"))
    return account


def send(web: FlaskClient, link_id: str, notice: Notice, *, secret: str | None = SECRET) -> int:
    return web.post(f"/calcom/{link_id}", data=notice.body, headers=notice.headers(secret)).status_code


def due_at(database: Database, link_id: str) -> datetime | None:
    with database.read() as session:
        return session.get_one(CalendarLink, link_id).next_try_at


def change(database: Database, link_id: str, **fields: object) -> None:
    with database.begin() as work:
        link = work.session.get_one(CalendarLink, link_id)
        for name, value in fields.items():
            setattr(link, name, value)


def test_a_booking_made_there_makes_the_link_due_at_once(
    web: FlaskClient, database: Database, link_id: str, account: CalcomAccount
) -> None:
    assert send(web, link_id, account.notices[0]) == 200

    assert due_at(database, link_id) == NOW


def test_a_cancellation_is_looked_at_when_cal_com_has_written_it(
    web: FlaskClient, database: Database, link_id: str, account: CalcomAccount
) -> None:
    account.cancel(account.live()[0].uid, settles_later=True)

    assert send(web, link_id, account.notices[-1]) == 200

    assert due_at(database, link_id) == NOW + timedelta(seconds=20)


def test_a_notice_that_comes_again_does_nothing(
    web: FlaskClient, database: Database, link_id: str, account: CalcomAccount
) -> None:
    send(web, link_id, account.notices[0])
    change(database, link_id, next_try_at=LATER)

    assert send(web, link_id, account.notices[0]) == 200

    assert due_at(database, link_id) == LATER


def test_a_link_in_trouble_waits_as_long_as_it_has_to(
    web: FlaskClient, database: Database, link_id: str, account: CalcomAccount
) -> None:
    change(database, link_id, failures=3)

    assert send(web, link_id, account.notices[0]) == 200

    assert due_at(database, link_id) == LATER


@pytest.mark.parametrize("secret", [None, "", "another secret"])
def test_a_notice_of_a_stranger_is_refused(
    web: FlaskClient, database: Database, link_id: str, account: CalcomAccount, secret: str | None
) -> None:
    assert send(web, link_id, account.notices[0], secret=secret) == 403

    assert due_at(database, link_id) == LATER


@pytest.mark.parametrize("changes", [{"kind": "caldav"}, {"webhook_secret": None}])
def test_a_link_that_takes_no_notices_is_not_found(
    web: FlaskClient, database: Database, link_id: str, account: CalcomAccount, changes: dict[str, object]
) -> None:
    change(database, link_id, **changes)

    assert send(web, link_id, account.notices[0]) == 404
    assert send(web, "no-such-link", account.notices[0]) == 404


def test_a_notice_that_is_too_large_is_not_read(web: FlaskClient, link_id: str) -> None:
    assert send(web, link_id, Notice("BOOKING_CREATED", b"{" * (LARGEST_BODY + 1))) == 413


def test_what_is_signed_but_no_notice_is_malformed(web: FlaskClient, link_id: str) -> None:
    assert send(web, link_id, Notice("BOOKING_CREATED", b"[1, 2")) == 400


def test_a_notice_about_no_booking_is_taken_and_nothing_follows(
    web: FlaskClient, database: Database, link_id: str
) -> None:
    assert send(web, link_id, Notice("PING", b'{"triggerEvent": "PING"}')) == 200

    assert due_at(database, link_id) == LATER


def test_anything_but_a_post_is_refused_with_a_sentence(web: FlaskClient, link_id: str) -> None:
    answer = web.get(f"/calcom/{link_id}")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
