"""What the claims of a reply rest on: each time it names leads to the free time, or the row, that the Turn had before it. Pure.

The agent says nothing that was not read or written first, and its Turns keep what that was. A claim for which nothing is
found is shown as such: that is what staff look for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from booking.values import Catalogue
from dialog.acts import Say
from dialog.inbound import Channel
from dialog.languages import SPOKEN
from dialog.wording.moments import Moments
from dialog.wording.render import wording
from frontdesk.console.dates import DateWriter
from frontdesk.console.reads.visits import Visit
from frontdesk.console.stored_turn import StoredTurn
from frontdesk.console.words import Words

_OF_CLINIC = frozenset(
    {
        Say.CLINIC_ANSWER, Say.HOURS, Say.HOURS_ON, Say.ADDRESS, Say.PARKING, Say.PRICE, Say.SERVICES, Say.SERVICE_OFFERED,
        Say.PRACTITIONERS, Say.WHO_OFFERS, Say.WORKS_WHEN, Say.WORKS_ON, Say.NOT_IN_ON, Say.WORKING_ON, Say.LANGUAGES,
        Say.LANGUAGE_SPOKEN_BY, Say.PREPARATION, Say.NO_PREPARATION, Say.PREPARATION_NOTE, Say.DURATION, Say.PHONE,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """A stretch of a reply; `number` is that of the evidence for what it claims."""

    text: str
    number: int | None = None


@dataclass(frozen=True)
class Evidence:
    """What one claim rests on. `found_in`: the Turn that read it, where that was an earlier one."""

    claim: str
    words: str
    appointment_id: str | None = None
    status: str | None = None  # of the appointment, at present
    found_in: int | None = None
    is_missing: bool = False


@dataclass(frozen=True)
class TurnEvidence:
    """A reply in pieces, and the evidence they refer to, counted from one."""

    pieces: tuple[Piece, ...] = ()
    items: tuple[Evidence, ...] = ()


NO_EVIDENCE = TurnEvidence()


@dataclass(frozen=True)
class _Claim:
    """A time that was said, of a visit where the act names one."""

    starts_at: datetime
    location_id: str | None
    appointment_id: str | None


@dataclass(frozen=True)
class _Source:
    """Something that a Turn read or wrote: a free time, or with an id a visit."""

    turn: int
    starts_at: datetime
    practitioner_id: str | None
    location_id: str | None
    appointment_id: str | None


def appointment_ids(turns: Sequence[StoredTurn]) -> list[str]:
    """Return the ids of all appointments that these Turns wrote, read or named, each once."""
    written = [entry.get("appointment_id") for turn in turns for entry in turn.writes]
    read = [source.appointment_id for turn in turns for source in _sources(turn)]
    named = [claim.appointment_id for turn in turns for claim in _claims(turn)]
    return list(dict.fromkeys(each for each in (*written, *read, *named) if each))


def evidence_of(
    turns: Sequence[StoredTurn],
    *,
    catalogue: Catalogue,
    visits: Mapping[str, Visit],
    words: Words,
    dates: DateWriter,
) -> list[TurnEvidence]:
    """Return for each of a conversation's Turns what its reply rests on. `visits`: as they are now, by id."""
    reader = _Reader(catalogue, visits, words, dates)
    sources: list[_Source] = []
    found = []
    for turn in turns:
        sources += _sources(turn)
        found.append(reader.read(turn, sources))
    return found


@dataclass(frozen=True)
class _Reader:
    catalogue: Catalogue
    visits: Mapping[str, Visit]
    words: Words
    dates: DateWriter

    def read(self, turn: StoredTurn, sources: Sequence[_Source]) -> TurnEvidence:
        items: list[Evidence] = []
        places: list[tuple[int, int, int]] = []
        for claim in dict.fromkeys(_claims(turn)):
            said = self._place_in(turn, claim)
            items.append(self._evidence(turn, claim, sources, said=turn.reply[slice(*said)] if said else None))
            if said:
                places.append((*said, len(items)))
        if any(_say_of(act) in _OF_CLINIC for act in turn.acts):
            version = self.words("evidence.clinic", version=turn.catalogue_version)
            items.append(Evidence(claim=self.words("evidence.about_clinic"), words=version))
        return TurnEvidence(pieces=_cut(turn.reply, places), items=tuple(items))

    def _evidence(self, turn: StoredTurn, claim: _Claim, sources: Sequence[_Source], *, said: str | None) -> Evidence:
        text = said or self.dates.day_and_time(self._wall(claim))
        source = _source_of(claim, sources)
        appointment_id = claim.appointment_id or (source.appointment_id if source else None)
        visit = self.visits.get(appointment_id or "")
        found_in = source.turn if source and source.turn != turn.number else None
        if visit:
            words = f"{visit.service}, {self.dates.day_and_time(visit.starts_local)}, {visit.practitioner}"
            if visit.starts_at != claim.starts_at:
                words = self.words("evidence.now", visit=words)
            return Evidence(text, words, visit.id, visit.status, found_in)
        if source is None:
            return Evidence(text, self.words("evidence.nothing"), is_missing=True)
        names = {one.id: one.name for one in self.catalogue.practitioners}
        names |= {one.id: one.name for one in self.catalogue.locations}
        who = ", ".join(names[each] for each in (source.practitioner_id, source.location_id) if each in names)
        key = "evidence.was_visit" if source.appointment_id else "evidence.free"
        return Evidence(text, self.words(key, who=who), found_in=found_in)

    def _place_in(self, turn: StoredTurn, claim: _Claim) -> tuple[int, int] | None:
        """Return where the reply says the time: with its day if it can be, in whichever language was spoken then."""
        wall, reply = self._wall(claim), turn.reply.casefold()
        channel = Channel(turn.channel) if turn.channel in set(Channel) else Channel.SMS
        ways = [Moments(wording(language)["parts"], channel, self.catalogue.country) for language in SPOKEN]
        for phrase in (*(way.moment(wall) for way in ways), *(way.time(wall) for way in ways)):
            start = reply.find(phrase.casefold())
            if start >= 0:
                return start, start + len(phrase)
        return None

    def _wall(self, claim: _Claim) -> datetime:
        zones = {place.id: place.zone for place in self.catalogue.locations}
        return claim.starts_at.astimezone(zones.get(claim.location_id or "", self.catalogue.zone))


def _claims(turn: StoredTurn) -> Iterator[_Claim]:
    for act in turn.acts:
        if not isinstance(act, Mapping):
            continue
        for part in _parts(act.get("fields", {})):
            starts_at = _instant(part.get("starts_at"))
            if starts_at:
                yield _Claim(starts_at, part.get("location"), part.get("appointment"))


def _sources(turn: StoredTurn) -> Iterator[_Source]:
    for entry in turn.results if isinstance(turn.results, list) else ():
        for part in _parts(entry.get("result", {})):
            starts_at = _instant(part.get("starts_at"))
            if starts_at:
                who, where = part.get("practitioner_id"), part.get("location_id")
                yield _Source(turn.number, starts_at, who, where, part.get("id"))


def _source_of(claim: _Claim, sources: Sequence[_Source]) -> _Source | None:
    """Return what a claim rests on: of the visit it names or else of its time, the latest, and a visit before a free time."""
    fitting = [one for one in sources if one.starts_at == claim.starts_at]
    named = [one for one in fitting if claim.appointment_id and one.appointment_id == claim.appointment_id]
    if claim.appointment_id:
        return named[-1] if named else None
    return max(fitting, key=lambda one: (one.turn, one.appointment_id is not None), default=None)


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Return every object within a stored value, itself included."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)


def _instant(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _say_of(act: Any) -> str:
    return str(act.get("say")) if isinstance(act, Mapping) else str(act)


def _cut(reply: str, places: Sequence[tuple[int, int, int]]) -> tuple[Piece, ...]:
    """Cut a reply at the claims in it; one that lies within another is left out."""
    pieces, end = [], 0
    for start, stop, number in sorted(places):
        if start < end:
            continue
        pieces += [Piece(reply[end:start]), Piece(reply[start:stop], number)]
        end = stop
    return tuple(piece for piece in (*pieces, Piece(reply[end:])) if piece.text)
