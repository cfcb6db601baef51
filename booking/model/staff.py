"""Who works here, with what, and what patients can come for."""

from datetime import date

from sqlalchemy import ForeignKey, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, new_id


class Practitioner(Base):
    """A person patients are booked with."""

    __tablename__ = "practitioner"
    __table_args__ = (UniqueConstraint("clinic_id", "key"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    key: Mapped[str]
    position: Mapped[int]
    name: Mapped[str]
    aliases: Mapped[list[str]]
    gender: Mapped[str | None]
    languages: Mapped[list[str]]
    skills: Mapped[list[str]]
    bio: Mapped[str | None]
    kind: Mapped[str | None]
    vertical: Mapped[str | None]
    specialties: Mapped[list[str]] = mapped_column(default=list)
    credentials: Mapped[list[str]] = mapped_column(default=list)
    publications: Mapped[list[str]] = mapped_column(default=list)
    rating: Mapped[float | None]
    reviews: Mapped[int] = mapped_column(default=0)
    visible_when_unavailable: Mapped[bool] = mapped_column(default=True)
    meeting_url: Mapped[str | None]
    is_looked_up: Mapped[bool] = mapped_column(default=False, server_default=false())  # before a visit is booked
    since: Mapped[date | None]
    retired: Mapped[bool] = mapped_column(default=False)


class HealthcareService(Base):
    """What can be booked. Times in minutes."""

    __tablename__ = "healthcare_service"
    __table_args__ = (UniqueConstraint("clinic_id", "key"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    key: Mapped[str]
    position: Mapped[int]
    name: Mapped[str]
    aliases: Mapped[list[str]]
    reasons: Mapped[list[str]]
    description: Mapped[str | None]
    category: Mapped[str | None]
    duration_min: Mapped[int]
    buffer_before_min: Mapped[int]
    buffer_after_min: Mapped[int]
    price: Mapped[str | None]
    skills: Mapped[list[str]]
    resource_kinds: Mapped[list[str]]
    preparation: Mapped[str | None]
    needs_confirmation: Mapped[bool]
    longest_min: Mapped[int | None]
    duration_step_min: Mapped[int | None]
    step_keys: Mapped[list[str]] = mapped_column(default=list)
    step_gap_min: Mapped[int] = mapped_column(default=0)
    group_minimum: Mapped[int | None]
    group_maximum: Mapped[int | None]
    mode: Mapped[str] = mapped_column(default="in-person")
    prior_visit: Mapped[str | None]
    retired: Mapped[bool] = mapped_column(default=False)


class ServiceOffering(Base):
    """This Practitioner offers this service."""

    __tablename__ = "service_offering"

    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioner.id"), primary_key=True)
    service_id: Mapped[str] = mapped_column(ForeignKey("healthcare_service.id"), primary_key=True)


class Resource(Base):
    """A room, chair or device at one Location."""

    __tablename__ = "resource"
    __table_args__ = (UniqueConstraint("clinic_id", "key"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    key: Mapped[str]
    position: Mapped[int]
    kind: Mapped[str]
    capacity: Mapped[int] = mapped_column(default=1)
    location_id: Mapped[str] = mapped_column(ForeignKey("location.id"))
    retired: Mapped[bool] = mapped_column(default=False)
