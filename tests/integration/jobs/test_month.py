"""A simulated month, in short: every reminder due is told once, nothing stays held, and what comes free is offered in order."""

import pytest

from kernel.clock import FixedClock
from tests.support.mail_server import mail_server
from tests.support.month import BEGINS, Size, faults_of, live
from tests.support.twilio_server import twilio_server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def test_every_reminder_is_told_once_though_workers_die(postgres_url: str) -> None:
    clock = FixedClock(BEGINS)
    with twilio_server(clock=clock.now) as twilio, mail_server() as mail:
        month = live(Size(visits=60, days=4), url=postgres_url, twilio=twilio, mail=mail, clock=clock)

        assert faults_of(month) == []
        assert twilio.violations == []
    assert month.deaths > 0
    assert len(month.reminders) > 10
    assert month.mails_again <= month.deaths
    assert month.freed
    month.db.dispose()
