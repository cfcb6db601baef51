"""What the pages of the set-up do with the clinic: show a form, take one, take a whole file."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.clinic_file import ClinicFile, ClinicFileError, UnusableDocument, check, parse
from booking.clinic_file.checks import Fault
from booking.clinic_file.effects import Hit
from booking.clinic_file.importing import NumberInUse
from booking.clinic_file.reading import path_text
from booking.model.staff import Practitioner
from frontdesk.console.reads.visits import Visit, visits_by_id
from frontdesk.console.set_up.changing import ChangedMeanwhile, OtherClinic, Stored, change, preview, stored
from frontdesk.console.set_up.document import (
    Document,
    faults_of_part,
    keys_of,
    new_key,
    part_of,
    with_part,
    without_part,
)
from frontdesk.console.set_up.fields import FIELDS, GROUPS, Field
from frontdesk.console.set_up.form import asked, said, unplaced
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.log import get_logger
from kernel.work import Database

_LONGEST_FILE = 1_000_000
_log = get_logger()


class SetUpDesk:
    """What the pages do with the clinic of who is signed in."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def stored(self) -> Stored:
        return stored(self._db, clinic_id=current_staff().clinic_id)

    def own_key(self) -> str:
        """Return the key of the practitioner who is signed in; ends the request where there is none."""
        with self._db.read() as session:
            row = session.get(Practitioner, current_staff().practitioner_id or "")
        if row is None or row.clinic_id != current_staff().clinic_id or row.retired:
            abort(404)
        return row.key

    def form(self, section: str, key: str | None, *, only: Sequence[Field] = ()) -> ResponseReturnValue:
        """Show the form of a part that is there, or of a new one where `key` is None."""
        clinic = self.stored()
        part = part_of(clinic.document, section, key)
        if part is None and key is not None:
            abort(404)
        return _form(clinic, section, key, part or {}, only=only)

    def save(self, section: str, key: str | None, *, only: Sequence[Field] = ()) -> ResponseReturnValue:
        """Take a filled-in form: show it again with what is wrong, ask once more where visits are hit, or make it so."""
        clinic = self.stored()
        before = part_of(clinic.document, section, key)
        if before is None and key is not None:
            abort(404)
        fields = only or FIELDS[section]
        part = _part_said(clinic.document, section, key, before or {}, fields)
        document, place = with_part(clinic.document, section, key, part)
        try:
            return self._settle(check(document), back=_back(section, only), ask=_confirm_part(section, key))
        except UnusableDocument as unusable:
            inside, outside = faults_of_part(unusable.faults, place)
            return _form(clinic, section, key, part, only=only, faults=inside, elsewhere=outside)
        except NumberInUse:
            return _form(clinic, section, key, part, only=only, problem=page_words()("set_up.number_in_use"))
        except ChangedMeanwhile:
            return _form(self.stored(), section, key, part, only=only, problem=page_words()("set_up.changed_meanwhile"))

    def remove(self, group: str, key: str) -> ResponseReturnValue:
        """Take a part out, after asking."""
        clinic = self.stored()
        if part_of(clinic.document, group, key) is None:
            abort(404)
        try:
            file = check(without_part(clinic.document, group, key))
            ask = _confirm_part(group, key, is_removal=True)
            return self._settle(file, back=_back(group, ()), ask=ask, always_asks=True)
        except UnusableDocument as unusable:
            problem = page_words()("set_up.can_not_remove", why="; ".join(_told(unusable.faults)))
        except ChangedMeanwhile:
            problem = page_words()("set_up.changed_meanwhile")
        flash(problem, "problem")
        return redirect(url_for("console.set_up_part", section=group, key=key))

    def import_file(self) -> ResponseReturnValue:
        """Take a whole clinic file: say what is wrong with it, say what it would change, or make it so."""
        text = _uploaded()
        try:
            file = parse(text, path=page_words()("set_up.file"))
            ask = functools.partial(render_template, "console/set_up_file_confirm.html", text=text)
            return self._settle(file, back=url_for("console.set_up"), ask=ask, always_asks=True)
        except ClinicFileError as error:
            problems = list(error.lines)
        except OtherClinic as other:
            problems = [page_words()("set_up.other_clinic", key=other.fields["key"])]
        except NumberInUse:
            problems = [page_words()("set_up.number_in_use")]
        except ChangedMeanwhile:
            problems = [page_words()("set_up.changed_meanwhile")]
        return render_template("console/set_up_file.html", text=text, problems=problems), 422

    def _settle(
        self, file: ClinicFile, *, back: str, ask: Callable[..., str], always_asks: bool = False
    ) -> ResponseReturnValue:
        """Make the clinic so, unless who sent the form has first to see what that does to visits."""
        staff, now = current_staff(), g.now
        seen = preview(self._db, file, clinic_id=staff.clinic_id, now=now)
        version = request.form.get("version", type=int) or self.stored().version
        if "confirmed" not in request.form and (seen.hits or always_asks):
            return ask(seen=seen, hits=self._named(seen.hits), version=version)
        self._db.run(lambda work: change(work, file, clinic_id=staff.clinic_id, version=version, now=now))
        _log.info("console.set_up.changed", login=staff.login, page=request.endpoint)
        flash(page_words()("set_up.was_saved" if seen.changes else "set_up.nothing_changed"))
        for warning in seen.warnings:
            flash(warning, "problem")
        return redirect(back)

    def _named(self, hits: Sequence[Hit]) -> list[tuple[Visit, Hit]]:
        why = {str(hit.visit.id): hit for hit in hits}
        with self._db.read() as session:
            visits = visits_by_id(session, clinic_id=current_staff().clinic_id, appointment_ids=list(why))
        return [(visit, why[visit.id]) for visit in visits]


def _confirm_part(section: str, key: str | None, *, is_removal: bool = False) -> Callable[..., str]:
    sent = [(name, value) for name, value in request.form.items(multi=True) if name not in {"csrf_token", "version"}]
    return functools.partial(
        render_template, "console/set_up_confirm.html", section=section, key=key, is_removal=is_removal, sent=sent
    )


def _form(
    clinic: Stored,
    section: str,
    key: str | None,
    part: Mapping[str, Any],
    *,
    only: Sequence[Field] = (),
    faults: Sequence[Fault] = (),
    elsewhere: Sequence[Fault] = (),
    problem: str = "",
) -> ResponseReturnValue:
    fields = only or FIELDS[section]
    above = [*([problem] if problem else []), *_told([*unplaced(fields, faults), *elsewhere])]
    keys = {group: keys_of(clinic.document, group) for group in GROUPS}
    page = render_template(
        "console/set_up_part.html",
        section=section,
        key=key,
        name=part.get("name") or part.get("topic") or key,
        is_own=bool(only),
        fields=asked(fields, part, keys=keys, faults=faults),
        problems=above,
        has_faults=bool(faults),
        version=clinic.version,
    )
    return page, 422 if faults or above else 200


def _part_said(
    document: Document, section: str, key: str | None, before: Mapping[str, Any], fields: Sequence[Field]
) -> dict[str, Any]:
    """Return the part as the form says it. What the form does not ask for stays, and so does the key."""
    left = {name: value for name, value in before.items() if name not in {field.name for field in fields}}
    part = left | said(fields, request.form)
    if section == "clinic" or (section in GROUPS and section != "answers" and key is not None):
        part["key"] = before["key"]
    elif section in GROUPS and "key" not in part and section != "answers":
        part["key"] = new_key(document, section, str(part.get("name") or part.get("kind") or ""))
    return part


def _back(section: str, only: Sequence[Field]) -> str:
    return url_for("console.own_hours") if only else url_for("console.set_up", _anchor=section)


def _told(faults: Sequence[Fault]) -> list[str]:
    return [f"{path_text(fault.place)}: {fault.message}" if fault.place else fault.message for fault in faults]


def _uploaded() -> str:
    given = request.files.get("file")
    if given is not None and given.filename:
        return given.stream.read(_LONGEST_FILE).decode("utf-8", errors="replace")
    return request.form.get("text", "")[:_LONGEST_FILE]
