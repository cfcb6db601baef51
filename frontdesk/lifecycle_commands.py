"""Commands for what staff decide about visits: requests that wait for an answer, and practitioners who are away."""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import click

from booking.catalogue import load_catalogue
from booking.desk.absence import Absence
from booking.desk.away import Hit, Instead, Settled, apply_away, preview_away
from booking.desk.requests import accept_request, grant_proposal, open_requests, reject_request
from booking.values import BookedVisit, Catalogue, DateSpan, Slot
from frontdesk.command_parts import ACTOR, AS_JSON, CLINIC, FindClinic, OpenServices
from frontdesk.listing import id_of

_DAY = click.DateTime(["%Y-%m-%d"])
_TIME = click.DateTime(["%H:%M"])


def add_commands(cli: click.Group, *, open_services: OpenServices, find_clinic: FindClinic) -> None:
    """Add `requests` and `away` to the command line, which gives them its services and finds the clinic."""
    _add_requests(cli, open_services, find_clinic)
    _add_away(cli, open_services, find_clinic)


def _add_requests(cli: click.Group, open_services: OpenServices, find_clinic: FindClinic) -> None:
    @cli.group(invoke_without_command=True)
    @CLINIC
    @AS_JSON
    @click.pass_context
    def requests(context: click.Context, *, clinic_key: str | None, as_json: bool) -> None:
        """List what waits for an answer of staff, the oldest first, or answer it."""
        if context.invoked_subcommand is not None:
            return
        with open_services() as services, services.db.read() as session:
            catalogue = load_catalogue(session, clinic_id=find_clinic(session, clinic_key))
            now = services.clock.now()
            found = [
                _visit(catalogue, one.visit)
                | {
                    "asked_at": one.asked_at.isoformat(),
                    "answer_by_at": one.answer_by_at.isoformat(),
                    "waits_minutes": int((now - one.asked_at).total_seconds() // 60),
                    "overdue": one.is_overdue(now),
                }
                for one in open_requests(session, catalogue)
            ]
        _print_lines(found, key="requests", as_json=as_json, line=_request_line)

    _add_answers(requests, open_services, find_clinic)
    _add_grant(requests, open_services, find_clinic)


def _add_answers(requests: click.Group, open_services: OpenServices, find_clinic: FindClinic) -> None:
    @requests.command("accept")
    @click.argument("appointment_id")
    @CLINIC
    def accept(appointment_id: str, clinic_key: str | None) -> None:
        """Book what a patient asked for."""
        with open_services() as services, services.db.begin() as work:
            catalogue = load_catalogue(work.session, clinic_id=find_clinic(work.session, clinic_key))
            now = services.clock.now()
            visit = accept_request(work, catalogue, appointment_id=appointment_id, now=now, actor=ACTOR)
        click.echo(_line(_visit(catalogue, visit)))

    @requests.command("reject")
    @click.argument("appointment_id")
    @click.option("--reason", required=True, help="For the history; the patient is not told.")
    @CLINIC
    @AS_JSON
    def reject(*, appointment_id: str, reason: str, clinic_key: str | None, as_json: bool) -> None:
        """Say no, and print what the patient is offered instead."""
        with open_services() as services, services.db.begin() as work:
            catalogue = load_catalogue(work.session, clinic_id=find_clinic(work.session, clinic_key))
            now = services.clock.now()
            slots = reject_request(work, catalogue, appointment_id=appointment_id, reason=reason, now=now, actor=ACTOR)
        found = [_slot(catalogue, slot) for slot in slots]
        _print_lines(found, key="alternatives", as_json=as_json, line=_line)


def _add_grant(requests: click.Group, open_services: OpenServices, find_clinic: FindClinic) -> None:
    @requests.command("grant")
    @click.argument("appointment_id")
    @click.option("--start", "starts_at", required=True, help="With its offset from UTC: 2027-03-15T09:00-04:00.")
    @click.option("--practitioner", "practitioner_key", required=True)
    @click.option("--override", "override_reason", help="Set aside the rules that may be, for this reason.")
    @CLINIC
    def grant(
        appointment_id: str,
        starts_at: str,
        practitioner_key: str,
        override_reason: str | None,
        clinic_key: str | None,
    ) -> None:
        """Give a wish its time."""
        try:
            start = datetime.fromisoformat(starts_at)
        except ValueError:
            raise click.BadParameter(f"{starts_at!r} is no time", param_hint="--start") from None
        with open_services() as services, services.db.begin() as work:
            catalogue = load_catalogue(work.session, clinic_id=find_clinic(work.session, clinic_key))
            visit = grant_proposal(
                work,
                catalogue,
                appointment_id=appointment_id,
                starts_at=start,
                practitioner_id=id_of(catalogue.practitioners, practitioner_key),
                now=services.clock.now(),
                actor=ACTOR,
                override_reason=override_reason,
            )
        click.echo(_line(_visit(catalogue, visit)))


def _add_away(cli: click.Group, open_services: OpenServices, find_clinic: FindClinic) -> None:
    @cli.command()
    @click.option("--practitioner", "practitioner_key", required=True)
    @click.option("--location", "location_key", help="Only there; without it everywhere.")
    @click.option("--from", "first", required=True, type=_DAY, help="First day.")
    @click.option("--to", "end", required=True, type=_DAY, help="The day after the last.")
    @click.option("--from-time", "from_time", type=_TIME, help="On the first day only from this time on, like 15:00.")
    @click.option("--until-time", "until_time", type=_TIME, help="On the last day only until this time.")
    @click.option("--apply", "is_applied", is_flag=True, help="Do it; without it only show whom it hits.")
    @click.option("--reason", default="away", show_default=True, help="For the history; patients are not told.")
    @click.option(
        "--instead",
        type=click.Choice([one.value for one in Instead]),
        default=Instead.ASK.value,
        show_default=True,
        help="What happens to the visits.",
    )
    @CLINIC
    @AS_JSON
    def away(
        *,
        practitioner_key: str,
        location_key: str | None,
        first: datetime,
        end: datetime,
        from_time: datetime | None,
        until_time: datetime | None,
        is_applied: bool,
        reason: str,
        instead: str,
        clinic_key: str | None,
        as_json: bool,
    ) -> None:
        """Show whom it hits if a practitioner is away, or settle it: time off, other times, everybody told."""
        with open_services() as services, services.db.begin() as work:
            catalogue = load_catalogue(work.session, clinic_id=find_clinic(work.session, clinic_key))
            days = _days(catalogue, first.date(), end.date(), location_key)
            times = [None if one is None else one.time() for one in (from_time, until_time)]
            absence, now = Absence.between(days, *times), services.clock.now()
            practitioner_id = id_of(catalogue.practitioners, practitioner_key)
            if is_applied:
                settled = apply_away(
                    work, catalogue, practitioner_id=practitioner_id, absence=absence, reason=reason, now=now,
                    actor=ACTOR, instead=Instead(instead),
                )  # fmt: skip
                found = [_settled(catalogue, one) for one in settled]
            else:
                hits = preview_away(work.session, catalogue, practitioner_id=practitioner_id, absence=absence, now=now)
                found = [_hit(catalogue, one) for one in hits]
        _print_lines(found, key="visits", as_json=as_json, line=_away_line)


def _settled(catalogue: Catalogue, one: Settled) -> dict[str, Any]:
    kept = None if one.hold is None else _visit(catalogue, one.hold)
    return _visit(catalogue, one.visit) | {"outcome": one.outcome.value, "kept": kept}


def _hit(catalogue: Catalogue, hit: Hit) -> dict[str, Any]:
    return _visit(catalogue, hit.visit) | {"alternatives": [_slot(catalogue, one) for one in hit.alternatives]}


def _days(catalogue: Catalogue, first: date, end: date, location_key: str | None) -> DateSpan:
    return DateSpan(first, end, id_of(catalogue.locations, location_key) if location_key else None)


def _visit(catalogue: Catalogue, visit: BookedVisit) -> dict[str, Any]:
    location = catalogue.location(visit.location_id)
    return {
        "id": visit.id,
        "status": visit.status.value,
        "service": catalogue.service(visit.service_id).key,
        "practitioner": catalogue.practitioner(visit.practitioner_id).key if visit.practitioner_id else None,
        "location": location.key,
        "start": visit.starts_at.astimezone(location.zone).isoformat(),
        "end": visit.ends_at.astimezone(location.zone).isoformat(),
    }


def _slot(catalogue: Catalogue, slot: Slot) -> dict[str, Any]:
    location = catalogue.location(slot.location_id)
    return {
        "start": slot.starts_at.astimezone(location.zone).isoformat(),
        "end": slot.ends_at.astimezone(location.zone).isoformat(),
        "practitioner": catalogue.practitioner(slot.practitioner_id).key,
        "location": location.key,
        "service": catalogue.service(slot.service_id).key,
    }


def _print_lines(
    found: list[dict[str, Any]], *, key: str, as_json: bool, line: Callable[[dict[str, Any]], str]
) -> None:
    if as_json:
        click.echo(json.dumps({key: found}))
        return
    for one in found:
        click.echo(line(one))


def _line(one: dict[str, Any]) -> str:
    return f"{one['start']}  {one['service']}  {one['practitioner'] or '-'}  {one['location']}"


def _request_line(one: dict[str, Any]) -> str:
    late = "  OVERDUE" if one["overdue"] else ""
    return f"{one['id']}  {one['status']}  {_line(one)}  waits {one['waits_minutes']} min{late}"


def _away_line(one: dict[str, Any]) -> str:
    if "outcome" in one:
        kept = f"  kept: {_line(one['kept'])}" if one["kept"] else ""
        return f"{one['id']}  {_line(one)}  {one['outcome']}{kept}"
    instead = "; ".join(_line(other) for other in one["alternatives"]) or "nothing"
    return f"{one['id']}  {_line(one)}  instead: {instead}"
