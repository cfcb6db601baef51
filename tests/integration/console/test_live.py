import re
from datetime import timedelta
from typing import TypeVar

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

import frontdesk.console.pages.live
import frontdesk.console.reads.live
from booking.consent import opt_out
from booking.model.task import StaffTask
from dialog.model import Conversation
from frontdesk.users import Role
from sms.model import SmsMessage
from tests.integration.console.conftest import Site, a_user, seal_of
from tests.integration.console.test_conversations import a_conversation
from tests.integration.console.test_pages import queries_during

pytestmark = pytest.mark.integration

ANN = "+12125550123"
Row = TypeVar("Row")
# For what depends on no database.
on_one = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_what_goes_on_is_listed_and_what_is_over_or_long_ago_is_not(site: Site):
    now = a_conversation(site, said="Can I come <b>today</b>?", reply="At 3?", caller=ANN, minutes_ago=2)
    long_ago = a_conversation(site, caller="+12125550124", minutes_ago=31)
    over = a_conversation(site, caller="+12125550125", ended_at=site.clock.now())

    page = site.logged_in().get("/console/live").get_data(as_text=True)

    assert f"/console/live/{now}" in page
    assert "At 3?" in page
    assert "2 minutes ago" in page
    assert long_ago not in page
    assert over not in page


@on_one
def test_one_clinic_sees_and_takes_nothing_of_another(site: Site):
    conversation_id = a_conversation(site, said="a secret", caller=ANN)
    client = site.logged_in("oak")

    assert "a secret" not in client.get("/console/live").get_data(as_text=True)
    assert client.get(f"/console/live/{conversation_id}").status_code == 404
    assert client.get(f"/console/live/{conversation_id}/now").status_code == 404
    for action in ("take", "write", "give-back", "call-back"):
        assert press(client, conversation_id, action, text="x").status_code == 404
    assert row_of(site, conversation_id).taken_by is None


@on_one
@pytest.mark.parametrize(
    ("role", "taken"), [(Role.FRONT_DESK, True), (Role.AUDITOR, False), (Role.PRACTITIONER, False)]
)
def test_the_desk_takes_over_and_others_only_watch(site: Site, role: Role, taken: bool):
    conversation_id = a_conversation(site, caller=ANN, patient_id=site.visit.patient_id)
    with site.db.begin() as work:
        user = a_user("somebody", site.catalogue.clinic_id, role)
        user.practitioner_id = site.visit.practitioner_id if role is Role.PRACTITIONER else None
        work.session.add(user)
    client = site.logged_in("somebody")

    page = client.get(f"/console/live/{conversation_id}")
    press(client, conversation_id, "take")

    assert page.status_code == 200
    assert ("Take over" in page.get_data(as_text=True)) is taken
    assert (row_of(site, conversation_id).taken_by == "somebody") is taken


@on_one
def test_a_practitioner_sees_only_their_own_patients(site: Site):
    conversation_id = a_conversation(site, said="a secret", caller=ANN, patient_id=site.visit.patient_id)
    with site.db.begin() as work:
        user = a_user("kim", site.catalogue.clinic_id, Role.PRACTITIONER)
        user.practitioner_id = next(
            one.id for one in site.catalogue.practitioners if one.id != site.visit.practitioner_id
        )
        work.session.add(user)
    client = site.logged_in("kim")

    assert "a secret" not in client.get("/console/live").get_data(as_text=True)
    assert client.get(f"/console/live/{conversation_id}").status_code == 404


def test_who_comes_second_is_told_who_has_it(site: Site):
    conversation_id = a_conversation(site, caller=ANN)
    press(site.logged_in("admin"), conversation_id, "take")

    answer = press(site.logged_in("desk"), conversation_id, "take")

    assert answer.status_code == 409
    assert "admin has had this conversation since 10:00 AM." in answer.get_data(as_text=True)
    assert row_of(site, conversation_id).taken_by == "admin"


def test_what_staff_write_is_queued_once_and_shown_with_what_became_of_it(site: Site):
    conversation_id = a_conversation(site, caller=ANN)
    client = site.logged_in()
    press(client, conversation_id, "take")
    page = client.get(f"/console/live/{conversation_id}")
    key = value_of(page, "key")

    for _ in range(2):
        press(client, conversation_id, "write", text="Come at <3>, please", key=key)
    press(client, conversation_id, "give-back")

    assert [one.body for one in rows(site, SmsMessage)] == ["Come at <3>, please"]
    shown = client.get(f"/console/live/{conversation_id}").get_data(as_text=True)
    assert "Come at &lt;3&gt;, please" in shown
    assert "waiting to be sent" in shown
    assert row_of(site, conversation_id).taken_by is None


@on_one
def test_what_could_not_be_sent_is_still_there_to_be_put_right(site: Site):
    conversation_id = a_conversation(site, caller=ANN)
    client = site.logged_in()
    press(client, conversation_id, "take")

    too_long = press(client, conversation_id, "write", text="x" * 1001)
    press(client, conversation_id, "give-back")
    too_late = press(client, conversation_id, "write", text="One more <thing>")

    assert (too_long.status_code, too_late.status_code) == (409, 409)
    assert "x" * 1001 in too_long.get_data(as_text=True)
    assert "One more &lt;thing&gt;" in too_late.get_data(as_text=True)
    assert rows(site, SmsMessage) == []


@on_one
def test_who_wants_no_texts_can_not_be_written_to(site: Site):
    conversation_id = a_conversation(site, caller=ANN)
    client = site.logged_in()
    press(client, conversation_id, "take")
    with site.db.begin() as work:
        opt_out(work, clinic_id=site.catalogue.clinic_id, phone=ANN, now=site.clock.now())

    page = client.get(f"/console/live/{conversation_id}").get_data(as_text=True)

    assert "has asked for no more texts" in page
    assert "<textarea" not in page


@on_one
def test_a_call_can_not_be_taken_over_but_made_a_task(site: Site):
    conversation_id = a_conversation(site, caller=ANN, channel="voice", is_on_call=True)
    client = site.logged_in()

    taken = press(client, conversation_id, "take")
    for _ in range(2):
        press(client, conversation_id, "call-back")

    assert taken.status_code == 409
    assert "could not speak in it" in taken.get_data(as_text=True)
    assert [one.phone for one in rows(site, StaffTask) if one.conversation_id == conversation_id] == [ANN]


@on_one
def test_a_page_that_asks_again_gets_only_what_is_new(site: Site):
    conversation_id = a_conversation(site, said="Hello?", caller=ANN, turns=3)
    client = site.logged_in()
    address = f"/console/live/{conversation_id}/now?after=2"

    first = client.get(address)
    same = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    press(client, conversation_id, "take")
    other = client.get(address, headers={"If-None-Match": first.headers["ETag"]})

    assert first.get_data(as_text=True).count("Hello?") == 1
    assert (same.status_code, same.data) == (304, b"")
    assert other.status_code == 200
    assert "taken over by staff" in other.get_data(as_text=True)


@on_one
@pytest.mark.parametrize("after", ["9" * 30, "-" + "9" * 30, "x", ""])
def test_any_number_of_a_turn_can_be_asked_for(site: Site, after: str):
    conversation_id = a_conversation(site, caller=ANN)

    assert site.logged_in().get(f"/console/live/{conversation_id}/now?after={after}").status_code == 200


@on_one
def test_the_list_is_sent_again_when_it_reads_differently(site: Site):
    a_conversation(site, caller=ANN)
    client = site.logged_in()
    tag = client.get("/console/live/list").headers["ETag"]

    same = client.get("/console/live/list", headers={"If-None-Match": tag})
    site.clock.advance(timedelta(minutes=1))
    later = client.get("/console/live/list", headers={"If-None-Match": tag})

    assert (same.status_code, later.status_code) == (304, 200)


def test_what_waits_for_staff_comes_first_and_says_for_whom(site: Site):
    waits = a_conversation(
        site, said="Are you there?", reply="", caller=ANN, minutes_ago=20, taken_by="desk", taken_at=site.clock.now(),
        taken_until=site.clock.now() + timedelta(minutes=5), waits_since=site.clock.now() - timedelta(minutes=5),
    )  # fmt: skip
    other = a_conversation(site, caller="+12125550124", minutes_ago=1)

    page = site.logged_in("admin").get("/console/live").get_data(as_text=True)

    assert page.index(waits) < page.index(other)
    assert "waiting for desk" in page
    assert "1 patient is waiting for staff" in page
    assert "waiting for you" in site.logged_in("desk").get("/console/live").get_data(as_text=True)


def test_the_list_takes_as_many_queries_for_many_as_for_one(site: Site):
    client = site.logged_in()
    a_conversation(site, caller=ANN)
    one = queries_during(site.db, lambda: client.get("/console/live"))
    for number in range(5):
        a_conversation(site, caller=f"+1212555013{number}", patient_id=site.visit.patient_id, turns=2)

    assert queries_during(site.db, lambda: client.get("/console/live")) == one


@on_one
def test_lines_count_as_the_browser_counts_them(site: Site):
    conversation_id = a_conversation(site, caller=ANN)
    client = site.logged_in()
    press(client, conversation_id, "take")

    sent = press(client, conversation_id, "write", text="\r\n".join(["nine char"] * 100))

    assert sent.status_code == 302
    assert [one.body for one in rows(site, SmsMessage)] == ["\n".join(["nine char"] * 100)]


@on_one
def test_whoever_was_logged_out_meanwhile_is_told_so_and_has_their_words_back(site: Site):
    conversation_id = a_conversation(site, caller=ANN)
    client = site.logged_in("desk")
    press(client, conversation_id, "take")
    seal = seal_of(client.get("/console/live"))
    site.clock.advance(timedelta(hours=3))

    answer = client.post(
        f"/console/live/{conversation_id}/write", data={"csrf_token": seal, "text": "Come at <3>, please"}
    )

    assert answer.status_code == 403
    assert "You are logged out" in answer.get_data(as_text=True)
    assert "Come at &lt;3&gt;, please" in answer.get_data(as_text=True)


@on_one
def test_a_page_that_a_button_left_leads_back_to_the_conversation(site: Site):
    conversation_id = a_conversation(site, caller=ANN)
    press(site.logged_in("admin"), conversation_id, "take")

    late = press(site.logged_in("desk"), conversation_id, "take").get_data(as_text=True)

    assert f'<a href="/console/live/{conversation_id}">Reload</a>' in late


@on_one
def test_more_than_fit_are_said_to_be_the_first(site: Site, monkeypatch: pytest.MonkeyPatch):
    for page in (frontdesk.console.pages.live, frontdesk.console.reads.live):
        monkeypatch.setattr(page, "MOST_LISTED", 2)
    for number in range(3):
        a_conversation(site, caller=f"+1212555013{number}")

    assert "The first 2 conversations" in site.logged_in().get("/console/live").get_data(as_text=True)


@on_one
def test_the_transcript_is_followed_live_until_it_is_over(site: Site):
    going_on = a_conversation(site, caller=ANN, turns=2)
    over = a_conversation(site, caller=ANN, ended_at=site.clock.now())
    client = site.logged_in()

    assert f"/console/live/{going_on}/now?after=2" in client.get(f"/console/conversations/{going_on}").get_data(
        as_text=True
    )
    assert "/console/live/" not in client.get(f"/console/conversations/{over}").get_data(as_text=True)


def press(client: FlaskClient, conversation_id: str, action: str, **fields: str) -> TestResponse:
    """Press a button of the conversation's page, with a seal as any page of this person has it."""
    seal = seal_of(client.get("/console/live"))
    data = {"csrf_token": seal, **fields}
    return client.post(f"/console/live/{conversation_id}/{action}", data=data)


def value_of(page: TestResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.get_data(as_text=True))
    assert found
    return found[1]


def row_of(site: Site, conversation_id: str) -> Conversation:
    with site.db.read() as session:
        return session.get_one(Conversation, conversation_id)


def rows(site: Site, kind: type[Row]) -> list[Row]:
    with site.db.read() as session:
        return list(session.scalars(select(kind)))
