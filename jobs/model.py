"""What is to be done after a commit, for whom, and what was done when it was due."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, new_id


class DeliveryState(StrEnum):
    PENDING = "pending"  # waits for `due_at`, or for an earlier one of the same thing
    QUEUED = "queued"  # handed to the queue; if nobody takes it until `lease_until` it is handed out again
    RUNNING = "running"  # taken by a worker, which has until `lease_until`
    DONE = "done"
    PARKED = "parked"  # given up; staff have a task


OPEN = (DeliveryState.PENDING.value, DeliveryState.QUEUED.value, DeliveryState.RUNNING.value)


class Delivery(Base):
    """One event for one subscriber."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("entry_id", "subscriber"),
        Index("ix_delivery_state_due_at", "state", "due_at"),
        Index("ix_delivery_subscriber_aggregate_id_entry_id", "subscriber", "aggregate_id", "entry_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    entry_id: Mapped[int] = mapped_column(ForeignKey("outbox_entry.id"))
    subscriber: Mapped[str]
    aggregate_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=DeliveryState.PENDING.value)
    handouts: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None]  # the kind of the last failure, never its text
    done_at: Mapped[datetime | None]


class DueRun(Base):
    """When a periodic duty is due next, and who is at it."""

    __tablename__ = "due_run"

    name: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
