"""A conversation between turns: read as a snapshot, claimed by its version, and written with the Turn."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import Boolean, Select, String, bindparam, func, insert, literal_column, or_, select, true, update
from sqlalchemy.orm import Session

from booking import patients
from booking.catalogue import VERSION
from booking.values import Catalogue
from dialog import state as states
from dialog.acts import Act
from dialog.commands import Command, GiveBirthDate, GiveEmail, GivePhone, to_json
from dialog.draft import Decision, Setting
from dialog.inbound import Channel, Inbound, InboundKind, Reply, StaffTurn
from dialog.languages import first_language
from dialog.model import Conversation, Turn
from dialog.review import asks_for_review
from dialog.state import DialogState, Outcome
from kernel import crypto, inbox
from kernel.db import NewRow, Ready, new_id, table_of
from kernel.phone import may_take_texts
from kernel.search import with_words, words_in
from kernel.together import change_and_write
from kernel.work import UnitOfWork

SMS_CONVERSATION_LASTS = timedelta(hours=24)
ANSWERED_WITHIN = timedelta(minutes=10)
"""So long a patient's words wait for staff who have the conversation; then the agent answers again."""
PICK_UP_AFTER = timedelta(seconds=15)
_ACT = TypeAdapter(Act)
_RESULTS = TypeAdapter(list[dict[str, Any]])  # writes hundreds of times sooner than `json` does
_HIDDEN = "(kept encrypted)"

# Each is sent with every turn.
_CONVERSATION, _TURN = table_of(Conversation), table_of(Turn)
_KNOWN = _CONVERSATION.c
_TURNS = select(func.count()).where(_TURN.c.conversation_id == _KNOWN.id).scalar_subquery()
_SNAPSHOT = select(
    _KNOWN.id,
    _KNOWN.thread_hash,
    _KNOWN.version,
    _KNOWN.state,
    _KNOWN.is_on_call,
    _TURNS.label("turn_count"),
    _KNOWN.taken_by,
    _KNOWN.taken_at,
    _KNOWN.taken_until,
    _KNOWN.waits_since,
)


def _with_the_rest(conversation: Select[*tuple[Any, ...]]) -> Ready:
    """Return the statement that reads all that a message meets: one row, whether there is a conversation or not."""
    found = conversation.subquery("found")
    always = select(literal_column("1")).subquery("always")
    return Ready(
        select(inbox.ANSWER.scalar_subquery(), VERSION.scalar_subquery(), *found.c).select_from(
            always.outerjoin(found, true())
        )
    )


_OF_CALL = _with_the_rest(
    _SNAPSHOT.where(
        _KNOWN.id
        == select(_TURN.c.conversation_id)
        .where(_TURN.c.thread_hash == bindparam("thread_hash"))
        .order_by(_TURN.c.at.desc())
        .limit(1)
        .scalar_subquery()
    )
)
_OF_NUMBER = _with_the_rest(
    _SNAPSHOT.where(
        _KNOWN.caller_hash == bindparam("caller_hash"),
        _KNOWN.clinic_id == bindparam("clinic_id"),
        _KNOWN.ended_at.is_(None),
        _KNOWN.last_turn_at >= bindparam("since"),
    )
    # What staff have comes first: a call in between must not take the patient's answer away from them.
    .order_by(_KNOWN.taken_by.is_(None), _KNOWN.last_turn_at.desc(), _KNOWN.started_at.desc())
    .limit(1)
)
_OF_CHAT = _with_the_rest(
    _SNAPSHOT.where(
        _KNOWN.thread_hash == bindparam("thread_hash"),
        _KNOWN.ended_at.is_(None),
        _KNOWN.last_turn_at >= bindparam("since"),
    )
    .order_by(_KNOWN.started_at.desc())
    .limit(1)
)
_BEGIN = Ready(insert(_CONVERSATION).inline().values({one.name: bindparam(one.name) for one in _KNOWN}))
_CLAIM = Ready(
    update(_CONVERSATION)
    .where(_KNOWN.id == bindparam("conversation_id"), _KNOWN.version == bindparam("version_read"))
    .values(version=_KNOWN.version + 1)
    .returning(_KNOWN.id)
)
_GO_ON = (
    update(_CONVERSATION)
    .where(_KNOWN.id == bindparam("of_conversation"))
    .values(
        state=bindparam("new_state"),
        language=bindparam("new_language"),
        outcome=bindparam("new_outcome"),
        patient_id=func.coalesce(bindparam("new_patient_id", type_=String()), _KNOWN.patient_id),
        last_turn_at=bindparam("turned_at"),
        ended_at=bindparam("new_ended_at"),
        is_on_call=bindparam("new_is_on_call"),
        pick_up_at=bindparam("new_pick_up_at"),
        words=with_words(_KNOWN.words, "new_words"),
        needs_review=or_(_KNOWN.needs_review, bindparam("new_needs_review", type_=Boolean())),
        taken_by=bindparam("new_taken_by"),
        taken_until=bindparam("new_taken_until"),
        waits_since=bindparam("new_waits_since"),
    )
)


class _Stored(NamedTuple):
    """A row of `_SNAPSHOT`."""

    id: str
    thread_hash: str
    version: int
    state: str
    is_on_call: bool
    turn_count: int
    taken_by: str | None
    taken_at: datetime | None
    taken_until: datetime | None
    waits_since: datetime | None


class StaleConversation(Exception):
    """Somebody else wrote a turn of this conversation in between: the lease was lost. Decide again from what stands now."""


@dataclass(frozen=True)
class Taken:
    """That somebody of the staff has the conversation: who, by log-in, since when, and until when if they do no more."""

    by: str
    at: datetime
    until: datetime
    waits_since: datetime | None = None  # the first words of the patient that they have not answered

    def with_words(self, now: datetime) -> "Taken":
        """Return the same after words of the patient, which do not wait for ever."""
        return replace(self, until=min(self.until, now + ANSWERED_WITHIN), waits_since=self.waits_since or now)


@dataclass(frozen=True)
class Snapshot:
    """The conversation as it stood when the message was read. `version` is -1 for one that is still to be made."""

    conversation_id: str
    thread_hash: str
    version: int
    state: DialogState
    turn_count: int
    taken: Taken | None = None  # may have lapsed

    @property
    def is_new(self) -> bool:
        return self.version < 0


@dataclass(frozen=True)
class Found:
    """What a message meets: what it was answered before, its clinic's version (None: no such clinic), its conversation."""

    answer: str | None
    catalogue_version: int | None
    conversation: _Stored | None


@dataclass(frozen=True)
class Understood:
    """What the interpreter made of the words."""

    text: str
    commands: tuple[Command, ...] = ()
    confidence: float | None = None
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


@dataclass
class Account:
    """What there is to say of a turn afterwards."""

    writes: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    cost: float | None = None  # of the tokens


def thread_hash(inbound: Inbound) -> str:
    """Return what the thread of a message is found by. The vendor's name of it may hold a number, so it is not kept itself."""
    return hash_of_thread(clinic_id=inbound.clinic_id, channel=inbound.channel, thread_key=inbound.thread_key)


def hash_of_thread(*, clinic_id: str, channel: Channel, thread_key: str) -> str:
    """Return what the thread is found by that the vendor calls `thread_key`."""
    return crypto.keyring().lookup_hash(f"{clinic_id}|{channel.value}|{thread_key}")


def find(session: Session, inbound: Inbound, *, now: datetime) -> Found:
    """Return what a message meets. One statement, which every message waits for; two for a call that begins.

    A call stays with its conversation whatever happens. A new call goes on with what the caller left open, and a text with
    what its sender last talked about by call or text, unless that was ended or is a day old. A chat goes on with itself.
    """
    if inbound.channel is Channel.SMS:
        return _of_number(session, inbound, now)
    if inbound.channel is Channel.WEB:
        chat = {"thread_hash": thread_hash(inbound), "since": now - SMS_CONVERSATION_LASTS}
        return _found(_OF_CHAT, session, inbound, chat)
    of_call = _found(_OF_CALL, session, inbound, {"thread_hash": thread_hash(inbound)})
    if of_call.conversation is not None or inbound.kind is not InboundKind.START:
        return of_call
    of_number = _of_number(session, inbound, now)
    last = of_number.conversation
    # Somebody else may be calling from the same number at this moment: theirs is not to be taken over. And what staff
    # have in hand by text is theirs; the agent answers the call anew.
    is_free = last is not None and not last.is_on_call and last.taken_by is None
    is_left_open = is_free and last is not None and state_in(last).flow is not None
    return of_number if is_left_open else of_call


def snapshot(
    session: Session, inbound: Inbound, found: Found, *, catalogue: Catalogue, before: Snapshot | None = None
) -> Snapshot:
    """Return the conversation the message belongs to, or a new one that knows who has the caller's number, and their language.

    `before` is what was read before of the same message: a conversation that was new then and still is need not be made again.
    Its `thread_hash` is what messages are put in order by: the same for all of one conversation, also those of its very beginning.
    """
    row = found.conversation
    if row is None and before is not None and before.is_new:
        return before
    if row is None:
        return Snapshot(new_id(), thread_hash(inbound), -1, _first_state(session, inbound, catalogue), 0)
    return Snapshot(row.id, row.thread_hash, row.version, state_in(row), row.turn_count, _taken(row))


def claim(work: UnitOfWork, inbound: Inbound, snapshot: Snapshot, *, now: datetime) -> None:
    """Take the conversation for this turn: make it, or count its version up. Raises StaleConversation when it moved on."""
    if snapshot.is_new:
        _BEGIN.rows(work.session, _new_conversation(inbound, snapshot, now))
        return
    read_as = {"conversation_id": snapshot.conversation_id, "version_read": snapshot.version}
    if not _CLAIM.rows(work.session, read_as):
        raise StaleConversation


def append(
    work: UnitOfWork,
    inbound: Inbound,
    snapshot: Snapshot,
    *,
    setting: Setting,
    understood: Understood,
    decision: Decision,
    reply: Reply,
    account: Account,
    answered: NewRow,
    taken: Taken | None = None,
) -> None:
    """Write the Turn, the state after it, and what the message was answered. `taken`: who of the staff has it from now on."""
    state = decision.state
    turn = {
        "id": new_id(),
        "conversation_id": snapshot.conversation_id,
        "number": snapshot.turn_count + 1,
        "channel": inbound.channel.value,
        "thread_hash": thread_hash(inbound),
        "kind": kind_of(inbound, taken),
        "message_key": inbound.message_key,
        "said": understood.text,
        "reply": reply.text,
        "commands": [_shown(one) for one in understood.commands],
        "heard": json.dumps([to_json(one) for one in understood.commands]),
        "confidence": understood.confidence,
        "acts": [act_shown(one) for one in decision.acts],
        "writes": account.writes,
        "results": _RESULTS.dump_json(account.results).decode(),
        "at": setting.now,
        "catalogue_version": setting.catalogue.version,
        "timings": dict(account.timings),
        "tokens_in": understood.tokens_in,
        "tokens_out": understood.tokens_out,
        "cost": account.cost,
        "staff": taken.by if taken else None,
    }
    is_ended = decision.ends and decision.transfer_to is None
    conversation = {
        "of_conversation": snapshot.conversation_id,
        "new_state": stored(state),
        "new_language": state.language,
        "new_outcome": _outcome_of(state),
        "new_patient_id": _patient_of(state),
        "turned_at": setting.now,
        "new_ended_at": setting.now if is_ended else None,
        "new_is_on_call": state.is_on_call,
        "new_words": words_in(f"{understood.text} {reply.text}"),
        "new_needs_review": asks_for_review(decision.acts, account.writes),
        "new_pick_up_at": None if taken else _pick_up_at(state, inbound),
        "new_taken_by": taken.by if taken else None,
        "new_taken_until": taken.until if taken else None,
        "new_waits_since": taken.waits_since if taken else None,
    }
    change_and_write(work.session, _GO_ON, conversation, rows=[NewRow(_TURN, turn), answered])


def act_shown(act: Act) -> dict[str, Any]:
    """Return an act as a Turn keeps it."""
    shown: dict[str, Any] = _ACT.dump_python(act, mode="json")
    return shown


def stored(state: DialogState) -> str:
    """Return the state as a conversation keeps it."""
    return json.dumps(states.to_json(state))


def state_in(row: "Conversation | _Stored") -> DialogState:
    """Return the state that a conversation keeps."""
    return states.from_json(json.loads(row.state))


def is_for_staff(inbound: Inbound, taken: Taken | None) -> bool:
    """Say whether a message is read by staff, and the agent is silent. Who calls is answered: staff have no part in a call."""
    return taken is not None and inbound.channel is not Channel.VOICE


def kind_of(inbound: Inbound, taken: Taken | None) -> str:
    """Return the kind of a Turn."""
    return StaffTurn.SAID_TO_STAFF.value if is_for_staff(inbound, taken) else inbound.kind.value


def _taken(row: _Stored) -> Taken | None:
    if row.taken_by is None or row.taken_at is None or row.taken_until is None:
        return None
    return Taken(row.taken_by, row.taken_at, row.taken_until, row.waits_since)


def _shown(command: Command) -> dict[str, Any]:
    """Return a command as the transcript shows it: what identifies somebody is encrypted elsewhere and not repeated here."""
    if isinstance(command, (GiveBirthDate, GiveEmail, GivePhone)):
        return {"name": command.name, "value": _HIDDEN}
    return to_json(command)


def _new_conversation(inbound: Inbound, snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    return {
        "id": snapshot.conversation_id,
        "clinic_id": inbound.clinic_id,
        "channel": inbound.channel.value,
        "thread_hash": snapshot.thread_hash,
        "caller": inbound.caller,
        "caller_hash": patients.phone_hash(inbound.caller) if inbound.caller else None,
        "patient_id": None,
        "language": snapshot.state.language,
        "state": "{}",
        "version": 0,
        "outcome": None,
        "needs_review": False,
        "started_at": now,
        "last_turn_at": now,
        "ended_at": None,
        "is_on_call": False,
        "pick_up_at": None,
        "words": (),
        "reviewed_at": None,
        "reviewed_by": None,
        "has_correction": False,
        "taken_by": None,
        "taken_at": None,
        "taken_until": None,
        "waits_since": None,
    }


def _of_number(session: Session, inbound: Inbound, now: datetime) -> Found:
    """Return the conversation that this number had last and that may go on; none for a withheld number."""
    asked = {
        "caller_hash": patients.phone_hash(inbound.caller) if inbound.caller else None,
        "since": now - SMS_CONVERSATION_LASTS,
    }
    return _found(_OF_NUMBER, session, inbound, asked)


def _found(statement: Ready, session: Session, inbound: Inbound, asked: dict[str, Any]) -> Found:
    given = {"key": inbound.message_key, "clinic_id": inbound.clinic_id, **asked}
    [(answer, version, *conversation)] = statement.rows(session, given)
    return Found(answer, version, None if conversation[0] is None else _Stored(*conversation))


def _outcome_of(state: DialogState) -> str | None:
    """Return what it has come to. A call that dropped counts as given up until they are heard again."""
    if state.cut_off_at is not None and state.outcome is None:
        return Outcome.ABANDONED.value
    return state.outcome.value if state.outcome else None


def _pick_up_at(state: DialogState, inbound: Inbound) -> datetime | None:
    """Return when a dropped call is to be picked up by text, which a landline can't be. They may be dialling already."""
    if state.cut_off_at is None or inbound.caller is None or not may_take_texts(inbound.caller):
        return None
    return state.cut_off_at + PICK_UP_AFTER


def _first_state(session: Session, inbound: Inbound, catalogue: Catalogue) -> DialogState:
    known = patients.find_by_phone(session, clinic_id=inbound.clinic_id, phone=inbound.caller) if inbound.caller else ()
    language = first_language(catalogue, of_patients=[one.language for one in known])
    return DialogState(language=language, number_patients=tuple(one.id for one in known))


def _patient_of(state: DialogState) -> str | None:
    """The patient this turned out to be about. A number alone is no proof, so it is not enough."""
    return state.verified_id or state.served_id
