"""A CalDAV server that misbehaves on demand: it stands before a real one and changes what goes in and what comes out."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import requests

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host", "server", "date"}


@dataclass
class Said:
    """An answer on its way."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Asked:
    """A request on its way. Headers by their names in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Dropped(Exception):
    """The connection breaks instead of an answer."""


# Called with the request and what gets the real answer; returns what is answered, or raises Dropped.
Fault = Callable[[Asked, Callable[[Asked], Said]], Said]


class FaultyDav:
    """`url` is the upstream's address as it is reached through here; `log` the methods that were asked for."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.fault: Fault | None = None
        self.log: list[str] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.base}{self._upstream.path}"

    def run(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _forward(self, asked: Asked) -> Said:
        headers = {name: value for name, value in asked.headers.items() if name not in _HOP}
        answer = requests.request(
            asked.method,
            f"{self._upstream.scheme}://{self._upstream.netloc}{asked.path}",
            data=asked.body,
            headers=headers,
            allow_redirects=False,
            timeout=60,
        )
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        return Said(answer.status_code, kept, answer.content)

    def _answer(self, asked: Asked) -> Said:
        self.log.append(asked.method)
        return self.fault(asked, self._forward) if self.fault else self._forward(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    said = proxy._answer(Asked(self.command, self.path, headers, body))
                except Dropped:
                    self.close_connection = True
                    return
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(said.body)

            do_GET = do_PUT = do_DELETE = do_PROPFIND = do_REPORT = do_MKCALENDAR = do_POST = _any  # noqa: N815

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        return Handler


@contextlib.contextmanager
def faulty_dav(upstream: str) -> Iterator[FaultyDav]:
    """Run one before `upstream` until the block ends."""
    proxy = FaultyDav(upstream)
    thread = threading.Thread(target=proxy.run)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
