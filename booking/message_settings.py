"""What a clinic writes to patients of its own accord, changed by its staff."""

from sqlalchemy import select

from booking.catalogue import messages_of, stored_wording
from booking.message_wording import WordedKind
from booking.model.clinic import Clinic
from booking.values import Wording
from kernel.work import UnitOfWork


def word_message(work: UnitOfWork, *, clinic_id: str, language: str, kind: WordedKind, text: str | None) -> None:
    """Let the clinic say `text` in this kind of text, or (None) what the product says. Locks the Clinic.

    Whether the text is fit to be sent is for who calls to have asked (`message_wording.faults`). Saying the same again changes
    nothing.
    """
    clinic = work.session.scalars(select(Clinic).where(Clinic.id == clinic_id).with_for_update()).one()
    policy = messages_of(clinic.messages)
    wording = {(one.language, one.kind): one for one in policy.wording}
    before = dict(wording)
    if text is None:
        wording.pop((language, kind.value), None)
    else:
        wording[language, kind.value] = Wording(language, kind.value, text)
    if wording == before:
        return
    in_order = [wording[key] for key in sorted(wording)]
    clinic.messages = {**clinic.messages, "wording": stored_wording(in_order)}
    clinic.version += 1
