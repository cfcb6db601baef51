"""What staff say was misunderstood."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, EncryptedText, JsonColumn, new_id


class Correction(Base):
    """One Turn that was misunderstood, and what was meant: a case that the agent should pass one day.

    `words`: what staff made of the words where they may name somebody, by number of the Turn; read before it is exported.
    """

    __tablename__ = "correction"
    __table_args__ = (
        Index("ix_correction_clinic_id_created_at", "clinic_id", "created_at"),
        Index("ix_correction_conversation_id_turn_number", "conversation_id", "turn_number"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    turn_number: Mapped[int]
    meant: Mapped[str] = mapped_column(EncryptedText)  # in staff's words, which may name a patient
    note: Mapped[str] = mapped_column(EncryptedText)
    commands: Mapped[list[str]]  # names of the commands that should have been understood
    outcome: Mapped[str | None]
    visit: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)  # what should have been written, by keys
    words: Mapped[str | None] = mapped_column(EncryptedText)  # JSON; None until somebody has read it
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
