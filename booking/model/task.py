"""What staff are asked to do."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, EncryptedText, new_id


class StaffTask(Base):
    """A promise made to a patient, or trouble only a person can mend. `subject` makes raising the same one twice a no-op.

    `owner` is the login of whoever is at it; nobody else is then.
    """

    __tablename__ = "staff_task"
    __table_args__ = (Index("ix_staff_task_clinic_id_done_at", "clinic_id", "done_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    kind: Mapped[str]
    subject: Mapped[str | None] = mapped_column(unique=True)
    says: Mapped[str | None]  # which sentence of `booking.task_words`; None in rows that only have a text
    details: Mapped[str | None] = mapped_column(EncryptedText)  # what stands in it; may hold a patient's words
    text: Mapped[str] = mapped_column(EncryptedText)  # the sentence in English, which the release before reads
    phone: Mapped[str | None] = mapped_column(EncryptedText)
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patient.id"), index=True)
    appointment_id: Mapped[str | None] = mapped_column(ForeignKey("appointment.id"))
    conversation_id: Mapped[str | None]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    owner: Mapped[str | None]
    owned_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(EncryptedText)  # what was done, in a word of whoever did it


class TaskNote(Base):
    """What staff wrote down about a task. Never changed."""

    __tablename__ = "task_note"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("staff_task.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(EncryptedText)
    written_at: Mapped[datetime]
    written_by: Mapped[str]  # the login
