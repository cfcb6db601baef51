"""Staff type what they know of their calendar; what is found is what they may choose from."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from calendar_sync.adapters.access_tokens import TokenSource
from calendar_sync.adapters.caldav_discovery import find_calendars
from calendar_sync.discovery import FoundCalendar
from calendar_sync.ports import AccessRefused, LinkAccess
from kernel.errors import Unavailable
from kernel.outbound import ANYWHERE, PUBLIC_ONLY, Outbound
from tests.support.calendar_servers import Calendar, CalendarServer
from tests.support.dav_faults import Asked, FaultyDav, Said, faulty_dav
from tests.support.processes import free_port

pytestmark = pytest.mark.integration

Forward = Callable[[Asked], Said]


def find(
    url: str, calendar: Calendar, *, password: str = "", outbound: Outbound = ANYWHERE
) -> tuple[FoundCalendar, ...]:
    access = LinkAccess("", url, calendar.username, password or calendar.password)
    return find_calendars(access, outbound=outbound, tokens=TokenSource())


@pytest.fixture(params=["radicale", "xandikos"])
def calendar(request: pytest.FixtureRequest) -> Calendar:
    server: CalendarServer = request.getfixturevalue(request.param)
    return server.fresh_calendar()


@pytest.fixture
def server(radicale: CalendarServer) -> Iterator[FaultyDav]:
    with faulty_dav(f"{radicale.url}/") as proxy:
        yield proxy


def root_of(calendar: Calendar) -> str:
    return "/".join(calendar.url.split("/", 3)[:3])


@pytest.mark.parametrize("path", ["", "/", "/nothing/here/"])
def test_from_the_servers_name_all_calendars_of_the_log_in_are_found(calendar: Calendar, path: str) -> None:
    found = {one.url: one for one in find(f"{root_of(calendar)}{path}", calendar)}

    mine = found[calendar.url]
    assert mine.name == calendar.url.rstrip("/").rpartition("/")[2]
    assert (mine.can_read, mine.can_write) == (True, True)


def test_from_the_address_of_a_calendar_it_is_found_too(calendar: Calendar) -> None:
    assert calendar.url in {one.url for one in find(calendar.url, calendar)}


@pytest.mark.parametrize(("kind", "is_found"), [("VEVENT", True), ("VTODO", False)])
def test_a_server_that_names_no_owner_has_the_calendar_at_its_address_only(
    radicale: CalendarServer, server: FaultyDav, kind: str, is_found: bool
) -> None:
    body = (
        '<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:response><D:href>/team/</D:href>'
        "<D:propstat><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
        f'<C:supported-calendar-component-set><C:comp name="{kind}"/></C:supported-calendar-component-set></D:prop>'
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"
    )
    server.fault = lambda _asked, _forward: Said(207, {}, body.encode())

    if is_found:
        assert [one.name for one in find(f"{server.base}/team/", radicale.fresh_calendar())] == ["team"]
    else:
        with pytest.raises(AccessRefused):
            find(f"{server.base}/team/", radicale.fresh_calendar())


def test_a_wrong_password_is_told(radicale: CalendarServer) -> None:
    with pytest.raises(AccessRefused) as refused:
        find(radicale.url, radicale.fresh_calendar(), password="wrong")

    assert refused.value.code == "log-in-refused"


def test_what_is_no_calendar_server_is_told(radicale: CalendarServer, server: FaultyDav) -> None:
    server.fault = lambda _asked, _forward: Said(200, {"Content-Type": "text/html"}, b"<html>Welcome</html>")

    with pytest.raises(AccessRefused) as refused:
        find(server.url, radicale.fresh_calendar())

    assert refused.value.code == "not-a-calendar"


def test_a_server_that_is_down_may_be_up_later(radicale: CalendarServer) -> None:
    with pytest.raises(Unavailable):
        find(f"http://127.0.0.1:{free_port()}/", radicale.fresh_calendar())


def test_an_internal_address_is_refused(radicale: CalendarServer, server: FaultyDav) -> None:
    with pytest.raises(AccessRefused) as refused:
        find(server.url, radicale.fresh_calendar(), outbound=PUBLIC_ONLY)

    assert (refused.value.code, server.log) == ("address-internal", [])


def test_a_well_known_address_leads_on_and_other_collections_are_left_out(
    radicale: CalendarServer, server: FaultyDav
) -> None:
    listing = b"""<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
      <D:response><D:href>/cal/tasks</D:href><D:propstat><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype>
        <C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set></D:prop>
        <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
      <D:response><D:href>/cal/shared%20one</D:href><D:propstat><D:prop><D:displayname>Shared &amp; more</D:displayname>
        <D:resourcetype><D:collection/><C:calendar/></D:resourcetype>
        <D:current-user-privilege-set><D:privilege><D:read/></D:privilege></D:current-user-privilege-set></D:prop>
        <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
      <D:response><D:href>/cal/contacts/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop>
        <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"""
    one = '<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:response><D:href>/x/</D:href><D:propstat>'
    end = "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"
    who = f"{one}<D:prop><D:current-user-principal><D:href>/lee/</D:href></D:current-user-principal></D:prop>{end}"
    home = (
        f"{one}<D:prop><C:calendar-home-set><D:href>/cal/</D:href></C:calendar-home-set><C:calendar-user-address-set>"
        f"<D:href>mailto:Lee@clinic.example</D:href><D:href>/lee/</D:href></C:calendar-user-address-set></D:prop>{end}"
    )
    answers = {"/dav/": who.encode(), "/lee/": home.encode(), "/cal/": listing}

    def fault(asked: Asked, _forward: Forward) -> Said:
        if asked.path == "/.well-known/caldav":
            return Said(301, {"Location": "/dav/"})
        return Said(207, {}, answers[asked.path]) if asked.path in answers else Said(404)

    server.fault = fault
    found = find(server.base, replace(radicale.fresh_calendar(), url=server.base))

    assert found == (
        FoundCalendar(
            url=f"{server.base}/cal/shared%20one/",
            name="Shared & more",
            can_read=True,
            can_write=False,
            owner_addresses=("lee@clinic.example",),
        ),
    )
