"""What an operator installs: the wheel."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
PACKAGES = {"frontdesk", "jobs", "voice", "sms", "dialog", "calendar_sync", "booking", "kernel"}


def test_the_wheel_holds_every_file_of_the_eight_packages_and_nothing_else(tmp_path: Path):
    committed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    source = tmp_path / "source"
    for name in filter(None, committed):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())

    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            str(tmp_path),
            str(source),
        ],
        check=True,
        capture_output=True,
        text=True,
    )

    [wheel] = tmp_path.glob("*.whl")
    installed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert installed == {
        name for name in committed if name.split("/")[0] in PACKAGES and "/" in name and (ROOT / name).is_file()
    }
