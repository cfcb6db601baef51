"""A proxy that lets a request through and keeps its answer: the moment in which the sender may die without knowing."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

_CHUNK = 65536


class WithholdingProxy:
    """Forwards to an HTTP server. While `withholds` it keeps the answers to `method`; `withheld` says how many it kept."""

    def __init__(self, upstream_url: str, *, method: str) -> None:
        parts = urlsplit(upstream_url)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._path = parts.path
        self._kept = f"{method} ".encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopping = threading.Event()
        self.withholds = False
        self.withheld = 0

    @property
    def url(self) -> str:
        """The upstream's address as it is reached through here."""
        return f"http://{self._here.decode()}{self._path}"

    @property
    def _here(self) -> bytes:
        return f"127.0.0.1:{self._listener.getsockname()[1]}".encode()

    def serve(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        # Closing alone does not wake a thread that waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _forward(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._upstream) as server, contextlib.suppress(OSError):
            request = client.recv(_CHUNK)
            # The server is to see its own name: some compare it with what they are described to be.
            server.sendall(request.replace(self._here, f"{self._upstream[0]}:{self._upstream[1]}".encode(), 1))
            threading.Thread(target=_copy, args=(client, server), daemon=True).start()
            answer = server.recv(_CHUNK)
            if request.startswith(self._kept) and self.withholds:
                self.withheld += 1
                self._stopping.wait()
                return
            client.sendall(answer)
            _copy(server, client)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def withholding_proxy(upstream_url: str, *, method: str) -> Iterator[WithholdingProxy]:
    """Run a proxy until the block ends."""
    proxy = WithholdingProxy(upstream_url, method=method)
    thread = threading.Thread(target=proxy.serve)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
