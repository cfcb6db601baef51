"""A chosen time that can't be booked here, but may be by staff: they get a task, and the patient hears so."""

from booking.task_words import TaskSays
from booking.values import TaskKind
from dialog.acts import Say
from dialog.draft import Draft, present
from dialog.errands import OpenTask, RefusedBy
from dialog.state import Outcome

_SAYS = {"patient-blocked": TaskSays.LEFT_BY_RULES, "calendar-unread": TaskSays.CALENDAR_UNREAD}


def leave(draft: Draft, refusal: RefusedBy) -> bool:
    """Give staff the chosen time to see to, if it was refused for such a reason. Say whether it was."""
    if refusal.code not in _SAYS:
        return False
    chosen = present(draft.flow.chosen)
    when = chosen.starts_at.astimezone(draft.catalogue.location(chosen.location_id).zone)
    draft.tell_staff(
        OpenTask(
            TaskKind.BOOKING_REQUEST,
            _SAYS[refusal.code],
            {"service": draft.catalogue.service(chosen.service_id).name, "wanted_at": when},
            phone=draft.phone(),
            patient_id=draft.flow.patient_id,
            subject=refusal.code,
        )
    )
    draft.say(Say.REFUSED, code=refusal.code, **refusal.fields)
    draft.finish(Outcome.MESSAGE_TAKEN)
    return True
