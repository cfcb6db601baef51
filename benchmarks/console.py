"""The pages of conversations at a clinic that has had very many of them: how long each takes, and with how many queries.

    python -m benchmarks.console [--conversations N] [--rounds N]

100,000 conversations of ten Turns each, 20,000 patients and 40,000 visits, on PostgreSQL as its makers ship it. The console's
own pages are asked through its application, as somebody who is logged in. JSON goes to standard output, the bound of 150 ms
and what misses it to standard error. `gather 200` is one step of what an update has to do for all of them.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select, text
from werkzeug.test import TestResponse

from benchmarks.databases import SECRET, postgresql
from benchmarks.webhook.clinic import make_clinic
from booking.catalogue import CatalogueCache, load_catalogue
from booking.name_words import searchable, sounding
from booking.patients import phone_hash
from booking.values import Catalogue
from dialog.model import Conversation
from dialog.review import gather_words
from frontdesk.accounts.sessions import begin_session
from frontdesk.console.blueprint import console_blueprint
from frontdesk.simulator.blueprint import simulator_blueprint
from frontdesk.users import Role, User
from kernel import crypto
from kernel.clock import FixedClock
from kernel.config import load_settings
from kernel.search import words_in
from kernel.work import Database

NOW = datetime(2027, 3, 8, 15, 0, tzinfo=UTC)
BOUND_MS = 150.0
GATHERING = "gather 200"
TURNS = 10
PATIENTS = 20_000
VISITS = 40_000
_LONG_TAIL = 20_000  # of words that few people say
_SYLLABLES = [
    first + second for first in "bcdfglmnprstv" for second in ("a", "e", "i", "o", "u", "an", "er", "il", "os")
]
_OPENINGS = (
    "I would like an appointment for a {service} please",
    "can I get in with Dr {who} on {day} after {hour}",
    "do you have anything free on {day} for a {service}",
    "I need to move my {service} to {day} at {hour}",
    "necesito una cita para el {day} por la mañana",
    "my back hurts and I want to see Dr {who}",
    "is there parking near the clinic",
)
_REPLIES = (
    "For your {service}: {day} at {hour} with Dr. {who}. Which one suits you?",
    "Your {service} is booked for {day} at {hour} with Dr. {who}.",
    "What is your date of birth?",
    "There is free parking behind the building. Anything else?",
)
_SERVICES = ("check-up", "flu shot", "sick visit", "blood test", "cleaning", "physiotherapy")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "lunes", "martes")
_RARE = "xylophonist"


@dataclass(frozen=True)
class Figure:
    queries: int
    p50_ms: float
    p95_ms: float
    worst_ms: float


@dataclass(frozen=True)
class Person:
    id: str
    name: str
    number: str


def main(arguments: Sequence[str]) -> None:
    """Measure every page and print it."""
    parser = argparse.ArgumentParser(description="The pages of conversations at a clinic that has had very many.")
    parser.add_argument("--conversations", type=int, default=100_000, help="of ten Turns each; default 100,000")
    parser.add_argument("--rounds", type=int, default=40, help="how often each page is asked for; default 40")
    given = parser.parse_args(arguments)
    with postgresql() as engine:
        found = measure(engine, conversations=given.conversations, rounds=given.rounds)
    print(json.dumps({name: asdict(figure) for name, figure in found.items()}, indent=1))
    for name, figure in found.items():
        if figure.p95_ms > BOUND_MS and name != GATHERING:
            print(f"{name}: {figure.p95_ms:.0f} ms at the 95th percentile, over {BOUND_MS:.0f}", file=sys.stderr)


def measure(engine: Engine, *, conversations: int, rounds: int) -> dict[str, Figure]:
    """Return the figures of each page by its name."""
    db = Database(engine.url.render_as_string(hide_password=False), secret=SECRET)
    make_clinic(db, patients=0)
    with db.read() as session:
        catalogue = load_catalogue(session, clinic_id=session.execute(text("SELECT id FROM clinic")).scalar_one())
    people = _fill(db, catalogue, conversations)
    client = _logged_in(db, catalogue)
    pages = _pages(db, catalogue, people)
    found = {name: _ask(db, client, page, rounds) for name, page in pages.items()}
    found[GATHERING] = _gathering(db)
    db.dispose()
    return found


def _pages(
    db: Database, catalogue: Catalogue, people: Sequence[Person]
) -> dict[str, Callable[[FlaskClient], TestResponse]]:
    with db.read() as session:
        ids = session.scalars(select(Conversation.id).order_by(Conversation.last_turn_at.desc()).limit(5000)).all()
        deep = session.execute(
            select(Conversation.last_turn_at, Conversation.id).order_by(Conversation.last_turn_at).offset(500).limit(1)
        ).one()
    place = f"{deep.last_turn_at.isoformat()}~{deep.id}"
    chosen = random.Random(7)
    searches: dict[str, Callable[[], str]] = {
        "a common word": lambda: chosen.choice(("appointment", "which", "date")),
        "a common beginning": lambda: chosen.choice(("ap", "da", "fr")),
        "common words together": lambda: chosen.choice(("monday cleaning", "flu shot tuesday", "back parking booked")),
        "a seldom word": lambda: _tail_word(chosen.randrange(_LONG_TAIL)),
        "the rarest word": lambda: _RARE,
        "no word": lambda: "zzzzzz",
        "a name": lambda: chosen.choice(people).name,
        "a surname": lambda: chosen.choice(people).name.split()[-1],
        "a number": lambda: chosen.choice(people).number,
    }
    filters: dict[str, dict[str, str]] = {
        "everything": {},
        "an outcome": {"outcome": "booked"},
        "a seldom outcome": {"outcome": "message-taken"},
        "a channel": {"channel": "voice"},
        "a language": {"language": "es"},
        "needs review": {"review": "needed"},
        "reviewed": {"review": "done"},
        "corrected": {"corrected": "yes"},
        "a tag": {"tag": "billing"},
        "a period": {"from_day": "2026-09-01", "to_day": "2026-09-30"},
        "a practitioner": {"practitioner": catalogue.practitioners[0].id},
        "unread": {"reading": "unread"},
        "read": {"reading": "read"},
        "several filters": {"outcome": "handed-over", "language": "es", "review": "needed", "reading": "unread"},
        "a deep page": {"after": place},
    }
    pages = {f"list: {name}": _listed(given) for name, given in filters.items()}
    pages |= {f"search: {name}": _searched(words) for name, words in searches.items()}
    pages["search: a common word, several filters"] = _searched(
        lambda: "appointment", {"outcome": "booked", "language": "es", "practitioner": catalogue.practitioners[1].id}
    )
    pages["one conversation"] = lambda client: client.get(f"/console/conversations/{chosen.choice(ids)}")
    return pages


def _listed(given: dict[str, str]) -> Callable[[FlaskClient], TestResponse]:
    return lambda client: client.get("/console/conversations", query_string={**given, "all": "1"})


def _searched(words: Callable[[], str], given: dict[str, str] | None = None) -> Callable[[FlaskClient], TestResponse]:
    def ask(client: FlaskClient) -> TestResponse:
        with client.session_transaction() as cookie:
            cookie["search"] = words()
        return client.get("/console/conversations", query_string={**(given or {}), "found": "1"})

    return ask


def _ask(db: Database, client: FlaskClient, page: Callable[[FlaskClient], TestResponse], rounds: int) -> Figure:
    sent: list[str] = []

    def note(*given: Any) -> None:
        sent.append(given[2])

    page(client)
    event.listen(db.engine, "before_cursor_execute", note)
    page(client)
    queries = len(sent)
    event.remove(db.engine, "before_cursor_execute", note)
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = page(client)
        took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"a page answered {answer.status_code}")
    took.sort()
    p95 = took[max(0, round(len(took) * 0.95) - 1)]
    return Figure(queries, round(statistics.median(took), 1), round(p95, 1), round(took[-1], 1))


def _gathering(db: Database) -> Figure:
    """Take the words away from the latest ones and gather them as after an update."""
    with db.begin() as work:
        latest = select(Conversation.id).order_by(Conversation.last_turn_at.desc()).limit(2000)
        work.session.execute(
            text("UPDATE conversation SET words = NULL WHERE id = ANY(:ids)"),
            {"ids": list(work.session.scalars(latest))},
        )
    took = []
    for _ in range(10):
        began = time.perf_counter()
        db.run(gather_words)
        took.append((time.perf_counter() - began) * 1000)
    return Figure(0, round(statistics.median(took), 1), round(max(took), 1), round(max(took), 1))


def _logged_in(db: Database, catalogue: Catalogue) -> FlaskClient:
    services = SimpleNamespace(
        settings=load_settings({"FRONTDESK_DATA": "/nonexistent"}), db=db, clock=FixedClock(NOW), redis=None,
        catalogues=CatalogueCache(),
    )  # fmt: skip
    app = Flask("benchmark", static_folder=None)
    app.register_blueprint(console_blueprint(services))
    app.register_blueprint(simulator_blueprint(services))
    with db.begin() as work:
        user = User(
            clinic_id=catalogue.clinic_id,
            login="reader",
            password_hash="",
            role=Role.ADMINISTRATOR.value,
            created_at=NOW,
        )
        work.session.add(user)
        work.session.flush()
        session_id = begin_session(work, user_id=user.id, address="", browser="", now=NOW)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["session"] = session_id
    return client


# What there is.


def _fill(db: Database, catalogue: Catalogue, conversations: int) -> list[Person]:
    chosen = random.Random(1)
    people = [_person(number) for number in range(PATIENTS)]
    talks = [_Talk.make(number, conversations, people, chosen) for number in range(conversations)]
    raw = db.engine.raw_connection()
    try:
        driver: Any = raw.driver_connection
        _copy(driver, "patient", _PATIENT, (_patient_row(person, catalogue) for person in people))
        _copy(driver, "conversation", _CONVERSATION, (talk.row(catalogue) for talk in talks))
        _copy(driver, "turn", _TURN, (row for talk in talks for row in talk.turns))
        _copy(driver, "appointment", _VISIT, (_visit_row(number, catalogue) for number in range(VISITS)))
        _copy(driver, "conversation_tag", "conversation_id, tag, clinic_id", _tag_rows(talks, catalogue))
        old = (("reader", talk.id, NOW) for talk in talks[len(talks) // 50 :])
        _copy(driver, "conversation_reading", "login, conversation_id, read_at", old)
        driver.commit()
    finally:
        raw.close()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return people


def _copy(driver: psycopg.Connection[Any], table: str, columns: str, rows: Iterator[Sequence[Any]]) -> None:
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


_PATIENT = "id, clinic_id, name, name_words, name_sounds, blocked, is_placeholder, created_at"
_CONVERSATION = (
    "id, clinic_id, channel, thread_hash, caller, caller_hash, patient_id, language, state, version, outcome, needs_review,"
    " started_at, last_turn_at, ended_at, is_on_call, words, reviewed_at, reviewed_by, has_correction"
)
_TURN = (
    "id, conversation_id, number, channel, thread_hash, kind, message_key, said, reply, commands, heard, acts, writes, results,"
    " at, catalogue_version, timings, tokens_in, tokens_out"
)
_VISIT = (
    "id, clinic_id, uid, sequence, revision, status, service_id, practitioner_id, location_id, patient_id, conversation_id,"
    " starts_at, ends_at, source, times_moved, overridden, created_at, changed_at"
)


def _tail_word(number: int) -> str:
    first, rest = divmod(number, len(_SYLLABLES))
    second, third = divmod(first, len(_SYLLABLES))
    return _SYLLABLES[rest] + _SYLLABLES[second] + _SYLLABLES[third] + "q"


def _person(number: int) -> Person:
    given = _tail_word(number % 150)[:-1].capitalize()
    family = _tail_word(number % 3000 + 150)[:-1].capitalize()
    return Person(f"patient-{number}", f"{given} {family}", f"+1212{5_000_000 + number:07}")


def _patient_row(person: Person, catalogue: Catalogue) -> Sequence[Any]:
    name = person.name
    return person.id, catalogue.clinic_id, name, searchable(name), sounding(name), False, False, NOW


@dataclass(frozen=True)
class _Talk:
    """A conversation with its rows of Turns."""

    id: str
    at: datetime
    channel: str
    language: str
    outcome: str | None
    patient: Person | None
    is_bad: bool
    is_reviewed: bool
    turns: list[Sequence[Any]]
    words: tuple[str, ...]

    @classmethod
    def make(cls, number: int, of: int, people: Sequence[Person], chosen: random.Random) -> "_Talk":
        at = NOW - timedelta(minutes=5) - timedelta(days=730) * number / of
        outcomes = chosen.choices(
            ("booked", "moved", "cancelled", "informed", "handed-over", "message-taken", "abandoned"),
            (40, 10, 8, 20, 7, 1, 14),
        )
        told = [_exchange(chosen) for _ in range(TURNS)]
        if number % 25_000 == 17:
            told[3] = (f"I am a {_RARE}", told[3][1])
        talk_id = f"{number:032x}"
        channel = chosen.choice(("voice", "sms"))
        return cls(
            id=talk_id,
            at=at,
            channel=channel,
            language="es" if chosen.random() < 0.05 else "en",
            outcome=outcomes[0] if number else None,
            patient=chosen.choice(people) if chosen.random() < 0.7 else None,
            is_bad=chosen.random() < 0.03,
            is_reviewed=chosen.random() < 0.02,
            turns=[_turn_row(talk_id, channel, at, at_number, said) for at_number, said in enumerate(told, start=1)],
            words=words_in(" ".join(part for said in told for part in said)),
        )

    def row(self, catalogue: Catalogue) -> Sequence[Any]:
        person = self.patient
        return (
            self.id, catalogue.clinic_id, self.channel, self.id, _encrypted(person.number) if person else None,
            phone_hash(person.number) if person else None, person.id if person else None, self.language, _encrypted("{}" * 400),
            TURNS - 1, self.outcome, self.is_bad, self.at - timedelta(minutes=4), self.at, self.at, False,
            " ".join(f"'{word}'" for word in self.words), NOW if self.is_reviewed else None,
            "reader" if self.is_reviewed else None, self.is_bad and self.id.endswith("7"),
        )  # fmt: skip


def _exchange(chosen: random.Random) -> tuple[str, str]:
    """Return what somebody says and what they are answered: common phrases, and now and then a word that few use."""
    values = {
        "service": chosen.choice(_SERVICES), "day": chosen.choice(_DAYS), "hour": chosen.randrange(8, 19),
        "who": chosen.choice(("Adams", "Baker", "Clark", "Davis", "Evans", "Frank")),
    }  # fmt: skip
    rare = _tail_word(int(_LONG_TAIL * chosen.random() ** 3))
    return f"{chosen.choice(_OPENINGS).format(**values)} {rare}", chosen.choice(_REPLIES).format(**values)


def _turn_row(talk_id: str, channel: str, at: datetime, number: int, told: tuple[str, str]) -> Sequence[Any]:
    heard, none = _encrypted("[]"), "[]"
    commands = '[{"name": "give_service", "keys": ["cleaning"], "text": "cleaning"}]'
    acts = '[{"say": "anything-else", "fields": {}, "variant": 0}]'
    return (
        f"{talk_id}-{number}", talk_id, number, channel, talk_id, "said", f"{talk_id}:{number}", *told, commands,
        heard, acts, none, heard, at - timedelta(seconds=20 * (TURNS - number)), 1, '{"decide": 12.0, "word": 0.4}', 0, 0,
    )  # fmt: skip


_KEPT: dict[str, str] = {}


def _encrypted(value: str) -> str:
    # Each number once: a patient calls again and again.
    if value not in _KEPT:
        _KEPT[value] = crypto.keyring().encrypt(value)
    return _KEPT[value]


def _visit_row(number: int, catalogue: Catalogue) -> Sequence[Any]:
    """Return a visit; the first ones were made by the conversations of the same number, every second of them."""
    who = catalogue.practitioners[number % len(catalogue.practitioners)].id
    starts_at = NOW + timedelta(hours=number)
    return (
        f"visit-{number}", catalogue.clinic_id, f"visit-{number}", 0, 0, "booked", catalogue.services[0].id, who,
        catalogue.locations[0].id, f"patient-{number * 7919 % PATIENTS}", f"{number * 2:032x}", starts_at,
        starts_at + timedelta(minutes=30), "sms", 0, "[]", NOW, NOW,
    )  # fmt: skip


def _tag_rows(talks: Sequence[_Talk], catalogue: Catalogue) -> Iterator[Sequence[Any]]:
    for at, talk in enumerate(talks):
        if at % 40 == 0:
            yield talk.id, "billing", catalogue.clinic_id
        if at % 20 == 0:
            yield talk.id, f"tag {at % 60}", catalogue.clinic_id


if __name__ == "__main__":
    main(sys.argv[1:])
