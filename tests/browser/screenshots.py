"""Takes the pictures of the README: `python -m tests.browser.screenshots [FOLDER]`, by default docs/screenshots."""

import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser

from tests.browser.product import Product, running_product
from tests.browser.walk import live_a_little
from tests.support.browser import DESKTOP, PHONE, chromium, watched_page
from tests.support.valkey_servers import valkey_server

_FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
_Scheme = Literal["light", "dark"]
_DAY = "/console/diary?day=2027-03-11"
# Name, page, the link to follow from there (or ""), size and colours.
PICTURES: tuple[tuple[str, str, str, tuple[int, int], _Scheme], ...] = (
    ("conversations", "/console/conversations", "", DESKTOP, "light"),
    ("conversation", "/console/conversations", "Ann Smith", DESKTOP, "light"),
    ("diary", _DAY, "", DESKTOP, "light"),
    ("insight", "/console/insight?first=2027-03-03&last=2027-03-17", "", DESKTOP, "dark"),
    ("tasks-on-a-telephone", "/console/tasks", "", PHONE, "light"),
    ("diary-on-a-telephone", _DAY, "", PHONE, "dark"),
)


def take(folder: Path) -> None:
    """Write a PNG of each of PICTURES into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        valkey_server() as redis_url,
        running_product(data_dir=Path(data), redis_url=redis_url) as product,
        chromium() as browser,
    ):
        live_a_little(product)
        for name, path, link, size, scheme in PICTURES:
            picture = _picture(product, browser, path=path, link=link, size=size, scheme=scheme)
            (folder / f"{name}.png").write_bytes(picture)


def _picture(
    product: Product, browser: Browser, *, path: str, link: str, size: tuple[int, int], scheme: _Scheme
) -> bytes:
    with watched_page(browser, size=size) as window:
        window.page.emulate_media(color_scheme=scheme)
        product.log_in(window.page)
        window.page.goto(product.url + path)
        if link:
            window.page.get_by_role("link", name=link).first.click()
            window.page.wait_for_load_state()
        return window.page.screenshot()


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else _FOLDER)
