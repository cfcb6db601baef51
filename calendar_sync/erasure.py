"""Invitations of a patient who is erased. Calendars and feeds need nothing: events name no patient, and feeds read who it is anew."""

from collections.abc import Collection

from sqlalchemy import select

from booking.model.mail import MailState
from booking.outgoing_mail import skip
from calendar_sync.model import Invitation
from kernel.work import UnitOfWork


def erase_invitations(work: UnitOfWork, *, appointment_ids: Collection[str], instead: str) -> int:
    """Put `instead` in the place of what the mails about these visits said and to whom; return how many. May be called again.

    What waits to be sent is not sent.
    """
    mails = work.session.scalars(
        select(Invitation).where(Invitation.appointment_id.in_(appointment_ids)).with_for_update()
    ).all()
    for mail in mails:
        # One visit says the same to one address once: what is left of the address keeps several apart.
        mail.to, mail.to_name, mail.to_hash = "", "", f"erased:{mail.id}"
        mail.subject, mail.body, mail.calendar = instead, instead, ""
        if mail.state in {MailState.QUEUED, MailState.SENDING}:
            skip(mail, note="erased")
    return len(mails)
