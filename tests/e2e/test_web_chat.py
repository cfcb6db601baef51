"""The chat page over HTTP: somebody books on it, staff take it over, and nobody reads what is another's."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from booking.model.appointment import Appointment
from dialog.model import Conversation, Turn
from dialog.takeover import How, give_back, take_over, write
from tests.support.product import Product, running_product, stored

pytestmark = pytest.mark.e2e


@pytest.fixture
def product(tmp_path: Path, redis_url: str) -> Iterator[Product]:
    url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
    with running_product(data_dir=tmp_path, database_url=url, redis_url=redis_url) as running:
        yield running


class Visitor:
    """A browser with its script on the clinic's chat page."""

    def __init__(self, product: Product, *, clinic: str = "elm") -> None:
        self.address = f"{product.base_url}/chat/{clinic}"
        self.session = requests.Session()

    def say(self, text: str, *, key: str | None = None, **headers: str) -> dict[str, Any]:
        sent = {"text": text, "key": key or uuid.uuid4().hex}
        answer = self.session.post(
            self.address, data=sent, headers={"Accept": "application/json", **headers}, timeout=60
        )
        found: dict[str, Any] = answer.json()
        return found | {"status": answer.status_code}

    def last(self, text: str) -> str:
        return str(self.say(text)["talk"][-1]["text"])

    def talk(self) -> list[tuple[str, str]]:
        found = self.session.get(f"{self.address}/talk", timeout=60).json()
        return [(one["voice"], one["text"]) for one in found["talk"]]


def test_a_new_patient_books_on_the_chat_page(product: Product) -> None:
    visitor = Visitor(product)

    first = visitor.last("I'd like a cleaning with Dr Lee on Monday at 2 pm")
    replies = [first] + [
        visitor.last(words) for words in ("the first one", "Nora Fields", "May 3rd 1990", "518 555 0177", "yes", "yes")
    ]

    assert "Elm" in first
    assert any("Booked" in reply for reply in replies), replies
    booked = [row for row in stored(product, Appointment) if row.conversation_id]
    assert [(row.status, row.source) for row in booked] == [("booked", "web")]
    assert [(row.channel, row.caller) for row in stored(product, Conversation)] == [("web", None)]


def test_the_form_works_without_a_script_and_shows_what_was_said(product: Product) -> None:
    browser = requests.Session()
    address = f"{product.base_url}/chat/elm"

    page = browser.post(address, data={"text": "when are you open on Saturday? <b>"}, timeout=60)

    assert page.status_code == 200
    assert page.history[0].status_code == 303
    assert "when are you open on Saturday? &lt;b&gt;" in page.text
    assert 'class="agent"' in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_the_same_message_sent_twice_is_one_turn(product: Product) -> None:
    visitor = Visitor(product)
    visitor.say("when are you open on Saturday?", key="a-key-of-mine")

    again = visitor.say("when are you open on Saturday?", key="a-key-of-mine")

    assert [one["voice"] for one in again["talk"]] == ["patient", "agent"]
    assert len(stored(product, Turn)) == 1


def test_nobody_reads_the_talk_of_another_and_a_made_up_cookie_is_nobody(product: Product) -> None:
    one, other = Visitor(product), Visitor(product)
    one.say("I'd like a cleaning")
    other.session.cookies.set("frontdesk_chat", one.session.cookies["frontdesk_chat"].partition(".")[0] + ".0")

    assert other.talk() == []
    assert len(one.talk()) == 2


def test_existing_visits_are_not_told_to_whoever_names_a_patient(product: Product) -> None:
    visitor = Visitor(product)

    replies = [visitor.last("when is my appointment?"), visitor.last("Ann Smith"), visitor.last("January 1st 1970")]

    assert not any("Lee" in reply or "cleaning" in reply.lower() for reply in replies)


def test_staff_answer_on_the_page_and_give_the_chat_back(product: Product) -> None:
    visitor, services = Visitor(product), product.services
    visitor.say("I'd like a cleaning with Dr Lee")
    [conversation] = stored(product, Conversation)
    now = services.clock.now()
    mine = {"clinic_id": conversation.clinic_id, "conversation_id": conversation.id, "login": "kim"}
    services.db.run(lambda work: take_over(work, **mine, now=now))

    silent = visitor.say("are you there?")
    services.db.run(
        lambda work: write(work, **mine, text="Kim here. Monday at 2?", key="k1", now=now + timedelta(seconds=5))
    )

    assert silent["talk"][-1]["voice"] == "patient"
    assert visitor.talk()[-1] == ("staff", "Kim here. Monday at 2?")
    with services.db.read() as session:
        catalogue = services.catalogues.get(session, clinic_id=conversation.clinic_id)
    services.db.run(
        lambda work: give_back(
            work, catalogue, conversation_id=conversation.id, login="kim", how=How.SILENTLY, now=now + timedelta(seconds=9)
        )
    )  # fmt: skip
    assert visitor.say("Monday at 2 pm please")["talk"][-1]["voice"] == "agent"


def test_too_many_messages_are_refused_with_a_sentence_and_not_heard(product: Product) -> None:
    visitor = Visitor(product)
    for _ in range(20):
        visitor.say("")  # says nothing, and counts

    refused = visitor.say("hello")

    assert refused["status"] == 429
    assert "wait a minute" in refused["problem"]
    assert stored(product, Turn) == []


def test_the_page_speaks_the_languages_of_browser_and_clinic_and_other_keys_are_not_found(product: Product) -> None:
    address = f"{product.base_url}/chat/elm"

    spanish = requests.get(address, headers={"Accept-Language": "es-MX,es;q=0.9"}, timeout=60).text
    french = requests.get(address, headers={"Accept-Language": "fr"}, timeout=60).text

    assert '<html lang="es">' in spanish
    assert '<html lang="en">' in french
    for key in ("nobody", "%00", "ELM'--"):
        assert requests.get(f"{product.base_url}/chat/{key}", timeout=60).status_code == 404
