"""What a walk through the staff pages needs: a clinic in which something happened, and the address of every page.

Pages are found in the application's own table of addresses, so that a new one is walked without being named here. One that
shows a thing by its id takes the id of any row of the clinic: `ROWS` says of which table, by the name in the address.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from booking.model.appointment import Appointment
from booking.model.clinic import Clinic
from booking.model.patient import Patient
from booking.model.staff import Practitioner
from booking.model.task import StaffTask
from calendar_sync.model import CalendarLink
from dialog.model import Conversation
from frontdesk.console.access import MAY
from frontdesk.console.guard import OPEN_TO_ALL
from frontdesk.simulator.vendor import deliver
from frontdesk.users import Role
from kernel.work import UnitOfWork
from tests.browser.product import NOW, PASSWORD, Product

ROWS: dict[str, Any] = {
    "appointment_id": Appointment.id,
    "conversation_id": Conversation.id,
    "link_id": CalendarLink.id,
    "patient_id": Patient.id,
    "practitioner_id": Practitioner.id,
    "task_id": StaffTask.id,
}
# What an address names that is in no table.
VALUES = {"chart": "days"}
# Pages that are there only in the middle of something, which a scenario of their own goes through.
IN_BETWEEN = {
    "absence_report": "what was just settled, in test_diary_in_browser.py",
    "live_list": "a part of `live`, in test_taking_over_in_browser.py",
    "live_now": "a part of `live_conversation`, likewise",
}
LOGINS = {Role.ADMINISTRATOR: "admin", Role.PRACTITIONER: "okafor"}
BLUEPRINTS = ("console", "simulator")
_PATIENT, _CLINIC = "+12125550123", "+12125550150"


@dataclass(frozen=True)
class WalkedPage:
    """`role`: as whom it is asked for; None: before the log-in."""

    endpoint: str
    path: str
    role: Role | None


class NoExample(AssertionError):
    """An address asks for something the walk has no example of."""


def live_a_little(product: Product) -> None:
    """Let a patient book by text and another one call, link a calendar, and let the worker do what follows."""
    for number, said in enumerate(("I'd like a teeth cleaning next Tuesday", "1", "yes"), start=1):
        sent = {"MessageSid": f"SM{number:032x}", "From": _PATIENT, "To": _CLINIC, "Body": said}
        _send(product, "/twilio/sms", sent)
    call = {"CallSid": f"CA{1:032x}", "From": "+12125550124", "To": _CLINIC, "Direction": "inbound"}
    _send(product, "/twilio/voice", {**call, "CallStatus": "ringing"})
    product.services.db.run(_link_a_calendar)
    product.work()


def pages_of(app: Flask, session: Session) -> list[WalkedPage]:
    """Return every page of the staff's that can be opened by its address, for somebody who may open it."""
    return sorted(_pages(app, session), key=lambda page: page.path)


def _pages(app: Flask, session: Session) -> Iterator[WalkedPage]:
    clinic_id = session.scalars(select(Clinic.id)).one()
    for rule in app.url_map.iter_rules():
        blueprint, _, name = rule.endpoint.rpartition(".")
        if blueprint not in BLUEPRINTS or name == "static" or name in IN_BETWEEN or "GET" not in (rule.methods or ()):
            continue
        role = None if rule.endpoint in OPEN_TO_ALL else _asked_as(name if blueprint == "console" else "home")
        yield WalkedPage(rule.endpoint, _address(rule, session, clinic_id), role)


def _asked_as(name: str) -> Role:
    if name not in MAY:
        raise NoExample(f"{name} is in no row of the table of who may do what")
    return min(MAY[name], key=list(Role).index)  # the first in the list may most


def _address(rule: Rule, session: Session, clinic_id: str) -> str:
    values = {argument: _example(rule, argument, session, clinic_id) for argument in rule.arguments}
    built = rule.build(values)
    assert built is not None, rule
    return built[1]


def _example(rule: Rule, argument: str, session: Session, clinic_id: str) -> str:
    if argument in VALUES:
        return VALUES[argument]
    if argument not in ROWS:
        raise NoExample(f"{rule.rule}: tests/browser/walk.py knows no example of {argument}; add its column to ROWS")
    column = ROWS[argument]
    found = session.scalar(select(column).where(column.class_.clinic_id == clinic_id).order_by(column).limit(1))
    if found is None:
        raise NoExample(
            f"{rule.rule}: the walk's clinic has no row for {argument}; let one come about in live_a_little"
        )
    return str(found)


def _link_a_calendar(work: UnitOfWork) -> None:
    whose = work.session.scalars(select(Practitioner).where(Practitioner.key == "okafor")).one()
    work.session.add(
        CalendarLink(
            clinic_id=whose.clinic_id, practitioner_id=whose.id, url="https://cloud.example/dav/okafor/", name="Visits",
            username="okafor", password=PASSWORD, created_at=NOW,
        )
    )  # fmt: skip


def _send(product: Product, path: str, fields: dict[str, str]) -> None:
    answer = deliver(product.app, settings=product.services.settings, path=path, fields=fields)
    assert answer.status == 200, answer
