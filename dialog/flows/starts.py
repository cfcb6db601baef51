"""What they want: which flow begins, and which waits. Several wishes in one utterance are dealt with in the order said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from booking.task_words import TaskDetails, TaskSays
from booking.values import TaskKind
from dialog import commands as c
from dialog.acts import Say
from dialog.draft import Draft
from dialog.errands import OpenTask, ReleaseHold
from dialog.flows import people
from dialog.state import Details, Flow, FlowKind, Outcome

_MAX_OPEN = 4
CHANGES = {FlowKind.RESCHEDULE, FlowKind.CANCEL, FlowKind.CONFIRM}


@dataclass(frozen=True)
class Wish:
    """One thing wanted, with the details said about it."""

    kind: FlowKind | None  # None: about what is under way already
    details: tuple[c.Command, ...]


def kind_of(command: c.Command) -> FlowKind | None:
    """Return the flow that a command begins, if it begins one."""
    match command:
        case c.StartBooking() | c.AskAvailability():
            return FlowKind.BOOK
        case c.StartReschedule():
            return FlowKind.RESCHEDULE
        case c.StartCancel():
            return FlowKind.CANCEL
        case c.ConfirmVisit():
            return FlowKind.CONFIRM
        case c.AskAppointments(past=past):
            return FlowKind.PAST_VISITS if past else FlowKind.APPOINTMENTS
        case _:
            return None


def split(commands: Sequence[c.Command], details: Sequence[c.Command]) -> list[Wish]:
    """Return the wishes in the order said, each with the details that go with it: those after it, for the first also those before."""
    wishes: list[tuple[FlowKind | None, list[c.Command]]] = []
    early: list[c.Command] = []
    is_wanted = any(kind_of(one) for one in commands if not isinstance(one, c.AskAvailability))
    for command in commands:
        # "Move it, what do you have?" is one wish.
        kind = None if is_wanted and isinstance(command, c.AskAvailability) else kind_of(command)
        if kind in CHANGES and wishes == [(FlowKind.BOOK, [])]:
            wishes.clear()  # "I need to cancel my appointment" books nothing
        if kind is FlowKind.BOOK and len(wishes) == 1 and _lacks_a_time(*wishes[0]):
            continue  # neither does "move my appointment for the cleaning to Thursday"
        if kind is not None and (not wishes or wishes[-1][0] is not kind):
            wishes.append((kind, []))
        elif command in details:
            (wishes[-1][1] if wishes else early).append(command)
    if not wishes:
        return [Wish(None, tuple(early))] if early else []
    wishes[0][1][:0] = early
    return [Wish(kind, tuple(said)) for kind, said in wishes]


def _lacks_a_time(kind: FlowKind | None, said: Sequence[c.Command]) -> bool:
    """Say whether a move was begun and not yet said when to."""
    return kind is FlowKind.RESCHEDULE and not any(isinstance(one, c.GiveTime) and not one.of_visit for one in said)


def begin(draft: Draft, kind: FlowKind, *, names_another: bool = False) -> None:
    """Put a flow of this kind on top, unless it is what is under way already.

    "Move it instead" while a visit is being cancelled is about that visit, unless they name another.
    """
    let_address_wait(draft)
    under_way = draft.state.flow
    if under_way is not None and under_way.kind is kind:
        return
    if under_way is not None and {under_way.kind, kind} <= CHANGES and not names_another:
        if under_way.hold is not None:
            draft.effects.append(ReleaseHold())
        draft.update(flows=(*draft.state.flows[:-1], _about_the_same(under_way, kind)))
        return
    if draft.state.flow is not None and draft.state.flow.kind is FlowKind.MESSAGE and not draft.state.flow.note:
        draft.finish()
    if draft.state.flow is not None and draft.state.flow.hold is not None:
        draft.effects.append(ReleaseHold())
        draft.update_flow(hold=None, agreed=False)
    spoken_of = draft.state.spoken_of if kind is FlowKind.BOOK and draft.state.flow is None else None
    about = Details(service_keys=(spoken_of,) if spoken_of else ())
    waiting = draft.state.flows[-_MAX_OPEN + 1 :]
    if kind in CHANGES:
        waiting = tuple(replace(one, is_overtaken=one.kind is FlowKind.BOOK) for one in waiting)
    draft.update(flows=(*waiting, _for_whom_was_spoken_of(under_way, Flow(kind, details=about))), spoken_of=None)


def _for_whom_was_spoken_of(under_way: Flow | None, begun: Flow) -> Flow:
    """Let "when is it?" after "about my son's appointment" be about his, as long as that was all there was."""
    if under_way is None or under_way.kind is not FlowKind.BOOK or under_way.details.service_keys:
        return begun
    whom = Details(relation=under_way.details.relation, person_said=under_way.details.person_said)
    return begun if whom == Details() else replace(begun, details=whom, person=under_way.person)


def let_address_wait(draft: Draft) -> None:
    """Go back to what was under way before an e-mail address came up: what is wished comes first."""
    flows = draft.state.flows
    if len(flows) > 1 and flows[-1].kind is FlowKind.EMAIL:
        draft.update(flows=(*flows[:-2], flows[-1], flows[-2]))


def _about_the_same(flow: Flow, kind: FlowKind) -> Flow:
    whom = Details(relation=flow.details.relation, person_said=flow.details.person_said)
    return Flow(
        kind,
        details=whom,
        about=flow.about,
        person=flow.person,
        patient_id=flow.patient_id,
        visits=flow.visits,
        visit=flow.visit,
    )


def run_late(draft: Draft, minutes: int | None) -> None:
    """Tell the staff that a patient will be late. Needs no check: nothing is told and nothing is changed."""
    says = TaskSays.RUNNING_LATE_BY if minutes else TaskSays.RUNNING_LATE
    draft.tell_staff(
        OpenTask(
            TaskKind.RUNNING_LATE,
            says,
            {"minutes": minutes, "name": draft.state.me.name},
            phone=draft.phone(),
            patient_id=draft.known_patient(),
            subject="late",
        )
    )
    draft.say(Say.LATE_NOTED)
    draft.note_outcome(Outcome.MESSAGE_TAKEN)


def leave_message(draft: Draft, text: str) -> None:
    """Begin a message. Words that are more than an announcement of one are the message."""
    if draft.state.flow is not None and draft.flow.task is not None:
        draft.finish()
    begin(draft, FlowKind.MESSAGE)
    if len(text.split()) > 4:
        draft.update_flow(note=text)


def ask_human(draft: Draft) -> None:
    """Pass to a person."""
    people.hand_over(draft, says=TaskSays.ASKED_FOR_PERSON, details=_summary(draft))


def _summary(draft: Draft) -> TaskDetails:
    """What helps whoever takes over: who it is, and what they were about."""
    flow = draft.state.flow
    keys = flow.details.service_keys if flow else ()
    return {
        "name": draft.state.me.name,
        "wish_code": flow.kind.value if flow else None,
        "service": draft.service(keys[0]).name if len(keys) == 1 else None,
    }
