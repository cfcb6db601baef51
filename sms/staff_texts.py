"""What staff write in a conversation that they have taken over, and the agent's first words after them.

Each is a text that belongs to a Turn and is written down with it. Whoever writes with staff is in the middle of a
conversation, so these are the texts that no quiet hours hold back.
"""

from datetime import datetime

from booking.consent import is_opted_out
from booking.patients import phone_hash
from booking.values import Catalogue
from dialog import takeover
from dialog.takeover import How, ToSend
from kernel.db import new_id
from kernel.errors import Refused
from kernel.telephony import printable
from kernel.work import UnitOfWork
from sms import segments
from sms.model import SmsKind, SmsMessage, SmsState
from sms.thread import number_to_answer_from

LONGEST_TEXT = 1000
"""Characters: seven parts. The vendor takes 1,600, which nobody reads on a telephone."""


class NotSendable(Refused):
    """A text that staff wrote can't be sent; `why` is empty, too-long, opted-out or no-sender."""

    code = "not-sendable"


def write_to_patient(
    work: UnitOfWork, catalogue: Catalogue, *, conversation_id: str, login: str, text: str, key: str, now: datetime
) -> None:
    """Write down what `login` texts to the patient, as a Turn and as a text to be sent. The same `key` again changes nothing.

    Raises NotSendable, and NotYours and UnknownConversation of `dialog.takeover`: then nothing is written.
    """
    # Forms send two characters where a line ends, of which a text needs one, and a browser counts one.
    body = segments.plain(printable(text.replace("\r\n", "\n"))).strip()
    if not body:
        raise NotSendable(why="empty")
    if len(body) > LONGEST_TEXT:
        raise NotSendable(why="too-long")
    said = takeover.write(
        work,
        clinic_id=catalogue.clinic_id,
        conversation_id=conversation_id,
        login=login,
        text=body,
        key=key,
        now=now,
    )
    if said is None:
        return
    why_not = _queue(work, catalogue, said, kind=SmsKind.STAFF, now=now)
    if why_not is not None:
        raise NotSendable(why=why_not)


def give_back(
    work: UnitOfWork, catalogue: Catalogue, *, conversation_id: str, login: str, how: How, now: datetime
) -> None:
    """Let the agent answer again, and text what it says. Raises NotYours, UnknownConversation."""
    said = takeover.give_back(work, catalogue, conversation_id=conversation_id, login=login, how=how, now=now)
    if said is not None:
        _queue(work, catalogue, said, kind=SmsKind.AGENT_AGAIN, now=now)


def let_lapse(work: UnitOfWork, catalogue: Catalogue, *, conversation_id: str, now: datetime) -> None:
    """Let the agent answer again where staff did not, and text that to who waits. Nothing happens if staff came first."""
    said = takeover.let_lapse(work, catalogue, conversation_id=conversation_id, now=now)
    if said is not None:
        _queue(work, catalogue, said, kind=SmsKind.AGENT_AGAIN, now=now)


def _queue(work: UnitOfWork, catalogue: Catalogue, said: ToSend, *, kind: SmsKind, now: datetime) -> str | None:
    """Write down the text of a Turn; return why it is not to be sent."""
    sender = number_to_answer_from(catalogue, patient=said.caller, thread_hash=said.thread_hash)
    note = None if sender else "no-sender"
    if is_opted_out(work.session, clinic_id=said.clinic_id, phone=said.caller):
        note = "opted-out"
    message = SmsMessage(
        id=new_id(),
        clinic_id=said.clinic_id,
        kind=kind,
        to=said.caller,
        to_hash=phone_hash(said.caller),
        sender=sender,
        body=segments.plain(said.text),
        turn_id=said.turn_id,
        state=SmsState.SKIPPED if note else SmsState.QUEUED,
        note=note,
        due_at=now,
        created_at=now,
    )
    work.session.add(message)
    work.session.flush()
    return note
