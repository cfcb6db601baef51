"""What the pages of the set-up do with the clinic: show a form, take one, take a whole file."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.clinic_file import ClinicFile, ClinicFileError, UnusableDocument, check, parse
from booking.clinic_file.checks import warnings
from booking.clinic_file.effects import Hit
from booking.clinic_file.importing import NumberInUse
from booking.clinic_file.reading import Fault
from booking.clinic_file.remarks import Remark, line, sentence
from booking.model.staff import Practitioner
from frontdesk.console.reads.visits import Visit, visits_by_id
from frontdesk.console.set_up.changing import ChangedMeanwhile, OtherClinic, Stored, change, preview, stored
from frontdesk.console.set_up.document import (
    Document,
    name_of,
    names_in,
    new_key,
    part_of,
    remarks_on_part,
    with_part,
    without_part,
)
from frontdesk.console.set_up.fields import FIELDS, GROUPS, SINGLE, Field
from frontdesk.console.set_up.form import asked, said, unplaced
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.log import get_logger
from kernel.work import Database

_LARGEST_FILE = 400_000  # bytes: some hundred practitioners and services
_log = get_logger()


class SetUpDesk:
    """What the pages do with the clinic of who is signed in."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def stored(self) -> Stored:
        return stored(self._db, clinic_id=current_staff().clinic_id)

    def said_of(self, document: Document) -> list[str]:
        """Return what there is to say about the clinic as it is: what is probably not meant, or what could not be saved so today."""
        try:
            return _told(list(warnings(check(document))), document)
        except UnusableDocument as unusable:
            # A release that asked for less took it.
            return _told(unusable.remarks, document)

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
        fields = only or FIELDS[section]
        if before is None and key is not None:
            return self._gone_meanwhile(clinic, section, fields)
        part = _part_said(clinic.document, section, key, before or {}, fields)
        document, place = with_part(clinic.document, section, key, part)
        try:
            return self._settle(check(document), back=_back(section, only), ask=_confirm_part(section, key))
        except UnusableDocument as unusable:
            inside, outside = remarks_on_part(unusable.remarks, place)
            told = _told(outside, document)
            return _form(clinic, section, key, part, only=only, remarks=inside, problems=told)
        except NumberInUse:
            return _form(clinic, section, key, part, only=only, problems=[page_words()("set_up.number_in_use")])
        except ChangedMeanwhile:
            told = [page_words()("set_up.changed_meanwhile")]
            return _form(self.stored(), section, key, part, only=only, problems=told)

    def _gone_meanwhile(self, clinic: Stored, section: str, fields: Sequence[Field]) -> ResponseReturnValue:
        """Offer to add again what somebody else has taken out while it was being changed."""
        if request.form.get("version", type=int) in {None, clinic.version}:
            abort(404)
        part = _part_said(clinic.document, section, None, {}, fields)
        return _form(clinic, section, None, part, problems=[page_words()("set_up.gone_meanwhile")])

    def remove(self, group: str, key: str) -> ResponseReturnValue:
        """Take a part out, after asking."""
        clinic = self.stored()
        if part_of(clinic.document, group, key) is None:
            abort(404)
        left = without_part(clinic.document, group, key)
        try:
            file = check(left)
            ask = _confirm_part(group, key, is_removal=True)
            return self._settle(file, back=_back(group, ()), ask=ask, always_asks=True)
        except UnusableDocument as unusable:
            problem = page_words()("set_up.can_not_remove", why="; ".join(_told(unusable.remarks, left)))
        except ChangedMeanwhile:
            problem = page_words()("set_up.changed_meanwhile")
        flash(problem, "problem")
        return redirect(url_for("console.set_up_part", section=group, key=key))

    def import_file(self) -> ResponseReturnValue:
        """Take a whole clinic file: say what is wrong with it, say what it would change, or make it so."""
        text = ""
        try:
            text = _uploaded()
            file = parse(text, path=page_words()("set_up.file"))
            ask = functools.partial(render_template, "console/set_up_file_confirm.html", text=text)
            return self._settle(file, back=url_for("console.set_up"), ask=ask, always_asks=True)
        except ClinicFileError as error:
            problems = error.lines(g.language)
        except OtherClinic as other:
            problems = [page_words()("set_up.other_clinic", key=other.fields["key"])]
        except NumberInUse:
            problems = [page_words()("set_up.number_in_use")]
        except ChangedMeanwhile:
            problems = [page_words()("set_up.changed_meanwhile")]
        return self.file_form(text, problems), 422

    def file_form(self, text: str = "", problems: Sequence[str] = ()) -> str:
        """Show the form that takes a whole clinic file, with what is wrong with the one that was given."""
        too_large = sentence(Remark("too-large"), g.language)
        return render_template(
            "console/set_up_file.html", text=text, problems=problems, largest=_LARGEST_FILE, too_large=too_large
        )

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
    remarks: Sequence[Remark] = (),
    problems: Sequence[str] = (),
) -> ResponseReturnValue:
    fields = only or FIELDS[section]
    above = [*problems, *(line(remark, g.language) for remark in unplaced(fields, remarks))]
    names = {group: names_in(clinic.document, group) for group in GROUPS}
    page = render_template(
        "console/set_up_part.html",
        section=section,
        key=key,
        name=part.get("name") or part.get("topic") or key,
        is_own=bool(only),
        # Not always where one is: what was removed meanwhile is added again as something new.
        action=request.path if only or key or section in SINGLE else url_for("console.save_part", section=section),
        fields=asked(fields, part, names=names, remarks=remarks),
        problems=above,
        has_faults=bool(remarks),
        version=clinic.version,
    )
    return page, 422 if remarks or above else 200


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


def _told(remarks: Sequence[Remark], document: Document) -> list[str]:
    """Return what the remarks say, each after the part and field of the set-up that it is about."""
    words = page_words()

    def where(remark: Remark) -> list[str]:
        if not remark.place:
            return []
        section = str(remark.place[0])
        field = next((name for name in reversed(remark.place) if isinstance(name, str)), section)
        named = field_word("set_up_field", section, field) if field != section else ""
        return [words.of_code("set_up_part", section), name_of(document, remark.place), named]

    return [": ".join(filter(None, [*where(remark), sentence(remark, g.language)])) for remark in remarks]


def field_word(group: str, part: str, field: str) -> str:
    """Return the word for a field: that of a part if it has its own, else that of all fields of the name, else nothing."""
    words = page_words()
    found = (key for key in (f"{group}.{part}_{field}", f"{group}.{field}") if key in words)
    key = next(found, None)
    return words(key) if key else ""


def _uploaded() -> str:
    """Return the text that was sent, as a file or written out. Raises ClinicFileError for what is none."""
    given = request.files.get("file")
    if given is None or not given.filename:
        return request.form.get("text", "")
    content = given.stream.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise _no_file("too-large")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _no_file("not-utf8") from None


def _no_file(code: str) -> ClinicFileError:
    return ClinicFileError([Fault(1, Remark(code))], path=page_words()("set_up.file"))
