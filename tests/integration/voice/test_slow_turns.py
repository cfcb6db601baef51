"""Turns of a call that take long: worked at in one process, and answered by another over the same database."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from booking.catalogue import CatalogueCache
from booking.clinic_file import import_clinic, parse
from booking.model.task import StaffTask
from dialog.inbound import Inbound, Reply
from dialog.interpreter import Interpretation, Listening
from dialog.model import Turn
from dialog.turn import Dialog
from dialog.understanding.local import LocalInterpreter
from kernel.clock import FixedClock
from kernel.turn_lock import InProcessTurnLock
from kernel.work import Database
from tests.integration.voice.conftest import NOW
from tests.support.webhooks import ACCOUNT, CLINIC_NUMBER, PATIENT_NUMBER, PUBLIC, Vendor, tags, words
from voice.webhook import voice_blueprint

pytestmark = pytest.mark.integration

CLINIC = Path(__file__).parents[2] / "scenarios" / "clinics" / "elm.yaml"
CALL = {"CallSid": "CA" + "3c" * 16, "From": PATIENT_NUMBER, "To": CLINIC_NUMBER, "CallStatus": "in-progress"}
WISH = CALL | {"SpeechResult": "a cleaning with doctor lee on monday at two p m", "Confidence": "0.9"}
PATIENT_S = 60.0  # longer than any turn takes here


class Slow:
    """An interpreter that answers once it is let, and then with `error` if there is one."""

    def __init__(self) -> None:
        self.is_asked, self.go_on = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self._local = LocalInterpreter()

    def interpret(self, text: str, listening: Listening, *, deadline_s: float) -> Interpretation:
        self.is_asked.set()
        self.go_on.wait(PATIENT_S)
        if self.error is not None:
            raise self.error
        return self._local.interpret(text, listening, deadline_s=deadline_s)


class Watched:
    """A dialog of which one can wait for what is under way. A turn that failed is under way until it is apologised for."""

    def __init__(self, dialog: Dialog) -> None:
        self._dialog = dialog
        self._under_way: set[str] = set()
        self._changed = threading.Condition()

    def handle_turn(self, inbound: Inbound, /) -> Reply:
        with self._changed:
            self._under_way.add(inbound.message_key)
        reply = self._dialog.handle_turn(inbound)
        self._end(inbound)
        return reply

    def apologise(self, inbound: Inbound, error: Exception, /) -> Reply:
        reply = self._dialog.apologise(inbound, error)
        self._end(inbound)
        return reply

    def answer_to(self, inbound: Inbound, /) -> Reply | None:
        return self._dialog.answer_to(inbound)

    def wait(self) -> None:
        """Return when nothing is under way."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._under_way, timeout=PATIENT_S)

    def _end(self, inbound: Inbound) -> None:
        with self._changed:
            self._under_way.discard(inbound.message_key)
            self._changed.notify_all()


class Clinic:
    """The clinic's database, and processes that share nothing but it."""

    def __init__(self, db: Database) -> None:
        self.db, self.slow = db, Slow()
        self._dialogs: list[Watched] = []
        file = parse(CLINIC.read_text(encoding="utf-8"), path=str(CLINIC))
        db.run(lambda work: import_clinic(work, file, now=NOW))

    def process(self, *, filler_after_s: float) -> Vendor:
        """Return the vendor's way to a new process."""
        clock, catalogues, app = FixedClock(NOW), CatalogueCache(), Flask(__name__)
        dialog = Dialog(db=self.db, clock=clock, lock=InProcessTurnLock(), interpreter=self.slow, catalogues=catalogues)
        self._dialogs.append(Watched(dialog))
        blueprint = voice_blueprint(
            dialog=self._dialogs[-1], db=self.db, catalogues=catalogues, account=ACCOUNT, public_base_url=PUBLIC,
            clock=clock, filler_after_s=filler_after_s,
        )  # fmt: skip
        app.register_blueprint(blueprint)
        return Vendor(app)

    def finish(self) -> None:
        """Let everything that is under way come to its end."""
        self.slow.go_on.set()
        for dialog in self._dialogs:
            dialog.wait()


@pytest.fixture
def clinic(database: Database) -> Iterator[Clinic]:
    made = Clinic(database)
    yield made
    made.finish()


def come_back(vendor: Vendor, answer: TestResponse) -> TestResponse:
    """Go where the document sends the call."""
    return vendor.post(answer.text.split('<Redirect method="POST">')[1].split("<")[0].replace("&amp;", "&"), CALL)


def test_a_caller_hears_a_word_and_another_process_gives_the_answer(clinic: Clinic) -> None:
    quick, other = clinic.process(filler_after_s=0), clinic.process(filler_after_s=0)
    patient = clinic.process(filler_after_s=PATIENT_S)
    patient.post("/twilio/voice", CALL)

    first = quick.post("/twilio/voice/turn?n=1", WISH)
    second = come_back(other, first)
    assert clinic.slow.is_asked.wait(PATIENT_S)
    clinic.finish()
    third = come_back(other, second)

    assert (tags(first), words(first)) == (["Say", "Redirect"], "One moment, please.")
    assert tags(second) == ["Pause", "Redirect"]
    assert "Monday, March 15" in words(third)
    assert third.text == come_back(quick, second).text  # a repeat gets the same
    assert third.text == patient.post("/twilio/voice/turn?n=1", WISH).text
    with clinic.db.read() as session:
        assert [one.number for one in session.scalars(select(Turn).order_by(Turn.number))] == [1, 2]


def test_a_slow_turn_that_fails_is_apologised_for_by_whoever_is_asked(clinic: Clinic) -> None:
    quick, other = clinic.process(filler_after_s=0), clinic.process(filler_after_s=0)
    clinic.process(filler_after_s=PATIENT_S).post("/twilio/voice", CALL)
    clinic.slow.error = RuntimeError("broken on purpose")

    with capture_logs() as logs:
        first = quick.post("/twilio/voice/turn?n=1", WISH)
        assert clinic.slow.is_asked.wait(PATIENT_S)
        clinic.finish()
        answer = come_back(other, first)

    assert "something went wrong on our side" in words(answer)
    assert "voice.turn.failed" in [one["event"] for one in logs]


def test_an_answer_that_was_lost_with_its_process_ends_in_an_apology_and_a_task(clinic: Clinic) -> None:
    other = clinic.process(filler_after_s=0)

    answers = [other.post(f"/twilio/voice/ready?n=1&returns={returns}", CALL) for returns in (1, 2, 3)]

    assert [tags(one) for one in answers] == [["Pause", "Redirect"], ["Pause", "Redirect"], ["Say", "Hangup"]]
    with clinic.db.read() as session:
        assert [one.kind for one in session.scalars(select(StaffTask))] == ["apology"]


def test_the_word_is_said_in_the_language_of_the_call(clinic: Clinic) -> None:
    answer = clinic.process(filler_after_s=0).post("/twilio/voice/turn?n=1&language=es", WISH)

    assert clinic.slow.is_asked.wait(PATIENT_S)
    assert words(answer) == "Un momento, por favor."
    assert "language=es" in answer.text
