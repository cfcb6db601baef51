"""The web process that `frontdesk serve` runs."""

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from frontdesk.wsgi import make_app
from kernel.config import Settings

_THREADS = 64


def serve_web(settings: Settings) -> None:
    """Answer on the settings' host and port until SIGTERM."""
    _Server(
        {
            "bind": f"{settings.host}:{settings.port}",
            "worker_class": "gthread",
            "threads": _THREADS,
            "graceful_timeout": 5,
            "loglevel": "warning",
            "control_socket_disable": True,
        }
    ).run()


class _Server(BaseApplication):  # type: ignore[misc]  # the library has no types
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return make_app()
