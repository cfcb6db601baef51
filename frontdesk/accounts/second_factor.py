"""The second factor of a log-in: codes of an authenticator (TOTP, RFC 6238), and recovery codes for when it is lost.

A code counts once, also when two log-ins bring it at the same moment: the database decides which of them was first.
"""

import contextlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime

import pyotp
from sqlalchemy import ScalarSelect, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from frontdesk.accounts.model import LogInPolicy, RecoveryCode, SecondFactor
from kernel.crypto import keyring
from kernel.errors import Refused
from kernel.work import UnitOfWork

ISSUER = "Frontdesk"
RECOVERY_CODES = 10
_STEP_S = 30
_DRIFT = 1  # steps that a telephone's clock may be off
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class WrongCode(Refused):
    """The code is not the authenticator's of this minute, was used before, or is no recovery code that is left."""

    code = "wrong-code"


class NothingToConfirm(Refused):
    """No new secret waits for its first code."""

    code = "nothing-to-confirm"


class FactorNeeded(Refused):
    """The clinic asks everybody for a second factor."""

    code = "factor-needed"


@dataclass(frozen=True)
class Proposal:
    """`address`: the `otpauth:` address that authenticators read from a picture; `secret`: what people type instead."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True)
class FactorState:
    is_on: bool
    recovery_codes: int
    is_needed: bool  # by the clinic


def factor_state(session: Session, *, user_id: str, clinic_id: str) -> FactorState:
    """Return how somebody's second factor stands."""
    codes = select(func.count()).where(RecoveryCode.user_id == user_id).scalar_subquery()
    is_on = select(SecondFactor.user_id).where(SecondFactor.user_id == user_id, SecondFactor.secret.is_not(None))
    row = session.execute(select(codes, is_on.exists(), _policy(clinic_id))).one()
    return FactorState(is_on=bool(row[1]), recovery_codes=row[0], is_needed=bool(row[2]))


def has_factor(session: Session, *, user_id: str) -> bool:
    """Say whether a log-in needs a code."""
    return session.scalar(
        select(SecondFactor.user_id).where(SecondFactor.user_id == user_id, SecondFactor.secret.is_not(None))
    ) is not None  # fmt: skip


def propose_secret(work: UnitOfWork, *, user_id: str) -> None:
    """Make a secret for an authenticator. It opens nothing until a code made with it was shown; the one before stays."""
    with contextlib.suppress(IntegrityError), work.part():
        work.session.add(SecondFactor(user_id=user_id, last_step=0))
    made = update(SecondFactor).where(SecondFactor.user_id == user_id).values(pending=pyotp.random_base32())
    work.session.execute(made)


def proposal(session: Session, *, user_id: str, login: str) -> Proposal | None:
    """Return the secret that waits for its first code, or None where none does."""
    secret = session.scalar(select(SecondFactor.pending).where(SecondFactor.user_id == user_id))
    if secret is None:
        return None
    return Proposal(secret=secret, address=pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER))


def confirm_secret(work: UnitOfWork, *, user_id: str, code: str, now: datetime) -> list[str]:
    """Ask for codes of the proposed secret from now on, and return the recovery codes: they are stored nowhere.

    Raises NothingToConfirm, WrongCode.
    """
    row = work.session.get(SecondFactor, user_id, with_for_update=True)
    if row is None or row.pending is None:
        raise NothingToConfirm
    step = _step_of(row.pending, code, now=now)
    if step is None:
        raise WrongCode
    row.secret, row.pending, row.last_step = row.pending, None, step
    return make_recovery_codes(work, user_id=user_id)


def take_code(work: UnitOfWork, *, user_id: str, code: str, now: datetime) -> None:
    """Let a code of the authenticator or a recovery code count, this once. Raises WrongCode."""
    secret = work.session.scalar(select(SecondFactor.secret).where(SecondFactor.user_id == user_id))
    step = None if secret is None else _step_of(secret, code, now=now)
    if step is None:
        _take_recovery_code(work, user_id, code)
        return
    taken = work.session.execute(
        update(SecondFactor)
        .where(SecondFactor.user_id == user_id, SecondFactor.last_step < step)
        .values(last_step=step)
        .returning(SecondFactor.user_id)
    )
    if taken.first() is None:
        raise WrongCode


def make_recovery_codes(work: UnitOfWork, *, user_id: str) -> list[str]:
    """Return ten new recovery codes; those before are worth nothing any more."""
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = ["-".join(_letters(5) for _ in range(2)) for _ in range(RECOVERY_CODES)]
    work.session.add_all([RecoveryCode(user_id=user_id, code_hash=_hash(user_id, code)) for code in codes])
    return codes


def drop_factor(work: UnitOfWork, *, user_id: str) -> None:
    """Ask this account for no code any more, whoever decided so. Nothing happens if none was asked for."""
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    work.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))


def leave_factor(work: UnitOfWork, *, user_id: str, clinic_id: str) -> None:
    """Let somebody do without one who does not want it any more. Raises FactorNeeded where the clinic wants it."""
    if work.session.scalar(select(_policy(clinic_id))):
        raise FactorNeeded
    drop_factor(work, user_id=user_id)


def set_policy(work: UnitOfWork, *, clinic_id: str, needs_second_factor: bool) -> None:
    """Say whether everybody of the clinic has to have a second factor. Who has none sets one up at the next page."""
    with contextlib.suppress(IntegrityError), work.part():
        work.session.add(LogInPolicy(clinic_id=clinic_id, needs_second_factor=False))
    said = update(LogInPolicy).where(LogInPolicy.clinic_id == clinic_id)
    work.session.execute(said.values(needs_second_factor=needs_second_factor))


def _policy(clinic_id: str) -> ScalarSelect[bool]:
    return select(LogInPolicy.needs_second_factor).where(LogInPolicy.clinic_id == clinic_id).scalar_subquery()


def _step_of(secret: str, code: str, *, now: datetime) -> int | None:
    code = "".join(code.split())
    if not code.isascii():
        return None
    current, totp = int(now.timestamp()) // _STEP_S, pyotp.TOTP(secret)
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            return step
    return None


def _take_recovery_code(work: UnitOfWork, user_id: str, code: str) -> None:
    found = work.session.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.user_id == user_id, RecoveryCode.code_hash == _hash(user_id, code))
        .returning(RecoveryCode.id)
    )
    if found.first() is None:
        raise WrongCode


def _letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def _hash(user_id: str, code: str) -> str:
    plain = "".join(char for char in code.lower() if char.isalnum())
    return keyring().lookup_hash(f"recovery code:{user_id}:{plain}")
