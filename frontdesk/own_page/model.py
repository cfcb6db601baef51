"""Links to a patient's own page: texted to a number on file, good once and for a short while."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, EncryptedText, new_id


class PageLink(Base):
    """One link. Of its secret only a hash is kept."""

    __tablename__ = "page_link"
    __table_args__ = (Index("ix_page_link_to_hash_created_at", "to_hash", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    to: Mapped[str] = mapped_column(EncryptedText)  # the number it was texted to
    to_hash: Mapped[str]
    secret_hash: Mapped[str] = mapped_column(unique=True)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
