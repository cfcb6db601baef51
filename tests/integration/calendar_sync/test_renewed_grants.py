"""A provider that gives another refresh token with each use: none is lost, and none is used twice."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import pytest
from sqlalchemy import text

from calendar_sync.adapters.access_tokens import TokenSource
from calendar_sync.grants import OAUTH, OAuthGrant, StoredGrants, read_grant
from calendar_sync.links import link_calendar
from calendar_sync.model import CalendarLink
from calendar_sync.ports import AccessRefused, LinkAccess
from kernel.outbound import ANYWHERE
from kernel.turn_lock import InProcessTurnLock
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.dav_faults import Asked, FaultyDav, Said, faulty_dav
from tests.support.visits import NOW

pytestmark = pytest.mark.integration

Forward = Callable[[Asked], Said]


class Provider:
    """Knows one refresh token at a time. Whoever shows an older one loses the grant, as with providers that suspect theft."""

    def __init__(self) -> None:
        self.good, self.given, self.is_lost = "refresh-0", 0, False
        self._lock = threading.Lock()

    def answer(self, asked: Asked, _forward: Forward) -> Said:
        with self._lock:
            if self.is_lost or parse_qs(asked.body.decode())["refresh_token"] != [self.good]:
                self.is_lost = True
                return Said(400, {}, b'{"error": "invalid_grant"}')
            self.given += 1
            self.good = f"refresh-{self.given}"
            said = {"access_token": f"access-{self.given}", "expires_in": 3600, "refresh_token": self.good}
            return Said(200, {}, json.dumps(said).encode())


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def server(provider: Provider) -> Iterator[FaultyDav]:
    with faulty_dav("http://127.0.0.1:1/token") as tokens:
        tokens.fault = provider.answer
        yield tokens


@pytest.fixture
def links(database: Database, server: FaultyDav) -> list[LinkAccess]:
    """Two calendars with the same grant."""
    secret = OAuthGrant("refresh-0", "client", "client-secret", server.url).as_secret()
    catalogue = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
        made = [
            link_calendar(
                work, clinic_id=catalogue.clinic_id, practitioner_id="practitioner-lee", url=f"https://cal.test/{name}/",
                username="", password=secret, auth=OAUTH, now=NOW,
            )
            for name in ("a", "b")
        ]  # fmt: skip
    return [LinkAccess(link_id, "https://cal.test/", "", secret, auth=OAUTH) for link_id in made]


def stored(database: Database, link_id: str) -> OAuthGrant:
    with database.read() as session:
        return read_grant(session.get_one(CalendarLink, link_id).password)


def test_a_new_refresh_token_is_stored_encrypted_for_every_calendar_of_the_grant(
    database: Database, links: list[LinkAccess], server: FaultyDav
) -> None:
    TokenSource(StoredGrants(database)).token(links[0], ANYWHERE)

    assert [stored(database, one.link_id).refresh_token for one in links] == ["refresh-1", "refresh-1"]
    with database.read() as session:
        rows = session.execute(text("SELECT password FROM calendar_link")).scalars().all()
    assert [row for row in rows if "refresh-1" in row] == []


def test_workers_that_need_a_token_at_the_same_moment_use_each_refresh_token_once(
    database: Database, links: list[LinkAccess], provider: Provider
) -> None:
    lock = InProcessTurnLock()
    workers = [TokenSource(StoredGrants(database), lock) for _ in range(4)]
    together = threading.Barrier(8)

    def ask(worker: TokenSource, access: LinkAccess) -> str:
        together.wait(30)
        return worker.token(access, ANYWHERE)

    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(ask, workers * 2, [links[0]] * 4 + [links[1]] * 4))

    assert (provider.is_lost, provider.given, len(set(tokens))) == (False, 4, 4)
    assert stored(database, links[0].link_id).refresh_token == provider.good


def test_a_process_keeps_its_access_token_though_another_renewed_the_grant(
    database: Database, links: list[LinkAccess], provider: Provider
) -> None:
    first, second = TokenSource(StoredGrants(database)), TokenSource(StoredGrants(database))
    token = first.token(links[0], ANYWHERE)
    second.token(links[0], ANYWHERE)

    later = LinkAccess(links[0].link_id, links[0].url, "", stored(database, links[0].link_id).as_secret(), auth=OAUTH)

    assert first.token(later, ANYWHERE) == token
    assert provider.given == 2


def test_who_lost_the_race_takes_what_the_other_was_given(
    database: Database, links: list[LinkAccess], provider: Provider, server: FaultyDav
) -> None:
    # As without the lock: the token was read, and is used up before it is sent.
    def other_is_faster(asked: Asked, forward: Forward) -> Said:
        server.fault = provider.answer
        TokenSource(StoredGrants(database)).token(links[1], ANYWHERE)
        return Said(400, {}, b'{"error": "invalid_grant"}')

    server.fault = other_is_faster

    assert TokenSource(StoredGrants(database)).token(links[0], ANYWHERE) == "access-2"


def test_a_grant_that_its_owner_took_back_is_told_from_a_wrong_password(
    database: Database, links: list[LinkAccess], provider: Provider
) -> None:
    provider.is_lost = True

    with pytest.raises(AccessRefused) as refused:
        TokenSource(StoredGrants(database)).token(links[0], ANYWHERE)

    assert refused.value.code == "grant-refused"
