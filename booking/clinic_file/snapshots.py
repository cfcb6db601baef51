"""The clinic as it was at each version of its catalogue.

Kept by whoever uses a version for something that may have to be decided again (a Turn of a conversation), from the very
catalogue it used. So whatever makes the version grow need not know of it, and versions that nobody used are not kept.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.catalogue import load_catalogue
from booking.clinic_file.exporting import clinic_document
from booking.model.snapshot import ClinicSnapshot
from booking.values import Catalogue
from kernel.work import UnitOfWork


@dataclass(frozen=True)
class ClinicThen:
    """A clinic file's document. `is_kept` is false where nothing was kept of that version and it is another's."""

    document: Mapping[str, Any]
    version: int
    is_kept: bool


def keep_snapshot(work: UnitOfWork, catalogue: Catalogue, *, now: datetime) -> None:
    """Keep what the clinic's file would say at this version, unless that is kept already. May be called by many at once."""
    if _kept(work.session, catalogue.clinic_id, catalogue.version) is not None:
        return
    row = {
        "clinic_id": catalogue.clinic_id,
        "version": catalogue.version,
        "file": json.dumps(clinic_document(catalogue), ensure_ascii=False),
        "kept_at": now,
    }
    try:
        with work.part():
            work.session.execute(insert(ClinicSnapshot), row)
    except IntegrityError:
        return  # another process kept the same at this moment


def clinic_at(session: Session, *, clinic_id: str, version: int) -> ClinicThen:
    """Return the clinic as it was at `version`, or as near to it as is known: the version kept next, else the present one.

    Raises UnknownClinic.
    """
    kept = _kept(session, clinic_id, version)
    if kept is not None:
        return ClinicThen(json.loads(kept), version, is_kept=True)
    later = session.execute(
        select(ClinicSnapshot.version, ClinicSnapshot.file)
        .where(ClinicSnapshot.clinic_id == clinic_id, ClinicSnapshot.version > version)
        .order_by(ClinicSnapshot.version)
        .limit(1)
    ).one_or_none()
    if later is not None:
        return ClinicThen(json.loads(later.file), later.version, is_kept=False)
    present = load_catalogue(session, clinic_id=clinic_id)
    return ClinicThen(clinic_document(present), present.version, is_kept=present.version == version)


def _kept(session: Session, clinic_id: str, version: int) -> str | None:
    return session.scalar(
        select(ClinicSnapshot.file).where(ClinicSnapshot.clinic_id == clinic_id, ClinicSnapshot.version == version)
    )
