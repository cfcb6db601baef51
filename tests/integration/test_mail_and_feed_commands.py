"""The command line about mails and feeds: what is missing for invitations, and the address that is shown once."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from frontdesk.cli import main
from tests.support.mail_server import mail_server

pytestmark = pytest.mark.integration

CLINIC = """
clinic: {key: elm, name: Elm Street Clinic, timezone: America/New_York, country: US, email: desk@elm.example}
locations: [{key: main, name: Main Street, address: "1 Main Street", hours: {mon-fri: ["08:00-18:00"]}}]
practitioners: [{key: lee, name: Dr. Mina Lee, schedules: [{location: main, hours: {mon-fri: ["09:00-17:00"]}}]}]
"""
WITH_MAILS = CLINIC + "calendars: {invitations: true}\nmessages: {mail: also}\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process on a database of its own; gives exit code, standard output and standard error."""
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "var"))
    # Nothing listens there: what is asked of Redis fails at once instead of starting a server.
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")

    def run_command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["frontdesk", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    assert run_command("migrate")[0] == 0
    return run_command


def bring(run: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "elm.yaml"
    file.write_text(text, encoding="utf-8")
    assert run("import", str(file))[0] == 0


def mail_check(run: Run) -> tuple[bool, str]:
    found = json.loads(run("doctor", "--json")[1])["checks"]["mail"]
    return found["ok"], found["text"]


def test_the_doctor_says_whether_the_mails_that_are_wanted_can_be_sent(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(run, tmp_path, CLINIC)
    not_wanted = mail_check(run)
    bring(run, tmp_path, WITH_MAILS)
    wanted = mail_check(run)
    monkeypatch.setenv("FRONTDESK_SMTP_URL", "smtp://localhost:1?tls=off")
    unreachable = mail_check(run)
    with mail_server() as server:
        monkeypatch.setenv("FRONTDESK_SMTP_URL", f"smtp://localhost:{server.address.port}?tls=off")
        works = mail_check(run)

    assert not_wanted == (True, "off; FRONTDESK_SMTP_URL turns it on")
    assert wanted == (
        False,
        "off, though invitations and mails beside texts are wanted; FRONTDESK_SMTP_URL turns it on",
    )
    assert (unreachable[0], unreachable[1][:34]) == (False, "the mail server can't be reached (")
    assert works == (True, "the mail server answers")


def test_the_address_of_a_feed_is_shown_once_and_can_be_taken_back(run: Run, tmp_path: Path) -> None:
    bring(run, tmp_path, CLINIC)

    first, second = run("calendar", "feed", "lee"), run("calendar", "feed", "lee")
    revoked, again = run("calendar", "feed", "lee", "--revoke"), run("calendar", "feed", "lee", "--revoke")
    unknown = run("calendar", "feed", "nobody")

    assert first[1].startswith("http://127.0.0.1:8000/feeds/")
    assert (first[0], first[1].count("\n"), first[2]) == (0, 1, "")
    assert first[1] != second[1]
    assert (revoked[0], revoked[1]) == (0, "")
    assert again == (1, "", "lee has no feed\n")
    assert (unknown[0], unknown[2].count("\n")) == (1, 1)
