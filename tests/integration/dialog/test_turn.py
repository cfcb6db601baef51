"""One message in, one Reply out, on a real database: the booking, the transcript, repeats, order, failures."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text, update

from booking import queries
from booking.catalogue import CatalogueCache, load_catalogue
from booking.clinic_file import import_clinic, parse
from booking.hold import place_hold
from booking.model.appointment import Appointment
from booking.model.patient import Patient
from booking.patients import phone_hash
from booking.tasks import open_tasks
from booking.values import Source
from dialog.commands import StartOver
from dialog.due import close_idle
from dialog.inbound import Channel, Inbound, InboundKind, Reply
from dialog.interpreter import Interpretation, Interpreter, Listening
from dialog.model import Conversation, Turn
from dialog.ports import TokenPrices
from dialog.review import mark_reviewed
from dialog.turn import TOKENS_OF_A_CONVERSATION, Dialog
from dialog.understanding.local import LocalInterpreter
from kernel.clock import FixedClock
from kernel.search import has_words, words_in
from kernel.turn_lock import InProcessTurnLock, TurnLock
from kernel.work import Database, OutboxEntry

pytestmark = pytest.mark.integration

CLINIC = Path(__file__).parents[2] / "scenarios" / "clinics" / "elm.yaml"
NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # Wednesday, 10:00 at the clinic
ANN = "+12125550123"
WISH = "a cleaning with Dr. Lee on Monday at 2 pm"
MONDAY_AT_TWO = datetime(2027, 3, 15, 18, 0, tzinfo=UTC)


class Line:
    """A patient's telephone: texts and calls to the dialog, without the webhooks."""

    def __init__(
        self, db: Database, clock: FixedClock, interpreter: Interpreter | None = None, lock: TurnLock | None = None
    ) -> None:
        self.db, self.clock = db, clock
        self.dialog = Dialog(
            db=db,
            clock=clock,
            lock=lock or InProcessTurnLock(),
            interpreter=interpreter or LocalInterpreter(),
            catalogues=CatalogueCache(),
            prices=TokenPrices(per_million_in=0.15, per_million_out=0.60),
        )
        with db.read() as session:
            self.clinic_id = session.execute(text("SELECT id FROM clinic")).scalar_one()
        self._count = 0

    def text(self, words: str, *, key: str | None = None) -> Reply:
        return self.dialog.handle_turn(self.inbound(words, key=key))

    def call(self, kind: InboundKind, words: str = "", *, sid: str = "CA1") -> Reply:
        return self.dialog.handle_turn(self.inbound(words, kind=kind, channel=Channel.VOICE, thread=sid))

    def inbound(
        self,
        words: str = "",
        *,
        key: str | None = None,
        kind: InboundKind = InboundKind.SAID,
        channel: Channel = Channel.SMS,
        thread: str = f"{ANN}>+12125550100",
    ) -> Inbound:
        self._count += 1
        return Inbound(self.clinic_id, channel, kind, thread, key or f"{channel}:{self._count}", ANN, words)


class Broken:
    """An interpreter with a bug."""

    def interpret(self, text: str, listening: Listening, *, deadline_s: float) -> Interpretation:
        raise ZeroDivisionError


class Costly:
    """An interpreter that pays for each answer, notes what it may still spend, and always hears "start over"."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.left: list[int | None] = []

    def interpret(self, text: str, listening: Listening, *, deadline_s: float) -> Interpretation:
        self.left.append(listening.tokens_left)
        return Interpretation((StartOver(),), "en", 1.0, tokens_in=self.tokens)


class Hurried:
    """An interpreter that notes how long it may take."""

    def __init__(self) -> None:
        self.deadlines_s: list[float] = []

    def interpret(self, text: str, listening: Listening, *, deadline_s: float) -> Interpretation:
        self.deadlines_s.append(deadline_s)
        return Interpretation((), "en", 0.0)


class Queue:
    """A turn lock behind which one waits; `seconds` is the clock that this moves."""

    def __init__(self, waited_s: float) -> None:
        self.seconds = 0.0
        self._waited_s = waited_s

    @contextmanager
    def hold(self, key: str, *, wait_s: float, lease_s: float) -> Iterator[bool]:
        self.seconds += self._waited_s
        yield False


class Crossed:
    """A turn lock that is had at once, and yet `meanwhile` has happened since the message was read."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._meanwhile = [meanwhile]

    @contextmanager
    def hold(self, key: str, *, wait_s: float, lease_s: float) -> Iterator[bool]:
        while self._meanwhile:
            self._meanwhile.pop()()
        yield True


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def line(database: Database, clock: FixedClock) -> Line:
    clinic = parse(CLINIC.read_text(encoding="utf-8"), path=str(CLINIC))
    database.run(lambda work: import_clinic(work, clinic, now=NOW))
    return Line(database, clock)


def count(db: Database, row: type) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def appointments(line: Line) -> list[tuple[str, str, str, datetime]]:
    """Status, source, patient and start of what the conversations wrote."""
    with line.db.read() as session:
        rows = session.execute(
            select(Appointment.status, Appointment.source, Patient.name, Appointment.starts_at)
            .outerjoin(Patient, Patient.id == Appointment.patient_id)
            .where(Appointment.conversation_id.is_not(None))
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]  # four columns were selected


def test_a_visit_is_booked_by_text_and_told_from_the_row(line: Line) -> None:
    line.text(WISH)
    reply = line.text("yes")

    assert reply.text.startswith("Booked: Dental cleaning, Mon Mar 15, 2:00 PM, Dr. Mina Lee, Main Street.")
    assert appointments(line) == [("booked", "sms", "Ann Smith", MONDAY_AT_TWO)]
    with line.db.read() as session:
        assert session.scalars(select(Conversation.outcome)).one() == "booked"
        assert "booking.appointment.booked" in session.scalars(select(OutboxEntry.name)).all()


def test_a_turn_keeps_what_is_needed_to_see_why(line: Line) -> None:
    line.text(WISH)
    line.text("yes")

    with line.db.read() as session:
        turns = session.scalars(select(Turn).order_by(Turn.number)).all()
        assert [(one.number, one.said) for one in turns] == [(1, WISH), (2, "yes")]
        assert [one["name"] for one in turns[1].commands] == ["affirm"]
        assert [one["what"] for one in turns[1].writes] == ["held", "booked"]
        assert turns[1].acts[0]["say"] == "booked"
        assert turns[1].catalogue_version == 1
        assert {"wait", "read", "understand", "decide", "word"} <= set(turns[1].timings)
        assert "ConfirmHold" in turns[1].results


def test_a_repeated_message_gets_the_same_reply_and_does_nothing_twice(line: Line) -> None:
    line.text(WISH)
    first = line.text("yes", key="SM-yes")
    second = line.text("yes", key="SM-yes")

    assert second == first
    assert count(line.db, Turn) == 2


def test_one_message_delivered_twice_at_once_is_applied_once(line: Line) -> None:
    line.text(WISH)
    replies: list[Reply] = []
    other = Line(line.db, line.clock)  # another process: its lock is not ours
    inbound = line.inbound("yes", key="SM-yes")
    threads = [
        threading.Thread(target=lambda dialog=dialog: replies.append(dialog.handle_turn(inbound)))
        for dialog in (line.dialog, other.dialog)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert len(replies) == 2
    assert replies[0] == replies[1]
    assert [row[0] for row in appointments(line)] == ["booked"]


def test_a_turn_decided_on_an_old_state_is_decided_again(line: Line) -> None:
    line.text(WISH)

    class Overtaken(LocalInterpreter):
        """While it thinks, another process that lost no lease writes to the conversation."""

        calls = 0

        def interpret(self, text: str, listening: Listening, *, deadline_s: float) -> Interpretation:
            self.calls += 1
            if self.calls == 1:
                line.db.run(
                    lambda work: work.session.execute(update(Conversation).values(version=Conversation.version + 1))
                )
            return super().interpret(text, listening, deadline_s=deadline_s)

    interpreter = Overtaken()
    reply = Line(line.db, line.clock, interpreter).text("yes", key="SM-yes")

    assert interpreter.calls == 2
    assert reply.text.startswith("Booked")
    assert [row[0] for row in appointments(line)] == ["booked"]


@pytest.mark.parametrize("before", [[], ["hello"]], ids=["first", "later"])
def test_what_was_said_between_reading_a_message_and_its_turn_counts(line: Line, before: list[str]) -> None:
    for words in before:
        line.text(words)
    other = Line(line.db, line.clock, lock=Crossed(lambda: line.text(WISH)))

    reply = other.text("yes", key="SM-yes")

    assert reply.text.startswith("Booked")
    assert count(line.db, Conversation) == 1
    with line.db.read() as session:
        assert list(session.scalars(select(Turn.number).order_by(Turn.at, Turn.number))) == [1, 2, 3][: len(before) + 2]


def test_a_message_that_was_answered_between_reading_it_and_its_turn_gets_that_answer(line: Line) -> None:
    line.text("hello")
    answers: list[Reply] = []
    inbound = line.inbound(WISH, key="SM-wish")
    other = Line(line.db, line.clock, lock=Crossed(lambda: answers.append(line.dialog.handle_turn(inbound))))

    reply = other.dialog.handle_turn(inbound)

    assert [reply] == answers
    assert count(line.db, Turn) == 2


def test_each_kind_of_turn_sends_few_statements(line: Line) -> None:
    line.text("hello")
    sent: list[str] = []
    event.listen(line.db.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))

    def sends(words: str) -> int:
        sent.clear()
        line.text(words)
        return sum(not one.startswith("BEGIN") for one in sent)

    # What the message meets, the claim of the conversation, and what is written; on SQLite in more pieces.
    is_postgresql = line.db.is_postgresql
    assert sends("where are you?") <= (3 if is_postgresql else 5)
    # Where the patient is already, and what is taken.
    assert sends(WISH) <= (5 if is_postgresql else 7)
    # What was offered by text; the Hold, and its confirmation; who waits.
    assert sends("yes") <= (25 if is_postgresql else 32)


def test_a_time_lost_between_offer_and_yes_leads_to_others_in_the_same_turn(line: Line) -> None:
    line.text(WISH)
    with line.db.read() as session:
        catalogue = load_catalogue(session, clinic_id=line.clinic_id)
    lee = next(one for one in catalogue.practitioners if one.key == "lee")
    cleaning = next(one for one in catalogue.services if one.key == "cleaning")
    line.db.run(
        lambda work: place_hold(
            work,
            catalogue,
            service_id=cleaning.id,
            location_id=catalogue.locations[0].id,
            starts_at=MONDAY_AT_TWO,
            practitioner_ids=(lee.id,),
            conversation_id="somebody-else",
            source=Source.PHONE,
            now=NOW,
        )
    )

    reply = line.text("yes")

    assert "has just been taken" in reply.text
    assert "1) Mon Mar 15" in reply.text


def test_a_failure_inside_writes_nothing_and_becomes_a_task(line: Line) -> None:
    broken = Line(line.db, line.clock, Broken())
    inbound = broken.inbound("hello there")

    with pytest.raises(ZeroDivisionError) as failure:
        broken.dialog.handle_turn(inbound)
    reply = broken.dialog.apologise(inbound, failure.value)

    assert "something went wrong" in reply.text
    assert count(line.db, Turn) == 0
    with line.db.read() as session:
        assert [str(one.kind) for one in open_tasks(session, clinic_id=line.clinic_id)] == ["apology"]


def test_staff_look_at_what_went_badly_or_was_left_to_them(line: Line) -> None:
    def needs_review() -> bool:
        with line.db.read() as session:
            return session.scalars(select(Conversation.needs_review)).one()

    line.text("where are you?")
    at_first = needs_review()
    line.dialog.apologise(line.inbound("hello there"), ValueError())
    after_failure = needs_review()
    with line.db.begin() as work:
        conversation_id = work.session.scalars(select(Conversation.id)).one()
        mark_reviewed(work, conversation_id=conversation_id, login="desk", seen=NOW, now=NOW)
    line.text("thanks")
    when_reviewed = needs_review()
    line.text("I want to talk to a person")

    assert [at_first, after_failure, when_reviewed, needs_review()] == [False, True, False, True]


def test_what_was_said_and_replied_can_be_searched_at_once(line: Line) -> None:
    line.text("¿Dónde están?")
    line.text("WHERE are you")

    with line.db.read() as session:
        for words in ("donde estan", "main street where"):
            assert session.scalar(select(func.count()).where(has_words(Conversation.words, words_in(words)))) == 1


def test_apologising_twice_for_one_message_is_one_task(line: Line) -> None:
    inbound = line.inbound("hello there")

    for _ in range(2):
        line.dialog.apologise(inbound, ValueError())

    with line.db.read() as session:
        assert len(open_tasks(session, clinic_id=line.clinic_id)) == 1


def test_an_apology_promises_nothing_when_it_cannot_be_written(line: Line) -> None:
    inbound = line.inbound("hello there")
    line.db.engine.dispose()
    lost = Dialog(
        db=Database("sqlite:////nowhere/at/all.db", secret="another secret of the tests, long enough"),
        clock=line.clock,
        lock=InProcessTurnLock(),
        interpreter=LocalInterpreter(),
        catalogues=CatalogueCache(),
    )

    reply = lost.apologise(inbound, ValueError())

    assert "told" not in reply.text
    assert "try again" in reply.text


def test_what_identifies_somebody_is_in_no_plain_column(line: Line) -> None:
    line.text("when is my next appointment?")
    line.text("Ann Smith")
    line.text("May 2nd 1984")

    with line.db.read() as session:
        rows = [
            *session.execute(text("SELECT state, caller, thread_hash FROM conversation")),
            *session.execute(text("SELECT commands, heard, results, acts, writes FROM turn")),
        ]
    stored = " ".join(str(value) for row in rows for value in row)
    assert "1984-05-02" not in stored
    assert ANN not in stored
    assert "2125550123" not in stored


def test_hanging_up_in_the_middle_counts_as_given_up_and_keeps_the_time_as_long_as_it_is_held(line: Line) -> None:
    line.call(InboundKind.START)
    line.call(InboundKind.SAID, WISH)
    line.call(InboundKind.SAID, "the first one")

    reply = line.call(InboundKind.HUNG_UP)

    assert reply.silent
    assert [row[0] for row in appointments(line)] == ["pending"]
    with line.db.read() as session:
        assert session.execute(select(Conversation.outcome, Conversation.ended_at)).one() == ("abandoned", None)


def test_a_call_that_was_never_answered_leaves_nothing(line: Line) -> None:
    assert line.call(InboundKind.HUNG_UP, sid="CA-unknown").silent
    assert count(line.db, Conversation) == 0


def test_a_text_after_good_bye_begins_a_new_conversation(line: Line) -> None:
    line.text("hello")
    line.text("bye")
    line.text("hello again")

    assert count(line.db, Conversation) == 2


@pytest.mark.parametrize(("pause", "conversations"), [(timedelta(hours=23), 1), (timedelta(hours=25), 2)])
def test_a_text_conversation_lasts_a_day(line: Line, clock: FixedClock, pause: timedelta, conversations: int) -> None:
    line.text("I would like an appointment")
    clock.advance(pause)
    line.text("a cleaning")

    assert count(line.db, Conversation) == conversations


def test_a_conversation_gone_quiet_gets_its_outcome_and_gives_back_the_time(line: Line, clock: FixedClock) -> None:
    line.text(WISH)
    line.text("the first one")
    clock.advance(timedelta(minutes=61))

    closed = line.db.run(lambda work: close_idle(work, now=clock.now()))
    again = line.db.run(lambda work: close_idle(work, now=clock.now()))

    assert (closed, again) == (1, 0)
    assert [row[0] for row in appointments(line)] == ["cancelled"]
    with line.db.read() as session:
        assert session.scalars(select(Conversation.outcome)).one() == "abandoned"


def test_a_late_yes_after_the_time_was_given_back_books_it_all_the_same(line: Line, clock: FixedClock) -> None:
    line.text(WISH)
    line.text("the first one")
    clock.advance(timedelta(minutes=61))
    line.db.run(lambda work: close_idle(work, now=clock.now()))

    reply = line.text("yes")

    assert reply.text.startswith("Booked")
    with line.db.read() as session:
        assert session.scalars(select(Conversation.outcome)).one() == "booked"


def test_moving_keeps_the_appointment_and_its_uid(line: Line) -> None:
    with line.db.read() as session:
        uid = session.scalars(
            select(Appointment.uid).where(Appointment.starts_at == datetime(2027, 3, 15, 13, tzinfo=UTC))
        ).one()
    for words in ("I need to move my appointment to Thursday at 10", "Evelyn Stone", "August 21 1975", "yes", "yes"):
        reply = line.text(words)

    assert reply.text.startswith("Moved: Dental cleaning, Thu Mar 11, 10:00 AM")
    with line.db.read() as session:
        moved = session.scalars(select(Appointment).where(Appointment.uid == uid)).one()
        visit = queries.visit(session, appointment_id=moved.id)
    assert (visit.starts_at, visit.sequence) == (datetime(2027, 3, 11, 15, tzinfo=UTC), 1)


@pytest.mark.parametrize(
    "words", ["", "\x00\x01", "a" * 100_000, "'; DROP TABLE turn; --", "<Response><Dial>", "🦷" * 600]
)
def test_any_words_at_all_are_answered(line: Line, words: str) -> None:
    reply = line.text(words)

    assert reply.text
    assert count(line.db, Turn) == 1


def test_what_a_conversation_may_spend_on_a_model_runs_out_and_starting_over_brings_none_back(
    line: Line, clock: FixedClock
) -> None:
    costly = Costly(TOKENS_OF_A_CONVERSATION // 2)
    patient = Line(line.db, clock, costly)

    for _ in range(3):
        patient.text("start over")

    assert costly.left == [TOKENS_OF_A_CONVERSATION, TOKENS_OF_A_CONVERSATION // 2, 0]


@pytest.mark.parametrize(
    ("channel", "waited_s", "deadline_s"),
    [
        (Channel.VOICE, 0.0, 4.0),
        (Channel.SMS, 0.0, 6.0),
        (Channel.VOICE, 6.0, 3.0),
        (Channel.SMS, 6.0, 5.0),
        (Channel.SMS, 20.0, 0.0),
    ],
)
def test_a_message_that_waited_for_the_one_before_has_less_time_to_be_understood(
    line: Line, clock: FixedClock, channel: Channel, waited_s: float, deadline_s: float
) -> None:
    interpreter, lock = Hurried(), Queue(waited_s)
    dialog = Dialog(
        db=line.db,
        clock=clock,
        lock=lock,
        interpreter=interpreter,
        catalogues=CatalogueCache(),
        seconds=lambda: lock.seconds,
    )

    dialog.handle_turn(line.inbound("hello", channel=channel))

    assert interpreter.deadlines_s == [deadline_s]


def test_what_a_model_was_paid_for_a_turn_is_kept_with_it(line: Line, clock: FixedClock) -> None:
    Line(line.db, clock, Costly(2_000)).text("hello")

    with line.db.read() as session:
        paid = session.execute(select(Turn.tokens_in, Turn.tokens_out, Turn.cost)).one()
    assert tuple(paid) == (2_000, 0, pytest.approx(0.0003))


def test_a_booking_for_the_patient_of_a_number_names_them_in_the_conversation_and_finds_it_by_number(
    line: Line,
) -> None:
    for words in (WISH, "yes", "yes"):
        line.text(words)

    with line.db.read() as session:
        found = session.execute(
            select(Patient.name)
            .join(Conversation, Conversation.patient_id == Patient.id)
            .where(Conversation.caller_hash == phone_hash(ANN))
        ).all()
    assert found == [("Ann Smith",)]
