"""An administrator links a calendar, sees how it is, changes it and leaves it, by keyboard or thumb."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import PASSWORD, Product
from tests.support.browser import DESKTOP, PHONE, WatchedPage, accessibility_faults

pytestmark = pytest.mark.browser

OpenPage = Callable[..., WatchedPage]


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["telephone in the dark", "desktop by day"]
)
def test_a_calendar_is_linked_mended_changed_and_left(
    product: Product, open_page: OpenPage, size: tuple[int, int], scheme: str
):
    watched = open_page(size=size)
    page = watched.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    product.log_in(page, then="/console/calendars")
    assert_is_sound(page)

    page.get_by_role("link", name="Link a calendar: Dr. Luis Ortega").click()
    expect(page.get_by_label("Whose calendar")).to_have_value("ortega")
    page.get_by_label("Address", exact=True).fill("cloud.example")
    page.get_by_label("User name", exact=True).fill("ortega")
    page.get_by_label("Password", exact=True).fill("wrong")
    assert_is_sound(page)
    page.get_by_role("button", name="Look for calendars").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The log-in is refused.")
    expect(page.get_by_label("Address", exact=True)).to_have_value("https://cloud.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Look for calendars").click()

    page.get_by_label("Visits").select_option(label="Reads busy times, shows our visits")
    page.get_by_label("Team meetings").select_option(label="Reads busy times only")
    assert_is_sound(page)
    page.get_by_role("button", name="Link", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("2 calendars are linked. They are read within a minute.")
    assert_is_sound(page)

    page.get_by_role("link", name="Visits").click()
    expect(page.locator("main")).to_contain_text("It is not in the calendar yet.")
    assert_is_sound(page)
    page.get_by_role("button", name="Repair: Visits").click()
    expect(page.get_by_role("status")).to_have_text("Diary and calendar agree.")
    expect(page.locator("main")).to_contain_text("Visit written")
    assert_is_sound(page)

    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("When it has failed").select_option(label="offer time all the same")
    assert_is_sound(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("The changes are saved.")

    page.get_by_role("link", name="Remove").click()
    page.get_by_label("Leave them there.").check()
    assert_is_sound(page)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("no longer linked")
    expect(page.locator(".link")).to_have_count(1)
    assert watched.faults == []


def assert_is_sound(page: Page) -> None:
    """Nobody is shut out by how the page is made, and nothing runs over its side."""
    assert accessibility_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
