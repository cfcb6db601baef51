"""What staff do with a conversation: review it, note on it, tag it, keep views of the list, write it out."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from dialog.model import Conversation, ConversationNote
from dialog.review import gather_words
from frontdesk.accounts.model import AccessEntry
from sms.model import SmsKind, SmsMessage, SmsState
from tests.integration.console.conftest import Site, seal_of
from tests.integration.console.test_conversations import a_conversation, press, searched
from tests.support.visits import NOW, book
from voice.model import Call, CallRecording

pytestmark = pytest.mark.integration

OFFERED = "2027-03-16T14:20:00+00:00"


def shown(client: FlaskClient, conversation_id: str) -> str:
    return client.get(f"/console/conversations/{conversation_id}").get_data(as_text=True)


def test_a_conversation_that_went_badly_is_reviewed_by_somebody(site: Site):
    conversation_id = a_conversation(site, needs_review=True)
    desk = site.logged_in("desk")
    before = shown(desk, conversation_id)

    press(desk, conversation_id, "review")

    assert "Somebody should look at this conversation." in before
    assert "Reviewed by desk, " in shown(desk, conversation_id)
    press(desk, conversation_id, "ask-review")
    assert "Somebody should look at this conversation." in shown(desk, conversation_id)


def test_what_goes_badly_while_somebody_reviews_is_still_to_be_looked_at(site: Site):
    conversation_id = a_conversation(site, needs_review=True)
    desk = site.logged_in("desk")
    seen = unescape(re.findall(r'name="seen" value="([^"]+)"', shown(desk, conversation_id))[0])
    with site.db.begin() as work:
        work.session.get_one(Conversation, conversation_id).last_turn_at = NOW

    press(desk, conversation_id, "review", seen=seen)

    assert "Somebody should look at this conversation." in shown(desk, conversation_id)


def test_a_conversation_is_unread_until_it_was_read_and_again_after_new_words(site: Site):
    client, other = site.logged_in(), site.logged_in("desk")
    conversation_id = a_conversation(site, said="hello there")
    shown(client, conversation_id)

    def unread(of: FlaskClient) -> bool:
        return "hello there" in of.get("/console/conversations?reading=unread").get_data(as_text=True)

    assert (unread(client), unread(other)) == (False, True)
    press(client, conversation_id, "unread")
    assert unread(client)
    shown(client, conversation_id)
    with site.db.begin() as work:
        work.session.get_one(Conversation, conversation_id).last_turn_at = NOW.replace(hour=16)
    assert unread(client)


def test_a_note_of_many_lines_is_kept_to_its_end(site: Site):
    conversation_id = a_conversation(site)
    desk = site.logged_in("desk")

    press(desk, conversation_id, "notes", text="\r\n".join(["ten letter"] * 180) + " the end")

    assert "ten letter the end" in shown(desk, conversation_id)


def test_a_note_is_its_writers_to_remove(site: Site):
    conversation_id = a_conversation(site)
    desk, admin = site.logged_in("desk"), site.logged_in()
    press(desk, conversation_id, "notes", text="  Called <her> back.\nAll well. ")
    press(desk, conversation_id, "notes", text="  Called <her> back.\nAll well. ")
    press(desk, conversation_id, "notes", text="   ")
    with site.db.read() as session:
        [note] = session.scalars(select(ConversationNote))
    assert "Called &lt;her&gt; back.\nAll well.</p>" in shown(admin, conversation_id)

    press(admin, conversation_id, f"notes/{note.id}/remove")
    assert "Called" in shown(admin, conversation_id)
    press(desk, conversation_id, f"notes/{note.id}/remove")
    assert "Called" not in shown(admin, conversation_id)


def test_tags_are_suggested_and_taken_off(site: Site):
    client = site.logged_in()
    conversation_id, other_id = a_conversation(site), a_conversation(site)
    press(client, conversation_id, "tags", tags="Billing, BILLING, , crown  work")
    press(client, conversation_id, "tags", tags="billing")

    page = shown(client, conversation_id)
    assert (page.count('<li class="chip">billing'), page.count('<li class="chip">crown work')) == (1, 1)
    assert '<option value="billing">' in shown(client, other_id)
    press(client, conversation_id, "tags/remove", tag="billing")
    assert '<li class="chip">billing' not in shown(client, conversation_id)


def test_a_view_is_kept_shared_and_shown_first(site: Site):
    desk, admin, oak = site.logged_in("desk"), site.logged_in(), site.logged_in("oak")
    a_conversation(site, said="wisdom tooth", outcome="booked")
    a_conversation(site, said="wisdom of age", outcome="informed")
    searched(desk, q="wisdom", outcome="booked")
    seal = seal_of(desk.get("/console/conversations?all=1"))

    kept = desk.post(
        "/console/conversations/views?outcome=booked&found=1",
        data={"name": "Booked <teeth>", "shared": "1", "csrf_token": seal},
    )
    address = kept.headers["Location"]
    desk.post("/console/conversations/views/first", data={"view": address.partition("=")[2], "csrf_token": seal})

    assert "wisdom" not in address
    first = desk.get("/console/conversations", follow_redirects=True).get_data(as_text=True)
    assert ("wisdom tooth" in first, "wisdom of age" in first) == (True, False)
    assert "Booked &lt;teeth&gt;" in admin.get(address).get_data(as_text=True)
    assert "wisdom of age" in admin.get("/console/conversations").get_data(as_text=True)
    assert "Booked &lt;teeth&gt;" not in oak.get(address).get_data(as_text=True)
    admin_seal = seal_of(admin.get("/console/conversations"))
    view = {"view": address.partition("=")[2]}
    admin.post("/console/conversations/views/remove", data={**view, "csrf_token": admin_seal})
    assert "Booked &lt;teeth&gt;" in admin.get("/console/conversations").get_data(as_text=True)
    desk.post("/console/conversations/views/remove", data={**view, "csrf_token": seal})
    assert "Booked &lt;teeth&gt;" not in admin.get("/console/conversations").get_data(as_text=True)
    assert "wisdom of age" in desk.get("/console/conversations").get_data(as_text=True)


def test_one_goes_along_the_list_one_came_from(site: Site):
    client = site.logged_in()
    oldest, _, middle, _, newest = (
        a_conversation(site, minutes_ago=50 - at, outcome="booked" if at % 2 == 0 else "informed") for at in range(5)
    )

    page = client.get(f"/console/conversations/{middle}?outcome=booked").get_data(as_text=True)

    assert f'rel="prev" href="/console/conversations/{newest}?outcome=booked"' in page
    assert f'rel="next" href="/console/conversations/{oldest}?outcome=booked"' in page
    assert 'rel="next"' not in client.get(f"/console/conversations/{oldest}").get_data(as_text=True)


def test_a_conversation_is_written_out_and_who_did_is_noted(site: Site):
    conversation_id = a_conversation(
        site,
        said="a cleaning, please ñ",
        caller="+12125550177",
        commands=[{"name": "give_service", "keys": ["cleaning"]}],
    )
    client = site.logged_in()
    press(client, conversation_id, "notes", text="Call her")
    with site.db.begin() as work:
        work.session.add(
            SmsMessage(
                clinic_id=site.catalogue.clinic_id, kind=SmsKind.PICK_UP, body="Sorry, we were cut off.", state=SmsState.SENT,
                conversation_id=conversation_id, due_at=NOW, created_at=NOW,
            )
        )  # fmt: skip

    text = client.get(f"/console/conversations/{conversation_id}/export")
    record = json.loads(client.get(f"/console/conversations/{conversation_id}/export?as=json").get_data(as_text=True))

    assert text.headers["Content-Disposition"] == 'attachment; filename="conversation-2027-03-10-0955.txt"'
    told = text.get_data(as_text=True)
    assert "Patient: a cleaning, please ñ\nAgent: All right." in told
    assert "Call her" in told
    assert "Today, 10:00 AM: Sorry, we were cut off." in told
    assert record["turns"][0]["said"] == "a cleaning, please ñ"
    assert record["number"].endswith("77")
    assert "2125550177" not in json.dumps(record) + told
    with site.db.read() as session:
        exports = session.scalars(select(AccessEntry.subject_id).where(AccessEntry.what == "export")).all()
    assert exports == [conversation_id, conversation_id]


def test_a_narrowed_list_is_written_out_a_line_for_each_conversation(site: Site):
    a_conversation(site, said="crown one", outcome="booked")
    a_conversation(site, said="crown two", outcome="informed")
    client = site.logged_in()
    searched(client, q="crown")

    lines = client.get("/console/conversations/export?found=1&outcome=booked").get_data(as_text=True).splitlines()

    assert [json.loads(line)["turns"][0]["said"] for line in lines] == ["crown one"]


def test_what_a_reply_claims_leads_to_what_it_rests_on(site: Site):
    lee = next(one for one in site.catalogue.practitioners if one.key == "lee")
    place = site.catalogue.locations[0].id
    slot = {"starts_at": OFFERED, "practitioner_id": lee.id, "location_id": place}
    claims: dict[str, Any] = {"offers": [{"starts_at": OFFERED, "location": place, "practitioners": [lee.id]}]}
    missing = {"starts_at": "2027-03-17T14:20:00+00:00", "location": place}
    booked = {"starts_at": site.visit.starts_at.isoformat(), "location": place, "appointment": site.visit.id}
    conversation_id = a_conversation(
        site,
        reply="Cleaning: Tue Mar 16, 10:20 AM with Dr. Lee. Or Wed Mar 17, 10:20 AM?",
        acts=[
            {"say": "offer", "fields": claims},
            {"say": "booked", "fields": booked},
            {"say": "offer", "fields": missing},
        ],
        results=[{"request": {"name": "FindTimes"}, "result": {"name": "TimesFound", "fitting": [slot]}}],
    )

    page = shown(site.logged_in(), conversation_id)

    assert '<a class="claim" href="#evidence-1-1">Tue Mar 16, 10:20 AM</a> with Dr. Lee.' in page
    assert f"free in the diary then, {lee.name}" in page
    assert f'<a href="/console/appointments/{site.visit.id}">' in page
    assert '<a class="claim" href="#evidence-1-3">Wed Mar 17, 10:20 AM</a>' in page
    assert "nothing is stored that says so" in page


def test_what_was_said_before_words_were_kept_is_gathered(site: Site):
    conversation_id = a_conversation(site, said="wisdom tooth", turns=2)
    with site.db.begin() as work:
        work.session.get_one(Conversation, conversation_id).words = None
    client = site.logged_in()
    before = searched(client, q="wisdom").get_data(as_text=True)

    gathered = [site.db.run(gather_words), site.db.run(gather_words)]

    assert "wisdom tooth" not in before
    assert gathered == [1, 0]
    assert "wisdom tooth" in searched(client, q="right tooth wis").get_data(as_text=True)


def test_a_practitioner_reads_and_notes_on_conversations_of_their_own_patients_only(site: Site):
    own, others = (
        a_conversation(site, said="crown of Ann", patient_id=site.visit.patient_id),
        a_conversation(site, said="crown of Bob"),
    )
    client = site.logged_in("lee")
    seal = seal_of(client.get(f"/console/conversations/{own}"))

    listed = searched(client, q="crown").get_data(as_text=True)

    assert ("crown of Ann" in listed, "crown of Bob" in listed) == (True, False)
    assert client.get(f"/console/conversations/{others}").status_code == 404
    for what in ("notes", "tags", "unread", "ask-review"):
        data = {"text": "x", "tags": "x", "csrf_token": seal}
        assert client.post(f"/console/conversations/{others}/{what}", data=data).status_code == 404
    assert client.get(f"/console/conversations/{own}/export").status_code == 403
    assert f'/console/conversations/{others}"' not in shown(client, own)


def test_a_conversation_of_another_clinic_is_nobodys_to_change(site: Site):
    conversation_id = a_conversation(site)
    oak = site.logged_in("oak")
    seal = seal_of(oak.get("/console/conversations"))

    for what in ("review", "ask-review", "unread", "notes", "notes/1/remove", "tags", "tags/remove"):
        data = {"text": "x", "tags": "x", "tag": "x", "csrf_token": seal}
        assert oak.post(f"/console/conversations/{conversation_id}/{what}", data=data).status_code == 404
    assert oak.get(f"/console/conversations/{conversation_id}/export").status_code == 404


def test_a_practitioner_is_shown_no_way_to_what_is_not_theirs(site: Site):
    other = book(site.db, site.catalogue, practitioner="ruiz", service="sick-visit", starts_at=NOW + timedelta(days=6))
    conversation_id = a_conversation(
        site,
        patient_id=site.visit.patient_id,
        writes=[{"what": "booked", "appointment_id": each} for each in (site.visit.id, other.id)],
    )
    at = {"clinic_id": site.catalogue.clinic_id, "started_at": NOW, "status": "completed"}
    with site.db.begin() as work:
        work.session.add(Call(call_sid="CA1", thread_hash="", recording_consent="given", consent_at=NOW, **at))
        work.session.flush()
        work.session.add(
            CallRecording(recording_sid="RE1", call_sid="CA1", clinic_id=site.catalogue.clinic_id, created_at=NOW)
        )

    own, desk = shown(site.logged_in("lee"), conversation_id), shown(site.logged_in("desk"), conversation_id)

    for address in (f"/console/appointments/{other.id}", "/console/recordings/RE1"):
        assert (f'"{address}"' in own, f'"{address}"' in desk) == (False, True)
    assert f'"/console/appointments/{site.visit.id}"' in own
    assert "The caller agreed to be recorded" in own
