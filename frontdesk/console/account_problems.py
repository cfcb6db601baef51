"""What staff are told when something about an account can't be done."""

from collections.abc import Mapping

from flask import request

from booking.asked import UnknownPractitioner
from frontdesk.accounts.password_links import LinkOver
from frontdesk.accounts.passwords import PasswordTooEasy, PasswordTooShort
from frontdesk.accounts.second_factor import FactorNeeded, NothingToConfirm, WrongCode
from frontdesk.accounts.staff_accounts import LastAdministrator, PractitionerNeeded
from frontdesk.console.attempts import TooManyAttempts, count_attempt, forget_attempts
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from frontdesk.users import BadLogin, LoginTaken, check_password
from kernel.errors import Malformed, Refused
from kernel.mail import read_address

LONGEST_PASSWORD = 200


class WrongPassword(Refused):
    """It is not the password of who is logged in."""

    code = "wrong-password"


class PasswordsDiffer(Refused):
    """The new password was typed in two ways."""

    code = "passwords-differ"


class BadEmail(Refused):
    """What was typed is no e-mail address."""

    code = "bad-email"


_WORDS: Mapping[type[Refused], str] = {
    BadEmail: "accounts.bad_email",
    BadLogin: "accounts.bad_login",
    FactorNeeded: "accounts.factor_is_needed",
    LastAdministrator: "accounts.last_administrator",
    LinkOver: "accounts.link_over",
    LoginTaken: "accounts.login_taken",
    NothingToConfirm: "accounts.nothing_to_confirm",
    PasswordTooEasy: "accounts.too_easy",
    PasswordTooShort: "accounts.too_short",
    PasswordsDiffer: "accounts.differ",
    PractitionerNeeded: "accounts.practitioner_needed",
    TooManyAttempts: "login.too_many",
    UnknownPractitioner: "accounts.practitioner_needed",
    WrongCode: "accounts.wrong_code",
    WrongPassword: "accounts.wrong_password",
}
ACCOUNT_PROBLEMS = tuple(_WORDS)


def problem_words(problem: Refused) -> str:
    """Return what the page says about one of ACCOUNT_PROBLEMS."""
    return page_words()(_WORDS[type(problem)], **problem.fields)


def ask_password(services: ConsoleServices) -> None:
    """Check the password that this form came with, as at a log-in. Raises WrongPassword, TooManyAttempts, Unavailable."""
    staff, address = current_staff(), request.remote_addr or ""
    count_attempt(services.redis, login=staff.login, address=address)
    with services.db.read() as session:
        if check_password(session, login=staff.login, password=typed_password("password")) is None:
            raise WrongPassword
    forget_attempts(services.redis, login=staff.login, address=address)


def new_password_typed() -> str:
    """Return the new password of this form. Raises PasswordsDiffer."""
    password = typed_password("new_password")
    if password != typed_password("again"):
        raise PasswordsDiffer
    return password


def typed_password(field: str) -> str:
    """Return what a field of this form holds, up to a length that is still a password."""
    return request.form.get(field, "")[:LONGEST_PASSWORD]


def typed_email() -> str | None:
    """Return the address of this form, or None where the field is empty. Raises BadEmail."""
    text = request.form.get("email", "").strip()
    try:
        return read_address(text) if text else None
    except Malformed:
        raise BadEmail from None
