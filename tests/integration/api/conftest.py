"""The API of one clinic on a real database and a real Redis, with a second clinic that must never be seen."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from booking.catalogue import CatalogueCache
from booking.shown import ShownSlots
from booking.values import Catalogue
from frontdesk.api.blueprint import api_blueprint
from frontdesk.api.keys import Scope, add_key
from frontdesk.app import answer_errors
from kernel.clock import FixedClock
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW

NINE = "2027-03-15T09:00:00-04:00"  # a Monday; Dr. Lee works
TEN = "2027-03-15T10:00:00-04:00"
EVERYTHING = tuple(Scope)
FOR_PATIENTS = tuple(scope for scope in Scope if scope is not Scope.STAFF)


@dataclass
class Site:
    """The API, and keys to it."""

    app: Flask
    db: Database
    clock: FixedClock
    catalogue: Catalogue

    def key(self, *scopes: Scope, clinic_id: str = "clinic-elm") -> str:
        with self.db.begin() as work:
            return add_key(work, clinic_id=clinic_id, name=uuid.uuid4().hex, scopes=scopes, now=NOW)

    def program(self, *scopes: Scope, clinic_id: str = "clinic-elm") -> "Program":
        return Program(self.app.test_client(), self.key(*scopes, clinic_id=clinic_id))


@dataclass
class Program:
    """A client with a key."""

    client: FlaskClient
    key: str

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
        return self.client.get(f"/api/v1{path}", query_string=query or None, headers=self._headers(headers))

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None, method: str = "POST") -> TestResponse:
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers=self._headers(headers))

    def send(
        self, path: str, body: bytes, content_type: str = "application/json", method: str = "POST"
    ) -> TestResponse:
        return self.client.open(
            f"/api/v1{path}", method=method, data=body, content_type=content_type, headers=self._headers(None)
        )

    def patient(self, name: str = "Ann Smith") -> str:
        answer = self.post("/patients", {"name": name, "birth_date": "1984-05-02", "phone": "+12125550123"})
        return str(answer.json["id"])  # type: ignore[index]

    def hold(self, starts_at: str = NINE, **more: Any) -> TestResponse:
        wish = {"service": "cleaning", "location": "main", "starts_at": starts_at, "practitioners": ["lee"]}
        return self.post("/holds", {**wish, **more})

    def booked(self, starts_at: str = NINE) -> dict[str, Any]:
        hold = self.hold(starts_at)
        answer = self.post("/appointments", {"hold_id": hold.json["id"], "patient_id": self.patient()})  # type: ignore[index]
        assert answer.status_code == 201, answer.text
        return dict(answer.json)  # type: ignore[arg-type]

    def _headers(self, more: dict[str, str] | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", **(more or {})}


def make_site(database: Database, redis: Any, *, elm: Catalogue | None = None) -> Site:
    """Store two clinics and put the API in front of them."""
    clock, elm = FixedClock(NOW), elm or elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, elm)
        store_catalogue(work, another_clinic(elm))
    services = SimpleNamespace(
        db=database, clock=clock, redis=redis, catalogues=CatalogueCache(), shown=ShownSlots(None)
    )
    app = Flask("site", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    app.register_blueprint(api_blueprint(services))
    answer_errors(app)
    return Site(app, database, clock, elm)


def another_clinic(elm: Catalogue) -> Catalogue:
    """Return a clinic with one of everything, all with ids of its own."""
    location = replace(elm.locations[0], id="location-oak", key="oak", phone=None)
    service = replace(elm.service("service-flu-shot"), id="service-oak", key="oak-shot")
    person = replace(
        elm.practitioner("practitioner-ruiz"),
        id="practitioner-oak",
        key="oak-doctor",
        schedule_id="schedule-oak",
        service_ids=frozenset({service.id}),
        hours=tuple(replace(hours, location_id=location.id) for hours in elm.practitioner("practitioner-ruiz").hours),
    )
    return replace(
        elm,
        clinic_id="clinic-oak",
        key="oak",
        phone=None,
        locations=(location,),
        services=(service,),
        practitioners=(person,),
        resources=(),
        _by_id={},
    )


@pytest.fixture
def site(database: Database, redis_url: str) -> Iterator[Site]:
    redis = Redis.from_url(redis_url)
    yield make_site(database, redis)
    redis.close()


@pytest.fixture
def program(site: Site) -> Program:
    """A client with every scope but that of staff."""
    return site.program(*FOR_PATIENTS)


@pytest.fixture
def staff(site: Site) -> Program:
    """A client with every scope."""
    return site.program(*EVERYTHING)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
