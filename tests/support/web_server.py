"""A web application behind a real server, in a thread of the test's own process."""

import contextlib
import threading
from collections.abc import Iterator
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.serving import make_server


@contextlib.contextmanager
def serving(app: WSGIApplication, *, port: int = 0) -> Iterator[str]:
    """Answer at the address that is given until the block ends; `port` 0 is a free one."""
    server = make_server("127.0.0.1", port, _closing(app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _closing(app: WSGIApplication) -> WSGIApplication:
    """Close every answer: where a browser goes away in the middle of one, this server forgets to, and a file stays open."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        body = app(environ, start_response)
        try:
            yield from body
        finally:
            if hasattr(body, "close"):
                body.close()

    return answer
