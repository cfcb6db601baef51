"""Who comes. What identifies a person beyond the name is encrypted and found by a keyed hash."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from booking.name_words import searchable, sounding
from kernel.db import Base, EncryptedDate, EncryptedText, new_id


class Patient(Base):
    """A patient of one clinic. `is_placeholder`: taken on with data missing, to be completed by staff.

    Since `gone_at` nobody can be booked for by this record: it was merged into another one, or erased.
    """

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("clinic_id", "key"),
        Index("ix_patient_clinic_id_birth_date_hash", "clinic_id", "birth_date_hash"),
        Index("ix_patient_clinic_id_name_words_id", "clinic_id", "name_words", "id"),
        Index("ix_patient_clinic_id_name_sounds_id", "clinic_id", "name_sounds", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"))
    key: Mapped[str | None]  # the clinic file's own name for a demo patient
    name: Mapped[str]
    birth_date: Mapped[date | None] = mapped_column(EncryptedDate)
    birth_date_hash: Mapped[str | None]
    language: Mapped[str | None]
    blocked: Mapped[bool] = mapped_column(default=False)
    is_placeholder: Mapped[bool] = mapped_column(default=False)
    address: Mapped[str | None] = mapped_column(EncryptedText)
    place: Mapped[str | None] = mapped_column(EncryptedText)  # of the address: "latitude,longitude"
    created_at: Mapped[datetime]
    name_words: Mapped[str] = mapped_column(default="", server_default="")  # of the name, as it is searched
    name_sounds: Mapped[str] = mapped_column(default="", server_default="")
    block_reason: Mapped[str | None] = mapped_column(EncryptedText)
    gone_at: Mapped[datetime | None]
    merged_into: Mapped[str | None] = mapped_column(index=True)  # the Patient that old links lead to

    @validates("name")
    def _keep_searchable(self, _key: str, name: str) -> str:
        self.name_words, self.name_sounds = searchable(name), sounding(name)
        return name


class PatientChange(Base):
    """One line of a Patient's history: who changed what, when, from where. What is encrypted is told by name only."""

    __tablename__ = "patient_change"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"), index=True)
    changed_at: Mapped[datetime]
    what: Mapped[str]  # registered, changed, blocked, unblocked ...
    actor: Mapped[str]
    source: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any]]


class PatientNote(Base):
    """What staff wrote down about a Patient. Never changed."""

    __tablename__ = "patient_note"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(EncryptedText)
    written_at: Mapped[datetime]
    written_by: Mapped[str]  # staff:<login>


class PatientMerge(Base):
    """One Patient was found to be another one. `record`: JSON of all that was on file of the one that is gone."""

    __tablename__ = "patient_merge"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    kept_id: Mapped[str] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"), index=True)
    gone_id: Mapped[str] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"), unique=True)
    merged_at: Mapped[datetime]
    merged_by: Mapped[str]
    record: Mapped[str] = mapped_column(EncryptedText)


class ContactPoint(Base):
    """A number or address of a Patient. Several people of a household share one."""

    __tablename__ = "contact_point"
    __table_args__ = (
        UniqueConstraint("patient_id", "system", "value_hash"),
        Index("ix_contact_point_value_hash", "value_hash"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"))
    system: Mapped[str]  # phone, email
    value: Mapped[str] = mapped_column(EncryptedText)  # E.164 for phones
    value_hash: Mapped[str]


class RelatedPerson(Base):
    """`patient_id` is booked for by `by_patient_id`: a child by a parent."""

    __tablename__ = "related_person"

    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"), primary_key=True)
    by_patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"), primary_key=True)
    relation: Mapped[str]  # child, parent, partner, other


class OptOut(Base):
    """This number asked this clinic for no more messages. Kept by number: it holds for people we do not know, too."""

    __tablename__ = "opt_out"

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    value_hash: Mapped[str] = mapped_column(primary_key=True)
    since_at: Mapped[datetime]
