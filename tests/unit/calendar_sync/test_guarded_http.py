"""Whom a log-in may be shown to when a server sends us on."""

import pytest

from calendar_sync.adapters.guarded_http import _is_related

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("first", "other", "is_related"),
    [
        ("https://caldav.icloud.com/", "https://p42-caldav.icloud.com/1/", True),
        ("https://cloud.example/", "https://cloud.example/remote.php/dav/", True),
        ("https://cloud.example/", "https://cloud.example:8443/", True),
        ("http://cloud.lan/", "https://cloud.lan/", True),
        ("https://cloud.example/", "http://cloud.example/", False),
        ("https://caldav.icloud.com/", "https://icloud.com.evil.example/", False),
        ("https://caldav.icloud.com/", "https://evil-icloud.com/", False),
        ("https://example.com/", "https://other.com/", False),
        ("https://example.com/", "https://evil.com/", False),
        ("https://10.0.0.1/", "https://11.0.0.1/", False),
        ("https://clinic.co.uk/", "https://evil.co.uk/", False),
        ("https://dav.clinic.co.uk/", "https://dav2.clinic.co.uk/", True),
    ],
)
def test_a_log_in_stays_with_the_server_or_its_domain(first: str, other: str, is_related: bool) -> None:
    assert _is_related(first, other) is is_related
