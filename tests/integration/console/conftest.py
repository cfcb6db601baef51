"""The console on a real database and a real Redis, with a clinic, its staff and a day of its diary."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from booking.catalogue import CatalogueCache
from booking.model.clinic import Clinic
from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import BookedVisit, Catalogue, TaskKind
from calendar_sync.discovery import FoundCalendar
from calendar_sync.ports import LinkAccess
from frontdesk.console.blueprint import console_blueprint
from frontdesk.simulator.blueprint import simulator_blueprint
from frontdesk.users import Role, User
from kernel.clock import FixedClock
from kernel.config import Mode, Settings, load_settings
from kernel.mail import Mail
from kernel.work import Database
from tests.support.calendars import Calendars, sync_with
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET
from tests.support.visits import NOW, book
from voice.ports import Audio

PASSWORD = "correct horse battery"


@dataclass
class Finder:
    """What looking for calendars gives: some, or a failure. `asked` are the log-ins it was asked with."""

    gives: Sequence[FoundCalendar] | Exception = ()
    asked: list[LinkAccess] = field(default_factory=list)

    def __call__(self, access: LinkAccess) -> tuple[FoundCalendar, ...]:
        self.asked.append(access)
        if isinstance(self.gives, Exception):
            raise self.gives
        return tuple(self.gives)


class OneRecording:
    """A vendor that has one recording under every name."""

    def fetch(self, _recording_sid: str) -> Audio:
        return Audio(pieces=iter([b"hello"]), media_type="audio/wav", length=5)


@dataclass
class Post:
    """A mail server that takes mails, or fails as it is told to."""

    sent: list[Mail] = field(default_factory=list)
    failure: Exception | None = None
    is_on: bool = True

    def send(self, mail: Mail) -> None:
        if self.failure:
            raise self.failure
        self.sent.append(mail)


@dataclass
class Site:
    """The console of one clinic, and what is in it."""

    app: Flask
    db: Database
    clock: FixedClock
    catalogue: Catalogue
    visit: BookedVisit
    task_id: str
    calendars: Calendars
    finder: Finder
    post: Post

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def logged_in(self, login: str = "admin") -> FlaskClient:
        client = self.browser()
        assert log_in(client, login=login).status_code == 302
        return client


def a_user(login: str, clinic_id: str, role: Role, *, practitioner_id: str | None = None) -> User:
    return User(
        clinic_id=clinic_id, login=login, password_hash=hash_once(), role=role.value, practitioner_id=practitioner_id,
        created_at=NOW,
    )  # fmt: skip


@cache
def hash_once() -> str:
    """Hash the password once for all tests, and so that checking it takes no time: a stored hash says how long it takes."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def log_in(client: FlaskClient, *, login: str = "admin", password: str = PASSWORD, **fields: str) -> TestResponse:
    page = client.get("/console/log-in")
    return client.post(
        "/console/log-in", data={"login": login, "password": password, "csrf_token": seal_of(page), **fields}
    )


def seal_of(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.get_data(as_text=True))
    assert found, "the page has no sealed form"
    return found[1]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load_settings({"FRONTDESK_DATA": str(tmp_path / "data")}), secret_key=SECRET)


@pytest.fixture
def site(database: Database, redis_url: str, settings: Settings) -> Iterator[Site]:
    redis = Redis.from_url(redis_url)
    clock, catalogue = FixedClock(NOW), elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
        work.session.add(a_user("admin", catalogue.clinic_id, Role.ADMINISTRATOR))
        work.session.add(a_user("desk", catalogue.clinic_id, Role.FRONT_DESK))
        work.session.add(a_user("audit", catalogue.clinic_id, Role.AUDITOR))
        for key in ("lee", "ruiz"):
            person = f"practitioner-{key}"
            work.session.add(a_user(key, catalogue.clinic_id, Role.PRACTITIONER, practitioner_id=person))
        work.session.add(
            Clinic(
                id="clinic-oak", key="oak", name="Oak Clinic", timezone="Europe/London", country="GB", languages=["en"],
                phone=None, transfer_to=None, rules={}, answers=[],
            )
        )  # fmt: skip
        work.session.flush()
        work.session.add(a_user("oak", "clinic-oak", Role.ADMINISTRATOR))
        task_id = open_task(
            work, clinic_id=catalogue.clinic_id, kind=TaskKind.CALL_BACK, says=TaskSays.MESSAGE, details={"words": "Call about the <bill>"}, now=NOW,
            phone="+12125550123",
        )  # fmt: skip
    visit = book(database, catalogue, practitioner="lee", starts_at=datetime(2027, 3, 15, 13, 0, tzinfo=UTC))
    calendars, finder, post = Calendars(), Finder(), Post()
    services = SimpleNamespace(
        settings=settings,
        db=database,
        clock=clock,
        redis=redis,
        catalogues=CatalogueCache(),
        jobs=SimpleNamespace(db=database, clock=clock, mailer=post, calendar_sync=sync_with(database, calendars)),
        find_calendars=finder,
        recordings=OneRecording(),
    )
    yield Site(make_app(services), database, clock, catalogue, visit, task_id, calendars, finder, post)
    redis.close()


@pytest.fixture
def production_site(site: Site, settings: Settings, redis_url: str) -> Iterator[Site]:
    redis = Redis.from_url(redis_url)
    services = SimpleNamespace(
        settings=replace(settings, mode=Mode.PRODUCTION, public_base_url="https://clinic.example"),
        db=site.db,
        clock=site.clock,
        redis=redis,
        catalogues=CatalogueCache(),
    )
    yield replace(site, app=make_app(services))
    redis.close()


def make_app(services: SimpleNamespace) -> Flask:
    app = Flask("site", static_folder=None)
    app.url_map.strict_slashes = False
    app.register_blueprint(console_blueprint(services))
    app.register_blueprint(simulator_blueprint(services))
    return app
