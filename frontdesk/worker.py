"""A worker process: runs queued jobs, relays the outbox and does what is due.

Jobs run in this process rather than in a fork of it: each bounds its own waiting, leases its row in the database, and is
run again elsewhere should the process die. Beside the jobs, threads of their own keep the relay and the due work going.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from redis.exceptions import RedisError

from frontdesk.bootstrap import Services, build, take_jobs, wait_for_wake
from frontdesk.console.duties import CONSOLE_DUTIES, console_mail_duties
from frontdesk.schema import check_schema
from jobs import context
from jobs.due import MAIL_DUTIES, QUICK_DUTIES, SLOW_DUTIES, TEXT_DUTIES, Duty, run_due
from jobs.outbox_relay import relay_once
from jobs.subscriptions import SUBSCRIBERS
from kernel.config import Settings
from kernel.errors import Unavailable
from kernel.log import get_logger

_RELAY_EVERY = timedelta(seconds=1)
_DUE_EVERY = timedelta(seconds=5)
_TEXTS_EVERY = timedelta(seconds=2)

log = get_logger()


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or Ctrl-C; the job under way is finished first. Raises WrongSchema."""
    services = build(settings)
    check_schema(services.db.engine)
    context.install(services.jobs)
    mail_of_console = console_mail_duties(public_base_url=settings.public_base_url)
    stopping = threading.Event()
    threads = [
        threading.Thread(target=_keep_going, args=(stopping, step, pause), daemon=True)
        for step, pause in (
            (lambda: _relay(services), lambda: _wait_for_events(services, stopping)),
            (lambda: _due(services, (*QUICK_DUTIES, *CONSOLE_DUTIES)), lambda: _pause(stopping, _DUE_EVERY)),
            (lambda: _due(services, TEXT_DUTIES), lambda: _pause(stopping, _TEXTS_EVERY)),
            (lambda: _due(services, SLOW_DUTIES), lambda: _pause(stopping, _DUE_EVERY)),
            (lambda: _due(services, (*MAIL_DUTIES, *mail_of_console)), lambda: _pause(stopping, _DUE_EVERY)),
        )
    ]
    for thread in threads:
        thread.start()
    log.info("worker.started")
    try:
        take_jobs(settings)
    finally:
        stopping.set()
        for thread in threads:
            thread.join(timeout=5)
        services.close()
        log.info("worker.stopped")


def _keep_going(stopping: threading.Event, step: Callable[[], None], pause: Callable[[], None]) -> None:
    while not stopping.is_set():
        try:
            step()
        except Unavailable:
            log.warning("worker.unavailable")
            _pause(stopping, _RELAY_EVERY)
        except Exception:  # A thread that ends silently would leave bookings untold.
            log.exception("worker.bug")
            _pause(stopping, _DUE_EVERY)
        pause()


def _relay(services: Services) -> None:
    while relay_once(services.db, services.queue, subscribers=SUBSCRIBERS, now=services.clock.now()):
        pass


def _due(services: Services, duties: Sequence[Duty]) -> None:
    run_due(services.jobs, now=services.clock.now(), duties=duties)


def _wait_for_events(services: Services, stopping: threading.Event) -> None:
    try:
        wait_for_wake(services.redis, timeout=_RELAY_EVERY)
    except RedisError:
        _pause(stopping, _RELAY_EVERY)


def _pause(stopping: threading.Event, time: timedelta) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        stopping.wait(time.total_seconds())
