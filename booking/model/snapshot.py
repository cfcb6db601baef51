"""Clinics as they were, so that what was decided then can be decided again."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class ClinicSnapshot(Base):
    """What a clinic's file said at one version of its catalogue: a document as JSON. Written once and never changed."""

    __tablename__ = "clinic_snapshot"

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    file: Mapped[str] = mapped_column(Text)
    kept_at: Mapped[datetime]
