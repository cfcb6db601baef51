"""What is going on now: the conversations under way, and the last words of one. A constant number of queries each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased, load_only

from booking.consent import is_opted_out
from booking.model.patient import Patient
from dialog.inbound import StaffTurn
from dialog.model import Conversation, Turn
from dialog.record import SMS_CONVERSATION_LASTS
from dialog.takeover import why_not_textable
from frontdesk.console.reads.own import own_conversations
from kernel.phone import masked
from sms.model import SmsMessage

UNDER_WAY_FOR = timedelta(minutes=30)
"""So long after its last words a conversation counts as under way."""
MOST_LISTED = 100
_LAST_TURNS = 40
# Not whole rows: each holds the dialog's state, encrypted, and all words for the search.
_OF_CONVERSATION = load_only(
    Conversation.id,
    Conversation.channel,
    Conversation.caller,
    Conversation.is_on_call,
    Conversation.last_turn_at,
    Conversation.ended_at,
    Conversation.taken_by,
    Conversation.taken_at,
    Conversation.taken_until,
    Conversation.waits_since,
    raiseload=True,
)
_OF_TURN = load_only(Turn.number, Turn.channel, Turn.kind, Turn.said, Turn.reply, Turn.at, Turn.staff, raiseload=True)


class Speaker(StrEnum):
    PATIENT = "patient"
    AGENT = "agent"
    STAFF = "staff"
    NOBODY = "nobody"  # something happened


@dataclass(frozen=True)
class Owner:
    """Who of the staff answers a conversation instead of the agent, until when if they do no more."""

    login: str
    since: datetime
    until: datetime
    waits_since: datetime | None  # the first words of the patient that they have not answered

    @property
    def version(self) -> str:
        return f"{self.login} {self.since.isoformat()} {self.waits_since}"


@dataclass(frozen=True)
class LiveLine:
    id: str
    channel: str
    is_on_call: bool
    patient: str | None
    number: str | None  # masked
    last_at: datetime
    words: str  # the last ones
    by: Speaker  # who said them
    owner: Owner | None


@dataclass(frozen=True)
class Message:
    """Words of one side, or what happened. `key` stays the same, `sms_state` does not."""

    key: str
    number: int  # of the Turn
    at: datetime
    by: Speaker
    login: str | None  # of the staff
    kind: str
    words: str
    sms_state: str | None


@dataclass(frozen=True)
class LiveConversation:
    id: str
    channel: str
    patient: str | None
    number: str | None  # masked
    is_ended: bool
    owner: Owner | None
    why_not: str | None  # why nobody can take it over: call, ended or no-texts
    is_opted_out: bool
    messages: tuple[Message, ...]

    @property
    def last_turn(self) -> int:
        return self.messages[-1].number if self.messages else 0


def is_under_way(clinic_id: str, now: datetime) -> ColumnElement[bool]:
    """Narrow a query of conversations to those of a clinic that are going on."""
    return and_(
        Conversation.clinic_id == clinic_id,
        Conversation.ended_at.is_(None),
        # After that it is over, taken or not. It says what an index can find: of a year's conversations those of a day.
        Conversation.last_turn_at > now - SMS_CONVERSATION_LASTS,
        or_(Conversation.taken_by.is_not(None), Conversation.last_turn_at > now - UNDER_WAY_FOR),
    )


def waits_for_staff(now: datetime) -> ColumnElement[bool]:
    """Narrow a query of conversations to those whose patients wait for an answer of whoever has taken them over."""
    return and_(Conversation.taken_until > now, Conversation.waits_since.is_not(None))


def list_live(session: Session, *, clinic_id: str, practitioner_id: str | None, now: datetime) -> tuple[LiveLine, ...]:
    """Return what is under way: first what waits for staff, the longest first, then the latest words first."""
    later = aliased(Turn)
    has_words = or_(later.said != "", later.reply != "")
    last = select(func.max(later.number)).where(later.conversation_id == Conversation.id, has_words)
    found = session.execute(
        select(Conversation, Patient.name, Turn)
        .outerjoin(Patient, Patient.id == Conversation.patient_id)
        .outerjoin(
            Turn,
            and_(
                Turn.conversation_id == Conversation.id, Turn.number == last.correlate(Conversation).scalar_subquery()
            ),
        )
        .where(is_under_way(clinic_id, now), own_conversations(practitioner_id))
        .order_by(Conversation.waits_since.asc().nulls_last(), Conversation.last_turn_at.desc(), Conversation.id)
        .limit(MOST_LISTED)
        .options(_OF_CONVERSATION, _OF_TURN)
    )
    return tuple(_line(row, name, turn, now) for row, name, turn in found)


def read_live(
    session: Session,
    *,
    clinic_id: str,
    practitioner_id: str | None,
    conversation_id: str,
    now: datetime,
    after: int = 0,
) -> LiveConversation | None:
    """Return a conversation with its last words, those after Turn number `after`; None when it is not theirs to see."""
    found = session.execute(
        select(Conversation, Patient.name)
        .outerjoin(Patient, Patient.id == Conversation.patient_id)
        .where(
            Conversation.id == conversation_id, Conversation.clinic_id == clinic_id, own_conversations(practitioner_id)
        )
        .options(_OF_CONVERSATION)
    ).one_or_none()
    if found is None:
        return None
    row, name = found
    turns = session.execute(
        select(Turn, SmsMessage.state)
        .outerjoin(SmsMessage, SmsMessage.turn_id == Turn.id)
        .where(Turn.conversation_id == row.id, Turn.number > after)
        .order_by(Turn.number.desc())
        .limit(_LAST_TURNS)
        .options(_OF_TURN)
    ).all()
    return LiveConversation(
        id=row.id,
        channel=row.channel,
        patient=name,
        number=masked(row.caller) if row.caller else None,
        is_ended=row.ended_at is not None,
        owner=_owner(row, now),
        why_not=why_not_textable(row, now=now),
        is_opted_out=row.caller is not None and is_opted_out(session, clinic_id=clinic_id, phone=row.caller),
        messages=tuple(message for turn, sms_state in reversed(turns) for message in _messages(turn, sms_state)),
    )


def _line(row: Conversation, patient: str | None, turn: Turn | None, now: datetime) -> LiveLine:
    said = _said(turn) if turn is not None else (Speaker.NOBODY, "")
    return LiveLine(
        id=row.id,
        channel=turn.channel if turn is not None else row.channel,
        is_on_call=row.is_on_call,
        patient=patient,
        number=masked(row.caller) if row.caller else None,
        last_at=row.last_turn_at,
        words=said[1],
        by=said[0],
        owner=_owner(row, now),
    )


def _owner(row: Conversation, now: datetime) -> Owner | None:
    if row.taken_by is None or row.taken_at is None or row.taken_until is None or row.taken_until <= now:
        return None
    return Owner(login=row.taken_by, since=row.taken_at, until=row.taken_until, waits_since=row.waits_since)


def _said(turn: Turn) -> tuple[Speaker, str]:
    """Return who had the last word in a Turn, and the words."""
    if turn.kind == StaffTurn.STAFF_SAID:
        return Speaker.STAFF, turn.reply
    return (Speaker.AGENT, turn.reply) if turn.reply else (Speaker.PATIENT, turn.said)


def _messages(turn: Turn, sms_state: str | None) -> list[Message]:
    answers = Speaker.STAFF if turn.kind == StaffTurn.STAFF_SAID else Speaker.AGENT
    sides = [(Speaker.PATIENT, turn.said), (answers, turn.reply)]
    if turn.kind in set(StaffTurn) - {StaffTurn.SAID_TO_STAFF, StaffTurn.STAFF_SAID}:
        sides = [(Speaker.NOBODY, ""), (answers, turn.reply)]
    return [
        Message(
            key=f"{turn.number}-{by}",
            number=turn.number,
            at=turn.at,
            by=by,
            login=turn.staff,
            kind=turn.kind,
            words=words,
            sms_state=sms_state if by is not Speaker.PATIENT else None,
        )
        for by, words in sides
        if words or by is Speaker.NOBODY
    ]
