"""Accounts of staff."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from frontdesk.accounts.passwords import PasswordTooEasy, PasswordTooShort, new_password
from frontdesk.users import (
    LoginTaken,
    Role,
    UnknownLogin,
    User,
    add_user,
    check_password,
    find_login,
    find_user,
    set_password,
)
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
PASSWORD = "correct horse"


@pytest.fixture
def database_with_ann(database: Database) -> Database:
    with database.begin() as work:
        store_catalogue(work, elm_catalogue())
        add_user(work, clinic_id="clinic-elm", login=" Ann ", password=PASSWORD, role=Role.FRONT_DESK, now=NOW)
    return database


def test_the_right_password_says_who_somebody_is(database_with_ann: Database) -> None:
    with database_with_ann.read() as session:
        found = check_password(session, login="ANN", password=PASSWORD)
        assert found is not None
        assert (found.login, found.role, found.clinic_id) == ("ann", Role.FRONT_DESK, "clinic-elm")
        assert find_user(session, user_id=found.id) == found


@pytest.mark.parametrize(("login", "password"), [("ann", "wrong horse"), ("ann", ""), ("bob", PASSWORD), ("", "")])
def test_anything_else_says_nothing(database_with_ann: Database, login: str, password: str) -> None:
    with database_with_ann.read() as session:
        assert check_password(session, login=login, password=password) is None


def test_no_password_is_stored(database_with_ann: Database) -> None:
    with database_with_ann.read() as session:
        stored = session.scalars(select(User.password_hash)).one()

    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_a_login_belongs_to_one_person(database_with_ann: Database) -> None:
    with pytest.raises(LoginTaken), database_with_ann.begin() as work:
        add_user(work, clinic_id="clinic-elm", login="ann", password=PASSWORD, role=Role.ADMINISTRATOR, now=NOW)


def change_password(database: Database, password: str) -> None:
    with database.begin() as work:
        set_password(work, user_id=find_login(work.session, login="ann").id, password=password)


def test_a_short_password_is_refused(database_with_ann: Database) -> None:
    with pytest.raises(PasswordTooShort):
        change_password(database_with_ann, "short")


@pytest.mark.parametrize(
    "password", ["Password123!", "p@ssw0rd2026", "1234567890", "9876543210", "abababababab", "ANN-1234567"]
)
def test_a_password_that_is_guessed_first_is_refused(database_with_ann: Database, password: str) -> None:
    with pytest.raises(PasswordTooEasy):
        change_password(database_with_ann, password)


def test_after_a_change_only_the_new_password_works(database_with_ann: Database) -> None:
    fresh = new_password()

    change_password(database_with_ann, fresh)

    with database_with_ann.read() as session:
        assert check_password(session, login="ann", password=PASSWORD) is None
        assert check_password(session, login="ann", password=fresh) is not None


def test_an_account_that_is_switched_off_opens_nothing(database_with_ann: Database) -> None:
    with database_with_ann.begin() as work:
        work.session.scalars(select(User)).one().switched_off_at = NOW

    with database_with_ann.read() as session:
        assert check_password(session, login="ann", password=PASSWORD) is None


def test_nobody_cannot_be_found(database_with_ann: Database) -> None:
    with pytest.raises(UnknownLogin), database_with_ann.read() as session:
        find_login(session, login="nobody")
