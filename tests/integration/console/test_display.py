"""Everybody reads the console in their own language and in the colours they like, before and after the log-in."""

import pytest
from sqlalchemy import select

from frontdesk.users import User
from tests.integration.console.conftest import Site, log_in, seal_of

pytestmark = pytest.mark.integration

PAGE = "/console/calendars?of=all"


def test_a_language_is_chosen_once_and_holds_for_the_account_in_every_browser(site: Site):
    client = site.logged_in()

    answer = client.post(
        "/console/language",
        data={"language": "es", "next": PAGE, "csrf_token": seal_of(client.get(PAGE))},
    )

    assert answer.location == PAGE
    elsewhere = site.logged_in().get(PAGE, headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert '<html lang="es">' in elsewhere
    assert "<h1>Calendarios</h1>" in elsewhere
    with site.db.read() as session:
        assert session.scalars(select(User.language).where(User.login == "admin")).one() == "es"


def test_the_log_in_speaks_the_browsers_language_until_another_is_chosen(site: Site):
    client = site.browser()
    spanish = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}
    assert "Para el personal de la clínica." in client.get("/console/log-in", headers=spanish).get_data(as_text=True)

    client.post(
        "/console/language",
        data={"language": "en", "next": "/console/log-in?next=/console/calendars", "csrf_token": seal_of(client.get("/console/log-in"))},
        headers=spanish,
    )  # fmt: skip

    assert "For the staff of the clinic." in client.get("/console/log-in", headers=spanish).get_data(as_text=True)
    log_in(client)
    assert "<h1>Calendars</h1>" in client.get("/console/calendars", headers=spanish).get_data(as_text=True)


def test_colours_are_chosen_for_this_browser(site: Site):
    client = site.logged_in()
    assert "data-look" not in client.get("/console/calendars").get_data(as_text=True)

    client.post("/console/look", data={"look": "dark", "csrf_token": seal_of(client.get("/console/calendars"))})

    assert 'data-look="dark"' in client.get("/console/calendars").get_data(as_text=True)
    assert "data-look" not in site.logged_in().get("/console/calendars").get_data(as_text=True)


@pytest.mark.parametrize(
    ("path", "form"),
    [("language", {"language": "tlh"}), ("language", {}), ("look", {"look": "loud"})],
    ids=["a language nobody speaks here", "none", "colours there are not"],
)
def test_what_cannot_be_chosen_changes_nothing(site: Site, path: str, form: dict[str, str]):
    client = site.logged_in()

    answer = client.post(f"/console/{path}", data={**form, "csrf_token": seal_of(client.get("/console/calendars"))})

    assert answer.status_code == 404
    assert '<html lang="en">' in client.get("/console/calendars").get_data(as_text=True)


def test_the_switch_sends_nobody_to_a_strangers_page(site: Site):
    client = site.logged_in()
    seal = seal_of(client.get("/console/calendars"))

    answer = client.post(
        "/console/language", data={"language": "es", "next": "https://elsewhere.example/", "csrf_token": seal}
    )

    assert answer.location == "/console/"


def test_a_language_this_release_does_not_speak_is_not_shown(site: Site):
    client = site.logged_in()
    client.set_cookie("frontdesk_language", "xx")
    client.set_cookie("frontdesk_look", '"><script>')

    assert '<html lang="en">' in client.get("/console/calendars").get_data(as_text=True)
