"""A walk through all pages of the staff: both languages, telephone and desktop, dark and light."""

import contextlib
from collections.abc import Iterator
from contextlib import closing
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, StorageState

from frontdesk.console.words import LANGUAGES
from frontdesk.users import Role
from tests.browser.product import Product
from tests.browser.walk import LOGINS, WalkedPage, live_a_little, pages_of
from tests.support.browser import DESKTOP, SMALL_PHONE, WatchedPage, accessibility_faults, watched_page

pytestmark = pytest.mark.browser

Cookies = dict[Role | None, StorageState]
LOOKS: tuple[tuple[tuple[int, int], Literal["light", "dark"]], ...] = (
    (DESKTOP, "light"),
    (DESKTOP, "dark"),
    (SMALL_PHONE, "dark"),
    (SMALL_PHONE, "light"),
)
ASKS_AXE = {("en", DESKTOP, "light"), ("es", SMALL_PHONE, "dark")}


@pytest.mark.timeout(600)  # a hundred pages, on a machine that may be busy
def test_every_page_is_sound_in_each_language_size_and_scheme(product: Product, browser: Browser):
    words = live_a_little(product)
    with product.services.db.read() as session:
        addresses = pages_of(product.app, session, words=words)
    cookies = log_in_once(product, browser, {page.role for page in addresses})
    pages = shown_pages(product, browser, addresses, cookies)

    faults = [fault for language in LANGUAGES for fault in walk(product, browser, pages, cookies, language=language)]

    assert len(pages) > 30
    if faults:
        pytest.fail("\n".join(faults))


def walk(
    product: Product, browser: Browser, pages: list[WalkedPage], cookies: Cookies, *, language: str
) -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        windows = {
            role: stack.enter_context(watched_page(browser, locale=language, cookies=cookie))
            for role, cookie in cookies.items()
        }
        for walked in pages:
            for fault in faults_of(product, windows[walked.role], walked, language=language):
                yield f"{walked.path} in {language}: {fault}"


def faults_of(product: Product, window: WatchedPage, walked: WalkedPage, *, language: str) -> Iterator[str]:
    page = window.page
    window.faults.clear()
    page.goto(product.url + walked.path)
    if page.evaluate("document.documentElement.lang") != language:
        yield "is in another language"
    for size, scheme in LOOKS:
        if page.viewport_size != {"width": size[0], "height": size[1]}:
            page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=scheme)
        if runs_over(page):
            yield f"runs over its side where that is {size[0]} wide"
        # What axe finds is in how a page is made and coloured: each page once dark and small, once light and wide.
        if (language, size, scheme) in ASKS_AXE:
            yield from accessibility_faults(page)
    yield from window.faults


def runs_over(page: Page) -> bool:
    return not page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def log_in_once(product: Product, browser: Browser, roles: set[Role | None]) -> Cookies:
    """Return the cookies of somebody of each role."""
    cookies: Cookies = {}
    for role in roles:
        with watched_page(browser) as window:
            if role is not None:
                product.log_in(window.page, login=LOGINS[role])
            cookies[role] = window.page.context.storage_state()
    return cookies


def shown_pages(product: Product, browser: Browser, addresses: list[WalkedPage], cookies: Cookies) -> list[WalkedPage]:
    """Return the addresses that give a page: some lead on to another, or are files to be kept."""
    pages = []
    with contextlib.ExitStack() as stack:
        contexts = {
            role: stack.enter_context(closing(browser.new_context(storage_state=cookie)))
            for role, cookie in cookies.items()
        }
        for page in addresses:
            answer = contexts[page.role].request.get(product.url + page.path, max_redirects=0)
            assert answer.status in {200, 302}, f"{page.path} ({page.endpoint}) answers {answer.status}"
            if answer.status == 200 and answer.headers["content-type"].startswith("text/html"):
                pages.append(page)
    return pages
