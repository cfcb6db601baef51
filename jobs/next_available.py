"""When each practitioner could next be seen, worked out anew when their time has changed, and as time goes by."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from booking.events import AppointmentEvent
from booking.next_available import everybody, practitioners_of, refresh
from jobs.context import JobServices
from jobs.in_turn import in_turn
from kernel.errors import Unavailable
from kernel.work import UnitOfWork


def refresh_practitioners(services: JobServices, event: AppointmentEvent, now: datetime) -> None:
    """Work out anew when those could next be seen with whom the event's visit is or was. Raises Unavailable."""
    with services.db.read() as session:
        people = practitioners_of(session, appointment_id=event.appointment_id)
    _refresh(services, clinic_id=event.clinic_id, people=people, now=now)


def refresh_everybody(services: JobServices, now: datetime) -> None:
    """Work out anew when everybody could next be seen: the notice that clinics want moves on, and not all changes are told."""
    with services.db.read() as session:
        found = everybody(session)
    with in_turn() as turn:
        for clinic_id, people in found.items():
            for practitioner_id in people:
                # Who is being booked just now is seen to by the event that follows, or at the next round.
                with turn(), suppress(Unavailable):
                    # One at a time, so that nobody's booking waits for more than one diary to be read.
                    _refresh(services, clinic_id=clinic_id, people=[practitioner_id], now=now)


def _refresh(services: JobServices, *, clinic_id: str, people: Sequence[str], now: datetime) -> None:
    def step(work: UnitOfWork) -> None:
        catalogue = services.catalogues.get(work.session, clinic_id=clinic_id)
        refresh(work, catalogue, practitioner_ids=people, now=now)

    services.db.run(step)
