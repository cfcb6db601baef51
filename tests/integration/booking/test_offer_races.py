"""One offer and several answers at the same moment, from real processes."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy import select

from booking.catalogue import load_catalogue
from booking.expiry import expire_holds
from booking.model.appointment import Appointment
from booking.model.waitlist import Offer
from booking.values import AppointmentStatus, Catalogue
from booking.waiting_list.waitlist import OfferGone, OfferStatus, accept_offer, expire_offers
from kernel.interval import Interval
from kernel.work import Database
from tests.support.racing import in_processes
from tests.support.visits import NOW
from tests.support.waiting_list import NINE, WaitingList

pytestmark = pytest.mark.integration

TIMES = 8
MINUTE = timedelta(minutes=1)
_READY_WITHIN_S = 60


@dataclass(frozen=True)
class OfferRace:
    database_url: str
    clinic_id: str
    now: datetime


def offers_at(waiting: WaitingList, *, people: int) -> list[list[str]]:
    """Offer each of some times to so many people, a minute after the one before; return the ids of the offers of each."""
    number = 0
    for time in range(TIMES):
        starts_at = NINE + time * timedelta(minutes=30)
        for _ in range(people):
            number += 1
            patient = waiting.patient(f"Ann Smith{number}", phone=f"+12125550{number:03}")
            waiting.join(patient, spans=(Interval(starts_at, starts_at + timedelta(minutes=1)),))
        waiting.offer(now=NOW + time * MINUTE)
    with waiting.database.read() as session:
        rows = session.execute(select(Offer.hold_id, Offer.id).order_by(Offer.offered_at, Offer.id)).all()
    by_hold: dict[str, list[str]] = {}
    for hold_id, offer_id in rows:
        by_hold.setdefault(hold_id, []).append(offer_id)
    assert [len(ids) for ids in by_hold.values()] == [people] * TIMES
    return list(by_hold.values())


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def _say_yes(db: Database, barrier: Barrier, race: OfferRace, offer_ids: tuple[str, ...], counts: Counter[str]) -> None:
    with db.read() as session:
        catalogue = load_catalogue(session, clinic_id=race.clinic_id)
    for number, offer_id in enumerate(offer_ids):
        barrier.wait(_READY_WITHIN_S)
        counts[_outcome(db, catalogue, offer_id, race.now + number * MINUTE)] += 1


def _outcome(db: Database, catalogue: Catalogue, offer_id: str, now: datetime) -> str:
    try:
        visit = db.run(lambda work: accept_offer(work, catalogue, offer_id=offer_id, now=now, actor="patient"))
    except OfferGone:
        return "gone"
    return str(visit.status)


def _expire(db: Database, barrier: Barrier, race: OfferRace, offer_ids: tuple[str, ...], _counts: Counter[str]) -> None:
    for number, _ in enumerate(offer_ids):
        now = race.now + number * MINUTE
        barrier.wait(_READY_WITHIN_S)
        db.run(lambda work, now=now: expire_offers(work, now=now))  # type: ignore[misc]  # bound by a default value
        db.run(lambda work, now=now: expire_holds(work, now=now))  # type: ignore[misc]  # likewise


def _answer_or_expire(
    db: Database, barrier: Barrier, race: OfferRace, offer_ids: tuple[str, ...], counts: Counter[str]
) -> None:
    """Say yes with a clock that is behind, or expire with one that is ahead."""
    step = _say_yes if race.now < NOW + timedelta(minutes=30) else _expire
    step(db, barrier, race, offer_ids, counts)


@pytest.fixture
def waiting(database: Database, catalogue: Catalogue) -> WaitingList:
    return WaitingList(database, catalogue)


def test_of_two_who_say_yes_at_once_one_gets_it_and_the_other_hears_so(waiting: WaitingList) -> None:
    waiting = waiting.offering_to_all()
    offers = offers_at(waiting, people=2)
    race = OfferRace(url_of(waiting.database), waiting.catalogue.clinic_id, NOW)

    ended = in_processes(_say_yes, [(race, tuple(ids[number] for ids in offers)) for number in range(2)])

    assert ended == {"booked": TIMES, "gone": TIMES}
    with waiting.database.read() as session:
        assert Counter(session.scalars(select(Offer.status))) == {"accepted": TIMES, "gone": TIMES}


def test_one_yes_that_arrives_twice_books_once(waiting: WaitingList) -> None:
    offers = offers_at(waiting, people=1)
    race = OfferRace(url_of(waiting.database), waiting.catalogue.clinic_id, NOW)

    ended = in_processes(_say_yes, [(race, tuple(ids[0] for ids in offers)) for _ in range(2)])

    assert ended == {"booked": 2 * TIMES}
    with waiting.database.read() as session:
        assert list(session.scalars(select(Appointment.status))) == [AppointmentStatus.BOOKED] * TIMES


def test_a_yes_at_the_deadline_is_either_in_time_or_too_late_and_never_both(waiting: WaitingList) -> None:
    offers = tuple(ids[0] for ids in offers_at(waiting, people=1))
    deadline = NOW + timedelta(minutes=30)
    url, clinic_id = url_of(waiting.database), waiting.catalogue.clinic_id

    ended = in_processes(
        _answer_or_expire,
        [
            (OfferRace(url, clinic_id, deadline - timedelta(seconds=1)), offers),
            (OfferRace(url, clinic_id, deadline + timedelta(seconds=1)), offers),
        ],
    )

    assert set(ended) <= {"booked", "gone"}
    assert ended.total() == TIMES
    with waiting.database.read() as session:
        rows = session.execute(
            select(Offer.status, Appointment.status).join(Appointment, Appointment.id == Offer.hold_id)
        )
        pairs = Counter((offer, hold) for offer, hold in rows)
    assert pairs == +Counter(
        {
            (OfferStatus.ACCEPTED, AppointmentStatus.BOOKED): ended["booked"],
            (OfferStatus.EXPIRED, AppointmentStatus.CANCELLED): ended["gone"],
        }
    )
