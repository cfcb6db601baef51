"""One transaction, its events and its inbox, on both databases."""

import threading
from collections.abc import Hashable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from booking.model.clinic import Clinic
from booking.model.patient import Patient
from kernel import db, inbox
from kernel.db import new_id
from kernel.errors import Unavailable
from kernel.events import DomainEvent
from kernel.work import Database, OutboxEntry, UnitOfWork
from tests.support.databases import SECRET

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 14, 6, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class SomethingHappened(DomainEvent):
    name = "test.something-happened"
    thing_id: str

    @property
    def aggregate_id(self) -> str:
        return self.thing_id


def a_clinic() -> Clinic:
    return Clinic(
        id=new_id(),
        key=new_id(),
        name="Elm",
        timezone="America/New_York",
        country="US",
        languages=["en"],
        rules={},
        answers=[],
    )


def entries(database: Database) -> list[OutboxEntry]:
    with database.read() as session:
        return list(session.scalars(select(OutboxEntry)))


def test_an_event_leaves_with_its_change(database: Database) -> None:
    with database.begin() as work:
        work.session.add(a_clinic())
        work.publish(SomethingHappened(occurred_at=NOW, thing_id="t1"))

    (entry,) = entries(database)
    assert SomethingHappened.from_json(entry.payload) == SomethingHappened(occurred_at=NOW, thing_id="t1")
    assert entry.aggregate_id == "t1"


def test_a_failed_transaction_leaves_neither_change_nor_event(database: Database) -> None:
    def fail_late() -> None:
        with database.begin() as work:
            work.session.add(a_clinic())
            work.publish(SomethingHappened(occurred_at=NOW, thing_id="t1"))
            work.session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_late()

    assert entries(database) == []
    with database.read() as session:
        assert session.scalar(select(Clinic)) is None


def test_the_relay_is_woken_after_the_commit_and_only_for_events(sqlite_url: str) -> None:
    woken: list[int] = []
    database = Database(sqlite_url, secret="s" * 40, wake_relay=lambda: woken.append(len(entries(database))))

    with database.begin() as work:
        work.session.add(a_clinic())
    with database.begin() as work:
        work.publish(SomethingHappened(occurred_at=NOW, thing_id="t1"))

    assert woken == [1]
    database.dispose()


def test_a_step_is_run_again_when_the_database_undid_it(database: Database) -> None:
    attempts = []

    def step(work: UnitOfWork) -> str:
        attempts.append(1)
        work.publish(SomethingHappened(occurred_at=NOW, thing_id="t1"))
        if len(attempts) < 3:
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return "done"

    assert database.run(step) == "done"
    assert len(entries(database)) == 1


def test_a_step_that_must_ask_outside_is_given_up_and_run_again_with_the_answer(database: Database) -> None:
    asked: list[str] = []

    def outside(question: Hashable) -> bool:
        with database.begin() as work:  # the first try holds nothing that we would wait for
            work.session.add(a_clinic())
        asked.append(str(question))
        return True

    def step(work: UnitOfWork) -> bool | None:
        work.publish(SomethingHappened(occurred_at=NOW, thing_id="t1"))
        work.ask("is it open?")
        return work.ask("is it open?")

    assert database.asking(outside).run(step) is True
    assert asked == ["is it open?"]
    assert len(entries(database)) == 1


def test_the_answer_is_kept_when_the_database_undoes_the_step(database: Database) -> None:
    asked: list[Hashable] = []
    tries: list[int] = []

    def outside(question: Hashable) -> bool:
        asked.append(question)
        return False

    def step(work: UnitOfWork) -> bool | None:
        answer = work.ask("is it open?")
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return answer

    assert database.asking(outside).run(step) is False
    assert asked == ["is it open?"]


def test_where_nobody_can_be_asked_there_is_no_answer(database: Database) -> None:
    assert database.run(lambda work: work.ask("is it open?")) is None
    with database.asking(lambda _question: True).begin() as work:  # a block can't be run again
        assert work.ask("is it open?") is None


def test_a_database_that_stays_busy_is_unavailable(database: Database) -> None:
    def step(_work: UnitOfWork) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    with pytest.raises(Unavailable):
        database.run(step)


def test_a_bug_is_not_run_again(database: Database) -> None:
    attempts = []

    def step(_work: UnitOfWork) -> None:
        attempts.append(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.run(step)
    assert len(attempts) == 1


def test_two_writers_at_once_both_get_through(database: Database) -> None:
    def write() -> None:
        database.run(lambda work: work.session.add(a_clinic()))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    with database.read() as session:
        assert len(list(session.scalars(select(Clinic)))) == 8


def test_a_message_is_applied_once_and_a_repeat_gets_the_same_answer(database: Database) -> None:
    with database.begin() as work:
        inbox.record(work, key="sms:SM1", answer="See you then.", now=NOW)

    def apply_again() -> None:
        with database.begin() as work:
            work.session.add(a_clinic())
            inbox.record(work, key="sms:SM1", answer="Something else", now=NOW)

    with pytest.raises(IntegrityError):
        apply_again()

    with database.read() as session:
        assert inbox.recorded_answer(session, key="sms:SM1") == "See you then."
        assert inbox.recorded_answer(session, key="sms:SM2") is None
        assert session.scalar(select(Clinic)) is None


def test_a_date_of_birth_is_unreadable_at_rest(database: Database) -> None:
    clinic = a_clinic()
    born = datetime(1984, 5, 2, tzinfo=UTC).date()
    with database.begin() as work:
        work.session.add(clinic)
        work.session.flush()
        work.session.add(Patient(clinic_id=clinic.id, name="Ann Smith", birth_date=born, created_at=NOW))

    with database.read() as session:
        assert "1984" not in str(session.scalar(text("SELECT birth_date FROM patient")))
        assert session.scalars(select(Patient)).one().birth_date == born


def test_instants_come_back_as_they_were_stored(database: Database) -> None:
    with database.begin() as work:
        inbox.record(work, key="k", answer="", now=NOW)

    with database.read() as session:
        assert session.scalars(select(inbox.InboxEntry)).one().received_at == NOW


def test_who_only_reads_has_no_transaction_to_begin_and_to_end(postgres_url: str) -> None:
    database = Database(postgres_url, secret=SECRET)
    with database.read() as session:
        # In a transaction that is the time of its beginning.
        moments = [session.scalar(text("SELECT now()")) for _ in range(2)]
    database.dispose()

    assert moments[0] < moments[1]


@pytest.mark.timeout(20)
def test_as_many_threads_as_a_web_process_has_read_at_once(database: Database) -> None:
    # With fewer connections, the seventeenth caller would wait half a minute and then hear an apology.
    with ExitStack() as stack:
        sessions = [stack.enter_context(database.read()) for _ in range(64)]

        assert [session.scalar(text("SELECT 1")) for session in sessions] == [1] * 64


@pytest.mark.parametrize("before", [False, True], ids=["at the beginning", "after something"])
def test_a_part_that_fails_is_undone_and_the_rest_goes_on(database: Database, before: bool) -> None:
    kept, later = a_clinic(), a_clinic()

    def fail(work: UnitOfWork) -> None:
        work.session.add(a_clinic())
        work.publish(SomethingHappened(occurred_at=NOW, thing_id="t1"))
        raise ZeroDivisionError

    with database.begin() as work:
        if before:
            work.session.add(kept)
            work.session.flush()
        with pytest.raises(ZeroDivisionError), work.part():
            fail(work)
        with work.part():
            work.session.add(later)

    with database.read() as session:
        found = set(session.scalars(select(Clinic.id)))
    assert found == ({kept.id, later.id} if before else {later.id})
    assert entries(database) == []


def test_a_part_that_the_database_refuses_is_undone_and_the_rest_goes_on(database: Database) -> None:
    first = a_clinic()
    with database.begin() as work:
        work.session.add(first)
    twin, later = a_clinic(), a_clinic()
    twin.id = first.id

    with database.begin() as work:
        with pytest.raises(IntegrityError), work.part():
            work.session.add(twin)
        work.session.add(later)

    with database.read() as session:
        assert set(session.scalars(select(Clinic.id))) == {first.id, later.id}


def test_a_connection_that_was_closed_while_idle_is_replaced_unseen(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, other = Database(postgres_url, secret=SECRET), Database(postgres_url, secret=SECRET)
    with database.read() as session:
        pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with other.read() as session:
        session.execute(text(f"SELECT pg_terminate_backend({pid}, 5000)"))
    monkeypatch.setattr(db, "_IDLE_S", 0.0)

    with database.read() as session:
        assert session.execute(text("SELECT pg_backend_pid()")).scalar_one() != pid
    database.dispose()
    other.dispose()
