"""The visits booked or moved in this conversation: what "it" means right after, and what whoever made them may change without another proof.

Nothing is told by such a change that was not said to them before; what else the patient has stays behind the check of identity.
"""

from collections.abc import Sequence

from booking.values import BookedVisit
from dialog import commands as c
from dialog.commands import Relation
from dialog.draft import Draft
from dialog.flows.own_visits import is_on_wished_day
from dialog.flows.starts import CHANGES
from dialog.state import Made

_BESIDE_A_CHANGE = (
    c.GiveTime,
    c.GivePractitioner,
    c.AnyPractitioner,
    c.SamePractitioner,
    c.GiveLocation,
    c.Correct,
    c.Deny,
    c.Affirm,
    c.MoreOptions,
    c.AskAvailability,
    c.Unsure,
    c.Greet,
    c.Thank,
)


def note(draft: Draft, visit: BookedVisit) -> None:
    """Remember the visit that the flow under way booked or moved as the one spoken of last."""
    made = Made(visit, draft.flow.details.relation)
    draft.update(made=(*_others(draft, visit), made))


def forget(draft: Draft, visit: BookedVisit) -> None:
    """Forget a visit that was cancelled."""
    draft.update(made=_others(draft, visit))


def spoken_of(draft: Draft) -> tuple[str, ...]:
    """Return the key of the service that was spoken of last while nothing is under way: asked about, or made a visit of."""
    if draft.state.spoken_of is not None:
        return (draft.state.spoken_of,)
    return tuple(draft.catalogue.service(made.visit.service_id).key for made in draft.state.made[-1:])


def is_thought_over(draft: Draft, commands: Sequence[c.Command]) -> bool:
    """Say whether another time for what was made or told just now is all they wish: "can we do Wednesday instead?", "a day later"."""
    if draft.state.flow is not None or not (draft.state.made or len(draft.state.told) == 1):
        return False
    times = [one for one in commands if isinstance(one, c.GiveTime) and not one.of_visit]
    corrects = any(isinstance(one, c.Correct | c.MoreOptions) for one in commands)
    is_relative = any(one.wish.relative or one.wish.shift_days for one in times)
    others = (one for one in commands if not isinstance(one, _BESIDE_A_CHANGE))
    return bool(times) and (corrects or is_relative) and not any(others)


def take_up(draft: Draft, details: Sequence[c.Command], commands: Sequence[c.Command]) -> None:
    """Let the change just begun be of the visit made here last that fits what was said of it, if any does. "The other one" is none of them."""
    flow = draft.flow
    is_settled = flow.kind not in CHANGES or flow.is_every or flow.visit is not None or flow.visits is not None
    if is_settled or any(isinstance(one, c.MoreOptions) for one in commands):
        return
    fitting = [one for one in draft.state.made if all(_fits(draft, one, said) for said in details)]
    if not fitting:
        return
    made = fitting[-1]
    draft.update_details(relation=made.relation)
    if draft.state.verified_id == made.visit.patient_id:
        draft.update_flow(visit=made.visit)
    else:
        draft.update_flow(visit=made.visit, visits=(made.visit,), patient_id=made.visit.patient_id)


def _others(draft: Draft, visit: BookedVisit) -> tuple[Made, ...]:
    return tuple(one for one in draft.state.made if one.visit.id != visit.id)


def _fits(draft: Draft, made: Made, said: c.Command) -> bool:
    visit, catalogue = made.visit, draft.catalogue
    match said:
        case c.GiveService(keys=keys):
            return catalogue.service(visit.service_id).key in keys
        case c.BookFor(relation=relation):
            return relation in {made.relation, Relation.SELF}
        case c.GiveTime(of_visit=True, wish=wish):
            return is_on_wished_day(draft, visit, wish)
        case _:
            return True
