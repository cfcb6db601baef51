import pytest
from flask import Flask, request

from frontdesk.proxies import trust_proxies

pytestmark = pytest.mark.unit

FORWARDED = {"X-Forwarded-For": "6.6.6.6, 198.51.100.7", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("count", "seen"), [(0, "127.0.0.1 False"), (1, "198.51.100.7 True"), (2, "6.6.6.6 False"), (3, "127.0.0.1 False")]
)
def test_only_the_proxies_that_there_are_say_who_asks(count: int, seen: str):
    app = Flask(__name__)
    trust_proxies(app, count=count)
    app.add_url_rule("/", view_func=lambda: f"{request.remote_addr} {request.is_secure}")

    assert app.test_client().get("/", headers=FORWARDED).get_data(as_text=True) == seen
