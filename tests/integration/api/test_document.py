"""The OpenAPI document is right, and the API does what it says and nothing else: tried with generated requests."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
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

from frontdesk.api.blueprint import document_of_this_api
from frontdesk.api.endpoint import Endpoint
from frontdesk.api.problems import meanings
from frontdesk.api.table import ENDPOINTS
from kernel.work import Database
from tests.integration.api.conftest import EVERYTHING, Program, Site, make_site
from tests.support.databases import SECRET, make_tables

pytestmark = pytest.mark.integration

EXAMPLES = 12  # of each operation, once as documented and once not
SOON = {"from": "2027-03-10", "to": "2027-06-08"}
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
    starts: Iterator[str]
    known: dict[str, list[Any]] = field(default_factory=dict)
    turn: Iterator[int] = field(default_factory=itertools.count)

    def renew(self) -> None:
        """Put something new there: what was there may be moved, called off or blocked by now."""
        visits = [self.program.booked(next(self.starts)) for _ in range(2)]
        patients = [self.program.patient() for _ in range(2)]
        self.known = self.known | {
            "appointment_id": [visit["id"] for visit in visits],
            "patient_id": patients,
            "patient": [visit["patient_id"] for visit in visits],
            "hold_id": [self.program.hold(next(self.starts)).json["id"] for _ in range(4)],
            "starts_at": [next(self.starts) for _ in range(4)],
        }

    def put(self, case: schemathesis.Case) -> None:
        """Replace most of what was made up by what is there."""
        body = case.body if isinstance(case.body, dict) else {}
        for names in (case.path_parameters, case.query, case.headers, body):
            for name in names:
                if name in self.known and next(self.turn) % 4:
                    values = self.known[name]
                    names[name] = values[next(self.turn) % len(values)]
                elif (
                    name in {"override_reason", "actor", "duration_minutes", "Idempotency-Key"} and next(self.turn) % 4
                ):
                    names[name] = None if names is body else names[name]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    path: Path = tmp_path_factory.mktemp("document") / "frontdesk.db"
    make_tables(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}", secret=SECRET)
    site = make_site(database, None)
    program = site.program(*EVERYTHING)
    free = program.get("/slots", service="cleaning", practitioner="lee", limit=2000, **SOON).json["slots"]
    yield Ground(
        site,
        program,
        schemathesis.openapi.from_wsgi("/api/v1/openapi.json", site.app),
        iter([slot["starts_at"] for slot in free if slot["starts_at"][14:16] == "00"]),
        known={
            "service": ["cleaning"],
            "location": ["main"],
            "practitioner": [["lee"], ["lee", "ben-carter"]],
            "practitioners": [["lee"], []],
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
        ground.renew()
    ask()

    assert mode is GenerationMode.NEGATIVE or endpoint.status in statuses, "nothing that was asked could be done"


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
