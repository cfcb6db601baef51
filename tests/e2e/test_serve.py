"""The one command that runs everything: from an empty folder, again, in the way of others, and to its end."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.support.processes import free_port, stop
from tests.support.waiting import eventually

# Several processes start one after the other, on a machine that may be busy.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

FRONTDESK = [sys.executable, "-m", "frontdesk", "serve"]


def environment(folder: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FRONTDESK_", "TWILIO_"))}
    return {**kept, "FRONTDESK_DATA": str(folder / "var"), "PORT": str(port)}


@contextmanager
def serving(folder: Path, port: int) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """Run `frontdesk serve` until it says that it runs; gives the process and the file of what it said."""
    said = folder / f"said-{port}.txt"
    with said.open("wb") as output:
        process = subprocess.Popen(
            FRONTDESK, env=environment(folder, port), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        eventually(
            lambda: "is running" in said.read_text() or process.poll() is not None, deadline_s=60, what="serve running"
        )
        assert process.poll() is None, said.read_text()
        yield process, said
    finally:
        stop(process)


def test_from_an_empty_folder_to_a_product_that_is_ready_and_gone_again(tmp_path: Path) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with serving(tmp_path, port) as (process, said):
        eventually(lambda: requests.get(f"{base}/readyz", timeout=5).status_code == 200, deadline_s=60)
        first = said.read_text()
        calendar = re.search(r"Calendars +(\S+)/\.web/ +user (\S+), password (\S+)", first)
        assert calendar, first
        assert re.search(r"Log in as +admin, password \S+", first)
        # The demo's appointments arrive in the demo's calendars.
        url, user, password = calendar.groups()
        eventually(
            lambda: (
                ".ics"
                in requests.request(
                    "PROPFIND", f"{url}/{user}/okafor/", headers={"Depth": "1"}, auth=(user, password), timeout=5
                ).text
            ),
            deadline_s=30,
            what="an appointment in the calendar",
        )

        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=60) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{base}/healthz", timeout=2)

    # A second start finds everything, and tells no password again.
    with serving(tmp_path, port) as (process, said):
        eventually(lambda: requests.get(f"{base}/readyz", timeout=5).status_code == 200, deadline_s=60)
        again = said.read_text()
        other = subprocess.run(
            FRONTDESK, env=environment(tmp_path, free_port()), capture_output=True, text=True, timeout=60, check=False
        )
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        taken = subprocess.run(
            FRONTDESK, env=environment(elsewhere, port), capture_output=True, text=True, timeout=60, check=False
        )

    assert "Log in as" not in again
    assert (other.returncode, len(other.stderr.splitlines())) == (1, 1)
    assert "stop it first" in other.stderr
    assert (taken.returncode, len(taken.stderr.splitlines())) == (1, 1)
    assert f"Port {port}" in taken.stderr
