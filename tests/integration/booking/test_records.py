"""Patients, tasks and consent as rows."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import event, text

from booking.catalogue import load_catalogue
from booking.consent import is_opted_out, opt_in, opt_out
from booking.events import TaskOpened
from booking.patients import find_by_birth_date, find_by_phone, patients, phones_of, register_patient
from booking.queries import find_slots
from booking.task_words import TaskSays
from booking.tasks import close_task, open_task, open_tasks, reopen_task
from booking.values import Catalogue, SlotQuery, TaskKind
from kernel.interval import Interval
from kernel.work import Database, OutboxEntry

pytestmark = pytest.mark.integration

PHONE = "+12125550123"


def test_a_patient_is_found_by_number_and_by_date_of_birth_in_their_clinic_only(
    database: Database, catalogue: Catalogue, a_patient: Callable[..., str], now: datetime
):
    ann = a_patient("Ann Smith")
    clinic_id = catalogue.clinic_id

    with database.read() as session:
        assert [one.id for one in find_by_phone(session, clinic_id=clinic_id, phone=PHONE)] == [ann]
        assert [one.id for one in find_by_birth_date(session, clinic_id=clinic_id, birth_date=date(1984, 5, 2))] == [
            ann
        ]
        assert find_by_phone(session, clinic_id="another", phone=PHONE) == ()
        assert find_by_birth_date(session, clinic_id=clinic_id, birth_date=date(1984, 5, 3)) == ()
        assert phones_of(session, patient_id=ann) == (PHONE,)
        assert patients(session, patient_ids=(ann,))[ann].name == "Ann Smith"


def test_a_household_shares_a_number(
    database: Database, catalogue: Catalogue, a_patient: Callable[..., str], now: datetime
):
    ann = a_patient("Ann Smith")

    with database.begin() as work:
        tim = register_patient(
            work,
            clinic_id=catalogue.clinic_id,
            name="Tim Smith",
            birth_date=None,
            phone=PHONE,
            language=None,
            now=now,
            is_placeholder=True,
            booked_by=ann,
            relation="child",
        )
        found = find_by_phone(work.session, clinic_id=catalogue.clinic_id, phone=PHONE)

    assert {one.id for one in found} == {ann, tim.id}
    assert tim.is_placeholder


def test_what_identifies_a_patient_is_not_readable_in_the_table(
    database: Database, catalogue: Catalogue, a_patient: Callable[..., str]
):
    a_patient("Ann Smith")

    with database.read() as session:
        stored = str(session.execute(text("SELECT birth_date, birth_date_hash FROM patient")).all())
        stored += str(session.execute(text("SELECT value, value_hash FROM contact_point")).all())

    assert "1984" not in stored
    assert "5550123" not in stored


def test_a_task_of_one_subject_is_open_once_and_may_come_again_when_it_is_done(
    database: Database, catalogue: Catalogue, now: datetime
):
    clinic_id = catalogue.clinic_id

    def raised() -> str:
        with database.begin() as work:
            return open_task(
                work,
                clinic_id=clinic_id,
                kind=TaskKind.CALL_BACK,
                says=TaskSays.MESSAGE,
                details={"words": "Ann Smith asks to be called"},
                now=now,
                phone=PHONE,
                subject="call:1",
            )

    first = raised()
    assert raised() == first
    with database.begin() as work:
        (told,) = open_tasks(work.session, clinic_id=clinic_id)
        close_task(work, clinic_id="another", task_id=first, now=now, done_by="mary")
        assert len(open_tasks(work.session, clinic_id=clinic_id)) == 1
        close_task(work, clinic_id=clinic_id, task_id=first, now=now, done_by="mary")
        assert open_tasks(work.session, clinic_id=clinic_id) == []
    assert raised() != first
    assert (told.kind, told.text, told.phone) == (TaskKind.CALL_BACK, "Ann Smith asks to be called", PHONE)
    with database.read() as session:
        names = [entry.name for entry in session.query(OutboxEntry).all()]
    assert names == [TaskOpened.name, TaskOpened.name]


def test_a_task_that_is_opened_again_is_about_its_subject_unless_a_newer_one_is(
    database: Database, catalogue: Catalogue, now: datetime
):
    about = {"clinic_id": catalogue.clinic_id, "now": now}

    def raised() -> str:
        with database.begin() as work:
            return open_task(work, kind=TaskKind.CALL_BACK, says=TaskSays.PICTURES, subject="call:1", **about)

    def close_and_reopen(task_id: str) -> None:
        with database.begin() as work:
            assert close_task(work, task_id=task_id, done_by="mary", **about)
            reopen_task(work, task_id=task_id, actor="mary", **about)

    first = raised()
    close_and_reopen(first)
    assert raised() == first
    with database.begin() as work:
        close_task(work, task_id=first, done_by="mary", **about)
    second = raised()
    with database.begin() as work:
        reopen_task(work, task_id=first, actor="mary", **about)
    close_and_reopen(first)

    assert raised() == second != first


def test_an_opt_out_holds_for_its_clinic_until_it_is_taken_back(
    database: Database, catalogue: Catalogue, now: datetime
):
    clinic_id = catalogue.clinic_id
    with database.begin() as work:
        opt_out(work, clinic_id=clinic_id, phone=PHONE, now=now)
        opt_out(work, clinic_id=clinic_id, phone=PHONE, now=now)

        assert is_opted_out(work.session, clinic_id=clinic_id, phone=PHONE)
        assert not is_opted_out(work.session, clinic_id=clinic_id, phone="+12125550124")
        opt_in(work, clinic_id=clinic_id, phone=PHONE)
        assert not is_opted_out(work.session, clinic_id=clinic_id, phone=PHONE)


def test_a_search_takes_one_statement_and_the_catalogue_as_many_for_any_clinic(
    database: Database, catalogue: Catalogue, now: datetime
):
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    quarter = Interval(now, datetime(2027, 6, 8, tzinfo=UTC))

    with database.read() as session:
        stored = load_catalogue(session, clinic_id=catalogue.clinic_id)
        loading = len(statements)
        find_slots(session, stored, query=SlotQuery("service-flu-shot", quarter), now=now)

    assert [set(person.hours) for person in stored.practitioners] == [set(one.hours) for one in catalogue.practitioners]
    assert stored.services == catalogue.services
    reads = [one for one in statements[loading:] if one.startswith("SELECT")]
    assert (loading <= 15, len(reads)) == (True, 1)
