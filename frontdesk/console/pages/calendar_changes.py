"""Changing a link: its log-in, what it is for, what follows when it fails, and which services Cal.com's kinds of booking are."""

from collections.abc import Sequence
from datetime import timedelta

from flask import Blueprint, abort, flash, g, render_template, request
from flask.typing import ResponseReturnValue

from booking.values import CalendarPolicy, Catalogue, WhenFailed
from calendar_sync.context import access_of
from calendar_sync.discovery import FoundCalendar
from calendar_sync.grants import OAUTH
from calendar_sync.links import LinkChanges, change_link, read_link
from calendar_sync.model import CALCOM, CalendarLink
from calendar_sync.status import visits_there
from calendar_sync.trial import try_log_in
from frontdesk.console.guard import administrators_only
from frontdesk.console.link_forms import RIGHTS, BadForm, read_changes, read_services
from frontdesk.console.link_view import duration_words, practitioner_names
from frontdesk.console.pages.calendar_buttons import PROBLEM, back_to, note, tell_trial
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words

_STALE_MINUTES = (5, 15, 30, 60, 240)
_FAILED_MINUTES = (30, 60, 240, 1440)


def add_calendar_changes(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/calendars/<id>/change` and `/calendars/<id>/services`, for administrators only."""

    @blueprint.route("/calendars/<link_id>/change", methods=["GET", "POST"])
    def change_calendar(link_id: str) -> ResponseReturnValue:
        administrators_only()
        link, catalogue = _read(services, link_id)
        if request.method == "GET":
            return _change_page(services, link, catalogue)
        try:
            changes = read_changes(request.form, kind=link.kind, auth=link.auth)
        except BadForm as bad:
            return _change_page(services, link, catalogue, problem=bad.code), 400
        _change(services, link, catalogue, changes)
        flash(page_words()("calendars.was_changed"))
        if changes.password is not None or changes.username != link.username:
            tell_trial(services, link_id)
        return back_to(link_id)

    @blueprint.route("/calendars/<link_id>/services", methods=["GET", "POST"])
    def calendar_services(link_id: str) -> ResponseReturnValue:
        administrators_only()
        link, catalogue = _read(services, link_id)
        if link.kind != CALCOM:
            abort(404)
        trial = try_log_in(services.find_calendars, access_of(link, catalogue))
        if not trial.works:
            flash(page_words().of_code("trial", trial.code), PROBLEM)
            return back_to(link_id)
        if request.method == "POST":
            _change(
                services, link, catalogue, LinkChanges(services=read_services(request.form, trial.found, catalogue))
            )
            flash(page_words()("calendars.was_changed"))
            return back_to(link_id)
        return _services_page(link, catalogue, trial.found)


def _read(services: ConsoleServices, link_id: str) -> tuple[CalendarLink, Catalogue]:
    with services.db.read() as session:
        link = read_link(session, clinic_id=current_staff().clinic_id, link_id=link_id)
        return link, services.catalogues.get(session, clinic_id=link.clinic_id)


def _change(services: ConsoleServices, link: CalendarLink, catalogue: Catalogue, changes: LinkChanges) -> None:
    staff = current_staff()
    with services.db.begin() as work:
        change_link(
            work,
            clinic_id=staff.clinic_id,
            link_id=link.id,
            changes=changes,
            clinic_policy=catalogue.calendars,
            actor=f"staff:{staff.login}",
            now=g.now,
        )
    note("console.calendar.changed", link.id)


def _change_page(services: ConsoleServices, link: CalendarLink, catalogue: Catalogue, *, problem: str = "") -> str:
    with services.db.read() as session:
        ahead = visits_there(session, link_id=link.id, now=g.now)
    words, clinic = page_words(), catalogue.calendars
    return render_template(
        "console/calendar_change.html",
        link=link,
        practitioner=practitioner_names(catalogue)[link.practitioner_id],
        ahead=ahead,
        is_calcom=link.kind == CALCOM,
        is_oauth=link.auth == OAUTH,
        rights=[(code, words.of_code("link_rights", code)) for code in RIGHTS],
        right=next((code for code, right in RIGHTS.items() if right == (link.reads_busy, link.shows_visits)), ""),
        choices=_choices(link, clinic),
        problem=words.of_code("trial", problem) if problem else "",
    )


def _choices(link: CalendarLink, clinic: CalendarPolicy) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return what may be chosen of the policy: name, what is chosen, and values with their words, the clinic's first."""
    words, own = page_words(), link.policy
    as_clinic = {
        "stale_after": duration_words(clinic.stale_after, words=words),
        "failed_after": duration_words(clinic.failed_after, words=words),
        "when_failed": words.of_code("when_failed", clinic.when_failed.value),
        "check_at_commit": words.of_code("check", "yes" if clinic.check_at_commit else "no"),
    }
    values = {
        "stale_after": _lengths(_STALE_MINUTES),
        "failed_after": _lengths(_FAILED_MINUTES),
        "when_failed": [(one.value, words.of_code("when_failed", one.value)) for one in WhenFailed],
        "check_at_commit": [(one, words.of_code("check", one)) for one in ("yes", "no")],
    }
    return [
        (name, _chosen(own.get(name)), [("", words("calendars.as_clinic", what=as_clinic[name])), *values[name]])
        for name in values
    ]


def _lengths(minutes: Sequence[int]) -> list[tuple[str, str]]:
    return [(str(each), duration_words(timedelta(minutes=each), words=page_words())) for each in minutes]


def _chosen(stored: object) -> str:
    """Return the value of a choice as it is stored: durations in seconds."""
    if isinstance(stored, bool):
        return "yes" if stored else "no"
    return str(stored // 60) if isinstance(stored, int) else str(stored or "")


def _services_page(link: CalendarLink, catalogue: Catalogue, found: Sequence[FoundCalendar]) -> str:
    return render_template(
        "console/calendar_services.html",
        link=link,
        practitioner=practitioner_names(catalogue)[link.practitioner_id],
        kinds=[one for one in found if one.slug is not None and one.url.rstrip("/") != link.url.rstrip("/")],
        services=catalogue.services,
        chosen=link.options.get("services") or {},
    )
