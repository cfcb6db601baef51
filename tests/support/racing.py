"""Many patients wanting the same time at the same moment, from real processes.

Each process opens the database itself, waits until all are ready, and then runs its attempts in threads.
"""

import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from multiprocessing.synchronize import Barrier
from typing import Any

from sqlalchemy import insert

from booking.catalogue import load_catalogue
from booking.confirm import confirm_hold
from booking.guard import ScheduleBusy, SlotTaken
from booking.hold import place_hold
from booking.model.appointment import Allocation, Appointment
from booking.queries import find_slots
from booking.values import AppointmentStatus, Catalogue, Slot, SlotQuery, Source
from kernel.db import new_id
from kernel.errors import Refused, Unavailable
from kernel.interval import Interval
from kernel.work import Database, UnitOfWork
from tests.support.databases import SECRET, import_rows

PROCESSES = 8
_READY_WITHIN_S = 60
_TRIES = 5


@dataclass(frozen=True)
class Race:
    """What everybody wants. `practitioner_ids` empty: any of those who can."""

    database_url: str
    clinic_id: str
    service_id: str
    location_id: str
    starts_at: datetime
    practitioner_ids: tuple[str, ...]
    now: datetime
    patient_ids: tuple[str, ...]  # one an attempt

    @property
    def query(self) -> SlotQuery:
        span = Interval(self.now, self.now + timedelta(days=30))
        return SlotQuery(self.service_id, span, self.practitioner_ids, (self.location_id,))


def run(race: Race) -> Counter[str]:
    """Let all patients of `race` try at once, from 8 processes, and count how it ended for them."""
    shares = [race.patient_ids[first::PROCESSES] for first in range(PROCESSES)]
    return in_processes(_try_to_book, [(race, share) for share in shares])


def run_as(attempt: Callable[[Database, Catalogue, Race, str], str], race: Race) -> Counter[str]:
    """Let all patients of `race` do `attempt` at once, from 8 processes, and count what it says of each; a refusal is its code.

    `attempt` stands in a module, so that other processes find it. It is done again where the diary is busy.
    """
    shares = [race.patient_ids[first::PROCESSES] for first in range(PROCESSES)]
    return in_processes(partial(_attempt_as, attempt=attempt), [(race, share) for share in shares])


def run_without_guard(race: Race) -> Counter[str]:
    """Let two processes look, wait for each other, and then write down what they saw to be free. The control."""
    return in_processes(_look_then_write, [(race, share) for share in (race.patient_ids[:1], race.patient_ids[1:2])])


def in_processes(target: Any, arguments: list[tuple[Any, tuple[str, ...]]]) -> Counter[str]:
    """Call `target(db, barrier, race, ids, counts)` in a process of its own for each pair of race and ids; add up the counts.

    `race` is any picklable value that has a `database_url`.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    barrier, results = context.Barrier(len(arguments)), context.SimpleQueue()
    processes = [
        context.Process(target=_reported, args=(target, barrier, results, *each), daemon=True) for each in arguments
    ]
    for process in processes:
        process.start()
    counts: Counter[str] = Counter()
    for _ in processes:
        counts.update(results.get())
    for process in processes:
        process.join(timeout=60)
    return counts


def _reported(target: Any, barrier: Barrier, results: Any, race: Any, patient_ids: tuple[str, ...]) -> None:
    counts: Counter[str] = Counter()
    try:
        import_rows()
        db = Database(race.database_url, secret=SECRET)
        target(db, barrier, race, patient_ids, counts)
        db.dispose()
    except BaseException as error:  # noqa: BLE001 -- whatever it is, the test must see it instead of waiting
        counts[f"process failed: {error!r}"] += 1
    results.put(counts)


def _attempt_as(
    db: Database,
    barrier: Barrier,
    race: Race,
    patient_ids: tuple[str, ...],
    counts: Counter[str],
    *,
    attempt: Callable[[Database, Catalogue, Race, str], str],
) -> None:
    with db.read() as session:
        catalogue = load_catalogue(session, clinic_id=race.clinic_id)
    together = threading.Barrier(len(patient_ids))

    def patiently(patient_id: str) -> str:
        together.wait(_READY_WITHIN_S)
        for _ in range(_TRIES):
            try:
                return attempt(db, catalogue, race, patient_id)
            except Refused as refusal:
                return refusal.code
            except Unavailable:
                continue
        return "never got through"

    barrier.wait(_READY_WITHIN_S)
    with ThreadPoolExecutor(len(patient_ids)) as pool:
        counts.update(pool.map(patiently, patient_ids))


def _try_to_book(
    db: Database, barrier: Barrier, race: Race, patient_ids: tuple[str, ...], counts: Counter[str]
) -> None:
    with db.read() as session:
        catalogue = load_catalogue(session, clinic_id=race.clinic_id)
        offered = {slot.starts_at for slot in find_slots(session, catalogue, query=race.query, now=race.now)}
    if race.starts_at not in offered:
        counts["never offered"] += len(patient_ids)
    together = threading.Barrier(len(patient_ids))

    def attempt(patient_id: str) -> str:
        together.wait(_READY_WITHIN_S)
        return _outcome(db, catalogue, race, patient_id)

    barrier.wait(_READY_WITHIN_S)
    with ThreadPoolExecutor(len(patient_ids)) as pool:
        counts.update(pool.map(attempt, patient_ids))


def _outcome(db: Database, catalogue: Catalogue, race: Race, patient_id: str) -> str:
    def book(work: UnitOfWork) -> str:
        hold = place_hold(
            work,
            catalogue,
            service_id=race.service_id,
            location_id=race.location_id,
            starts_at=race.starts_at,
            practitioner_ids=race.practitioner_ids,
            conversation_id=f"conversation-{patient_id}",
            patient_id=patient_id,
            source=Source.PHONE,
            now=race.now,
        )
        visit = confirm_hold(
            work, catalogue, appointment_id=hold.id, patient_id=patient_id, now=race.now, actor="patient"
        )
        return str(visit.status)

    try:
        return _patiently(db, book)
    except SlotTaken:
        with db.read() as session:
            others = find_slots(session, catalogue, query=race.query, now=race.now)
        return "offered another" if _are_others(others, race) else "offered the same again"


def _patiently(db: Database, book: Callable[[UnitOfWork], str]) -> str:
    """Try again while the diary is busy, as is asked of whoever meets Unavailable."""
    for _ in range(_TRIES):
        try:
            return db.run(book)
        except ScheduleBusy:
            continue
    return "never got through"


def _are_others(slots: list[Slot], race: Race) -> bool:
    return bool(slots) and all(slot.starts_at != race.starts_at for slot in slots)


def _look_then_write(
    db: Database, barrier: Barrier, race: Race, patient_ids: tuple[str, ...], counts: Counter[str]
) -> None:
    with db.read() as session:
        catalogue = load_catalogue(session, clinic_id=race.clinic_id)
        slots = find_slots(session, catalogue, query=race.query, now=race.now)
    slot = next(slot for slot in slots if slot.starts_at == race.starts_at)
    barrier.wait(_READY_WITHIN_S)
    with db.begin() as work:
        write_round_the_guard(work, catalogue, slot, patient_id=patient_ids[0], now=race.now)
    counts["booked"] += 1


def write_round_the_guard(work: UnitOfWork, catalogue: Catalogue, slot: Slot, *, patient_id: str, now: datetime) -> str:
    """Write an appointment with plain statements, as code would that knows nothing of `booking.guard`."""
    appointment_id = new_id()
    work.session.execute(
        insert(Appointment).values(
            id=appointment_id,
            clinic_id=catalogue.clinic_id,
            uid=appointment_id,
            status=AppointmentStatus.BOOKED,
            service_id=slot.service_id,
            practitioner_id=slot.practitioner_id,
            location_id=slot.location_id,
            patient_id=patient_id,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            source=Source.API,
            created_at=now,
            changed_at=now,
        )
    )
    work.session.execute(
        insert(Allocation).values(
            id=new_id(),
            appointment_id=appointment_id,
            schedule_id=catalogue.practitioner(slot.practitioner_id).schedule_id,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            live=True,
        )
    )
    return appointment_id
