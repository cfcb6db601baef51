"""A request that comes again does nothing twice."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from booking.model.appointment import Appointment
from frontdesk.api.keys import Scope
from frontdesk.api.model import IdempotentAnswer
from tests.integration.api.conftest import EVERYTHING, NINE, TEN, Program, Site

pytestmark = pytest.mark.integration

WISH = {"service": "cleaning", "location": "main", "starts_at": NINE, "practitioners": ["lee"]}


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def appointments(site: Site) -> int | None:
    with site.db.read() as session:
        return session.scalar(select(func.count()).select_from(Appointment))


def test_the_same_key_gets_the_same_answer_and_books_once(site: Site, program: Program) -> None:
    first = program.post("/holds", WISH, keyed("a"))
    again = program.post("/holds", WISH, keyed("a"))

    assert (again.status_code, again.json) == (first.status_code, first.json) == (201, first.json)
    assert (again.headers["ETag"], again.headers["Location"]) == (first.headers["ETag"], first.headers["Location"])
    assert appointments(site) == 1


def test_a_refusal_is_repeated_too(site: Site, program: Program) -> None:
    hold = program.hold().json
    refused = program.post("/holds", WISH, keyed("a"))
    program.post(f"/holds/{hold['id']}", None, method="DELETE")

    assert program.post("/holds", WISH, keyed("a")).json == refused.json
    assert program.post("/holds", WISH, keyed("b")).status_code == 201


def test_one_key_for_two_requests_is_a_mistake(site: Site, program: Program) -> None:
    program.post("/holds", WISH, keyed("a"))
    other = program.post("/holds", {**WISH, "starts_at": TEN}, keyed("a"))

    assert (other.status_code, other.json["code"]) == (422, "idempotency-key-reused")
    assert appointments(site) == 1


def test_two_keys_for_one_booking_book_once(site: Site, program: Program) -> None:
    first = program.post("/holds", WISH, keyed("a"))
    second = program.post("/holds", WISH, keyed("b"))

    assert (first.status_code, second.status_code, second.json["code"]) == (201, 409, "slot-taken")
    assert appointments(site) == 1


def test_two_programs_may_use_the_same_key(site: Site, program: Program) -> None:
    other = site.program(*EVERYTHING)

    assert program.post("/holds", WISH, keyed("a")).status_code == 201
    assert other.post("/holds", {**WISH, "starts_at": TEN}, keyed("a")).status_code == 201


def test_after_a_day_a_key_is_new(site: Site, program: Program) -> None:
    program.post("/patients", {"name": "Ann Smith"}, keyed("a"))
    site.clock.advance(timedelta(hours=24))
    again = program.post("/patients", {"name": "Bob Smith"}, keyed("a"))

    assert again.json["name"] == "Bob Smith"


def test_a_stored_answer_does_not_tell_a_date_of_birth(site: Site, program: Program) -> None:
    program.post("/patients", {"name": "Ann Smith", "birth_date": "1984-05-02"}, keyed("a"))
    with site.db.read() as session:
        body = session.scalar(select(IdempotentAnswer.body))

    assert body
    assert b"1984" not in body


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "ключ"])
def test_a_key_that_is_none_is_refused(site: Site, program: Program, key: str) -> None:
    answer = program.post("/holds", WISH, keyed(key))

    assert (answer.status_code, answer.json["code"]) == (400, "bad-idempotency-key")
    assert appointments(site) == 0


def test_the_same_request_sent_many_times_at_once_is_done_once(site: Site) -> None:
    key = site.key(Scope.PATIENTS_WRITE)
    start, answers = threading.Barrier(6), []

    def send() -> None:
        program = Program(site.app.test_client(), key)
        start.wait()
        answers.append(program.post("/patients", {"name": "Ann Smith"}, keyed("a")))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
