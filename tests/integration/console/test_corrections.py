"""From a conversation that went wrong to a case, and what today's agent makes of it.

On PostgreSQL; tests/browser goes the same way on SQLite.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from redis import Redis
from ruamel.yaml import YAML
from sqlalchemy import func, inspect, select, text
from structlog.testing import capture_logs

from booking.clinic_file import import_clinic, parse
from booking.model.clinic import Clinic, Closure, Location
from booking.model.snapshot import ClinicSnapshot
from dialog.inbound import StaffTurn
from dialog.model import Conversation, Turn
from frontdesk.app import create_app
from frontdesk.bootstrap import Services, build_in_process
from frontdesk.case_commands import add_case_commands
from frontdesk.patient_line import CallLine, TextLine
from frontdesk.scenario import run_script
from frontdesk.users import Role
from kernel import log
from kernel.clock import FixedClock
from kernel.work import Database
from tests.integration.console.conftest import a_user, log_in, seal_of
from tests.support.databases import SECRET
from tests.support.webhooks import ACCOUNT

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
CLINIC = (Path(__file__).parents[2] / "scenarios/clinics/elm.yaml").read_text()
ANN, CLINIC_NUMBER = "+12125550123", "+12125550100"


@dataclass
class Place:
    """A clinic that can be called and texted, and its console."""

    services: Services
    clock: FixedClock
    db: Database

    def __post_init__(self) -> None:
        self.app = create_app(self.services)

    def texting(self, number: str = ANN) -> TextLine:
        return TextLine(self.services, self.app, caller=number, clinic_number=CLINIC_NUMBER)

    def calling(self, number: str = ANN) -> CallLine:
        return CallLine(self.services, self.app, caller=number, clinic_number=CLINIC_NUMBER)

    def says(self, *words: str, number: str = ANN) -> str:
        """Text one thing after another, a minute apart, and return the conversation's id."""
        line = self.texting(number)
        for each in words:
            line.say(each)
            self.clock.advance(timedelta(minutes=1))
        return self.latest()

    def latest(self) -> str:
        with self.db.read() as session:
            return session.scalars(select(Conversation.id).order_by(Conversation.last_turn_at.desc())).first() or ""

    def logged_in(self, login: str = "desk") -> FlaskClient:
        client = self.app.test_client()
        assert log_in(client, login=login).status_code == 302
        return client

    def dump(self) -> dict[str, list[str]]:
        """Return what is in every table, but for who looked at what and who is logged in."""
        left_out = {"access_entry", "user_account", "staff_session", "login_session"}
        with self.db.read() as session:
            names = set(inspect(self.db.engine).get_table_names()) - left_out
            return {name: sorted(map(str, session.execute(text(f'SELECT * FROM "{name}"')))) for name in names}


@pytest.fixture
def place(postgres_url: str, redis_url: str, tmp_path: Path) -> Iterator[Place]:
    made, clock = build_in_process(
        data_dir=tmp_path,
        account=ACCOUNT,
        now=NOW,
        database_url=postgres_url,
        secret_key=SECRET,
    )
    redis = Redis.from_url(redis_url)
    services = replace(made, redis=redis)
    file = parse(CLINIC, path="elm.yaml")
    services.db.run(lambda work: import_clinic(work, file, now=NOW - timedelta(days=1)))
    with services.db.begin() as work:
        clinic_id = work.session.scalars(select(Clinic.id)).one()
        roles = {
            "admin": Role.ADMINISTRATOR,
            "desk": Role.FRONT_DESK,
            "auditor": Role.AUDITOR,
            "lee": Role.PRACTITIONER,
        }
        work.session.add_all([a_user(login, clinic_id, role) for login, role in roles.items()])
        oak = Clinic(key="oak", name="Oak", timezone="UTC", country="GB", languages=["en"], phone=None, transfer_to=None, rules={}, answers=[])  # fmt: skip
        work.session.add(oak)
        work.session.flush()
        work.session.add(a_user("oak", oak.id, Role.ADMINISTRATOR))
    yield Place(services, clock, services.db)
    redis.close()
    services.close()


BOOKING = ("cleaning with Dr Lee on Tuesday at 9", "yes")


def mark(place: Place, client: FlaskClient, conversation_id: str, number: int = 1, **fields: object) -> str:
    """Mark a turn and return the address of its correction."""
    address = f"/console/conversations/{conversation_id}/turns/{number}/correction"
    sent = {"meant": "Ann Smith wanted Thursday", "outcome": "booked", "csrf_token": seal_of(client.get(address))}
    answer = client.post(address, data=sent | fields)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return str(answer.location)


def staff_say(place: Place, words: str) -> None:
    """Let staff have the last word in the one conversation."""
    with place.db.begin() as work:
        last = work.session.scalars(select(Turn).order_by(Turn.number.desc())).first()
        assert last is not None
        work.session.add(
            Turn(
                conversation_id=last.conversation_id, number=last.number + 1, channel=last.channel,
                thread_hash=last.thread_hash, kind=StaffTurn.STAFF_SAID, message_key="staff:1", said="", reply=words,
                commands=[], heard="[]", acts=[], writes=[], results="[]", at=place.clock.now(),
                catalogue_version=last.catalogue_version, timings={}, staff="desk",
            )
        )  # fmt: skip


def test_a_conversation_played_again_at_once_is_the_same_and_nothing_is_written(place: Place) -> None:
    conversation_id = place.says(*BOOKING)
    staff_say(place, "See you on Tuesday")
    client = place.logged_in()
    before = place.dump()

    page = client.get(f"/console/conversations/{conversation_id}/replay").get_data(as_text=True)
    short = client.get(f"/console/conversations/{conversation_id}/replay/in-short").get_json()

    assert "Nothing would be different" in page
    assert "Staff had the conversation here" in page
    assert short == {"state": "same", "words": "Nothing would be different"}
    assert place.dump() == before


def test_a_replay_meets_the_clinic_as_it_was_whatever_was_changed_since(place: Place) -> None:
    conversation_id = place.says(*BOOKING)
    place.clock.advance(timedelta(days=1))
    with place.db.begin() as work:  # on that Tuesday the clinic closes, and the catalogue's version grows
        location_id = work.session.scalars(select(Location.id).order_by(Location.position)).first()
        work.session.add(Closure(location_id=location_id, starts_on=date(2027, 3, 16), ends_on=date(2027, 3, 17)))  # fmt: skip
        work.session.scalars(select(Clinic).where(Clinic.key == "elm")).one().version += 1
    place.says("cancel my appointment", "yes", number=ANN)

    short = place.logged_in("auditor").get(f"/console/conversations/{conversation_id}/replay/in-short").get_json()

    assert short["state"] == "same"
    with place.db.read() as session:
        assert session.scalar(select(func.count()).select_from(ClinicSnapshot)) == 2


def test_a_call_with_keys_silence_and_a_transfer_that_nobody_took_is_played_again(place: Place) -> None:
    line = place.calling()
    line.ring()
    line.say("a cleaning with Dr Lee next Monday morning please")
    line.keep_silent()
    line.press("1")
    line.say("can I speak to a person")
    line.come_back()
    line.end()

    client, conversation = place.logged_in(), f"/console/conversations/{place.latest()}"
    page = client.get(f"{conversation}/replay").get_data(as_text=True)

    assert "Nothing would be different" in page
    # Whoever hung up was not misunderstood in that.
    assert [f"{conversation}/turns/{number}/correction" in page for number in (6, 7)] == [True, False]
    assert client.get(f"{conversation}/turns/7/correction").status_code == 404


def test_where_the_agent_answered_otherwise_then_the_difference_is_marked(place: Place) -> None:
    conversation_id = place.says(*BOOKING)
    with place.db.begin() as work:
        turn = work.session.scalars(select(Turn).where(Turn.number == 1)).one()
        turn.reply, turn.commands = "I beg your pardon?", []
        work.session.scalars(select(Conversation)).one().outcome = "abandoned"

    client = place.logged_in()
    page = client.get(f"/console/conversations/{conversation_id}/replay").get_data(as_text=True)

    assert "It would end differently" in page
    assert page.count('class="badge pending">Different<') == 1
    short = client.get(f"/console/conversations/{conversation_id}/replay/in-short").get_json()
    assert short == {"state": "ends", "words": "Ends differently: Booked"}


def test_a_correction_becomes_a_case_that_names_nobody_and_runs(place: Place, tmp_path: Path) -> None:
    conversation_id = place.says("hi it's Ann Smith, a cleaning with Dr Lee on Tuesday at 9", "yes")
    client = place.logged_in()

    address = mark(place, client, conversation_id, commands=["start_reschedule"], written="one", service="cleaning",
                   practitioner="lee", start="2027-03-18T09:00")  # fmt: skip
    page = client.get(address).get_data(as_text=True)
    exported = client.get(f"{address}/case.yaml")

    assert "It does not pass this case yet" in page
    assert "means start_reschedule" in page  # in the words of the script
    case = exported.get_data(as_text=True)
    assert exported.headers["Content-Disposition"].startswith('attachment; filename="case-2027-03-10-')
    assert not re.search(r"Ann|Smith|1984-05-02|5550123", case)
    assert "Dr. Mina Lee" in case
    file = tmp_path / "case.yaml"
    file.write_text(case)
    result = run_script(file, secret_key=SECRET)
    assert [turn["said"] for turn in result.turns][1] == "yes"
    assert len(result.failures) == 3  # not understood, not written, and something else written
    expect = YAML(typ="safe").load(case)
    expect["expect"]["wrote"][0]["start"] = "2027-03-16T09:00"
    expect["turns"][0]["means"] = ["give_service"]
    assert run_script(expect, secret_key=SECRET).failures == []


def test_words_in_which_somebody_may_be_told_are_read_before_the_case_leaves(place: Place) -> None:
    conversation_id = place.says("tell Dr Lee that Bob Fletcher sent me", *BOOKING)
    client = place.logged_in()
    address = mark(place, client, conversation_id)

    refused = client.get(f"{address}/case.yaml")
    none_left = client.get("/console/corrections/cases.zip")
    page = client.get(address)
    kept = client.post(
        f"{address}/words", data={"csrf_token": seal_of(page), "words-1": "tell Dr Lee a friend sent me"}
    )

    assert refused.status_code == none_left.status_code == kept.status_code == 302
    assert "Please look" in page.get_data(as_text=True)
    case = client.get(f"{address}/case.yaml").get_data(as_text=True)
    assert "a friend sent me" in case
    assert "Fletcher" not in case
    packed = zipfile.ZipFile(io.BytesIO(client.get("/console/corrections/cases.zip").get_data()))
    assert [packed.read(name).decode() for name in packed.namelist()] == [case]


def test_a_correction_is_changed_and_withdrawn_and_the_conversation_says_so(place: Place) -> None:
    conversation_id = place.says(*BOOKING)
    client = place.logged_in()
    address = mark(place, client, conversation_id)

    def marked() -> bool:
        with place.db.read() as session:
            return session.scalars(select(Conversation.has_correction)).one()

    assert marked()
    seal = seal_of(client.get(f"{address}/edit"))
    changed = client.post(f"{address}/edit", data={"csrf_token": seal, "meant": "Nothing at all", "written": "nothing"})
    assert changed.status_code == 302
    assert "Nothing at all" in client.get("/console/corrections").get_data(as_text=True)
    assert client.post(f"{address}/withdraw", data={"csrf_token": seal}).status_code == 302
    assert not marked()
    assert client.post(f"{address}/withdraw", data={"csrf_token": seal}).status_code == 404
    assert "Withdrawn" in client.get("/console/corrections").get_data(as_text=True)


def test_a_correction_that_says_too_little_is_not_taken(place: Place) -> None:
    conversation_id = place.says("hello")
    client = place.logged_in()
    address = f"/console/conversations/{conversation_id}/turns/1/correction"
    sent = {"meant": "x", "outcome": "booked", "csrf_token": seal_of(client.get(address))}
    faults = {
        "say in a few words": {"meant": " "},
        "should have been understood": {"outcome": "world peace"},
        "choose a service": {"written": "one", "service": "brain surgery"},
        "read as a date": {"written": "one", "service": "cleaning", "start": "yesterday"},
    }

    for said, fields in faults.items():
        answer = client.post(address, data=sent | fields)
        assert (answer.status_code, said in answer.get_data(as_text=True)) == (200, True)
    assert "Nothing was marked yet" in client.get("/console/corrections").get_data(as_text=True)


def test_the_command_line_replays_and_writes_cases(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = place.says(*BOOKING)
    mark(place, place.logged_in(), conversation_id)
    commands = click.Group()
    with place.db.read() as session:
        clinic_id = session.scalars(select(Clinic.id).where(Clinic.key == "elm")).one()
    add_case_commands(
        commands, open_services=lambda: nullcontext(place.services), find_clinic=lambda _session, _key: clinic_id
    )
    monkeypatch.setattr(log, "configure", lambda **_: None)  # it would hold for all tests after this one

    with capture_logs():
        replayed = CliRunner().invoke(commands, ["replay", "--json"])
        unknown = CliRunner().invoke(commands, ["replay", "nobody"])
    exported = CliRunner().invoke(commands, ["cases", "export", "--to", str(tmp_path / "cases")])

    [one] = json.loads(replayed.output)["replays"]
    assert (one["conversation"], one["ends_differently"], len(one["turns"])) == (conversation_id, False, 2)
    assert unknown.exit_code == 1
    assert exported.exit_code == 0
    [case] = (tmp_path / "cases").iterdir()
    assert run_script(case, secret_key=SECRET).failures == []


def test_many_are_replayed_from_a_list_that_is_narrowed_down(place: Place) -> None:
    place.says(*BOOKING)
    place.clock.advance(timedelta(days=2))
    place.says("what are your hours?")
    client = place.logged_in()

    assert client.get("/console/replays").get_data(as_text=True).count("data-replay=") == 2
    assert client.get("/console/replays?outcome=booked").get_data(as_text=True).count("data-replay=") == 1
    assert "No conversation fits" in client.get("/console/replays?corrected=1&last=no").get_data(as_text=True)


def test_nobody_sees_what_is_not_theirs(place: Place) -> None:
    conversation_id = place.says(*BOOKING)
    address = mark(place, place.logged_in(), conversation_id)
    pages = [address, f"{address}/case.yaml", f"/console/conversations/{conversation_id}/replay",
             f"/console/conversations/{conversation_id}/turns/1/correction"]  # fmt: skip

    assert [place.logged_in("oak").get(page).status_code for page in pages] == [404] * 4
    assert [place.logged_in("lee").get(page).status_code for page in pages] == [403] * 4
    assert [place.logged_in("auditor").get(page).status_code for page in pages] == [200, 403, 200, 403]
    missing = ["/console/corrections/no", "/console/conversations/no/replay",
               f"/console/conversations/{conversation_id}/turns/99/correction"]  # fmt: skip
    assert [place.logged_in().get(page).status_code for page in missing] == [404] * 3
