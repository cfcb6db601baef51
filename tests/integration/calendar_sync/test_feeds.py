"""A practitioner's feed: what it shows, to whom, and for how long."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import vobject
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import select
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from booking.asked import UnknownPractitioner
from booking.cancel import cancel_appointment
from booking.catalogue import stored_rules
from booking.model.clinic import Clinic
from booking.model.staff import Practitioner
from booking.values import BookedVisit, CalendarPolicy, PatientInFeed, Source
from calendar_sync.feeds import feed_address, feeds_of, make_feed, revoke_feed
from calendar_sync.model import CalendarFeed
from frontdesk import feeds
from frontdesk.app import create_app
from frontdesk.bootstrap import Services, build_in_process
from kernel.clock import FixedClock
from kernel.telephony import TwilioAccount
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, book, move

pytestmark = pytest.mark.integration

MONDAY_9 = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # 9:00 in Albany
HOUR = timedelta(hours=1)
LEE = "practitioner-lee"


class Reader:
    """A calendar program that reads the feed of Dr. Lee at a running product."""

    def __init__(self, services: Services, clock: FixedClock) -> None:
        self.services, self.clock = services, clock
        self.catalogue = elm_catalogue()
        with services.db.begin() as work:
            store_catalogue(work, self.catalogue)
        self.client: FlaskClient = create_app(services).test_client()
        self.path = self.make()

    def make(self) -> str:
        with self.services.db.begin() as work:
            secret = make_feed(
                work, clinic_id=self.catalogue.clinic_id, practitioner_id=LEE, now=self.clock.now(), actor="staff:kim"
            )
        return feed_address("", secret)

    def revoke(self, *, clinic_id: str | None = None) -> bool:
        with self.services.db.begin() as work:
            return revoke_feed(
                work, clinic_id=clinic_id or self.catalogue.clinic_id, practitioner_id=LEE, actor="staff:kim"
            )

    def read(self, path: str | None = None, *, etag: str | None = None) -> TestResponse:
        return self.client.get(path or self.path, headers={} if etag is None else {"If-None-Match": etag})

    def events(self) -> list[tuple[str, str, datetime]]:
        """Return what the feed has: uid, summary and start."""
        text = self.read().get_data(as_text=True)
        calendar = Calendar.from_ical(text)
        assert calendar.errors == []
        assert vobject.readOne(text).validate(raiseException=True)
        return [(str(one["UID"]), str(one["SUMMARY"]), one.start) for one in calendar.events]

    def book(self, *, hours: float = 0, practitioner: str = "lee") -> BookedVisit:
        return book(
            self.services.db, self.catalogue, practitioner=practitioner, starts_at=MONDAY_9 + hours * HOUR, now=NOW
        )

    def decide(self, shown: PatientInFeed) -> None:
        policy = CalendarPolicy(patient_in_feed=shown)
        with self.services.db.begin() as work:
            clinic = work.session.get_one(Clinic, self.catalogue.clinic_id)
            clinic.calendars, clinic.version = stored_rules(vars(policy)), clinic.version + 1


@pytest.fixture
def reader(sqlite_url: str, tmp_path: Path) -> Iterator[Reader]:
    account = TwilioAccount(sid="AC" + "0" * 32, auth_tokens=("token",), api_base_url=None, is_real=False)
    services, clock = build_in_process(data_dir=tmp_path, account=account, now=NOW, database_url=sqlite_url)
    yield Reader(services, clock)
    services.close()


def test_a_feed_shows_the_visits_of_its_practitioner_as_they_stand(reader: Reader) -> None:
    first, second = reader.book(), reader.book(hours=2)
    with reader.services.db.begin() as work:
        cancel_appointment(
            work,
            reader.catalogue,
            appointment_id=second.id,
            reason=None,
            now=NOW,
            actor="patient",
            source=Source.SMS,
        )
    move(
        reader.services.db,
        reader.catalogue,
        first,
        practitioner="lee",
        starts_at=MONDAY_9 + HOUR,
        now=NOW,
    )

    assert reader.events() == [(first.uid, "Dental cleaning", MONDAY_9 + HOUR)]


def test_a_feed_is_text_for_calendar_programs_and_for_nobody_in_between(reader: Reader) -> None:
    answer = reader.read()

    assert (answer.status_code, answer.content_type) == (200, "text/calendar; charset=utf-8")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.get_data().startswith(b"BEGIN:VCALENDAR\r\n")
    assert reader.events() == []


def test_whoever_has_it_already_is_told_so_until_something_changes(reader: Reader) -> None:
    reader.book()
    first = reader.read()
    etag = first.headers["ETag"]

    same = reader.read(etag=etag)
    reader.clock.advance(HOUR)
    later = reader.read(etag=etag)
    reader.book(hours=2)
    changed = reader.read(etag=etag)

    assert [one.status_code for one in (first, same, later, changed)] == [200, 304, 304, 200]
    assert same.get_data() == b""
    assert changed.headers["ETag"] != etag


def test_a_feed_goes_back_a_month_and_no_further(reader: Reader) -> None:
    reader.book()
    reader.clock.advance(timedelta(days=34))
    a_month_later = reader.events()
    reader.clock.advance(timedelta(days=2))

    assert len(a_month_later) == 1
    assert reader.events() == []


@pytest.mark.parametrize(
    ("shown", "summary"),
    [
        (PatientInFeed.NOTHING, "Dental cleaning"),
        (PatientInFeed.INITIALS, "Dental cleaning: A. S."),
        (PatientInFeed.NAME, "Dental cleaning: Ann Smith"),
    ],
)
def test_the_clinic_decides_what_is_said_of_patients(reader: Reader, shown: PatientInFeed, summary: str) -> None:
    reader.decide(shown)
    reader.book()

    assert [said for _, said, _ in reader.events()] == [summary]


def test_a_new_address_ends_the_one_before(reader: Reader) -> None:
    earlier, reader.path = reader.path, reader.make()

    assert reader.read(earlier).status_code == 404
    assert reader.read().status_code == 200


def test_a_revoked_address_is_like_one_that_never_was(reader: Reader) -> None:
    assert not reader.revoke(clinic_id="another")
    assert reader.revoke()
    assert not reader.revoke()

    revoked, never = reader.read(), reader.read("/feeds/" + "x" * 43 + ".ics")

    assert (revoked.status_code, revoked.get_data()) == (404, never.get_data())


@pytest.mark.parametrize("path", ["/feeds/.ics", "/feeds/x.ics", "/feeds/" + "x" * 5000 + ".ics", "/feeds/%00%ff.ics"])
def test_what_is_no_feed_is_not_found(reader: Reader, path: str) -> None:
    assert reader.read(path).status_code == 404


def test_nobody_has_a_feed_who_is_gone_or_of_another_clinic(reader: Reader) -> None:
    with pytest.raises(UnknownPractitioner), reader.services.db.begin() as work:
        make_feed(work, clinic_id="another", practitioner_id=LEE, now=NOW, actor="staff:kim")
    with reader.services.db.begin() as work:
        work.session.get_one(Practitioner, LEE).retired = True
        work.session.get_one(Clinic, reader.catalogue.clinic_id).version += 1

    assert reader.read().status_code == 404
    with pytest.raises(UnknownPractitioner), reader.services.db.begin() as work:
        make_feed(work, clinic_id=reader.catalogue.clinic_id, practitioner_id=LEE, now=NOW, actor="staff:kim")


def test_the_secret_is_stored_nowhere_and_logged_nowhere(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object, **_named: object) -> None:
        raise RuntimeError("a bug")

    with capture_logs() as lines:
        reader.path = reader.make()
        monkeypatch.setattr(feeds, "write_feed", fail)
        broken = reader.read()

    with reader.services.db.read() as session:
        [row] = session.scalars(select(CalendarFeed))
    secret = reader.path.removeprefix("/feeds/").removesuffix(".ics")
    assert broken.status_code == 500
    assert "http.bug" in [line["event"] for line in lines]
    assert len(secret) >= 43
    assert secret not in repr(lines)
    assert secret not in repr(vars(row))


def test_staff_see_who_has_a_feed_and_whether_it_is_in_use(reader: Reader) -> None:
    def info() -> tuple[str, datetime | None]:
        with reader.services.db.read() as session:
            found = feeds_of(session, clinic_id=reader.catalogue.clinic_id)[LEE]
        return found.created_by, found.read_at

    before = info()
    reader.read()
    first = info()
    reader.clock.advance(HOUR / 2)
    reader.read()

    assert (before, first, info()) == (("staff:kim", None), ("staff:kim", NOW), ("staff:kim", NOW))


def test_guesses_and_floods_are_told_to_wait(reader: Reader, redis_url: str) -> None:
    from redis import Redis

    with Redis.from_url(redis_url) as redis:
        services = replace(reader.services, redis=redis)
        reader.client = create_app(services).test_client()
        guesses = [reader.read("/feeds/guess.ics").status_code for _ in range(feeds.PER_MINUTE + 1)]
        reads = [reader.read() for _ in range(feeds.PER_MINUTE + 1)]

    assert set(guesses[:-1]) == {404}
    assert {one.status_code for one in reads[:-1]} == {200}
    assert (guesses[-1], reads[-1].status_code) == (429, 429)
    assert 0 < int(reads[-1].headers["Retry-After"]) <= 60
