from pathlib import Path

import pytest
from playwright.sync_api import expect

from frontdesk.scenario import run_script
from tests.browser.product import Product
from tests.browser.test_console_in_browser import OpenPage, assert_is_sound
from tests.support.browser import SMALL_PHONE

pytestmark = pytest.mark.browser


def test_a_call_that_was_misunderstood_becomes_a_case_that_runs(
    product: Product, open_page: OpenPage, tmp_path: Path
) -> None:
    watched = open_page()
    page = watched.page
    product.log_in(page, then="/simulator")
    page.get_by_role("button", name="Call", exact=True).click()
    for words in ("I'd like a teeth cleaning next Tuesday", "the first one", "yes"):
        expect(page.locator("#phone-state")).to_have_text("The agent is listening: speak, type or press keys")
        page.get_by_label("What you say").fill(words)
        page.get_by_role("button", name="Say", exact=True).click()
        expect(page.locator("#phone-log .me").last).to_contain_text(words)
    expect(page.locator("#after")).to_contain_text("Dental cleaning")
    page.get_by_role("button", name="Hang up").click()
    product.work()

    # Found by a word that was said in it, read, and followed to the appointment.
    page.goto(f"{product.url}/console/conversations")
    page.get_by_role("searchbox").fill("teeth")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("link", name="Ann Smith").first.click()
    expect(page.locator(".talk")).to_contain_text("I'd like a teeth cleaning next Tuesday")
    conversation = page.url
    page.get_by_role("link", name="Booked").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dental cleaning")

    # Marked as misunderstood.
    page.goto(conversation)
    page.locator(".talk > li", has_text="teeth cleaning").get_by_role("link", name="This was misunderstood").click()
    assert_is_sound(page)
    page.get_by_label("What was meant", exact=True).fill("Ann Smith asked to move her cleaning")
    page.get_by_label("They want to move an appointment").check()
    page.get_by_label("How the conversation should have ended").select_option(label="Moved")
    page.get_by_role("button", name="Save the correction").click()
    expect(page.locator("main")).to_contain_text("It does not pass this case yet")
    assert_is_sound(page)
    correction = page.url

    # Replayed: alone, and with all others.
    page.get_by_role("link", name="Replay this conversation").click()
    expect(page.locator("main")).to_contain_text("Nothing would be different")
    page.set_viewport_size({"width": SMALL_PHONE[0], "height": SMALL_PHONE[1]})
    assert_is_sound(page)
    page.goto(f"{product.url}/console/replays")
    page.get_by_role("button", name="Replay these conversations").click()
    expect(page.locator("[data-result]").first).to_have_text("Nothing would be different")
    expect(page.locator("[data-status]")).to_have_text("Done.")
    assert_is_sound(page)

    # Exported, and played by whoever mends the agent.
    page.goto(correction)
    assert_is_sound(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download this case").click()
    case = tmp_path / "case.yaml"
    download.value.save_as(case)
    assert "Smith" not in case.read_text()
    result = run_script(case)
    assert [turn["said"] for turn in result.turns] == [
        "",
        "I'd like a teeth cleaning next Tuesday",
        "the first one",
        "yes",
    ]
    assert result.outcome == "booked"
    assert len(result.failures) == 2
    assert watched.faults == []
