"""Which calendars are connected, what we know of what is in them, and what was done there."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from booking.model.mail import OutgoingMail
from kernel.db import Base, EncryptedText, new_id

CALCOM = "calcom"
"""The kind of link whose events are bookings, some of which patients made there themselves."""


class LinkState(StrEnum):
    OK = "ok"  # the last exchange worked
    STALE = "stale"  # it could not be reached; tried again by itself
    FAILED = "failed"  # for too long, or it refuses us, or it is suddenly empty: somebody must look


class LinkError(StrEnum):
    """Why a link is not ok."""

    UNREACHABLE = "unreachable"
    ACCESS_REFUSED = "access-refused"
    SUDDENLY_EMPTY = "suddenly-empty"


class ObjectState(StrEnum):
    BEHIND = "behind"  # the calendar does not show yet what stands in the diary
    OK = "ok"
    REMOVED = "removed"
    REFUSED = "refused"  # the calendar will not have it at that time: tried again when the visit changes, and daily
    FOREIGN = "foreign"  # somebody else's event


class Clearing(StrEnum):
    """Our visits ahead are being taken out of a calendar, and what becomes of the link then."""

    THEN_KEEP = "then-keep"
    THEN_REMOVE = "then-remove"


class CalendarLink(Base):
    """A calendar of a Practitioner: it shows our appointments, or keeps them busy, or both."""

    __tablename__ = "calendar_link"
    __table_args__ = (UniqueConstraint("practitioner_id", "url"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"), index=True)
    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioner.id"))
    kind: Mapped[str] = mapped_column(default="caldav")
    url: Mapped[str]  # of the collection, with a slash at the end
    name: Mapped[str] = mapped_column(default="", server_default="")  # what its owner calls it, where that is known
    username: Mapped[str]
    password: Mapped[str] = mapped_column(EncryptedText)
    auth: Mapped[str] = mapped_column(default="basic", server_default="basic")
    options: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))  # what only one kind has
    webhook_secret: Mapped[str | None] = mapped_column(EncryptedText)
    reads_busy: Mapped[bool] = mapped_column(default=True, server_default=true())
    shows_visits: Mapped[bool] = mapped_column(default=True, server_default=true())
    all_day_is_busy: Mapped[bool] = mapped_column(default=True, server_default=true())
    owner_addresses: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))  # where not the clinic's
    clearing: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=LinkState.OK.value)
    error: Mapped[str | None]  # a code, never a vendor's text
    last_ok_at: Mapped[datetime | None]  # last exchange of any kind that worked
    sync_token: Mapped[str | None]
    read_at: Mapped[datetime | None]  # last time that everything new was read, and acted on
    listed_at: Mapped[datetime | None]  # last time that everything there was read
    unreachable_since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0, server_default="0")  # in a row
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)
    paused_at: Mapped[datetime | None]  # asked nothing until staff mend it
    lease_until: Mapped[datetime | None]  # a worker is at it
    takes_emptiness: Mapped[bool] = mapped_column(default=False, server_default=false())  # staff say it is right
    created_at: Mapped[datetime]


class CalendarSetUp(Base):
    """A log-in that staff gave for a Practitioner, until they have chosen which of its calendars are linked."""

    __tablename__ = "calendar_set_up"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"), index=True)
    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioner.id"))
    kind: Mapped[str]
    url: Mapped[str]  # as staff typed it: where to look for calendars
    username: Mapped[str]
    password: Mapped[str] = mapped_column(EncryptedText)
    auth: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)


class RemoteObject(Base):
    """What we know of one event in one calendar: an Appointment as both sides last had it, or somebody else's event.

    Of somebody else's event it is where and in which version, never what it says.
    """

    __tablename__ = "remote_object"
    __table_args__ = (
        UniqueConstraint("link_id", "appointment_id"),
        UniqueConstraint("link_id", "href"),
        Index("ix_remote_object_state_changed_at", "state", "changed_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    link_id: Mapped[str] = mapped_column(ForeignKey("calendar_link.id", ondelete="CASCADE"))
    appointment_id: Mapped[str | None] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"), index=True)
    href: Mapped[str | None]
    earlier_hrefs: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    etag: Mapped[str | None]  # None: it is not there
    sequence: Mapped[int | None]  # the highest that stood there
    pushed_hash: Mapped[str | None]  # of what the diary said when both sides last agreed
    seen_hash: Mapped[
        str | None
    ]  # of what the calendar said then: not the same, where somebody wrote words of their own
    attempt_hash: Mapped[str | None]  # of what we are writing, or "" when removing: it may have arrived unheard
    starts_at: Mapped[datetime | None]  # when it was then
    ends_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default=ObjectState.BEHIND.value)
    changed_at: Mapped[datetime]


class CalendarAction(Base):
    """A line of a link's history: what was done, or seen, and what came of it."""

    __tablename__ = "calendar_action"
    __table_args__ = (Index("ix_calendar_action_link_id_at", "link_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    link_id: Mapped[str] = mapped_column(ForeignKey("calendar_link.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    action: Mapped[str]
    appointment_id: Mapped[str | None] = mapped_column(ForeignKey("appointment.id", ondelete="SET NULL"), index=True)
    href: Mapped[str | None]
    outcome: Mapped[str]
    actor: Mapped[str]


class Invitation(OutgoingMail, Base):
    """One mail that puts a visit into its patient's calendar, moves it there, or takes it out.

    A visit says the same thing to an address once, whatever tells of it and how often.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        UniqueConstraint("appointment_id", "sequence", "status", "to_hash"),
        Index("ix_invitation_state_due_at", "state", "due_at"),
    )

    appointment_id: Mapped[str] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    status: Mapped[str]  # iCalendar's: CONFIRMED, TENTATIVE, CANCELLED
    to_name: Mapped[str] = mapped_column(EncryptedText)
    calendar: Mapped[str] = mapped_column(EncryptedText)


class CalendarFeed(Base):
    """The private address at which a Practitioner's calendar program reads their visits. Only a hash of it is kept."""

    __tablename__ = "calendar_feed"

    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioner.id"), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    read_at: Mapped[datetime | None]  # when it was last read, to the hour
