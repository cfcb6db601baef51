"""Calls that dropped while something was open, picked up by a text that is sent like all that wait."""

from datetime import datetime

from dialog.due import dropped_calls, take_dropped_call
from jobs.context import JobServices
from jobs.in_turn import in_turn
from kernel.work import UnitOfWork
from sms.pick_up_texts import queue_pick_up


def pick_up_dropped_calls(services: JobServices, now: datetime) -> None:
    """Write to whoever was cut off and has not come back by themselves, once each."""
    with services.db.read() as session:
        waiting = dropped_calls(session, now=now)
    with in_turn() as turn:
        for conversation_id in waiting:

            def queue(work: UnitOfWork, conversation_id: str = conversation_id) -> None:
                call = take_dropped_call(work, conversation_id=conversation_id, now=now)
                if call is not None:
                    catalogue = services.catalogues.get(work.session, clinic_id=call.clinic_id)
                    queue_pick_up(work, catalogue, call, now=now)

            with turn():
                services.db.run(queue)
