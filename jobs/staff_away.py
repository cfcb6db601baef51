"""Conversations that staff have taken over and left: the agent answers them again."""

from datetime import datetime

from dialog.takeover import lapsed
from jobs.context import JobServices
from jobs.in_turn import in_turn
from kernel.work import UnitOfWork
from sms.staff_texts import let_lapse


def answer_for_staff(services: JobServices, now: datetime) -> None:
    """Give back every conversation that waited too long for staff, and tell patients who wait. Once each."""
    with services.db.read() as session:
        found = lapsed(session, now=now)
    with in_turn() as turn:
        for clinic_id, conversation_id in found:

            def let(work: UnitOfWork, clinic_id: str = clinic_id, conversation_id: str = conversation_id) -> None:
                catalogue = services.catalogues.get(work.session, clinic_id=clinic_id)
                let_lapse(work, catalogue, conversation_id=conversation_id, now=now)

            with turn():
                services.db.run(let)
