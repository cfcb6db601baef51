"""Mails handed in by SMTP (RFC 5321), over a connection whose certificate is checked.

One connection a mail: clinics send few, and one that was kept open is the one that breaks.
"""

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from email.message import EmailMessage

from kernel.mail import (
    Mail,
    MailDeferred,
    MailOutcomeUnknown,
    MailRefused,
    MailServer,
    MailServerAway,
    Security,
    as_message,
    wire_address,
)

_TIMEOUT_S = 10.0  # of one answer
_DEADLINE_S = 40.0  # of everything: a server may answer slowly for ever
_BYE = 421  # with it a server ends a connection, whatever was asked
_SHORT_STATUS = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})\b")


class _Client(smtplib.SMTP):
    """A client that knows whose certificate to expect, though it is not connected by its constructor."""

    def __init__(self, host: str, helo: str, timeout_s: float) -> None:
        super().__init__(local_hostname=helo, timeout=timeout_s)
        self._host = host


class _TlsClient(smtplib.SMTP_SSL):
    """The same where everything is in TLS."""

    def __init__(self, host: str, helo: str, timeout_s: float, tls: ssl.SSLContext) -> None:
        super().__init__(local_hostname=helo, timeout=timeout_s, context=tls)
        self._host = host


class SmtpMailer:
    """Hands mails to `server`. `helo` is the name that this machine gives itself, a domain or an address in brackets."""

    is_on = True

    def __init__(
        self,
        server: MailServer,
        *,
        helo: str = "[127.0.0.1]",
        tls: ssl.SSLContext | None = None,
        timeout_s: float = _TIMEOUT_S,
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        self._server, self._helo = server, helo
        self._tls = tls or ssl.create_default_context()
        self._timeout_s, self._deadline_s = timeout_s, deadline_s

    def send(self, mail: Mail) -> None:
        message = as_message(mail)
        with self._connected() as client:
            _hand_over(client, message, sender=wire_address(mail.sender.address), to=wire_address(mail.to.address))

    def check(self) -> None:
        with self._connected():
            return

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """Give a connection on which mails can be handed in. What fails from beginning to end is one of the port's errors."""
        client = self._client()
        watch = threading.Timer(self._deadline_s, _cut, [client])
        watch.daemon = True
        watch.start()
        try:
            client.connect(self._server.host, self._server.port)
            self._introduce(client)
            yield client
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()  # what was said before holds, however this ends
        except ssl.SSLCertVerificationError:
            raise MailServerAway("the mail server's certificate is not valid for its name") from None
        except ssl.SSLError:
            raise MailServerAway("the mail server does not speak TLS there") from None
        except (smtplib.SMTPException, OSError, UnicodeError) as failure:  # the last for a name that can't be one
            raise MailServerAway(f"the mail server can't be reached ({type(failure).__name__})") from None
        finally:
            watch.cancel()
            client.close()

    def _client(self) -> smtplib.SMTP:
        """Return a client that is not connected yet: from the first byte on it is watched."""
        if self._server.security is Security.TLS:
            return _TlsClient(self._server.host, self._helo, self._timeout_s, self._tls)
        return _Client(self._server.host, self._helo, self._timeout_s)

    def _introduce(self, client: smtplib.SMTP) -> None:
        client.ehlo_or_helo_if_needed()
        if self._server.security is Security.STARTTLS:
            if not client.has_extn("starttls"):
                raise MailServerAway("the mail server does not offer STARTTLS")
            client.starttls(context=self._tls)
            client.ehlo()
        if self._server.username is not None:
            try:
                client.login(self._server.username, self._server.password)
            except smtplib.SMTPAuthenticationError:
                raise MailServerAway("the mail server refuses the log-in") from None
            except smtplib.SMTPNotSupportedError:
                raise MailServerAway("the mail server knows no log-in") from None


def _hand_over(client: smtplib.SMTP, message: EmailMessage, *, sender: str, to: str) -> None:
    needs_utf8 = not (sender.isascii() and to.isascii())
    if needs_utf8 and not client.has_extn("smtputf8"):
        raise MailRefused(reply="5.6.7")  # RFC 6531: the address needs what this server does not know
    _demand(client.mail(sender, ["SMTPUTF8"] if needs_utf8 else []))
    _demand(client.rcpt(to))
    _demand(client.docmd("DATA"), expected=3)
    text = message.as_bytes()
    client.send(re.sub(rb"(?m)^\.", b"..", text) + b".\r\n")
    # From here on the server has all of it. One that falls silent may have passed it on before it did.
    try:
        answer = client.getreply()
    except (smtplib.SMTPException, OSError):
        raise MailOutcomeUnknown from None
    if not 200 <= answer[0] < 600:
        raise MailOutcomeUnknown  # whatever it was, it was no answer
    _demand(answer)


def _demand(answer: tuple[int, bytes], *, expected: int = 2) -> None:
    code, words = answer
    if code // 100 == expected:
        return
    status = _SHORT_STATUS.match(words)
    reply = f"{code} {status[1].decode()}" if status else str(code)
    if code == _BYE:
        raise MailServerAway(f"the mail server takes nothing now ({reply})")
    raise MailRefused(reply=reply) if code // 100 == 5 else MailDeferred(reply=reply)


def _cut(client: smtplib.SMTP) -> None:
    """End a connection from outside, so that whoever waits for an answer on it hears that there will be none."""
    if client.sock is not None:
        with contextlib.suppress(OSError):
            # Past the TLS layer, which would take itself away under the thread that reads.
            socket.socket.shutdown(client.sock, socket.SHUT_RDWR)
