"""Staff answer a text conversation instead of the agent, one of them at a time, and give it back.

Whoever takes it over, writes in it or gives it back counts its version up, as every turn does: an answer of the agent that
was under way is either written before, or is decided again and finds that it has to be silent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Session

from booking import patients
from booking.hold import release_hold
from booking.model.appointment import Appointment, AppointmentChange, Participant
from booking.model.clinic import Clinic
from booking.several.groups import release_seats
from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import Catalogue, TaskKind
from dialog import record
from dialog.acts import Act, Say
from dialog.flows.after_staff import Meanwhile, go_on_aloud, go_on_silently
from dialog.inbound import Channel, InboundKind, StaffTurn
from dialog.model import Conversation, Turn
from dialog.record import SMS_CONVERSATION_LASTS, Snapshot
from dialog.state import DialogState
from dialog.wording.render import render
from kernel import inbox
from kernel.db import new_id, table_of
from kernel.errors import Refused
from kernel.phone import may_take_texts
from kernel.search import with_words, words_in
from kernel.work import UnitOfWork

KEPT_FOR = timedelta(hours=2)
"""So long a conversation stays with whoever took it over without a word from either side; then the agent answers again."""
_QUOTED = 500  # characters of a patient's words in a task
_AT_ONCE = 100
_CONVERSATION = table_of(Conversation)
_FIND_BY = (
    update(_CONVERSATION)
    .where(_CONVERSATION.c.id == bindparam("conversation_id"))
    .values(words=with_words(_CONVERSATION.c.words, "new_words"))
)


class UnknownConversation(Refused):
    """The clinic has no such conversation."""

    code = "unknown-conversation"


class TakenAlready(Refused):
    """Somebody else of the staff has it: `by` and `since` say who, and since when (ISO)."""

    code = "taken-already"


class NotTextable(Refused):
    """There is no text conversation to take over; `why` is call, ended or no-texts."""

    code = "not-textable"


class NotYours(Refused):
    """Who wants to write or give back does not have it (any more)."""

    code = "not-yours"


class How(StrEnum):
    """How the agent begins again."""

    ALOUD = "aloud"  # it says that it answers again, and asks what was open
    SILENTLY = "silently"  # it waits for the patient's next words


@dataclass(frozen=True)
class ToSend:
    """Words of a Turn that are to be texted: `thread_hash` is the thread of the patient's last text, if there was one."""

    turn_id: str
    clinic_id: str
    caller: str
    text: str
    thread_hash: str | None


def why_not_textable(row: Conversation, *, now: datetime) -> str | None:
    """Return why nobody can take a conversation over: call, ended or no-texts; None if they can."""
    if row.is_on_call:
        return "call"
    if row.ended_at is not None or row.last_turn_at <= now - SMS_CONVERSATION_LASTS:
        return "ended"
    if row.channel == Channel.WEB:
        return None  # they read it on the chat page
    return None if row.caller is not None and may_take_texts(row.caller) else "no-texts"


def take_over(work: UnitOfWork, *, clinic_id: str, conversation_id: str, login: str, now: datetime) -> None:
    """Let `login` answer from now on: the agent is silent, and a dropped call is not picked up by text.

    Of several at once one gets it. Calling again is the same as once. Raises TakenAlready, NotTextable, UnknownConversation.
    """
    row = _locked(work, clinic_id, conversation_id)
    why_not = why_not_textable(row, now=now)
    if why_not is not None:
        raise NotTextable(why=why_not)
    if row.taken_by is not None and row.taken_until is not None and row.taken_until > now:
        if row.taken_by == login:
            return
        raise TakenAlready(by=row.taken_by, since=_iso(row.taken_at))
    row.taken_by, row.taken_at, row.taken_until = login, now, now + KEPT_FOR
    row.pick_up_at = None
    _append(work, row, StaffTurn.TAKEN_OVER, staff=login, now=now)


def write(
    work: UnitOfWork, *, clinic_id: str, conversation_id: str, login: str, text: str, key: str, now: datetime
) -> ToSend | None:
    """Add what `login` writes to the patient, and return it to be sent; None if `key` was written before.

    Raises NotYours, UnknownConversation.
    """
    row = _locked(work, clinic_id, conversation_id)
    message_key = f"staff:{conversation_id}:{key}"
    if inbox.recorded_answer(work.session, key=message_key) is not None:
        return None
    _refuse_unless_owner(row, login)
    inbox.record(work, key=message_key, answer="", now=now)
    row.taken_until, row.waits_since = now + KEPT_FOR, None
    turn_id = _append(work, row, StaffTurn.STAFF_SAID, staff=login, now=now, reply=text, message_key=message_key)
    return _to_send(work.session, row, turn_id, text)


def give_back(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    conversation_id: str,
    login: str,
    how: How,
    now: datetime,
) -> ToSend | None:
    """Let the agent answer again, and return what it says, if it is to say anything. It goes on where it was, as far as that
    still makes sense: what was booked or moved by hand meanwhile is not asked for again.

    Raises NotYours, UnknownConversation.
    """
    row = _locked(work, catalogue.clinic_id, conversation_id)
    _refuse_unless_owner(row, login)
    say = Say.AGENT_AGAIN if how is How.ALOUD else None
    return _resume(work, catalogue, row, StaffTurn.GIVEN_BACK, say=say, now=now)


def lapsed(session: Session, *, now: datetime) -> list[tuple[str, str]]:
    """Return clinic and conversation of those that the agent is to answer again."""
    statement = (
        select(Conversation.clinic_id, Conversation.id)
        .where(Conversation.taken_until <= now)
        .order_by(Conversation.taken_until)
        .limit(_AT_ONCE)
    )
    return [(clinic_id, conversation_id) for clinic_id, conversation_id in session.execute(statement)]


def let_lapse(work: UnitOfWork, catalogue: Catalogue, *, conversation_id: str, now: datetime) -> ToSend | None:
    """Let the agent answer again where staff did not. Who waits for an answer is told so, and staff get a task.

    Returns what is to be sent. Nothing happens if staff came first, so any number of workers may call it.
    """
    row = _locked(work, catalogue.clinic_id, conversation_id)
    if row.taken_by is None or row.taken_until is None or row.taken_until > now:
        return None
    if row.waits_since is None:
        return _resume(work, catalogue, row, StaffTurn.LAPSED, say=None, now=now)
    open_task(
        work,
        clinic_id=row.clinic_id,
        kind=TaskKind.MESSAGE,
        says=TaskSays.UNANSWERED,
        details={"login": row.taken_by, "words": _unanswered(work.session, row)},
        now=now,
        conversation_id=row.id,
        patient_id=row.patient_id,
        phone=row.caller,
        subject=f"unanswered:{row.id}",
    )
    return _resume(work, catalogue, row, StaffTurn.LAPSED, say=Say.STAFF_AWAY, now=now)


def is_taken(session: Session, *, clinic_id: str, caller: str, now: datetime) -> bool:
    """Say whether staff have the conversation with this number (E.164)."""
    statement = select(Conversation.id).where(
        Conversation.clinic_id == clinic_id,
        Conversation.caller_hash == patients.phone_hash(caller),
        Conversation.taken_until > now,
    )
    return session.scalar(statement.limit(1)) is not None


def state_after_staff(session: Session, snapshot: Snapshot, catalogue: Catalogue, *, now: datetime) -> DialogState:
    """Return the state in which the agent hears the first words after staff had the conversation for too long."""
    row = session.get_one(Conversation, snapshot.conversation_id)
    return go_on_silently(snapshot.state, _meanwhile(session, row, snapshot.state, catalogue, now=now))


def _resume(
    work: UnitOfWork, catalogue: Catalogue, row: Conversation, kind: StaffTurn, *, say: Say | None, now: datetime
) -> ToSend | None:
    before = record.state_in(row)
    meanwhile = _meanwhile(work.session, row, before, catalogue, now=now)
    state, acts = (go_on_silently(before, meanwhile), ()) if say is None else go_on_aloud(before, meanwhile, say=say)
    if before.flow is not None and (state.flow is None or state.flow.hold is None):
        release_hold(work, conversation_id=row.id, now=now)
        release_seats(work, conversation_id=row.id, now=now)
    text = render(acts, catalogue=catalogue.for_patients(), channel=Channel.SMS, language=state.language)
    row.state = record.stored(state)
    turn_id = _append(work, row, kind, staff=row.taken_by, now=now, reply=text, acts=acts)
    row.taken_by = row.taken_until = row.waits_since = None
    work.session.flush()
    return _to_send(work.session, row, turn_id, text) if text else None


def _meanwhile(
    session: Session, row: Conversation, state: DialogState, catalogue: Catalogue, *, now: datetime
) -> Meanwhile:
    since = row.taken_at or now
    written = select(Turn.id).where(
        Turn.conversation_id == row.id, Turn.kind == StaffTurn.STAFF_SAID.value, Turn.at >= since
    )
    heard_at = state.last_heard_at or row.started_at
    return Meanwhile(
        have_written=session.scalar(written.limit(1)) is not None,
        have_changed_visits=_have_changed_visits(session, row, state, since),
        are_times_old=now - heard_at > catalogue.rules.hold,
    )


def _have_changed_visits(session: Session, row: Conversation, state: DialogState, since: datetime) -> bool:
    """Say whether anybody but the patient changed a visit of those whom the conversation may be about."""
    on_number = patients.find_by_phone(session, clinic_id=row.clinic_id, phone=row.caller) if row.caller else ()
    about = {one.id for one in on_number} | {state.verified_id, state.served_id, row.patient_id}
    about |= {flow.patient_id for flow in state.flows}
    people = sorted(str(one) for one in about if one is not None)
    in_group = select(Participant.appointment_id).where(Participant.patient_id.in_(people))
    changed = (
        select(AppointmentChange.id)
        .join(Appointment, Appointment.id == AppointmentChange.appointment_id)
        .where(
            AppointmentChange.changed_at >= since,
            AppointmentChange.actor.startswith("staff:"),
            or_(Appointment.patient_id.in_(people), Appointment.id.in_(in_group)),
        )
    )
    return bool(people) and session.scalar(changed.limit(1)) is not None


def _locked(work: UnitOfWork, clinic_id: str, conversation_id: str) -> Conversation:
    """Return the conversation, locked, with its version counted up: a turn that was begun before is decided again."""
    found = work.session.scalar(
        update(Conversation)
        .where(Conversation.id == conversation_id, Conversation.clinic_id == clinic_id)
        .values(version=Conversation.version + 1)
        .returning(Conversation.id)
        .execution_options(synchronize_session=False)
    )
    if found is None:
        raise UnknownConversation
    return work.session.get_one(Conversation, found, populate_existing=True)


def _refuse_unless_owner(row: Conversation, login: str) -> None:
    if row.taken_by != login:
        raise NotYours


def _append(
    work: UnitOfWork,
    row: Conversation,
    kind: StaffTurn,
    *,
    staff: str | None,
    now: datetime,
    reply: str = "",
    acts: tuple[Act, ...] = (),
    message_key: str | None = None,
) -> str:
    """Write a Turn of the staff's and return its id."""
    turn_id = new_id()
    number = work.session.scalar(select(func.count()).where(Turn.conversation_id == row.id)) or 0
    values: dict[str, Any] = {
        "id": turn_id,
        "conversation_id": row.id,
        "number": number + 1,
        "channel": (Channel.WEB if row.channel == Channel.WEB else Channel.SMS).value,
        "thread_hash": row.thread_hash,
        "kind": kind.value,
        "message_key": message_key or f"{kind}:{turn_id}",
        "said": "",
        "reply": reply,
        "commands": [],
        "heard": "[]",
        "acts": [record.act_shown(one) for one in acts],
        "writes": [],
        "results": "[]",
        "at": now,
        "catalogue_version": select(Clinic.version).where(Clinic.id == row.clinic_id).scalar_subquery(),
        "timings": {},
        "staff": staff,
    }
    work.session.execute(insert(Turn).values(values))
    work.session.execute(_FIND_BY, {"conversation_id": row.id, "new_words": words_in(reply)})
    row.last_turn_at = now
    work.session.flush()
    return turn_id


def _to_send(session: Session, row: Conversation, turn_id: str, text: str) -> ToSend | None:
    if row.caller is None:
        return None
    thread = session.scalar(
        select(Turn.thread_hash)
        .where(
            Turn.conversation_id == row.id,
            Turn.channel == Channel.SMS.value,
            Turn.kind.in_((StaffTurn.SAID_TO_STAFF.value, InboundKind.SAID.value)),
        )
        .order_by(Turn.number.desc())
        .limit(1)
    )
    return ToSend(turn_id=turn_id, clinic_id=row.clinic_id, caller=row.caller, text=text, thread_hash=thread)


def _unanswered(session: Session, row: Conversation) -> str:
    said = session.scalars(
        select(Turn.said)
        .where(
            Turn.conversation_id == row.id,
            Turn.kind == StaffTurn.SAID_TO_STAFF.value,
            Turn.at >= row.waits_since,
        )
        .order_by(Turn.number)
    )
    return " / ".join(said)[:_QUOTED]


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""
