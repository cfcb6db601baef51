"""What staff say was misunderstood: marked at a Turn, read as a case without anybody's data, and given to who mends the agent."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.values import Catalogue
from dialog.inbound import InboundKind
from dialog.model import Conversation, Turn
from dialog.state import Outcome
from frontdesk.console.access_log import Access, log_access
from frontdesk.console.correction_form import COMMANDS, NOTHING, ONE, CorrectionForm
from frontdesk.console.pages.replays import staged, written_words
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.turn_words import KeyNames, command_words
from frontdesk.console.words import page_words
from frontdesk.replay.case import undoubtful
from frontdesk.replay.cases import CaseOf, case_of, cases_of_clinic
from frontdesk.replay.corrections import (
    StoredCorrection,
    UnknownCorrection,
    change_correction,
    correct_turn,
    list_corrections,
    read_case_words,
    read_correction,
    withdraw_correction,
)
from frontdesk.replay.replay import play

_OUTCOMES = tuple(outcome.value for outcome in Outcome)
_LONGEST = 4000  # letters of what somebody said


def add_correction_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/corrections`, the forms that make and change one, and its case."""
    _add_marking(blueprint, services)
    _add_changing(blueprint, services)
    _add_reading(blueprint, services)
    _add_exports(blueprint, services)


def _add_marking(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/conversations/<conversation_id>/turns/<int:number>/correction")
    def new_correction(conversation_id: str, number: int) -> ResponseReturnValue:
        with services.db.read() as session:
            turn = _turn(session, conversation_id, number)
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
        return _form(CorrectionForm(), turn, catalogue)

    @blueprint.post("/conversations/<conversation_id>/turns/<int:number>/correction")
    def add_correction(conversation_id: str, number: int) -> ResponseReturnValue:
        staff, form = current_staff(), CorrectionForm.sent(request.form)
        with services.db.read() as session:
            turn = _turn(session, conversation_id, number)
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
        problem = form.problem(catalogue)
        if problem is not None:
            flash(problem, "problem")
            return _form(form, turn, catalogue)
        meaning = form.meaning()
        correction_id = services.db.run(
            lambda work: correct_turn(
                work, clinic_id=staff.clinic_id, conversation_id=conversation_id, turn_number=number, meaning=meaning,
                login=staff.login, now=g.now,
            )
        )  # fmt: skip
        flash(page_words()("corrections.was_marked"))
        return redirect(url_for("console.correction", correction_id=correction_id))


def _add_changing(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/corrections/<correction_id>/edit")
    def edit_correction(correction_id: str) -> ResponseReturnValue:
        with services.db.read() as session:
            found = _open(session, correction_id)
            turn = _turn(session, found.conversation_id, found.turn_number)
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
        return _form(CorrectionForm.of(found.meaning), turn, catalogue)

    @blueprint.post("/corrections/<correction_id>/edit", endpoint="change_correction")
    def change(correction_id: str) -> ResponseReturnValue:
        staff, form = current_staff(), CorrectionForm.sent(request.form)
        with services.db.read() as session:
            found = _open(session, correction_id)
            turn = _turn(session, found.conversation_id, found.turn_number)
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
        problem = form.problem(catalogue)
        if problem is not None:
            flash(problem, "problem")
            return _form(form, turn, catalogue)
        meaning = form.meaning()

        def step(work: Any) -> None:
            change_correction(
                work, clinic_id=staff.clinic_id, correction_id=correction_id, meaning=meaning, login=staff.login,
                now=g.now,
            )  # fmt: skip

        return _done(services, step, correction_id, page_words()("corrections.was_changed"))

    @blueprint.post("/corrections/<correction_id>/withdraw", endpoint="withdraw_correction")
    def withdraw(correction_id: str) -> ResponseReturnValue:
        staff = current_staff()

        def step(work: Any) -> None:
            withdraw_correction(
                work, clinic_id=staff.clinic_id, correction_id=correction_id, login=staff.login, now=g.now
            )

        return _done(services, step, correction_id, page_words()("corrections.was_withdrawn"))

    @blueprint.post("/corrections/<correction_id>/words")
    def keep_case_words(correction_id: str) -> ResponseReturnValue:
        staff = current_staff()
        made = _case(services, correction_id)
        words = undoubtful(made.case.words)
        words |= {each: request.form.get(f"words-{each}", words[each])[:_LONGEST] for each in words}

        def step(work: Any) -> None:
            read_case_words(
                work, clinic_id=staff.clinic_id, correction_id=correction_id, words=words, login=staff.login, now=g.now
            )

        return _done(services, step, correction_id, page_words()("corrections.words_kept"))


def _add_reading(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/corrections")
    def corrections() -> ResponseReturnValue:
        with services.db.read() as session:
            found = list_corrections(session, clinic_id=current_staff().clinic_id)
        return render_template(
            "console/corrections.html",
            open=[each for each in found if each.is_open],
            withdrawn=[each for each in found if not each.is_open],
        )

    @blueprint.get("/corrections/<correction_id>")
    def correction(correction_id: str) -> ResponseReturnValue:
        made = _case(services, correction_id)
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
        log_access(services, what=Access.CONVERSATION, subject_id=made.correction.conversation_id)
        played = staged(lambda: play(made.case.content, secret_key=services.settings.secret_key))
        visit, names, words = made.correction.meaning.visit, KeyNames.of(catalogue), page_words()
        answer = made.answer_of(played) if played else None
        return render_template(
            "console/correction.html",
            made=made,
            correction=made.correction,
            visit=written_words({"start": "", **visit}, names) if visit else None,
            played=played,
            understood=[command_words(each, names=names, words=words) for each in (answer.commands if answer else ())],
            written=[written_words(each, names) for each in (played.written if played else ())],
        )


def _add_exports(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/corrections/<correction_id>/case.yaml")
    def export_case(correction_id: str) -> ResponseReturnValue:
        made = _case(services, correction_id)
        if made.case.is_doubtful:
            flash(page_words()("corrections.read_first"), "problem")
            return redirect(url_for("console.correction", correction_id=correction_id))
        log_access(services, what=Access.EXPORT, subject_id=correction_id)
        return _file(made.case.text().encode(), made.file_name, "application/yaml")

    @blueprint.get("/corrections/cases.zip")
    def export_cases() -> ResponseReturnValue:
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
            made = [each for each in cases_of_clinic(session, catalogue) if not each.case.is_doubtful]
        if not made:
            flash(page_words()("corrections.nothing_to_export"), "problem")
            return redirect(url_for("console.corrections"))
        log_access(services, what=Access.EXPORT, subject_id="cases")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
            for each in made:
                folder.writestr(each.file_name, each.case.text())
        return _file(packed.getvalue(), "cases.zip", "application/zip")


def _turn(session: Session, conversation_id: str, number: int) -> Turn:
    """Return a Turn in which somebody could be misunderstood; end the request with 404 where this clinic has no such one."""
    found = session.scalar(
        select(Turn)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(
            Conversation.clinic_id == current_staff().clinic_id,
            Turn.conversation_id == conversation_id,
            Turn.number == number,
            Turn.staff.is_(None),
            Turn.kind != InboundKind.HUNG_UP.value,
        )
    )
    if found is None:
        abort(404)
    return found


def _open(session: Session, correction_id: str) -> StoredCorrection:
    found = read_correction(session, clinic_id=current_staff().clinic_id, correction_id=correction_id)
    if found is None or not found.is_open:
        abort(404)
    return found


def _case(services: ConsoleServices, correction_id: str) -> CaseOf:
    with services.db.read() as session:
        staff = current_staff()
        found = read_correction(session, clinic_id=staff.clinic_id, correction_id=correction_id)
        if found is None:
            abort(404)
        made = case_of(session, found, services.catalogues.get(session, clinic_id=staff.clinic_id))
    if made is None:
        abort(404)
    return made


def _form(form: CorrectionForm, turn: Turn, catalogue: Catalogue) -> ResponseReturnValue:
    return render_template(
        "console/correction_form.html",
        form=form,
        turn=turn,
        commands=COMMANDS,
        outcomes=_OUTCOMES,
        services=catalogue.services,
        practitioners=catalogue.practitioners,
        kinds=("", ONE, NOTHING),
    )


def _done(services: ConsoleServices, step: Any, correction_id: str, said: str) -> ResponseReturnValue:
    try:
        services.db.run(step)
    except UnknownCorrection:
        abort(404)
    flash(said)
    return redirect(url_for("console.correction", correction_id=correction_id))


def _file(content: bytes, name: str, mimetype: str) -> Response:
    headers: Mapping[str, str] = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, mimetype=mimetype, headers=dict(headers))
