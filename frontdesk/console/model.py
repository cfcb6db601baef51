"""What staff keep of the console for themselves: views of the list of conversations."""

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, EncryptedText, new_id


class SavedView(Base):
    """What the list is narrowed to, under a name. A shared one is everybody's of the clinic to use, and its owner's to change."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("clinic_id", "login", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    login: Mapped[str]  # whose it is
    name: Mapped[str]
    is_shared: Mapped[bool] = mapped_column(default=False)
    wanted: Mapped[str] = mapped_column(EncryptedText)  # JSON; words that are searched for may name a patient


class DefaultView(Base):
    """The view that somebody sees who opens the list."""

    __tablename__ = "default_view"

    login: Mapped[str] = mapped_column(primary_key=True)
    view_id: Mapped[str] = mapped_column(ForeignKey("saved_view.id", ondelete="CASCADE"), index=True)
