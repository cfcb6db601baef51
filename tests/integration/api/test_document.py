"""The OpenAPI document is right, and the API does what it says and nothing else: tried with generated requests."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from booking.values import GroupSize
from frontdesk.api.blueprint import document_of_this_api
from frontdesk.api.endpoint import Endpoint
from frontdesk.api.problems import meanings
from frontdesk.api.table import ENDPOINTS
from kernel.work import Database
from tests.integration.api.conftest import EVERYTHING, Program, Site, make_site
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET, make_tables

pytestmark = pytest.mark.integration

EXAMPLES = 12  # of each operation, once as documented and once not
SELDOM = {"actor", "duration_minutes", "override_reason", "place", "patients", "cursor", "replaces", "spans"}
NEEDS_MORE = {
    "hold_package",
    "read_offer",
    "accept_what_is_offered",
    "decline",
    "finish_task",
    "read_conversation",
    "leave",
}
"""What a generated request can hardly meet: tests of its own show that it can be done."""

CHECKS = [
    schemathesis.checks.not_a_server_error,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


@dataclass
class Ground:
    """A site with something in it, so that requests meet what is there and not only what is not."""

    site: Site
    program: Program
    schema: Any
    days: Iterator[str]  # of a free hour of Dr. Carter
    starts: Iterator[str]  # of a free hour of Dr. Lee
    known: dict[str, list[Any]] = field(default_factory=dict)
    chance: random.Random = field(default_factory=random.Random)

    def renew(self, endpoint: Endpoint) -> None:
        """Put something new there: what was there may be moved, called off or blocked by now."""
        self.chance.seed(endpoint.name)
        self.starts = hours_of(self.program, "cleaning", "lee")
        needs_visits = "appointment_id" in endpoint.path_names
        needs_holds = endpoint.name in {"end_hold", "book_hold", "move_appointment"}
        visits = [self.program.booked(next(self.starts)) for _ in range(2 if needs_visits else 1)]
        self.known = self.known | {
            "appointment_id": [visit["id"] for visit in visits],
            "patient_id": [self.program.patient() for _ in range(2)],
            "patient": [visit["patient_id"] for visit in visits],
            "hold_id": [self.program.hold(next(self.starts)).json["id"] for _ in range(4 if needs_holds else 0)],
            "bundle_id": [self.bundle() for _ in range(2 if endpoint.tag == "bundles" else 0)],
            "starts_at": [next(self.starts) for _ in range(4)],
            "location": ["main"],
            "service": ["cleaning"],
        }
        if endpoint.tag == "groups":
            self.renew_groups()
        if endpoint.name in {"grant", "reject"}:
            self.known["appointment_id"] = [self.proposal() for _ in range(8)]

    def bundle(self) -> str:
        part = {"service": "cleaning", "location": "main", "starts_at": next(self.starts), "practitioners": ["lee"]}
        return str(self.program.post("/households", {"parts": [part]}).json["id"])

    def renew_groups(self) -> None:
        where = {"service": "skin-check", "location": "riverside", "practitioners": ["carter"]}
        wish = {**where, "starts_at": next(self.days)}
        session_id = self.program.post("/sessions", wish).json["id"]
        seats = [
            self.program.post(f"/sessions/{session_id}/seats", {"patient_id": one}).json
            for one in self.known["patient_id"]
        ]
        self.program.post(f"/seats/{seats[0]['id']}/confirm", {"patient_id": seats[0]["patient_id"]})
        self.known |= {
            "session_id": [session_id],
            "seat_id": [seat["id"] for seat in seats],
            "patient_id": [seats[0]["patient_id"]],
            "service": ["skin-check"],
            "location": ["riverside"],
            "starts_at": [next(self.days) for _ in range(3)],
        }

    def proposal(self) -> str:
        wish = {"service": "cleaning", "location": "main", "patient_id": self.known["patient_id"][0], "text": "soon"}
        return str(self.program.post("/proposals", {**wish, "from": "2027-03-15", "to": "2027-03-20"}).json["id"])

    def put(self, case: schemathesis.Case) -> None:
        """Replace most of what was made up by what is there."""
        self._put(case.path_parameters, self.known | {"practitioner": ["lee"]})
        self._put(case.query, self.known | {"practitioner": [["lee"], ["lee", "ben-carter"]]})
        self._put(case.headers, self.known)
        self._put(case.body, self.known | {"practitioner": ["lee"]})

    def _put(self, names: Any, known: dict[str, list[Any]]) -> None:
        if isinstance(names, list):
            for one in names:
                self._put(one, known)
        if not isinstance(names, dict):
            return
        for name, value in list(names.items()):
            self._put(value, known)
            if known.get(name) and self.chance.random() < 0.9:
                names[name] = self.chance.choice(known[name])
            elif name in SELDOM and self.chance.random() < 0.8:
                del names[name]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    path: Path = tmp_path_factory.mktemp("document") / "frontdesk.db"
    make_tables(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}", secret=SECRET)
    elm = elm_catalogue()
    services = [replace(one, group=GroupSize(1, 8)) if one.key == "skin-check" else one for one in elm.services]
    site = make_site(database, None, elm=replace(elm, services=tuple(services), _by_id={}))
    program = site.program(*EVERYTHING)
    yield Ground(
        site,
        program,
        schemathesis.openapi.from_wsgi("/api/v1/openapi.json", site.app),
        hours_of(program, "skin-check", "carter"),
        hours_of(program, "cleaning", "lee"),
        known={
            "service": ["cleaning"],
            "location": ["main"],
            "practitioners": [[]],
            "locations": [[]],
            "rule": ["FREQ=WEEKLY;COUNT=2"],
            "parts": [],
            "phone": ["+12125550123"],
            "phones": [["+12125550123"]],
            "birth_date": ["1984-05-02"],
            "from": ["2027-03-15"],
            "to": ["2027-03-17"],
            "If-Match": ["*"],
        },
    )
    database.dispose()


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_no_request_breaks_it_and_every_answer_is_in_the_document(
    ground: Ground, endpoint: Endpoint, mode: GenerationMode
) -> None:
    if mode is GenerationMode.NEGATIVE and not takes_anything(endpoint):
        return  # there is no wrong way to ask
    operation = ground.schema[endpoint.path][endpoint.method]

    statuses: set[int] = set()

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        if mode is GenerationMode.POSITIVE:
            ground.put(case)
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {ground.program.key}"}, checks=CHECKS)
        statuses.add(answer.status_code)

    if mode is GenerationMode.POSITIVE:
        ground.renew(endpoint)
    ask()

    if mode is GenerationMode.POSITIVE and endpoint.name not in NEEDS_MORE:
        assert endpoint.status in statuses, "nothing that was asked could be done"


def hours_of(program: Program, service: str, person: str) -> Iterator[str]:
    wish = {"service": service, "practitioner": person, "limit": 2000, "from": "2027-03-10", "to": "2027-06-08"}
    slots = program.get("/slots", **wish).json["slots"]
    whole = [slot for slot in slots if slot["session_id"] is None and slot["starts_at"][14:16] == "00"]
    return iter([slot["starts_at"] for slot in whole])


def takes_anything(endpoint: Endpoint) -> bool:
    return bool(endpoint.body or endpoint.query or endpoint.path_names or endpoint.needs_match)


def test_the_document_is_valid_and_served_to_everybody(ground: Ground) -> None:
    client = ground.site.app.test_client()
    answer = client.get("/api/v1/openapi.json")
    again = client.get("/api/v1/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})

    OpenAPIV31SpecValidator(answer.json).validate()
    assert answer.json == document_of_this_api()
    assert again.status_code == 304


def test_every_code_is_in_the_document_with_what_it_means() -> None:
    document = document_of_this_api()
    told = "\n".join(answer["description"] for answer in document["components"]["responses"].values())

    assert document["components"]["schemas"]["ProblemOut"]["properties"]["code"]["enum"] == sorted(meanings())
    for code, (_, meaning) in meanings().items():
        assert meaning.strip(), code
        assert f"- `{code}`: {meaning}" in told


def test_the_list_of_problems_says_what_the_document_says(ground: Ground) -> None:
    told = ground.program.get("/problems").json["problems"]

    assert {one["code"] for one in told} == set(meanings())
    assert {one["code"]: one["status"] for one in told}["slot-taken"] == 409


def test_the_document_names_the_scopes_that_the_api_asks_for() -> None:
    move = document_of_this_api()["paths"]["/appointments/{appointment_id}/attendance"]["post"]

    assert move["security"] == [{"key": ["appointments:write", "staff"]}]
