"""Keys from the command line: printed once, listed without themselves, revoked."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from frontdesk.api.keys import find_key
from frontdesk.cli import cli
from frontdesk.schema import migrate
from kernel.errors import Refused
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET

pytestmark = pytest.mark.integration


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'frontdesk.db'}", secret=SECRET)
    migrate(opened.engine)
    yield opened
    opened.dispose()


@pytest.fixture
def run(database: Database, tmp_path: Path) -> Callable[..., Result]:
    with database.begin() as work:
        store_catalogue(work, elm_catalogue())
    environment = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'frontdesk.db'}",
        "FRONTDESK_DATA": str(tmp_path / "data"),
        "FRONTDESK_SECRET_KEY": SECRET,
    }
    return lambda *words: CliRunner().invoke(cli, ["api-key", *words], env=environment)


def test_a_key_is_printed_once_and_works_until_it_is_revoked(database: Database, run: Callable[..., Result]) -> None:
    key = run("add", "shop", "--scope", "slots:read", "--clinic", "elm").stdout.strip()
    listed = run("list", "--json").stdout
    with database.read() as session:
        found = find_key(session, presented=key)
    revoked = run("revoke", "shop")
    with database.read() as session:
        gone = find_key(session, presented=key)

    assert found is not None
    assert (found.clinic_id, found.name, found.scopes) == ("clinic-elm", "shop", {"slots:read"})
    assert key not in listed
    assert [one["name"] for one in json.loads(listed)["keys"]] == ["shop"]
    assert (revoked.exit_code, gone) == (0, None)


def test_what_can_t_be_is_refused(run: Callable[..., Result]) -> None:
    run("add", "shop", "--scope", "slots:read")
    again, unknown = run("add", "shop", "--scope", "slots:read"), run("revoke", "other")

    assert isinstance(again.exception, Refused)
    assert isinstance(unknown.exception, Refused)
    assert run("add", "odd", "--scope", "everything").exit_code == 2
    assert run("add", "odd").exit_code == 2
