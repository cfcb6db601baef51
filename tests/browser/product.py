"""The whole product behind a real web server, with the demo clinic; a worker's work is done when a test asks for it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from playwright.sync_api import Page
from redis import Redis
from sqlalchemy import select

from booking.model.clinic import Clinic
from booking.model.staff import Practitioner
from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import TaskKind
from calendar_sync.discovery import FoundCalendar
from calendar_sync.ports import AccessRefused, LinkAccess
from frontdesk.app import create_app
from frontdesk.bootstrap import Services, build_in_process
from frontdesk.demo.clinic import seed_demo
from frontdesk.users import Role, User, add_user
from jobs.due import run_due
from jobs.outbox_relay import relay_once
from jobs.subscriptions import SUBSCRIBERS
from kernel.work import UnitOfWork
from tests.support.databases import make_tables
from tests.support.web_server import serving
from tests.support.webhooks import ACCOUNT

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # a Wednesday, 10:00 at the demo clinic
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Product:
    url: str
    app: Flask
    services: Services

    def work(self) -> None:
        """Do what a worker would have done by now."""
        run_due(self.services.jobs, now=NOW)
        while relay_once(self.services.db, self.services.queue, subscribers=SUBSCRIBERS, now=NOW):
            pass

    def log_in(self, page: Page, *, then: str = "/console/conversations", login: str = "admin") -> None:
        page.goto(f"{self.url}{then}")
        page.locator("input[name=login]").fill(login)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main form:has([name=login]) button").click()
        page.wait_for_url(f"**{then}")


@contextlib.contextmanager
def running_product(*, data_dir: Path, redis_url: str) -> Iterator[Product]:
    """Serve the demo clinic on a free port until the block ends. Its clock stands."""
    made, _ = build_in_process(data_dir=data_dir, account=ACCOUNT, now=NOW)
    redis = Redis.from_url(redis_url)
    settings = replace(made.settings, live_every_ms=200)
    services = replace(made, redis=redis, find_calendars=find_calendars, settings=settings)
    make_tables(services.settings.database_url)
    seed_demo(services.db, now=NOW)
    services.db.run(_seed_staff)
    app = create_app(services)
    try:
        with serving(app) as url:
            yield Product(url, app, services)
    finally:
        redis.close()
        services.db.dispose()


def find_calendars(access: LinkAccess) -> tuple[FoundCalendar, ...]:
    """Answer as a server that somebody has two calendars at, one of which is the team's."""
    if access.secret != PASSWORD:
        raise AccessRefused("the calendar refuses the log-in", code="log-in-refused")
    return (
        FoundCalendar("https://cloud.example/dav/ortega/visits/", "Visits", can_read=True, can_write=True),
        FoundCalendar("https://cloud.example/dav/team/", "Team meetings", can_read=True, can_write=False),
    )


def _seed_staff(work: UnitOfWork) -> None:
    clinic_id = work.session.scalars(select(Clinic.id)).one()
    add_user(work, clinic_id=clinic_id, login="admin", password=PASSWORD, role=Role.ADMINISTRATOR, now=NOW)
    carer = add_user(work, clinic_id=clinic_id, login="okafor", password=PASSWORD, role=Role.PRACTITIONER, now=NOW)
    work.session.get_one(User, carer.id).practitioner_id = work.session.scalars(
        select(Practitioner.id).where(Practitioner.key == "okafor")
    ).one()
    open_task(
        work, clinic_id=clinic_id, kind=TaskKind.CALL_BACK, says=TaskSays.MESSAGE, details={"words": "Please call back about a bill."}, now=NOW,
        phone="+12125550123",
    )  # fmt: skip
