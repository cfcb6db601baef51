"""What every mail that is written down before it is sent keeps of itself, whatever it is about."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import EncryptedText, new_id


class MailState(StrEnum):
    """How far a mail has come."""

    QUEUED = "queued"
    SENDING = "sending"  # about to be handed over, or just was: a process that died here left it so
    SENT = "sent"
    FAILED = "failed"  # given up; staff have a task
    SKIPPED = "skipped"  # not to be sent; `note` says why


class OutgoingMail:
    """The columns of a mail. It is there before a mail server is called, with all that it says: sent again it is the same to the byte."""

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)  # and the mail's Message-ID
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    appointment_id: Mapped[str | None] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"))
    sender: Mapped[str]
    sender_name: Mapped[str]
    to: Mapped[str] = mapped_column(EncryptedText)
    to_hash: Mapped[str]
    subject: Mapped[str] = mapped_column(EncryptedText)
    body: Mapped[str] = mapped_column(EncryptedText)
    state: Mapped[str]  # MailState
    note: Mapped[str | None]  # a code: why it was skipped or failed, or the mail server's
    attempts: Mapped[int] = mapped_column(default=0)
    unanswered: Mapped[int] = mapped_column(default=0)  # attempts whose outcome nobody knows
    due_at: Mapped[datetime]  # not before
    claimed_at: Mapped[datetime | None]  # when it was last about to be handed over
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
