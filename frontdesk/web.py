"""The web process that `frontdesk serve` runs."""

import gc
from collections.abc import Callable
from typing import Any
from wsgiref.types import WSGIApplication

from gunicorn.app.base import BaseApplication

from frontdesk.wsgi import make_app
from kernel.config import Settings

_THREADS = 64


def serve_web(settings: Settings) -> None:
    """Answer on the settings' host and port until SIGTERM."""
    serve_app(make_app, host=settings.host, port=settings.port)


def serve_app(make: Callable[[], WSGIApplication], *, host: str, port: int) -> None:
    """Serve the application that `make` returns, which is called in the process that answers, until SIGTERM."""
    options = {
        "bind": authority(host, port),
        "worker_class": "gthread",
        "threads": _THREADS,
        "graceful_timeout": 5,
        "loglevel": "warning",
        "control_socket_disable": True,
    }
    _Server(make, options).run()


def authority(host: str, port: int) -> str:
    """Return host and port as they stand in an address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Server(BaseApplication):  # type: ignore[misc]  # the library has no types
    def __init__(self, make: Callable[[], WSGIApplication], options: dict[str, Any]) -> None:
        self._make, self._options = make, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        app = self._make()
        # What is loaded by now stays: looking through all of it for garbage would make a caller wait a fifth of a second.
        gc.collect()
        gc.freeze()
        return app
