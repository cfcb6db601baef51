"""Looking at what another clinic file would change, and making it so: what stands between a form and the clinic."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from booking.catalogue import load_catalogue
from booking.clinic_file import ClinicFile, clinic_document, import_clinic
from booking.clinic_file.effects import Hit, visits_hit
from booking.clinic_file.remarks import Remark
from booking.model.clinic import Clinic
from frontdesk.console.set_up.document import Change, Document, changes
from kernel.errors import Refused
from kernel.work import Database, UnitOfWork


class ChangedMeanwhile(Refused):
    """Somebody has changed the clinic since the form was opened. `version` is the clinic's now."""

    code = "changed-meanwhile"

    def __init__(self, *, version: int) -> None:
        super().__init__(version=version)
        self.version = version


class OtherClinic(Refused):
    """The file is of another clinic."""

    code = "other-clinic"


@dataclass(frozen=True)
class Stored:
    """The clinic as it is. `version` goes along with a form, so that no change made meanwhile is lost."""

    document: Document
    version: int


@dataclass(frozen=True)
class Preview:
    """What a file would change, which visits would no longer fit, and what is probably not meant."""

    changes: tuple[Change, ...]
    hits: tuple[Hit, ...]
    warnings: tuple[Remark, ...]


def stored(db: Database, *, clinic_id: str) -> Stored:
    """Return the clinic as a document."""
    with db.read() as session:
        catalogue = load_catalogue(session, clinic_id=clinic_id)
    return Stored(clinic_document(catalogue), catalogue.version)


def preview(db: Database, file: ClinicFile, *, clinic_id: str, now: datetime) -> Preview:
    """Say what importing `file` would do; nothing is written. Raises NumberInUse and OtherClinic."""
    with db.begin() as work:
        before = load_catalogue(work.session, clinic_id=clinic_id)
        _refuse_other(before.key, file)
        report = import_clinic(work, file, now=now)
        after = load_catalogue(work.session, clinic_id=clinic_id)
        hits = visits_hit(work.session, before=before, after=after, now=now)
        work.session.rollback()
    return Preview(tuple(changes(clinic_document(before), clinic_document(after))), tuple(hits), report.warnings)


def change(work: UnitOfWork, file: ClinicFile, *, clinic_id: str, version: int, now: datetime) -> None:
    """Make the clinic as `file` says. Locks the clinic's row.

    Raises ChangedMeanwhile when the clinic is no longer at `version`, NumberInUse, and OtherClinic.
    """
    clinic = work.session.execute(
        select(Clinic.key, Clinic.version).where(Clinic.id == clinic_id).with_for_update()
    ).one()
    _refuse_other(clinic.key, file)
    if clinic.version != version:
        raise ChangedMeanwhile(version=clinic.version)
    import_clinic(work, file, now=now)


def _refuse_other(key: str, file: ClinicFile) -> None:
    if file.clinic.key != key:
        raise OtherClinic(key=file.clinic.key)
