"""Who may ask what, of which clinic, and how often."""

from datetime import timedelta

import pytest
from redis import Redis

from booking.shown import ShownSlots
from frontdesk.api import limits
from frontdesk.api.keys import KeyNameTaken, Scope, UnknownKey, add_key, list_keys, revoke_key
from frontdesk.api.model import ApiKey
from frontdesk.api.table import ENDPOINTS
from tests.integration.api.conftest import EVERYTHING, NINE, Program, Site
from tests.support.visits import NOW

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer nonsense", "Bearer fdk_nonsense", "Basic YTpi", "fdk_x"]
)
def test_without_a_key_nothing_opens(site: Site, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = site.app.test_client().get("/api/v1/catalogue", headers=headers)

    assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_every_endpoint_but_the_list_of_problems_asks_for_a_scope(site: Site) -> None:
    nobody = site.program()
    for endpoint in ENDPOINTS:
        path = endpoint.path.replace("{", "").replace("}", "")
        answer = nobody.post(path, {}, method=endpoint.method)
        assert answer.status_code == (403 if endpoint.scopes else 200), endpoint.name


def test_a_key_is_stored_as_a_hash_only(site: Site) -> None:
    key = site.key(Scope.SLOTS_READ)
    with site.db.read() as session:
        row = session.query(ApiKey).one()

    assert key not in {row.key_hash, row.name, row.id}
    assert key.removeprefix("fdk_") not in row.key_hash


def test_a_revoked_key_opens_nothing_and_its_name_is_free_again(site: Site) -> None:
    with site.db.begin() as work:
        key = add_key(work, clinic_id="clinic-elm", name="shop", scopes=[Scope.CATALOGUE_READ], now=NOW)
        with pytest.raises(KeyNameTaken):
            add_key(work, clinic_id="clinic-elm", name="shop", scopes=[], now=NOW)
    program = Program(site.app.test_client(), key)
    assert program.get("/catalogue").status_code == 200

    with site.db.begin() as work:
        revoke_key(work, clinic_id="clinic-elm", name="shop", now=NOW)
        with pytest.raises(UnknownKey):
            revoke_key(work, clinic_id="clinic-elm", name="shop", now=NOW)
        add_key(work, clinic_id="clinic-elm", name="shop", scopes=[], now=NOW + timedelta(seconds=1))

    assert program.get("/catalogue").status_code == 401
    with site.db.read() as session:
        assert [one.revoked_at for one in list_keys(session, clinic_id="clinic-elm")] == [NOW, None]


def test_another_clinic_s_rows_are_not_there(site: Site) -> None:
    ours, theirs = site.program(*EVERYTHING), site.program(*EVERYTHING, clinic_id="clinic-oak")
    booked = ours.booked()
    hold = ours.hold("2027-03-15T14:00:00-04:00").json
    appointment, patient = f"/appointments/{booked['id']}", f"/patients/{booked['patient_id']}"
    match = {"If-Match": "*"}

    answers = [
        theirs.get(appointment),
        theirs.get(f"{appointment}/history"),
        theirs.post(f"{appointment}/move", {"starts_at": NINE}, match),
        theirs.post(f"{appointment}/cancel", {}, match),
        theirs.post(f"{appointment}/attendance", {"attendance": "arrived"}, match),
        theirs.post(f"/holds/{hold['id']}", None, method="DELETE"),
        theirs.post("/appointments", {"hold_id": hold["id"], "patient_id": theirs.patient()}),
        theirs.get("/appointments", patient=booked["patient_id"]),
        theirs.get(patient),
        theirs.get(f"{patient}/history"),
        theirs.post(patient, {"name": "Eve"}, method="PATCH"),
        theirs.post(f"{patient}/block", {}),
        theirs.post("/patients", {"name": "Eve", "booked_by": booked["patient_id"]}),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert {answer.json["code"] for answer in answers} == {"not-found"}
    assert theirs.get("/appointments").json["appointments"] == []
    assert len(theirs.post("/patients/search", {"phone": "+12125550123"}).json["patients"]) == 1  # their own
    assert ours.get(appointment).json == booked


def test_people_of_hidden_verticals_are_shown_to_staff_only(site: Site) -> None:
    hide(site)
    patients, staff = site.program(*(scope for scope in Scope if scope is not Scope.STAFF)), site.program(*EVERYTHING)
    days = {"from": "2027-03-16", "to": "2027-03-17"}

    def people(program: Program) -> set[str]:
        return {person["key"] for person in program.get("/catalogue").json["practitioners"]}

    assert people(staff) - people(patients) == {"carter"}
    assert patients.get("/slots", service="skin-check", **days).json["slots"] == []
    assert patients.get("/slots", service="skin-check", practitioner="carter", **days).status_code == 404
    assert staff.get("/slots", service="skin-check", **days).json["slots"]
    assert patients.get("/catalogue").headers["ETag"] != staff.get("/catalogue").headers["ETag"]


def hide(site: Site) -> None:
    from booking.model.clinic import Clinic
    from booking.model.staff import Practitioner

    with site.db.begin() as work:
        clinic = work.session.get_one(Clinic, "clinic-elm")
        clinic.hidden_verticals, clinic.version = ["skin"], 2
        work.session.get_one(Practitioner, "practitioner-carter").vertical = "skin"


def test_a_key_that_asks_too_often_is_told_when_to_come_back(
    site: Site, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_MINUTE", 3)
    statuses = [program.get("/catalogue").status_code for _ in range(4)]
    late = program.get("/catalogue")
    other = site.program(Scope.CATALOGUE_READ).get("/catalogue")
    site.clock.advance(timedelta(minutes=1))

    assert statuses == [200, 200, 200, 429]
    assert (late.json["code"], late.headers["Retry-After"]) == ("too-many-requests", "60")
    assert other.status_code == 200
    assert program.get("/catalogue").status_code == 200


def test_a_dead_redis_keeps_nobody_from_booking(site: Site) -> None:
    dead = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2)
    alone = Site(site.app, site.db, site.clock, site.catalogue)
    alone.app = make_app_with(site, dead)

    assert alone.program(*EVERYTHING).hold().status_code == 201


def make_app_with(site: Site, redis: object) -> object:
    from types import SimpleNamespace

    from flask import Flask

    from booking.catalogue import CatalogueCache
    from frontdesk.api.blueprint import api_blueprint

    app = Flask("alone", static_folder=None)
    services = SimpleNamespace(
        db=site.db, clock=site.clock, redis=redis, catalogues=CatalogueCache(), shown=ShownSlots(None)
    )
    app.register_blueprint(api_blueprint(services))
    return app
