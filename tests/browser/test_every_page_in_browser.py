"""A walk through all pages of the staff: both languages, telephone and desktop, dark and light."""

import contextlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState

from frontdesk.console.words import LANGUAGES
from frontdesk.users import Role
from tests.browser.product import Product
from tests.browser.walk import LOGINS, WalkedPage, live_a_little, pages_of
from tests.support.browser import DESKTOP, SMALL_PHONE, WatchedPage, accessibility_faults, watched_page

pytestmark = pytest.mark.browser

Cookies = dict[Role | None, StorageState]


def test_every_page_is_sound_in_each_language_size_and_scheme(product: Product, browser: Browser):
    live_a_little(product)
    with product.services.db.read() as session:
        addresses = pages_of(product.app, session)
    cookies = log_in_once(product, browser, {page.role for page in addresses})
    pages = [page for page in addresses if is_shown(product, browser, cookies[page.role], page)]

    faults = []
    for language in LANGUAGES:
        for size in (SMALL_PHONE, DESKTOP):
            # What axe finds is in how a page is made and coloured: each page once dark and small, once light and wide.
            asks_axe = (language, size) in {("es", SMALL_PHONE), ("en", DESKTOP)}
            faults += walk(product, browser, pages, cookies, language=language, size=size, asks_axe=asks_axe)

    assert len(pages) > 10
    assert faults == []


def walk(
    product: Product,
    browser: Browser,
    pages: list[WalkedPage],
    cookies: Cookies,
    *,
    language: str,
    size: tuple[int, int],
    asks_axe: bool,
) -> list[str]:
    faults = []
    with contextlib.ExitStack() as stack:
        windows = {
            role: stack.enter_context(watched_page(browser, size=size, locale=language, cookies=cookie))
            for role, cookie in cookies.items()
        }
        for walked in pages:
            found = faults_of(product, windows[walked.role], walked, language=language, asks_axe=asks_axe)
            faults += [f"{walked.path} in {language}, {size[0]} wide: {fault}" for fault in found]
    return faults


def faults_of(
    product: Product, window: WatchedPage, walked: WalkedPage, *, language: str, asks_axe: bool
) -> Iterator[str]:
    page = window.page
    window.faults.clear()
    page.emulate_media(color_scheme="light")
    page.goto(product.url + walked.path)
    if page.evaluate("document.documentElement.lang") != language:
        yield "is in another language"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        if runs_over(page):
            yield "runs over its side"
        if asks_axe and (scheme == "dark") == (page.viewport_size or {})["width"] < DESKTOP[0]:
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


def is_shown(product: Product, browser: Browser, cookies: StorageState, page: WalkedPage) -> bool:
    """Say whether the address gives a page: some lead on to another, or are files to be kept."""
    context = browser.new_context(storage_state=cookies)
    try:
        answer = context.request.get(product.url + page.path, max_redirects=0)
        assert answer.status in {200, 302}, f"{page.path} ({page.endpoint}) answers {answer.status}"
        return answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    finally:
        context.close()
