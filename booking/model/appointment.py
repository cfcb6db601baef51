"""The visit, and the time it takes in each diary.

That two live Allocations of one Schedule never overlap is kept by the database itself: an exclusion constraint on
PostgreSQL, triggers on SQLite. Both are part of the table's definition here, and a test looks for them after each migration.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, UniqueConstraint, event, literal_column
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, EncryptedText, new_id


class Appointment(Base):
    """A visit, from request and Hold to history. `revision` grows with each change; `sequence` is iCalendar's.

    A request without a Slot is `proposed`: it has no Allocation, nobody may be chosen yet, and its times bound the wish. A
    group's session has no Patient of its own but Participants.
    """

    __tablename__ = "appointment"
    __table_args__ = (
        Index("ix_appointment_clinic_id_starts_at", "clinic_id", "starts_at"),
        Index("ix_appointment_clinic_id_created_at", "clinic_id", "created_at"),
        Index("ix_appointment_practitioner_id_starts_at", "practitioner_id", "starts_at"),
        Index("ix_appointment_status_hold_expires_at", "status", "hold_expires_at"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    uid: Mapped[str] = mapped_column(unique=True)
    sequence: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=0)
    status: Mapped[str]
    service_id: Mapped[str] = mapped_column(ForeignKey("healthcare_service.id"))
    practitioner_id: Mapped[str | None] = mapped_column(ForeignKey("practitioner.id"))  # None: proposed
    location_id: Mapped[str] = mapped_column(ForeignKey("location.id"))
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patient.id"), index=True)
    bundle_id: Mapped[str | None] = mapped_column(ForeignKey("bundle.id"), index=True)
    conversation_id: Mapped[str | None] = mapped_column(index=True)  # the conversation that made it
    replaces_id: Mapped[str | None] = mapped_column(ForeignKey("appointment.id"))  # on a Hold: the visit it is to move
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    hold_expires_at: Mapped[datetime | None]
    source: Mapped[str]
    reason: Mapped[str | None]  # why this Practitioner was chosen
    cancel_reason: Mapped[str | None]
    times_moved: Mapped[int] = mapped_column(default=0)
    overridden: Mapped[list[str]] = mapped_column(default=list)  # codes of the rules that staff set aside
    override_reason: Mapped[str | None]
    meeting_url: Mapped[str | None]
    place: Mapped[str | None] = mapped_column(EncryptedText)  # of a home visit: "latitude,longitude"
    wish: Mapped[dict[str, Any] | None]  # of a request: what the patient asked for
    patient_confirmed_at: Mapped[datetime | None]  # they said that they will come
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Bundle(Base):
    """Appointments that belong together: held and booked all or nothing, each with a life of its own afterwards."""

    __tablename__ = "bundle"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    kind: Mapped[str]
    rule: Mapped[str | None]  # of a series: its RRULE
    created_at: Mapped[datetime]


class Participant(Base):
    """One who takes part in a group's session, with a status of their own; `pending` with an expiry is a seat held."""

    __tablename__ = "participant"
    __table_args__ = (
        UniqueConstraint("appointment_id", "patient_id"),
        Index("ix_participant_status_hold_expires_at", "status", "hold_expires_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    appointment_id: Mapped[str] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"))
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patient.id"), index=True)
    conversation_id: Mapped[str | None] = mapped_column(index=True)
    status: Mapped[str]
    hold_expires_at: Mapped[datetime | None]
    source: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Allocation(Base):
    """The time an Appointment takes in one Schedule, buffers included. `live` while nobody else may have it."""

    __tablename__ = "allocation"
    __table_args__ = (
        # A Hold that moves a visit claims only what the visit does not have already, which can be a piece on either side.
        UniqueConstraint("appointment_id", "schedule_id", "starts_at"),
        Index("ix_allocation_schedule_id_ends_at", "schedule_id", "ends_at"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        ExcludeConstraint(
            ("schedule_id", "="),
            (literal_column("tstzrange(starts_at, ends_at)"), "&&"),
            where=literal_column("live"),
            name="ex_allocation_no_overlap",
            using="gist",
        ).ddl_if(dialect="postgresql"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    appointment_id: Mapped[str] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"))
    schedule_id: Mapped[str] = mapped_column(ForeignKey("schedule.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    live: Mapped[bool] = mapped_column(default=True)


class AppointmentChange(Base):
    """One line of an Appointment's history: who changed what, when, from where, before and after."""

    __tablename__ = "appointment_change"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    appointment_id: Mapped[str] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"), index=True)
    changed_at: Mapped[datetime]
    what: Mapped[str]  # held, booked, moved, cancelled, expired ...
    actor: Mapped[str]  # patient, staff:<login>, system
    source: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any]]


class AppointmentNote(Base):
    """What staff wrote down about a visit. Never changed; it may say anything of the patient, so it is encrypted."""

    __tablename__ = "appointment_note"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    appointment_id: Mapped[str] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(EncryptedText)
    written_at: Mapped[datetime]
    written_by: Mapped[str]  # staff:<login>


NO_OVERLAP = "ex_allocation_no_overlap"
OVERLAP_MESSAGE = "allocation overlaps a live one"

_OVERLAP_CHECK = f"""
    SELECT RAISE(ABORT, '{OVERLAP_MESSAGE}') WHERE EXISTS (
        SELECT 1 FROM allocation AS other
        WHERE other.schedule_id = NEW.schedule_id AND other.live AND other.id <> NEW.id
          AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at);
"""  # noqa: S608 -- made of constants
SQLITE_TRIGGERS = {
    "allocation_no_overlap_insert": f"""CREATE TRIGGER allocation_no_overlap_insert
        BEFORE INSERT ON allocation WHEN NEW.live BEGIN {_OVERLAP_CHECK} END""",
    "allocation_no_overlap_update": f"""CREATE TRIGGER allocation_no_overlap_update
        BEFORE UPDATE ON allocation WHEN NEW.live BEGIN {_OVERLAP_CHECK} END""",
}

for _trigger in SQLITE_TRIGGERS.values():
    event.listen(Allocation.__table__, "after_create", DDL(_trigger).execute_if(dialect="sqlite"))
event.listen(
    Allocation.__table__,
    "before_create",
    DDL("CREATE EXTENSION IF NOT EXISTS btree_gist").execute_if(dialect="postgresql"),
)
