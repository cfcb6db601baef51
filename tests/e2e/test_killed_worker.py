"""A worker is killed with -9 at the worst moments; afterwards everything was done, and once.

Real processes, Redis, database and calendar server; the telephony vendor is our stateful stand-in.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from booking.model.staff import Practitioner
from calendar_sync.busy import Reader
from calendar_sync.entry import CalendarEntry
from calendar_sync.links import link_calendar
from jobs.model import OPEN, Delivery, DeliveryState
from sms.model import SmsMessage, SmsState
from tests.support.calendar_servers import Calendar, CalendarServer
from tests.support.postgres import PostgresServer
from tests.support.processes import running
from tests.support.product import ANN, NOW, Product, environment, running_product, stored
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import eventually
from tests.support.withholding_proxy import WithholdingProxy, withholding_proxy

# Several processes start one after the other, on a machine that may be busy.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

LATER = timedelta(minutes=10)  # every lease has run out by then


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'frontdesk.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.empty_database()
    yield url
    server.drop(url)


class Workers:
    """Worker processes, one at a time, each with the clock a little later than the one before."""

    def __init__(self, *, folder: Path, env: dict[str, str]) -> None:
        self._folder = folder
        self._env = env
        self._number = 0

    @property
    def now(self) -> datetime:
        """What the clock of the last one shows: it stands still."""
        return datetime.fromisoformat(NOW) + (self._number - 1) * LATER

    def start(self, stack: ExitStack) -> int:
        """Start a worker and return its process id."""
        self._number += 1
        now = self.now
        process = stack.enter_context(
            running(
                [sys.executable, "-m", "frontdesk", "worker"],
                log=self._folder / f"worker-{self._number}.log",
                is_ready=lambda: True,
                env={**self._env, "FRONTDESK_NOW": now.isoformat()},
            )
        )
        return process.pid


@dataclass(frozen=True)
class Outside:
    """What the product talks to: it can be made to do what it is asked and never say so."""

    radicale: CalendarServer
    calendar: WithholdingProxy
    twilio: TwilioServer
    vendor: WithholdingProxy

    def withhold(self, *, answers: bool) -> None:
        self.calendar.withholds = self.vendor.withholds = answers

    def events(self) -> list[CalendarEntry | None]:
        calendar = Calendar(self.calendar.url, self.radicale.username, self.radicale.password)
        return [Reader(zone=ZoneInfo("UTC")).read(body, within=None).entry for body in calendar.objects().values()]


@pytest.fixture
def outside(radicale: CalendarServer, twilio: TwilioServer) -> Iterator[Outside]:
    with (
        withholding_proxy(radicale.fresh_calendar().url, method="PUT") as calendar,
        withholding_proxy(twilio.base_url, method="POST") as vendor,
    ):
        yield Outside(radicale, calendar, twilio, vendor)


def link(product: Product, outside: Outside) -> None:
    with product.services.db.begin() as work:
        ito = work.session.scalars(select(Practitioner).where(Practitioner.key == "ito")).one()
        link_calendar(
            work,
            clinic_id=ito.clinic_id,
            practitioner_id=ito.id,
            url=outside.calendar.url,
            username=outside.radicale.username,
            password=outside.radicale.password,
            now=product.services.clock.now(),
        )


def book(product: Product) -> None:
    product.text("a cleaning with Dr Ito on Tuesday at 2 pm")
    product.text("the first one")
    assert "Booked" in product.text("yes")


def is_all_done(product: Product) -> bool:
    states = {row.state for row in stored(product, Delivery)}
    return states == {DeliveryState.DONE}


def does_nothing_now(product: Product, workers: Workers) -> bool:
    """Say whether all that is left waits for a time that the clock of the worker does not show."""
    left = sorted((row for row in stored(product, Delivery) if row.state in OPEN), key=lambda row: -row.entry_id)
    first = {(row.subscriber, row.aggregate_id): row for row in left}  # the others wait for it
    return all(row.state == DeliveryState.PENDING and row.due_at > workers.now for row in first.values())


def finish(product: Product, workers: Workers, stack: ExitStack) -> None:
    """Let workers do the rest, each with a later clock: what was put off, on a busy machine, comes due."""
    for _ in range(5):
        workers.start(stack)
        eventually(lambda: does_nothing_now(product, workers), deadline_s=120, what="all that is due being done")
        if is_all_done(product):
            return
    raise AssertionError("there is always something left")


def test_a_booking_is_pushed_and_told_once_though_workers_die_in_the_middle_of_both(
    tmp_path: Path, database_url: str, redis_url: str, outside: Outside
) -> None:
    where = {"data_dir": tmp_path, "database_url": database_url, "redis_url": redis_url}
    account = {**outside.twilio.environment(), "TWILIO_API_BASE_URL": outside.vendor.url}
    with ExitStack() as stack:
        product = stack.enter_context(running_product(**where, **account))  # type: ignore[arg-type]  # the data folder is a path
        link(product, outside)
        book(product)
        env = environment(**where, port=8000, **account)  # type: ignore[arg-type]  # as above
        workers = Workers(folder=tmp_path, env=env)
        outside.withhold(answers=True)

        # One dies in the middle of the push and one in the middle of the text, in whatever order they come.
        pid = workers.start(stack)
        eventually(lambda: outside.calendar.withheld or outside.vendor.withheld, deadline_s=90, what="the first call")
        os.kill(pid, signal.SIGKILL)
        pid = workers.start(stack)
        eventually(lambda: outside.calendar.withheld and outside.vendor.withheld, deadline_s=90, what="the other call")
        os.kill(pid, signal.SIGKILL)
        outside.withhold(answers=False)
        finish(product, workers, stack)

        [event] = outside.events()
        assert event is not None
        assert event.starts_at.isoformat() == "2027-03-16T18:00:00+00:00"
        [sent] = outside.twilio.messages
        [text] = stored(product, SmsMessage)
        assert (text.state, text.vendor_sid, sent.to) == (SmsState.SENT, sent.sid, ANN)
