"""All that is wanted in one utterance: which of it is begun, which waits, and which visit that they have it is about."""

from collections.abc import Sequence
from dataclasses import replace

from booking.values import BookedVisit
from dialog import commands as c
from dialog import offers
from dialog.acts import Say
from dialog.draft import Draft, present
from dialog.flows import beside, details, recent, starts
from dialog.interpreter import Asked
from dialog.state import FlowKind


def take(draft: Draft, commands: tuple[c.Command, ...], said: tuple[c.Command, ...]) -> bool:
    """Begin what is wanted, with the details that go with it, and let what else is wanted wait. Say whether any of it was of use."""
    companion = _companion(draft, said)
    if _only_waits(draft, commands):
        starts.begin(draft, FlowKind.RESCHEDULE)
        draft.update_flow(is_to_wait=True)
        return True
    if recent.is_thought_over(draft, commands):
        _begin(draft, starts.Wish(FlowKind.RESCHEDULE, ()), FlowKind.RESCHEDULE, ())
        return _give(draft, said)
    if companion is not None and _is_like_the_last(draft, commands, companion):
        beside.begin_like_the_last(draft, companion, [one for one in said if one is not companion])
        return True
    said, theirs = _apart(draft, said, companion)
    used = _begin_all(draft, commands, said)
    if companion is not None:
        used |= beside.bring_along(draft, companion, theirs)
    return used


def _begin_all(draft: Draft, commands: tuple[c.Command, ...], said: tuple[c.Command, ...]) -> bool:
    used = is_begun = False
    for wish in starts.split(commands, said):
        if wish.kind is not None:
            if is_begun:
                _queue_behind(draft, wish)
                continue
            _begin(draft, wish, wish.kind, commands)
            used = is_begun = True
        elif _is_move_instead(draft, commands) or (
            draft.state.flow is None and _is_about_a_visit_they_have(wish.details)
        ):
            starts.begin(draft, FlowKind.RESCHEDULE)
            recent.take_up(draft, wish.details, commands)
        first, others = _services_apart(draft, wish.details)
        used |= _give(draft, first)
        beside.bring_services(draft, others)
    return used


def _begin(draft: Draft, wish: starts.Wish, kind: FlowKind, commands: tuple[c.Command, ...]) -> None:
    """Begin what is wished, of the visit that they pointed at or that was spoken of last."""
    meant = visit_pointed_at(draft, commands) or _spoken_of(draft, wish)
    is_new = draft.state.flow is None or draft.flow.kind is not kind
    starts.begin(draft, kind, names_another=_names_a_visit(wish) or meant is not None)
    if meant is not None and kind in starts.CHANGES:
        draft.update_flow(visit=meant)
        _go_on_for_whom_it_is(draft, meant)
    if kind in {FlowKind.CANCEL, FlowKind.RESCHEDULE}:
        draft.update_flow(is_every=draft.flow.is_every or _means_every(commands))
    if kind is FlowKind.CANCEL:
        draft.update_flow(may_move=(is_new or draft.flow.may_move) and _only_cannot_come(commands))
    if kind is FlowKind.BOOK:
        draft.update_flow(only_asks=c.AskAvailability(only=True) in commands)
    recent.take_up(draft, wish.details, commands)


def _go_on_for_whom_it_is(draft: Draft, told: BookedVisit) -> None:
    """Let a visit of somebody else's, which was told of after a check, be changed without another."""
    if draft.state.told_for is not c.Relation.SELF:
        draft.update_details(relation=draft.state.told_for)
        draft.update_flow(patient_id=told.patient_id, visits=draft.state.told)


def _give(draft: Draft, said: Sequence[c.Command]) -> bool:
    used = False
    for one in said:
        used |= details.give(draft, one)
    return used


def _only_waits(draft: Draft, commands: tuple[c.Command, ...]) -> bool:
    """Say whether they wait for an earlier time of a visit that they have, and it has to be found out which: "tell me if something earlier frees up"."""
    waits = any(isinstance(one, c.JoinWaitlist) for one in commands)
    is_earlier = any(isinstance(one, c.GiveTime) and one.wish.relative == "earlier" for one in commands)
    is_open = draft.state.flow is None and not draft.state.told and draft.state.served_id is None
    return waits and is_earlier and is_open and not any(isinstance(one, c.GiveService) for one in commands)


def _companion(draft: Draft, said: tuple[c.Command, ...]) -> c.BookFor | None:
    """Return the second person of two, or the one it is for as well. The one who speaks comes first, else whoever was named first."""
    named = [one for one in said if isinstance(one, c.BookFor)]
    others = [one for one in named if one.relation is not c.Relation.SELF]
    if len(named) > 1:
        return others[-1] if others else None
    flow = draft.state.flow
    if flow is None and not _is_beginning(draft):
        # "Can my wife come right after me?"
        return next((one for one in others if draft.state.made and said[0] is one), None)
    is_beside = flow is None or flow.kind is FlowKind.BOOK
    return next((one for one in others if one.also and is_beside), None)


def _is_beginning(draft: Draft) -> bool:
    return draft.state.flow is None and draft.state.asked in {Asked.NOTHING, Asked.WHAT_TO_DO}


def _is_like_the_last(draft: Draft, commands: tuple[c.Command, ...], companion: c.BookFor) -> bool:
    """Say whether a second person is to have what was booked last, and nothing else is wished."""
    kinds = {starts.kind_of(one) for one in commands} - {None, FlowKind.BOOK}
    return draft.state.flow is None and bool(draft.state.made) and not kinds and not _has_own_wish(commands, companion)


def _has_own_wish(commands: tuple[c.Command, ...], companion: c.BookFor) -> bool:
    before = commands[: commands.index(companion)]
    return any(isinstance(one, c.GiveService | c.GiveTime) for one in before)


def _apart(
    draft: Draft, said: tuple[c.Command, ...], companion: c.BookFor | None
) -> tuple[tuple[c.Command, ...], tuple[c.Command, ...]]:
    """Part what is said of the first visit from what is said of the companion's: while the first is open, or each has a service of their own, all that comes behind them."""
    if companion is None:
        return said, ()
    at = said.index(companion)
    has_own = all(any(isinstance(one, c.GiveService) for one in part) for part in (said[:at], said[at + 1 :]))
    if companion.also and (draft.state.flow is not None or has_own):
        return said[:at], said[at + 1 :]
    return (*said[:at], *said[at + 1 :]), ()


def _services_apart(
    draft: Draft, said: tuple[c.Command, ...]
) -> tuple[tuple[c.Command, ...], tuple[c.GiveService, ...]]:
    """Of several services to book keep the first; the others follow, each as a visit of its own. Of visits they have, any of them may be meant."""
    services = tuple(one for one in said if isinstance(one, c.GiveService))
    if len(services) == 1 or not services:
        return said, ()
    rest = tuple(one for one in said if one not in services)
    if draft.state.flow is None or draft.flow.kind is FlowKind.BOOK:
        return (services[0], *rest), services[1:]
    keys = tuple(dict.fromkeys(key for one in services for key in one.keys))
    return (replace(services[0], keys=keys), *rest), ()


def _means_every(commands: tuple[c.Command, ...]) -> bool:
    return any(one.every for one in commands if isinstance(one, c.StartCancel | c.StartReschedule))


def _only_cannot_come(commands: tuple[c.Command, ...]) -> bool:
    return all(one.only_unable for one in commands if isinstance(one, c.StartCancel))


def _spoken_of(draft: Draft, wish: starts.Wish) -> BookedVisit | None:
    """Return the one visit that was told of last, which "can we move it instead" means."""
    told = draft.state.told
    is_it = draft.state.flow is None and wish.kind in starts.CHANGES and not _names_a_visit(wish)
    return told[0] if is_it and len(told) == 1 else None


def visit_pointed_at(draft: Draft, commands: tuple[c.Command, ...]) -> BookedVisit | None:
    """Return the one of the visits just listed that "the first one" means."""
    told, asked = draft.state.told, draft.state.question
    if asked is None or asked.say is not Say.ANYTHING_ELSE:
        return None
    chosen = next((one.index for one in commands if isinstance(one, c.Choose)), None)
    return told[chosen] if chosen is not None and -len(told) <= chosen < len(told) else None


def _names_a_visit(wish: starts.Wish) -> bool:
    """Say whether a wish says itself which visit it is about, so that it is not the one that is being dealt with."""
    is_move = wish.kind is FlowKind.RESCHEDULE
    return any(
        isinstance(one, c.GiveService) or (isinstance(one, c.GiveTime) and (one.of_visit or not is_move))
        for one in wish.details
    )


def _is_move_instead(draft: Draft, commands: tuple[c.Command, ...]) -> bool:
    """Take "no, Wednesday" at the read-back of a cancellation as a wish to move the visit there, and a time at the question whether to."""
    asked = draft.state.question
    is_no = any(isinstance(one, (c.Deny, c.Correct)) for one in commands)
    has_time = any(isinstance(one, c.GiveTime) and not one.of_visit for one in commands)
    if asked is None or not has_time:
        return False
    return asked.say is Say.ASK_MOVE_OR_CANCEL or (asked.say is Say.READ_BACK_CANCEL and is_no)


def _is_about_a_visit_they_have(said: tuple[c.Command, ...]) -> bool:
    """With nothing under way, "can I come earlier?" and "not on the 16th" can only be about a visit that is booked; "not in the mornings" is a wish."""
    is_relative = any(isinstance(one, c.GiveTime) and one.wish.relative in {"earlier", "later"} for one in said)
    only_refuses = any(
        isinstance(one, c.GiveTime) and one.wish.not_days and offers.only_refuses(one.wish) for one in said
    )
    return (is_relative or only_refuses) and not any(isinstance(one, c.GiveService) for one in said)


def _queue_behind(draft: Draft, wish: starts.Wish) -> None:
    """Let a second wish of the same utterance wait below the first, with its own details."""
    top = draft.flow
    below = draft.state.flows[:-1]
    draft.update(flows=below)
    starts.begin(draft, present(wish.kind))
    for one in wish.details:
        details.give(draft, one)
    draft.update(flows=(*draft.state.flows, top))
