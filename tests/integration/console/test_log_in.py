from datetime import timedelta

import pytest

from calendar_sync.model import CalendarLink
from frontdesk.accounts.sessions import IDLE_FOR, LOGGED_IN_FOR
from frontdesk.console.attempts import PER_NAME_AND_ADDRESS
from frontdesk.users import find_login, set_password
from tests.integration.console.conftest import PASSWORD, Site, log_in, seal_of
from tests.support.visits import NOW

pytestmark = pytest.mark.integration


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database is enough: nothing here depends on it."""
    return sqlite_url


PAGES = ["/console/", "/console/conversations", "/console/diary", "/console/tasks", "/simulator"]


@pytest.mark.parametrize(
    "path", [*PAGES, "/console/conversations/x", "/console/appointments/x", "/simulator/static/simulator.js"]
)
def test_nobody_sees_a_page_without_logging_in(site: Site, path: str):
    response = site.browser().get(path)

    assert response.status_code == 302
    assert response.headers["Location"].startswith("/console/log-in")


@pytest.mark.parametrize("path", ["/console/tasks/x/done", "/simulator/deliver", "/simulator/aftermath"])
def test_nobody_writes_without_logging_in(site: Site, path: str):
    client = site.browser()
    seal = seal_of(client.get("/console/log-in"))

    assert client.post(path, headers={"X-CSRFToken": seal}, json={}).status_code == 403


def test_a_right_password_leads_to_the_page_that_was_asked_for(site: Site):
    response = log_in(site.browser(), next="/console/tasks")

    assert (response.status_code, response.headers["Location"]) == (302, "/console/tasks")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_the_cookie_travels_over_https_only_where_the_address_is_https(production_site: Site):
    client = production_site.app.test_client()
    https = {"base_url": "https://clinic.example"}
    page = client.get("/console/log-in", **https)

    response = client.post(
        "/console/log-in",
        data={"login": "admin", "password": PASSWORD, "csrf_token": seal_of(page)},
        headers={"Referer": "https://clinic.example/console/log-in"},
        **https,
    )

    assert response.status_code == 302
    assert "Secure" in response.headers["Set-Cookie"]


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(site: Site):
    wrong = log_in(site.browser(), login="admin", password="something else")
    unknown = log_in(site.browser(), login="admim", password="something else")

    assert wrong.status_code == unknown.status_code == 401
    assert "Name and password do not go together" in wrong.get_data(as_text=True)
    assert "Name and password do not go together" in unknown.get_data(as_text=True)


def test_after_too_many_wrong_passwords_even_the_right_one_waits(site: Site):
    client = site.browser()
    for _ in range(PER_NAME_AND_ADDRESS):
        assert log_in(client, password="something else").status_code == 401

    response = log_in(client)

    assert response.status_code == 429
    assert "Please wait 15 minutes" in response.get_data(as_text=True)


def test_a_form_without_its_seal_is_not_accepted(site: Site):
    client = site.logged_in()

    response = client.post(f"/console/tasks/{site.task_id}/done")

    assert response.status_code == 400
    assert "This page was open too long" in response.get_data(as_text=True)
    assert "Call about" in client.get("/console/tasks").get_data(as_text=True)


def test_a_page_that_asks_by_itself_keeps_no_session_open(site: Site):
    client = site.logged_in()
    for _ in range(4):
        assert client.get("/console/tasks", headers={"Sec-Fetch-Dest": "empty"}).status_code == 200
        site.clock.advance(IDLE_FOR / 4)

    assert client.get("/console/tasks").status_code == 302


def test_who_asks_in_spanish_is_let_in_in_spanish(site: Site):
    client = site.browser()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "es-MX,es;q=0.9"

    refused = log_in(client, password="wrong horse").get_data(as_text=True)
    assert "El nombre y la contraseña no corresponden" in refused
    assert 'lang="es"' in refused
    assert "¿Olvidó su contraseña?" in refused
    assert log_in(client).status_code == 302
    assert "Mi cuenta" in client.get("/console/account").get_data(as_text=True)


def test_logging_out_ends_the_session(site: Site):
    client = site.logged_in()

    client.post("/console/log-out", data={"csrf_token": seal_of(client.get("/console/tasks"))})

    assert client.get("/console/tasks").status_code == 302


def test_a_new_password_ends_every_session_of_the_account(site: Site):
    client = site.logged_in()
    assert client.get("/console/tasks").status_code == 200

    with site.db.begin() as work:
        user = find_login(work.session, login="admin")
        set_password(work, user_id=user.id, password="another long password")

    assert client.get("/console/tasks").status_code == 302


def test_a_session_in_use_ends_after_half_a_day(site: Site):
    client = site.logged_in()
    left = LOGGED_IN_FOR
    while left > IDLE_FOR:
        site.clock.advance(IDLE_FOR - timedelta(minutes=1))
        left -= IDLE_FOR - timedelta(minutes=1)
        assert client.get("/console/tasks").status_code == 200

    site.clock.advance(left)

    assert client.get("/console/tasks").status_code == 302


def test_a_session_that_nobody_uses_ends_sooner(site: Site):
    client = site.logged_in()

    site.clock.advance(IDLE_FOR)

    assert client.get("/console/tasks").status_code == 302


@pytest.mark.parametrize("path", PAGES[1:])
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(site: Site, path: str):
    response = site.logged_in().get(path)

    assert response.status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["Cache-Control"] == "no-store"
    page = response.get_data(as_text=True)
    assert "style=" not in page
    assert "<script>" not in page
    assert "onclick" not in page


def test_the_simulator_is_for_administrators(site: Site):
    client = site.logged_in("desk")

    assert client.get("/simulator").status_code == 403
    assert "/simulator" not in client.get("/console/tasks").get_data(as_text=True)


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        '{"path": "/twilio/sms"}',
        '{"path": 5, "fields": {}}',
        '{"path": "/twilio/sms", "fields": {"Body": 5}}',
        '{"path": "/twilio/sms", "fields": {"Body": "half a character: \\ud800"}}',
    ],
)
def test_the_simulator_refuses_what_its_page_never_sends(site: Site, body: str):
    client = site.logged_in()
    seal = seal_of(client.get("/simulator"))

    response = client.post(
        "/simulator/deliver", data=body, content_type="application/json", headers={"X-CSRFToken": seal}
    )

    assert response.status_code == 400


def test_there_is_no_simulator_in_production_mode(production_site: Site):
    client = production_site.app.test_client()
    https = {"base_url": "https://clinic.example"}
    client.post(
        "/console/log-in",
        data={"login": "admin", "password": PASSWORD, "csrf_token": seal_of(client.get("/console/log-in", **https))},
        headers={"Referer": "https://clinic.example/console/log-in"},
        **https,
    )

    assert client.get("/simulator", **https).status_code == 404
    assert client.get("/console/tasks", **https).status_code == 200


@pytest.mark.parametrize(("host", "is_shown"), [("127.0.0.1:8189", True), ("calendar.example.com", False)])
def test_the_simulator_opens_the_demos_calendars_and_nobodys_own(site: Site, host: str, is_shown: bool):
    with site.db.begin() as work:
        work.session.add(
            CalendarLink(
                clinic_id=site.catalogue.clinic_id, practitioner_id="practitioner-lee", url=f"https://{host}/clinic/lee/",
                username="clinic", password="calendar-password", created_at=NOW,
            )
        )  # fmt: skip

    page = site.logged_in().get("/simulator").get_data(as_text=True)

    assert ("calendar-password" in page) is is_shown
    assert (f"https://{host}/" in page) is is_shown
