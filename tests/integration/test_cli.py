"""The command line: what it prints, where, and with which exit code. Standard output is the answer and nothing else."""

import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from frontdesk.cli import main

pytestmark = pytest.mark.integration

CLINIC = """
clinic: {key: elm, name: Elm Street Clinic, timezone: America/New_York, country: US, phone: "+12125550100"}
locations: [{key: main, name: Main Street, address: "1 Main Street", hours: {mon-fri: ["08:00-18:00"]}}]
services: [{key: cleaning, name: Dental cleaning, duration: 45m}]
practitioners:
  - {key: lee, name: Dr. Mina Lee, services: [cleaning], schedules: [{location: main, hours: {mon-fri: ["09:00-17:00"]}}]}
patients: [{key: ann, name: Ann Smith, born: 1984-05-02, phone: "+12125550123"}]
"""
SCRIPT = """
clinic: elm.yaml
now: "2027-03-10T10:00:00-05:00"
channel: sms
from: "+12125550123"
"""


@dataclass(frozen=True)
class Printed:
    code: int
    out: str
    err: str


Run = Callable[..., Printed]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, with a data folder of its own."""
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "var"))

    def run_command(*words: str, typed: str = "") -> Printed:
        monkeypatch.setattr(sys, "argv", ["frontdesk", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Printed(int(ended.value.code or 0), printed.out, printed.err)

    return run_command


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clinic's file, and a data folder in whose database it is: made once, to be copied."""
    folder = tmp_path_factory.mktemp("elm")
    file = folder / "elm.yaml"
    file.write_text(CLINIC, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FRONTDESK_DATA", str(folder / "var"))
        for words in (["migrate"], ["import", str(file)]):
            patched.setattr(sys, "argv", ["frontdesk", *words])
            with pytest.raises(SystemExit) as ended:
                main()
            assert not ended.value.code
    return folder


@pytest.fixture
def elm(tmp_path: Path, prepared: Path) -> Path:
    """A database with a clinic in it; gives its file."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path / "elm.yaml"


def is_refused_in_one_line(printed: Printed) -> bool:
    return (printed.code, printed.out, len(printed.err.splitlines())) == (1, "", 1)


def test_free_times_are_json_and_nothing_else(run: Run, elm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_NOW", "2027-03-10T10:00:00-05:00")

    printed = run("slots", "--service", "cleaning", "--from", "2027-03-15", "--to", "2027-03-16", "--json")

    first = json.loads(printed.out)["slots"][0]
    assert (printed.code, printed.err) == (0, "")
    assert first == {
        "start": "2027-03-15T09:00:00-04:00",
        "end": "2027-03-15T09:45:00-04:00",
        "practitioner": "lee",
        "location": "main",
        "service": "cleaning",
    }


def test_what_the_clinic_does_not_have_is_refused(run: Run, elm: Path) -> None:
    printed = run("slots", "--service", "surgery", "--from", "2027-03-15", "--to", "2027-03-16", "--json")

    assert is_refused_in_one_line(printed)
    assert "surgery" in printed.err


def test_free_times_are_asked_for_until_the_last_day_that_there_is(
    run: Run, elm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_NOW", "2027-03-10T10:00:00-05:00")

    whole = run("slots", "--service", "cleaning", "--from", "2027-03-15", "--to", "9999-12-31")
    last = run("slots", "--service", "cleaning", "--from", "9999-12-30", "--to", "9999-12-31")

    assert (whole.code, whole.out[:16]) == (0, "2027-03-15T09:00")
    assert is_refused_in_one_line(last)


def test_an_export_imports_to_the_same(run: Run, elm: Path, tmp_path: Path) -> None:
    file = tmp_path / "exported.yaml"
    file.write_text(run("export").out, encoding="utf-8")

    printed = run("import", str(file))

    assert (printed.code, printed.out) == (0, "")
    assert "nothing to change" in printed.err


def test_a_dry_run_changes_nothing(run: Run, elm: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(CLINIC.replace("Elm Street Clinic", "Oak Street Clinic"), encoding="utf-8")

    assert "would change" in run("import", str(other), "--dry-run").err
    assert "would change" in run("import", str(other), "--dry-run").err


@pytest.mark.parametrize(
    "command",
    [
        ["import"],
        ["understand", "--json", "--clinic"],
        ["chat", "--clinic"],
        ["chat", "--json", "--script"],
    ],
)
@pytest.mark.parametrize("kind", ["absent", "a folder", "not UTF-8", "empty"])
def test_a_file_that_cannot_be_read_is_one_line(run: Run, tmp_path: Path, command: list[str], kind: str) -> None:
    file = tmp_path / "file.yaml"
    if kind == "a folder":
        file.mkdir()
    elif kind != "absent":
        file.write_bytes(b"clinic: \xff\xfe" if kind == "not UTF-8" else b"")

    printed = run(*command, str(file))

    assert is_refused_in_one_line(printed)
    assert str(file) in printed.err


@pytest.mark.parametrize("line", ["x", "[]", "{}", '{"text": "hi", "now": "2027-03-10T10:00:00", "zone": "Mars/Base"}'])
def test_a_line_that_cannot_be_understood_is_named(run: Run, line: str) -> None:
    printed = run("understand", "--json", typed=f"{line}\n")

    assert is_refused_in_one_line(printed)
    assert printed.err.startswith("line 1: ")


def test_what_is_understood_is_a_line_of_json_for_each_line(run: Run) -> None:
    line = json.dumps({"text": "a cleaning please", "now": "2027-03-10T10:00:00", "zone": "America/New_York"})

    printed = run("understand", "--json", typed=f"{line}\n\n{line}\n")

    answers = [json.loads(one) for one in printed.out.splitlines()]
    assert (printed.code, printed.err, len(answers)) == (0, "", 2)
    assert {command["name"] for command in answers[0]["commands"]} == {"start_booking", "give_service"}


def test_a_script_is_answered_with_json_and_nothing_else(run: Run, elm: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(
        SCRIPT + "turns: [{say: where are you}]\nexpect: {outcome: informed, diary: []}", encoding="utf-8"
    )

    printed = run("chat", "--script", str(script), "--json")

    answer = json.loads(printed.out)
    assert (printed.code, printed.err) == (0, "")
    assert list(answer) == ["turns", "outcome", "diary", "tasks"]
    assert "1 Main Street" in answer["turns"][0]["reply"]


def test_a_script_whose_expectation_does_not_hold_is_exit_code_1(run: Run, elm: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(SCRIPT + "turns: [{say: where are you}]\nexpect: {outcome: booked}", encoding="utf-8")

    printed = run("chat", "--script", str(script), "--json")

    assert printed.code == 1
    assert json.loads(printed.out)["outcome"] == "informed"
    assert "expected booked" in printed.err


@pytest.mark.parametrize(
    "rest",
    [
        "turns: hello",
        "turns: [hello]",
        "turns: [{shout: hello}]",
        "turns: [{wait: soon}]",
        "expect: booked",
        "expect: {diary: [booked]}",
        "expect: {diary: [{start: monday}]}",
    ],
)
def test_a_script_of_another_form_is_one_line(run: Run, elm: Path, tmp_path: Path, rest: str) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(SCRIPT + rest, encoding="utf-8")

    assert is_refused_in_one_line(run("chat", "--script", str(script), "--json"))


@pytest.mark.parametrize(
    "words",
    [
        ["chat", "--json"],
        ["chat", "--channel", "fax"],
        ["chat", "--from", "hello"],
        ["slots", "--service", "cleaning", "--from", "tomorrow", "--to", "2027-03-16"],
        ["user", "add", "ann", "--role", "king"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_exit_code_2_and_prints_no_answer(run: Run, words: list[str]) -> None:
    printed = run(*words)

    assert (printed.code, printed.out) == (2, "")
    assert "Usage:" in printed.err


@pytest.mark.parametrize("login", ["", " ", "ann smith", "ann\x00", "a" * 101])
def test_a_login_is_one_word(run: Run, elm: Path, login: str) -> None:
    assert is_refused_in_one_line(run("user", "add", login))


def test_a_password_is_all_that_is_printed_of_a_new_account(run: Run, elm: Path) -> None:
    printed = run("user", "add", "ann")

    assert (printed.code, printed.err, len(printed.out.split())) == (0, "", 1)
    assert is_refused_in_one_line(run("user", "add", "ann"))
    assert is_refused_in_one_line(run("user", "reset", "nobody"))
    assert run("user", "reset", "ann", "--second-factor").code == 0


def test_an_account_of_a_practitioner_says_whose_patients_it_sees(run: Run, elm: Path) -> None:
    assert run("user", "add", "lee", "--role", "practitioner", "--practitioner", "lee").err == ""
    assert "no patients" in run("user", "add", "nobody", "--role", "practitioner").err
    assert is_refused_in_one_line(run("user", "add", "dan", "--role", "practitioner", "--practitioner", "moon"))
    assert is_refused_in_one_line(run("user", "add", "dan", "--practitioner", "lee"))


@pytest.mark.parametrize(
    ("name", "value"), [("FRONTDESK_UNKNOWN", "1"), ("PORT", "http"), ("FRONTDESK_NOW", "2027-03-10")]
)
def test_a_bad_setting_is_one_line_that_names_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    printed = run("doctor")

    assert is_refused_in_one_line(printed)
    assert name in printed.err


def test_a_database_without_tables_or_clinic_says_what_to_run(run: Run) -> None:
    without_tables = run("export")
    run("migrate")
    without_clinic = run("export")

    assert is_refused_in_one_line(without_tables)
    assert "frontdesk migrate" in without_tables.err
    assert is_refused_in_one_line(without_clinic)
    assert "frontdesk import" in without_clinic.err


def test_a_worker_without_redis_says_so_in_one_line(run: Run, elm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")

    printed = run("worker")

    assert (printed.code, printed.err.count("\n")) == (1, 1)
    assert "Redis cannot be reached" in printed.err


def test_a_cal_com_account_is_linked_and_what_to_enter_there_is_printed(run: Run, elm: Path) -> None:
    words = (
        "calendar",
        "link-calcom",
        "lee",
        "https://api.cal.com/v2/event-types/7",
        "--email",
        "visits@clinic.example",
    )

    first, again = (run(*words, "--key", "cal_live_1") for _ in range(2))

    assert (first.code, first.err) == (0, "")
    address, secret = (line.partition(": ")[2] for line in first.out.splitlines())
    assert "/calcom/" in address
    assert len(secret) == 64
    assert again.out == first.out
