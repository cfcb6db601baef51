"""The patient's own page over HTTP: a link to the number on file, the date of birth, and what can be done behind them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from booking.model.appointment import Appointment, AppointmentChange
from frontdesk.own_page.model import PageLink
from sms.model import SmsMessage
from tests.support.product import ANN, Product, running_product, stored

pytestmark = pytest.mark.e2e

BORN = "1984-05-02"  # Ann Smith, in the clinic of the scenarios


@pytest.fixture
def product(tmp_path: Path, redis_url: str) -> Iterator[Product]:
    url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
    with running_product(data_dir=tmp_path, database_url=url, redis_url=redis_url) as running:
        for words in ("I'd like a cleaning with Dr Lee on Monday at 2 pm", "the first one", "yes"):
            running.text(words)
        yield running


def ask(product: Product, phone: str = ANN) -> requests.Response:
    return requests.post(f"{product.base_url}/mine/elm", data={"phone": phone}, timeout=60)


def link_of(product: Product) -> str:
    """Return the link in the latest text."""
    texts = [row for row in stored(product, SmsMessage) if row.kind == "link"]
    found = re.search(r"http\S+", texts[-1].body)
    assert found
    return found[0]


def opened(product: Product) -> requests.Session:
    ask(product)
    browser = requests.Session()
    page = browser.post(link_of(product), data={"born": BORN}, timeout=60)
    assert "Dr. Mina Lee" in page.text, page.text
    return browser


def visit_of_ann(product: Product) -> Appointment:
    [visit] = [row for row in stored(product, Appointment) if row.status != "cancelled" and row.conversation_id]
    return visit


def test_a_link_by_text_and_the_date_of_birth_open_the_page_once(product: Product) -> None:
    browser = opened(product)

    assert "Monday, March 15, 2027" in browser.get(f"{product.base_url}/mine/elm", timeout=60).text
    again = requests.post(link_of(product), data={"born": BORN}, timeout=60)
    assert again.status_code == 404
    assert "This link is over" in again.text
    assert "Dr. Mina Lee" in browser.get(link_of(product), timeout=60).text  # tapped once more by who is in


def test_looking_at_a_link_uses_nothing_up_and_a_wrong_date_opens_nothing(product: Product) -> None:
    ask(product)
    link = link_of(product)
    requests.get(link, timeout=60)

    wrong = [requests.post(link, data={"born": "1990-01-01"}, timeout=60) for _ in range(5)]
    right = requests.post(link, data={"born": BORN}, timeout=60)

    assert {answer.status_code for answer in wrong} == {403}
    assert not any("Lee" in answer.text for answer in wrong)
    assert right.status_code == 404  # five dates were tried: the link is worth nothing any more


def test_whether_a_number_is_on_file_is_told_to_nobody_and_few_links_go_to_it(product: Product) -> None:
    known, unknown = ask(product), ask(product, "+12125550999")
    for _ in range(5):
        ask(product)

    assert known.text == unknown.text
    assert len([row for row in stored(product, SmsMessage) if row.kind == "link"]) == 3
    assert len(stored(product, PageLink)) == 3
    assert ask(product, "not a number").status_code == 422


def test_a_visit_is_moved_to_a_free_time_and_back_is_told_to_nobody_else(product: Product) -> None:
    browser, visit = opened(product), visit_of_ann(product)
    address = f"{product.base_url}/mine/elm/visits/{visit.id}/move"

    times = re.findall(r'name="start" value="([^"]+)"', browser.get(address, timeout=60).text)
    page = browser.post(address, data={"start": times[0]}, timeout=60)

    moved = visit_of_ann(product)
    assert "Your appointment has its new time." in page.text
    assert moved.starts_at == datetime.fromisoformat(times[0]).astimezone(UTC)
    assert [(row.actor, row.source) for row in stored(product, AppointmentChange) if row.what == "moved"] == [
        ("patient", "web")
    ]
    taken = browser.post(address, data={"start": "2027-03-13T03:00:00-05:00"}, timeout=60)
    assert 'class="problem"' in taken.text
    assert visit_of_ann(product).starts_at == moved.starts_at
    for day in ("9999-12-31", "0001-01-01", "x"):
        assert browser.get(address, params={"from": day}, timeout=60).status_code == 200, day
    for start in ("0001-01-01T00:00:00+23:00", "9999-12-31T23:59:00-23:00", "x"):
        assert browser.post(address, data={"start": start}, timeout=60).status_code == 400, start


def test_a_visit_is_cancelled_after_asking(product: Product) -> None:
    browser, visit = opened(product), visit_of_ann(product)
    address = f"{product.base_url}/mine/elm/visits/{visit.id}/cancel"

    assert "Cancel this appointment?" in browser.get(address, timeout=60).text
    assert visit_of_ann(product).status == "booked"
    page = browser.post(address, timeout=60)

    assert "Your appointment is cancelled." in page.text
    assert "no appointment ahead" in page.text
    assert "Your appointment is cancelled." in browser.post(address, timeout=60).text  # tapped twice
    assert "no appointment ahead" in browser.get(address, timeout=60).text  # and gone back to


def test_what_is_anothers_is_not_found_and_without_a_link_there_is_nothing(product: Product) -> None:
    browser, visit = opened(product), visit_of_ann(product)
    others = next(row.id for row in stored(product, Appointment) if row.patient_id != visit.patient_id)
    stranger = requests.Session()

    for what in ("cancel", "move"):
        assert browser.get(f"{product.base_url}/mine/elm/visits/{others}/{what}", timeout=60).status_code == 404
        asked = stranger.post(f"{product.base_url}/mine/elm/visits/{visit.id}/{what}", data={"start": "x"}, timeout=60)
        assert "Text me the link" in asked.text
    made_up = {"frontdesk_own_page": f"{visit.clinic_id}~9999999999~{visit.patient_id}~0"}
    assert "Text me the link" in requests.get(f"{product.base_url}/mine/elm", cookies=made_up, timeout=60).text
    assert visit_of_ann(product).status == "booked"
