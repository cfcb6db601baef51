"""The tenant and its places."""

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, new_id


class Clinic(Base):
    """A tenant. Every row of a clinic carries its id; `version` grows with each change of the catalogue."""

    __tablename__ = "clinic"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str]
    timezone: Mapped[str]
    country: Mapped[str]
    languages: Mapped[list[str]]
    phone: Mapped[str | None] = mapped_column(index=True)  # the number patients call, E.164
    transfer_to: Mapped[str | None]
    email: Mapped[str | None]  # the mailbox that mails come from
    records_calls: Mapped[bool] = mapped_column(default=False, server_default=false())
    rules: Mapped[dict[str, Any]]  # BookingRules; durations in seconds
    hidden_verticals: Mapped[list[str]] = mapped_column(default=list)
    calendars: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'")
    )  # CalendarPolicy; durations in seconds
    messages: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'")
    )  # MessagePolicy; durations in seconds
    answers: Mapped[list[Any]]


class Location(Base):
    """A branch: address, zone, opening hours."""

    __tablename__ = "location"
    __table_args__ = (UniqueConstraint("clinic_id", "key"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    key: Mapped[str]
    position: Mapped[int]
    name: Mapped[str]
    aliases: Mapped[list[str]]
    address: Mapped[str]
    timezone: Mapped[str]
    phone: Mapped[str | None] = mapped_column(index=True)
    transfer_to: Mapped[str | None]
    directions: Mapped[str | None]
    parking: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)  # where they differ from the clinic's
    retired: Mapped[bool] = mapped_column(default=False)  # no longer in the clinic file; kept for past appointments


class OpeningHours(Base):
    """A Location is open on `weekday` between two wall times, in minutes after its midnight."""

    __tablename__ = "opening_hours"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    location_id: Mapped[str] = mapped_column(ForeignKey("location.id"), index=True)
    weekday: Mapped[int]
    start_minute: Mapped[int]
    end_minute: Mapped[int]


class Closure(Base):
    """A Location is closed on these whole local days, `ends_on` excluded."""

    __tablename__ = "closure"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    location_id: Mapped[str] = mapped_column(ForeignKey("location.id"), index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]


class DatedOpening(Base):
    """On one local day a Location is open as well, or (`is_open` false) closed, between two wall times."""

    __tablename__ = "dated_opening"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    location_id: Mapped[str] = mapped_column(ForeignKey("location.id"), index=True)
    day: Mapped[date]
    start_minute: Mapped[int]
    end_minute: Mapped[int]
    is_open: Mapped[bool]
