"""Conversations and their turns. A Turn is appended and never changed; the words are plain text, so that they can be searched."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, EncryptedText, new_id
from kernel.search import WordSet


def _some(name: str, which: str) -> Index:
    """Return an index of the few conversations of a clinic that are so, in order of time."""
    where = text(which)
    return Index(name, "clinic_id", "last_turn_at", postgresql_where=where, sqlite_where=where)


class Conversation(Base):
    """One conversation with one person, on whatever they use for it.

    `version` grows with each turn and catches two writers; `state` is DialogState as JSON.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        Index("ix_conversation_clinic_id_last_turn_at", "clinic_id", "last_turn_at"),
        Index("ix_conversation_clinic_id_started_at", "clinic_id", "started_at"),
        Index("ix_conversation_thread_hash", "thread_hash"),
        Index("ix_conversation_ended_at_last_turn_at", "ended_at", "last_turn_at"),
        Index("ix_conversation_pick_up_at", "pick_up_at"),
        Index("ix_conversation_taken_until", "taken_until"),
        # For the list that staff read, the latest first.
        Index("ix_conversation_clinic_id_outcome", "clinic_id", "outcome", "last_turn_at"),
        Index("ix_conversation_clinic_id_language", "clinic_id", "language", "last_turn_at"),
        _some("ix_conversation_needs_review", "needs_review"),
        _some("ix_conversation_has_correction", "has_correction"),
        _some("ix_conversation_ungathered", "words IS NULL"),
        # What a Turn adds is put in its place at once: gathered in a list first, one Turn in a thousand would pay for all.
        Index("ix_conversation_words", "words", postgresql_using="gin", postgresql_with={"fastupdate": "off"}).ddl_if(
            dialect="postgresql"
        ),
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
    # What was said and replied, for the search. None: to be gathered from the Turns, which a duty does; whoever changes
    # the words of a Turn sets it so.
    words: Mapped[Sequence[str] | None] = mapped_column(WordSet)
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str | None]  # the log-in of whoever did
    has_correction: Mapped[bool] = mapped_column(default=False)  # staff said that something was misunderstood


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


class ConversationNote(Base):
    """What staff wrote down about a conversation. It may say anything of the patient, so it is encrypted."""

    __tablename__ = "conversation_note"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(EncryptedText)
    written_at: Mapped[datetime]
    written_by: Mapped[str]  # staff:<login>


class ConversationTag(Base):
    """A word of the clinic's own by which staff put conversations together."""

    __tablename__ = "conversation_tag"
    __table_args__ = (Index("ix_conversation_tag_clinic_id_tag", "clinic_id", "tag"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))


class ConversationReading(Base):
    """When somebody of the staff last read a conversation: what was said since is unread to them."""

    __tablename__ = "conversation_reading"

    login: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    read_at: Mapped[datetime]
