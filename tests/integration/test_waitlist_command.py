"""The waiting list on the command line."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from frontdesk.cli import main
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET
from tests.support.visits import NOW
from tests.support.waiting_list import NINE, WaitingList

pytestmark = pytest.mark.integration

Run = Callable[..., str]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'waiting.db'}"


@pytest.fixture
def run(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, and return what it prints."""
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("FRONTDESK_SECRET_KEY", SECRET)
    monkeypatch.setenv("FRONTDESK_NOW", NOW.isoformat())

    def run_command(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["frontdesk", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert not ended.value.code, printed.err
        return printed.out

    return run_command


@pytest.fixture
def waiting(run: Run, url: str) -> Iterator[WaitingList]:
    run("migrate")
    database, catalogue = Database(url, secret=SECRET), elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
    yield WaitingList(database, catalogue)
    database.dispose()


def test_who_waits_is_listed_with_what_they_were_offered(run: Run, waiting: WaitingList) -> None:
    waiting.join(waiting.patient("Ann Smith"), practitioner_ids=("practitioner-carter",))
    [offer_id] = waiting.offer()

    [entry] = json.loads(run("waitlist", "--json"))["entries"]

    assert (entry["patient"], entry["service"], entry["practitioners"]) == ("Ann Smith", "skin-check", ["carter"])
    assert entry["spans"] == [["2027-03-17T09:00:00-04:00", "2027-03-17T09:15:00-04:00"]]
    assert entry["offers"] == [
        {
            "id": offer_id,
            "status": "open",
            "until": "2027-03-10T10:30:00-05:00",
            "start": "2027-03-17T09:00:00-04:00",
            "practitioner": "carter",
            "location": "riverside",
        }
    ]
    assert offer_id in run("waitlist")


def test_an_answer_given_by_telephone_is_written_down(run: Run, waiting: WaitingList) -> None:
    waiting.join(waiting.patient("Ann Smith"))
    waiting.join(waiting.patient("Bob Jones"))
    [to_first] = waiting.offer()
    # They came at the same moment, so that it may be either who is first.
    [first] = [one["patient"] for one in json.loads(run("waitlist", "--json"))["entries"] if one["offers"]]
    run("waitlist", "decline", to_first)
    [to_second] = waiting.offer()

    assert "2027-03-17T09:00:00-04:00  carter  riverside" in run("waitlist", "accept", to_second)
    [entry] = json.loads(run("waitlist", "--json"))["entries"]
    assert (entry["patient"], [one["status"] for one in entry["offers"]]) == (first, ["declined"])


def test_a_visit_that_is_to_be_moved_is_named(run: Run, waiting: WaitingList) -> None:
    having = waiting.taken()
    waiting.join(str(having.patient_id), replaces_id=having.id, spans=())

    [entry] = json.loads(run("waitlist", "--json"))["entries"]

    assert entry["instead_of"]["start"] == NINE.astimezone(waiting.catalogue.zone).isoformat()
