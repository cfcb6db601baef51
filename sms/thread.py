"""A thread of texts is named by both its numbers. A clinic may have several, so an answer has to go out from the right one."""

from booking.values import Catalogue
from dialog.inbound import Channel
from dialog.record import hash_of_thread


def thread_key(*, patient: str, clinic: str) -> str:
    """Return the name of the thread between two numbers (E.164)."""
    return f"{patient}:{clinic}"


def number_to_answer_from(catalogue: Catalogue, *, patient: str, thread_hash: str | None) -> str | None:
    """Return the clinic's number in the thread with this hash; where there is none, the one the clinic texts from."""
    numbers = [catalogue.phone, *(one.phone for one in catalogue.locations)]
    known = [number for number in numbers if number]

    def is_its(number: str) -> bool:
        key = thread_key(patient=patient, clinic=number)
        return hash_of_thread(clinic_id=catalogue.clinic_id, channel=Channel.SMS, thread_key=key) == thread_hash

    return next((number for number in known if is_its(number)), next(iter(known), None))
