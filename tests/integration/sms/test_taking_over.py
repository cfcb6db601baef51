"""Staff answer a text conversation instead of the agent: over the vendor's signed requests, with a worker beside it."""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from booking.clinic_file import import_clinic, parse
from booking.confirm import confirm_hold
from booking.hold import place_hold
from booking.model.appointment import Appointment
from booking.model.clinic import Clinic as ClinicRow
from booking.model.clinic import Location
from booking.patients import find_by_phone
from booking.tasks import open_tasks
from booking.values import Source
from dialog.inbound import StaffTurn
from dialog.interpreter import Interpretation, Listening
from dialog.model import Conversation, Turn
from dialog.takeover import How, NotTextable, NotYours, TakenAlready, take_over
from dialog.turn import Dialog
from dialog.understanding.local import LocalInterpreter
from frontdesk.bootstrap import build_in_process
from jobs.due import DUTIES, run_due
from kernel.turn_lock import InProcessTurnLock
from kernel.work import Database
from sms.model import SmsMessage
from sms.staff_texts import NotSendable, give_back, write_to_patient
from sms.webhook import sms_blueprint
from tests.support.webhooks import ACCOUNT, CLINIC_NUMBER, PUBLIC, Vendor, document
from voice.webhook import voice_blueprint

pytestmark = pytest.mark.integration

CLINIC = Path(__file__).parents[2] / "scenarios" / "clinics" / "elm.yaml"
NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # a Wednesday, 10:00 at the clinic
ANN = "+12125550123"
WISH = "I'd like a cleaning with Dr. Lee on Monday at 2 pm"
MONDAY_AT_2 = datetime(2027, 3, 15, 18, 0, tzinfo=UTC)
AGAIN = "You are writing with our automated assistant again."
MINUTE = timedelta(minutes=1)


class Taker(LocalInterpreter):
    """Understands as always; the first time, staff take the conversation over meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Iterator[None] = iter(())

    def interpret(self, text: str, listening: Listening, *, deadline_s: float = 1.0) -> Interpretation:
        next(self.meanwhile, None)
        return super().interpret(text, listening, deadline_s=deadline_s)


class Clinic:
    """Elm Street Clinic, whose staff are Maria and Tom."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.services, self.clock = build_in_process(data_dir=data_dir, account=ACCOUNT, now=NOW, database_url=url)
        self.db: Database = self.services.db
        file = parse(CLINIC.read_text(encoding="utf-8"), path=str(CLINIC))
        self.db.run(lambda work: import_clinic(work, file, now=NOW))
        self.interpreter = Taker()
        dialog = Dialog(
            db=self.db,
            clock=self.clock,
            lock=InProcessTurnLock(),
            interpreter=self.interpreter,
            catalogues=self.services.catalogues,
        )
        app = Flask(__name__)
        app.register_blueprint(
            sms_blueprint(dialog=dialog, db=self.db, account=ACCOUNT, public_base_url=PUBLIC, clock=self.clock)
        )
        app.register_blueprint(
            voice_blueprint(
                dialog=dialog,
                db=self.db,
                catalogues=self.services.catalogues,
                account=ACCOUNT,
                public_base_url=PUBLIC,
                clock=self.clock,
                filler_after_s=60,  # however slow the machine is
            )
        )
        self.vendor = Vendor(app)

    def text(self, body: str, **more: str) -> str:
        """Text as Ann, and return what is answered at once."""
        fields = {"MessageSid": f"SM{uuid.uuid4().hex}", "From": ANN, "To": CLINIC_NUMBER, "Body": body, **more}
        answer = document(self.vendor.post("/twilio/sms", fields))
        return "\n".join(one.text or "" for one in answer.iter("Message"))

    def call(self, said: str) -> None:
        """Call as Ann, say something, and be cut off."""
        fields = {"CallSid": f"CA{uuid.uuid4().hex}", "From": ANN, "To": CLINIC_NUMBER}
        answer = self.vendor.post("/twilio/voice", {**fields, "CallStatus": "ringing"})
        self.vendor.follow(answer, "action", {**fields, "SpeechResult": said})
        self.vendor.post("/twilio/voice/status", {**fields, "CallStatus": "completed"})

    def take_over(self, login: str = "maria") -> None:
        row = self.conversation()
        self.db.run(
            lambda work: take_over(
                work, clinic_id=row.clinic_id, conversation_id=row.id, login=login, now=self.clock.now()
            )
        )

    def write(self, text: str, *, login: str = "maria", key: str | None = None) -> None:
        row, key = self.conversation(), key or uuid.uuid4().hex
        self.db.run(
            lambda work: write_to_patient(
                work,
                self.services.catalogues.get(work.session, clinic_id=row.clinic_id),
                conversation_id=row.id,
                login=login,
                text=text,
                key=key,
                now=self.clock.now(),
            )
        )

    def give_back(self, how: How = How.ALOUD, *, login: str = "maria") -> None:
        row = self.conversation()
        self.db.run(
            lambda work: give_back(
                work,
                self.services.catalogues.get(work.session, clinic_id=row.clinic_id),
                conversation_id=row.id,
                login=login,
                how=how,
                now=self.clock.now(),
            )
        )

    def pass_time(self, length: timedelta) -> None:
        """Let time pass, and the worker look for what is due."""
        self.clock.advance(length)
        names = {
            "pick-up-dropped-calls",
            "answer-for-staff",
            "expire-holds",
            "send-waiting-messages",
            "close-idle-conversations",
        }
        duties = [one for one in DUTIES if one.name in names]
        run_due(self.services.jobs, now=self.clock.now(), duties=duties)

    def sent(self) -> list[str]:
        return [one.text.body for one in self.services.sms_gateway.sent]  # type: ignore[attr-defined]  # the one in memory

    def conversation(self) -> Conversation:
        """Return the text conversation."""
        with self.db.read() as session:
            return session.scalars(select(Conversation).where(Conversation.channel == "sms")).one()

    def kinds(self) -> list[str]:
        row = self.conversation()
        with self.db.read() as session:
            return list(session.scalars(select(Turn.kind).where(Turn.conversation_id == row.id).order_by(Turn.number)))

    def is_booked(self) -> bool:
        """Say whether somebody has the time that Ann wished for."""
        with self.db.read() as session:
            has_it = Appointment.status == "booked", Appointment.starts_at == MONDAY_AT_2
            return len(session.scalars(select(Appointment.id).where(*has_it)).all()) == 1

    def tasks(self) -> list[str]:
        with self.db.read() as session:
            return [one.text for one in open_tasks(session, clinic_id=self.conversation().clinic_id)]


@pytest.fixture
def clinic(sqlite_url: str, tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(sqlite_url, tmp_path)
    yield made
    made.db.dispose()


@pytest.fixture
def either_clinic(database_url: str, tmp_path: Path) -> Iterator[Clinic]:
    """The clinic on each of the databases."""
    made = Clinic(database_url, tmp_path)
    yield made
    made.db.dispose()


def test_the_agent_is_silent_while_staff_write_and_goes_on_where_it_was(either_clinic: Clinic) -> None:
    clinic = either_clinic
    assert "Shall I book it?" in clinic.text(WISH)
    clinic.take_over()

    assert clinic.text("yes, but where can I park?") == ""
    clinic.write("Hello Ann, Maria here. Behind the house.")
    clinic.pass_time(timedelta(seconds=10))
    clinic.give_back()
    clinic.pass_time(timedelta(seconds=10))

    assert not clinic.is_booked()
    told, again = clinic.sent()
    assert told == "Hello Ann, Maria here. Behind the house."
    assert again.startswith(AGAIN)
    assert again.endswith("Shall I book it?")
    assert clinic.text("yes").startswith("Booked: Dental cleaning, Mon Mar 15, 2:00 PM")
    assert clinic.kinds() == ["said", "taken-over", "said-to-staff", "staff-said", "given-back", "said"]


def test_of_two_who_take_it_over_at_once_one_has_it_and_the_other_is_told(postgres_url: str, tmp_path: Path) -> None:
    clinic = Clinic(postgres_url, tmp_path)
    clinic.text(WISH)
    together = threading.Barrier(2)

    def try_as(login: str) -> str:
        together.wait(30)
        try:
            clinic.take_over(login)
        except TakenAlready as taken:
            return str(taken.fields["by"])
        return "had it"

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(try_as, ("maria", "tom"))

    owner = clinic.conversation().taken_by
    assert {(first, second), (owner,)} in ({("had it", "maria"), ("maria",)}, {("tom", "had it"), ("tom",)})
    assert clinic.kinds() == ["said", "taken-over"]
    clinic.db.dispose()


def test_an_answer_under_way_is_not_given_once_staff_have_it(either_clinic: Clinic) -> None:
    clinic = either_clinic
    clinic.text(WISH)
    clinic.interpreter.meanwhile = (step() for step in [clinic.take_over])

    assert clinic.text("yes") == ""

    assert not clinic.is_booked()
    assert clinic.kinds() == ["said", "taken-over", "said-to-staff"]


def test_an_emergency_is_answered_by_the_agent_whoever_has_the_conversation(clinic: Clinic) -> None:
    clinic.text(WISH)
    clinic.take_over()

    assert "911" in clinic.text("I have chest pain and can't breathe")

    assert clinic.conversation().taken_by == "maria"
    assert any("chest pain" in task for task in clinic.tasks())


def test_who_wants_no_more_texts_gets_none_from_staff_either(clinic: Clinic) -> None:
    clinic.text(WISH)
    clinic.take_over()
    clinic.text("STOP")

    with pytest.raises(NotSendable) as refused:
        clinic.write("Are you still there?")

    assert refused.value.fields == {"why": "opted-out"}
    assert clinic.kinds()[-1] == StaffTurn.TAKEN_OVER


def test_whoever_does_not_have_it_can_neither_write_nor_give_it_back(clinic: Clinic) -> None:
    clinic.text(WISH)
    clinic.take_over()

    with pytest.raises(NotYours):
        clinic.write("Hello", login="tom")
    with pytest.raises(NotYours):
        clinic.give_back(login="tom")


def test_what_is_sent_twice_from_the_same_form_is_written_once(clinic: Clinic) -> None:
    clinic.text(WISH)
    clinic.take_over()

    clinic.write("Hello", key="form-1")
    clinic.write("Hello", key="form-1")
    clinic.pass_time(MINUTE)

    assert clinic.sent() == ["Hello"]


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 1001])
def test_nothing_and_too_much_are_not_sent(clinic: Clinic, text: str) -> None:
    clinic.text(WISH)
    clinic.take_over()

    with pytest.raises(NotSendable):
        clinic.write(text)


def test_words_that_wait_for_staff_too_long_are_answered_by_the_agent_and_become_a_task(either_clinic: Clinic) -> None:
    clinic = either_clinic
    clinic.text(WISH)
    clinic.take_over()
    clinic.pass_time(30 * MINUTE)
    clinic.text("Do you take my insurance?")
    clinic.pass_time(9 * MINUTE)
    assert clinic.sent() == []

    clinic.pass_time(MINUTE)
    clinic.pass_time(MINUTE)

    [told] = clinic.sent()
    assert told.startswith("Sorry, our staff could not answer you just now.")
    assert told.endswith("We were booking a visit. Reply 1 to go on with it, 2 to leave it.")
    assert clinic.tasks() == [
        "maria had the conversation and did not answer. The patient wrote: Do you take my insurance?"
    ]
    assert "2:00 PM" in clinic.text("1")


def test_a_conversation_that_staff_forgot_is_the_agents_again_without_a_word(clinic: Clinic) -> None:
    clinic.text(WISH)
    clinic.take_over()
    clinic.write("One moment please.")

    clinic.pass_time(timedelta(hours=2))

    assert clinic.conversation().taken_by is None
    assert clinic.sent() == ["One moment please."]
    assert clinic.kinds()[-1] == StaffTurn.LAPSED


def test_the_agent_answers_again_though_no_worker_has_noticed_that_staff_are_away(clinic: Clinic) -> None:
    clinic.text("I'd like a cleaning")
    clinic.take_over()
    clinic.clock.advance(timedelta(hours=3))

    assert clinic.text("with Dr. Lee on Monday at 2 pm") != ""

    assert clinic.conversation().taken_by is None


def test_a_yes_to_staff_is_no_yes_to_what_the_agent_asked_before(clinic: Clinic) -> None:
    clinic.text(WISH)
    clinic.take_over()
    clinic.write("May I call you tomorrow?")
    clinic.give_back(How.SILENTLY)

    answer = clinic.text("yes")

    assert not clinic.is_booked()
    assert "Shall I book it?" in answer


def test_what_staff_booked_by_hand_meanwhile_is_not_asked_for_again(clinic: Clinic) -> None:
    clinic.text(WISH)
    clinic.take_over()
    clinic.clock.advance(10 * MINUTE)
    book_by_hand(clinic)

    clinic.give_back()
    clinic.pass_time(MINUTE)

    assert clinic.sent()[-1] == f"{AGAIN} How can I help? You can book, move or drop a visit, or ask a question."
    clinic.text("yes")
    assert clinic.is_booked()


def test_a_call_is_answered_while_staff_have_the_texts_which_stay_with_them(clinic: Clinic) -> None:
    clinic.text(WISH)
    clinic.take_over()
    clinic.clock.advance(MINUTE)

    clinic.call(WISH)
    clinic.pass_time(MINUTE)

    assert clinic.sent() == []  # no text that picks the call up: its answer would reach staff
    assert clinic.text("Did you get my call?") == ""
    assert clinic.kinds() == ["said", "taken-over", "said-to-staff"]


def test_a_picture_is_left_to_staff(clinic: Clinic) -> None:
    clinic.text(WISH)
    clinic.take_over()

    assert clinic.text("", NumMedia="1") == ""

    assert clinic.kinds()[-1] == StaffTurn.SAID_TO_STAFF


def test_it_is_answered_from_the_number_that_was_texted_and_in_the_night_as_well(clinic: Clinic) -> None:
    clinic.clock.advance(timedelta(hours=16))  # 2:00
    clinic.text(WISH)
    clinic.take_over()

    clinic.write("“Thank you”, good night – and until tomorrow…")
    clinic.pass_time(MINUTE)

    with clinic.db.read() as session:
        message = session.scalars(select(SmsMessage)).one()
    assert (message.sender, message.state) == (CLINIC_NUMBER, "sent")
    assert message.body == '"Thank you", good night - and until tomorrow...'


def test_the_number_of_a_place_that_was_texted_answers(clinic: Clinic) -> None:
    branch = "+12125550199"
    with clinic.db.begin() as work:
        clinic_row = work.session.scalars(select(ClinicRow)).one()
        work.session.scalars(select(Location).limit(1)).one().phone = branch
        clinic_row.version += 1
    clinic.text(WISH, To=branch)
    clinic.take_over()

    clinic.write("Hello")

    with clinic.db.read() as session:
        assert session.scalars(select(SmsMessage.sender)).all() == [branch]


def test_a_conversation_that_is_over_can_not_be_taken(clinic: Clinic) -> None:
    clinic.text(WISH)
    clinic.pass_time(timedelta(hours=25))

    with pytest.raises(NotTextable) as refused:
        clinic.take_over()

    assert refused.value.fields == {"why": "ended"}


def book_by_hand(clinic: Clinic) -> None:
    """Book at the desk what Ann was texting about."""
    clinic_id = clinic.conversation().clinic_id
    with clinic.db.begin() as work:
        catalogue = clinic.services.catalogues.get(work.session, clinic_id=clinic_id)
        [ann] = find_by_phone(work.session, clinic_id=clinic_id, phone=ANN)
        now = clinic.clock.now()
        hold = place_hold(
            work,
            catalogue,
            service_id=next(one.id for one in catalogue.services if one.key == "cleaning"),
            location_id=next(one.id for one in catalogue.locations if one.key == "main"),
            starts_at=MONDAY_AT_2,
            practitioner_ids=tuple(one.id for one in catalogue.practitioners if one.key == "lee"),
            conversation_id=None,
            patient_id=ann.id,
            source=Source.PHONE,
            now=now,
            actor="staff:maria",
        )
        confirm_hold(work, catalogue, appointment_id=hold.id, patient_id=ann.id, now=now, actor="staff:maria")
