"""Where the web server listens."""

import pytest

from frontdesk.web import authority

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("host", "written"), [("127.0.0.1", "127.0.0.1:8000"), ("::1", "[::1]:8000"), ("clinic.lan", "clinic.lan:8000")]
)
def test_an_address_of_the_newer_kind_stands_in_brackets(host: str, written: str) -> None:
    assert authority(host, 8000) == written
