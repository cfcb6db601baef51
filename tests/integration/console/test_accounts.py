"""Accounts of staff: what lets somebody in, what keeps others out, and who decides."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from booking.model.clinic import Clinic
from booking.model.task import StaffTask
from frontdesk.accounts.model import AccessEntry, ConsoleSession, LogInPolicy, PasswordLink, RecoveryCode, SecondFactor
from frontdesk.accounts.password_links import MAILED_FOR
from frontdesk.accounts.second_factor import RECOVERY_CODES
from frontdesk.console.access_log import KEPT_FOR
from frontdesk.console.attempts import PER_NAME_AND_ADDRESS
from frontdesk.console.duties import CONSOLE_DUTIES, console_mail_duties
from frontdesk.users import User, find_login
from jobs.context import JobServices
from jobs.due import run_due
from kernel.mail import MailRefused, MailServerAway
from tests.integration.console.conftest import PASSWORD, Site, log_in, seal_of
from tests.support.visits import NOW

pytestmark = pytest.mark.integration

FRESH = "a quite new sentence"
ADDRESS = "https://clinic.example"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database is enough: what depends on it is in `test_account_races`."""
    return sqlite_url


def press(client: FlaskClient, path: str, *, on: str = "/console/account", **fields: str) -> TestResponse:
    """Send a form of a page, and follow where that leads."""
    seal = seal_of(client.get(on))
    return client.post(f"/console/{path}", data={"csrf_token": seal, **fields}, follow_redirects=True)


def text_of(response: TestResponse) -> str:
    return response.get_data(as_text=True)


def user_id(site: Site, login: str) -> str:
    with site.db.read() as session:
        return find_login(session, login=login).id


def set_up_factor(site: Site, client: FlaskClient) -> tuple[pyotp.TOTP, list[str]]:
    """Set up a second factor as a person would, and return the authenticator and the recovery codes."""
    page = text_of(press(client, "account/second-factor", password=PASSWORD))
    found = re.search(r'class="secret">([A-Z2-7]+)<', page)
    assert found
    app = pyotp.TOTP(found[1])
    shown = text_of(press(client, "account/second-factor/confirm", code=app.at(site.clock.now())))
    return app, re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", shown)


def give_code(client: FlaskClient, code: str) -> TestResponse:
    page = client.get("/console/log-in/code")
    return client.post("/console/log-in/code", data={"csrf_token": seal_of(page), "code": code})


def is_in(client: FlaskClient) -> bool:
    return client.get("/console/account").status_code == 200


def entries(site: Site, what: str) -> list[tuple[str, str]]:
    with site.db.read() as session:
        found = session.execute(select(AccessEntry.login, AccessEntry.subject_id).where(AccessEntry.what == what))
        return [(login, subject) for login, subject in found]


def work(site: Site) -> None:
    """Do what a worker would do now."""
    jobs = cast(JobServices, SimpleNamespace(db=site.db, clock=site.clock, mailer=site.post))
    run_due(jobs, now=site.clock.now(), duties=(*CONSOLE_DUTIES, *console_mail_duties(public_base_url=ADDRESS)))


# The second factor.


def test_a_second_factor_counts_once_its_first_code_was_shown(site: Site):
    client = site.logged_in()
    press(client, "account/second-factor", password=PASSWORD)

    assert client.get("/console/account/second-factor.svg").mimetype == "image/svg+xml"
    assert "That code is not right" in text_of(press(client, "account/second-factor/confirm", code="000000"))
    assert log_in(site.browser()).headers["Location"] == "/console/conversations"

    _, codes = set_up_factor(site, client)
    assert len(set(codes)) == RECOVERY_CODES
    assert log_in(site.browser()).headers["Location"].startswith("/console/log-in/code")
    assert client.get("/console/account/second-factor.svg").status_code == 404


def test_nothing_of_the_second_factor_can_be_read_in_the_database(site: Site):
    app, codes = set_up_factor(site, site.logged_in())

    with site.db.engine.connect() as connection:
        secret = connection.exec_driver_sql("SELECT secret FROM second_factor").scalar_one()
        hashes = connection.exec_driver_sql("SELECT code_hash FROM recovery_code").scalars().all()
    assert app.secret not in secret
    assert not any(code.replace("-", "") in stored for code in codes for stored in hashes)


def test_a_password_alone_opens_nothing_where_there_is_a_second_factor(site: Site):
    app, _ = set_up_factor(site, site.logged_in())
    site.clock.advance(timedelta(minutes=1))
    client = site.browser()
    log_in(client)

    assert not is_in(client)
    assert give_code(client, "123456").status_code == 401
    assert give_code(client, app.at(NOW - timedelta(minutes=5))).status_code == 401
    assert not is_in(client)

    answer = give_code(client, app.at(site.clock.now()))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/console/conversations")
    assert is_in(client)


def test_a_code_is_taken_once_and_so_is_a_recovery_code(site: Site):
    app, codes = set_up_factor(site, site.logged_in())
    site.clock.advance(timedelta(minutes=1))
    code = app.at(site.clock.now())
    for once in (code, codes[0].upper()):
        first, second = site.browser(), site.browser()
        log_in(first)
        log_in(second)

        assert give_code(first, once).status_code == 302
        assert give_code(second, once).status_code == 401
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(RecoveryCode)) == RECOVERY_CODES - 1


def test_codes_are_tried_as_seldom_as_passwords(site: Site):
    app, _ = set_up_factor(site, site.logged_in())
    site.clock.advance(timedelta(minutes=1))
    client = site.browser()
    log_in(client)
    for _ in range(PER_NAME_AND_ADDRESS):
        assert give_code(client, "000000").status_code == 401

    assert give_code(client, app.at(site.clock.now())).status_code == 429


@pytest.mark.parametrize("late", ["five minutes later", "after another password"])
def test_who_gave_the_password_has_a_short_while_for_the_code(site: Site, late: str):
    app, _ = set_up_factor(site, site.logged_in())
    client = site.browser()
    log_in(client)
    seal = seal_of(client.get("/console/log-in/code"))
    if late == "five minutes later":
        site.clock.advance(timedelta(minutes=5))
    else:
        site.clock.advance(timedelta(minutes=1))
        other = site.browser()
        log_in(other)
        give_code(other, app.at(site.clock.now()))
        press(other, "account/password", password=PASSWORD, new_password=FRESH, again=FRESH)
        site.clock.advance(timedelta(minutes=1))

    answer = client.post("/console/log-in/code", data={"csrf_token": seal, "code": app.at(site.clock.now())})

    assert answer.headers["Location"].startswith("/console/log-in?")
    assert not is_in(client)


def test_where_the_clinic_wants_a_second_factor_nothing_else_opens_before(site: Site):
    press(site.logged_in(), "staff/log-in", on="/console/staff", needs_factor="yes", password=PASSWORD)
    client = site.logged_in("desk")

    assert client.get("/console/diary").headers["Location"] == "/console/account"
    seal = seal_of(client.get("/console/account"))
    assert client.post("/console/account/email", data={"csrf_token": seal}).status_code == 403
    assert site.logged_in("oak").get("/console/diary").status_code == 200

    set_up_factor(site, client)
    assert client.get("/console/diary").status_code == 200
    assert "so it stays" in text_of(press(client, "account/second-factor/off", password=PASSWORD))
    with site.db.read() as session:
        assert session.scalars(select(SecondFactor.user_id)).all() == [user_id(site, "desk")]


def test_a_lost_second_factor_is_removed_by_an_administrator_and_that_is_on_record(site: Site):
    client = site.logged_in("desk")
    set_up_factor(site, client)
    desk = user_id(site, "desk")

    press(site.logged_in(), f"staff/{desk}/second-factor/off", on="/console/staff", password=PASSWORD)

    assert log_in(site.browser(), login="desk").headers["Location"] == "/console/conversations"
    assert entries(site, "factor-removed") == [("admin", desk)]


def test_who_wants_no_second_factor_any_more_gives_the_password(site: Site):
    client = site.logged_in()
    set_up_factor(site, client)

    assert "not your password" in text_of(press(client, "account/second-factor/off", password="wrong horse"))
    assert "is off" in text_of(press(client, "account/second-factor/off", password=PASSWORD))
    assert log_in(site.browser()).headers["Location"] == "/console/conversations"


# Sessions and passwords.


def test_sessions_are_listed_and_ended_one_by_one(site: Site):
    mine, other = site.logged_in(), site.logged_in()
    colleague = site.logged_in("desk")
    found = re.search(r"/console/account/sessions/(\w[\w-]+)/end\"", text_of(mine.get("/console/account")))
    assert found

    assert press(colleague, f"account/sessions/{found[1]}/end").status_code == 404
    assert is_in(other)
    press(mine, f"account/sessions/{found[1]}/end")

    assert (is_in(mine), is_in(other), is_in(colleague)) == (True, False, True)


def test_a_new_password_needs_the_old_one_and_ends_all_other_sessions(site: Site):
    mine, other = site.logged_in(), site.logged_in()

    for fields, said in (
        ({"password": "wrong horse", "new_password": FRESH, "again": FRESH}, "not your password"),
        ({"password": PASSWORD, "new_password": FRESH, "again": f"{FRESH}!"}, "in two ways"),
        ({"password": PASSWORD, "new_password": "short", "again": "short"}, "at least 10"),
        ({"password": PASSWORD, "new_password": "Password123!", "again": "Password123!"}, "too easy"),
    ):
        assert said in text_of(press(mine, "account/password", **fields))
    assert is_in(other)
    press(mine, "account/password", password=PASSWORD, new_password=FRESH, again=FRESH)

    assert (is_in(mine), is_in(other)) == (True, False)
    assert log_in(site.browser()).status_code == 401
    assert log_in(site.browser(), password=FRESH).status_code == 302


def test_sessions_that_ran_out_and_old_entries_of_the_access_log_are_forgotten(site: Site):
    site.logged_in()
    site.clock.advance(KEPT_FOR + timedelta(minutes=1))
    site.logged_in("desk")

    work(site)

    with site.db.read() as session:
        assert session.scalars(select(ConsoleSession.user_id)).all() == [user_id(site, "desk")]
        assert session.scalars(select(AccessEntry.login)).all() == ["desk"]


# A forgotten password.


@pytest.fixture
def reachable(site: Site) -> Site:
    """The clinic has a mailbox, and the desk an address."""
    with site.db.begin() as unit:
        unit.session.get_one(Clinic, site.catalogue.clinic_id).email = "desk@elm.example"
    press(site.logged_in("desk"), "account/email", email="maria@Elm.Example", password=PASSWORD)
    return site


def link_in(site: Site) -> str:
    found = re.search(rf"{ADDRESS}(/console/password/\S+)", site.post.sent[-1].text)
    assert found
    return found[1]


def ask(site: Site, login: str) -> str:
    return text_of(press(site.browser(), "password", on="/console/password", login=login))


def set_new(site: Site, link: str, password: str = FRESH) -> TestResponse:
    client = site.browser()
    seal = seal_of(client.get("/console/log-in"))
    return client.post(link, data={"csrf_token": seal, "new_password": password, "again": password})


def test_a_forgotten_password_is_set_once_with_a_link_that_comes_by_mail(reachable: Site):
    before = reachable.logged_in("desk")
    ask(reachable, " DESK ")
    work(reachable)
    mail = reachable.post.sent[0]
    link = link_in(reachable)
    assert (mail.to.address, mail.sender.address) == ("maria@elm.example", "desk@elm.example")
    assert "desk" in text_of(reachable.browser().get(link))

    assert set_new(reachable, link, "short").status_code == 422
    assert set_new(reachable, link).status_code == 302

    assert not is_in(before)
    assert set_new(reachable, link, "yet another sentence").status_code == 410
    assert log_in(reachable.browser(), login="desk", password=FRESH).status_code == 302
    assert entries(reachable, "password-changed") == [("desk", user_id(reachable, "desk"))]


def test_nobody_learns_from_asking_who_has_an_account(reachable: Site):
    def answer(login: str) -> str:
        return re.sub(r'value="[^"]*"', "", ask(reachable, login))

    assert answer("desk") == answer("nobody") == answer("admin")
    work(reachable)
    assert len(reachable.post.sent) == 1


def test_a_link_is_over_after_half_an_hour_and_no_token_is_stored(reachable: Site):
    ask(reachable, "desk")
    work(reachable)
    with reachable.db.read() as session:
        stored = session.scalars(select(PasswordLink)).one()
        assert stored.token is None
        assert stored.token_hash not in link_in(reachable)

    reachable.clock.advance(MAILED_FOR)

    assert reachable.browser().get(link_in(reachable)).status_code == 410
    assert set_new(reachable, link_in(reachable)).status_code == 410


@pytest.mark.parametrize("failure", [MailServerAway("away"), MailRefused(reply="550")])
def test_a_mail_that_cannot_leave_is_tried_again_and_told_to_staff_once(reachable: Site, failure: Exception):
    reachable.post.failure = failure
    ask(reachable, "desk")
    reachable.clock.advance(timedelta(minutes=2))
    ask(reachable, "desk")

    for _ in range(int(MAILED_FOR.total_seconds() // 60) + 2):
        work(reachable)
        reachable.clock.advance(timedelta(minutes=1))

    with reachable.db.read() as session:
        texts = session.scalars(select(StaffTask.text).where(StaffTask.kind == "undelivered")).all()
        assert len(texts) == 1
        assert "desk" in texts[0]
    reachable.post.failure = None
    work(reachable)
    assert reachable.post.sent == []


def test_a_mail_leaves_once_the_server_is_back(reachable: Site):
    reachable.post.failure = MailServerAway("away")
    ask(reachable, "desk")
    work(reachable)
    reachable.post.failure = None
    reachable.clock.advance(timedelta(minutes=1))

    work(reachable)
    work(reachable)

    assert len(reachable.post.sent) == 1
    assert set_new(reachable, link_in(reachable)).status_code == 302


def test_asking_again_and_again_fills_no_mailbox(reachable: Site):
    for _ in range(3):
        ask(reachable, "desk")
    work(reachable)
    assert len(reachable.post.sent) == 1

    reachable.clock.advance(timedelta(minutes=2))
    ask(reachable, "desk")
    work(reachable)

    assert len(reachable.post.sent) == 2


def test_without_a_mail_server_the_page_says_who_can_help(site: Site):
    site.post.is_on = False

    assert "frontdesk user reset" in text_of(site.browser().get("/console/password"))


# Accounts, as administrators keep them.


def add(site: Site, **fields: str) -> TestResponse:
    return press(site.logged_in(), "staff", on="/console/staff", **{"password": PASSWORD, **fields})


def test_a_new_account_gets_its_first_password_from_its_owner(site: Site):
    page = text_of(add(site, login="Nora", role="practitioner", practitioner="practitioner-novak"))
    found = re.search(r"<code>\S+?(/console/password/\S+?)</code>", page)
    assert found

    set_new(site, found[1])

    with site.db.read() as session:
        row = session.scalars(select(User).where(User.login == "nora")).one()
        assert (row.role, row.practitioner_id, row.clinic_id) == ("practitioner", "practitioner-novak", "clinic-elm")
    assert is_in(site.browser()) is False
    assert log_in(site.browser(), login="nora", password=FRESH).status_code == 302


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"login": "desk", "role": "auditor"}, "has this name already"),
        ({"login": "two words", "role": "auditor"}, "one word"),
        ({"login": "nora", "role": "practitioner"}, "whose patients"),
        ({"login": "nora", "role": "practitioner", "practitioner": "practitioner-elsewhere"}, "whose patients"),
        ({"login": "nora", "role": "auditor", "email": "no address"}, "no e-mail address"),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_the_reason(site: Site, fields: dict[str, str], said: str):
    assert said in text_of(add(site, **fields))


def test_another_role_has_to_log_in_again(site: Site):
    client, desk = site.logged_in("desk"), user_id(site, "desk")

    def change(email: str) -> None:
        rights = {"role": "auditor", "email": email, "password": PASSWORD}
        press(site.logged_in(), f"staff/{desk}", on=f"/console/staff/{desk}", **rights)

    change("m@elm.example")
    assert not is_in(client)
    client = site.logged_in("desk")
    change("")

    assert is_in(client)
    assert entries(site, "account-changed") == [("admin", desk)] * 2


def test_a_screen_left_open_lets_nobody_else_in(site: Site):
    set_up_factor(site, site.logged_in("desk"))
    client, desk = site.logged_in(), user_id(site, "desk")

    for path, fields in (
        ("staff", {"login": "nora", "role": "administrator"}),
        (f"staff/{desk}", {"role": "administrator", "email": "thief@elm.example"}),
        (f"staff/{desk}/link", {}),
        (f"staff/{desk}/second-factor/off", {}),
        ("staff/log-in", {"needs_factor": "yes"}),
    ):
        page = press(client, path, on=f"/console/staff/{desk}", **fields, password="wrong horse")
        assert "is not your password" in text_of(page)

    with site.db.read() as session:
        assert session.scalars(select(PasswordLink.user_id)).all() == []
        assert session.scalars(select(SecondFactor.user_id)).all() == [desk]
        assert session.scalar(select(func.count()).where(User.role == "administrator")) == 2  # of two clinics
        assert session.get_one(User, desk).email is None
        assert session.scalars(select(LogInPolicy.needs_second_factor)).all() == []


def test_an_account_is_switched_off_at_once_and_on_again(site: Site):
    client, desk, admin = site.logged_in("desk"), user_id(site, "desk"), site.logged_in()

    press(admin, f"staff/{desk}/off", on=f"/console/staff/{desk}")
    assert not is_in(client)
    assert log_in(site.browser(), login="desk").status_code == 401
    page = press(admin, f"staff/{desk}/on", on=f"/console/staff/{desk}", password="wrong horse")
    assert "is not your password" in text_of(page)
    assert log_in(site.browser(), login="desk").status_code == 401
    press(admin, f"staff/{desk}/on", on=f"/console/staff/{desk}", password=PASSWORD)

    assert log_in(site.browser(), login="desk").status_code == 302


def test_the_last_administrator_stays_one(site: Site):
    client, admin = site.logged_in(), user_id(site, "admin")

    for path, fields in ((f"staff/{admin}/off", {}), (f"staff/{admin}", {"role": "auditor", "password": PASSWORD})):
        page = text_of(press(client, path, on=f"/console/staff/{admin}", **fields))
        assert "the last administrator" in page
    assert is_in(client)


# The access log.


def test_who_looked_at_an_appointment_stands_in_the_access_log(site: Site):
    site.logged_in("desk").get(f"/console/appointments/{site.visit.id}")
    site.logged_in("oak").get(f"/console/appointments/{site.visit.id}")

    assert entries(site, "appointment") == [("desk", site.visit.id)]
    page = text_of(site.logged_in("audit").get("/console/access-log?what=appointment&login=desk"))
    assert site.visit.id in page
    assert "Looked at an appointment" in page


@pytest.mark.parametrize(
    "query",
    ["login=nobody", "what=logged-in&day=2027-03-11", "subject=x", "before=1", "before=99999999999999999999&login=x", "day=0001-01-01&login=x"],
)  # fmt: skip
def test_the_access_log_is_narrowed_and_takes_no_offence(site: Site, query: str):
    page = site.logged_in().get(f"/console/access-log?{query}")

    assert page.status_code == 200
    assert "Nobody did anything of this kind" in text_of(page)


def test_another_clinics_log_and_accounts_are_not_there(site: Site):
    desk, client = user_id(site, "desk"), site.logged_in("oak")

    assert not re.search(r">(desk|admin)<", text_of(client.get("/console/access-log")))
    assert client.get(f"/console/staff/{desk}").status_code == 404
    for way, fields in (
        ("", {"role": "auditor", "password": PASSWORD}),
        ("/off", {}),
        ("/on", {"password": PASSWORD}),
        ("/link", {"password": PASSWORD}),
        ("/second-factor/off", {"password": PASSWORD}),
    ):
        assert press(client, f"staff/{desk}{way}", on="/console/staff", **fields).status_code == 404
