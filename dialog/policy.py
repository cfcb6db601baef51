"""What to do next: a function from what is known and what was heard to what is said, written and asked.

Pure. `hear` takes what the patient did; a Decision with a request is not the end of the turn: whoever carries the request
out hands its result to `take_result`, until a Decision has none. What to ask next is always worked out anew from what is
known, so that a digression, a correction or a lost time changes facts and never a place in a script.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import assert_never, cast

from booking.values import BookedVisit
from dialog import commands as c
from dialog.acts import Act, Say
from dialog.draft import Decision, Draft, Setting, present
from dialog.errands import (
    ConfirmHold,
    FindTimes,
    Held,
    MatchCaller,
    OnWaitingList,
    PatientFound,
    PlaceHold,
    RefusedBy,
    RegisterPatient,
    Request,
    Result,
    TimesFound,
    VisitsListed,
    VisitWritten,
    WaitForTime,
)
from dialog.flows import (
    answers,
    beside,
    book,
    crossing,
    details,
    identity,
    last_time,
    mail_address,
    offering,
    people,
    questions,
    recent,
    social,
    starts,
    visits,
    waiting,
    wishes,
)
from dialog.inbound import InboundKind
from dialog.interpreter import Asked
from dialog.keypad import as_commands
from dialog.state import Choice, DialogState, FlowKind, Outcome
from dialog.timewords import TimeWish

MAX_TURNS = 40
MAX_FAILURES = 3
_MAX_STEPS = 12
_VERIFIED_FOR = timedelta(minutes=30)
_SURE_ENOUGH = 0.4
_SURELY_HEARD = 0.8  # dates of birth, which nobody could put right later
_BESIDE_THANKS = (c.Thank, c.Greet, c.Affirm, c.Deny, c.Goodbye, c.Unsure)
_NEEDS_NO_DETAILS = (c.RunningLate, c.OutOfScope, c.Goodbye, c.Thank, c.LeaveMessage, c.AskHuman)


@dataclass(frozen=True)
class Heard:
    """What the patient did: the kind of message, its words, and what they were understood to mean.

    `reminded`: the visits of the reminder that it answers.
    """

    kind: InboundKind
    text: str = ""
    commands: tuple[c.Command, ...] = ()
    confidence: float = 1.0
    reminded: tuple[BookedVisit, ...] = ()


def hear(state: DialogState, setting: Setting, heard: Heard) -> Decision:
    """Decide what follows from one message."""
    state, heard = _with_answer_back(state, heard)
    came_over = state.channel not in {None, setting.channel}
    if heard.kind is InboundKind.HUNG_UP and came_over:
        return _hang_up_while_texting(state, setting)
    awake = crossing.came_back(_awake(state, setting), now=setting.now)
    draft = Draft(crossing.arrived(awake, setting.channel), setting)
    draft.update(last_heard_at=setting.now)
    if draft.is_voice:
        draft.update(is_on_call=heard.kind is not InboundKind.HUNG_UP)
    match heard.kind:
        case InboundKind.START:
            social.greet(draft)
        case InboundKind.HUNG_UP:
            social.hang_up(draft)
        case InboundKind.TRANSFER_FAILED:
            people.take_back(draft)
        case InboundKind.SILENCE if came_over and draft.state.last_acts and not draft.state.must_prove:
            social.repeat(draft)  # they texted instead of speaking
        case InboundKind.SILENCE:
            _hear_nothing(draft)
        case InboundKind.SAID | InboundKind.KEYS if heard.reminded:
            _listen_about(draft, heard)
        case InboundKind.SAID | InboundKind.KEYS:
            _listen(draft, heard, is_return=crossing.is_left_open(state))
        case _:
            assert_never(heard.kind)
    return _go_on(draft)


def _with_answer_back(state: DialogState, heard: Heard) -> tuple[DialogState, Heard]:
    """Hear the answer again that was not clear, once it is known to be about what was open; anything else is heard as it is."""
    aside = state.set_aside
    if aside is None:
        return state, heard
    if heard.text.strip().rstrip(".)") == "2":
        heard = Heard(heard.kind, aside.said, (c.Affirm() if aside.takes else c.Deny(),))
    return crossing.with_question_back(state), heard


def _hang_up_while_texting(state: DialogState, setting: Setting) -> Decision:
    """Leave everything to the texts that were written last: nobody needs to be picked up."""
    draft = Draft(crossing.left_call(state), setting)
    draft.ends = state.flow is None
    return _decision(draft)


def take_result(before: Decision, setting: Setting, result: Result) -> Decision:
    """Decide what follows from the result of what was requested, in the same turn. What was said before stays said."""
    request = cast("Request", present(before.request))
    draft = Draft(before.state, setting, acts=list(before.acts), transfer_to=before.transfer_to, ends=before.ends)
    match result:
        case TimesFound():
            offering.take_times(draft, cast("FindTimes", request), result)
        case Held(visit=visit, seat_id=seat_id):
            draft.update_flow(hold=visit, seat_id=seat_id)
        case VisitWritten():
            _take_visit(draft, result)
        case PatientFound():
            _take_patient(draft, request, result)
        case VisitsListed() if draft.flow.details.refers_to_last_time:
            last_time.take_visits(draft, result.visits)
        case VisitsListed():
            visits.take_visits(draft, result)
        case OnWaitingList():
            waiting.take_entry(draft, result)
        case RefusedBy():
            _take_refusal(draft, request, result)
        case _:
            assert_never(result)
    return _go_on(draft)


def _awake(state: DialogState, setting: Setting) -> DialogState:
    """Forget a check of identity after half an hour without a message: another may hold the telephone by now."""
    if state.last_heard_at is None or setting.now - state.last_heard_at <= _VERIFIED_FOR:
        return state
    state = replace(state, verified_id=None, verified_elsewhere=(), me=replace(state.me, birth_date=None))
    return crossing.without_proof(state)


def _listen(draft: Draft, heard: Heard, *, is_return: bool) -> None:
    draft.update(turns=draft.state.turns + 1)
    draft.may_be_misheard = heard.kind is not InboundKind.KEYS and heard.confidence < _SURELY_HEARD
    commands = as_commands(draft, heard.text, heard.commands, is_keys=heard.kind is InboundKind.KEYS)
    is_sure = commands != heard.commands or heard.confidence >= _SURE_ENOUGH  # a digit is not to be misheard
    meant, commands = commands, social.listen_in_their_language(draft, commands)
    if is_return and draft.state.flow is not None:
        crossing.make_way(draft, commands)
    held_back = commands if crossing.is_held_back(draft) else ()
    emergency = next((one for one in commands if isinstance(one, c.Emergency)), None)
    if emergency is not None:
        people.emergency(draft, words=emergency.text or heard.text)
    elif draft.state.turns > MAX_TURNS:
        people.give_up(draft)
    elif meant and not commands:
        social.confirm_language(draft)
    elif held_back and crossing.prove(draft, details.as_birth_dates(draft, held_back)):
        return
    elif draft.state.asked is Asked.MESSAGE and not _leaves_message(commands):
        draft.update_flow(note=heard.text)
        social.reset_counts(draft)
    elif _take(draft, details.as_birth_dates(draft, commands), is_sure=is_sure):
        if not draft.asked_something:
            social.reset_counts(draft)
    else:
        _not_understood(draft)


def _listen_about(draft: Draft, heard: Heard) -> None:
    """Take what is wished for one of the visits that they were reminded of. It is spoken of for this turn only: nobody has proved anything."""
    before = draft.state.told
    draft.update(told=heard.reminded)
    _listen(draft, heard, is_return=False)
    draft.update(told=before)


def _leaves_message(commands: tuple[c.Command, ...]) -> bool:
    ways_out = (c.Stop, c.Goodbye, c.Deny, c.AskHuman, c.StartOver, c.GoBack, c.Repeat)
    return bool(commands) and all(isinstance(one, ways_out) for one in commands)


def _take(draft: Draft, commands: tuple[c.Command, ...], *, is_sure: bool) -> bool:
    """Take in all that was meant, in the order in which it matters. Say whether anything was of use."""
    if _is_parting(draft, commands):
        social.take_leave(draft)
        return True
    if (goes_on := crossing.answer_to_go_on(draft, commands)) is not None:
        crossing.go_on(draft) if goes_on else social.stop(draft)
        return True
    for one in commands:
        if not _is_beside_a_wish(draft, one, commands) and _about_conversation(draft, one):
            return True
    commands = answers.without_idle_choice(draft, commands)
    commands, used = _asked_back(draft, _asked_again(draft, commands))
    said = _details_meant(draft, commands)
    known = _people_known(draft)
    used |= _who(draft, commands)
    if _agrees_and_wants_another(draft, commands, said):
        beside.bring_another(draft, said)
        commands, said = (*(one for one in commands if one not in said and not starts.kind_of(one)),), ()
    has_chosen = _choose(draft, commands, said)
    before = _standing(draft)
    used |= wishes.take(draft, commands, said) or has_chosen
    if not has_chosen and _standing(draft) == before and not _puts_person_right(draft, commands):
        used |= _yes_or_no(draft, commands, is_sure=is_sure)
    used |= _asides(draft, commands)
    if _people_known(draft) != known:
        draft.update(rounds=0)  # whoever tells more of themselves does not go round in circles
    return used


def _agrees_and_wants_another(draft: Draft, commands: tuple[c.Command, ...], said: tuple[c.Command, ...]) -> bool:
    """Say whether a yes to the visit that is offered or read back comes with a wish for another service: "yes, and can I get a flu shot?"."""
    question = draft.state.question
    if question is None or question.say not in {Say.OFFER_ONE, Say.READ_BACK} or draft.flow.kind is not FlowKind.BOOK:
        return False
    kinds = {type(one) for one in commands}
    is_both = {c.Affirm, c.StartBooking} <= kinds and not kinds & {c.Deny, c.Correct, c.Choose}
    service_keys = draft.flow.details.service_keys
    return is_both and any(isinstance(one, c.GiveService) and not {*one.keys} & {*service_keys} for one in said)


def _people_known(draft: Draft) -> object:
    flow = draft.state.flow
    return draft.state.me, flow and (flow.person, flow.details.relation)


def _is_beside_a_wish(draft: Draft, one: c.Command, commands: tuple[c.Command, ...]) -> bool:
    """Say whether a word about the conversation is no more than that: "sorry, tomorrow at 9", "never mind, the first one then"."""
    if isinstance(one, c.Repeat):
        return len(commands) > 1
    if not isinstance(one, c.Stop):
        return False
    if draft.state.flow is not None:
        return bool(draft.state.choices) and any(isinstance(other, c.Choose) for other in commands)
    return any(starts.kind_of(other) for other in commands)


def _asked_again(draft: Draft, commands: tuple[c.Command, ...]) -> tuple[c.Command, ...]:
    """Take "and on Saturdays?" after a question about the clinic as that question; else it is a wish like any other."""
    topic = draft.state.asked_topic
    draft.update(asked_topic=None)
    if topic is None or draft.state.flow is not None or not any(isinstance(one, c.AskSame) for one in commands):
        return tuple(one for one in commands if not isinstance(one, c.AskSame))
    kept = (one for one in commands if not isinstance(one, c.StartBooking))
    return tuple(c.AskClinic(topic) if isinstance(one, c.AskSame) else one for one in kept)


def _asked_back(draft: Draft, commands: tuple[c.Command, ...]) -> tuple[tuple[c.Command, ...], bool]:
    """Take "what do you have?" in answer to "when?" as any time at all. It begins nothing new while a time is looked for."""
    flow = draft.state.flow
    if flow is None or flow.kind not in {FlowKind.BOOK, FlowKind.RESCHEDULE} or flow.offers:
        return commands, False
    if flow.kind is FlowKind.RESCHEDULE and not any(isinstance(one, c.GiveService) for one in commands):
        # "I'd like to book it for the 25th" says when to move it to.
        commands = tuple(one for one in commands if not isinstance(one, c.StartBooking))
    left = tuple(one for one in commands if not isinstance(one, c.AskAvailability))
    if len(left) == len(commands) or any(isinstance(one, c.GiveTime) for one in left):
        return left, len(left) < len(commands)
    return left, answers.be_unsure(draft) if draft.state.asked is Asked.WHEN else False


def _is_parting(draft: Draft, commands: tuple[c.Command, ...]) -> bool:
    """Say whether they only say good-bye. A yes beside it is one where something waits for it."""
    parting: tuple[type[c.Command], ...] = (c.Goodbye, c.Thank, c.Deny, c.Stop)
    if draft.state.asked is not Asked.YES_NO:
        parting = (*parting, c.Affirm)
    return any(isinstance(one, c.Goodbye) for one in commands) and all(isinstance(one, parting) for one in commands)


def _about_conversation(draft: Draft, command: c.Command) -> bool:
    match command:
        case c.AskHuman():
            starts.ask_human(draft)
        case c.StartOver():
            social.start_over(draft)
        case c.GoBack():
            social.go_back(draft)
        case c.Stop() if mail_address.is_open(draft):
            mail_address.drop(draft)
        case c.Stop():
            social.stop(draft)
        case c.Repeat():
            social.repeat(draft)
        case c.LeaveMessage(text=text):
            starts.leave_message(draft, text)
        case _:
            return False
    return True


def _details_meant(draft: Draft, commands: tuple[c.Command, ...]) -> tuple[c.Command, ...]:
    """Return the details that are about a visit: not those of a question, of a good-bye, or of what is no business of ours."""
    said: tuple[c.Command, ...] = tuple(one for one in commands if isinstance(one, details.DETAILS))
    if any(isinstance(one, c.JoinWaitlist) for one in commands):
        # "If something comes free earlier" is what the waiting list is for, and no wish for times that are free.
        said = tuple(one for one in said if not (isinstance(one, c.GiveTime) and one.wish.relative == "earlier"))
    if any(isinstance(one, c.GiveName) for one in commands) and draft.state.asked in {Asked.NAME, Asked.SPELL_NAME}:
        said = tuple(one for one in said if isinstance(one, c.BookFor))
    if any(isinstance(one, c.GiveBirthDate) for one in commands):
        said = _beside_a_birth_date(draft, commands, said)
    if (
        any(isinstance(one, c.Choose) for one in commands)
        and draft.state.choices
        and not wishes.visit_pointed_at(draft, commands)
    ):
        said = tuple(one for one in said if isinstance(one, (c.GiveService, c.BookFor)))
    asks = any(isinstance(one, c.AskClinic) for one in commands)
    if asks and draft.state.asked is Asked.WHEN:
        # "What does a filling cost?" in answer to "when?" changes nothing of what is booked.
        said = tuple(one for one in said if not isinstance(one, c.GiveService))
    wants = any(starts.kind_of(one) for one in commands)
    if wants or draft.state.asked in {Asked.SERVICE, Asked.WHEN, Asked.PRACTITIONER}:
        return said
    if asks:
        return said if _asks_and_wishes(commands) else ()
    if draft.state.flow is None and any(isinstance(one, _NEEDS_NO_DETAILS) for one in commands):
        return ()
    return said


def _beside_a_birth_date(
    draft: Draft, commands: tuple[c.Command, ...], said: tuple[c.Command, ...]
) -> tuple[c.Command, ...]:
    """What else is heard into the answer to that question was misheard; a wish that brings the date with it keeps its time."""
    if draft.state.asked is Asked.BIRTH_DATE:
        return ()
    if any(starts.kind_of(one) for one in commands):
        return said
    return tuple(one for one in said if not isinstance(one, c.GiveTime))


def _asks_and_wishes(commands: tuple[c.Command, ...]) -> bool:
    """A service and a time beside a question are a wish ("Do you do flu shots? Can I have one on Saturday?"), unless it is about hours."""
    has_time = any(isinstance(one, c.GiveTime) and one.wish.relative is None for one in commands)
    has_service = any(isinstance(one, c.GiveService) for one in commands)
    about_time = any(
        isinstance(one, c.AskClinic) and one.topic in {c.Topic.HOURS, c.Topic.WHO_WORKS_WHEN} for one in commands
    )
    return has_time and has_service and not about_time


def _who(draft: Draft, commands: tuple[c.Command, ...]) -> bool:
    used = False
    for one in commands:
        if isinstance(one, details.IDENTITY):
            used |= details.give_identity(draft, one)
            if isinstance(one, c.GiveBirthDate) and one.is_impossible:
                draft.say(Say.BIRTH_DATE_IMPOSSIBLE)
    return used


def _choose(draft: Draft, commands: tuple[c.Command, ...], said: tuple[c.Command, ...]) -> bool:
    for one in commands:
        if isinstance(one, c.Choose) and _is_the_single_offer(draft, one, commands):
            return answers.choose_time(draft, draft.flow.offers[0])
        if isinstance(one, c.Choose):
            return _may_choose(draft, commands) and answers.choose(draft, one.index)
        if isinstance(one, c.ChooseAll):
            return _may_choose(draft, commands) and answers.choose_all(draft)
        if isinstance(one, c.MoreOptions):
            return answers.want_others(draft, with_others=one.with_others)
        if isinstance(one, c.AskAvailability):
            return not said and answers.want_others(draft, with_others=False)
    singled_out = details.chosen_by_details(draft, said)
    if singled_out is None or any(isinstance(one, c.Deny) for one in commands):
        return False
    return answers.choose_time(draft, singled_out)


def _is_the_single_offer(draft: Draft, said: c.Choose, commands: tuple[c.Command, ...]) -> bool:
    """Say whether "the first one" is the single time that is offered, and not, by a no to that, one of the list before it."""
    question = draft.state.question
    is_single = question is not None and question.say is Say.OFFER_ONE
    return is_single and said.index == 0 and not any(isinstance(one, (c.Deny, c.Correct)) for one in commands)


def _may_choose(draft: Draft, commands: tuple[c.Command, ...]) -> bool:
    """Say whether a choice counts: once a time is read back it takes a no to it, since "the first one" may mean that time."""
    question = draft.state.question
    is_read_back = question is not None and question.say in {Say.READ_BACK, Say.READ_BACK_MOVE}
    return not is_read_back or any(isinstance(one, (c.Deny, c.Correct)) for one in commands)


def _standing(draft: Draft) -> object:
    """What a yes or no would be about: changed by what was said beside it, the answer was to something that is gone."""
    flow = draft.state.flow
    if flow is None:
        return None
    return flow.kind, flow.details, flow.about, flow.offers, flow.chosen, flow.hold


def _puts_person_right(draft: Draft, commands: tuple[c.Command, ...]) -> bool:
    """Say whether the no to what was read back is about whose visit it is ("no, it's for Ann Smith", "no, I was born in 1942"): the time stays."""
    question = draft.state.question
    is_read_back = question is not None and question.say is Say.READ_BACK
    is_no = any(isinstance(one, (c.Deny, c.Correct)) for one in commands)
    return is_read_back and is_no and any(isinstance(one, (c.GiveName, c.GiveBirthDate)) for one in commands)


def _yes_or_no(draft: Draft, commands: tuple[c.Command, ...], *, is_sure: bool) -> bool:
    if draft.state.flow is not None and draft.flow.chosen is not None and draft.flow.hold is None:
        return False  # one of the options was just chosen: the yes or no belonged to that
    if {c.Affirm, c.Deny} <= {type(one) for one in commands}:
        # "Yeah no that's fine": which of the two it is has to be asked, unless there is nothing to agree to.
        commands = (c.Deny(),) if draft.state.asked in {Asked.ANYTHING_ELSE, Asked.WHAT_TO_DO} else ()
    # "No, my name is wrong": the no says nothing that the rest does not say better.
    for one in sorted(commands, key=lambda one: not (isinstance(one, c.Correct) and one.what)):
        match one:
            case c.Affirm():
                return is_sure and answers.say_yes(draft)
            case c.Correct(what="name") if answers.misheard_name(draft):
                return True
            case c.Correct(what="birth-date") if answers.misheard_birth_date(draft):
                return True
            case c.Deny() | c.Correct():
                if draft.state.asked in {Asked.ANYTHING_ELSE, Asked.WHAT_TO_DO} and len(commands) == 1 and is_sure:
                    social.part(draft)
                    return True
                return answers.say_no(draft, ends=one == c.Deny(nothing_more=True))
            case c.Unsure():
                return answers.be_unsure(draft)
            case _:
                continue
    return False


def _asides(draft: Draft, commands: tuple[c.Command, ...]) -> bool:
    """Answer what does not change what is under way; the open question is asked again afterwards."""
    subject = _subject(draft, commands)
    is_request = any(not isinstance(one, _BESIDE_THANKS) for one in commands)
    used = False
    for one in commands:
        if isinstance(one, c.Thank) and is_request:
            used = True  # "send it to me, thank you" thanks for what is still to come
            continue
        used |= _aside(draft, one, subject) or _courtesy(draft, one)
    return used


def _aside(draft: Draft, command: c.Command, subject: questions.Subject) -> bool:
    match command:
        case c.AskClinic():
            questions.answer(draft, command, subject)
            draft.update(asked_topic=command.topic)
            if subject.service is not None:
                draft.update(spoken_of=subject.service.key)
        case c.RunningLate(minutes=minutes):
            starts.run_late(draft, minutes)
        case c.JoinWaitlist():
            waiting.join_or_find_out(draft)
        case c.WantEmail():
            mail_address.want(draft)
        case c.SwitchLanguage(language=language):
            social.miss_language(draft, language)
        case _:
            return False
    return True


def _courtesy(draft: Draft, command: c.Command) -> bool:
    match command:
        case c.OutOfScope(kind=kind):
            draft.say(Say.NO_ADVICE if kind == "advice" else Say.OFF_TOPIC)
        case c.Help():
            draft.say(Say.HELP)
        case c.AskWhy():
            return social.say_why(draft)
        case c.AskIfBot():
            draft.say(Say.BOT)
        case c.HoldOn():
            social.wait(draft)
        case c.Thank():
            draft.say(Say.WELCOME)
        case c.Greet():
            return True
        case _:
            return False
    return True


def _subject(draft: Draft, commands: tuple[c.Command, ...]) -> questions.Subject:
    """Return what a question is about: what was named with it, else what is being booked or was just now."""
    service_keys: tuple[str, ...] = ()
    if draft.state.flow is not None and len(draft.flow.details.service_keys) == 1:
        service_keys = draft.flow.details.service_keys
    elif draft.state.flow is None:
        service_keys = recent.spoken_of(draft)
    subject = questions.Subject()
    for one in commands:
        match one:
            case c.GiveService(keys=(key, *_) as keys):
                service_keys = (key,)
                subject = replace(subject, services=tuple(draft.service(one) for one in keys))
            case c.GivePractitioner(keys=(key, *_)):
                subject = replace(subject, practitioner=draft.practitioner(key))
            case c.GiveLocation(keys=(key, *_)):
                subject = replace(subject, location=draft.location(key))
            case c.GiveTime(wish=TimeWish(days=(span, *_))):
                subject = replace(subject, day=span.first)
            case c.GiveTime(wish=TimeWish(weekdays=weekdays)) if len(weekdays) == 1:
                subject = replace(subject, day=_next(min(weekdays), draft.setting.local_now.date()))
            case c.WishPractitioner(language=language):
                subject = replace(subject, language=language)
            case _:
                continue
    return replace(subject, service=draft.service(service_keys[0])) if service_keys else subject


def _next(weekday: int, today: date) -> date:
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def _not_understood(draft: Draft) -> None:
    draft.update(failures=draft.state.failures + 1)
    if draft.state.failures >= MAX_FAILURES:
        people.give_up(draft)
        return
    if not draft.acts:
        draft.say(Say.NOT_UNDERSTOOD)


def _hear_nothing(draft: Draft) -> None:
    draft.update(silences=draft.state.silences + 1)
    if draft.state.silences >= MAX_FAILURES:
        people.give_up(draft)
        return
    draft.say(Say.STILL_THERE)


def _take_visit(draft: Draft, written: VisitWritten) -> None:
    draft.update(offered_for_it=waiting.named(draft))
    if draft.flow.kind is FlowKind.BOOK:
        book.take_confirmation(draft, written)
    else:
        visits.take_change(draft, written)


def _take_patient(draft: Draft, request: Request, found: PatientFound) -> None:
    if isinstance(request, RegisterPatient):
        draft.update_flow(patient_id=found.patient_id)
    elif isinstance(request, MatchCaller) and request.name is None:
        crossing.take_proof(draft, present(request.birth_date), found)
    elif draft.flow.kind is FlowKind.BOOK and not draft.flow.details.refers_to_last_time:
        identity.take_booking_match(draft, found)
    else:
        identity.take_verification(draft, found.patient_id)


def _take_refusal(draft: Draft, request: Request, refusal: RefusedBy) -> None:
    match request:
        case PlaceHold():
            offering.take_hold_refusal(draft, refusal)
        case ConfirmHold():
            book.take_confirm_refusal(draft, refusal)
        case WaitForTime():
            waiting.leave_to_staff(draft)
        case _:
            visits.take_refusal(draft, refusal)


def _go_on(draft: Draft) -> Decision:
    """Work out the next question or request from what is known."""
    if not (draft.asked_something or draft.request or draft.ends) and crossing.is_held_back(draft):
        crossing.ask_for_proof(draft)
    for _ in range(_MAX_STEPS):
        if draft.asked_something or draft.request is not None or draft.ends or draft.state.flow is None:
            break
        _advance(draft)
    else:
        raise RuntimeError("the dialog does not come to a question")
    if not draft.asked_something and draft.request is None and not draft.ends:
        _ask_openly(draft)
    return _decision(draft)


def _advance(draft: Draft) -> None:
    match draft.flow.kind:
        case FlowKind.BOOK:
            book.advance(draft)
        case FlowKind.MESSAGE:
            people.advance(draft)
        case FlowKind.EMAIL:
            mail_address.advance(draft)
        case _:
            visits.advance(draft)


def _ask_openly(draft: Draft) -> None:
    """With nothing under way: ask again what was asked, or whether there is anything else."""
    before = draft.state.question
    is_repeat = bool(draft.state.failures or draft.state.silences)
    if is_repeat and before is not None:
        draft.ask(before.say, draft.state.asked, choices=draft.state.choices, **dict(before.fields))
    elif draft.state.outcome is not None and (draft.acts or draft.is_voice):
        told = draft.state.told
        choices = tuple(Choice(one.id, visit=one) for one in told) if len(told) > 1 else ()
        draft.ask(Say.ANYTHING_ELSE, Asked.ANYTHING_ELSE, choices=choices)
    else:
        draft.ask(Say.WHAT_TO_DO, Asked.WHAT_TO_DO)


def _decision(draft: Draft) -> Decision:
    if draft.request is None:
        if draft.state.rounds >= MAX_FAILURES:
            people.give_up_going_round(draft)
        _introduce(draft)
        draft.update(last_acts=tuple(draft.acts))
        if draft.ends and draft.state.outcome is None:
            draft.note_outcome(Outcome.ABANDONED)
    return Decision(
        state=draft.state,
        acts=tuple(draft.acts),
        effects=tuple(draft.effects),
        request=draft.request,
        transfer_to=draft.transfer_to,
        ends=draft.ends,
    )


def _introduce(draft: Draft) -> None:
    """Say once in a text conversation who is writing. An emergency comes before any courtesy."""
    if draft.state.greeted or draft.is_voice or not draft.acts:
        return
    draft.update(greeted=True)
    if draft.acts[0].say is not Say.EMERGENCY:
        draft.acts.insert(0, Act(Say.HELLO))
