"""Passwords: what one must be, and the argon2 hash that is kept of it."""

import re
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kernel.errors import Refused

MINIMUM_PASSWORD = 10
_FEWEST_CHARACTERS = 5  # different ones

# What guessers try first, without the digits and signs that people put around it. Shorter ones are refused as too short.
_COMMON_WORDS = """
    abcdefghij abcdefghijk adminadmin administrator appointment asdfghjkl asdfghjklñ baseball basketball bienvenido
    bienvenida changeme charlie chocolate christmas clinic clinica computer consultorio contraseña contrasena
    contrasenia dentist dentista doctor enfermera england estrellas football frontdesk hospital iloveyou internet
    jennifer letmein liverpool manchester mariposa medico michael mypassword password passwordpassword passwort
    princess princesa qwertyuiop qwertzuiop qwerty reception receptionist recepcion secret secretaria secreto
    septiembre september sunshine superman superstar teamomucho tequiero trustno welcome welcomehome zxcvbnm
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_ROW = "01234567890123456789"


class PasswordTooShort(Refused):
    """A password of fewer than `minimum` characters."""

    code = "password-too-short"


class PasswordTooEasy(Refused):
    """A password that guessers try first: a common one, a row of digits, the same few characters, or the login itself."""

    code = "password-too-easy"


def hash_password(password: str, *, login: str) -> str:
    """Return what is stored of a password. Raises PasswordTooShort, PasswordTooEasy."""
    if len(password) < MINIMUM_PASSWORD:
        raise PasswordTooShort(minimum=MINIMUM_PASSWORD)
    if _is_easy(password.lower(), login.lower()):
        raise PasswordTooEasy
    return _hasher().hash(password)


def password_fits(stored: str | None, password: str) -> bool:
    """Say whether this is the password that was stored. Takes as long where nothing was."""
    try:
        _hasher().verify(stored or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def new_password() -> str:
    """Make a password that can be read from a screen and typed."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def _is_easy(password: str, login: str) -> bool:
    word = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)
    return (
        len(set(password)) < _FEWEST_CHARACTERS
        or word in _COMMON
        or word.translate(str.maketrans("@0135$", "aoiess")) in _COMMON
        or password in _ROW
        or password in _ROW[::-1]
        or login in {password, word}
    )


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_hex())
