"""Fixtures of the real services. Each starts when a test first asks for it and stops with the run.

Every xdist worker has its own servers, so tests in different workers can't disturb each other. The servers' modules are
imported by the fixtures: unit tests shall not wait for a browser's driver.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from kernel.work import Database
    from tests.support.browser import WatchedPage
    from tests.support.calcom_account import CalcomAccount
    from tests.support.calcom_server import CalcomServer
    from tests.support.calendar_servers import Calendar, CalendarServer
    from tests.support.chat_server import ChatServer
    from tests.support.postgres import PostgresServer
    from tests.support.twilio_server import TwilioServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL: `postgres.fresh_database(make_template=...)` or `postgres.empty_database()`."""
    from tests.support.postgres import postgres_server

    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.support.databases import make_tables

    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh SQLite database with all tables."""
    path = shutil.copyfile(_sqlite_template, tmp_path / "frontdesk.db")
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The address of a fresh PostgreSQL database with all tables."""
    from tests.support.databases import make_tables

    url = postgres.fresh_database(make_template=make_tables)
    yield url
    postgres.give_back(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh database with all tables, on each of the two kinds in turn."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database with all tables, opened, on each of the two kinds in turn."""
    from kernel.work import Database
    from tests.support.databases import SECRET

    opened = Database(database_url, secret=SECRET)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def _valkey_url() -> Iterator[str]:
    from tests.support.valkey_servers import valkey_server

    with valkey_server() as url:
        yield url


@pytest.fixture
def redis_url(_valkey_url: str) -> str:
    """The address of a real Redis that holds nothing."""
    from tests.support.valkey_servers import empty

    empty(_valkey_url)
    return _valkey_url


@pytest.fixture(scope="session")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    """Radicale, running."""
    from tests.support.calendar_servers import radicale_server

    with radicale_server(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture(scope="session")
def xandikos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    """Xandikos, running."""
    from tests.support.calendar_servers import xandikos_server

    with xandikos_server(tmp_path_factory.mktemp("xandikos")) as server:
        yield server


@pytest.fixture(params=["radicale", "xandikos"])
def remote_calendar(request: pytest.FixtureRequest) -> Calendar:
    """An empty calendar, on each of the two servers in turn."""
    server: CalendarServer = request.getfixturevalue(request.param)
    return server.fresh_calendar()


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    """The vendor's stand-in with an empty account. The test fails if a request or an answer broke the vendor's document."""
    from tests.support.twilio_server import twilio_server

    with twilio_server() as server:
        yield server
    assert server.violations == []


@pytest.fixture(scope="session")
def calcom() -> Iterator[CalcomServer]:
    """The stand-in for Cal.com, running."""
    from tests.support.calcom_server import calcom_server

    with calcom_server() as server:
        yield server


@pytest.fixture
def calcom_account(calcom: CalcomServer) -> Iterator[CalcomAccount]:
    """An empty account there. The test fails if a request or an answer was not as our description of Cal.com says."""
    account = calcom.fresh_account()
    yield account
    calcom.forget_faults()
    assert account.violations == []


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    """A language-model server without a script: `chat.will_answer(...)`."""
    from tests.support.chat_server import ChatServer

    server = ChatServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, running."""
    from tests.support.browser import chromium

    with chromium() as running_browser:
        yield running_browser


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., WatchedPage]]:
    """Open pages, `open_page(size=PHONE)`, each without cookies; what goes wrong on them is in `faults`."""
    from tests.support.browser import DESKTOP, watched_page

    with contextlib.ExitStack() as stack:

        def open_one(*, size: tuple[int, int] = DESKTOP) -> WatchedPage:
            return stack.enter_context(watched_page(browser, size=size))

        yield open_one
