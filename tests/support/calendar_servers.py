"""Two real CalDAV servers, because they differ exactly where clients break: Radicale and Xandikos."""

import contextlib
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.support.processes import free_port, running

_NEW_CALENDAR = """<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
  <D:set><D:prop><D:displayname>{name}</D:displayname></D:prop></D:set>
</C:mkcalendar>"""


@dataclass(frozen=True)
class Calendar:
    """A calendar collection and who may write it."""

    url: str
    username: str
    password: str = field(repr=False)

    def objects(self) -> dict[str, str]:
        """Return the iCalendar text of every member by its address, read without any client library."""
        auth = (self.username, self.password)
        listing = requests.request("PROPFIND", self.url, headers={"Depth": "1"}, auth=auth, timeout=60)
        listing.raise_for_status()
        names = {part.split("<")[0] for part in listing.text.split("href>")[1:] if part.split("<")[0].endswith(".ics")}
        base = self.url.split("/", 3)
        found = {}
        for name in sorted(names):
            address = name if name.startswith("http") else f"{base[0]}//{base[2]}{name}"
            answer = requests.get(address, auth=auth, timeout=60)
            answer.raise_for_status()
            found[address] = answer.text
        return found

    def delete_all(self) -> None:
        """Remove every member, as its owner."""
        for address in self.objects():
            requests.delete(address, auth=(self.username, self.password), timeout=60).raise_for_status()


class CalendarServer:
    """A running CalDAV server with one user."""

    def __init__(self, *, url: str, home: str, username: str, password: str) -> None:
        self.url = url
        self.username = username
        self.password = password
        self._home = home
        self._numbers = itertools.count(1)

    def fresh_calendar(self) -> Calendar:
        """Make an empty calendar for the user."""
        name = f"diary-{next(self._numbers)}"
        url = f"{self.url}{self._home}{name}/"
        answer = requests.request(
            "MKCALENDAR",
            url,
            data=_NEW_CALENDAR.format(name=name),
            headers={"Content-Type": "application/xml"},
            auth=(self.username, self.password),
            timeout=60,
        )
        if answer.status_code != 201:
            raise AssertionError(f"MKCALENDAR {url}: {answer.status_code} {answer.text}")
        return Calendar(url=url, username=self.username, password=self.password)


@contextlib.contextmanager
def radicale_server(folder: Path) -> Iterator[CalendarServer]:
    """Run Radicale with its data in `folder`; it asks for the password."""
    port, username, password = free_port(), "clinic", "not-a-secret"
    (folder / "users").write_text(f"{username}:{password}\n")
    (folder / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {folder / 'users'}\nhtpasswd_encryption = plain\ndelay = 0\n"
        f"[storage]\nfilesystem_folder = {folder / 'collections'}\n"
        "[rights]\ntype = owner_only\n"
    )
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "radicale", "-C", str(folder / "config")]
    with running(command, log=folder / "log", is_ready=lambda: requests.get(f"{url}/.web/", timeout=2).status_code):
        yield CalendarServer(url=url, home=f"/{username}/", username=username, password=password)


@contextlib.contextmanager
def xandikos_server(folder: Path) -> Iterator[CalendarServer]:
    """Run Xandikos with its data in `folder`; over plain HTTP it takes any login."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["-d", str(folder / "data"), "--defaults", "--current-user-principal", "/clinic/", "-l", "127.0.0.1"]
    command = [sys.executable, "-m", "xandikos", "serve", *options, "-p", str(port)]
    with running(command, log=folder / "log", is_ready=lambda: requests.get(f"{url}/clinic/", timeout=2).ok):
        yield CalendarServer(url=url, home="/clinic/calendars/", username="clinic", password="not-asked-for")
