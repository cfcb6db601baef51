"""Who asks, where a proxy asks for them: by address log-ins are limited, and the access log names it."""

from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix


def trust_proxies(app: Flask, *, count: int) -> None:
    """Take address and scheme of whoever asks from what the last `count` proxies wrote, and from nobody before them.

    With none (0) they are those of the connection: else anybody could name an address of their choice.
    """
    if count:
        application: Any = app
        application.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)
