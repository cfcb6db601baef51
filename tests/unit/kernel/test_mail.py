"""A mail is written down the same each time, and nothing that somebody typed becomes a header of it."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTPUTF8

import pytest

from kernel.errors import Malformed
from kernel.mail import CalendarPart, Mail, Mailbox, MailOff, MailServerAway, as_message, read_address, wire_address

pytestmark = pytest.mark.unit

ICS = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Visita en Clínica Olmo\r\nEND:VCALENDAR\r\n"
MAIL = Mail(
    id="0123abcd",
    written_at=datetime(2027, 3, 10, 15, 0, tzinfo=UTC),
    sender=Mailbox("desk@elm.example", "Elm Street Clinic"),
    to=Mailbox("ann@example.org", "Ann Smith"),
    subject="Appointment",
    text="Tuesday at nine.\n.\nA line with a point alone.\n",
    calendar=CalendarPart("REQUEST", ICS),
)


def read_back(mail: Mail):
    return message_from_bytes(as_message(mail).as_bytes(), policy=SMTPUTF8)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ann@example.org", "ann@example.org"),
        ("  Ann.O'Neil+visits@Example.ORG ", "Ann.O'Neil+visits@example.org"),
        ("josé@correo.example", "josé@correo.example"),
        ("desk@straße.example", "desk@straße.example"),
        ("a@b.co", "a@b.co"),
    ],
)
def test_an_address_is_kept_tidy(text: str, kept: str) -> None:
    assert read_address(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "ann@",
        "@example.org",
        "ann@localhost",
        "ann smith@example.org",
        "ann@exam ple.org",
        "ann..smith@example.org",
        ".ann@example.org",
        "ann@example..org",
        "ann@-example.org",
        "ann@exa_mple.org",
        "ann@example.org\nBcc: eve@example.org",
        "ann@example.org>,<eve@example.org",
        "ann,eve@example.org",
        "a@b@example.org",
        "x" * 65 + "@example.org",
        "x@" + "a." * 130 + "org",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_address(text)


def test_a_domain_beyond_ascii_travels_in_its_ascii_form() -> None:
    assert wire_address("desk@straße.example") == "desk@xn--strae-oqa.example"


def test_a_mail_is_the_same_bytes_however_often_it_is_written() -> None:
    assert as_message(MAIL).as_bytes() == as_message(MAIL).as_bytes()


def test_an_invitation_has_the_form_that_calendar_programs_look_for() -> None:
    message = read_back(MAIL)

    [alternatives, file] = message.iter_parts()
    [words, invitation] = alternatives.iter_parts()
    assert message.get_content_type() == "multipart/mixed"
    assert alternatives.get_content_type() == "multipart/alternative"
    assert words.get_content_type() == "text/plain"
    assert dict(invitation["Content-Type"].params) == {"charset": "utf-8", "method": "REQUEST"}
    assert invitation.get_content_type() == "text/calendar"
    assert invitation.get_payload(decode=True) == ICS.encode()
    assert (file.get_filename(), file.get_payload(decode=True)) == ("invite.ics", ICS.encode())


def test_everything_travels_in_ascii_and_in_lines_that_every_server_takes() -> None:
    raw = as_message(replace(MAIL, subject="Cita en la Clínica Olmo " + "ñ" * 200)).as_bytes()

    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_a_mail_without_an_invitation_is_plain_words() -> None:
    message = read_back(replace(MAIL, calendar=None))

    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == MAIL.text


@pytest.mark.parametrize(
    "typed", ["Elm\r\nBcc: eve@example.org", "Elm\nBcc: eve@example.org", "Elm\x00\x0b\x85\u2028Clinic"]
)
def test_what_somebody_typed_never_becomes_a_header(typed: str) -> None:
    mail = replace(MAIL, subject=typed, sender=Mailbox("desk@elm.example", typed), to=Mailbox("a@b.example", typed))

    message = read_back(mail)

    assert message["Bcc"] is None
    assert sorted(message.keys()) == sorted(read_back(MAIL).keys())
    assert [len(message.get_all(name)) for name in ("From", "To", "Subject")] == [1, 1, 1]
    assert message["From"].addresses[0].addr_spec == "desk@elm.example"


@pytest.mark.parametrize(
    "name", ['Smith, Ann "Annie"', "Ana Núñez", "李小龍", "Ann <eve@example.org>", "a=?utf-8?q?b?=", ""]
)
def test_a_name_arrives_as_it_was_written(name: str) -> None:
    [to] = read_back(replace(MAIL, to=Mailbox("ann@example.org", name)))["To"].addresses

    assert (to.display_name, to.addr_spec) == (name, "ann@example.org")


def test_an_address_with_letters_beyond_ascii_is_written_as_such() -> None:
    raw = as_message(replace(MAIL, to=Mailbox("josé@correo.example", "José"))).as_bytes()

    assert "josé@correo.example".encode() in raw


def test_without_a_mail_server_nothing_is_sent_and_that_is_said() -> None:
    assert not MailOff().is_on
    with pytest.raises(MailServerAway):
        MailOff().send(MAIL)
