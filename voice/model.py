"""The call itself; what was said in it belongs to its conversation."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class Call(Base):
    """One call, by the vendor's id. `status` is the vendor's word for it and never goes backwards."""

    __tablename__ = "call"

    call_sid: Mapped[str] = mapped_column(primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"), index=True)
    status: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    duration_s: Mapped[int | None]  # as the vendor counted it
    recording_consent: Mapped[str | None]  # Consent; None: they were not asked
    consent_at: Mapped[datetime | None]
    consent_version: Mapped[str | None]  # of the question that they were asked
    thread_hash: Mapped[str | None] = mapped_column(
        index=True
    )  # by which the dialog finds its Turns, if they were asked


class CallRecording(Base):
    """A recording that the vendor has, by its id. Both sides agreed to it."""

    __tablename__ = "call_recording"

    recording_sid: Mapped[str] = mapped_column(primary_key=True)
    call_sid: Mapped[str] = mapped_column(ForeignKey("call.call_sid"), index=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    duration_s: Mapped[int | None]
    created_at: Mapped[datetime]
