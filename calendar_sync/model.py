"""Which calendars are connected, and what we have put into them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, EncryptedText, new_id


class LinkState(StrEnum):
    OK = "ok"  # the last exchange worked
    STALE = "stale"  # it could not be reached; tried again by itself
    FAILED = "failed"  # it refused us: somebody must look at address or password


class ObjectState(StrEnum):
    BEHIND = "behind"  # the calendar does not show yet what stands in the diary
    OK = "ok"
    REMOVED = "removed"


class CalendarLink(Base):
    """A calendar of a Practitioner that shows our appointments."""

    __tablename__ = "calendar_link"
    __table_args__ = (UniqueConstraint("practitioner_id", "url"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"), index=True)
    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioner.id"))
    kind: Mapped[str] = mapped_column(default="caldav")
    url: Mapped[str]  # of the collection, with a slash at the end
    username: Mapped[str]
    password: Mapped[str] = mapped_column(EncryptedText)
    state: Mapped[str] = mapped_column(default=LinkState.OK.value)
    last_ok_at: Mapped[datetime | None]
    error: Mapped[str | None]  # a code, never a vendor's text
    created_at: Mapped[datetime]


class RemoteObject(Base):
    """One Appointment in one calendar, as we left it there: what the next write is based on."""

    __tablename__ = "remote_object"
    __table_args__ = (
        UniqueConstraint("link_id", "appointment_id"),
        Index("ix_remote_object_state_changed_at", "state", "changed_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    link_id: Mapped[str] = mapped_column(ForeignKey("calendar_link.id", ondelete="CASCADE"))
    appointment_id: Mapped[str] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"), index=True)
    href: Mapped[str | None]
    etag: Mapped[str | None]  # None: it is not there
    sequence: Mapped[int | None]
    pushed_hash: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=ObjectState.BEHIND.value)
    changed_at: Mapped[datetime]
