"""Conversations as staff see them: the list with its filters, and one with every Turn. A constant number of queries each."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from booking.model.patient import Patient
from booking.patients import phone_hash
from dialog.model import Conversation, Turn
from frontdesk.console.reads.own import own_conversations
from frontdesk.console.stored_turn import StoredTurn
from kernel.phone import masked, to_e164
from sms.model import SmsMessage

PER_PAGE = 25
OPEN = "open"  # no outcome yet

# Not whole rows: each holds the dialog's state, encrypted, which the list has no use for.
_OF_A_LINE = (
    Conversation.id,
    Conversation.channel,
    Conversation.outcome,
    Conversation.last_turn_at,
    Conversation.caller,
)


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to. `search`: words said, a patient's name, or a whole number. Empty means everything."""

    search: str = ""
    outcome: str = ""
    channel: str = ""

    @property
    def is_set(self) -> bool:
        return bool(self.search or self.outcome or self.channel)


@dataclass(frozen=True)
class Line:
    id: str
    channel: str
    outcome: str
    last_at: datetime
    patient: str | None
    number: str | None  # masked
    turns: int
    last_said: str | None


@dataclass(frozen=True)
class Listed:
    lines: tuple[Line, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


@dataclass(frozen=True)
class SentText:
    """A text of our own accord: the one that picks a dropped call up."""

    at: datetime
    body: str
    state: str


@dataclass(frozen=True)
class ConversationPage:
    id: str
    channel: str
    outcome: str
    language: str
    patient: str | None
    number: str | None  # masked
    started_at: datetime
    last_at: datetime
    ended_at: datetime | None
    turns: tuple[StoredTurn, ...]
    texts: tuple[SentText, ...]


def list_conversations(
    session: Session, *, clinic_id: str, practitioner_id: str | None, country: str, wanted: Wanted, page: int
) -> Listed:
    """Return one page of the list, the newest first. `country` reads numbers typed without a prefix.

    `practitioner_id`: only conversations that are the practitioner's own.
    """
    where = [own_conversations(practitioner_id), *_conditions(clinic_id, country, wanted)]
    total = session.scalar(
        select(func.count()).select_from(_with_patient(select(Conversation.id)).where(*where).subquery())
    )
    page = min(max(1, page), max(1, -(-(total or 0) // PER_PAGE)))
    found = session.execute(
        _with_patient(select(*_OF_A_LINE, Patient.name, _turn_count(), _last_said()))
        .where(*where)
        .order_by(Conversation.last_turn_at.desc(), Conversation.id)
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
    )
    lines = tuple(
        Line(
            id=conversation_id,
            channel=channel,
            outcome=outcome or OPEN,
            last_at=last_at,
            patient=name,
            number=masked(caller) if caller else None,
            turns=turns,
            last_said=last_said,
        )
        for conversation_id, channel, outcome, last_at, caller, name, turns, last_said in found
    )
    return Listed(lines=lines, total=total or 0, page=page)


def read_conversation(
    session: Session, *, clinic_id: str, practitioner_id: str | None, conversation_id: str
) -> ConversationPage | None:
    """Return one conversation with its Turns in order, or None when the clinic, or the practitioner, has no such one."""
    found = session.execute(
        _with_patient(select(Conversation, Patient.name)).where(
            Conversation.clinic_id == clinic_id, Conversation.id == conversation_id, own_conversations(practitioner_id)
        )
    ).one_or_none()
    if found is None:
        return None
    row, patient = found
    turns = session.scalars(select(Turn).where(Turn.conversation_id == row.id).order_by(Turn.number))
    texts = session.scalars(select(SmsMessage).where(SmsMessage.conversation_id == row.id))
    return ConversationPage(
        id=row.id,
        channel=row.channel,
        outcome=row.outcome or OPEN,
        language=row.language,
        patient=patient,
        number=masked(row.caller) if row.caller else None,
        started_at=row.started_at,
        last_at=row.last_turn_at,
        ended_at=row.ended_at,
        turns=tuple(_stored(turn) for turn in turns),
        texts=tuple(SentText(at=one.sent_at or one.due_at, body=one.body, state=one.state) for one in texts),
    )


def _conditions(clinic_id: str, country: str, wanted: Wanted) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [Conversation.clinic_id == clinic_id]
    if wanted.outcome:
        where.append(
            Conversation.outcome.is_(None) if wanted.outcome == OPEN else Conversation.outcome == wanted.outcome
        )
    if wanted.channel:
        where.append(Conversation.channel == wanted.channel)
    if wanted.search:
        where.append(_matches(wanted.search, country))
    return where


def _matches(search: str, country: str) -> ColumnElement[bool]:
    like = f"%{_escaped(search)}%"
    said = select(Turn.id).where(
        Turn.conversation_id == Conversation.id,
        or_(Turn.said.ilike(like, escape="\\"), Turn.reply.ilike(like, escape="\\")),
    )
    ways = [said.exists(), Patient.name.ilike(like, escape="\\")]
    # Numbers are encrypted: only a whole one can be found, by its hash.
    number = to_e164(search, country=country)
    if number:
        ways.append(Conversation.caller_hash == phone_hash(number))
    return or_(*ways)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _with_patient(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return statement.outerjoin(Patient, Patient.id == Conversation.patient_id)


def _turn_count() -> Any:
    count = select(func.count()).select_from(Turn).where(Turn.conversation_id == Conversation.id)
    return count.correlate(Conversation).scalar_subquery()


def _last_said() -> Any:
    said = select(Turn.said).where(Turn.conversation_id == Conversation.id, Turn.said != "")
    return said.order_by(Turn.number.desc()).limit(1).correlate(Conversation).scalar_subquery()


def _stored(turn: Turn) -> StoredTurn:
    return StoredTurn(
        number=turn.number,
        channel=turn.channel,
        at=turn.at,
        kind=turn.kind,
        said=turn.said,
        reply=turn.reply,
        message_key=turn.message_key,
        catalogue_version=turn.catalogue_version,
        commands=turn.commands,
        acts=turn.acts,
        writes=turn.writes,
        results=json.loads(turn.results),
        timings=turn.timings,
        tokens_in=turn.tokens_in,
        tokens_out=turn.tokens_out,
        cost=turn.cost,
    )
