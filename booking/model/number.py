"""Numbers that texts do not reach."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class NumberTrouble(Base):
    """How often in a row no text reached a number. From `given_up_at` on it is sent none, until it is heard from or changed."""

    __tablename__ = "number_trouble"

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    value_hash: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_code: Mapped[int | None]  # the vendor's
    last_at: Mapped[datetime]
    given_up_at: Mapped[datetime | None]
