"""Calls that dropped while something was open, picked up by text."""

from datetime import datetime

from dialog.due import dropped_calls, take_dropped_call
from jobs.context import JobServices
from kernel.errors import Refused, Unavailable
from kernel.work import UnitOfWork
from sms.pick_up_texts import queue_pick_up
from sms.send import send_queued


def pick_up_dropped_calls(services: JobServices, now: datetime) -> None:
    """Text whoever was cut off and has not come back by themselves, once each; what can't be handed over now is tried later."""
    with services.db.read() as session:
        waiting = dropped_calls(session, now=now)
    for conversation_id in waiting:

        def queue(work: UnitOfWork, conversation_id: str = conversation_id) -> str | None:
            call = take_dropped_call(work, conversation_id=conversation_id, now=now)
            if call is None:
                return None
            catalogue = services.catalogues.get(work.session, clinic_id=call.clinic_id)
            return queue_pick_up(work, catalogue, call, now=now)

        message_id = services.db.run(queue)
        if message_id is None:
            continue
        try:
            send_queued(services.db, services.sms_gateway, message_id=message_id, now=now)
        except (Refused, Unavailable):
            continue  # noted at the text, which the next round of waiting messages takes up
