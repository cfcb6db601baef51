"""What two people do to accounts at the same moment, on both kinds of database."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pyotp
import pytest

from frontdesk.accounts.password_links import make_link, use_link
from frontdesk.accounts.second_factor import confirm_secret, proposal, propose_secret, take_code
from frontdesk.accounts.staff_accounts import Rights, change_account, switch_off
from frontdesk.users import Role, find_login
from kernel.errors import Refused
from kernel.work import UnitOfWork
from tests.integration.console.conftest import Site
from tests.support.visits import NOW

pytestmark = pytest.mark.integration


def user_id(site: Site, login: str) -> str:
    with site.db.read() as session:
        return find_login(session, login=login).id


def at_once(*steps: Callable[[], object]) -> list[object]:
    """Take all steps at the same moment, each in a thread of its own; a refusal is a result."""
    start = Barrier(len(steps))

    def take(step: Callable[[], object]) -> object:
        start.wait(timeout=60)
        try:
            return step()
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(len(steps)) as threads:
        return list(threads.map(take, steps))


def test_one_code_lets_one_log_in_in(site: Site):
    admin, now = user_id(site, "admin"), NOW + timedelta(minutes=1)
    site.db.run(lambda work: propose_secret(work, user_id=admin))
    with site.db.read() as session:
        proposed = proposal(session, user_id=admin, login="admin")
    assert proposed
    app = pyotp.TOTP(proposed.secret)
    codes = site.db.run(lambda work: confirm_secret(work, user_id=admin, code=app.at(NOW), now=NOW))

    def take(code: str) -> Callable[[], object]:
        return lambda: site.db.run(lambda work: take_code(work, user_id=admin, code=code, now=now))

    for code in (app.at(now), codes[0]):
        assert sorted(map(str, at_once(take(code), take(code)))) == ["None", "wrong-code"]


def test_two_who_begin_a_second_factor_at_once_get_one_secret(site: Site):
    admin = user_id(site, "admin")

    def begin() -> None:
        site.db.run(lambda work: propose_secret(work, user_id=admin))

    assert at_once(begin, begin) == [None, None]


def test_one_link_sets_one_password(site: Site):
    desk = user_id(site, "desk")
    token = site.db.run(lambda work: make_link(work, user_id=desk, now=NOW))

    def use(password: str) -> Callable[[], object]:
        def step(work: UnitOfWork) -> str:
            return use_link(work, token=token, password=password, now=NOW).login

        return lambda: site.db.run(step)

    assert sorted(map(str, at_once(use("one new sentence"), use("another new one")))) == ["desk", "link-over"]


def test_two_administrators_who_remove_each_other_leave_one(site: Site):
    admin, desk = user_id(site, "admin"), user_id(site, "desk")
    clinic_id = site.catalogue.clinic_id
    to_desk = Rights(role=Role.FRONT_DESK, practitioner_id=None, email=None)
    to_admin = Rights(role=Role.ADMINISTRATOR, practitioner_id=None, email=None)
    site.db.run(lambda unit: change_account(unit, clinic_id=clinic_id, user_id=desk, rights=to_admin))

    def demote(unit: UnitOfWork) -> None:
        change_account(unit, clinic_id=clinic_id, user_id=admin, rights=to_desk)

    def dismiss(unit: UnitOfWork) -> None:
        switch_off(unit, clinic_id=clinic_id, user_id=desk, now=NOW)

    results = at_once(lambda: site.db.run(demote), lambda: site.db.run(dismiss))

    assert sorted(map(str, results)) == ["None", "last-administrator"]
