"""What we and other programs see of each other on real CalDAV servers."""

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests
from caldav.davclient import DAVClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from calendar_sync.adapters.caldav_store import CaldavStore
from calendar_sync.entry import CalendarEntry
from calendar_sync.ports import AccessRefused, LinkAccess
from kernel.errors import Unavailable
from kernel.interval import Interval
from tests.support.calendar_servers import Calendar, CalendarServer
from tests.support.processes import free_port

pytestmark = pytest.mark.integration

ALBANY = ZoneInfo("America/New_York")
VISIT = CalendarEntry(
    uid="visit@frontdesk",
    sequence=0,
    starts_at=dt.datetime(2027, 3, 12, 14, 0, tzinfo=dt.UTC),
    ends_at=dt.datetime(2027, 3, 12, 14, 45, tzinfo=dt.UTC),
    summary="Dental cleaning",
    location="Main Street, 1 Main Street, Albany; second floor",
    is_confirmed=True,
)
WITHIN = Interval(dt.datetime(2027, 3, 8, tzinfo=dt.UTC), dt.datetime(2027, 4, 5, tzinfo=dt.UTC))


def test_a_wrong_password_is_refused_access(radicale: CalendarServer) -> None:
    calendar = radicale.fresh_calendar()
    store = CaldavStore(LinkAccess("link", calendar.url, calendar.username, "not the password"))

    with pytest.raises(AccessRefused):
        store.get(href=store.href_of(name="visit"))


def test_a_server_that_is_down_is_unavailable() -> None:
    store = CaldavStore(LinkAccess("link", f"http://127.0.0.1:{free_port()}/clinic/diary/", "clinic", "secret"))

    with pytest.raises(Unavailable):
        store.get(href=store.href_of(name="visit"))


def test_a_collection_is_made_once(radicale: CalendarServer) -> None:
    url = f"{radicale.url}/{radicale.username}/made-by-us/"
    store = CaldavStore(LinkAccess("link", url, radicale.username, radicale.password))

    store.make_collection(title="Dr. Lee & <team>")
    store.make_collection(title="Dr. Lee & <team>")

    assert store.get(href=store.href_of(name="visit")) is None


def test_another_client_shows_a_visit_rightly_before_and_after_a_move_across_the_clock_change(
    remote_calendar: Calendar,
) -> None:
    store = CaldavStore(LinkAccess("link", remote_calendar.url, remote_calendar.username, remote_calendar.password))
    href = store.href_of(name="visit")
    written = store.put(href=href, entry=VISIT, stamped_at=VISIT.starts_at, version=None)
    before = shown_elsewhere(remote_calendar)
    by = dt.timedelta(days=3, hours=-1)
    moved = replace(VISIT, sequence=1, starts_at=VISIT.starts_at + by, ends_at=VISIT.ends_at + by)
    store.put(href=href, entry=moved, stamped_at=VISIT.starts_at, version=written.version)

    after = shown_elsewhere(remote_calendar)

    said = ("Dental cleaning", "Main Street, 1 Main Street, Albany; second floor")
    assert before == [(*said, "2027-03-12 09:00 EST", "2027-03-12 09:45 EST")]
    assert after == [(*said, "2027-03-15 09:00 EDT", "2027-03-15 09:45 EDT")]


def shown_elsewhere(calendar: Calendar) -> list[tuple[str, str, str, str]]:
    """Return what a person in Albany sees in a client of another make: title, place, beginning and end."""
    with DAVClient(calendar.url, username=calendar.username, password=calendar.password, timeout=60) as client:
        shown = client.calendar(url=calendar.url).get_events()  # type: ignore[no-untyped-call]  # the library's
        events = [one.icalendar_component for one in shown]
    clock = [[f"{at.astimezone(ALBANY):%Y-%m-%d %H:%M %Z}" for at in (one.start, one.end)] for one in events]
    return [(str(one["SUMMARY"]), str(one["LOCATION"]), *at) for one, at in zip(events, clock, strict=True)]  # type: ignore[misc]


def test_what_others_put_there_takes_its_time(remote_calendar: Calendar) -> None:
    texts = {
        "series": "DTSTART;TZID=America/New_York:20270311T090000\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;COUNT=2\r\n",
        "day": "DTSTART;VALUE=DATE:20270320\r\nDTEND;VALUE=DATE:20270321\r\n",
        "free": "DTSTART:20270322T090000Z\r\nDTEND:20270322T100000Z\r\nTRANSP:TRANSPARENT\r\n",
    }
    for name, when in texts.items():
        text = (
            f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Somebody//EN\r\nBEGIN:VEVENT\r\nUID:{name}@else\r\n"
            f"DTSTAMP:20270301T000000Z\r\n{when}SUMMARY:Private\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
        login = (remote_calendar.username, remote_calendar.password)
        kind = {"Content-Type": "text/calendar"}
        requests.put(
            f"{remote_calendar.url}{name}.ics", data=text, headers=kind, auth=login, timeout=60
        ).raise_for_status()
    access = LinkAccess("link", remote_calendar.url, remote_calendar.username, remote_calendar.password, zone=ALBANY)

    seen = CaldavStore(access).changes(token=None, known={}, within=WITHIN)

    assert {one.uid: [f"{span.start:%d %H:%M}" for span in one.busy] for one in seen.events} == {
        "series@else": ["11 14:00", "18 13:00"],
        "day@else": ["20 04:00"],
        "free@else": [],
    }
    assert [one.faults for one in seen.events] == [(), (), ()]


def test_a_member_is_the_same_however_the_server_writes_its_address(remote_calendar: Calendar) -> None:
    store = CaldavStore(LinkAccess("link", remote_calendar.url, remote_calendar.username, remote_calendar.password))
    written = [
        store.put(
            href=store.href_of(name=name), entry=replace(VISIT, uid=name), stamped_at=VISIT.starts_at, version=None
        )
        for name in ("visit@frontdesk", "visit%40elsewhere", "visit%20of~ours")
    ]
    known = {one.href: one.version for one in written}

    seen = store.changes(token=None, known=known, within=WITHIN)
    for one in written:
        store.delete(href=one.href, version=one.version)
    then = store.changes(token=seen.token, known=known, within=WITHIN)

    assert (seen.events, seen.gone, seen.present) == ((), frozenset(), frozenset(known))
    assert (then.events, then.gone) == ((), frozenset(known))


def test_a_certificate_that_nobody_vouches_for_is_told(tmp_path: Path) -> None:
    with server_with_its_own_certificate(tmp_path) as url:
        store = CaldavStore(LinkAccess("link", url, "clinic", "secret"))

        with pytest.raises(AccessRefused) as refused:
            store.get(href=store.href_of(name="visit"))

    assert refused.value.code == "certificate"


@contextmanager
def server_with_its_own_certificate(folder: Path) -> Iterator[str]:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2090, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"https://localhost:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
