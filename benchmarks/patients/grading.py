"""What must stand in the diary after a conversation, and what may not: the goal against the rows before and after."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from sqlalchemy import select

from benchmarks.patients.claims import moments_in
from benchmarks.patients.goals import Errand, Existing, Goal, Kind, Somebody, Wish
from benchmarks.patients.patient import is_answered
from benchmarks.patients.world import Row, World
from booking.model.task import StaffTask
from booking.model.waitlist import WaitlistEntry

_SAME_NAME = 88  # of 100: a newcomer's name as it was heard


@dataclass(frozen=True)
class After:
    """What there is to grade: the rows on both sides, the replies in order, and whether somebody was put through."""

    before: Mapping[str, Row]
    after: Mapping[str, Row]
    replies: Sequence[str]
    is_transferred: bool


def faults(goal: Goal, played: After, *, world: World) -> list[str]:
    """Return in words what is not as the goal wants it; nothing when all is."""
    return list(_Grader(goal, played, world).faults())


class _Grader:
    def __init__(self, goal: Goal, played: After, world: World) -> None:
        self._goal, self._played, self._world = goal, played, world
        self._new = [one for key, one in played.after.items() if key not in played.before and not one.is_hold]
        self._changed = {
            key: one for key, one in played.after.items() if key in played.before and one != played.before[key]
        }

    def faults(self) -> Iterator[str]:
        for errand in self._goal.errands:
            yield from self._of(errand)
        for one in self._new:
            yield f"also booked: {_told(one)}"
        for key, one in self._changed.items():
            yield f"also changed: {_told(self._played.before[key])} to {_told(one)}"
        if self._goal.digression is not None and not self._is_told(self._goal.digression):
            yield f"the question was not answered: {self._goal.digression.topic}"

    def _of(self, errand: Errand) -> Iterator[str]:
        match errand.kind:
            case Kind.BOOK:
                return self._booked(errand)
            case Kind.MOVE | Kind.CANCEL:
                return self._altered(errand)
            case Kind.WHEN | Kind.ASK:
                return self._informed(errand)
            case _:
                return self._looked_after(errand)

    def _informed(self, errand: Errand) -> Iterator[str]:
        if errand.visit is not None and errand.visit.start not in self._moments():
            yield "was not told when the visit is"
        if errand.kind is Kind.ASK and not self._is_told(errand):
            yield f"the question was not answered: {errand.topic}"

    def _looked_after(self, errand: Errand) -> Iterator[str]:
        has_task = self._has(StaffTask)
        if errand.kind is Kind.WAIT and not has_task and not self._has(WaitlistEntry):
            yield "is on no waiting list"
        if errand.kind is Kind.PERSON and not has_task and not self._played.is_transferred:
            yield "was not handed to a person"
        if errand.kind is Kind.DANGER and not has_task:
            yield "the staff do not know of the emergency"
        if errand.kind is Kind.DANGER and "911" not in next(iter(self._played.replies), "").replace("9 1 1", "911"):
            yield "was not told to call the emergency number at once"

    def _booked(self, errand: Errand) -> Iterator[str]:
        wish, person = errand.wish or Wish(""), errand.person or self._goal.me
        found = next((one for one in self._new if not list(self._wrong(one, wish, person))), None)
        if found is not None:
            self._new.remove(found)
            return
        near = next((one for one in self._new if one.service == wish.service), None)
        if near is None:
            yield f"not booked: {wish.service}"
            return
        self._new.remove(near)
        yield f"booked {_told(near)}, but not as wished: {', '.join(self._wrong(near, wish, person))}"

    def _altered(self, errand: Errand) -> Iterator[str]:
        visit = errand.visit
        key = next((key for key, one in self._played.before.items() if visit and _is(one, visit)), None)
        row = self._changed.pop(key, None) if key else None
        if row is None:
            yield f"nothing became of the visit to {errand.kind.value}"
        elif errand.kind is Kind.CANCEL and row.status != "cancelled":
            yield f"the visit is {row.status} and not cancelled"
        elif errand.kind is Kind.MOVE and errand.wish is not None:
            wrong = list(self._wrong(row, errand.wish, visit.patient if visit else self._goal.me))
            if wrong or row.status != "booked":
                yield f"moved to {_told(row)}, but not as wished: {', '.join(wrong) or row.status}"

    def _wrong(self, row: Row, wish: Wish, person: Somebody) -> Iterator[str]:
        who = next((one for one in self._world.catalogue.practitioners if one.key == row.practitioner), None)
        checks = {
            "service": row.service == wish.service,
            "status": row.status in {"booked", "pending"},
            "practitioner": wish.practitioner in {None, row.practitioner},
            "gender": wish.gender is None or (who is not None and who.gender == wish.gender),
            "location": wish.location in {None, row.location},
            "day": wish.days.allow(row.start.date()),
            "time": wish.times.allow(row.start.hour * 60 + row.start.minute),
            "patient": self._is_person(row, person),
        }
        yield from (
            f"{what}{f' ({row.patient} {row.born})' if what == 'patient' else ''}"
            for what, is_so in checks.items()
            if not is_so
        )

    def _is_person(self, row: Row, person: Somebody) -> bool:
        is_on_file = any((one.name, one.born) == (person.name, person.born) for one in self._world.people)
        if is_on_file:
            return (row.patient, row.born) == (person.name, person.born)
        return row.born == person.born and fuzz.ratio((row.patient or "").lower(), person.name.lower()) >= _SAME_NAME

    def _moments(self) -> set[object]:
        return {at for text in self._played.replies for at in moments_in(text, world=self._world, goal=self._goal)}

    def _is_told(self, errand: Errand) -> bool:
        return any(is_answered(errand, text) for text in self._played.replies)

    def _has(self, kind: type[WaitlistEntry] | type[StaffTask]) -> bool:
        with self._world.services.db.read() as session:
            return session.scalars(select(kind.id).where(kind.conversation_id.is_not(None))).first() is not None


def _is(row: Row, visit: Existing) -> bool:
    return (row.service, row.start, row.patient, row.born) == (
        visit.service,
        visit.start,
        visit.patient.name,
        visit.patient.born,
    )


def _told(row: Row) -> str:
    return (
        f"{row.service} {row.start:%a %d %b %H:%M} {row.practitioner} {row.location} for {row.patient} ({row.status})"
    )
