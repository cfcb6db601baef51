"""Two records of one person: found, compared side by side, and made one."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.asked import UnknownPatient
from booking.merge import KeptValues, SamePatient
from booking.patients import names_match
from frontdesk.console.pages.patients import actor_of, must_be_ours, to_patient
from frontdesk.console.reads.patient_page import PatientPage, Record, read_patient, read_record
from frontdesk.console.reads.patients import Line, Wanted, list_patients
from frontdesk.console.reads.visits import Visit
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from frontdesk.patient_file.merging import likely_same, merge_records
from kernel.work import UnitOfWork

_LONGEST_SEARCH = 100


def add_patient_merge(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/patients/<id>/merge`."""

    @blueprint.get("/patients/<patient_id>/merge")
    def merging(patient_id: str) -> ResponseReturnValue:
        must_be_ours(services, patient_id)
        other_id = request.args.get("with", "")
        with services.db.read() as session:
            if other_id:
                return _compare(session, patient_id, other_id)
            return _find(services, session, patient_id)

    @blueprint.post("/patients/<patient_id>/merge")
    def merge_patient(patient_id: str) -> ResponseReturnValue:
        must_be_ours(services, patient_id)
        if "q" in request.form:
            # Whom staff look for is in the cookie, never in an address that logs keep.
            cookie["merge_search"] = request.form["q"].strip()[:_LONGEST_SEARCH]
            return redirect(url_for("console.merging", patient_id=patient_id, found=1))
        other_id, staff = request.form.get("other", ""), current_staff()
        if "sure" not in request.form:
            flash(page_words()("patient.merge_unsure"), "problem")
            with services.db.read() as session:
                return _compare(session, patient_id, other_id), 422

        def merge(work: UnitOfWork) -> None:
            kept, gone = _record(work.session, patient_id), _record(work.session, other_id)
            if kept is None or gone is None:
                raise UnknownPatient
            merge_records(
                work, clinic_id=staff.clinic_id, kept_id=patient_id, gone_id=other_id,
                values=_chosen(kept, gone), now=g.now, actor=actor_of(staff),
            )  # fmt: skip

        try:
            services.db.run(merge)
        except (UnknownPatient, SamePatient):
            abort(404)
        flash(page_words()("patient.was_merged"))
        return to_patient(patient_id)


@dataclass(frozen=True)
class _Row:
    """One thing that both records say, side by side. `name`: of the choice, where they differ."""

    name: str
    label: str
    this: str
    other: str

    @property
    def differs(self) -> bool:
        return self.this != self.other


def _find(services: ConsoleServices, session: Session, patient_id: str) -> str:
    staff = current_staff()
    search = cookie.get("merge_search", "") if "found" in request.args else ""
    catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
    found: tuple[Line, ...] = ()
    if search:
        found = list_patients(
            session,
            clinic_id=staff.clinic_id,
            country=catalogue.country,
            practitioner_id=None,
            wanted=Wanted(search=search),
            now=g.now,
        ).lines
    return render_template(
        "console/patient_merge_find.html",
        r=_record(session, patient_id),
        likely=likely_same(session, clinic_id=staff.clinic_id, patient_id=patient_id),
        found=[line for line in found if line.id != patient_id],
        search=search,
    )


def _compare(session: Session, patient_id: str, other_id: str) -> str:
    this, other = _page(session, patient_id), _page(session, other_id)
    if this is None or other is None or patient_id == other_id or other.record.is_erased:
        abort(404)
    born = {this.record.birth_date, other.record.birth_date}
    return render_template(
        "console/patient_merge.html",
        r=this.record,
        other=other.record,
        rows=_rows(this.record, other.record),
        this=this,
        that=other,
        is_unlike=not (
            names_match(this.record.name, other.record.name) or names_match(other.record.name, this.record.name)
        ),
        is_born_unlike=None not in born and len(born) > 1,
        clashes=[visit for visit in this.visits if any(_clash(visit, each) for each in other.visits)],
    )


def _rows(this: Record, other: Record) -> list[_Row]:
    words = page_words()
    unknown = words("patients.unknown")

    def language(record: Record) -> str:
        return words.of_code("language", record.language) if record.language else unknown

    def born(record: Record) -> str:
        return g.dates.short_date_with_year(record.birth_date) if record.birth_date else unknown

    return [
        _Row("name", words("patients.name"), this.name, other.name),
        _Row("birth_date", words("patients.birth_date"), born(this), born(other)),
        _Row("language", words("patients.language"), language(this), language(other)),
    ]


def _chosen(kept: Record, gone: Record) -> KeptValues:
    """Return what was chosen of the two; where nothing was, what stands on the record that stays, if it says anything."""

    def value(field: str) -> Any:
        first, second = (kept, gone) if request.form.get(field) != "other" else (gone, kept)
        return getattr(first, field) or getattr(second, field)

    return KeptValues(name=value("name"), birth_date=value("birth_date"), language=value("language"))


def _clash(one: Visit, other: Visit) -> bool:
    stand = {"pending", "booked", "arrived"}
    at_once = one.starts_at < other.ends_at and other.starts_at < one.ends_at
    return at_once and one.status in stand and other.status in stand


def _page(session: Session, patient_id: str) -> PatientPage | None:
    clinic_id = current_staff().clinic_id
    return read_patient(session, clinic_id=clinic_id, practitioner_id=None, patient_id=patient_id, language=g.language)


def _record(session: Session, patient_id: str) -> Record | None:
    record = read_record(session, clinic_id=current_staff().clinic_id, practitioner_id=None, patient_id=patient_id)
    return None if record is None or record.is_erased else record
