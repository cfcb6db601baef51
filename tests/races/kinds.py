"""The kinds of races: what stands in the diary before, who wants what at once, and what must be true afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from booking.model.appointment import Appointment, AppointmentChange, Participant
from booking.model.waitlist import Offer
from booking.patients import register_patient
from booking.queries import find_slots
from booking.queries import visit as visit_of
from booking.several.bundles import PartWish
from booking.several.groups import open_session
from booking.values import AppointmentStatus, BookedVisit, BundleKind, Catalogue, SlotQuery, Source
from booking.waiting_list.freed_time import offer_freed_time
from booking.waiting_list.waiting import OfferStatus
from booking.waiting_list.waitlist import join_waitlist
from kernel.interval import Interval
from kernel.work import Database, OutboxEntry
from tests.races import deeds
from tests.races.clinic import PEOPLE, at, eve
from tests.races.deeds import Deed, Ending

MANY = 6
Judge = Callable[[Sequence[Ending]], list[str]]


@dataclass(frozen=True)
class Stage:
    """Where a round takes place: a day of its own in the diary of one clinic."""

    db: Database
    catalogue: Catalogue
    patient_ids: tuple[str, ...]
    day: int

    @property
    def now(self) -> datetime:
        return eve(self.day)

    def at(self, hour: float) -> datetime:
        return at(self.day, hour)

    def name(self, number: int) -> str:
        """Return the conversation of the one with this number in this round."""
        return f"conversation-{self.day}-{number}"

    def book(self, number: int, *, hour: float, people: tuple[str, ...], service: str = "visit") -> BookedVisit:
        """Put a visit into the diary before the race."""
        return deeds.book(self.db, self.catalogue, **self._wish(number, hour=hour, people=people, service=service))

    def wants(self, number: int, *, hour: float, people: tuple[str, ...] = (), service: str = "visit") -> Deed:
        """Return the deed of a patient who books."""
        return Deed("book", self._wish(number, hour=hour, people=people, service=service))

    def moves(self, number: int, visit: BookedVisit, *, hour: float, people: tuple[str, ...]) -> Deed:
        """Return the deed of a patient who moves a visit."""
        return Deed(
            "move",
            {
                "visit_id": visit.id,
                "service": visit.service_id.removeprefix("service-"),
                "people": people,
                "starts_at": self.at(hour),
                "conversation_id": f"{self.name(number)}-moves",
                "now": self.now,
            },
        )

    def hold(
        self, number: int, *, hour: float, people: tuple[str, ...], replaces: BookedVisit | None = None
    ) -> BookedVisit:
        """Keep a time before the race."""
        return deeds.hold(
            self.db,
            self.catalogue,
            people=people,
            starts_at=self.at(hour),
            conversation_id=f"{self.name(number)}-holds",
            now=self.now,
            replaces_id=None if replaces is None else replaces.id,
        )

    def read(self, visit: BookedVisit) -> BookedVisit:
        with self.db.read() as session:
            return visit_of(session, appointment_id=visit.id)

    def booked_at(self, *hours: float) -> int:
        """Return how many visits are booked to start at these times."""
        with self.db.read() as session:
            return session.scalars(
                select(func.count()).where(
                    Appointment.status == AppointmentStatus.BOOKED,
                    Appointment.starts_at.in_([self.at(hour) for hour in hours]),
                )
            ).one()

    def lines(self, visit: BookedVisit, what: str) -> int:
        """Return how often something happened to a visit."""
        with self.db.read() as session:
            condition = (AppointmentChange.appointment_id == visit.id, AppointmentChange.what == what)
            return session.scalars(select(func.count()).where(*condition)).one()

    def _wish(self, number: int, *, hour: float, people: tuple[str, ...], service: str) -> dict[str, Any]:
        return {
            "service": service,
            "people": people,
            "starts_at": self.at(hour),
            "patient_id": self.patient_ids[number],
            "conversation_id": self.name(number),
            "now": self.now,
        }


@dataclass(frozen=True)
class Kind:
    """A race by name. `prepare` fills the day and gives the deeds, and what to ask of their endings and the diary."""

    name: str
    prepare: Callable[[Stage], tuple[list[Deed], Judge]]


def take_on_patients(db: Database, catalogue: Catalogue) -> tuple[str, ...]:
    """Register as many patients as a round may need."""
    with db.begin() as work:
        people = [
            register_patient(
                work,
                clinic_id=catalogue.clinic_id,
                name=f"Patient {n}",
                birth_date=None,
                phone=None,
                language=None,
                now=at(0, 0),
            )
            for n in range(2 * MANY)
        ]
        return tuple(str(one.id) for one in people)


def _done(endings: Sequence[Ending]) -> int:
    return sum(ending.how == "done" for ending in endings)


def _exactly(number: int, stage: Stage, *hours: float) -> Judge:
    """So many get the time, and as many are in the diary."""

    def judge(endings: Sequence[Ending]) -> list[str]:
        done, booked = _done(endings), stage.booked_at(*hours)
        return [] if done == booked == number else [f"{number} were to win, {done} did and {booked} are booked"]

    return judge


def _same_slot(stage: Stage) -> tuple[list[Deed], Judge]:
    return [stage.wants(n, hour=9, people=("ann",)) for n in range(MANY)], _exactly(1, stage, 9)


def _anybody(stage: Stage) -> tuple[list[Deed], Judge]:
    return [stage.wants(n, hour=9) for n in range(MANY)], _exactly(len(PEOPLE), stage, 9)


def _unequal_times(stage: Stage) -> tuple[list[Deed], Judge]:
    hours = (9, 9.25, 9.5, 9, 9.25, 9.5)

    def judge(endings: Sequence[Ending]) -> list[str]:
        won = sorted(hour for hour, ending in zip(hours, endings, strict=True) if ending.how == "done")
        full = won in ([9.25], [9, 9.5])
        booked = stage.booked_at(*set(hours))
        return [] if full and booked == len(won) else [f"won {won}, booked {booked}: not all that could be"]

    return [stage.wants(n, hour=hour, people=("ann",)) for n, hour in enumerate(hours)], judge


def _rooms(stage: Stage) -> tuple[list[Deed], Judge]:
    wishes = [stage.wants(n, hour=9, people=(PEOPLE[n % len(PEOPLE)],), service="room-visit") for n in range(MANY)]
    return wishes, _exactly(2, stage, 9)


def _same_patient(stage: Stage) -> tuple[list[Deed], Judge]:
    """One patient in three conversations: nobody is in two places."""
    wishes = [stage.wants(n, hour=9, people=(person,)) for n, person in enumerate(PEOPLE)]
    same = [Deed(one.name, one.words | {"patient_id": stage.patient_ids[0]}) for one in wishes]
    return same, _exactly(1, stage, 9)


def _swap(*people: str) -> Callable[[Stage], tuple[list[Deed], Judge]]:
    """Two who want each other's time, with one of `people`; there are two rooms."""

    def prepare(stage: Stage) -> tuple[list[Deed], Judge]:
        hours = (9, 10)
        visits = [stage.book(n, hour=hour, people=("ann",), service="room-visit") for n, hour in enumerate(hours)]
        moves = [stage.moves(n, visits[n], hour=hours[1 - n], people=people) for n in range(2)]

        def judge(endings: Sequence[Ending]) -> list[str]:
            bad = []
            for n, ending in enumerate(endings):
                stands = stage.read(visits[n])
                expected = stage.at(hours[1 - n] if ending.how == "done" else hours[n])
                if stands.status is not AppointmentStatus.BOOKED or stands.starts_at != expected:
                    bad.append(f"{ending.how}, and yet {stands.status} at {stands.starts_at}")
            return bad

        return moves, judge

    return prepare


def _two_moves(stage: Stage) -> tuple[list[Deed], Judge]:
    visits = [stage.book(n, hour=8.5 + n, people=("ann",)) for n in range(3)]

    def judge(endings: Sequence[Ending]) -> list[str]:
        stands = [stage.read(visit) for visit in visits]
        moved = [visit for visit in stands if visit.starts_at == stage.at(13)]
        stayed = [visit for visit, was in zip(stands, visits, strict=True) if visit.starts_at == was.starts_at]
        if len(moved) != 1 or _done(endings) != 1 or len(stayed) != len(visits) - 1:
            return [f"{len(moved)} moved, {_done(endings)} were told so, {len(stayed)} stayed"]
        return [] if all(visit.status is AppointmentStatus.BOOKED for visit in stands) else ["one is lost"]

    return [stage.moves(n, visit, hour=13, people=("ann",)) for n, visit in enumerate(visits)], judge


def _cancel_against_move(stage: Stage) -> tuple[list[Deed], Judge]:
    visit = stage.book(0, hour=9, people=("ann",))
    cancelling = Deed("cancel", {"visit_id": visit.id, "now": stage.now})

    def judge(endings: Sequence[Ending]) -> list[str]:
        stands = stage.read(visit)
        if endings[0].how == "done" and stands.status is AppointmentStatus.CANCELLED:
            return []
        return [f"cancelling {endings[0].how}, and the visit is {stands.status}"]

    return [cancelling, stage.moves(0, visit, hour=13, people=("ann",))], judge


def _expiry_against_confirm(stage: Stage) -> tuple[list[Deed], Judge]:
    """A Hold that has just run out: its patient says yes, the due work clears it, and another wants the time."""
    kept = stage.hold(0, hour=9, people=("ann",))
    late = stage.now + stage.catalogue.rules.hold + timedelta(seconds=1)
    yes = Deed("confirm", {"hold_id": kept.id, "patient_id": stage.patient_ids[0], "now": late})
    other = stage.wants(1, hour=9, people=("ann",))
    other = Deed(other.name, other.words | {"now": late})
    clearing = Deed("expire", {"now": late})

    def judge(endings: Sequence[Ending]) -> list[str]:
        yes_, _, _, other_ = endings
        if stage.booked_at(9) == 1 and {yes_.how, other_.how} == {"done", "refused"}:
            return []
        return [f"{stage.booked_at(9)} booked: {yes_.how}, {other_.how}"]

    return [yes, clearing, clearing, other], judge


def _confirm_twice(stage: Stage) -> tuple[list[Deed], Judge]:
    kept = stage.hold(0, hour=9, people=("ann",))
    yes = Deed("confirm", {"hold_id": kept.id, "patient_id": stage.patient_ids[0], "now": stage.now})

    def judge(endings: Sequence[Ending]) -> list[str]:
        visits = {ending.visit for ending in endings}
        booked = stage.lines(kept, "booked")
        if _done(endings) == len(endings) and len(visits) == 1 and booked == 1:
            return []
        return [f"{_done(endings)} of {len(endings)} were told, of {len(visits)} visits, booked {booked} times"]

    return [yes] * 4, judge


def _exchange_twice(stage: Stage) -> tuple[list[Deed], Judge]:
    visit = stage.book(0, hour=9, people=("ann",))
    kept = stage.hold(0, hour=9.25, people=("ann",), replaces=visit)
    yes = Deed("exchange", {"visit_id": visit.id, "hold_id": kept.id, "now": stage.now})

    def judge(endings: Sequence[Ending]) -> list[str]:
        moved = stage.lines(visit, "moved")
        if _done(endings) == len(endings) and moved == 1 and stage.read(visit).starts_at == stage.at(9.25):
            return []
        return [f"{_done(endings)} of {len(endings)} were told, moved {moved} times"]

    return [yes] * 4, judge


def part(stage: Stage, number: int, *, hour: float, people: tuple[str, ...], service: str = "visit") -> PartWish:
    """Return one of several visits that are wanted together."""
    named = tuple(f"practitioner-{person}" for person in people)
    return PartWish(f"service-{service}", "location-main", stage.at(hour), named, stage.patient_ids[number])


def several(stage: Stage, number: int, kind: BundleKind, *parts: PartWish) -> Deed:
    """Return the deed of who books several visits, all or nothing."""
    words = {"kind": kind, "parts": parts, "conversation_id": stage.name(number), "now": stage.now}
    return Deed("book_several", words)


def _household(stage: Stage) -> tuple[list[Deed], Judge]:
    """Two people at once in the two rooms there are: one household has room, and no half of another."""
    households = [
        several(
            stage,
            n,
            BundleKind.HOUSEHOLD,
            *(part(stage, 2 * n + member, hour=9, people=(), service="room-visit") for member in range(2)),
        )
        for n in range(MANY)
    ]

    def judge(endings: Sequence[Ending]) -> list[str]:
        done, booked = _done(endings), stage.booked_at(9)
        return [] if (done, booked) == (1, 2) else [f"{done} households were told, {booked} visits are booked"]

    return households, judge


def _one_after_another(stage: Stage) -> tuple[list[Deed], Judge]:
    """Series of two visits that cross each other, and some in the opposite order of people."""
    orders = (("ann", 9, "bob", 10), ("bob", 9.25, "ann", 10.25), ("bob", 9, "ann", 10))
    wishes = [
        several(
            stage,
            n,
            BundleKind.SERIES,
            part(stage, n, hour=first, people=(one,)),
            part(stage, n, hour=second, people=(other,)),
        )
        for n, (one, first, other, second) in ((n, orders[n % len(orders)]) for n in range(MANY))
    ]

    def judge(endings: Sequence[Ending]) -> list[str]:
        done, booked = _done(endings), stage.booked_at(9, 9.25, 10, 10.25)
        whole = booked == 2 * done and done in {1, 2}
        return [] if whole else [f"{done} were told, and {booked} visits are booked"]

    return wishes, judge


def _last_seat(stage: Stage) -> tuple[list[Deed], Judge]:
    """Six want one of the three seats of a class."""
    with stage.db.begin() as work:
        session = open_session(
            work,
            stage.catalogue,
            service_id="service-class",
            location_id="location-main",
            starts_at=stage.at(9),
            now=stage.now,
            actor="staff:kim",
        )
    wishes = [
        Deed(
            "take_seat",
            {
                "session_id": session.id,
                "patient_id": stage.patient_ids[n],
                "conversation_id": stage.name(n),
                "now": stage.now,
            },
        )
        for n in range(MANY)
    ]

    def judge(endings: Sequence[Ending]) -> list[str]:
        done = _done(endings)
        with stage.db.read() as reading:
            seats = reading.scalars(
                select(func.count()).where(
                    Participant.appointment_id == session.id, Participant.status == AppointmentStatus.BOOKED
                )
            ).one()
        return [] if done == seats == 3 else [f"{done} of three seats were given, {seats} are taken"]

    return wishes, judge


def _packages(stage: Stage) -> tuple[list[Deed], Judge]:
    """Packages as they were found, of which those next to each other have one half-hour in common: it goes to one of them."""
    hours = (9, 9.5, 10)
    with stage.db.read() as session:
        span = Interval(stage.at(9), stage.at(10) + timedelta(minutes=1))
        query = SlotQuery("service-package", span, ("practitioner-ann",))
        found = find_slots(session, stage.catalogue, query=query, now=stage.now)
    slots = {slot.starts_at: slot for slot in found}
    wishes = [
        Deed(
            "book_package",
            {
                "slot": slots[stage.at(hours[n % len(hours)])],
                "patient_id": stage.patient_ids[n],
                "conversation_id": stage.name(n),
                "now": stage.now,
            },
        )
        for n in range(MANY)
    ]

    def judge(endings: Sequence[Ending]) -> list[str]:
        won = sorted(hours[n % len(hours)] for n, ending in enumerate(endings) if ending.how == "done")
        booked = stage.booked_at(9, 9.5, 10, 10.5)
        whole = won in ([9.5], [9, 10]) and booked == 2 * len(won)
        return [] if whole else [f"won {won}, booked {booked} halves: not all that could be, or half of it"]

    return wishes, judge


def _offered(stage: Stage, people: int) -> list[str]:
    """Let so many wait for one time and be offered it, and return the offers."""
    with stage.db.begin() as work:
        for n in range(people):
            join_waitlist(
                work,
                stage.catalogue,
                patient_id=stage.patient_ids[n],
                service_id="service-visit",
                practitioner_ids=("practitioner-ann",),
                spans=(Interval(stage.at(9), stage.at(9) + timedelta(minutes=1)),),
                conversation_id=stage.name(n),
                source=Source.PHONE,
                now=stage.now,
            )
        offer_ids = offer_freed_time(work, stage.catalogue, now=stage.now)
    assert len(offer_ids) == people, offer_ids
    return offer_ids


def _offers(*answers: int) -> Callable[[Stage], tuple[list[Deed], Judge]]:
    """Three wait and are all offered one time; the yeses come from those with the numbers `answers`."""

    def prepare(stage: Stage) -> tuple[list[Deed], Judge]:
        offer_ids = _offered(stage, 3)
        yeses = [Deed("accept", {"offer_id": offer_ids[n], "now": stage.now}) for n in answers]

        def judge(endings: Sequence[Ending]) -> list[str]:
            told = {answer for answer, ending in zip(answers, endings, strict=True) if ending.how == "done"}
            booked = stage.booked_at(9)
            return [] if (len(told), booked) == (1, 1) else [f"{len(told)} were told yes, {booked} are booked"]

        return yeses, judge

    return prepare


def _deadline_against_yes(stage: Stage) -> tuple[list[Deed], Judge]:
    """Two say yes in the last second; the due work, whose clock is ahead, ends the offers, and another wants the time."""
    offer_ids = _offered(stage, 2)
    deadline = stage.now + stage.catalogue.rules.offer_for
    in_time, late = deadline - timedelta(seconds=1), deadline + timedelta(seconds=1)
    yeses = [Deed("accept", {"offer_id": offer_id, "now": in_time}) for offer_id in offer_ids]
    ending_ = Deed("end_offers", {"now": late})
    other = stage.wants(3, hour=9, people=("ann",))
    other = Deed(other.name, other.words | {"now": late})

    def judge(endings: Sequence[Ending]) -> list[str]:
        *yes, _, _, other_ = endings
        # Whoever came between their yes and the due work: in the end nobody is left without an answer.
        deeds.end_offers(stage.db, stage.catalogue, now=late)
        accepted = [ending.how == "done" for ending in yes]
        otherwise = OfferStatus.GONE if any(accepted) else OfferStatus.EXPIRED
        answers = [(OfferStatus.ACCEPTED if is_theirs else otherwise, 1) for is_theirs in accepted]
        stands = _told_of_offers(stage, offer_ids)
        winners = sum(accepted) + (other_.how == "done")
        if (winners, stage.booked_at(9)) == (1, 1) and stands == answers:
            return []
        return [f"{winners} were told yes, {stage.booked_at(9)} are booked, the offers ended as {stands}"]

    return [*yeses, ending_, ending_, other], judge


def _told_of_offers(stage: Stage, offer_ids: Sequence[str]) -> list[tuple[OfferStatus, int]]:
    """Return how each offer ended, and how often that was told."""
    ends = ("booking.offer.accepted", "booking.offer.ended")
    with stage.db.read() as session:
        status = dict(session.execute(select(Offer.id, Offer.status).where(Offer.id.in_(offer_ids))).all())
        theirs = (OutboxEntry.name.in_(ends), OutboxEntry.aggregate_id.in_(offer_ids))
        told = session.scalars(select(OutboxEntry.aggregate_id).where(*theirs)).all()
    return [(OfferStatus(status[each]), told.count(each)) for each in offer_ids]


KINDS = (
    Kind("same slot", _same_slot),
    Kind("any practitioner", _anybody),
    Kind("unequal times", _unequal_times),
    Kind("shared rooms", _rooms),
    Kind("one patient, three diaries", _same_patient),
    Kind("swap", _swap("ann")),
    Kind("swap with somebody else", _swap("ann", "bob")),
    Kind("moves to one time", _two_moves),
    Kind("cancel against move", _cancel_against_move),
    Kind("expiry against confirm", _expiry_against_confirm),
    Kind("household", _household),
    Kind("several visits that cross", _one_after_another),
    Kind("packages with one part in common", _packages),
    Kind("a group's last seats", _last_seat),
    Kind("first yes to an offer", _offers(0, 1, 2)),
    Kind("an offer taken twice", _offers(0, 0, 1, 1)),
    Kind("an offer's deadline against yes", _deadline_against_yes),
    Kind("confirm four times", _confirm_twice),
    Kind("exchange four times", _exchange_twice),
)
