import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product
from tests.support.browser import DESKTOP, PHONE, WatchedPage, accessibility_faults

pytestmark = pytest.mark.browser

OpenPage = Callable[..., WatchedPage]
sizes = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])


@sizes
def test_a_booking_by_text_is_read_afterwards_in_the_console(
    product: Product, open_page: OpenPage, size: tuple[int, int]
):
    watched = open_page(size=size)
    page = watched.page
    product.log_in(page, then="/simulator")
    assert_is_sound(page)

    text(page, "I'd like a teeth cleaning next Tuesday", answered="1)")
    text(page, "1", answered="Shall I book it?")
    text(page, "yes", answered="Booked: Dental cleaning, Tue Mar 16")
    product.work()

    expect(page.locator("#sms-log")).to_contain_text("from the clinic, sent")
    expect(page.locator("#after")).to_contain_text("Dental cleaning")
    assert_is_sound(page)

    page.get_by_role("link", name="Read this conversation in the console").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann Smith")
    turns = page.locator(".talk > li")
    expect(turns).to_have_count(3)
    expect(turns.first).to_contain_text("I'd like a teeth cleaning next Tuesday")
    expect(turns.first).to_contain_text("Service: Dental cleaning")
    expect(turns.first).to_contain_text("Offers times")
    expect(turns.last.locator(".inside")).to_contain_text(re.compile(r"Understanding [\d.]+ ms"))
    turns.first.get_by_text("As it is stored").click()
    expect(turns.first).to_contain_text('"name": "give_service"')
    assert_is_sound(page)

    turns.last.get_by_role("link", name="Booked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dental cleaning")
    expect(page.locator("main")).to_contain_text("Tuesday, March 16, 2027, 8:00 AM")
    assert_is_sound(page)

    page.get_by_role("link", name="Diary of Tue, Mar 16").click()
    expect(page.locator(".visit", has_text="8:00 AM")).to_contain_text("Ann Smith")
    assert_is_sound(page)
    assert watched.faults == []


@sizes
def test_a_call_is_answered_transferred_and_taken_back(product: Product, open_page: OpenPage, size: tuple[int, int]):
    watched = open_page(size=size)
    page = watched.page
    product.log_in(page, then="/simulator")

    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#phone-log")).to_contain_text("Harbor Lane Health")
    expect(page.locator("#phone-state")).to_have_text("The agent is listening: speak, type or press keys")
    page.get_by_role("button", name="Key 0").click()
    send = page.locator("#send-keys")
    if send.is_visible():
        send.click()
    page.get_by_role("button", name="Nobody answers").click()
    expect(page.locator("#phone-state")).to_have_text("The agent is listening: speak, type or press keys")
    page.get_by_label("What you say").fill("Please tell Tom that my crown came off")
    page.get_by_role("button", name="Say", exact=True).click()
    expect(page.locator("#phone-log .me").last).to_contain_text("my crown came off")
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("#phone-state")).to_have_text("The call has ended")
    assert_is_sound(page)

    page.get_by_role("link", name="Read this conversation in the console").click()
    expect(page.locator("main")).to_contain_text("my crown came off")
    expect(page.locator("main")).to_contain_text("transfer failed")
    assert watched.faults == []


def test_somebody_new_and_a_withheld_number_can_be_played(product: Product, open_page: OpenPage):
    watched = open_page()
    page = watched.page
    product.log_in(page, then="/simulator")

    page.get_by_label("You are").select_option(label="Somebody new")
    expect(page.locator("#identity-note")).to_contain_text("does not know you")
    text(page, "Where can I park?", answered="Harbor Lane")
    page.get_by_label("You are").select_option(label="Number withheld (phone only)")
    expect(page.get_by_label("Your text")).to_be_disabled()
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#phone-log")).to_contain_text("Harbor Lane Health")
    page.get_by_role("button", name="Say nothing").click()
    expect(page.locator("#phone-log .agent")).to_have_count(2)
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("#phone-state")).to_have_text("The call has ended")
    page.goto(f"{product.url}/console/conversations")
    # The clock stands still here: which of the two conversations comes first is open.
    expect(page.locator("tbody tr").filter(has_text="Number withheld")).to_have_count(1)

    assert watched.faults == []


@sizes
def test_a_task_is_done_with_a_word_of_what_was_done(product: Product, open_page: OpenPage, size: tuple[int, int]):
    watched = open_page(size=size)
    page = watched.page
    product.log_in(page, then="/console/tasks")
    assert_is_sound(page)

    page.get_by_text("Done: Call back, just now").click()
    page.get_by_label("What was done?").fill("Called; it was about the bill")
    page.get_by_role("button", name="Done", exact=True).click()

    expect(page.get_by_role("status")).to_have_text("The task is marked as done.")
    expect(page.locator("main")).to_contain_text("Nothing is waiting for you")
    expect(page.locator("main")).to_contain_text("Done by admin")
    assert_is_sound(page)
    assert watched.faults == []


@sizes
def test_staff_walk_through_the_days_of_the_diary(product: Product, open_page: OpenPage, size: tuple[int, int]):
    watched = open_page(size=size)
    page = watched.page
    product.log_in(page, then="/console/diary")
    expect(page.get_by_role("heading", level=1)).to_have_text("Wednesday, March 10, 2027")
    expect(page.locator(".column").first).to_be_visible()
    assert_is_sound(page)

    page.get_by_role("link", name="Next day").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thursday, March 11, 2027")
    page.get_by_label("Location").select_option(label="Northgate")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("location=northgate"))
    page.get_by_role("link", name="Today").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Wednesday, March 10, 2027")
    expect(page.get_by_label("Location")).to_have_value("northgate")
    assert watched.faults == []


def test_visits_stand_where_the_clock_puts_them(product: Product, open_page: OpenPage):
    page = open_page(size=DESKTOP).page
    product.log_in(page, then="/console/diary")

    tops = page.evaluate(
        """() => Array.from(document.querySelectorAll('.visit'), (visit) =>
             [Number(visit.dataset.from), visit.getBoundingClientRect().top])"""
    )

    assert len(tops) > 3
    first_minute, first_top = tops[0]
    pixels_a_minute = 0.6 * 16 / 5
    assert all(abs((top - first_top) - (minute - first_minute) * pixels_a_minute) < 2 for minute, top in tops)


@sizes
def test_the_log_in_and_an_empty_list_help_who_sees_them_first(
    product: Product, open_page: OpenPage, size: tuple[int, int]
):
    watched = open_page(size=size)
    page = watched.page
    page.goto(f"{product.url}/console/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    expect(page.get_by_role("status")).to_have_text("Please log in to see this page.")
    assert_is_sound(page)

    product.log_in(page)
    expect(page.get_by_role("heading", level=2)).to_have_text("No conversations yet")
    assert_is_sound(page)
    assert watched.faults == []


def test_staff_get_around_by_keyboard(product: Product, open_page: OpenPage):
    page = open_page().page
    product.log_in(page)

    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    expect(page.locator(":focus")).to_have_attribute("name", "q")


def test_language_and_colours_are_switched_by_keyboard_in_a_menu_that_escape_closes(
    product: Product, open_page: OpenPage
):
    page = open_page().page
    page.emulate_media(color_scheme="light")
    product.log_in(page, then="/console/calendars")
    menu = page.locator("summary", has_text="admin")

    menu.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    expect(menu).to_be_focused()
    menu.press("Enter")
    page.get_by_role("button", name="Español").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Calendarios")
    menu.press("Enter")
    page.get_by_role("button", name="Oscuro").press("Enter")

    expect(page.locator("html")).to_have_attribute("data-look", "dark")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    expect(page).to_have_url(f"{product.url}/console/calendars")
    assert_is_sound(page)


def test_a_long_exchange_stays_inside_its_window(product: Product, open_page: OpenPage):
    page = open_page().page
    product.log_in(page, then="/simulator")

    for _ in range(8):
        text(page, "Where can I park?", answered="Harbor Lane")

    below = page.evaluate(
        "document.documentElement.scrollHeight - document.body.offsetHeight - document.body.offsetTop"
    )
    assert below <= max(0, page.evaluate("window.innerHeight - document.body.offsetHeight"))


def test_the_history_of_a_visit_can_be_read_on_a_telephone(product: Product, open_page: OpenPage):
    page = open_page(size=(390, 844)).page
    product.log_in(page, then="/simulator")
    text(page, "a dental cleaning next Tuesday morning please", answered="1)")
    text(page, "the first one", answered="Shall I book it?")
    text(page, "yes", answered="ooked")

    page.locator("#after a").first.click()
    page.wait_for_url("**/console/appointments/*")

    heights = [chip.bounding_box()["height"] for chip in page.locator(".cards .chip").all()]  # type: ignore[index]  # visible, so it has a box
    assert heights
    assert max(heights) < 40  # one line or two


def text(page: Page, words: str, *, answered: str) -> None:
    before = page.locator("#sms-log .agent").count()
    page.get_by_label("Your text").fill(words)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#sms-log .agent").nth(before)).to_contain_text(answered)


def assert_is_sound(page: Page) -> None:
    """Nobody is shut out by how the page is made, and nothing runs over its side."""
    assert accessibility_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
