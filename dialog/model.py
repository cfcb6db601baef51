"""Conversations and their turns. A Turn is appended and never changed; the words are plain text, so that they can be searched."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, EncryptedText, new_id


class Conversation(Base):
    """One conversation with one person, on whatever they use for it.

    `version` grows with each turn and catches two writers; `state` is DialogState as JSON.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        Index("ix_conversation_clinic_id_last_turn_at", "clinic_id", "last_turn_at"),
        Index("ix_conversation_thread_hash", "thread_hash"),
        Index("ix_conversation_ended_at_last_turn_at", "ended_at", "last_turn_at"),
        Index("ix_conversation_pick_up_at", "pick_up_at"),
        Index("ix_conversation_taken_until", "taken_until"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    channel: Mapped[str]  # on which it began
    thread_hash: Mapped[
        str
    ]  # on which it began: of clinic, channel and the vendor's name for the thread, which may hold a number
    caller: Mapped[str | None] = mapped_column(EncryptedText)  # E.164; None when withheld
    caller_hash: Mapped[str | None] = mapped_column(index=True)
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patient.id"), index=True)
    language: Mapped[str]
    state: Mapped[str] = mapped_column(EncryptedText)  # holds what they said of themselves
    version: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str | None]
    needs_review: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime]
    last_turn_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    is_on_call: Mapped[bool] = mapped_column(default=False)
    pick_up_at: Mapped[datetime | None]  # when a text goes to somebody whose call dropped, unless they come back before
    taken_by: Mapped[str | None]  # the log-in of whoever of the staff answers instead of the agent
    taken_at: Mapped[datetime | None]
    taken_until: Mapped[datetime | None]  # the agent answers again from then on
    waits_since: Mapped[datetime | None]  # the first words to staff that they have not answered


class Turn(Base):
    """One exchange, with everything needed to see why, and to decide it again: clock, catalogue's version, results."""

    __tablename__ = "turn"
    __table_args__ = (
        UniqueConstraint("conversation_id", "number"),
        Index("ix_turn_message_key", "message_key"),
        Index("ix_turn_thread_hash_at", "thread_hash", "at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    number: Mapped[int]
    channel: Mapped[str]
    thread_hash: Mapped[str]  # of the call or the text's thread
    kind: Mapped[str]  # InboundKind, or StaffTurn where staff had the conversation
    message_key: Mapped[str]
    said: Mapped[str]
    reply: Mapped[str]
    commands: Mapped[list[Any]]  # [{"name": ..., fields}], without dates of birth and numbers
    heard: Mapped[str] = mapped_column(EncryptedText)  # JSON list of the commands, whole: what a replay needs
    confidence: Mapped[float | None]
    acts: Mapped[list[Any]]  # [{"say": ..., "fields": {...}, "variant": n}]
    writes: Mapped[list[Any]]  # [{"what": ..., "appointment_id" | "task_id" | "patient_id": ...}]
    results: Mapped[str] = mapped_column(
        EncryptedText
    )  # JSON list of {"request": ..., "result": ...}; may name patients
    at: Mapped[datetime]
    catalogue_version: Mapped[int]
    timings: Mapped[dict[str, Any]]  # milliseconds a stage
    tokens_in: Mapped[int] = mapped_column(default=0)  # of a language model, as its vendor counted them
    tokens_out: Mapped[int] = mapped_column(default=0)
    cost: Mapped[float | None]  # of the tokens, in the currency of the prices set; None without prices
    staff: Mapped[str | None]  # the log-in of whoever had the conversation instead of the agent
