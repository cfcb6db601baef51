"""What a mailer keeps, shown with a real SMTP server that goes wrong in every way servers do."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kernel.adapters.smtp_mailer import SmtpMailer
from kernel.mail import (
    CalendarPart,
    Mail,
    Mailbox,
    MailDeferred,
    MailOutcomeUnknown,
    MailRefused,
    MailServer,
    MailServerAway,
    Security,
    as_message,
)
from tests.support.mail_server import Fault, TestingMailServer, mail_server, make_certificate

pytestmark = pytest.mark.contract

MAIL = Mail(
    id="0123abcd",
    written_at=datetime(2027, 3, 10, 15, 0, tzinfo=UTC),
    sender=Mailbox("desk@elm.example", "Elm Street Clinic"),
    to=Mailbox("ann@example.org", "Ann Smith"),
    subject="Cita en la Clínica Olmo",
    text="Tuesday at nine.\n.\n..\nLines with points alone.\n",
    calendar=CalendarPart("REQUEST", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
)


@pytest.fixture
def server() -> Iterator[TestingMailServer]:
    with mail_server() as running:
        yield running


def mailer_of(server: TestingMailServer, certificate: Path | None = None) -> SmtpMailer:
    tls = None if certificate is None else ssl.create_default_context(cafile=str(certificate))
    return SmtpMailer(server.address, tls=tls)


def test_a_mail_arrives_byte_for_byte(server: TestingMailServer) -> None:
    mailer_of(server).send(MAIL)

    [taken] = server.taken
    assert (taken.sender, taken.to) == ("desk@elm.example", ["ann@example.org"])
    assert taken.raw == as_message(MAIL).as_bytes()
    assert taken.message["Message-ID"] == "<0123abcd@elm.example>"


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_mail_goes_by_tls_after_a_log_in(security: Security, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with mail_server(security=security, certificate=certificate, with_log_in=True) as server:
        mailer_of(server, certificate).check()
        mailer_of(server, certificate).send(MAIL)

        assert len(server.taken) == 1


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
@pytest.mark.parametrize("host", ["localhost", "mail.elsewhere.example"])
def test_a_server_whose_certificate_is_not_right_hears_nothing(security: Security, host: str, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, host=host)
    trusted = certificate if host != "localhost" else None  # once an unknown authority, once another's name
    with mail_server(security=security, certificate=certificate, with_log_in=True) as server:
        with pytest.raises(MailServerAway, match="certificate"):
            mailer_of(server, trusted).send(MAIL)

        assert server.taken == []


def test_a_server_without_starttls_hears_nothing(server: TestingMailServer) -> None:
    server.address = replace(server.address, security=Security.STARTTLS)

    with pytest.raises(MailServerAway, match="STARTTLS"):
        mailer_of(server).send(MAIL)

    assert server.taken == []


def test_tls_to_a_server_that_knows_none_is_trouble_with_the_server(server: TestingMailServer) -> None:
    server.address = replace(server.address, security=Security.TLS)

    with pytest.raises(MailServerAway, match="TLS"):
        mailer_of(server).send(MAIL)


def test_a_wrong_password_is_trouble_with_the_server_not_with_the_mail(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with mail_server(security=Security.TLS, certificate=certificate, with_log_in=True) as server:
        server.address = replace(server.address, password="wrong")

        with pytest.raises(MailServerAway, match="log-in"):
            mailer_of(server, certificate).send(MAIL)


def test_a_refusal_for_good_tells_the_code_and_not_the_words(server: TestingMailServer) -> None:
    server.faults = [Fault.REFUSES]

    with pytest.raises(MailRefused) as refused:
        mailer_of(server).send(MAIL)

    assert refused.value.reply == "550 5.1.1"
    assert "somebody" not in str(refused.value)


def test_a_mail_that_is_put_off_is_taken_later(server: TestingMailServer) -> None:
    server.faults = [Fault.DEFERS]

    with pytest.raises(MailDeferred) as deferred:
        mailer_of(server).send(MAIL)
    mailer_of(server).send(MAIL)

    assert deferred.value.reply == "451 4.7.1"
    assert len(server.taken) == 1


def test_a_server_that_is_closing_has_taken_nothing(server: TestingMailServer) -> None:
    server.faults = [Fault.IS_CLOSING]

    with pytest.raises(MailServerAway):
        mailer_of(server).send(MAIL)


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [(Fault.DROPS_BEFORE_THE_END, 1), (Fault.TAKES_AND_SAYS_NOTHING, 2), (Fault.TAKES_AND_TALKS_NONSENSE, 2)],
)
def test_a_server_that_breaks_off_may_have_taken_the_mail_and_a_repeat_is_recognisable(
    server: TestingMailServer, fault: Fault, arrived: int
) -> None:
    server.faults = [fault]

    with pytest.raises(MailOutcomeUnknown):
        mailer_of(server).send(MAIL)
    mailer_of(server).send(MAIL)

    assert [one.raw for one in server.taken] == [as_message(MAIL).as_bytes()] * arrived


def test_a_server_that_answers_too_late_is_left(server: TestingMailServer) -> None:
    server.faults = [Fault.IS_SILENT, Fault.IS_SILENT]

    with pytest.raises(MailServerAway):
        SmtpMailer(server.address, timeout_s=0.3).send(MAIL)
    with pytest.raises(MailServerAway):  # also one that would let us wait for each answer
        SmtpMailer(server.address, deadline_s=0.3).send(MAIL)


def test_nobody_there_is_trouble_with_the_server() -> None:
    with pytest.raises(MailServerAway, match="reached"):
        SmtpMailer(MailServer("localhost", 1, Security.NONE)).check()
    with pytest.raises(MailServerAway, match="reached"):
        SmtpMailer(MailServer("mail..example", 25, Security.NONE)).check()


def test_addresses_beyond_ascii_arrive_in_the_form_that_servers_know(server: TestingMailServer) -> None:
    mail = replace(MAIL, to=Mailbox("josé@straße.example", "José Núñez"))

    mailer_of(server).send(mail)

    [taken] = server.taken
    [to] = taken.message["To"].addresses
    assert taken.to == ["josé@xn--strae-oqa.example"]
    assert (to.display_name, to.username) == ("José Núñez", "josé")
