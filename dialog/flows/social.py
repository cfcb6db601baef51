"""About the conversation itself: greeting, repeating, going back, starting over, ending."""

from dataclasses import replace

from booking.task_words import TaskSays
from booking.values import TaskKind
from dialog.acts import Say
from dialog.commands import Command, SwitchLanguage
from dialog.draft import Draft
from dialog.errands import OpenTask, ReleaseHold
from dialog.flows import crossing, offering
from dialog.interpreter import Asked
from dialog.languages import spoken_at
from dialog.state import DialogState, FlowKind, Outcome


def greet(draft: Draft) -> None:
    """Answer a call: who we are, that this is a machine, and how to get a person. Who left something open may go on with it."""
    if draft.state.flow is not None and crossing.can_be_proved(draft.state):
        crossing.welcome_back(draft)
        return
    if draft.state.flow is not None:
        crossing.drop(draft)
    others = [one for one in spoken_at(draft.catalogue) if one != draft.state.language]
    draft.say(Say.GREETING, others=others)
    draft.ask(Say.WHAT_TO_DO, Asked.WHAT_TO_DO)
    draft.update(greeted=True)


def repeat(draft: Draft) -> None:
    """Say the last turn again, word for word."""
    draft.acts.extend(draft.state.last_acts)
    if not draft.acts:
        draft.ask(Say.WHAT_TO_DO, Asked.WHAT_TO_DO)
    draft.asked_something = True


def wait(draft: Draft) -> None:
    """Leave them the time they asked for: what was asked stays open and is not said again."""
    reset_counts(draft)
    draft.say(Say.TAKE_YOUR_TIME)
    draft.asked_something = True


def start_over(draft: Draft) -> None:
    """Forget what is wanted, not who it is."""
    old = draft.state
    draft.effects.append(ReleaseHold())
    draft.state = DialogState(
        language=old.language,
        me=old.me,
        is_new=old.is_new,
        number_patients=old.number_patients,
        verified_id=old.verified_id,
        failed_checks=old.failed_checks,
        turns=old.turns,
        outcome=old.outcome,
        greeted=old.greeted,
        last_heard_at=old.last_heard_at,
        served_id=old.served_id,
        tokens_spent=old.tokens_spent,
        channel=old.channel,
        verified_elsewhere=old.verified_elsewhere,
        birth_date_is_elsewhere=old.birth_date_is_elsewhere,
        is_on_call=old.is_on_call,
        had_emergency=old.had_emergency,
    )
    draft.say(Say.STARTED_OVER)
    draft.ask(Say.WHAT_TO_DO, Asked.WHAT_TO_DO)


def go_back(draft: Draft) -> None:
    """Undo the last step of what is under way."""
    if draft.state.flow is None:
        repeat(draft)
        return
    flow = draft.flow
    if flow.hold is not None or flow.chosen is not None:
        draft.effects.append(ReleaseHold())
        offering.forget_choice(draft)
    elif flow.offers:
        offering.forget_choice(draft)
        draft.update_details(wish=None, not_before=None, not_after=None)
        draft.ask(Say.ASK_WHEN, Asked.WHEN)
    elif flow.kind is FlowKind.BOOK:
        draft.update_details(service_keys=())
    else:
        stop(draft)


def stop(draft: Draft) -> None:
    """End what is under way. Nothing that is booked is touched."""
    if draft.state.flow is not None:
        draft.effects.append(ReleaseHold())
        draft.finish()
        draft.update(flows=tuple(one for one in draft.state.flows if not (one.is_companion or one.is_second)))
    draft.say(Say.NOTHING_CHANGED)


def take_leave(draft: Draft) -> None:
    """Answer a good-bye. In the middle of a read-back it may be meant as a yes: that is asked, once, and else nothing is written."""
    question = draft.state.question
    waits = question is not None and question.say in {Say.READ_BACK, Say.READ_BACK_MOVE, Say.READ_BACK_CANCEL}
    if waits and not any(one.say is Say.NOT_DONE_YET for one in draft.state.last_acts):
        draft.say(Say.NOT_DONE_YET)
        return
    if draft.state.flow is not None and draft.state.outcome in {None, Outcome.INFORMED}:
        draft.say(Say.NOTHING_CHANGED)
    part(draft)


def part(draft: Draft) -> None:
    """Say good-bye and end the conversation, with an outcome."""
    draft.effects.append(ReleaseHold())
    draft.update(flows=())
    draft.note_outcome(Outcome.ABANDONED)
    draft.say(Say.GOODBYE)
    draft.listen_freely()
    draft.ends = True


def hang_up(draft: Draft) -> None:
    """They are gone: note how it ended and give back what was held, unless something was open that they may come back to."""
    if crossing.is_worth_picking_up(draft.state) and draft.setting.caller is not None:
        crossing.cut_off(draft)
        return
    draft.effects.append(ReleaseHold())
    draft.update(flows=())
    draft.note_outcome(Outcome.ABANDONED)
    draft.listen_freely()
    draft.ends = True


def listen_in_their_language(draft: Draft, commands: tuple[Command, ...]) -> tuple[Command, ...]:
    """Go on in the language that was asked for or spoken, if we speak it here; return what else was meant."""
    spoken = [one for one in commands if isinstance(one, SwitchLanguage) and one.language in spoken_at(draft.catalogue)]
    if not spoken:
        return commands
    draft.update(language=spoken[-1].language)
    return tuple(one for one in commands if one not in spoken)


def confirm_language(draft: Draft) -> None:
    """Say in the language that was asked for that we go on in it. The open question is asked again in it."""
    draft.say(Say.LANGUAGE_SWITCHED)
    reset_counts(draft)


def miss_language(draft: Draft, language: str) -> None:
    """Answer a wish for a language that is not spoken here: staff are told, where there is a number to call."""
    is_promised = draft.phone() is not None
    if is_promised:
        draft.tell_staff(
            OpenTask(
                TaskKind.CALL_BACK,
                TaskSays.OTHER_LANGUAGE,
                {"language_code": language},
                phone=draft.phone(),
                patient_id=draft.known_patient(),
                subject="language",
            )
        )
        draft.note_outcome(Outcome.MESSAGE_TAKEN)
    draft.say(Say.LANGUAGE_NOT_SPOKEN, language=language, spoken=list(spoken_at(draft.catalogue)), promised=is_promised)


def say_why(draft: Draft) -> bool:
    """Say what a name or a date of birth is needed for, while one is asked for. Say whether one is."""
    if draft.state.asked not in {Asked.NAME, Asked.SPELL_NAME, Asked.BIRTH_DATE}:
        return False
    draft.say(Say.WHY_IDENTITY)
    return True


def reset_counts(draft: Draft) -> None:
    """Something was understood: failures and silences are counted from the beginning."""
    draft.state = replace(draft.state, failures=0, silences=0)
