"""Linking calendars: a log-in, the calendars that it opens, and what each is for."""

from collections.abc import Mapping

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.values import Catalogue
from calendar_sync.links import LinkChanges, change_link, read_link
from calendar_sync.model import CALCOM, CalendarSetUp
from calendar_sync.set_up import (
    Chosen,
    access_to_set_up,
    begin_set_up,
    finish_set_up,
    is_linked,
    linked_urls,
    read_set_up,
)
from calendar_sync.trial import Trial, try_log_in
from frontdesk.console.guard import administrators_only
from frontdesk.console.link_forms import BadForm, read_log_in, read_services, reads_and_writes
from frontdesk.console.link_view import practitioner_names
from frontdesk.console.pages.calendar_buttons import PROBLEM, log, webhook_page
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.errors import Refused

KINDS = ("caldav", CALCOM)


def add_calendar_set_up(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/calendars/new/<kind>` and `/calendars/set-up/<id>`, for administrators only."""

    @blueprint.route("/calendars/new/<any(caldav, calcom):kind>", methods=["GET", "POST"])
    def calendar_log_in(kind: str) -> ResponseReturnValue:
        administrators_only()
        if request.method == "GET":
            return _log_in_page(services, kind, request.args)
        try:
            set_up_id = _begin(services, kind)
        except BadForm as bad:
            return _log_in_page(services, kind, request.form, problem=bad.code), 400
        return redirect(url_for("console.choose_calendars", set_up_id=set_up_id))

    @blueprint.route("/calendars/set-up/<set_up_id>", methods=["GET", "POST"])
    def choose_calendars(set_up_id: str) -> ResponseReturnValue:
        administrators_only()
        with services.db.read() as session:
            row = read_set_up(session, clinic_id=current_staff().clinic_id, set_up_id=set_up_id)
            catalogue = services.catalogues.get(session, clinic_id=row.clinic_id)
            linked = linked_urls(session, practitioner_id=row.practitioner_id)
        trial = try_log_in(services.find_calendars, access_to_set_up(row))
        if not trial.works:
            return _log_in_page(services, row.kind, _given(row, catalogue), problem=trial.code, again=row.id)
        if request.method == "POST":
            return _finish(services, row, trial, catalogue)
        return render_template(
            "console/calendar_choose.html",
            row=row,
            practitioner=practitioner_names(catalogue)[row.practitioner_id],
            found=[(one, is_linked(one.url, linked)) for one in trial.found],
            services=catalogue.services,
            is_calcom=row.kind == CALCOM,
        )


def _begin(services: ConsoleServices, kind: str) -> str:
    staff, again = current_staff(), request.form.get("again") or None
    with services.db.begin() as work:
        catalogue = services.catalogues.get(work.session, clinic_id=staff.clinic_id)
        known = {one.key: one.id for one in catalogue.practitioners}
        practitioner_id = known.get(request.form.get("practitioner", ""))
        if practitioner_id is None:
            raise BadForm("who")
        log_in = read_log_in(request.form, kind=kind, is_again=again is not None)
        set_up_id = begin_set_up(
            work, clinic_id=staff.clinic_id, practitioner_id=practitioner_id, log_in=log_in, now=g.now, again=again
        )
    log.info("console.calendar.log_in_given", login=staff.login, practitioner_id=practitioner_id)
    return set_up_id


def _finish(services: ConsoleServices, row: CalendarSetUp, trial: Trial, catalogue: Catalogue) -> ResponseReturnValue:
    staff = current_staff()
    chosen = [
        Chosen(one, *reads_and_writes(_right(row.kind, number, one.url))) for number, one in enumerate(trial.found)
    ]
    try:
        with services.db.begin() as work:
            links = finish_set_up(work, clinic_id=staff.clinic_id, set_up_id=row.id, chosen=chosen, now=g.now)
            if row.kind == CALCOM:
                changes = LinkChanges(services=read_services(request.form, trial.found, catalogue))
                change_link(
                    work,
                    clinic_id=staff.clinic_id,
                    link_id=links[0],
                    changes=changes,
                    clinic_policy=catalogue.calendars,
                    actor=f"staff:{staff.login}",
                    now=g.now,
                )
    except Refused as refusal:
        flash(page_words().of_code("trial", refusal.code), PROBLEM)
        return redirect(url_for("console.choose_calendars", set_up_id=row.id))
    log.info("console.calendar.linked", login=staff.login, link_ids=links)
    flash(page_words().count("calendars.were_linked", len(links)))
    if row.kind != CALCOM:
        return redirect(url_for("console.calendars"))
    with services.db.read() as session:
        secret = read_link(session, clinic_id=staff.clinic_id, link_id=links[0]).webhook_secret or ""
    return webhook_page(services, links[0], secret)


def _right(kind: str, number: int, url: str) -> str:
    if kind == CALCOM:
        return "both" if request.form.get("calendar") == url else ""
    return request.form.get(f"right-{number}", "")


def _given(row: CalendarSetUp, catalogue: Catalogue) -> Mapping[str, str]:
    """Return what was typed before, without the secret."""
    who = catalogue.practitioner(row.practitioner_id).key
    return {"practitioner": who, "url": row.url, "username": row.username, "auth": row.auth}


def _log_in_page(
    services: ConsoleServices, kind: str, given: Mapping[str, str], *, problem: str = "", again: str = ""
) -> str:
    with services.db.read() as session:
        catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
    return render_template(
        "console/calendar_log_in.html",
        kind=kind,
        is_calcom=kind == CALCOM,
        given=given,
        problem=page_words().of_code("trial", problem) if problem else "",
        again=again or given.get("again", ""),
        practitioners=catalogue.practitioners,
    )
