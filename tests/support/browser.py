"""The system's Chromium, driven by Playwright: nothing from outside is loaded, and every fault on the page is noted."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, StorageState, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-default-apps",
]
DESKTOP = (1280, 800)
PHONE = (390, 844)
SMALL_PHONE = (360, 740)
# Matched by the browser's driver: if we were asked, each picture and script of each page would wait for us.
_ELSEWHERE = re.compile(r"^(?!https?://(127\.0\.0\.1|localhost)[:/]|data:|blob:|about:)")
expect.set_options(timeout=30_000)  # what is expected is there in a moment; a busy machine may have other ideas


@dataclass(frozen=True)
class WatchedPage:
    """A page in a context of its own. `faults`: console errors, exceptions and requests that left this machine."""

    page: Page
    faults: list[str] = field(default_factory=list)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser until the block ends."""
    if not CHROMIUM.exists():
        raise AssertionError(f"{CHROMIUM} is missing: install your system's chromium package")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def watched_page(
    browser: Browser,
    *,
    size: tuple[int, int] = DESKTOP,
    timezone: str = "America/New_York",
    locale: str = "en-US",
    cookies: StorageState | None = None,
) -> Iterator[WatchedPage]:
    """Open an empty page of `size` (width, height) in the given zone and language, without cookies unless some are given."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        timezone_id=timezone,
        locale=locale,
        storage_state=cookies,
        reduced_motion="reduce",
    )
    try:
        watched = WatchedPage(page=context.new_page())
        _watch(watched)
        yield watched
    finally:
        context.close()


def accessibility_faults(page: Page) -> list[str]:
    """Return what axe finds wrong with the page as it is now, a line each."""
    page.evaluate(Axe().axe_script)
    # Alone: what it found in order is a hundred times as much to hand over.
    violations = page.evaluate("axe.run({resultTypes: ['violations']}).then(found => found.violations)")
    return [f"{found['id']}: {found['help']} ({node['html']})" for found in violations for node in found["nodes"]]


def _watch(watched: WatchedPage) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            watched.faults.append(f"console: {message.text}")

    def on_request(route: Route) -> None:
        parts = urlsplit(route.request.url)
        watched.faults.append(f"left this machine: {parts.scheme}://{parts.netloc}")
        route.abort()

    watched.page.on("console", on_console)
    watched.page.on("pageerror", lambda error: watched.faults.append(f"exception: {error.message}"))
    watched.page.context.route(_ELSEWHERE, on_request)
