"""The table of who may do what, asked by direct requests: every address of the console, for every role.

The addresses are read from the application, so that a new page is tried without a word here, unless its address holds
something that EXAMPLES does not know yet: then `test_every_part_of_an_address_has_an_example` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from calendar_sync.model import CALCOM, CalendarLink, CalendarSetUp
from dialog.model import ConversationNote
from frontdesk.accounts.model import ConsoleSession
from frontdesk.console.access import MAY, may
from frontdesk.console.guard import OPEN_TO_ALL
from frontdesk.replay.model import Correction
from frontdesk.users import Role, find_login
from sms.model import SmsKind, SmsMessage, SmsState
from tests.integration.console.conftest import PASSWORD, Site, a_user, seal_of
from tests.integration.console.test_conversations import a_conversation
from tests.support.visits import NOW
from voice.model import Call, CallRecording

pytestmark = pytest.mark.integration

DAY = "2027-03-15"  # of the visit to Dr. Lee
LOGINS = {Role.ADMINISTRATOR: "admin", Role.FRONT_DESK: "desk", Role.PRACTITIONER: "lee", Role.AUDITOR: "audit"}
# What a form has to hold, since an empty one is refused before it matters whose the record is.
FORMS: Mapping[str, Mapping[str, str]] = {
    "change_staff_account": {"role": "auditor", "password": PASSWORD},
    "make_password_link": {"password": PASSWORD},
    "switch_account_on": {"password": PASSWORD},
    "remove_factor": {"password": PASSWORD},
    "note_task": {"text": "called twice"},
    "reject_request": {"reason": "no time then"},
}
# Parts of addresses that name no record: words of ours, keys that mean something else in each clinic, and keys of a form.
WORDS = {
    "token": "x",
    "filename": "console.css",
    "section": "services",
    "kind": "caldav",
    "key": "not-there",
    "chart": "days",
}
# What takes seconds, or parts of the product that the site has not.
NOT_SHOWN_HERE = {
    f"console.{page}" for page in ("correction", "replay_conversation", "replay_in_short", "set_up", "test_call")
}
# Whose parts belong to a patient: nothing to see for a practitioner of others.
OF_A_PATIENT = {"conversation_id", "appointment_id", "patient_id", "correction_id", "recording_sid"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database is enough: nothing here depends on it."""
    return sqlite_url


@dataclass(frozen=True)
class Address:
    """One way of asking for one page: its endpoint without the blueprint's name."""

    page: str
    method: str
    rule: Rule

    def path(self, app: Flask, ids: Mapping[str, Any]) -> str:
        values = {part: {**WORDS, **ids}.get(part, "x") for part in self.rule.arguments}
        with app.test_request_context():
            return app.url_map.bind("localhost").build(self.rule.endpoint, values, method=self.method)


def addresses(app: Flask) -> list[Address]:
    found = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("console.")]
    return [
        Address(rule.endpoint.removeprefix("console."), method, rule)
        for rule in found
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.endpoint != "console.static"
    ]


@pytest.fixture
def ids(site: Site) -> dict[str, Any]:
    """Make one of each record that an address can name, of the clinic and of Dr. Lee."""
    clinic_id, patient_id = site.catalogue.clinic_id, site.visit.patient_id
    conversation_id = a_conversation(site, patient_id=patient_id)
    at = {"created_at": NOW, "clinic_id": clinic_id}
    link = CalendarLink(
        practitioner_id="practitioner-lee", kind=CALCOM, url="https://api.cal.com/v2/event-types/1",
        username="desk@elm.example", password="secret", **at,
    )  # fmt: skip
    set_up = CalendarSetUp(
        practitioner_id="practitioner-lee", kind="caldav", url="https://dav.example/", username="lee",
        password="secret", auth="basic", **at,
    )  # fmt: skip
    correction = Correction(
        conversation_id=conversation_id, turn_number=1, meant="a cleaning", note="", commands=[], outcome=None,
        visit=None, words=None, created_by="staff:desk", changed_by="staff:desk", changed_at=NOW, **at,
    )  # fmt: skip
    note = ConversationNote(
        conversation_id=conversation_id, text="calls again", written_at=NOW, written_by="staff:desk"
    )
    message = SmsMessage(kind=SmsKind.PICK_UP, body="Sorry.", state=SmsState.FAILED, due_at=NOW, **at)
    with site.db.begin() as work:
        desk = find_login(work.session, login="desk").id
        session = ConsoleSession(user_id=desk, created_at=NOW, seen_at=NOW, address="10.0.0.1", browser="")
        call = Call(call_sid="CA1", clinic_id=clinic_id, status="completed", started_at=NOW)
        work.session.add_all([link, set_up, correction, note, message, session, call])
        work.session.flush()
        work.session.add(CallRecording(recording_sid="RE1", call_sid="CA1", **at))
    return {
        "appointment_id": site.visit.id,
        "conversation_id": conversation_id,
        "correction_id": correction.id,
        "link_id": link.id,
        "message_id": message.id,
        "note_id": note.id,
        "number": 1,
        "patient_id": patient_id,
        "practitioner_id": "practitioner-lee",
        "recording_sid": "RE1",
        "session_id": session.id,
        "set_up_id": set_up.id,
        "task_id": site.task_id,
        "user_id": desk,
    }


def ask(client: FlaskClient, address: Address, path: str) -> int:
    """Send the request as its page would, sealed where it writes."""
    if address.method == "GET":
        return client.get(path).status_code
    seal = seal_of(client.get("/console/account"))
    return client.post(path, data={"csrf_token": seal, **FORMS.get(address.page, {})}).status_code


def _inside(**_parts: object) -> str:
    return "inside"


def test_the_table_names_every_page_and_nothing_else(site: Site):
    pages = {address.page for address in addresses(site.app)}
    open_to_all = {endpoint.removeprefix("console.") for endpoint in OPEN_TO_ALL}

    assert pages - set(MAY) - open_to_all == set()
    assert set(MAY) - pages == set()


def test_every_part_of_an_address_has_an_example(site: Site, ids: dict[str, Any]):
    parts = {part for address in addresses(site.app) for part in address.rule.arguments}

    unknown = parts - set(ids) - set(WORDS)
    assert unknown == set(), (
        f"make an example of {unknown} in the fixture `ids`, or say in WORDS that it names no record"
    )


def test_each_page_and_action_is_open_to_the_roles_of_the_table(site: Site, ids: dict[str, Any]):
    asked = [address for address in addresses(site.app) if f"console.{address.page}" not in OPEN_TO_ALL]
    clients = {role: site.logged_in(login) for role, login in LOGINS.items()}
    seals = {role: seal_of(client.get("/console/account")) for role, client in clients.items()}
    # Pages answer as they do; of an action it is enough that it would be taken.
    shown = {f"console.{address.page}" for address in asked if address.method == "GET"} - NOT_SHOWN_HERE
    site.app.view_functions.update(
        {endpoint: _inside for endpoint in site.app.view_functions if endpoint.startswith("console.") and endpoint not in shown}
    )  # fmt: skip

    wrong = []
    for address in asked:
        path = address.path(site.app, ids)
        for role, client in clients.items():
            answer = client.open(path, method=address.method, headers={"X-CSRFToken": seals[role]})
            is_kept = answer.headers["Cache-Control"] != "no-store"
            if answer.status_code >= 500 or (answer.status_code != 403) is not may(role, address.page) or is_kept:
                wrong.append((address.page, address.method, role, answer.status_code, is_kept))

    assert wrong == []


def test_nobody_who_is_not_logged_in_is_let_in(site: Site, ids: dict[str, Any]):
    client = site.browser()
    seal = seal_of(client.get("/console/log-in"))

    for address in addresses(site.app):
        if f"console.{address.page}" in OPEN_TO_ALL:
            continue
        answer = client.open(address.path(site.app, ids), method=address.method, headers={"X-CSRFToken": seal})
        expected = 302 if address.method == "GET" else 403
        assert (address.page, answer.status_code) == (address.page, expected)


def of_records(site: Site, parts: set[str]) -> list[Address]:
    return [address for address in addresses(site.app) if address.rule.arguments & parts]


def test_a_record_of_another_clinic_is_not_there(site: Site, ids: dict[str, Any]):
    ours, theirs = site.logged_in(), site.logged_in("oak")

    assert refused(site, theirs, of_records(site, set(ids)), ids, owner=ours) == []


def test_a_patient_of_another_practitioner_is_not_there(site: Site, ids: dict[str, Any]):
    own, others = site.logged_in("lee"), site.logged_in("ruiz")
    asked = [address for address in of_records(site, OF_A_PATIENT) if may(Role.PRACTITIONER, address.page)]

    assert refused(site, others, asked, ids, owner=own) == []


def test_no_list_shows_a_patient_of_others(site: Site, ids: dict[str, Any]):
    with site.db.begin() as work:
        work.session.add(a_user("unassigned", site.catalogue.clinic_id, Role.PRACTITIONER))
    clients = {login: site.logged_in(login) for login in ("lee", "ruiz", "oak", "unassigned")}
    lists = [one for one in addresses(site.app) if one.method == "GET" and not one.rule.arguments]
    ways = [str(ids[part]) for part in OF_A_PATIENT]

    def named(login: str) -> set[str]:
        """Return the lists that lead this log-in to the patient, on the day of the visit where they show one."""
        asked = {one.page: clients[login].get(one.path(site.app, ids), query_string={"day": DAY}) for one in lists}
        return {page for page, answer in asked.items() if any(way in answer.get_data(as_text=True) for way in ways)}

    assert {"conversations", "diary", "patients"} <= named("lee")
    assert named("ruiz") == named("unassigned") == named("oak") == set()


def refused(
    site: Site, stranger: FlaskClient, asked: list[Address], ids: Mapping[str, Any], *, owner: FlaskClient
) -> list[tuple[str, str, int]]:
    """Ask for each address as a stranger, and return what did not answer that there is no such thing.

    Whoever it belongs to sees each page: else an example that is nowhere would prove nothing.
    """
    wrong = []
    for address in asked:
        path = address.path(site.app, ids)
        if address.method == "GET":
            seen = owner.get(path).status_code
            wrong += [] if seen in {200, 302} else [(address.page, "the example is not there", seen)]
        answer = ask(stranger, address, path)
        wrong += [] if answer == 404 else [(address.page, address.method, answer)]
    return wrong
