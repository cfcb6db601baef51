"""What a walk through all pages needs: a clinic in which something happened, and the address of every page.

Pages are found in the application's own table of addresses, so that a new one is walked without being named here. What an
address is filled in with is said by its name there: any of some WORDS, each of them a page, or the id of a row of ROWS.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product as combinations
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
from calendar_sync.model import CALCOM, CalendarLink, CalendarSetUp
from dialog.model import Conversation
from frontdesk.accounts.password_links import make_link
from frontdesk.console.access import MAY
from frontdesk.console.guard import OPEN_TO_ALL
from frontdesk.console.set_up.changing import stored
from frontdesk.console.set_up.document import keys_of
from frontdesk.console.set_up.fields import GROUPS, SINGLE
from frontdesk.replay.model import Correction
from frontdesk.simulator.vendor import deliver
from frontdesk.users import Role, User
from kernel.work import UnitOfWork
from tests.browser.product import NOW, PASSWORD, Product

_LONGEST = select(Conversation.id).order_by(Conversation.version.desc()).limit(1)
ROWS: Mapping[str, Any] = {
    "appointment_id": select(Appointment.id).where(Appointment.conversation_id.is_not(None)),
    "conversation_id": _LONGEST,
    "correction_id": select(Correction.id),
    "link_id": select(CalendarLink.id).where(CalendarLink.kind == CALCOM),
    "patient_id": select(Patient.id).where(Patient.key == "ann"),
    "practitioner_id": select(Practitioner.id).where(Practitioner.key == "okafor"),
    "set_up_id": select(CalendarSetUp.id),
    "task_id": select(StaffTask.id),
    "user_id": select(User.id).where(User.login == "okafor"),
}
WORDS = {
    "chart": ("days",),
    "kind": ("caldav", CALCOM),
    "number": (1,),
    "section": (*SINGLE, *GROUPS),
}
# Pages that are there only in the middle of something, which a scenario of their own goes through.
IN_BETWEEN = {
    "recording": "a sound file",
    "preview_message": "a part of `messages`",
    "factor_image": "a picture on `second_factor` that is there until the factor is confirmed",
    "absence_report": "what was just settled, in test_diary_in_browser.py",
    "live_list": "a part of `live`, in test_taking_over_in_browser.py",
    "live_now": "a part of `live_conversation`, likewise",
    "notices": "a part of every page, in test_taking_over_in_browser.py",
}
LOGINS = {Role.ADMINISTRATOR: "admin", Role.PRACTITIONER: "okafor"}
BLUEPRINTS = ("console", "simulator")
FOR_PATIENTS = ("/chat/harbor", "/mine/harbor")
_PATIENT, _CLINIC = "+12125550123", "+12125550150"


@dataclass(frozen=True)
class WalkedPage:
    """`role`: as whom it is asked for; None: before the log-in."""

    endpoint: str
    path: str
    role: Role | None


class NoExample(AssertionError):
    """An address asks for something the walk has no example of."""


def live_a_little(product: Product) -> dict[str, tuple[str, ...]]:
    """Let patients text and call, and staff link calendars and correct a Turn. Returns words that are made on the way."""
    for number, said in enumerate(("I'd like a teeth cleaning next Tuesday", "1", "yes"), start=1):
        sent = {"MessageSid": f"SM{number:032x}", "From": _PATIENT, "To": _CLINIC, "Body": said}
        _send(product, "/twilio/sms", sent)
    call = {"CallSid": f"CA{1:032x}", "From": "+12125550124", "To": _CLINIC, "Direction": "inbound"}
    _send(product, "/twilio/voice", {**call, "CallStatus": "ringing"})
    token = product.services.db.run(_be_staff)
    product.work()
    with product.services.db.read() as session:
        clinic_id = session.scalars(select(Clinic.id)).one()
    document = stored(product.services.db, clinic_id=clinic_id).document
    return {"token": (token,), "key": tuple(keys_of(document, group)[0] for group in GROUPS)}


def pages_of(app: Flask, session: Session, *, words: Mapping[str, tuple[str, ...]]) -> list[WalkedPage]:
    """Return every page that can be opened by its address, for somebody who may open it."""
    pages = (page for rule in app.url_map.iter_rules() for page in _pages(rule, session, {**WORDS, **words}))
    return [*sorted(pages, key=lambda page: page.path), *(WalkedPage(path, path, None) for path in FOR_PATIENTS)]


def _pages(rule: Rule, session: Session, words: Mapping[str, tuple[Any, ...]]) -> Iterator[WalkedPage]:
    blueprint, _, name = rule.endpoint.rpartition(".")
    if blueprint not in BLUEPRINTS or name == "static" or name in IN_BETWEEN or "GET" not in (rule.methods or ()):
        return
    role = None if rule.endpoint in OPEN_TO_ALL else _asked_as(name if blueprint == "console" else "home")
    names = sorted(rule.arguments)
    for values in combinations(*(words.get(argument) or (_row(rule, argument, session),) for argument in names)):
        if not _belongs_together(values, words["key"]):
            continue
        with contextlib.suppress(ValueError):  # of a word that the address does not take
            built = rule.build(dict(zip(names, values, strict=True)))
            assert built is not None, rule
            yield WalkedPage(rule.endpoint, built[1], role)


def _belongs_together(values: tuple[Any, ...], of_each: tuple[str, ...]) -> bool:
    """Say whether a part named by key and section is there: `of_each` has a key of each group, in order."""
    sections, keys = [one for one in values if one in GROUPS], [one for one in values if one in of_each]
    return not (sections and keys) or GROUPS.index(sections[0]) == of_each.index(keys[0])


def _asked_as(name: str) -> Role:
    if name not in MAY:
        raise NoExample(f"{name} is in no row of the table of who may do what")
    return min(MAY[name], key=list(Role).index)  # the first in the list may most


def _row(rule: Rule, argument: str, session: Session) -> str:
    if argument not in ROWS:
        raise NoExample(f"{rule.rule}: tests/browser/walk.py knows no example of {argument}; add it to ROWS or WORDS")
    found = session.scalars(ROWS[argument]).first()
    if found is None:
        raise NoExample(
            f"{rule.rule}: the walk's clinic has no row for {argument}; let one come about in live_a_little"
        )
    return str(found)


def _be_staff(work: UnitOfWork) -> str:
    whose = work.session.scalars(select(Practitioner).where(Practitioner.key == "okafor")).one()
    told: dict[str, Any] = {"clinic_id": whose.clinic_id, "created_at": NOW}
    log_in = {"practitioner_id": whose.id, "username": "okafor", "password": PASSWORD}
    work.session.add_all(
        [
            CalendarLink(url="https://cloud.example/dav/okafor/", name="Visits", **log_in, **told),
            CalendarLink(kind=CALCOM, url="https://api.cal.com/v2/event-types/1", name="Visits", **log_in, **told),
            CalendarSetUp(kind="caldav", url="https://cloud.example/dav/", auth="basic", **log_in, **told),
            Correction(
                conversation_id=work.session.scalars(_LONGEST).one(), turn_number=1, meant="a cleaning", note="",
                commands=[], outcome=None, visit=None, words=None, created_by="staff:admin", changed_by="staff:admin",
                changed_at=NOW, **told,
            ),
        ]
    )  # fmt: skip
    return make_link(work, user_id=work.session.scalars(ROWS["user_id"]).one(), now=NOW)


def _send(product: Product, path: str, fields: dict[str, str]) -> None:
    answer = deliver(product.app, settings=product.services.settings, path=path, fields=fields)
    assert answer.status == 200, answer
