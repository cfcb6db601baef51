"""The list of conversations as staff see it: filters, search, one page from a place on. A constant number of queries.

Pages are found by the place where the one before ended, not by counting: the thousandth costs what the first does. What a
filter asks for stands in the statement itself, because how rare it is decides how PostgreSQL had best look for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking.model.patient import Patient
from booking.name_words import name_parts
from booking.patients import phone_hash
from dialog.model import Conversation, ConversationReading, ConversationTag, Turn
from frontdesk.console.reads.own import own_conversations
from frontdesk.console.wanted import DONE, NEEDED, NOT_DONE, OPEN, UNREAD, Wanted
from kernel.db import one_of
from kernel.phone import masked, to_e164
from kernel.search import has_words, words_in

PER_PAGE = 25
COUNTED_TO = 1000
_TAGS_SUGGESTED = 200
_EXCERPT = 160
_WORDS_BEFORE = 5

# Not whole rows: each holds the dialog's state, encrypted, which the list has no use for.
_OF_A_LINE = (
    Conversation.id,
    Conversation.channel,
    Conversation.outcome,
    Conversation.last_turn_at,
    Conversation.caller,
    Conversation.needs_review,
    Conversation.reviewed_by,
    Conversation.has_correction,
)


@dataclass(frozen=True)
class Reader:
    """Who reads the list: their clinic with its zone and its country, which numbers typed without a prefix are of.

    `practitioner_id`: they see only what is this practitioner's own.
    """

    login: str
    clinic_id: str
    zone: ZoneInfo
    country: str
    practitioner_id: str | None = None


@dataclass(frozen=True)
class Place:
    """A place in the list: that of a conversation."""

    at: datetime
    id: str

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.id}"


@dataclass(frozen=True)
class Excerpt:
    """What was said or replied. `turn`: where, of words that were searched for."""

    text: str
    turn: int | None = None


@dataclass(frozen=True)
class Line:
    id: str
    channel: str
    outcome: str
    last_at: datetime
    patient: str | None
    number: str | None  # masked
    needs_review: bool
    reviewed_by: str | None
    has_correction: bool
    is_unread: bool
    turns: int
    excerpt: Excerpt | None  # where it was found; else what the patient said last
    tags: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        return Place(self.last_at, self.id)


@dataclass(frozen=True)
class Listed:
    """One page, the latest first. `total`: counted to COUNTED_TO; None: more. `newer` and `older`: where to go on from."""

    lines: tuple[Line, ...]
    total: int | None
    newer: Place | None
    older: Place | None


@dataclass(frozen=True)
class _Search:
    """What was searched for, taken apart: each a way to find a conversation."""

    words: tuple[str, ...] = ()
    patient_ids: Sequence[str] = field(default=())
    number_hash: str | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {"found_patients": list(self.patient_ids)} if self.patient_ids else {}

    def condition(self) -> ColumnElement[bool]:
        ways: list[ColumnElement[bool]] = []
        if self.words:
            ways.append(has_words(Conversation.words, self.words))
        if self.patient_ids:
            ways.append(one_of(Conversation.patient_id, "found_patients"))
        if self.number_hash:
            ways.append(Conversation.caller_hash == self.number_hash)
        return or_(false(), *ways)


def read_place(text: str) -> Place | None:
    """Return the place that an address names, or None where it names none."""
    at, _, conversation_id = text.partition("~")
    try:
        moment = datetime.fromisoformat(at)
        return Place(moment.astimezone(UTC), conversation_id) if moment.tzinfo and conversation_id else None
    except (ValueError, OverflowError):
        return None


def list_conversations(
    session: Session,
    *,
    reader: Reader,
    wanted: Wanted,
    after: Place | None = None,
    before: Place | None = None,
) -> Listed:
    """Return a page of the list: the latest, those `after` a place, which are older, or those just `before` it."""
    search = _read_search(session, reader, wanted.search)
    where = _conditions(reader, wanted, search)
    found = _page(session, reader, where, search, after=after, before=None if after else before)
    lines = found[:PER_PAGE]
    is_more = len(found) > PER_PAGE
    if before and not after:
        lines.reverse()
        has_newer, has_older = is_more, True
    else:
        has_newer, has_older = after is not None, is_more
    dressed = _with_excerpts(session, _with_tags(session, lines), search.words)
    return Listed(
        lines=tuple(dressed),
        total=_count(session, where, search),
        newer=dressed[0].place if dressed and has_newer else None,
        older=dressed[-1].place if dressed and has_older else None,
    )


def neighbours(session: Session, *, reader: Reader, wanted: Wanted, of: Place) -> tuple[str | None, str | None]:
    """Return the ids of the conversations just before and just after one in the list: the newer and the older."""
    search = _read_search(session, reader, wanted.search)
    where = _conditions(reader, wanted, search)
    newer = _ordered(select(Conversation.id).where(*where, _is_before(of)), upwards=True)
    older = _ordered(select(Conversation.id).where(*where, _is_after(of)), upwards=False)
    return (
        session.scalar(newer.limit(1), search.parameters),
        session.scalar(older.limit(1), search.parameters),
    )


def ids_listed(session: Session, *, reader: Reader, wanted: Wanted, limit: int) -> list[str]:
    """Return the ids of what the list has, the latest first, at most `limit`."""
    search = _read_search(session, reader, wanted.search)
    listed = _ordered(select(Conversation.id).where(*_conditions(reader, wanted, search)), upwards=False)
    return list(session.scalars(listed.limit(limit), search.parameters))


def tags_of_clinic(session: Session, *, clinic_id: str) -> list[str]:
    """Return the tags in use, in order."""
    used = select(ConversationTag.tag).where(ConversationTag.clinic_id == clinic_id).distinct()
    return list(session.scalars(used.order_by(ConversationTag.tag).limit(_TAGS_SUGGESTED)))


def _read_search(session: Session, reader: Reader, text: str) -> _Search:
    if not text:
        return _Search()
    number = to_e164(text, country=reader.country)
    return _Search(
        words=words_in(text),
        patient_ids=_patients_named(session, reader.clinic_id, text),
        # Numbers are encrypted: only a whole one can be found, by its hash.
        number_hash=phone_hash(number) if number else None,
    )


def _patients_named(session: Session, clinic_id: str, text: str) -> list[str]:
    parts = [] if any(letter.isdigit() for letter in text) else name_parts(text)
    if not parts:
        return []
    named = select(Patient.id).where(
        Patient.clinic_id == clinic_id, *(Patient.name_words.contains(f" {part}") for part in parts)
    )
    return list(session.scalars(named))


def _page(
    session: Session,
    reader: Reader,
    where: Sequence[ColumnElement[bool]],
    search: _Search,
    *,
    after: Place | None,
    before: Place | None,
) -> list[Line]:
    """Return the lines next to a place, from it outwards, and one more if there are more."""
    statement = (
        select(*_OF_A_LINE, Patient.name, _has_read(reader).label("is_read"), _turn_count(), _last_said())
        .outerjoin(Patient, Patient.id == Conversation.patient_id)
        .where(*where)
    )
    if after:
        statement = statement.where(_is_after(after))
    if before:
        statement = statement.where(_is_before(before))
    found = session.execute(_ordered(statement, upwards=before is not None).limit(PER_PAGE + 1), search.parameters)
    return [_line(row) for row in found]


def _line(row: Any) -> Line:
    return Line(
        id=row.id,
        channel=row.channel,
        outcome=row.outcome or OPEN,
        last_at=row.last_turn_at,
        patient=row.name,
        number=masked(row.caller) if row.caller else None,
        needs_review=row.needs_review,
        reviewed_by=row.reviewed_by,
        has_correction=row.has_correction,
        is_unread=not row.is_read,
        turns=row.turns,
        excerpt=Excerpt(row.last_said) if row.last_said else None,
    )


def _count(session: Session, where: Sequence[ColumnElement[bool]], search: _Search) -> int | None:
    first = select(literal(1)).select_from(Conversation).where(*where).limit(COUNTED_TO + 1).subquery()
    total = session.scalar(select(func.count()).select_from(first), search.parameters) or 0
    return None if total > COUNTED_TO else total


def _conditions(reader: Reader, wanted: Wanted, search: _Search) -> list[ColumnElement[bool]]:
    begins, ends = wanted.bounds(reader.zone)
    where = [Conversation.clinic_id == reader.clinic_id, own_conversations(reader.practitioner_id)]
    where += [_FILTERS[name](value, reader) for name, value in wanted.given().items() if name in _FILTERS]
    if begins:
        where.append(Conversation.last_turn_at >= begins)
    if ends:
        where.append(Conversation.last_turn_at < ends)
    if wanted.search:
        where.append(search.condition())
    return where


def _is(column: InstrumentedAttribute[Any], value: str) -> ColumnElement[bool]:
    return column == bindparam(None, value, String(), literal_execute=True)


def _has_outcome(code: str, _reader: Reader) -> ColumnElement[bool]:
    return Conversation.outcome.is_(None) if code == OPEN else _is(Conversation.outcome, code)


def _is_reviewed(code: str, _reader: Reader) -> ColumnElement[bool]:
    return {
        NEEDED: and_(Conversation.needs_review),
        DONE: and_(~Conversation.needs_review, Conversation.reviewed_at.is_not(None)),
        NOT_DONE: Conversation.reviewed_at.is_(None),
    }[code]


def _is_tagged(tag: str, reader: Reader) -> ColumnElement[bool]:
    tagged = select(ConversationTag.conversation_id).where(ConversationTag.clinic_id == reader.clinic_id)
    return Conversation.id.in_(tagged.where(_is(ConversationTag.tag, tag)))


_FILTERS: Mapping[str, Callable[[str, Reader], ColumnElement[bool]]] = {
    "outcome": _has_outcome,
    "channel": lambda code, _reader: _is(Conversation.channel, code),
    "language": lambda code, _reader: _is(Conversation.language, code),
    "review": _is_reviewed,
    "reading": lambda code, reader: ~_has_read(reader) if code == UNREAD else _has_read(reader),
    "corrected": lambda _code, _reader: and_(Conversation.has_correction),
    "tag": _is_tagged,
    "practitioner": lambda practitioner_id, _reader: own_conversations(practitioner_id),
}


def _has_read(reader: Reader) -> ColumnElement[bool]:
    """Return the condition that whoever reads the list has read all that was said."""
    return exists().where(
        ConversationReading.login == reader.login,
        ConversationReading.conversation_id == Conversation.id,
        ConversationReading.read_at >= Conversation.last_turn_at,
    )


def _is_after(place: Place) -> ColumnElement[bool]:
    is_after: ColumnElement[bool] = _place() < _of(place)
    return is_after


def _is_before(place: Place) -> ColumnElement[bool]:
    is_before: ColumnElement[bool] = _place() > _of(place)
    return is_before


def _place() -> Any:
    return tuple_(Conversation.last_turn_at, Conversation.id)


def _of(place: Place) -> Any:
    return tuple_(literal(place.at, Conversation.last_turn_at.type), place.id)


def _ordered(statement: Select[*tuple[Any, ...]], *, upwards: bool) -> Select[*tuple[Any, ...]]:
    order = (Conversation.last_turn_at, Conversation.id)
    return statement.order_by(*(order if upwards else (column.desc() for column in order)))


def _turn_count() -> Any:
    count = select(func.count()).select_from(Turn).where(Turn.conversation_id == Conversation.id)
    return count.correlate(Conversation).scalar_subquery().label("turns")


def _last_said() -> Any:
    said = select(func.substr(Turn.said, 1, _EXCERPT)).where(Turn.conversation_id == Conversation.id, Turn.said != "")
    last = said.order_by(Turn.number.desc()).limit(1).correlate(Conversation).scalar_subquery()
    return last.label("last_said")


def _with_tags(session: Session, lines: Sequence[Line]) -> list[Line]:
    tags: dict[str, list[str]] = {line.id: [] for line in lines}
    ours = ConversationTag.conversation_id.in_(tags)
    for row in session.scalars(select(ConversationTag).where(ours).order_by(ConversationTag.tag)):
        tags[row.conversation_id].append(row.tag)
    return [replace(line, tags=tuple(tags[line.id])) for line in lines]


def _with_excerpts(session: Session, lines: Sequence[Line], words: Sequence[str]) -> list[Line]:
    """Show of each line the words that were searched for, where they were said, instead of the last ones."""
    if not words:
        return list(lines)
    best: dict[str, tuple[int, Excerpt]] = {}
    turns = select(Turn.conversation_id, Turn.number, Turn.said, Turn.reply)
    ours = Turn.conversation_id.in_([line.id for line in lines])
    for conversation_id, number, said, reply in session.execute(turns.where(ours).order_by(Turn.number)):
        for text in (said, reply):
            hits = _hits(text, words)
            if hits > best.get(conversation_id, (0, None))[0]:
                best[conversation_id] = hits, Excerpt(_around(text, words), number)
    return [replace(line, excerpt=best[line.id][1] if line.id in best else line.excerpt) for line in lines]


def _hits(text: str, words: Sequence[str]) -> int:
    said = words_in(text)
    *whole, last = words
    return sum(word in said for word in whole) + any(word.startswith(last) for word in said)


def _around(text: str, words: Sequence[str]) -> str:
    """Return as much of a text as fits a line, from a little before the first word that was searched for."""
    if len(text) <= _EXCERPT:
        return text
    parts = text.split()
    first = next((at for at, part in enumerate(parts) if _hits(part, words)), 0)
    begin = max(0, first - _WORDS_BEFORE)
    cut = " ".join(parts[begin:])
    return ("… " if begin else "") + cut[:_EXCERPT] + ("…" if len(cut) > _EXCERPT else "")
