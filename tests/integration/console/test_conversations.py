import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from booking.patients import phone_hash
from dialog.model import Conversation, Turn
from frontdesk.console.reads.conversation_list import PER_PAGE
from kernel.search import words_in
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


SEARCHES: dict[str, set[str]] = {
    "wisdom": {"wisdom tooth"},
    "ANN SMITH": {"about my visit"},
    "smi": {"about my visit"},
    "(212) 555-0177": {"wisdom tooth"},
    "+12125550177": {"wisdom tooth"},
    "212555": set(),
    "100%": {"100% sure"},
    "0%": set(),
    "tooth WIS": {"wisdom tooth"},
    "wis tooth": set(),
    "dolor agud": {"un dolor agudo en la ñañá"},
    "NANA": {"un dolor agudo en la ñañá"},
    "_": set(),
    "%": set(),
    "'": set(),
    "wisdom:* & ! |": {"wisdom tooth"},
    "\\'wisdom": {"wisdom tooth"},
    "' OR 1=1 --": set(),
    "": {"wisdom tooth", "about my visit", "100% sure", "un dolor agudo en la ñañá"},
}


def test_conversations_are_found_by_words_name_or_whole_number(site: Site):
    a_conversation(site, said="wisdom tooth", caller="+12125550177")
    a_conversation(site, said="about my visit", patient_id=site.visit.patient_id)
    a_conversation(site, said="100% sure")
    a_conversation(site, said="un dolor agudo en la ñañá")
    client = site.logged_in()

    pages = {search: searched(client, q=search).get_data(as_text=True) for search in SEARCHES}

    found = {search: {said for said in SEARCHES[""] if f"<span>{said}" in page} for search, page in pages.items()}
    assert found == SEARCHES


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

    booked_by_text = searched(site.logged_in(), outcome="booked", channel="sms").get_data(as_text=True)
    under_way = searched(site.logged_in(), outcome="open").get_data(as_text=True)

    assert "booked by text" in booked_by_text
    assert "booked by phone" not in booked_by_text
    assert "still going" in under_way
    assert "booked by text" not in under_way


def test_a_search_shows_where_it_was_said(site: Site):
    conversation_id = a_conversation(site, said="my crown came off", turns=3)

    page = searched(site.logged_in(), q="crown").get_data(as_text=True)

    assert f'href="/console/conversations/{conversation_id}?found=1#turn-1"' in page


ALL = {"went badly", "looked at", "en español", "of Lee", "plain"}
FILTERS: list[tuple[dict[str, str], set[str]]] = [
    ({"language": "es"}, {"en español"}),
    ({"review": "needed"}, {"went badly"}),
    ({"review": "done"}, {"looked at"}),
    ({"review": "not-done"}, ALL - {"looked at"}),
    ({"corrected": "yes"}, {"looked at"}),
    ({"tag": "billing"}, {"plain"}),
    ({"tag": "unheard of"}, set()),
    ({"reading": "read"}, {"plain"}),
    ({"reading": "unread"}, ALL - {"plain"}),
    ({"practitioner": "lee"}, {"of Lee"}),
    ({"from_day": "2027-02-20"}, ALL - {"looked at"}),
    ({"to_day": "2027-02-20"}, {"looked at"}),
    ({"from_day": "nonsense", "to_day": "0001-01-01", "review": "nonsense"}, ALL),
    ({"practitioner": "x' OR 1=1"}, set()),
    ({"review": "needed", "outcome": "cancelled"}, set()),
]


def test_each_filter_keeps_what_it_asks_for(site: Site):
    client = site.logged_in()
    a_conversation(site, said="went badly", needs_review=True)
    a_conversation(site, said="en español", language="es")
    a_conversation(site, said="of Lee", patient_id=site.visit.patient_id)
    a_month_ago: dict[str, Any] = {"minutes_ago": 30 * 24 * 60}
    a_conversation(site, said="looked at", reviewed_by="desk", reviewed_at=NOW, has_correction=True, **a_month_ago)
    press(client, a_conversation(site, said="plain"), "tags", tags="Billing,  old   Patients ")
    lee = next(one.id for one in site.catalogue.practitioners if one.key == "lee")

    found = []
    for wanted, _ in FILTERS:
        asked = {name: lee if value == "lee" else value for name, value in wanted.items()}
        page = client.get("/console/conversations", query_string=asked).get_data(as_text=True)
        found.append((wanted, {said for said in ALL if f"<span>{said}" in page}))

    assert found == FILTERS


def test_the_list_goes_on_over_pages_and_back(site: Site):
    client = site.logged_in()
    for number in range(2 * PER_PAGE + 3):
        # Two of them at the same moment: the end of a page may lie between them.
        a_conversation(site, said=f"number {number:03}", minutes_ago=number // 2)
    said = re.compile(r"number \d{3}")

    pages = [client.get("/console/conversations").get_data(as_text=True)]
    while following := re.search(r'rel="next" href="([^"]+)"', pages[-1]):
        pages.append(client.get(unescape(following[1])).get_data(as_text=True))
    back = client.get(unescape(re.findall(r'rel="prev" href="([^"]+)"', pages[-1])[0])).get_data(as_text=True)

    seen = [said.findall(page) for page in pages]
    assert [len(each) for each in seen] == [PER_PAGE, PER_PAGE, 3]
    assert len({each for page in seen for each in page}) == 2 * PER_PAGE + 3
    assert said.findall(back) == seen[1]
    assert 'rel="prev"' not in pages[0]


@pytest.mark.parametrize(
    "place", ["nonsense", "2027-03-01T10:00:00", "~", "9999-12-31T23:59:59+00:00~", "2027-03-01T10:00:00+00:00~x"]
)
def test_a_place_that_no_list_gave_is_no_error(site: Site, place: str):
    client = site.logged_in()

    assert client.get("/console/conversations", query_string={"after": place}).status_code == 200
    assert client.get("/console/conversations", query_string={"before": place}).status_code == 200


def test_two_searches_go_on_side_by_side(site: Site):
    a_conversation(site, said="my crown is loose")
    a_conversation(site, said="a cleaning, please")
    client = site.logged_in()

    first = searched(client, q="crown").request.full_path
    second = searched(client, q="cleaning").request.full_path
    for number in range(30):
        searched(client, q=f"{number} {'🙂' * 90}")
    gone = client.get(first).get_data(as_text=True)
    again = searched(client, q="crown").request.full_path
    searched(client, q="cleaning")

    assert first != second
    assert 'value="crown"' not in gone
    assert "a cleaning, please" not in client.get(again).get_data(as_text=True)


def test_the_list_costs_as_many_queries_however_long_it_is(site: Site):
    client = site.logged_in()
    wanted: list[dict[str, str]] = [
        {"q": ""}, {"q": "hello"}, {"q": "Ann Smith"}, {"q": "+12125550177"}, {"q": "hello", "tag": "x", "review": "not-done", "reading": "unread"},
    ]  # fmt: skip

    def costs() -> list[int]:
        found = []
        for fields in wanted:
            seal = seal_of(client.get("/console/conversations?all=1"))
            to = client.post("/console/conversations", data={**fields, "csrf_token": seal}).headers["Location"]
            found.append(queries_during(site.db, lambda to=to: client.get(to)))  # type: ignore[misc]  # bound by a default value
        return found

    add_many(site, 10)
    few = costs()
    add_many(site, 50)

    assert costs() == few
    assert max(few) <= 10


def test_a_long_conversation_costs_no_more_queries_than_a_short_one(site: Site):
    client = site.logged_in()
    short_id, long_id = a_conversation(site), a_conversation(site, turns=30)

    def read(conversation_id: str) -> Callable[[], TestResponse]:
        return lambda: client.get(f"/console/conversations/{conversation_id}")

    read(short_id)()

    assert queries_during(site.db, read(long_id)) == queries_during(site.db, read(short_id)) <= 18


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
    results: list[dict[str, object]] | None = None,
    reply: str = "All right.",
    language: str = "en",
    **review: Any,
) -> str:
    at = NOW - timedelta(minutes=minutes_ago)
    with site.db.begin() as work:
        conversation = Conversation(
            clinic_id=site.catalogue.clinic_id, channel=channel, thread_hash="thread", caller=caller,
            caller_hash=phone_hash(caller) if caller else None, patient_id=patient_id, language=language, state="{}",
            outcome=outcome, started_at=at, last_turn_at=at, words=words_in(f"{said} {reply}"), **review,
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
                    reply=reply,
                    commands=commands or [],
                    confidence=0.9,
                    acts=acts or [],
                    writes=writes or [],
                    results=json.dumps(results or []),
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


def add_many(site: Site, number: int) -> None:
    for at in range(number):
        a_conversation(site, minutes_ago=at, caller="+12125550177", patient_id=site.visit.patient_id)


def press(client: FlaskClient, conversation_id: str, what: str, **fields: str) -> TestResponse:
    """Press one of the buttons beside a conversation."""
    seal = seal_of(client.get(f"/console/conversations/{conversation_id}"))
    return client.post(f"/console/conversations/{conversation_id}/{what}", data={**fields, "csrf_token": seal})


def searched(client: FlaskClient, **fields: str) -> TestResponse:
    seal = seal_of(client.get("/console/conversations?all=1"))
    return client.post("/console/conversations", data={**fields, "csrf_token": seal}, follow_redirects=True)


def cleaning_of(site: Site) -> str:
    return next(service.name for service in site.catalogue.services if service.key == "cleaning")
