"""What belongs to an account of staff: sessions, second factor, links that set a password, and what was looked at."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, EncryptedText, new_id


class ConsoleSession(Base):
    """A browser in which somebody is logged in. Its cookie names the row; without the row the cookie is worth nothing."""

    __tablename__ = "console_session"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)  # to the minute
    address: Mapped[str]
    browser: Mapped[str]  # as it names itself


class SecondFactor(Base):
    """The secret that an authenticator shares with us. `pending`: one that no code has confirmed yet."""

    __tablename__ = "second_factor"

    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    secret: Mapped[str | None] = mapped_column(EncryptedText)
    pending: Mapped[str | None] = mapped_column(EncryptedText)
    last_step: Mapped[int] = mapped_column(default=0)  # of the last code taken, in steps of 30 s: none is taken twice


class RecoveryCode(Base):
    """A code that stands in once for a lost authenticator, and is deleted then. Only a keyed hash is stored."""

    __tablename__ = "recovery_code"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"), index=True)
    code_hash: Mapped[str]


class PasswordLink(Base):
    """An address at which somebody sets a password, once. Of its token a keyed hash is stored.

    One that goes by mail keeps the token until the mail is handed over; `mail_due_at` says when that is tried next.
    """

    __tablename__ = "password_link"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    token: Mapped[str | None] = mapped_column(EncryptedText)
    mail_due_at: Mapped[datetime | None] = mapped_column(index=True)


class LogInPolicy(Base):
    """What a clinic asks of everybody who logs in. A clinic without a row asks for a password."""

    __tablename__ = "log_in_policy"

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    needs_second_factor: Mapped[bool]


class AccessEntry(Base):
    """Somebody of the staff looked at something, or changed who may. Nobody changes a row or removes it in the console."""

    __tablename__ = "access_entry"
    __table_args__ = (
        Index("ix_access_entry_clinic_id_at", "clinic_id", "at"),
        Index("ix_access_entry_clinic_id_subject_id", "clinic_id", "subject_id"),
        Index("ix_access_entry_at", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    login: Mapped[str]  # an account keeps its login for good
    what: Mapped[str]
    subject_id: Mapped[str]
    at: Mapped[datetime]
    address: Mapped[str]
