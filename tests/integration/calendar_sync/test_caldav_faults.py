"""What CalDAV servers are known to do, and what becomes of it: nothing of anybody is lost or written over unseen."""

import base64
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from calendar_sync.adapters import guarded_http
from calendar_sync.adapters.access_tokens import TokenSource
from calendar_sync.adapters.caldav_store import CaldavStore
from calendar_sync.entry import CalendarEntry
from calendar_sync.grants import OAuthGrant
from calendar_sync.ports import AccessRefused, ChangedMeanwhile, LinkAccess
from kernel.errors import Unavailable
from kernel.interval import Interval
from kernel.outbound import PUBLIC_ONLY, allowing
from tests.support.calendar_servers import Calendar, CalendarServer
from tests.support.dav_faults import Asked, Dropped, Fault, FaultyDav, Said, faulty_dav

pytestmark = pytest.mark.integration

Forward = Callable[[Asked], Said]

AT = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
DAY = Interval(AT - timedelta(hours=13), AT + timedelta(hours=11))
VISIT = CalendarEntry(
    "visit@frontdesk", 0, AT, AT + timedelta(minutes=45), "Cleaning", "Main Street", is_confirmed=True
)
LATER = replace(VISIT, sequence=1, starts_at=AT + timedelta(hours=1), ends_at=AT + timedelta(hours=2))


@pytest.fixture
def calendar(radicale: CalendarServer) -> Calendar:
    return radicale.fresh_calendar()


@pytest.fixture
def server(calendar: Calendar) -> Iterator[FaultyDav]:
    with faulty_dav(calendar.url) as proxy:
        yield proxy


@pytest.fixture
def store(server: FaultyDav, calendar: Calendar) -> CaldavStore:
    return CaldavStore(LinkAccess("link", server.url, calendar.username, calendar.password))


def put(store: CaldavStore, entry: CalendarEntry = VISIT, *, version: str | None = None) -> tuple[str, str]:
    written = store.put(
        href=store.href_of(name=entry.uid.partition("@")[0]), entry=entry, stamped_at=AT, version=version
    )
    return written.href, written.version


def answering(said: Said, *, methods: str = "", where: Callable[[Asked], bool] = lambda _asked: True) -> Fault:
    def fault(asked: Asked, forward: Forward) -> Said:
        return said if asked.method in methods.split() and where(asked) else forward(asked)

    return fault


def changing(change: Callable[[Said], Said]) -> Fault:
    return lambda asked, forward: change(forward(asked))


def without(said: Said, *names: str) -> Said:
    return replace(said, headers={name: value for name, value in said.headers.items() if name.lower() not in names})


def weak(said: Said) -> Said:
    said.body = said.body.replace(b'<getetag>"', b'<getetag>W/"').replace(b'<D:getetag>"', b'<D:getetag>W/"')
    return replace(said, headers={name: f"W/{v}" if name == "ETag" else v for name, v in said.headers.items()})


def without_conditions(asked: Asked, forward: Forward) -> Said:
    kept = {name: value for name, value in asked.headers.items() if name not in {"if-none-match", "if-match"}}
    return forward(replace(asked, headers=kept))


@pytest.mark.parametrize("change", [lambda said: without(said, "etag"), weak], ids=["none", "weak"])
def test_without_strong_etags_events_are_written_read_and_protected_all_the_same(
    server: FaultyDav, store: CaldavStore, change: Callable[[Said], Said]
) -> None:
    def fault(asked: Asked, forward: Forward) -> Said:
        return change(without_conditions(asked, forward))

    server.fault = fault
    href, first = put(store)
    _, second = put(store, LATER, version=first)

    with pytest.raises(ChangedMeanwhile):
        put(store, VISIT, version=first)
    with pytest.raises(ChangedMeanwhile):
        store.delete(href=href, version=first)
    found = store.get(href=href)
    assert found is not None
    assert (found.version, found.entry) == (second, LATER)
    store.delete(href=href, version=second)
    store.delete(href=href, version=second)
    assert store.get(href=href) is None


def test_a_server_that_does_not_know_conditions_does_not_write_over_what_is_there(
    server: FaultyDav, store: CaldavStore
) -> None:
    href, version = put(store)
    server.fault = without_conditions

    with pytest.raises(ChangedMeanwhile):
        put(store, LATER)

    found = store.get(href=href)
    assert found is not None
    assert found.version == version


@pytest.mark.parametrize("status", [403, 409])
def test_a_uid_that_is_there_under_another_name_is_no_refused_access(
    server: FaultyDav, store: CaldavStore, status: int
) -> None:
    body = b'<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:no-uid-conflict/></D:error>'
    server.fault = answering(Said(status, {"Content-Type": "application/xml"}, body), methods="PUT")

    with pytest.raises(ChangedMeanwhile):
        put(store)


def test_a_calendar_that_is_gone_takes_nothing_and_is_not_there(server: FaultyDav, store: CaldavStore) -> None:
    server.fault = lambda asked, _forward: Said(409 if asked.method == "PUT" else 404)

    with pytest.raises(AccessRefused) as put_refused:
        put(store)
    with pytest.raises(AccessRefused) as read_refused:
        store.changes(token=None, known={}, within=DAY)

    assert (put_refused.value.code, read_refused.value.code) == ("not-there", "not-there")


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        (Said(429, {"Retry-After": "120"}), timedelta(minutes=2)),
        (Said(429), timedelta(seconds=30)),
        (Said(503, {"Retry-After": "90000"}), timedelta(hours=1)),
        (Said(503), timedelta(seconds=5)),
        (Said(500), timedelta(seconds=5)),
        (Said(502), timedelta(seconds=5)),
        (Said(423), timedelta(seconds=5)),
        (Said(200, {"Content-Type": "text/html"}, b"<html><body>Please log in</body></html>"), timedelta(seconds=5)),
    ],
    ids=["429", "429 without a time", "503 far away", "503", "500", "502", "locked", "a page"],
)
def test_a_server_in_trouble_is_asked_again_later(
    server: FaultyDav, store: CaldavStore, said: Said, wait: timedelta
) -> None:
    server.fault = lambda _asked, _forward: said

    for request in (
        lambda: store.get(href=store.href_of(name="visit")),
        lambda: store.changes(token=None, known={}, within=DAY),
    ):
        with pytest.raises(Unavailable) as unavailable:
            request()
        assert unavailable.value.retry_after == wait


def test_an_answer_that_was_lost_after_the_write_is_found_to_have_been_written(
    server: FaultyDav, store: CaldavStore
) -> None:
    def fault(asked: Asked, forward: Forward) -> Said:
        said = forward(asked)
        if asked.method == "PUT":
            raise Dropped
        return said

    server.fault = fault
    with pytest.raises(Unavailable):
        put(store)
    server.fault = None

    with pytest.raises(ChangedMeanwhile):
        put(store)
    found = store.get(href=store.href_of(name="visit"))
    assert found is not None
    assert found.entry == VISIT


def test_a_server_that_says_nothing_is_not_waited_for(
    server: FaultyDav, store: CaldavStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_http, "_READ_S", 0.2)
    is_over = threading.Event()

    def fault(_asked: Asked, _forward: Forward) -> Said:
        is_over.wait(timeout=60)
        raise Dropped

    server.fault = fault
    with pytest.raises(Unavailable):
        store.get(href=store.href_of(name="visit"))
    is_over.set()


@pytest.mark.parametrize(("status", "code"), [(401, "log-in-refused"), (403, "no-rights")])
def test_who_may_not_is_told_why(server: FaultyDav, store: CaldavStore, status: int, code: str) -> None:
    server.fault = lambda _asked, _forward: Said(status)

    with pytest.raises(AccessRefused) as refused:
        store.changes(token=None, known={}, within=DAY)

    assert refused.value.code == code


@pytest.mark.parametrize("status", [400, 403, 409, 412, 500, 507])
def test_a_token_refused_in_whatever_way_means_that_all_is_listed(
    server: FaultyDav, store: CaldavStore, status: int
) -> None:
    href, version = put(store)
    token = store.changes(token=None, known={}, within=DAY).token
    put(store, replace(VISIT, uid="other@frontdesk"))
    assert token is not None
    old = token.removeprefix("sync:").encode()
    server.fault = answering(Said(status), methods="REPORT", where=lambda asked: old in asked.body)

    news = store.changes(token=token, known={href: version, "/gone.ics": "1"}, within=DAY)

    assert [one.uid for one in news.events] == ["other@frontdesk"]
    assert news.gone == {"/gone.ics"}
    assert news.present == frozenset({href, store.href_of(name="other")})


@pytest.mark.parametrize("status", [400, 403, 405, 501])
def test_without_sync_tokens_one_request_says_that_nothing_changed(
    server: FaultyDav, store: CaldavStore, status: int
) -> None:
    href, version = put(store)
    no_sync = answering(Said(status), methods="REPORT", where=lambda asked: b"sync-collection" in asked.body)
    server.fault = no_sync
    first = store.changes(token=None, known={}, within=DAY)
    server.log.clear()

    same = store.changes(token=first.token, known={href: version}, within=DAY)
    asked_for_nothing = list(server.log)
    put(store, LATER, version=version)
    changed = store.changes(token=first.token, known={href: version}, within=DAY)

    assert [one.uid for one in first.events] == ["visit@frontdesk"]
    assert (same.events, same.gone, same.present, asked_for_nothing) == ((), frozenset(), None, ["PROPFIND"])
    assert [one.entry for one in changed.events] == [LATER]
    assert changed.present == frozenset({href})


def test_without_tokens_of_any_kind_all_is_listed_each_time(server: FaultyDav, store: CaldavStore) -> None:
    href, version = put(store)

    def fault(asked: Asked, forward: Forward) -> Said:
        if b"sync-collection" in asked.body:
            return Said(501)
        said = forward(asked)
        return replace(said, body=said.body.replace(b"getctag", b"other"))

    server.fault = fault
    seen = store.changes(token=None, known={href: version}, within=DAY)

    assert (seen.token, seen.events, seen.present) == (None, (), frozenset({href}))


def test_changes_in_several_parts_are_put_together(server: FaultyDav, store: CaldavStore) -> None:
    hrefs = [put(store, replace(VISIT, uid=f"visit-{number}@frontdesk"))[0] for number in range(3)]
    parts = iter(hrefs)

    def part_of(href: str, token: str, *, is_last: bool) -> bytes:
        rest = "" if is_last else "<D:response><D:href>/</D:href><D:status>HTTP/1.1 507 No</D:status></D:response>"
        return (
            f'<D:multistatus xmlns:D="DAV:"><D:response><D:href>{href}</D:href><D:propstat><D:prop><D:getetag>"{token}"'
            f"</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>{rest}"
            f"<D:sync-token>{token}</D:sync-token></D:multistatus>"
        ).encode()

    def fault(asked: Asked, forward: Forward) -> Said:
        if b"sync-collection" not in asked.body:
            return forward(asked)
        href = next(parts)
        body = part_of(href, f"t{hrefs.index(href)}", is_last=href == hrefs[-1])
        return Said(207, {"Content-Type": "text/xml"}, body)

    server.fault = fault
    seen = store.changes(token=None, known={}, within=DAY)

    assert (seen.present, seen.token) == (frozenset(hrefs), "sync:t2")
    assert {one.href for one in seen.events} == set(hrefs)


def test_a_server_that_never_comes_on_with_its_changes_is_left(server: FaultyDav, store: CaldavStore) -> None:
    cut_off = (
        b'<D:multistatus xmlns:D="DAV:"><D:response><D:href>/</D:href><D:status>HTTP/1.1 507 No</D:status></D:response>'
        b"<D:sync-token>always the same</D:sync-token></D:multistatus>"
    )
    server.fault = lambda _asked, _forward: Said(207, {}, cut_off)

    with pytest.raises(Unavailable):
        store.changes(token=None, known={}, within=DAY)

    assert server.log == ["REPORT", "REPORT"]


def test_objects_too_large_to_be_read_together_are_read_one_by_one(server: FaultyDav, store: CaldavStore) -> None:
    hrefs = {put(store, replace(VISIT, uid=f"visit-{number}@frontdesk"))[0] for number in range(2)}
    server.fault = answering(
        Said(207, {}, b" " * 33_000_000), methods="REPORT", where=lambda asked: b"calendar-multiget" in asked.body
    )

    seen = store.changes(token=None, known={}, within=DAY)

    assert {one.href for one in seen.events} == hrefs


def test_what_an_answer_leaves_out_is_asked_for_by_itself(server: FaultyDav, store: CaldavStore) -> None:
    hrefs = {put(store, replace(VISIT, uid=f"visit-{number}@frontdesk"))[0] for number in range(3)}
    empty = b'<D:multistatus xmlns:D="DAV:"/>'
    server.fault = answering(
        Said(207, {}, empty), methods="REPORT", where=lambda asked: b"calendar-multiget" in asked.body
    )

    seen = store.changes(token=None, known={}, within=DAY)

    assert {one.href for one in seen.events} == hrefs


def test_a_listing_with_a_member_in_trouble_is_no_shorter_listing(server: FaultyDav, store: CaldavStore) -> None:
    put(store)
    server.fault = changing(lambda said: replace(said, body=said.body.replace(b"200 OK", b"500 Internal Server Error")))

    with pytest.raises(Unavailable):
        store.changes(token=None, known={}, within=DAY)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<not xml",
        b"<html/>",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><D:multistatus xmlns:D="DAV:"><D:response>&x;</D:response>',
    ],
)
def test_an_answer_that_cannot_be_read_is_no_empty_calendar(server: FaultyDav, store: CaldavStore, body: bytes) -> None:
    server.fault = lambda _asked, _forward: Said(207, {"Content-Type": "application/xml"}, body)

    with pytest.raises(Unavailable):
        store.changes(token=None, known={}, within=DAY)


def test_an_object_without_end_is_told_and_not_read(server: FaultyDav, store: CaldavStore) -> None:
    href, _ = put(store)
    picture = b"ATTACH:" + b"A" * 5_000_000
    server.fault = changing(lambda said: replace(said, body=said.body + picture))

    found = store.get(href=href, within=DAY)

    assert found is not None
    assert (found.entry, found.faults) == (None, ("too-large",))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_server_that_sends_on_within_itself_is_followed(server: FaultyDav, store: CaldavStore, status: int) -> None:
    def fault(asked: Asked, forward: Forward) -> Said:
        if asked.path.startswith("/moved"):
            return forward(replace(asked, path=asked.path.removeprefix("/moved")))
        return Said(status, {"Location": f"/moved{asked.path}"})

    server.fault = fault
    href, version = put(store)

    assert store.changes(token=None, known={href: version}, within=DAY).present == frozenset({href})


def test_a_log_in_is_not_shown_to_another_host(server: FaultyDav, store: CaldavStore) -> None:
    seen: list[Mapping[str, str]] = []

    def elsewhere(asked: Asked, _forward: Forward) -> Said:
        seen.append(asked.headers)
        return Said(200)

    with faulty_dav("http://127.0.0.1:1/") as other:
        other.fault = elsewhere
        server.fault = lambda _asked, _forward: Said(302, {"Location": other.url.replace("127.0.0.1", "localhost")})

        with pytest.raises(AccessRefused) as refused:
            store.get(href=store.href_of(name="visit"))

    assert (refused.value.code, seen) == ("moved", [])


def test_a_server_that_sends_in_circles_is_left(server: FaultyDav, store: CaldavStore) -> None:
    server.fault = lambda asked, _forward: Said(302, {"Location": asked.path})

    with pytest.raises(Unavailable):
        store.get(href=store.href_of(name="visit"))


def test_an_internal_address_is_not_even_asked(server: FaultyDav, calendar: Calendar) -> None:
    access = LinkAccess("link", server.url, calendar.username, calendar.password)
    store = CaldavStore(access, outbound=PUBLIC_ONLY)

    with pytest.raises(AccessRefused) as refused:
        store.get(href=store.href_of(name="visit"))

    assert (refused.value.code, server.log) == ("address-internal", [])


def test_a_name_that_leads_elsewhere_once_it_was_checked_gets_no_request(server: FaultyDav, calendar: Calendar) -> None:
    # The name is checked and leads where it may; the connection then goes to this machine.
    outbound = replace(allowing(["10.1.2.3"]), resolve=lambda _host, _port: ["10.1.2.3"])
    url = server.url.replace("127.0.0.1", "localhost")
    store = CaldavStore(LinkAccess("link", url, calendar.username, calendar.password), outbound=outbound)

    with pytest.raises(AccessRefused) as refused:
        store.get(href=store.href_of(name="visit"))

    assert (refused.value.code, server.log) == ("address-internal", [])


def test_a_server_that_wants_digest_gets_it(server: FaultyDav, store: CaldavStore) -> None:
    seen: list[str] = []

    def fault(asked: Asked, forward: Forward) -> Said:
        seen.append(asked.headers.get("authorization", "")[:6])
        if not seen[-1].startswith("Digest"):
            return Said(401, {"WWW-Authenticate": 'Digest realm="d", nonce="n", qop="auth", algorithm=MD5'})
        return Said(404)

    server.fault = fault

    assert store.get(href=store.href_of(name="visit")) is None
    assert seen[0] == "Basic "
    assert seen[-1] == "Digest"


class Provider:
    """Gives out access tokens, and knows which one is good."""

    def __init__(self) -> None:
        self.given = 0
        self.refuses = False
        self.good = ""

    def answer(self, asked: Asked, _forward: Forward) -> Said:
        form = parse_qs(asked.body.decode())
        if self.refuses or form["refresh_token"] != ["refresh"] or form["grant_type"] != ["refresh_token"]:
            return Said(400, {}, b'{"error": "invalid_grant"}')
        self.given += 1
        self.good = f"access-{self.given}"
        return Said(200, {}, json.dumps({"access_token": self.good, "expires_in": 3600}).encode())


def test_access_by_oauth_is_renewed_and_ends_when_its_owner_takes_it_back(
    server: FaultyDav, calendar: Calendar
) -> None:
    provider, login = Provider(), base64.b64encode(f"{calendar.username}:{calendar.password}".encode()).decode()

    def fault(asked: Asked, forward: Forward) -> Said:
        if asked.headers.get("authorization") != f"Bearer {provider.good}":
            return Said(401, {"WWW-Authenticate": "Bearer"})
        return forward(replace(asked, headers={**asked.headers, "authorization": f"Basic {login}"}))

    server.fault = fault
    with faulty_dav("http://127.0.0.1:1/token") as tokens:
        tokens.fault = provider.answer
        secret = OAuthGrant("refresh", "client", "client-secret", tokens.url).as_secret()
        access = LinkAccess("link", server.url, "", secret, auth="oauth")
        store = CaldavStore(access, tokens=TokenSource())
        put(store)
        store.changes(token=None, known={}, within=DAY)
        given_first = provider.given
        provider.good = "nobody has it"
        store.get(href=store.href_of(name="visit"))
        given_then = provider.given
        provider.refuses, provider.good = True, "nobody has it"

        with pytest.raises(AccessRefused) as refused:
            store.get(href=store.href_of(name="visit"))

    assert (given_first, given_then, refused.value.code) == (1, 2, "grant-refused")


def test_nothing_that_is_said_reaches_the_log(
    server: FaultyDav, store: CaldavStore, calendar: Calendar, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    put(store)
    store.changes(token=None, known={}, within=DAY)
    server.fault = lambda _asked, _forward: Said(207, {"Content-Type": "application/xml"}, b"<Cleaning")
    with pytest.raises(Unavailable):
        store.changes(token=None, known={}, within=DAY)

    login = base64.b64encode(f"{calendar.username}:{calendar.password}".encode()).decode()
    assert [word for word in ("Cleaning", calendar.password, login) if word in caplog.text] == []
