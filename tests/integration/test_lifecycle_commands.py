"""`frontdesk requests` and `frontdesk away`: what an operator sees and does without the console."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from booking.desk.requests import propose
from booking.model.staff import HealthcareService
from booking.patients import register_patient
from booking.queries import visit
from booking.values import BookedVisit, Catalogue, Source
from frontdesk.bootstrap import Services
from frontdesk.lifecycle_commands import add_commands
from frontdesk.listing import UnknownKey
from kernel.clock import FixedClock
from kernel.interval import Interval
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # a Monday in Albany
MONDAY = ("--practitioner", "lee", "--from", "2027-03-15", "--to", "2027-03-16")


@dataclasses.dataclass(frozen=True)
class Installed:
    """What the commands use of the product's services."""

    db: Database
    clock: FixedClock


class Operator:
    def __init__(self, database: Database) -> None:
        self.db, self.clock, self.catalogue = database, FixedClock(NOW), elm_catalogue()
        with database.begin() as work:
            store_catalogue(work, self.catalogue)

    def __call__(self, *words: str) -> Result:
        group = click.Group("frontdesk")
        add_commands(group, open_services=self._open, find_clinic=lambda _session, _key: self.catalogue.clinic_id)
        return CliRunner().invoke(group, words)

    def read(self, *words: str) -> Any:
        result = self(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    @contextmanager
    def _open(self) -> Iterator[Services]:
        yield cast(Services, Installed(self.db, self.clock))

    def with_confirmation(self) -> Catalogue:
        with self.db.begin() as work:
            work.session.execute(update(HealthcareService).values(needs_confirmation=True))
        services = tuple(dataclasses.replace(one, needs_confirmation=True) for one in self.catalogue.services)
        return dataclasses.replace(self.catalogue, services=services, _by_id={})

    def request(self) -> BookedVisit:
        return book(self.db, self.with_confirmation(), practitioner="lee", starts_at=NINE)

    def look(self, appointment_id: str) -> BookedVisit:
        with self.db.read() as session:
            return visit(session, appointment_id=appointment_id)


@pytest.fixture
def operator(database: Database) -> Operator:
    return Operator(database)


def test_requests_are_listed_with_how_long_they_wait(operator: Operator):
    asked = operator.request()
    operator.clock.advance(timedelta(hours=25))

    (line,) = operator.read("requests")["requests"]

    assert (line["id"], line["start"], line["practitioner"]) == (asked.id, "2027-03-15T09:00:00-04:00", "lee")
    assert (line["waits_minutes"], line["overdue"]) == (25 * 60, True)
    assert "waits 1500 min  OVERDUE" in operator("requests").stdout


def test_a_request_is_accepted(operator: Operator):
    asked = operator.request()

    assert operator("requests", "accept", asked.id).stdout == "2027-03-15T09:00:00-04:00  cleaning  lee  main\n"
    assert operator.look(asked.id).status == "booked"
    assert operator.read("requests") == {"requests": []}


def test_a_request_is_rejected_with_what_is_offered_instead(operator: Operator):
    asked = operator.request()

    assert operator("requests", "reject", asked.id).exit_code == 2, "a reason is needed"
    found = operator.read("requests", "reject", asked.id, "--reason", "on leave")

    assert operator.look(asked.id).status == "cancelled"
    assert [one["practitioner"] for one in found["alternatives"]][:2] == ["ben-carter", "lee"]


def test_a_wish_is_given_its_time(operator: Operator):
    with operator.db.begin() as work:
        patient = register_patient(
            work,
            clinic_id=operator.catalogue.clinic_id,
            name="Ann Smith",
            birth_date=None,
            phone=None,
            language=None,
            now=NOW,
        )
        wish = propose(
            work,
            operator.catalogue,
            service_id="service-cleaning",
            location_id="location-main",
            patient_id=patient.id,
            span=Interval(NINE, NINE + timedelta(days=3)),
            practitioner_ids=(),
            text="soon",
            conversation_id=None,
            source=Source.WEB,
            now=NOW,
        )
    assert operator.read("requests")["requests"][0]["practitioner"] is None

    assert operator("requests", "grant", wish, "--start", "soon", "--practitioner", "lee").exit_code == 2
    start = "2027-03-15T09:00-04:00"
    assert operator("requests", "grant", wish, "--start", start, "--practitioner", "lee").exit_code == 0
    assert operator.look(wish).starts_at == NINE


def test_an_absence_is_only_shown_until_it_is_to_be_applied(operator: Operator):
    one = book(operator.db, operator.catalogue, practitioner="lee", starts_at=NINE)

    (line,) = operator.read("away", *MONDAY)["visits"]
    assert (line["id"], line["alternatives"][0]["practitioner"]) == (one.id, "ben-carter")
    assert "instead: 2027-03-15T09:00:00-04:00  cleaning  ben-carter  main; " in operator("away", *MONDAY).stdout
    assert operator.read("away", *MONDAY, "--from-time", "12:00") == {"visits": []}
    assert operator.look(one.id) == one

    (line,) = operator.read("away", *MONDAY, "--apply", "--instead", "move")["visits"]
    assert (line["outcome"], line["practitioner"]) == ("moved", "ben-carter")
    assert operator.read("away", *MONDAY) == {"visits": []}


def test_who_is_asked_has_the_time_kept(operator: Operator):
    book(operator.db, operator.catalogue, practitioner="lee", starts_at=NINE)

    assert "asked  kept: 2027-03-15T09:00:00-04:00  cleaning  ben-carter" in operator("away", *MONDAY, "--apply").stdout


def test_a_person_nobody_knows_is_refused(operator: Operator):
    result = operator("away", "--practitioner", "nobody", "--from", "2027-03-15", "--to", "2027-03-16")

    assert isinstance(result.exception, UnknownKey)
