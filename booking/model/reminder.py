"""What patients were reminded of. A row says that it was decided, so that nobody decides it again."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, new_id


class Reminder(Base):
    """One visit at one time, so long before it: told by the text or mail `message_id`, or left out for the reason in `note`.

    `subject_id` is the Appointment, or the Participant whose seat it is. A visit that moves is reminded of anew.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("subject_id", "starts_at", "lead_s"),
        Index("ix_reminder_number_hash_told_at", "number_hash", "told_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    appointment_id: Mapped[str] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"), index=True)
    subject_id: Mapped[str]
    starts_at: Mapped[datetime]
    lead_s: Mapped[int]  # how long before the visit, in seconds
    number_hash: Mapped[str | None]  # whose answer is about it
    message_id: Mapped[str | None] = mapped_column(index=True)
    note: Mapped[str | None]  # a code
    written_at: Mapped[datetime]
    told_at: Mapped[datetime | None]  # when it was about to be handed over
