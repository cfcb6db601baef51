"""Calendars on the command line: how they are, looked at now, put right. On a real server."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from booking.values import BookedVisit
from calendar_sync.links import link_calendar
from frontdesk.cli import main
from kernel.work import Database
from tests.support.calendar_scene import MONDAY_9
from tests.support.calendar_servers import Calendar, CalendarServer
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process; return its exit code and what it prints."""
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'calendars.db'}")
    monkeypatch.setenv("FRONTDESK_SECRET_KEY", SECRET)
    monkeypatch.setenv("FRONTDESK_NOW", NOW.isoformat())

    def run_command(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["frontdesk", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().out

    return run_command


@pytest.fixture
def calendar(radicale: CalendarServer) -> Calendar:
    return radicale.fresh_calendar()


@pytest.fixture
def visit(run: Run, calendar: Calendar, tmp_path: Path) -> Iterator[BookedVisit]:
    """A visit of somebody whose calendar is linked and does not show it yet."""
    run("migrate")
    database, catalogue = Database(f"sqlite:///{tmp_path / 'calendars.db'}", secret=SECRET), elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
        link_calendar(
            work,
            clinic_id=catalogue.clinic_id,
            practitioner_id="practitioner-lee",
            url=calendar.url,
            username=calendar.username,
            password=calendar.password,
            now=NOW,
        )
    yield book(database, catalogue, practitioner="lee", starts_at=MONDAY_9)
    database.dispose()


def links(printed: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(printed)["links"]
    return found


def test_what_differs_is_named_until_a_look_brings_it_together(
    run: Run, calendar: Calendar, visit: BookedVisit
) -> None:
    code, before = run("sync", "status", "--json")
    ran, after = run("sync", "run", "--json")

    assert (code, ran) == (0, 0)
    [known], [done] = links(before), links(after)
    assert (known["practitioner"], known["state"], known["read_age_s"]) == ("lee", "stale", None)
    assert [(one["difference"], one["appointment"]) for one in known["differences"]] == [("missing", visit.id)]
    assert (done["state"], done["read_age_s"], done["drift"]) == ("ok", 0, 0)
    assert [(one["action"], one["appointment"]) for one in done["history"]][-1] == ("create", visit.id)
    assert len(calendar.objects()) == 1


def test_a_repair_reads_all_and_puts_right_what_was_deleted(run: Run, calendar: Calendar, visit: BookedVisit) -> None:
    run("sync", "run")
    calendar.delete_all()
    [link] = links(run("sync", "status", "--json")[1])

    code, printed = run("sync", "repair", "--link", link["id"])

    assert code == 0
    assert link["id"] in printed
    assert len(calendar.objects()) == 1


def test_a_link_that_is_not_there_is_refused(run: Run, visit: BookedVisit) -> None:
    code, printed = run("sync", "run", "--link", "nothing")

    assert (code, printed) == (1, "")


def test_the_doctor_tells_of_calendars(run: Run, visit: BookedVisit) -> None:
    run("sync", "run")

    _, printed = run("doctor", "--json")

    found = json.loads(printed)["checks"]["calendars"]
    assert found == {"ok": True, "text": "1 linked, 0 failed, 0 stale, differences: 0"}
