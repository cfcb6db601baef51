"""The rules of the test run itself, tried in runs of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
UNIT = "import pytest, socket\npytestmark = pytest.mark.unit\n"


@pytest.mark.parametrize(
    ("module", "ci", "exit_code", "said"),
    [
        (UNIT + "def test_a(): pytest.skip('no server')", "true", 1, "1 failed"),
        (UNIT + "pytest.skip('no server', allow_module_level=True)", "true", 2, "1 error"),
        (UNIT + "def test_a(): pytest.skip('no server')", "", 0, "1 skipped"),
        (UNIT + "@pytest.mark.xfail\ndef test_a(): assert False", "true", 0, "1 xfailed"),
        (UNIT + "def test_a(): socket.create_connection(('127.0.0.1', 9))", "", 1, "SocketBlockedError"),
        (UNIT + "def test_a(): __import__('warnings').warn('old')", "", 1, "UserWarning: old"),
        ("def test_a(): pass", "", 4, "declares no category"),
    ],
    ids=[
        "a skipped test fails in CI",
        "a skipped module fails in CI",
        "a skipped test passes elsewhere",
        "an expected failure is no skip",
        "a unit test has no sockets",
        "a warning fails",
        "a test needs a category",
    ],
)
def test_a_run_ends_as_the_rules_say(tmp_path: Path, module: str, ci: str, exit_code: int, said: str):
    (tmp_path / "test_sample.py").write_text(module + "\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.support.rules",
        "-c",
        str(ROOT / "pyproject.toml"),
        "-p",
        "no:cacheprovider",
    ]

    run = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (run.returncode, said in run.stdout + run.stderr) == (exit_code, True), run.stdout + run.stderr
