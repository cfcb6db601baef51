"""Commands for the waiting list: who waits, what they were offered, and an answer that they gave by telephone."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from sqlalchemy.orm import Session

from booking.catalogue import load_catalogue
from booking.ledger import entries, entry_of
from booking.model.appointment import Appointment
from booking.patients import patients
from booking.values import BookedVisit, Catalogue
from booking.waiting_list.waitlist import Offered, accept_offer, decline_offer, offers_of_entries, waiting_at
from frontdesk.command_parts import ACTOR, AS_JSON, CLINIC, FindClinic, OpenServices


def add_waitlist_commands(cli: click.Group, *, open_services: OpenServices, find_clinic: FindClinic) -> None:
    """Add `waitlist` to the command line, which gives it its services and finds the clinic."""

    @cli.group(invoke_without_command=True)
    @CLINIC
    @AS_JSON
    @click.pass_context
    def waitlist(context: click.Context, *, clinic_key: str | None, as_json: bool) -> None:
        """List who waits and what they were offered, whose turn it is first, or write down their answer."""
        if context.invoked_subcommand is not None:
            return
        with open_services() as services, services.db.read() as session:
            catalogue = load_catalogue(session, clinic_id=find_clinic(session, clinic_key))
            found = list_waiting(session, catalogue, now=services.clock.now())
        if as_json:
            click.echo(json.dumps({"entries": found}))
        for one in () if as_json else found:
            click.echo(_line(one))

    @waitlist.command("accept")
    @click.argument("offer_id")
    @CLINIC
    def accept(offer_id: str, clinic_key: str | None) -> None:
        """Give the offered time to the patient, who said yes."""
        with open_services() as services, services.db.begin() as work:
            catalogue = load_catalogue(work.session, clinic_id=find_clinic(work.session, clinic_key))
            visit = accept_offer(work, catalogue, offer_id=offer_id, now=services.clock.now(), actor=ACTOR)
        click.echo(f"{visit.id}  {_when_and_where(catalogue, visit)}")

    @waitlist.command("decline")
    @click.argument("offer_id")
    @CLINIC
    def decline(offer_id: str, clinic_key: str | None) -> None:
        """Let the offered time go to the next in line."""
        with open_services() as services, services.db.begin() as work:
            catalogue = load_catalogue(work.session, clinic_id=find_clinic(work.session, clinic_key))
            decline_offer(work, catalogue, offer_id=offer_id, now=services.clock.now())


def list_waiting(session: Session, catalogue: Catalogue, *, now: datetime) -> list[dict[str, Any]]:
    """Return the clinic's waiting list with what was offered, by keys and in the zone of the clinic or the Location."""
    waiting = waiting_at(session, clinic_id=catalogue.clinic_id, now=now)
    offered = offers_of_entries(session, entry_ids=[entry.id for entry in waiting])
    names = patients(session, patient_ids=tuple({entry.patient_id for entry in waiting}))
    ids = [one.replaces_id for one in waiting if one.replaces_id]
    ids += [offer.hold_id for offers in offered.values() for offer in offers]
    visits = _visits(session, ids)
    return [
        {
            "id": entry.id,
            "patient": names[entry.patient_id].name,
            "service": catalogue.service(entry.service_id).key,
            "practitioners": [catalogue.practitioner(one).key for one in entry.practitioner_ids],
            "locations": [catalogue.location(one).key for one in entry.location_ids],
            "spans": [[_iso(catalogue, span.start), _iso(catalogue, span.end)] for span in entry.spans],
            "instead_of": None if entry.replaces_id is None else _visit(catalogue, visits[entry.replaces_id]),
            "since": _iso(catalogue, entry.created_at),
            "until": _iso(catalogue, entry.expires_at),
            "offers": [_offer(catalogue, offer, visits[offer.hold_id]) for offer in offered[entry.id]],
        }
        for entry in waiting
    ]


def _visits(session: Session, ids: Sequence[str]) -> dict[str, BookedVisit]:
    rows = session.execute(entries().where(Appointment.id.in_(ids)))
    return {str(one.visit.id): one.visit for one in map(entry_of, rows)}


def _offer(catalogue: Catalogue, offer: Offered, hold: BookedVisit) -> dict[str, Any]:
    return {
        "id": offer.id,
        "status": offer.status.value,
        "until": _iso(catalogue, offer.expires_at),
        **_visit(catalogue, hold),
    }


def _visit(catalogue: Catalogue, visit: BookedVisit) -> dict[str, Any]:
    location = catalogue.location(visit.location_id)
    return {
        "start": visit.starts_at.astimezone(location.zone).isoformat(),
        "practitioner": catalogue.practitioner(visit.practitioner_id).key,
        "location": location.key,
    }


def _iso(catalogue: Catalogue, at: datetime) -> str:
    return at.astimezone(catalogue.zone).isoformat()


def _line(one: dict[str, Any]) -> str:
    wish = [one["service"], ",".join(one["practitioners"]) or "anybody", ",".join(one["locations"]) or "anywhere"]
    times = ", ".join(f"{start}/{end}" for start, end in one["spans"]) or "any time"
    offers = "".join(
        f"\n    {offer['status']}  {offer['id']}  {offer['start']}  {offer['practitioner']}  {offer['location']}"
        for offer in one["offers"]
    )
    return f"{one['id']}  {one['patient']}  {'  '.join(wish)}  {times}  since {one['since']}{offers}"


def _when_and_where(catalogue: Catalogue, visit: BookedVisit) -> str:
    told = _visit(catalogue, visit)
    return f"{told['start']}  {told['practitioner']}  {told['location']}"
