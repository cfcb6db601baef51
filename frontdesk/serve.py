"""`frontdesk serve`: the whole product with one command, from an empty folder on.

Starts what is not configured (Redis, a CalDAV server for the demo), brings the tables up to date, seeds an empty database
with the demo clinic, and keeps a web server and a worker running until it is told to stop.
"""

import contextlib
import fcntl
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from sqlalchemy import select

from booking.model.clinic import Clinic
from frontdesk.accounts.passwords import new_password
from frontdesk.bootstrap import Services, build, make_collection
from frontdesk.children import Child, ChildFailed, Children
from frontdesk.demo.calendars import connect_demo_calendars, demo_links
from frontdesk.demo.clinic import DEMO_KEY, seed_demo
from frontdesk.embedded import CannotServe, DemoCalendars, demo_calendars, embedded_redis, free_port, is_free
from frontdesk.schema import SchemaState, check_schema, copy_database, migrate, schema_state
from frontdesk.users import Role, add_user, has_users
from frontdesk.web import authority, serve_web
from frontdesk.worker import run_worker
from kernel.config import Mode, Settings
from kernel.log import configure

FIRST_LOGIN = "admin"
_READY_WITHIN_S = 30.0
_STOP_WITHIN_S = 8.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Prepared:
    """What was found or made before the processes start."""

    first_password: str | None
    has_demo: bool


def serve(settings: Settings, *, say: Say) -> None:
    """Run everything until SIGTERM or Ctrl-C. `say` gets lines for the operator.

    Raises CannotServe, WrongSchema, ChildFailed, each with one clear line.
    """
    with _only_one(settings.data_dir):
        if not is_free(settings.host, settings.port):
            raise CannotServe(
                f"Port {settings.port} on {settings.host} is taken by another program; choose one with: make run PORT=8010"
            )
        with embedded_redis(settings):
            services = build(settings)
            try:
                _bring_up_to_date(services, say)
                prepared = _prepare(services)
                _run_processes(services, prepared, say)
            finally:
                services.close()


def _bring_up_to_date(services: Services, say: Say) -> None:
    settings, engine = services.settings, services.db.engine
    state = schema_state(engine)
    if state is SchemaState.CURRENT:
        return
    # With several machines, when tables change is the operator's decision.
    if state is SchemaState.NEWER or (settings.mode is Mode.PRODUCTION and not settings.is_embedded_database):
        check_schema(engine)
    if state is SchemaState.OLDER and (copy := copy_database(engine)):
        say(f"The database is brought up to date; a copy of it is {copy}")
    migrate(engine)


def _prepare(services: Services) -> _Prepared:
    settings = services.settings
    with services.db.read() as session:
        clinics = session.scalars(select(Clinic.key).order_by(Clinic.key)).all()
        is_unattended = not has_users(session)
    if not clinics and settings.mode is not Mode.PRODUCTION:
        seed_demo(services.db, now=services.clock.now())
        clinics = [DEMO_KEY]
    password = _add_first_administrator(services) if is_unattended and clinics else None
    return _Prepared(first_password=password, has_demo=DEMO_KEY in clinics)


def _add_first_administrator(services: Services) -> str:
    password = new_password()
    with services.db.begin() as work:
        clinic_id = work.session.scalars(select(Clinic.id).order_by(Clinic.key)).first()
        add_user(
            work,
            clinic_id=str(clinic_id),
            login=FIRST_LOGIN,
            password=password,
            role=Role.ADMINISTRATOR,
            now=services.clock.now(),
        )
    return password


def _run_processes(services: Services, prepared: _Prepared, say: Say) -> None:
    settings, children = services.settings, Children()
    logs = settings.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with _stopped_by_signals(children):
        try:
            in_terminal = settings.mode is not Mode.PRODUCTION  # its lines would bury the welcome
            # First, since it takes longest to come up. A worker comes after the calendars that it is to write to.
            services.db.dispose()
            children.add(Child("web", lambda: serve_web(settings), log=logs / "web.log" if in_terminal else None))
            calendars = (
                _start_demo_calendars(services, children, logs) if _wants_demo_calendars(settings, prepared) else None
            )
            services.db.dispose()
            children.add(Child("worker", lambda: _work(settings), log=logs / "worker.log" if in_terminal else None))
            _wait_until_it_answers(settings)
            for line in _welcome(services, prepared, calendars):
                say(line)
            children.watch()
        except KeyboardInterrupt:
            pass  # while starting; from then on the signal ends `watch`
        finally:
            children.stop(within_s=_STOP_WITHIN_S)


def _work(settings: Settings) -> None:
    configure(level=settings.log_level)
    run_worker(settings)


def _wants_demo_calendars(settings: Settings, prepared: _Prepared) -> bool:
    return prepared.has_demo and settings.mode is not Mode.PRODUCTION and settings.is_embedded_database


def _start_demo_calendars(services: Services, children: Children, logs: Path) -> DemoCalendars:
    calendars = demo_calendars(services.settings, port=free_port(preferred=services.settings.port + 1))
    children.add(Child("calendar", calendars.command, log=logs / "calendars.log"))
    _wait_for(f"{calendars.url}/.web/", what="The calendar server")
    for access, title in demo_links(services.db, calendars):
        make_collection(access, title=title)
    connect_demo_calendars(services.db, calendars, now=services.clock.now())
    return calendars


def _wait_until_it_answers(settings: Settings) -> None:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 -- compared, not bound
    _wait_for(f"http://{authority(host, settings.port)}/healthz", what="The web server")


def _wait_for(url: str, *, what: str) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 -- an address of ours
                return
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            time.sleep(0.05)
    raise ChildFailed(f"{what} did not answer within {_READY_WITHIN_S:g} seconds.")


def _welcome(services: Services, prepared: _Prepared, calendars: DemoCalendars | None) -> Iterator[str]:
    base = f"http://{authority(services.settings.host, services.settings.port)}"
    yield "Frontdesk is running. Ctrl-C stops it."
    yield f"  Console    {base}/console/"
    if services.settings.mode is not Mode.PRODUCTION:
        yield f"  Simulator  {base}/simulator"
    if calendars:
        yield f"  Calendars  {calendars.url}/.web/   user {calendars.username}, password {calendars.password}"
    if services.settings.mode is not Mode.PRODUCTION:
        yield f"  Logs       {services.settings.data_dir / 'logs'}"
    if prepared.first_password:
        yield f"  Log in as  {FIRST_LOGIN}, password {prepared.first_password}   (shown this once)"


@contextlib.contextmanager
def _stopped_by_signals(children: Children) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        children.stop_watching()
        # Also out of the waiting while the processes start.
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Iterator[IO[str]]:
    """Hold the data folder: two servers with one SQLite file, one Redis and one set of calendars would fight."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotServe(f"Another frontdesk serve uses the folder {data_dir}; stop it first.") from None
        os.register_at_fork(after_in_child=lock.close)  # a child must not hold the folder when we are gone
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock
