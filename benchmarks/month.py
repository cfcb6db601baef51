"""A simulated month with workers that die at random: `python -m benchmarks.month [--visits N] [--days N] [--seed N]`.

Says what arrived, and fails if a reminder was told twice, late, at night or not at all, if a Hold or an offer was left over,
or if what came free was offered out of turn.
"""

import argparse
import logging
import sys
import time

import structlog

from kernel.clock import FixedClock
from tests.support.databases import make_tables
from tests.support.mail_server import mail_server
from tests.support.month import BEGINS, Size, faults_of, live
from tests.support.postgres import postgres_server
from tests.support.twilio_server import twilio_server


def main() -> int:
    """Let the month pass and say how it went."""
    parser = argparse.ArgumentParser(prog="benchmarks.month", description=__doc__)
    parser.add_argument("--visits", type=int, default=2000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    clock, began = FixedClock(BEGINS), time.monotonic()
    with postgres_server() as server, twilio_server(clock=clock.now) as twilio, mail_server() as mail:
        url = server.fresh_database(make_template=make_tables)
        size = Size(visits=given.visits, days=given.days)
        month = live(size, url=url, twilio=twilio, mail=mail, clock=clock, seed=given.seed)
        faults = [*faults_of(month), *twilio.violations]
        month.db.dispose()
        print(
            f"{len(month.stands)} visits and moves, {len(twilio.messages)} texts and {len(mail.taken)} mails, of them "
            f"{len(month.reminders)} reminders, {month.mails_again} mails handed over again; {len(month.freed)} times came free; workers died {month.deaths} times; "
            f"{time.monotonic() - began:.0f} s; {len(faults)} faults"
        )
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
