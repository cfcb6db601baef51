"""One conversation by call and by text, over the signed requests of the vendor, with a worker beside it."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from flask import Flask
from sqlalchemy import select

from booking.catalogue import CatalogueCache
from booking.clinic_file import import_clinic, parse
from booking.consent import opt_out
from booking.model.appointment import Appointment
from calendar_sync.adapters.memory_store import MemoryStore
from dialog.model import Conversation, Turn
from dialog.turn import Dialog
from dialog.understanding.local import LocalInterpreter
from jobs.context import JobServices
from jobs.due import DUTIES, run_due
from kernel.clock import FixedClock
from kernel.turn_lock import InProcessTurnLock
from kernel.work import Database
from sms.adapters.memory_gateway import MemoryGateway
from sms.model import SmsMessage
from sms.webhook import sms_blueprint
from tests.support.databases import SECRET
from tests.support.webhooks import ACCOUNT, CLINIC_NUMBER, PUBLIC, Vendor, document, words
from voice.webhook import voice_blueprint

pytestmark = pytest.mark.integration

CLINIC = Path(__file__).parents[2] / "scenarios" / "clinics" / "elm.yaml"
NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # Wednesday, 10:00 at the clinic
ANN = "+12125550123"
STRANGER = "+12125550177"
WISH = "a cleaning with Dr. Lee on Monday at 2 pm"
SOON = timedelta(seconds=30)


Row = TypeVar("Row")


class Clinic:
    """Elm Street Clinic on the telephone, its worker, and the texts it sends."""

    def __init__(self, database: Database) -> None:
        self.db, self.clock, self.gateway = database, FixedClock(NOW), MemoryGateway()
        file = parse(CLINIC.read_text(encoding="utf-8"), path=str(CLINIC))
        database.run(lambda work: import_clinic(work, file, now=NOW))
        catalogues = CatalogueCache()
        dialog = Dialog(
            db=database,
            clock=self.clock,
            lock=InProcessTurnLock(),
            interpreter=LocalInterpreter(),
            catalogues=catalogues,
        )
        app = Flask(__name__)
        app.register_blueprint(
            voice_blueprint(
                dialog=dialog,
                db=database,
                catalogues=catalogues,
                account=ACCOUNT,
                public_base_url=PUBLIC,
                clock=self.clock,
                filler_after_s=60,  # however slow the machine is
            )
        )
        app.register_blueprint(
            sms_blueprint(dialog=dialog, db=database, account=ACCOUNT, public_base_url=PUBLIC, clock=self.clock)
        )
        self.vendor = Vendor(app)
        self._jobs = JobServices(
            db=database,
            clock=self.clock,
            catalogues=catalogues,
            sms_gateway=self.gateway,
            open_calendar=lambda _access: MemoryStore(),
        )

    def text(self, body: str, *, caller: str = ANN) -> str:
        fields = {"MessageSid": f"SM{uuid.uuid4().hex}", "From": caller, "To": CLINIC_NUMBER, "Body": body}
        answer = document(self.vendor.post("/twilio/sms", fields))
        return "\n".join(one.text or "" for one in answer.iter("Message"))

    def call(self, *said: str, caller: str = ANN) -> "Call":
        """Call, and say what is to be said one after the other."""
        call = Call(self, caller)
        for one in said:
            call.say(one)
        return call

    def pass_time(self, length: timedelta) -> None:
        """Let time pass, and the worker look for what is due."""
        self.clock.advance(length)
        names = {"pick-up-dropped-calls", "expire-holds", "send-waiting-messages", "close-idle-conversations"}
        run_due(self._jobs, now=self.clock.now(), duties=[one for one in DUTIES if one.name in names])

    def sent(self) -> list[str]:
        return [one.text.body for one in self.gateway.sent]

    def stored(self, kind: type[Row]) -> list[Row]:
        with self.db.read() as session:
            return list(session.scalars(select(kind)))

    def booked(self) -> list[tuple[str, datetime]]:
        return [
            (one.source, one.starts_at)
            for one in self.stored(Appointment)
            if one.status == "booked" and one.conversation_id
        ]

    def turns(self) -> list[tuple[int, str]]:
        """Number and channel of each Turn of the one conversation there is."""
        with self.db.read() as session:
            assert len(session.scalars(select(Conversation.id)).all()) == 1
            return [tuple(row) for row in session.execute(select(Turn.number, Turn.channel).order_by(Turn.number))]  # type: ignore[misc]  # two columns were selected


class Call:
    """A call under way. `heard` is what was said to the caller last."""

    def __init__(self, clinic: Clinic, caller: str) -> None:
        self._vendor = clinic.vendor
        self._fields = {"CallSid": f"CA{uuid.uuid4().hex}", "From": caller, "To": CLINIC_NUMBER}
        self._answer = self._vendor.post("/twilio/voice", {**self._fields, "CallStatus": "ringing"})
        self.heard = words(self._answer)

    def say(self, said: str) -> str:
        self._answer = self._vendor.follow(self._answer, "action", {**self._fields, "SpeechResult": said})
        self.heard = words(self._answer)
        return self.heard

    def keep_silent(self) -> str:
        return self.say("")

    def drop(self, status: str = "completed") -> None:
        self._vendor.post("/twilio/voice/status", {**self._fields, "CallStatus": status})


@pytest.fixture
def clinic(database: Database) -> Clinic:
    return Clinic(database)


@pytest.fixture
def own_clinic(sqlite_url: str) -> Iterator[Clinic]:
    """The clinic on one database only: for what depends on no database."""
    database = Database(sqlite_url, secret=SECRET)
    yield Clinic(database)
    database.dispose()


def test_a_dropped_call_is_picked_up_by_one_text_and_booked_by_its_answer(clinic: Clinic) -> None:
    call = clinic.call(WISH)
    call.drop("failed")
    call.drop("completed")
    clinic.pass_time(SOON)
    clinic.pass_time(SOON)

    assert clinic.sent() == [
        (
            "Elm Street Clinic: sorry, we were cut off before Mon Mar 15, 2:00 PM EDT, Main Street was booked. "
            "Reply 1 to book it, 2 for another time, or call +1 212-555-0100."
        )
    ]
    reply = clinic.text("1")
    assert reply.startswith("Booked: Dental cleaning, Mon Mar 15, 2:00 PM")
    assert clinic.booked() == [("sms", datetime(2027, 3, 15, 18, 0, tzinfo=UTC))]
    assert clinic.turns() == [(1, "voice"), (2, "voice"), (3, "voice"), (4, "sms")]
    assert [one.outcome for one in clinic.stored(Conversation)] == ["booked"]


def test_offered_times_are_told_with_their_numbers_and_taken_by_them(clinic: Clinic) -> None:
    clinic.call("a cleaning with Dr. Lee on Monday").drop()
    clinic.pass_time(SOON)

    [text] = clinic.sent()
    assert "1) Mon Mar 15, 10:00 AM EDT, Main Street; 2) Mon Mar 15, 1:00 PM EDT" in text
    assert "10:00 AM" in clinic.text("1")
    clinic.text("yes")
    assert clinic.booked() == [("sms", datetime(2027, 3, 15, 14, 0, tzinfo=UTC))]


def test_a_time_whose_hold_ran_out_is_taken_again_by_the_answer(own_clinic: Clinic) -> None:
    own_clinic.call(WISH).drop()
    own_clinic.pass_time(SOON)
    own_clinic.pass_time(timedelta(minutes=50))

    assert own_clinic.text("1").startswith("Booked")


def test_a_time_that_was_lost_meanwhile_is_explained_with_others(own_clinic: Clinic) -> None:
    own_clinic.call(WISH).drop()
    own_clinic.pass_time(timedelta(minutes=6))
    other = own_clinic.call(WISH, "Rosa Lopez", "March 3 1990", "yes", caller=STRANGER)
    assert "booked" in other.heard.lower()

    reply = own_clinic.text("1")

    assert "2:00 PM" in reply
    assert not reply.startswith("Booked")
    assert "3:00 PM" in reply


def test_staff_see_who_it_was_after_the_call_dropped(own_clinic: Clinic) -> None:
    own_clinic.call("when is my appointment", "Ann Smith", "May 2 1984", "a cleaning then").drop()

    [conversation] = own_clinic.stored(Conversation)
    assert conversation.patient_id is not None


def test_a_wish_without_a_time_goes_on_with_the_question_that_was_open(clinic: Clinic) -> None:
    clinic.call("I need an appointment", caller=STRANGER).drop()
    clinic.pass_time(SOON)

    assert clinic.sent() == [
        (
            "Elm Street Clinic: sorry, we were cut off while booking a visit. "
            "Reply 1 to go on by text, 2 to leave it, or call +1 212-555-0100."
        )
    ]
    assert "2:00 PM" in clinic.text("a cleaning on Monday at 2 pm with Dr. Lee", caller=STRANGER)


@pytest.mark.parametrize(("answer", "reply"), [("1", "come in for"), ("2", "nothing was changed")])
def test_going_on_and_leaving_it_are_one_digit_each(own_clinic: Clinic, answer: str, reply: str) -> None:
    own_clinic.call("I need an appointment", caller=STRANGER).drop()

    assert reply in own_clinic.text(answer, caller=STRANGER)


def test_a_verified_call_makes_no_text_verified(clinic: Clinic) -> None:
    clinic.call(WISH, "yes").drop()
    call = clinic.call("cancel my appointment", "Ann Smith", "May 2 1984")
    assert "Mon" in call.heard
    call.drop()
    clinic.pass_time(SOON)

    [text] = clinic.sent()
    assert "calling off a visit" in text
    assert "Mon" not in text
    for said in ("1", "yes", "repeat that please", "Ann Smith"):
        reply = clinic.text(said)
        assert "Mar" not in reply
        assert "leaning" not in reply
    assert "Mon Mar 15" in clinic.text("5/2/1984")
    assert [status for status, _ in clinic.booked()] == ["phone"]
    clinic.text("yes")
    assert clinic.booked() == []


def test_a_text_during_a_verified_call_is_not_verified_and_the_call_stays_so(clinic: Clinic) -> None:
    clinic.call(WISH, "yes").drop()
    call = clinic.call("cancel my appointment", "Ann Smith", "May 2 1984")

    by_text = clinic.text("when is my appointment?")

    assert "Mar" not in by_text
    assert "Mon" in call.say("when is my appointment")


def test_what_is_texted_during_a_call_counts_on_the_call(clinic: Clinic) -> None:
    clinic.call(WISH, "yes").drop()
    call = clinic.call("cancel my appointment", "Ann Smith")
    assert "birth" in call.heard

    clinic.text("5/2/1984")
    heard = call.keep_silent()

    assert "Monday, March 15" in heard
    call.say("yes")
    assert clinic.booked() == []


def test_both_channels_see_one_state(clinic: Clinic) -> None:
    call = clinic.call("I need a cleaning with Dr. Lee")

    by_text = clinic.text("Monday at 2 pm")
    call.say("yes")

    assert "2:00 PM" in by_text
    assert clinic.booked() == [("phone", datetime(2027, 3, 15, 18, 0, tzinfo=UTC))]
    assert clinic.turns() == [(1, "voice"), (2, "voice"), (3, "sms"), (4, "voice")]


def test_who_calls_again_goes_on_by_the_date_of_birth_and_hears_nothing_before(clinic: Clinic) -> None:
    clinic.call("a cleaning with Dr. Lee on Monday").drop()
    call = clinic.call()

    heard = [call.heard, call.say("yes"), call.keep_silent(), call.say("say that again")]
    assert all("date of birth" in one for one in heard)
    assert not any(word in one for one in heard for word in ("Lee", "leaning", "booking", "Monday"))
    assert "first, Monday, March 15th at 10 AM with Dr. Lee" in call.say("May 2nd 1984")
    clinic.pass_time(SOON)
    assert clinic.sent() == []
    call.say("the first one")
    call.say("yes")
    assert clinic.booked() == [("phone", datetime(2027, 3, 15, 14, 0, tzinfo=UTC))]
    assert len({channel for _, channel in clinic.turns()}) == 1


def test_who_calls_again_may_say_something_new(own_clinic: Clinic) -> None:
    own_clinic.call("I need a cleaning with Dr. Lee").drop()
    call = own_clinic.call()

    heard = call.say("a cleaning with Dr. Lee on Tuesday at 10 am")

    assert "Tuesday, March 16" in heard


def test_who_has_another_date_of_birth_hears_nothing_of_what_was_left_open(own_clinic: Clinic) -> None:
    own_clinic.call("I need a skin check with Dr. Patel on Monday").drop()
    call = own_clinic.call()

    heard = [
        call.say("May 3rd 1984"),
        call.say("May 4th 1984"),
        call.say("Monday at 10 am"),
        call.say("what did I ask for"),
    ]

    assert "How can I help" in heard[1]
    assert not any(word in one for one in heard for word in ("Patel", "kin check at", "March 15"))


def test_a_stranger_who_calls_again_begins_anew(own_clinic: Clinic) -> None:
    own_clinic.call("I need a cleaning with Dr. Lee", caller=STRANGER).drop()

    call = own_clinic.call(caller=STRANGER)

    assert "How can I help you?" in call.heard
    assert "Lee" not in call.say("Monday at 10 am")


def test_who_goes_on_with_a_cancellation_need_not_say_the_date_of_birth_twice(own_clinic: Clinic) -> None:
    own_clinic.call(WISH, "yes").drop()
    own_clinic.call("cancel my appointment", "Ann Smith", "May 2 1984").drop()

    call = own_clinic.call()
    assert "Mon" not in call.heard

    assert "Monday, March 15th" in call.say("May 2 1984")


@pytest.mark.parametrize("comes_back_by_text", [True, False])
def test_who_comes_back_with_another_wish_is_not_held_to_the_old_one(
    own_clinic: Clinic, comes_back_by_text: bool
) -> None:
    own_clinic.call("I need a cleaning with Dr. Lee on Monday").drop()
    wish = "I'd like to book a general check-up on Tuesday at 9 am"

    reply = own_clinic.text(wish) if comes_back_by_text else own_clinic.call().say(wish)

    assert "heck-up" in reply
    assert "Lee" not in reply


def test_who_comes_back_with_the_same_wish_need_not_say_it_all_again(own_clinic: Clinic) -> None:
    own_clinic.call("I need a cleaning with Dr. Lee").drop()

    reply = own_clinic.text("hi, I was booking a cleaning, Monday at 2 pm please")

    assert "Dr. Lee" in reply
    assert "2:00 PM" in reply


def test_another_call_from_the_same_number_at_the_same_time_is_another_conversation(own_clinic: Clinic) -> None:
    first = own_clinic.call("I need a cleaning with Dr. Lee")
    second = own_clinic.call()

    assert "Welcome back" not in second.heard
    second.say("what are your opening hours")
    assert "2" in first.say("Monday at 2 pm")
    assert len(own_clinic.stored(Conversation)) == 2


def asks_only(clinic: Clinic) -> None:
    clinic.call("what are your opening hours").drop()


def says_good_bye(clinic: Clinic) -> None:
    clinic.call("I need a cleaning", "never mind, goodbye").drop()


def has_booked(clinic: Clinic) -> None:
    clinic.call(WISH, "yes").drop()


def says_nothing(clinic: Clinic) -> None:
    clinic.call().drop()


def has_an_emergency(clinic: Clinic) -> None:
    clinic.call("I need a cleaning", "I have chest pain and can't breathe").drop()


def is_put_through(clinic: Clinic) -> None:
    clinic.call("I need a cleaning", "let me talk to a person").drop()


def withholds_the_number(clinic: Clinic) -> None:
    clinic.call(WISH, caller="anonymous").drop()


def calls_from_a_landline(clinic: Clinic) -> None:
    clinic.call(WISH, caller="+442079460123").drop()


def wants_no_texts(clinic: Clinic) -> None:
    call = clinic.call(WISH)
    [conversation] = clinic.stored(Conversation)
    clinic.db.run(lambda work: opt_out(work, clinic_id=conversation.clinic_id, phone=ANN, now=NOW))
    call.drop()


def texts_first(clinic: Clinic) -> None:
    clinic.call(WISH).drop()
    clinic.text("we were cut off")


def goes_on_by_text_before_the_call_is_reported_over(clinic: Clinic) -> None:
    call = clinic.call(WISH)
    clinic.text("let's do this by text")
    call.drop()


def calls_first(clinic: Clinic) -> None:
    clinic.call(WISH).drop()
    clinic.call()


@pytest.mark.parametrize(
    "happens",
    [
        asks_only,
        says_good_bye,
        has_booked,
        says_nothing,
        has_an_emergency,
        is_put_through,
        withholds_the_number,
        calls_from_a_landline,
        wants_no_texts,
        texts_first,
        goes_on_by_text_before_the_call_is_reported_over,
        calls_first,
    ],
    ids=lambda happens: happens.__name__,
)
def test_nobody_is_texted_without_need(own_clinic: Clinic, happens: Callable[[Clinic], None]) -> None:
    happens(own_clinic)

    own_clinic.pass_time(SOON)

    assert own_clinic.sent() == []


def test_at_night_the_text_waits_for_the_morning_and_is_dropped_if_they_come_back_before(own_clinic: Clinic) -> None:
    own_clinic.pass_time(timedelta(hours=12))  # 22:00
    own_clinic.call(WISH).drop()
    own_clinic.call(WISH, caller=STRANGER).drop()
    own_clinic.pass_time(SOON)
    assert own_clinic.sent() == []

    own_clinic.text("are you there?")
    own_clinic.pass_time(timedelta(hours=11))

    assert [one.text.to for one in own_clinic.gateway.sent] == [STRANGER]
    assert own_clinic.sent()[0].startswith("Elm Street Clinic: sorry, we were cut off while booking a visit. Reply 1")
    assert "2:00 PM" in own_clinic.text("1", caller=STRANGER)


def test_a_worker_that_dies_between_writing_and_sending_sends_it_once(own_clinic: Clinic) -> None:
    own_clinic.call(WISH).drop()
    own_clinic.gateway.is_down = True
    own_clinic.pass_time(SOON)
    own_clinic.gateway.is_down = False

    for _ in range(3):
        own_clinic.pass_time(timedelta(minutes=1))

    assert len(own_clinic.sent()) == 1
    assert len(own_clinic.stored(SmsMessage)) == 1
