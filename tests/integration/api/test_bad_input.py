"""Whatever can't be meant gets its own clear error, and nothing is written."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from booking.model.appointment import Allocation, Appointment
from booking.model.patient import Patient
from tests.integration.api.conftest import EVERYTHING, NINE, Program, Site

pytestmark = pytest.mark.integration

WISH = {"service": "cleaning", "location": "main", "starts_at": NINE}


def rows(site: Site) -> tuple[int | None, ...]:
    with site.db.read() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(kind)) for kind in (Appointment, Allocation, Patient)
        )


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """The stricter of the two databases only: what is refused here is refused before either is asked."""
    return postgres_url


@pytest.fixture(autouse=True)
def nothing_is_written(site: Site) -> Iterator[None]:
    before = rows(site)
    yield
    assert rows(site) == before


@pytest.mark.parametrize(
    ("starts_at", "status", "code"),
    [
        ("2027-03-15T09:00:00", 400, "time-without-zone"),
        ("2027-03-14T02:30:00-05:00", 400, "no-such-time"),  # the night the clocks go forward
        ("2027-03-14T02:30:00-04:00", 400, "no-such-time"),
        ("2027-02-30T09:00:00-05:00", 400, "instant"),
        ("2027-03-15T25:00:00-04:00", 400, "instant"),
        ("0001-01-01T00:00:00+23:59", 400, "implausible-time"),
        ("9999-12-31T23:59:59-23:59", 400, "implausible-time"),
        ("2021-03-15T09:00:00-04:00", 422, "in-the-past"),
        ("2077-03-15T09:00:00-04:00", 422, "implausible-time"),
        ("2027-03-15T09:07:00-04:00", 422, "outside-hours"),
        (1805115600, 400, "instant"),
        ("next Monday", 400, "instant"),
        (None, 400, "instant"),
    ],
)
def test_a_time_that_makes_no_sense_is_told_as_what_it_is(
    program: Program, starts_at: object, status: int, code: str
) -> None:
    answer = program.post("/holds", {**WISH, "starts_at": starts_at})

    assert answer.status_code == status
    assert code in {answer.json["code"], *(one["code"] for one in answer.json["errors"])}


@pytest.mark.parametrize("minutes", [0, -30, 14400, 45.5, "45", 10**30])
def test_a_length_that_no_visit_has_is_refused(program: Program, minutes: object) -> None:
    answer = program.post("/holds", {**WISH, "duration_minutes": minutes})

    assert answer.status_code == 400
    assert [one["where"] for one in answer.json["errors"]] == ["body.duration_minutes"]


def test_a_length_that_the_service_does_not_have_is_refused(program: Program) -> None:
    answer = program.post("/holds", {**WISH, "duration_minutes": 50})

    assert (answer.status_code, answer.json["code"]) == (422, "invalid-duration")


@pytest.mark.parametrize(
    ("first", "end", "code"),
    [
        ("2027-03-16", "2027-03-15", "span-reversed"),
        ("2027-03-15", "2027-03-15", "span-reversed"),
        ("2027-03-15", "2027-09-15", "span-too-long"),
        ("2027-03-15", "2199-12-31", "span-too-long"),
        ("2027-03-15T09:00:00", "2027-03-16", "invalid-request"),
        ("2027-3-15", "2027-03-16", "invalid-request"),
        ("15", "16", "invalid-request"),
    ],
)
def test_a_span_that_makes_no_sense_is_told_as_what_it_is(program: Program, first: str, end: str, code: str) -> None:
    answer = program.get("/slots", service="cleaning", **{"from": first, "to": end})

    assert (answer.status_code, answer.json["code"]) == (400, code)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"service": "cleaning", "service": "flu-shot"}', "twice"),
        (b'{"service": "clean\xff"}', "UTF-8"),
        (b'{"service": ', "not JSON"),
        (b'{"service": NaN}', "not JSON"),
        (b"", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b'{"service": "a\\u0000b"}', "no text has"),
    ],
)
def test_a_body_that_can_t_be_read_says_why(program: Program, body: bytes, detail: str) -> None:
    answer = program.send("/holds", body)

    assert (answer.status_code, answer.json["code"]) == (400, "malformed")
    assert detail in answer.json["detail"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ([], "body"),
        ({}, "body.service"),
        ({**WISH, "service": 7}, "body.service"),
        ({**WISH, "servise": "cleaning"}, "body.servise"),
        ({**WISH, "service": "clean\ning"}, "body.service"),
        ({**WISH, "practitioners": "lee"}, "body.practitioners"),
        ({**WISH, "practitioners": ["lee"] * 51}, "body.practitioners"),
        ({**WISH, "place": {"latitude": 91, "longitude": 0}}, "body.place.latitude"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(program: Program, body: object, where: str) -> None:
    answer = program.post("/holds", body)

    assert (answer.status_code, answer.json["code"]) == (400, "invalid-request")
    assert where in {one["where"] for one in answer.json["errors"]}


def test_a_body_is_json_and_not_huge(program: Program) -> None:
    assert program.send("/holds", b"service=cleaning", "application/x-www-form-urlencoded").status_code == 415
    assert program.send("/holds", b'"' + b"x" * 70_000 + b'"').status_code == 413
    assert program.send("/holds", b'"' + b"x" * 1_100_000 + b'"').status_code == 413


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=ten", "limit=1&limit=2", "colour=red", "limit=1%00", "cursor=rubbish"]
)
def test_a_query_that_makes_no_sense_is_refused(program: Program, query: str) -> None:
    answer = program.get(f"/appointments?{query}")

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/nothing", "/appointments/%00", "/appointments/é", "/appointments/" + "x" * 500, "/holds/a/b"]
)
def test_an_address_that_leads_nowhere_is_a_problem_too(program: Program, path: str) -> None:
    answer = program.get(path)

    assert answer.status_code in {404, 405}
    assert answer.json["code"] in {"not-found", "method-not-allowed"}


def test_a_method_that_an_address_does_not_have_names_those_it_has(program: Program) -> None:
    answer = program.post("/catalogue", {}, method="DELETE")

    assert (answer.status_code, answer.json["code"]) == (405, "method-not-allowed")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("tag", ["1", 'W/"1"', '"1", "2"', "", '"é"'])
def test_if_match_is_one_entity_tag(program: Program, tag: str) -> None:
    answer = program.post("/appointments/x/cancel", {}, {"If-Match": tag})

    assert (answer.status_code, answer.json["code"]) == (400, "bad-precondition")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Ann", "phone": "12"},
        {"name": "Ann", "phone": "call me"},
        {"name": "   "},
        {"name": "Ann", "birth_date": "2030-01-01"},
        {"name": "Ann", "birth_date": "1984-05-02T00:00:00Z"},
        {"name": "Ann", "email": "ann at example.com"},
        {"name": "Ann", "relation": "boss"},
    ],
)
def test_a_patient_who_can_t_be_is_not_taken_on(program: Program, body: object) -> None:
    assert program.post("/patients", body).status_code == 400


def test_ids_of_another_clinic_are_as_unknown_as_ids_of_none(site: Site) -> None:
    oak = site.program(*EVERYTHING, clinic_id="clinic-oak")
    elm = site.program(*EVERYTHING)

    for ref in ("service-oak", "nonsense"):
        assert elm.post("/holds", {**WISH, "service": ref}).json["detail"] == "There is no such service."
    for ref in ("practitioner-lee", "lee", "nonsense"):
        answer = oak.get("/slots", service="oak-shot", practitioner=ref, **{"from": "2027-03-15", "to": "2027-03-16"})
        assert (answer.status_code, answer.json["code"]) == (404, "not-found")
