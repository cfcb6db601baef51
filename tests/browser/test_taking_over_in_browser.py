"""Two of the staff, a patient who texts, and the agent."""

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from booking.model.clinic import Clinic
from frontdesk.simulator.vendor import deliver
from frontdesk.users import Role, add_user
from jobs.messages import send_what_waits
from kernel.work import UnitOfWork
from sms import segments
from tests.browser.product import NOW, PASSWORD, Product
from tests.support.browser import PHONE, WatchedPage, accessibility_faults

pytestmark = pytest.mark.browser

OpenPage = Callable[..., WatchedPage]


def test_two_of_the_staff_want_the_same_conversation_and_one_has_it_until_it_is_given_back(
    product: Product, open_page: OpenPage
) -> None:
    product.services.db.run(_add_desk)
    watched = open_page()
    admin, desk = watched.page, open_page(size=PHONE).page
    for page, login in ((admin, "admin"), (desk, "desk")):
        product.log_in(page, then="/console/live", login=login)
        expect(page.get_by_role("heading", name="It is quiet")).to_be_visible()

    assert "1)" in text(product, "I'd like a teeth cleaning next Tuesday")
    for page in (admin, desk):
        page.get_by_role("link", name="Unknown caller").click()
        expect(page.get_by_role("button", name="Take over")).to_be_visible()
    # The second one presses the button before the page has heard of the first.
    desk.route("**/now", lambda route: route.abort())
    admin.get_by_role("button", name="Take over").click()
    expect(admin.get_by_label("Text to the patient")).to_be_focused()
    desk.get_by_role("button", name="Take over").click()
    expect(desk.get_by_role("alert").first).to_have_text("admin has had this conversation since 10:00 AM.")
    expect(desk.get_by_label("Text to the patient")).to_have_count(0)
    desk.unroute("**/now")

    assert text(product, "Is there a <ramp> at the door?") == ""
    for page in (admin, desk):
        expect(page.get_by_role("log", name="Messages")).to_contain_text("Is there a <ramp> at the door?")
    expect(admin.get_by_role("status").last).to_contain_text("The patient has been waiting")
    admin.get_by_label("Text to the patient").fill("Yes, on the left side. Maria")
    expect(admin.locator("[data-count]")).to_have_text("28 characters, 1 text")
    assert accessibility_faults(admin) == []
    assert_counted_as_sent(admin)
    admin.get_by_label("Text to the patient").fill("Yes, on the left side. Maria")
    admin.get_by_role("button", name="Send").click()
    expect(desk.get_by_role("log", name="Messages")).to_contain_text("Yes, on the left side. Maria")
    send_what_waits(product.services.jobs, NOW)
    expect(admin.locator(".sms-state")).to_have_text("sent")

    admin.get_by_role("button", name="Give back to the agent").click()
    expect(admin.get_by_role("log", name="Messages")).to_contain_text(
        "You are writing with our automated assistant again."
    )
    assert "Shall I book it?" in text(product, "1")
    expect(desk.get_by_role("log", name="Messages")).to_contain_text("Shall I book it?")
    expect(desk.get_by_role("button", name="Take over")).to_be_visible()
    assert watched.faults == []


def test_a_transcript_shows_what_is_said_after_it_was_opened(product: Product, open_page: OpenPage) -> None:
    watched = open_page()
    page = watched.page
    text(product, "I'd like a teeth cleaning next Tuesday")
    product.log_in(page)
    page.get_by_role("link", name="Unknown caller").first.click()
    expect(page.get_by_role("button", name="Take over")).to_be_visible()
    expect(page.locator(".live-log li")).to_have_count(0)

    text(product, "1")

    expect(page.locator(".live-log")).to_contain_text("Shall I book it?")
    assert watched.faults == []


def test_staff_hear_on_any_page_of_what_is_urgent_and_of_each_thing_once(product: Product, open_page: OpenPage) -> None:
    watched = open_page(size=PHONE)
    page = watched.page
    product.log_in(page, then="/console/patients")
    tasks, news = page.get_by_role("link", name="Tasks (1 open)"), page.get_by_role("log", name="News")
    expect(tasks).to_be_visible()
    expect(news).to_be_attached()

    assert "911" in text(product, "my chest hurts and I can't breathe")

    told = news.get_by_role("link", name="Emergency, 10:00 AM")
    expect(told).to_be_visible()
    expect(page.get_by_role("link", name="Tasks (2 open)")).to_be_visible()
    assert accessibility_faults(page) == []
    news.get_by_role("button", name="Close").click()
    page.reload()
    with page.expect_response("**/notices"):
        pass
    expect(told).to_have_count(0)

    page.evaluate("localStorage.clear()")
    page.reload()
    told.click()
    expect(page).to_have_url(re.compile(r"/console/tasks\?first=\w+#task-"))
    expect(news.get_by_role("link")).to_have_count(0)
    assert watched.faults == []


def text(product: Product, body: str) -> str:
    """Text as Ann Smith, and return what the agent answers at once."""
    fields = {"MessageSid": f"SM{uuid.uuid4().hex}", "From": "+12125550123", "To": "+12125550150", "Body": body}
    answer = deliver(product.app, settings=product.services.settings, path="/twilio/sms", fields=fields)
    return answer.body.partition("<Message>")[2].partition("</Message>")[0]


def assert_counted_as_sent(page: Page) -> None:
    """Check that the page counts as many texts as the vendor will: with marks, accents and letters of two units."""
    for written in (
        "a" * 160,
        "a" * 161,
        "“á” " * 45,
        "ñ" * 160,
        "día… " * 33,
        "й" * 71,
        "🙂" * 36,
        "€[" * 41,
        "é" * 307,
    ):
        sent = segments.plain(written.strip())
        parts = segments.count(sent).count
        page.get_by_label("Text to the patient").fill(written)
        counted = f"{len(sent)} characters, {parts} text{'' if parts == 1 else 's'}"
        expect(page.locator("[data-count]")).to_have_text(counted)


def _add_desk(work: UnitOfWork) -> None:
    clinic_id = work.session.scalars(select(Clinic.id)).one()
    add_user(work, clinic_id=clinic_id, login="desk", password=PASSWORD, role=Role.FRONT_DESK, now=NOW)
