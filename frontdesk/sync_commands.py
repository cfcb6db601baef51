"""Commands for the calendars: how each is, look at them now, put them right."""

import json
import sys
from datetime import datetime
from typing import Any

import click

from booking.catalogue import load_catalogue
from booking.values import Catalogue
from calendar_sync.links import hurry_links, read_link
from calendar_sync.model import LinkState
from calendar_sync.repair import repair_now
from calendar_sync.status import HistoryLine, LinkStatus, history, link_statuses
from calendar_sync.tick import sync_link
from frontdesk.bootstrap import Services
from frontdesk.command_parts import ACTOR, AS_JSON, CLINIC, FindClinic, OpenServices

_LINK = click.option("--link", "link_id", help="Only this one, by the id that status shows.")


def add_sync_commands(cli: click.Group, *, open_services: OpenServices, find_clinic: FindClinic) -> None:
    """Add `sync` to the command line, which gives it its services and finds the clinic."""

    @cli.group()
    def sync() -> None:
        """Calendars of practitioners and the diary: whether they agree, and bringing them together."""

    @sync.command("status")
    @_LINK
    @CLINIC
    @AS_JSON
    def status(*, link_id: str | None, clinic_key: str | None, as_json: bool) -> None:
        """Say of each calendar how it is, when it was last read, and where it differs from the diary. Asks no calendar."""
        with open_services() as services:
            _print_status(services, find_clinic, clinic_key, link_id, as_json=as_json)

    @sync.command("run")
    @_LINK
    @CLINIC
    @AS_JSON
    def run(*, link_id: str | None, clinic_key: str | None, as_json: bool) -> None:
        """Look at the calendars now. One that is paused is left alone. Exit code 1 if one is not ok afterwards."""
        with open_services() as services:
            now = services.clock.now()
            with services.db.begin() as work:
                clinic_id = find_clinic(work.session, clinic_key)
                wanted = None if link_id is None else read_link(work.session, clinic_id=clinic_id, link_id=link_id).id
                due = [one for one in hurry_links(work, clinic_id=clinic_id) if wanted in {None, one}]
            for one in due:
                sync_link(services.jobs.calendar_sync, link_id=one, now=now)
            _end(_print_status(services, find_clinic, clinic_key, link_id, as_json=as_json))

    @sync.command("repair")
    @_LINK
    @CLINIC
    @AS_JSON
    def repair(*, link_id: str | None, clinic_key: str | None, as_json: bool) -> None:
        """Read all of a calendar anew and put right what differs: of one, or of all that are not ok or differ.

        Takes back a pause. What a calendar has lost is believed. Exit code 1 if one is not ok afterwards.
        """
        with open_services() as services:
            now = services.clock.now()
            with services.db.read() as session:
                clinic_id = find_clinic(session, clinic_key)
                found = link_statuses(session, load_catalogue(session, clinic_id=clinic_id), now=now)
            ill = [one.link_id for one in found if one.state is not LinkState.OK or one.is_paused or one.drift]
            for one in ill if link_id is None else [link_id]:
                repair_now(services.jobs.calendar_sync, clinic_id=clinic_id, link_id=one, actor=ACTOR, now=now)
            _end(_print_status(services, find_clinic, clinic_key, link_id, as_json=as_json))


def _print_status(
    services: Services, find_clinic: FindClinic, clinic_key: str | None, link_id: str | None, *, as_json: bool
) -> list[LinkStatus]:
    now = services.clock.now()
    with services.db.read() as session:
        clinic_id = find_clinic(session, clinic_key)
        catalogue = load_catalogue(session, clinic_id=clinic_id)
        if link_id is not None:
            read_link(session, clinic_id=clinic_id, link_id=link_id)
        found = [one for one in link_statuses(session, catalogue, now=now) if link_id in {None, one.link_id}]
        told = [_told(catalogue, one, history(session, link_id=one.link_id, limit=10), now=now) for one in found]
    if as_json:
        click.echo(json.dumps({"links": told}))
        return found
    for one in told:
        click.echo(_line(one))
    if not told:
        click.echo("No calendar is linked.", err=True)
    return found


def _end(found: list[LinkStatus]) -> None:
    if any(one.state is not LinkState.OK for one in found):
        sys.exit(1)


def _told(catalogue: Catalogue, one: LinkStatus, lines: list[HistoryLine], *, now: datetime) -> dict[str, Any]:
    return {
        "id": one.link_id,
        "practitioner": catalogue.practitioner(one.practitioner_id).key,
        "kind": one.kind,
        "url": one.url,
        "state": one.state.value,
        "error": one.error,
        "paused": one.is_paused,
        "reads_busy": one.reads_busy,
        "shows_visits": one.shows_visits,
        "read_at": _iso(catalogue, one.read_at),
        "read_age_s": None if one.read_at is None else round((now - one.read_at).total_seconds()),
        "listed_at": _iso(catalogue, one.listed_at),
        "next_try_at": _iso(catalogue, one.next_try_at),
        "foreign_events": one.events,
        "drift": len(one.drift),
        "differences": [
            {
                "appointment": each.appointment_id,
                "start": _iso(catalogue, each.starts_at),
                "difference": each.difference.value,
                "since": _iso(catalogue, each.since),
            }
            for each in one.drift
        ],
        "history": [
            {
                "at": _iso(catalogue, each.at),
                "action": each.action,
                "outcome": each.outcome,
                "actor": each.actor,
                "appointment": each.appointment_id,
            }
            for each in lines
        ],
    }


def _iso(catalogue: Catalogue, at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(catalogue.zone).isoformat()


def _line(one: dict[str, Any]) -> str:
    age = "never read" if one["read_age_s"] is None else f"read {one['read_age_s']} s ago"
    error = f" ({one['error']})" if one["error"] else ""
    paused = ", paused" if one["paused"] else ""
    differences = "".join(
        f"\n    {each['difference']}  {each['start']}  {each['appointment']}" for each in one["differences"]
    )
    first = f"{one['id']}  {one['practitioner']}  {one['kind']}  {one['url']}"
    return f"{first}\n    {one['state']}{error}{paused}, {age}, differences: {one['drift']}{differences}"
