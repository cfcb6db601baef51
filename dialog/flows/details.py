"""What they tell: each detail goes where it belongs, later ones win, and what no longer fits is dropped."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from difflib import SequenceMatcher

from dialog import commands as c
from dialog.acts import Say
from dialog.commands import Relation
from dialog.draft import Draft
from dialog.flows import births, identity, mail_address, offering, people
from dialog.flows.starts import begin, let_address_wait
from dialog.hours import wall_time
from dialog.interpreter import Asked
from dialog.offers import Offer, one_day, only_refuses
from dialog.state import Details, Flow, FlowKind, Person
from dialog.timewords import TimeWish, allows, is_search, merge_wish

DETAILS = (
    c.GiveService,
    c.GivePractitioner,
    c.AnyPractitioner,
    c.SamePractitioner,
    c.LikeLastTime,
    c.RefusePractitioner,
    c.WishPractitioner,
    c.GiveLocation,
    c.GiveTime,
    c.BookFor,
)
IDENTITY = (c.GiveName, c.GiveBirthDate, c.GivePhone, c.GiveEmail, c.NewPatient)
_LONG_PAST = timedelta(days=300)
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_WEEKS_AHEAD = 60  # farther than any clinic books
_LIKE = 0.4  # of two spellings of one name


def give(draft: Draft, command: c.Command) -> bool:
    """Take in one detail of the flow under way, beginning a booking when there is none. Say whether it was of use."""
    let_address_wait(draft)
    if draft.state.flow is None or draft.flow.kind is FlowKind.EMAIL:
        begin(draft, FlowKind.BOOK)
    match draft.flow.kind:
        case FlowKind.BOOK:
            return _give_wanted(draft, command)
        case FlowKind.RESCHEDULE:
            return _give_move(draft, command)
        case FlowKind.MESSAGE:
            return _give_message(draft, command)
        case _:
            return _give_about(draft, command)


def give_identity(draft: Draft, command: c.Command) -> bool:
    """Take in who they are. A changed answer makes the look-up happen again."""
    match command:
        case c.GiveName(value=value):
            return _give_name(draft, " ".join(value.split())[:80])
        case c.GiveBirthDate():
            return _give_birth_date(draft, command)
        case c.GiveEmail(value=str(value)) if people.is_asking_for_number(draft):
            draft.update_flow(email=value)
        case c.GiveEmail():
            return mail_address.give(draft, command)
        case c.GivePhone(value=value):
            draft.update(me=replace(draft.state.me, phone=value), gives_no_number=False)
        case c.NewPatient(is_new=is_new):
            draft.update(is_new=is_new)
            _forget_patient(draft)
    return True


def as_birth_dates(draft: Draft, commands: tuple[c.Command, ...]) -> tuple[c.Command, ...]:
    """Read a day of years ago as the date of birth it must be: nobody wants a visit then."""
    today = draft.setting.local_now.date()
    return tuple(
        c.GiveBirthDate(born) if isinstance(one, c.GiveTime) and (born := _born(one, today)) else one
        for one in commands
    )


def chosen_by_details(draft: Draft, said: tuple[c.Command, ...]) -> Offer | None:
    """Return the one offer that the details single out among those that are open ("Tuesday, then").

    An offer with somebody else, or elsewhere, than was named with its time is another one.
    """
    found = {offer for one in said if (offer := _singled_out(draft, one)) is not None}
    if len(found) != 1:
        return None
    [offer] = found
    named = [one for one in said if isinstance(one, (c.GivePractitioner, c.GiveLocation)) and len(one.keys) == 1]
    return offer if all(_fits(draft, offer, one) for one in named) else None


def _singled_out(draft: Draft, command: c.Command) -> Offer | None:
    if draft.state.flow is None or draft.state.asked is not Asked.CHOICE or not draft.state.flow.offers:
        return None
    if isinstance(command, c.GiveTime) and is_search(command.wish):
        return None
    left = [one for one in draft.state.flow.offers if _fits(draft, one, command)]
    return left[0] if len(left) == 1 else None


def _fits(draft: Draft, offer: Offer, command: c.Command) -> bool:
    catalogue = draft.catalogue
    match command:
        case c.GiveTime(wish=wish, unresolved=(), past=False, of_visit=False) if not (wish.relative or wish.order):
            return allows(wish, start=wall_time(offer.starts_at, catalogue.location(offer.location_id)))
        case c.GivePractitioner(keys=(key,)):
            return [catalogue.practitioner(one).key for one in offer.practitioner_ids] == [key]
        case c.GiveLocation(keys=(key,)):
            return catalogue.location(offer.location_id).key == key
        case _:
            return False


def _give_wanted(draft: Draft, command: c.Command) -> bool:
    before = draft.flow.details
    after = _like_last_time(draft) if isinstance(command, c.LikeLastTime) else _changed(before, command)
    if isinstance(command, c.BookFor):
        _set_relation(draft, command)
        return True
    if _is_what_is_offered(draft, command):
        return True
    if isinstance(command, c.GiveTime):
        after = _on_the_day_held(draft, after, command)
        if after.wish is not None and offering.leaves_day(draft, command.wish):
            after = replace(after, wish=replace(after.wish, days=()))
    if after != before or isinstance(command, c.GiveTime):
        offering.forget_choice(draft)
        draft.update_flow(details=after, shown=_shown_after(draft.flow, command))
    return True


def _like_last_time(draft: Draft) -> Details:
    """Take "the same as last time" as an answer to the question that is open, or as all of what they had."""
    wanted, asked = draft.flow.details, draft.state.asked
    if asked is Asked.WHEN:
        return replace(wanted, same_time=True)
    return replace(wanted, same_visit=asked is not Asked.PRACTITIONER, same_practitioner=asked is Asked.PRACTITIONER)


def _on_the_day_held(draft: Draft, details: Details, said: c.GiveTime) -> Details:
    """Take another time of day for what is read back ("no, at ten") as one of the day that is held, unless that is among the days wished for."""
    held, wish = draft.flow.chosen, details.wish
    is_timed = said.wish.at_minute is not None or bool(said.wish.clocks)
    names_day = bool(said.wish.days or said.wish.weekdays or said.wish.relative)
    if held is None or wish is None or not is_timed or names_day:
        return details
    wall = wall_time(held.starts_at, draft.catalogue.location(held.location_id))
    days = TimeWish(days=wish.days, weekdays=wish.weekdays)
    if days != TimeWish() and allows(days, start=wall):
        return details
    return replace(details, wish=replace(wish, days=one_day(wall.date()), weekdays=frozenset()))


def _shown_after(flow: Flow, command: c.Command) -> tuple[datetime, ...]:
    """What was shown stays refused only for "earlier", "later" and the like; any other wish may bring it back."""
    is_relative = isinstance(command, c.GiveTime) and command.wish.relative is not None
    return flow.shown if is_relative else ()


def _give_move(draft: Draft, command: c.Command) -> bool:
    flow = draft.flow
    if isinstance(command, c.GiveTime) and (of_visit := _when_the_visit_is(flow, command)):
        draft.update_flow(about=replace(flow.about, wish=of_visit))
        return True
    if flow.visit is None and isinstance(command, (c.GiveService, c.GivePractitioner)):
        draft.update_flow(about=_changed(flow.about, command))
        return True
    if isinstance(command, (c.GiveService, c.BookFor)):
        return _give_about(draft, command)
    if isinstance(command, c.SamePractitioner) and not flow.details.practitioner_keys:
        return True  # whoever has the visit keeps it, unless they say otherwise
    return _give_wanted(draft, command)


def _when_the_visit_is(flow: Flow, said: c.GiveTime) -> TimeWish | None:
    """Return the time that names the visit: "my Tuesday appointment", and a day on which they can't come any more."""
    if said.of_visit:
        return said.wish
    if flow.visit is None and flow.details.wish is None and only_refuses(said.wish):
        return TimeWish(days=said.wish.not_days, weekdays=said.wish.not_weekdays, clocks=said.wish.not_clocks)
    return None


def _give_about(draft: Draft, command: c.Command) -> bool:
    if isinstance(command, c.BookFor):
        _set_relation(draft, command)
        return True
    draft.update_flow(about=_changed(draft.flow.about, command))
    return True


def _give_message(draft: Draft, command: c.Command) -> bool:
    match command:
        case c.GivePractitioner(keys=(key,)):
            draft.update_flow(note_for=draft.practitioner(key).name)
            return True
        case _:
            return False


def _changed(details: Details, command: c.Command) -> Details:
    match command:
        case c.GiveService(keys=keys):
            return replace(details, service_keys=keys)
        case c.GivePractitioner(keys=(), text=text):
            return replace(details, practitioner_keys=(), unknown_practitioner=text or "that name")
        case c.GivePractitioner(keys=keys):
            refused = tuple(one for one in details.refused_keys if one not in keys)
            return replace(details, practitioner_keys=keys, refused_keys=refused, unknown_practitioner=None)
        case c.AnyPractitioner():
            return replace(
                details,
                practitioner_keys=(),
                unknown_practitioner=None,
                same_practitioner=False,
                gender=None,
                language=None,
            )
        case c.SamePractitioner(gender=gender):
            return replace(details, same_practitioner=True, gender=gender or details.gender)
        case c.RefusePractitioner(keys=keys):
            left = tuple(one for one in details.practitioner_keys if one not in keys)
            refused = (*details.refused_keys, *(one for one in keys if one not in details.refused_keys))
            return replace(details, practitioner_keys=left, refused_keys=refused)
        case c.WishPractitioner(gender=gender, language=language):
            return replace(details, gender=gender or details.gender, language=language or details.language)
        case c.GiveLocation(keys=keys):
            return replace(details, location_keys=keys)
        case c.GiveTime():
            return _with_time(details, command)
        case _:
            return details


def _with_time(details: Details, said: c.GiveTime) -> Details:
    """A phrase that can't be resolved and a day that has gone by are asked about; what else was wished is kept."""
    if said.past:
        return replace(details, time_past=True)
    unclear = said.unresolved[0] if said.unresolved else None
    is_empty = said.wish == TimeWish()
    before = details.wish
    if before is not None and said.wish.order is not None:
        before = replace(before, at_minute=None, at_alternatives=())  # "the latest you have" leaves no exact time
    wish = before if is_empty else merge_wish(before, _in_the_weeks_wished(said, before))
    return replace(details, wish=wish, time_unclear=unclear, time_past=False, not_before=None, not_after=None)


def _in_the_weeks_wished(said: c.GiveTime, before: TimeWish | None) -> TimeWish:
    """Read the "Friday" that follows "next week" as the one of that week, and "a Friday" behind "in April" as one of April."""
    weeks = tuple(each for each in before.days if each.end - each.first > _DAY) if before else ()
    if said.wish.weekdays and not (said.wish.days or said.wish.flexible):
        return replace(said.wish, days=weeks)
    if not said.by_weekday or len(said.wish.days) != 1:
        return said.wish
    day = said.wish.days[0].first
    if any(day in each for each in weeks):
        return said.wish
    later = (day + ahead * _WEEK for ahead in range(1, _WEEKS_AHEAD))
    meant = next((one for one in later if any(one in each for each in weeks)), day)
    return replace(said.wish, days=one_day(meant))


def _is_what_is_offered(draft: Draft, command: c.Command) -> bool:
    """Say whether a detail only repeats what is held or the one thing that is offered ("yes, Tuesday at three")."""
    flow = draft.flow
    stands = flow.chosen or (flow.offers[0] if len(flow.offers) == 1 else None)
    return stands is not None and _fits(draft, stands, command)


def _set_relation(draft: Draft, command: c.BookFor) -> None:
    is_other = draft.flow.details.relation is not command.relation
    said = command.person or draft.flow.details.person_said
    draft.update_details(relation=command.relation, person_said=said)
    if is_other:
        _forget_patient(draft)
    name = (command.person or "").strip()[:80]
    # A first name is enough to recognise somebody for a booking, and too little for a check.
    if command.relation is not Relation.SELF and name and (" " in name or draft.flow.kind is FlowKind.BOOK):
        draft.update_flow(person=replace(draft.flow.person, name=name))


def _give_name(draft: Draft, name: str) -> bool:
    """Take in a name. The one that is known already, given for the last one, is that: the first was misheard. Once more it is of no use."""
    who, _ = _person_spoken_of(draft)
    question = draft.state.question
    if name == who.name and question is not None and question.say in {Say.ASK_LAST_NAME, Say.ASK_FIRST_NAME}:
        if who.is_last_name:
            return False
        identity.update_person(draft, replace(who, is_last_name=True))
        return True
    _set_person(draft, name=name)
    if question is not None and question.say is Say.READ_BACK:
        identity.update_person(draft, replace(identity.person(draft), is_put_right=True))
    return True


def _give_birth_date(draft: Draft, said: c.GiveBirthDate) -> bool:
    """Take in a date of birth or a part of one. A part that is known already is of no use."""
    if said.value is None and not said.is_part:
        return False
    before = _person_spoken_of(draft)[0]
    _set_person(draft, birth_date=said)
    draft.update(birth_date_is_elsewhere=False)
    return said.value is not None or _person_spoken_of(draft)[0] != before


def _person_spoken_of(draft: Draft) -> tuple[Person, bool]:
    """Return whom a name or a date of birth belongs to, and whether that is another than the one we talk to."""
    is_read_back = draft.state.question is not None and draft.state.question.say is Say.READ_BACK
    is_answer = is_read_back or draft.state.asked in {Asked.NAME, Asked.SPELL_NAME, Asked.BIRTH_DATE}
    is_other = draft.state.flow is not None and identity.is_for_another(draft)
    is_other = is_other and (is_answer or draft.flow.person.birth_date is None)
    return (draft.flow.person if is_other else draft.state.me), is_other


def _set_person(draft: Draft, *, name: str | None = None, birth_date: c.GiveBirthDate | None = None) -> None:
    who, is_other = _person_spoken_of(draft)
    if name and who.name and " " not in name and name != who.name:
        name = f"{name} {who.name}" if who.is_last_name else _with_part(who.name, name)
    if birth_date and not who.name:
        name = who.name_tried  # "oh sorry, 1975": they put right only what they had got wrong
    is_doubted = who.is_name_doubted and not name
    changed = replace(who, name=name or who.name, is_name_doubted=is_doubted)
    if name:
        changed = replace(changed, is_last_name=False)
    if birth_date:
        changed = births.with_birth_date(changed, birth_date, may_be_misheard=draft.may_be_misheard)
    if changed == who:
        return
    if is_other:
        draft.update_flow(person=changed)
    else:
        draft.update(me=changed)
    _forget_patient(draft)


def _with_part(known: str, part: str) -> str:
    """Put one name into the whole one: the missing half, or, where both are known, the half that it is like."""
    halves = known.split()
    if len(halves) == 1:
        return f"{known} {part}"
    likeness = [SequenceMatcher(None, half.lower(), part.lower()).ratio() for half in halves]
    best = max(range(len(halves)), key=lambda at: (likeness[at], at))
    if likeness[best] < _LIKE:
        return part
    return " ".join(part if at == best else half for at, half in enumerate(halves))


def _forget_patient(draft: Draft) -> None:
    if draft.state.flow is not None and draft.state.flow.visits is None:
        draft.update_flow(patient_id=None, is_newcomer=False, agreed=False)


def _born(said: c.GiveTime, today: date) -> date | None:
    days = said.wish.days
    if len(days) == 1 and days[0].end - days[0].first == timedelta(days=1) and today - days[0].first > _LONG_PAST:
        return days[0].first
    return None
