"""Who waits for time to come free, and what they were offered."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, new_id


class WaitlistEntry(Base):
    """Somebody wants a time that is not free. Lists are empty where anything will do."""

    __tablename__ = "waitlist_entry"
    __table_args__ = (Index("ix_waitlist_entry_clinic_id_status", "clinic_id", "status"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    service_id: Mapped[str] = mapped_column(ForeignKey("healthcare_service.id"))
    practitioner_ids: Mapped[list[str]]
    location_ids: Mapped[list[str]]
    spans: Mapped[list[Any]]  # [[start, end], ...] as ISO instants: when a visit may start
    replaces_id: Mapped[str | None] = mapped_column(
        ForeignKey("appointment.id")
    )  # the visit they have and want earlier
    conversation_id: Mapped[str | None]
    source: Mapped[str]
    status: Mapped[str]  # waiting, booked, left, expired
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Offer(Base):
    """Time that came free, offered to one who waits, until a deadline. Its Hold keeps the time meanwhile."""

    __tablename__ = "offer"
    __table_args__ = (Index("ix_offer_status_expires_at", "status", "expires_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    entry_id: Mapped[str] = mapped_column(ForeignKey("waitlist_entry.id", ondelete="CASCADE"), index=True)
    hold_id: Mapped[str] = mapped_column(ForeignKey("appointment.id"), index=True)
    status: Mapped[str]  # open, accepted, declined, expired, gone
    offered_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
