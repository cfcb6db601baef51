"""A real SMTP server (aiosmtpd) that keeps what it takes and goes wrong when a test wants it to."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.message import EmailMessage
from email.policy import SMTPUTF8
from enum import StrEnum
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session, syntax
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kernel.mail import Mail, MailServer, Security

NAME, PASSWORD = "elm@mail.example", "p@ss/word"
_READY_S = 30.0


class Fault(StrEnum):
    """What the server does instead of taking the next mail."""

    REFUSES = "550 5.1.1 <somebody@example.org>: no such user"
    DEFERS = "451 4.7.1 greylisted, come back later"
    IS_CLOSING = "421 4.3.2 shutting down"
    DROPS_BEFORE_THE_END = "drops the connection in the middle of the text"
    TAKES_AND_SAYS_NOTHING = "takes the mail and drops the connection"
    TAKES_AND_TALKS_NONSENSE = "takes the mail and says nothing that is an answer"
    IS_SILENT = "does not answer"


@dataclass(frozen=True)
class Taken:
    """A mail as it arrived."""

    sender: str
    to: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        read = message_from_string(self.raw.decode(), policy=SMTPUTF8)
        assert isinstance(read, EmailMessage)
        return read


class TestingMailServer:
    """A running server. `taken` is what arrived, oldest first; faults are met once each, in order."""

    __test__ = False

    def __init__(self, address: MailServer) -> None:
        self.address = address
        self.taken: list[Taken] = []
        self.faults: list[Fault] = []
        self.connections = 0

    def message_ids(self) -> list[str]:
        return [str(one.message["Message-ID"]) for one in self.taken]

    # What aiosmtpd calls.

    async def handle_RCPT(  # noqa: N802 -- its name for the command
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self.faults[0] if self.faults else None
        if fault in {Fault.REFUSES, Fault.DEFERS, Fault.IS_CLOSING}:
            return self.faults.pop(0).value
        if fault is Fault.IS_SILENT:
            self.faults.pop(0)
            await asyncio.Event().wait()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- as above
        content = envelope.original_content
        assert content is not None
        self.taken.append(Taken(str(envelope.mail_from), list(envelope.rcpt_tos), content))
        fault = self.faults[0] if self.faults else None
        if fault is Fault.TAKES_AND_SAYS_NOTHING:
            self.faults.pop(0)
            _abort(server)
        if fault is Fault.TAKES_AND_TALKS_NONSENSE:
            return self.faults.pop(0).value
        return "250 OK"


class _Protocol(SMTP):
    """The library's server, which can also break off in the middle of a text."""

    def __init__(self, handler: TestingMailServer, **options: Any) -> None:
        super().__init__(handler, **options)
        self._keeper = handler

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._keeper.connections += self.session is None
        super().connection_made(transport)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 -- as the library calls it
        if self._keeper.faults and self._keeper.faults[0] is Fault.DROPS_BEFORE_THE_END:
            self._keeper.faults.pop(0)
            await self.push("354 go on")
            await self._reader.readline()
            _abort(self)
            return
        await super().smtp_DATA(arg)


def _abort(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


@contextlib.contextmanager
def mail_server(
    *, security: Security = Security.NONE, certificate: Path | None = None, with_log_in: bool = False
) -> Iterator[TestingMailServer]:
    """Run a server on this machine; with a `certificate` (PEM with its key) it speaks TLS as `security` says."""
    tls = None
    if certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
    options: dict[str, Any] = {"enable_SMTPUTF8": True}
    if security is Security.STARTTLS and tls is not None:
        options |= {"tls_context": tls, "require_starttls": True}
    if with_log_in:
        # The library does not notice that a connection was in TLS from its beginning.
        by_starttls = security is Security.STARTTLS
        options |= {"authenticator": _knows, "auth_required": by_starttls, "auth_require_tls": by_starttls}
    server = TestingMailServer(MailServer("localhost", 0, security))

    def make() -> SMTP:
        return _Protocol(server, hostname="mail.example", **options)

    with _serving(make, tls if security is Security.TLS else None) as port:
        log_in = {"username": NAME, "password": PASSWORD} if with_log_in else {}
        server.address = MailServer("localhost", port, security, **log_in)
        yield server


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
    is_right = isinstance(given, LoginPassword) and (given.login, given.password) == (NAME.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


@contextlib.contextmanager
def _serving(make: Callable[[], asyncio.BaseProtocol], tls: ssl.SSLContext | None) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(step: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(step, loop).result(_READY_S)

    async def start() -> asyncio.Server:
        return await loop.create_server(make, "localhost", 0, ssl=tls)

    async def stop() -> None:
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = run(start())
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        run(stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_READY_S)
        loop.close()


def make_certificate(folder: Path, *, host: str = "localhost") -> Path:
    """Write a self-signed certificate of `host` with its key, and return the file. It is its own authority."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


class KeptMails:
    """A mailer that hands everything to nobody and keeps it."""

    is_on = True

    def __init__(self) -> None:
        self.sent: list[Mail] = []

    def send(self, mail: Mail) -> None:
        self.sent.append(mail)

    def check(self) -> None:
        pass
