"""The bookable diary of a person or a thing: the thing that is locked."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, new_id


class Schedule(Base):
    """One diary, of one Practitioner or one Resource. A person has one, wherever they work: nobody is in two places.

    A Resource for several at once has as many diaries, told apart by `seat`: a constraint can refuse, it can't count.
    """

    __tablename__ = "schedule"
    __table_args__ = (
        CheckConstraint("(practitioner_id IS NULL) <> (resource_id IS NULL)", name="one_actor"),
        UniqueConstraint("resource_id", "seat"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"), index=True)
    practitioner_id: Mapped[str | None] = mapped_column(ForeignKey("practitioner.id"), unique=True)
    resource_id: Mapped[str | None] = mapped_column(ForeignKey("resource.id"))
    seat: Mapped[int] = mapped_column(default=0)


class AvailabilityRule(Base):
    """Weekly working hours of a Schedule at a Location: wall time there, in minutes after midnight.

    A Resource without any is there whenever its Location is open.
    """

    __tablename__ = "availability_rule"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    schedule_id: Mapped[str] = mapped_column(ForeignKey("schedule.id"), index=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("location.id"))
    weekday: Mapped[int]
    start_minute: Mapped[int]
    end_minute: Mapped[int]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    is_contingent: Mapped[bool] = mapped_column(default=False)


class TimeOff(Base):
    """Whole local days on which a Schedule is away, `ends_on` excluded: everywhere, or from one Location."""

    __tablename__ = "time_off"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    schedule_id: Mapped[str] = mapped_column(ForeignKey("schedule.id"), index=True)
    location_id: Mapped[str | None] = mapped_column(ForeignKey("location.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]


class DatedWork(Base):
    """On one local day a Schedule is open as well at a Location, or (`is_open` false) closed, between two wall times."""

    __tablename__ = "dated_work"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    schedule_id: Mapped[str] = mapped_column(ForeignKey("schedule.id"), index=True)
    location_id: Mapped[str | None] = mapped_column(ForeignKey("location.id"))
    day: Mapped[date]
    start_minute: Mapped[int]
    end_minute: Mapped[int]
    is_open: Mapped[bool]


class NextAvailable(Base):
    """When a Practitioner could next give a service at a Location, as it was at `computed_at`. For showing only."""

    __tablename__ = "next_available"

    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioner.id"), primary_key=True)
    service_id: Mapped[str] = mapped_column(ForeignKey("healthcare_service.id"), primary_key=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("location.id"), primary_key=True)
    starts_at: Mapped[datetime | None]  # None: nothing as far ahead as the clinic books
    computed_at: Mapped[datetime]


class BusyInterval(Base):
    """Time taken elsewhere, learnt by calendar sync. Blocks Slots; never shown to patients."""

    __tablename__ = "busy_interval"
    __table_args__ = (Index("ix_busy_interval_schedule_id_ends_at", "schedule_id", "ends_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    schedule_id: Mapped[str] = mapped_column(ForeignKey("schedule.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    origin: Mapped[str]  # the CalendarLink's id and href it was read from
    noted_at: Mapped[datetime | None]  # None: before this was kept


class PastBusyInterval(Base):
    """Time that was taken elsewhere and is no longer, or is over: what a conversation of the past met. Kept for a time only."""

    __tablename__ = "past_busy_interval"
    __table_args__ = (
        Index("ix_past_busy_interval_schedule_id_ends_at", "schedule_id", "ends_at"),
        Index("ix_past_busy_interval_gone_at", "gone_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)  # as it was there
    schedule_id: Mapped[str] = mapped_column(ForeignKey("schedule.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    noted_at: Mapped[datetime | None]
    gone_at: Mapped[datetime]
