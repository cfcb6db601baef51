"""Texts, and mails in their place, that we send on our own account. What is said in a conversation belongs to its Turns."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from booking.model.mail import OutgoingMail
from kernel.db import Base, EncryptedText, new_id


class SmsKind(StrEnum):
    """What a text is about."""

    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    REJECTED = "rejected"  # staff said no to a request
    MOVE_OFFERED = "move-offered"  # the visit can't take place; another time is kept
    OFFER = "offer"  # time that came free, to somebody on the waiting list
    REMINDER = "reminder"  # of one visit or of all of a day
    PICK_UP = "pick-up"  # a call dropped while something was open
    REPLY = "reply"  # an answer that came too late for the vendor's request
    LINK = "link"  # to the patient's own page, which they asked for
    STAFF = "staff"  # what staff write in a conversation that they have taken over
    AGENT_AGAIN = "agent-again"  # the agent's first words after theirs


ABOUT_VISIT = frozenset({SmsKind.BOOKED, SmsKind.MOVED, SmsKind.CANCELLED, SmsKind.REJECTED, SmsKind.MOVE_OFFERED})
"""What tells what became of a visit."""


class SmsState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"  # about to be handed over, or just was: a process that died here left it so
    UNKNOWN = "unknown"  # handed over without an answer: the vendor must be asked
    SENT = "sent"  # the vendor has it
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    SKIPPED = "skipped"  # not to be sent; `note` says why

    def may_become(self, other: "SmsState") -> bool:
        """Say whether a text goes on from here to `other`: reports come late and out of order, and nothing goes back."""
        return _RANK[other] > _RANK[self]


_RANK = {
    SmsState.QUEUED: 0,
    SmsState.SENDING: 1,
    SmsState.UNKNOWN: 1,
    SmsState.SENT: 2,
    SmsState.DELIVERED: 3,
    SmsState.UNDELIVERED: 3,
    SmsState.FAILED: 3,
    SmsState.SKIPPED: 3,
}


class SmsMessage(Base):
    """One text. The row is there before the vendor is called; a change of a visit is told at most once."""

    __tablename__ = "sms_message"
    __table_args__ = (
        UniqueConstraint("kind", "appointment_id", "revision"),
        Index("ix_sms_message_state_due_at", "state", "due_at"),
        Index("ix_sms_message_to_hash_created_at", "to_hash", "created_at"),
        Index("ix_sms_message_clinic_id_created_at", "clinic_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    kind: Mapped[str]  # SmsKind
    to: Mapped[str | None] = mapped_column(EncryptedText)  # E.164; None: there is no number, so it was skipped
    to_hash: Mapped[str | None]
    sender: Mapped[str | None]  # the clinic's number
    body: Mapped[str] = mapped_column(EncryptedText)
    appointment_id: Mapped[str | None] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"))
    revision: Mapped[int | None]
    offer_id: Mapped[str | None] = mapped_column(unique=True)  # the offer of the waiting list that it makes
    reply_to: Mapped[str | None] = mapped_column(unique=True)  # the vendor's id of the text this answers
    conversation_id: Mapped[str | None] = mapped_column(index=True, unique=True)  # the dropped call that it picks up
    turn_id: Mapped[str | None] = mapped_column(index=True, unique=True)  # what was said by staff, or after them
    state: Mapped[str]  # SmsState
    note: Mapped[str | None]  # a code: why it was skipped
    vendor_sid: Mapped[str | None] = mapped_column(unique=True)
    earlier_sids: Mapped[list[str]] = mapped_column(
        default=list, server_default=text("'[]'")
    )  # before it was sent again
    error_code: Mapped[int | None]  # the vendor's
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]  # not before
    claimed_at: Mapped[datetime | None]  # when it was last about to be handed over
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class PatientMail(OutgoingMail, Base):
    """A mail that says what a text would: where no text can reach the patient, or beside it. Its id is the text's."""

    __tablename__ = "patient_mail"
    __table_args__ = (
        UniqueConstraint("kind", "appointment_id", "revision"),
        Index("ix_patient_mail_state_due_at", "state", "due_at"),
        Index("ix_patient_mail_clinic_id", "clinic_id"),
    )

    kind: Mapped[str]  # SmsKind
    revision: Mapped[int | None]
