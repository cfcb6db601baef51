"""Filling in a form of the set-up by keyboard: what is wrong is found, and nothing that was written is lost by a slip."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, expect

from tests.browser.product import Product
from tests.support.browser import WatchedPage, accessibility_faults

pytestmark = pytest.mark.browser


def test_a_form_leads_to_what_is_wrong_and_asks_before_it_is_left(
    product: Product, open_page: Callable[..., WatchedPage]
):
    page = open_page().page
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    product.log_in(page, then="/console/set-up/services/part/cleaning")
    back = page.get_by_role("link", name="Back to the set-up")
    price = page.get_by_label("Price")

    price.fill("cheap")
    expect(page.get_by_role("status").filter(has_text="not saved yet")).to_be_visible()
    back.click()
    page.get_by_label("Duration", exact=True).fill("soon")
    page.keyboard.press("Enter")
    wrong = page.locator("[name=duration]:focus")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_have_accessible_description("Like 45m or 1h30m. write a duration like 45m, 2h, 1h30m or 90d")
    assert accessibility_faults(page) == []
    back.click()
    assert asked == ["beforeunload", "beforeunload"]

    page.get_by_label("Duration", exact=True).fill("45m")
    price.fill("101.00 USD")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set-up")
    assert asked == ["beforeunload", "beforeunload"]
