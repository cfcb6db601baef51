"""A morning at the front desk, in a real browser; the diary in the database is graded afterwards."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from booking.model.appointment import Appointment
from booking.model.patient import Patient
from booking.model.schedule import TimeOff
from booking.model.staff import Practitioner
from tests.browser.product import Product
from tests.support.browser import WatchedPage, accessibility_faults

pytestmark = pytest.mark.browser

TALL = (1280, 1100)  # the whole morning is in sight
THURSDAY = "/console/diary?day=2027-03-11"


def test_a_morning_at_the_desk(product: Product, open_page: Callable[..., WatchedPage]):
    watched = open_page(size=TALL)
    page = watched.page
    product.log_in(page, then="/console/diary")
    page.goto(f"{product.url}{THURSDAY}")

    drag(page, visit_of(page, "Henry O'Neill"), to_minute=11 * 60)
    expect(page.get_by_role("status")).to_have_text("The appointment is now on Thu, Mar 11, 11:00 AM.")
    expect(visit_of(page, "Henry O'Neill")).to_contain_text("11:00 AM")

    drag(page, visit_of(page, "Henry O'Neill"), to_minute=8 * 60)
    expect(page.get_by_role("alert")).to_contain_text("It is closed then: Northgate.")
    expect(page.get_by_role("alert").get_by_role("button", name="Thu, Mar 11, 9:00 AM")).to_be_visible()
    assert accessibility_faults(page) == []

    page.goto(f"{product.url}{THURSDAY}")
    click(page, column_of(page, "Priya Nair"), minute=12 * 60)
    expect(page.get_by_label("Time", exact=True)).to_have_value("12:00")
    page.get_by_label("Service").select_option(label="Physiotherapy session")
    page.get_by_role("textbox", name="Name", exact=True).fill("Bo Reed")
    page.get_by_label("Telephone").fill("212-555-0177")
    page.get_by_role("button", name="Book", exact=True).dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Physiotherapy session")
    expect(page.locator("main")).to_contain_text("Bo Reed")

    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{product.url}/console/diary/week?day=2027-03-11")
    beside, widths = page.locator(".visit[data-lanes='2']"), "all => new Set(all.map((one) => one.offsetWidth)).size"
    assert (beside.count() > 0, page.locator(".visit").evaluate_all(widths)) == (True, 1)
    page.set_viewport_size({"width": TALL[0], "height": TALL[1]})

    page.goto(f"{product.url}/console/diary")
    visit_of(page, "James Carter").click()
    page.get_by_role("button", name="Arrived").click()
    expect(page.get_by_role("status")).to_have_text("The patient is marked as arrived.")

    page.goto(f"{product.url}{THURSDAY}")
    page.get_by_role("link", name="Somebody is ill").click()
    page.get_by_label("Who is away").select_option(label="Priya Nair")
    page.get_by_role("button", name="Show whom it hits").click()
    for name in ("Henry O'Neill", "Bo Reed"):
        choice = page.get_by_label(re.compile(f"What happens instead of {name}"))
        choice.select_option(value=choice.locator("option[value^='move~']").first.get_attribute("value"))
    page.get_by_role("button", name="Write the absence and settle it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The absence is settled")
    expect(page.get_by_role("cell", name="Moved", exact=True)).to_have_count(2)
    assert accessibility_faults(page) == []

    assert watched.faults == []
    grade(product)


def grade(product: Product) -> None:
    """Both visits left the day, one appointment was made, one patient is here, and Priya Nair is off that day only."""
    with product.services.db.read() as session:
        rows = session.execute(
            select(Patient.name, Appointment).join(Patient, Patient.id == Appointment.patient_id)
        ).all()
        off = session.execute(select(TimeOff.starts_on, TimeOff.ends_on)).all()
        nair = session.scalars(select(Practitioner.id).where(Practitioner.key == "nair")).one()
    thursday = (datetime(2027, 3, 11, 5, tzinfo=UTC), datetime(2027, 3, 12, 5, tzinfo=UTC))
    theirs = [one for _, one in rows if one.practitioner_id == nair and one.status == "booked"]
    assert [one for one in theirs if thursday[0] <= one.starts_at < thursday[1]] == []
    (reed,) = [one for name, one in rows if name == "Bo Reed" and one.status != "cancelled"]
    assert (reed.status, reed.source, reed.times_moved) == ("booked", "staff", 1)
    moves = sorted(one.times_moved for name, one in rows if name == "Henry O'Neill" and one.status == "booked")
    assert moves[-1] == 2
    assert [name for name, one in rows if one.status == "arrived"] == ["James Carter"]
    assert (date(2027, 3, 11), date(2027, 3, 12)) in [tuple(row) for row in off]


def visit_of(page: Page, patient: str) -> Locator:
    return page.locator(".visit", has_text=patient).first


def column_of(page: Page, name: str) -> Locator:
    return page.locator(".column", has=page.get_by_role("heading", name=name)).locator(".day")


def place_in(page: Page, day: Locator, *, minute: int) -> tuple[float, float]:
    """Return the point in the middle of the column at which the minute of the day stands, once the page is laid out."""
    expect(page.locator(".diary.by-clock")).to_be_visible()
    box = day.bounding_box()
    first, end = (int(page.locator(".diary").get_attribute(f"data-{name}") or "") for name in ("first", "end"))
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] * (minute - first) / (end - first)


def drag(page: Page, visit: Locator, *, to_minute: int) -> None:
    """Take the visit at its upper edge and let it go a little below where it is to begin."""
    x, y = place_in(page, visit.locator("xpath=ancestor::div[contains(@class, 'day')]"), minute=to_minute)
    box = visit.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 3)
    page.mouse.down()
    page.mouse.move(x, y + 10)
    page.mouse.move(x, y + 8)
    expect(page.locator(".landing")).to_have_text(f"{to_minute // 60:02}:{to_minute % 60:02}")
    page.mouse.up()


def click(page: Page, day: Locator, *, minute: int) -> None:
    x, y = place_in(page, day, minute=minute)
    page.mouse.click(x, y + 5)
