"""What administrators do with a calendar at a click: repair, test, pause, resume, leave it, renew the webhook's secret."""

from collections.abc import Callable

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from calendar_sync.context import access_of
from calendar_sync.links import (
    clear_and_unlink,
    pause_link,
    read_link,
    renew_webhook_secret,
    resume_link,
    unlink_calendar,
)
from calendar_sync.model import CalendarLink, LinkState
from calendar_sync.repair import repair_now
from calendar_sync.status import link_statuses, visits_there
from calendar_sync.trial import try_link
from frontdesk.console.guard import administrators_only
from frontdesk.console.link_view import practitioner_names
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.log import get_logger

PROBLEM = "problem"
"""The category of a message that tells of one."""

log = get_logger()


def add_calendar_buttons(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add what is below `/calendars/<id>/`, each for administrators only and noted in the log."""

    @blueprint.post("/calendars/<link_id>/repair")
    def repair_calendar(link_id: str) -> ResponseReturnValue:
        administrators_only()
        staff = current_staff()
        actor = f"staff:{staff.login}"
        repair_now(services.jobs.calendar_sync, clinic_id=staff.clinic_id, link_id=link_id, actor=actor, now=g.now)
        note("console.calendar.repaired", link_id)
        with services.db.read() as session:
            _tell_of_repair(services, session, link_id)
        return back_to(link_id)

    @blueprint.post("/calendars/<link_id>/test")
    def test_calendar(link_id: str) -> ResponseReturnValue:
        administrators_only()
        note("console.calendar.tested", link_id)
        tell_trial(services, link_id)
        return back_to(link_id)

    @blueprint.post("/calendars/<link_id>/pause")
    def pause_calendar(link_id: str) -> ResponseReturnValue:
        _change(services, link_id, pause_link)
        note("console.calendar.paused", link_id)
        flash(page_words()("calendars.was_paused"))
        return back_to(link_id)

    @blueprint.post("/calendars/<link_id>/resume")
    def resume_calendar(link_id: str) -> ResponseReturnValue:
        _change(services, link_id, resume_link)
        note("console.calendar.resumed", link_id)
        flash(page_words()("calendars.was_resumed"))
        return back_to(link_id)

    @blueprint.post("/calendars/<link_id>/webhook-secret")
    def new_webhook_secret(link_id: str) -> ResponseReturnValue:
        administrators_only()
        staff = current_staff()
        with services.db.begin() as work:
            secret = renew_webhook_secret(
                work, clinic_id=staff.clinic_id, link_id=link_id, actor=f"staff:{staff.login}", now=g.now
            )
        note("console.calendar.webhook_secret_renewed", link_id)
        return webhook_page(services, link_id, secret)

    @blueprint.route("/calendars/<link_id>/leave", methods=["GET", "POST"])
    def leave_calendar(link_id: str) -> ResponseReturnValue:
        administrators_only()
        with services.db.read() as session:
            link = read_link(session, clinic_id=current_staff().clinic_id, link_id=link_id)
            ahead = visits_there(session, link_id=link_id, now=g.now)
            catalogue = services.catalogues.get(session, clinic_id=link.clinic_id)
        if request.method == "POST":
            return _leave(services, link)
        return render_template(
            "console/calendar_leave.html",
            link=link,
            ahead=ahead,
            practitioner=practitioner_names(catalogue)[link.practitioner_id],
        )


def _change(services: ConsoleServices, link_id: str, change: Callable[..., object]) -> None:
    """Pause a link or let it go on, in the name of who is signed in."""
    administrators_only()
    staff = current_staff()
    with services.db.begin() as work:
        change(work, clinic_id=staff.clinic_id, link_id=link_id, actor=f"staff:{staff.login}", now=g.now)


def note(event: str, link_id: str) -> None:
    """Note in the log which of the staff did what with a link."""
    log.info(event, login=current_staff().login, link_id=link_id)


def back_to(link_id: str) -> ResponseReturnValue:
    """Send the browser to the link's page."""
    return redirect(url_for("console.calendar", link_id=link_id))


def tell_trial(services: ConsoleServices, link_id: str) -> None:
    """Ask the calendar, and say on the next page what came of it."""
    with services.db.read() as session:
        link = read_link(session, clinic_id=current_staff().clinic_id, link_id=link_id)
        access = access_of(link, services.catalogues.get(session, clinic_id=link.clinic_id))
    trial = try_link(services.find_calendars, access, link)
    flash(page_words().of_code("trial", trial.code), "message" if trial.works else PROBLEM)


def webhook_page(services: ConsoleServices, link_id: str, secret: str) -> ResponseReturnValue:
    """Show what has to be entered at Cal.com: once, since the answer to a form is not kept by the browser."""
    address = f"{services.settings.public_base_url}/calcom/{link_id}"
    return render_template("console/calendar_webhook.html", link_id=link_id, address=address, secret=secret)


def _tell_of_repair(services: ConsoleServices, session: Session, link_id: str) -> None:
    words = page_words()
    catalogue = services.catalogues.get(session, clinic_id=current_staff().clinic_id)
    status = next((one for one in link_statuses(session, catalogue, now=g.now) if one.link_id == link_id), None)
    if status is None or (status.state is LinkState.OK and not status.drift):
        flash(words("calendars.was_repaired"))
    elif status.state is LinkState.OK:
        flash(words.count("calendars.repaired_but", len(status.drift)), PROBLEM)
    else:
        flash(words("calendars.not_repaired"), PROBLEM)


def _leave(services: ConsoleServices, link: CalendarLink) -> ResponseReturnValue:
    staff, words = current_staff(), page_words()
    takes_out = request.form.get("visits") == "take-out"
    with services.db.begin() as work:
        if takes_out:
            clear_and_unlink(work, clinic_id=staff.clinic_id, link_id=link.id, actor=f"staff:{staff.login}", now=g.now)
        else:
            unlink_calendar(work, clinic_id=staff.clinic_id, link_id=link.id, now=g.now)
    note("console.calendar.left_after_clearing" if takes_out else "console.calendar.left", link.id)
    flash(words("calendars.will_be_left" if takes_out else "calendars.was_left"))
    return redirect(url_for("console.calendars"))
