from collections.abc import Callable
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from booking.patients import phone_hash
from dialog.model import Conversation, Turn
from frontdesk.console.reads.conversations import PER_PAGE
from sms.model import SmsKind, SmsMessage, SmsState
from tests.integration.console.conftest import Site, seal_of
from tests.integration.console.test_pages import queries_during
from tests.support.visits import NOW

pytestmark = pytest.mark.integration


def test_a_conversation_shows_what_was_said_understood_decided_and_written(site: Site):
    conversation_id = a_conversation(
        site,
        said="a cleaning with <b>Doctor Lee</b>",
        commands=[{"name": "give_service", "keys": ["cleaning"], "text": "cleaning"}],
        acts=[{"say": "booked", "fields": {}, "variant": 0}],
        writes=[{"what": "booked", "appointment_id": site.visit.id}],
    )

    page = site.logged_in().get(f"/console/conversations/{conversation_id}").get_data(as_text=True)

    assert "a cleaning with &lt;b&gt;Doctor Lee&lt;/b&gt;" in page
    assert f"Service: {cleaning_of(site)}" in page
    assert "Says that it is booked" in page
    assert f'href="/console/appointments/{site.visit.id}"' in page
    assert "Understanding <b>3.9 ms</b>" in page
    assert "812 tokens in, 45 out, cost 0.00015" in page


def test_a_turn_held_elsewhere_than_the_conversation_began_says_so(site: Site):
    conversation_id = a_conversation(site, channel="voice", turns=2)

    page = site.logged_in().get(f"/console/conversations/{conversation_id}").get_data(as_text=True)

    assert page.count('<span class="channel sms">Text</span>') == 1


def test_the_text_after_a_dropped_call_is_shown_with_its_conversation(site: Site):
    conversation_id = a_conversation(site, channel="voice")
    with site.db.begin() as work:
        work.session.add(
            SmsMessage(
                clinic_id=site.catalogue.clinic_id, kind=SmsKind.PICK_UP, body="Sorry, we were cut off.", state=SmsState.SENT,
                conversation_id=conversation_id, due_at=NOW, created_at=NOW,
            )
        )  # fmt: skip

    page = site.logged_in().get(f"/console/conversations/{conversation_id}").get_data(as_text=True)

    assert "Text after the call dropped" in page
    assert "Sorry, we were cut off." in page


def test_a_callers_number_is_masked(site: Site):
    conversation_id = a_conversation(site, caller="+12125550177")
    client = site.logged_in()

    for path in ("/console/conversations", f"/console/conversations/{conversation_id}"):
        page = client.get(path).get_data(as_text=True)
        assert "…77" in page
        assert "2125550177" not in page


def test_another_clinics_staff_see_no_conversation(site: Site):
    conversation_id = a_conversation(site, said="a secret")
    client = site.logged_in("oak")

    assert client.get(f"/console/conversations/{conversation_id}").status_code == 404
    listed = client.get("/console/conversations").get_data(as_text=True)
    assert "a secret" not in listed
    assert "No conversations yet" in listed


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("wisdom", {"wisdom tooth"}),
        ("ANN SMITH", {"about my visit"}),
        ("(212) 555-0177", {"wisdom tooth"}),
        ("+12125550177", {"wisdom tooth"}),
        ("212555", set()),
        ("100%", {"100% sure"}),
        ("0%", {"100% sure"}),
        ("_", set()),
        ("' OR 1=1 --", set()),
        ("", {"wisdom tooth", "about my visit", "100% sure"}),
    ],
)
def test_conversations_are_found_by_words_name_or_whole_number(site: Site, search: str, found: set[str]):
    a_conversation(site, said="wisdom tooth", caller="+12125550177")
    a_conversation(site, said="about my visit", patient_id=site.visit.patient_id)
    a_conversation(site, said="100% sure")

    page = searched(site, q=search).get_data(as_text=True)

    assert {said for said in ("wisdom tooth", "about my visit", "100% sure") if said in page} == found


def test_what_staff_search_for_is_in_no_address(site: Site):
    client = site.logged_in()
    seal = seal_of(client.get("/console/conversations"))

    answer = client.post("/console/conversations", data={"q": "Ann Smith", "outcome": "booked", "csrf_token": seal})

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/console/conversations?outcome=booked&found=1"


def test_conversations_are_narrowed_by_outcome_and_channel(site: Site):
    a_conversation(site, said="booked by text", outcome="booked")
    a_conversation(site, said="booked by phone", outcome="booked", channel="voice")
    a_conversation(site, said="still going", outcome=None)

    booked_by_text = searched(site, outcome="booked", channel="sms").get_data(as_text=True)
    under_way = searched(site, outcome="open").get_data(as_text=True)

    assert "booked by text" in booked_by_text
    assert "booked by phone" not in booked_by_text
    assert "still going" in under_way
    assert "booked by text" not in under_way


def test_the_list_goes_on_over_pages_and_costs_the_same_however_long(site: Site):
    client = site.logged_in()
    a_conversation(site, said="the oldest", minutes_ago=1000)
    client.get("/console/conversations")
    short = queries_during(site.db, lambda: client.get("/console/conversations"))
    for number in range(PER_PAGE):
        a_conversation(site, said=f"number {number}", minutes_ago=number)

    long = queries_during(site.db, lambda: client.get("/console/conversations"))

    assert long == short <= 5
    assert "the oldest" not in client.get("/console/conversations").get_data(as_text=True)
    assert "the oldest" in client.get("/console/conversations?page=2").get_data(as_text=True)
    assert "the oldest" in client.get("/console/conversations?page=99").get_data(as_text=True)


def test_a_long_conversation_costs_no_more_queries_than_a_short_one(site: Site):
    client = site.logged_in()
    short_id, long_id = a_conversation(site), a_conversation(site, turns=30)

    def read(conversation_id: str) -> Callable[[], TestResponse]:
        return lambda: client.get(f"/console/conversations/{conversation_id}")

    read(short_id)()

    assert queries_during(site.db, read(long_id)) == queries_during(site.db, read(short_id)) <= 8


def a_conversation(
    site: Site,
    *,
    said: str = "hello",
    caller: str | None = None,
    patient_id: str | None = None,
    outcome: str | None = "booked",
    channel: str = "sms",
    minutes_ago: int = 5,
    turns: int = 1,
    commands: list[dict[str, object]] | None = None,
    acts: list[dict[str, object]] | None = None,
    writes: list[dict[str, object]] | None = None,
) -> str:
    at = NOW - timedelta(minutes=minutes_ago)
    with site.db.begin() as work:
        conversation = Conversation(
            clinic_id=site.catalogue.clinic_id, channel=channel, thread_hash="thread", caller=caller,
            caller_hash=phone_hash(caller) if caller else None, patient_id=patient_id, language="en", state="{}",
            outcome=outcome, started_at=at, last_turn_at=at,
        )  # fmt: skip
        work.session.add(conversation)
        work.session.flush()
        for number in range(1, turns + 1):
            work.session.add(
                Turn(
                    conversation_id=conversation.id,
                    number=number,
                    channel="voice" if channel == "voice" and number == 1 else "sms",
                    thread_hash="",
                    kind="said",
                    message_key=f"sms:{conversation.id}:{number}",
                    said=said,
                    reply="All right.",
                    commands=commands or [],
                    confidence=0.9,
                    acts=acts or [],
                    writes=writes or [],
                    results="[]",
                    heard="[]",
                    at=at,
                    catalogue_version=1,
                    timings={"understand": 3.94, "decide": 12.0},
                    tokens_in=812,
                    tokens_out=45,
                    cost=0.000149,
                )
            )
        return conversation.id


def searched(site: Site, **fields: str) -> TestResponse:
    client = site.logged_in()
    seal = seal_of(client.get("/console/conversations"))
    return client.post("/console/conversations", data={**fields, "csrf_token": seal}, follow_redirects=True)


def cleaning_of(site: Site) -> str:
    return next(service.name for service in site.catalogue.services if service.key == "cleaning")
