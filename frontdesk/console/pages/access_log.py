"""The access log: for administrators and auditors to read, and for nobody to change."""

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from frontdesk.console.access_log import Access
from frontdesk.console.reads.access_log import PER_PAGE, AccessLine, AccessWanted, logins_of_clinic, read_access_log
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff

_LONGEST_ID = 100
_LARGEST_NUMBER = 2**31 - 1


def add_access_log_page(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/access-log`."""

    @blueprint.get("/access-log")
    def access_log() -> ResponseReturnValue:
        staff, wanted = current_staff(), _wanted()
        with services.db.read() as session:
            lines = read_access_log(session, clinic_id=staff.clinic_id, wanted=wanted, zone=staff.zone)
            logins = logins_of_clinic(session, clinic_id=staff.clinic_id)
        has_older = len(lines) > PER_PAGE
        lines = lines[:PER_PAGE]
        return render_template(
            "console/access_log.html",
            lines=[(line, _address(line)) for line in lines],
            wanted=wanted,
            logins=logins,
            kinds=list(Access),
            older=url_for("console.access_log", **{**_kept(wanted), "before": lines[-1].id}) if has_older else None,
        )


def _wanted() -> AccessWanted:
    before = request.args.get("before", type=int)
    return AccessWanted(
        login=request.args.get("login", "")[:_LONGEST_ID],
        what=request.args.get("what", "") if request.args.get("what") in list(Access) else "",
        subject_id=request.args.get("subject", "").strip()[:_LONGEST_ID],
        day=_day(request.args.get("day", "")),
        before=before if before is not None and 0 < before <= _LARGEST_NUMBER else None,
    )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # At the ends of the calendar a day has no beginning or end in every zone.
    return day if 1900 <= day.year <= 2200 else None


def _kept(wanted: AccessWanted) -> dict[str, Any]:
    parts = {"login": wanted.login, "what": wanted.what, "subject": wanted.subject_id, "day": wanted.day}
    return {name: value for name, value in parts.items() if value}


def _address(line: AccessLine) -> str | None:
    """Return where the record is shown, for kinds of records that have a page."""
    match line.what:
        case Access.CONVERSATION:
            return url_for("console.conversation", conversation_id=line.subject_id)
        case Access.APPOINTMENT:
            return url_for("console.appointment", appointment_id=line.subject_id)
        case Access.PATIENT:
            return url_for("console.patient", patient_id=line.subject_id)
    return None
