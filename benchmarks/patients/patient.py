"""A patient: a goal, what has been said and done so far, and an answer to whatever the agent asks next.

A patient reads a reply as a person would. What was asked and offered is taken from the acts of the Turn, which say in fields what the
words say in a sentence; whether the words are true is not the patient's business but that of `claims`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from benchmarks.patients import learned
from benchmarks.patients.goals import Errand, Existing, Goal, Kind, Part, Somebody, Wish
from benchmarks.patients.tongues import unaccented
from benchmarks.patients.wording import Voice, bare
from booking.values import Catalogue

_MOST_ROUNDS = 6  # of offers that do not suit
_MOST_OPENINGS = 3
_MOST_DIGRESSIONS = 3
_A_QUESTION = 4  # words; fewer are what a question is about
_DONE_BY = {
    "booked": Kind.BOOK,
    "requested": Kind.BOOK,
    "moved": Kind.MOVE,
    "cancelled": Kind.CANCEL,
    "visits": Kind.WHEN,
    "waitlist-joined": Kind.WAIT,
    "waitlist-noted": Kind.WAIT,
    "transfer": Kind.PERSON,
    "staff-told": Kind.PERSON,
    "staff-told-closed": Kind.PERSON,
    "emergency": Kind.DANGER,
}
_WHEN_QUESTIONS = ("ask-when", "ask-when-move", "what-to-change", "time-unclear", "time-past")
_PARTS_OF_BIRTH = {"ask-birth-year": "birth_year", "ask-birth-day": "birth_day"}
_ANSWERS_IN_PART = 0.7  # others say the whole date again
_TIME_FOR_A_QUESTION = ("offer", "offer-one", "read-back", "ask-name", "ask-when", "ask-birth-date")


@dataclass(frozen=True)
class Said:
    """What a patient does next: words, or keys on the telephone. `is_last`: then they leave."""

    text: str
    is_keys: bool = False
    is_last: bool = False


@dataclass(frozen=True)
class Option:
    """One time that was offered or read back, as a patient takes it in."""

    start: datetime
    location: str
    practitioners: tuple[str, ...]


@dataclass
class Progress:
    """How far an errand is."""

    errand: Errand
    is_done: bool = False
    opened: int = 0
    rounds: int = 0
    has_turned: bool = False  # to what they want in the end, from what they said first
    told: set[Part] = field(default_factory=set)

    @property
    def wish(self) -> Wish:
        """What they ask for at present."""
        found = self.errand.first if self.errand.first and not self.has_turned else self.errand.wish
        return found or Wish(self.errand.visit.service if self.errand.visit else "")


class Patient:
    """One patient on one channel."""

    def __init__(self, goal: Goal, *, voice: Voice, catalogue: Catalogue) -> None:
        self.goal = goal
        self._voice = voice
        self._catalogue = catalogue
        self._progress = [Progress(one) for one in goal.errands]
        self._asked: Counter[str] = Counter()
        self._digressions = 0
        self._is_told = False  # what they asked in between
        self._heard: Sequence[Option] = ()  # the last offer
        self._has_erred = goal.wrong_birth_date is None
        self._turns = 0

    def begin(self) -> Said:
        """Say why they call."""
        return self._count(Said(self._open(self._progress[0])))

    def answer(self, acts: Sequence[Mapping[str, Any]], text: str) -> Said | None:
        """Answer a reply; None: they leave without a word."""
        self._note(acts, text)
        if self._turns >= self.goal.patience:
            return None
        question = next((one for one in reversed(acts) if one["say"] in self._ANSWERS), None)
        if self._is_time_to_digress(question):
            self._digressions += 1
            return self._count(Said(self._digression()))
        if question is None:
            return self._count(self._go_on())
        self._asked[question["say"]] += 1
        return self._count(self._ANSWERS[question["say"]](self, question))

    def _count(self, said: Said) -> Said:
        self._turns += 1
        return said

    def _note(self, acts: Sequence[Mapping[str, Any]], text: str) -> None:
        for act in acts:
            kind = _DONE_BY.get(act["say"])
            done = self._about(act, kind) if kind else None
            if done is not None:
                done.is_done = True
        asked = next(
            (one for one in self._progress if one.errand.kind is Kind.ASK and one.opened and not one.is_done), None
        )
        if asked is not None and is_answered(asked.errand, text):
            asked.is_done = True

    def _about(self, act: Mapping[str, Any], *kinds: Kind | None) -> Progress | None:
        """Return the errand that an act is about: of that service, else the first that is open."""
        left = [one for one in self._progress if not one.is_done and (not kinds or one.errand.kind in kinds)]
        fields = act["fields"].get("new") or act["fields"]
        service = fields.get("service")
        key = next((one.key for one in self._catalogue.services if one.id == service), None)
        named = [
            one for one in left if key in {one.wish.service, one.errand.visit.service if one.errand.visit else None}
        ]
        return next(iter(named or left), None)

    def _current(self) -> Progress:
        return next((one for one in self._progress if not one.is_done), self._progress[-1])

    # Opening and ending.

    def _go_on(self) -> Said:
        """Say the next errand, or good-bye."""
        left = next((one for one in self._progress if not one.is_done), None)
        if left is None or left.opened >= _MOST_OPENINGS:
            return self._leave()
        is_next = left is not self._progress[0] and left.opened == 0
        opening = self._open(left)
        return Said(self._voice.say("next", rest=opening) if is_next else opening)

    def _leave(self) -> Said:
        thanks = self._voice.act(learned.THANKS, self._voice.say("thanks"))
        return Said(self._voice.act(learned.BYE, thanks) if self._voice.random.random() < 0.3 else thanks, is_last=True)

    def _open(self, one: Progress) -> str:
        one.opened += 1
        errand, voice = one.errand, self._voice
        visit = errand.visit
        match errand.kind:
            case Kind.BOOK | Kind.WAIT:
                return self._open_booking(one)
            case Kind.MOVE if visit is not None:
                when = voice.when(one.wish) if voice.random.random() < 0.6 else ""
                one.told |= {Part.DAYS, Part.TIMES} if when else set()
                to = f" {voice.say('to', when=self._bare(when))}" if when else ""
                return voice.say("move", **voice.service(visit.service), to=to)
            case Kind.CANCEL if visit is not None:
                return voice.say(
                    "cancel", **voice.service(visit.service), old_day=self._bare(voice.day(visit.start.date()))
                )
            case Kind.WHEN if visit is not None:
                return voice.say("when", **voice.service(visit.service))
            case Kind.ASK:
                return self._question(errand)
            case Kind.WRONG_NUMBER if one.opened > 1:
                one.is_done = True
                return voice.say("wrong_number_bye")
            case _:
                return voice.say(errand.kind.value.replace("-", "_"))

    def _open_booking(self, one: Progress) -> str:
        voice, errand = self._voice, one.errand
        shown = {part for part in Part if part not in errand.hidden}
        if voice.random.random() < 0.25:
            shown -= {Part.DAYS, Part.TIMES}  # some wait until they are asked
        one.told |= shown
        rest = self._rest(one.wish, shown)
        rest = f" {rest}" if rest else ""
        reason = voice.reason(one.wish.service) if errand.topic == "reason" else None
        if reason:
            return voice.say("book_reason", reason=reason, rest=rest)
        service = voice.say("service", **voice.service(one.wish.service))
        if errand.relation:
            return voice.say("book_for", service=service, relation=errand.relation, rest=rest)
        newcomer = "" if self.goal.is_known else " " + voice.say("book_newcomer")
        return f"{voice.say('book', service=service, rest=rest)}{newcomer}".strip()

    def _question(self, errand: Errand) -> str:
        service = self._voice.service(errand.wish.service) if errand.wish else {"a": "", "service": ""}
        place = self._voice.place(errand.wish.location) if errand.wish and errand.wish.location else ""
        asked = errand.words or ""
        way = "about" if errand.topic == "own" and len(asked.split()) < _A_QUESTION else errand.topic or "own"
        return self._voice.say("ask", way, **service, place=place, words=asked)

    # A question of their own in between.

    def _is_time_to_digress(self, question: Mapping[str, Any] | None) -> bool:
        """Ask in the middle of something else; again if no answer came."""
        is_open = self.goal.digression is not None and not self._is_told and self._digressions < _MOST_DIGRESSIONS
        return is_open and question is not None and question["say"] in _TIME_FOR_A_QUESTION

    def _digression(self) -> str:
        errand = self.goal.digression or Errand(Kind.ASK)
        question = self._question(errand)
        if errand.topic == "address":
            question = self._voice.act(learned.WHERE, question)
        return self._voice.say("digression", question=question)

    # Answers to questions about the visit.

    def _say_service(self, question: Mapping[str, Any]) -> Said:
        one = self._current()
        if not one.wish.service:
            return self._go_on()
        return Said(self._voice.say("service_answer", **self._voice.service(one.wish.service)))

    def _say_which_service(self, question: Mapping[str, Any]) -> Said:
        wanted = self._current().wish.service
        service = next((one for one in self._catalogue.services if one.key == wanted), None)
        if service is None:
            return self._go_on()  # they want none: what they said was misheard
        listed = question["fields"].get("services", ())
        if service.id in listed and not self._voice.is_spoken and self._voice.random.random() < 0.5:
            return Said(self._voice.say("choose", "number", number=str(listed.index(service.id) + 1)))
        return Said(service.name)

    def _say_practitioner(self, question: Mapping[str, Any]) -> Said:
        one = self._current()
        one.told |= {Part.PRACTITIONER, Part.GENDER}
        if one.wish.practitioner:
            return Said(self._voice.person(one.wish.practitioner))
        return Said(self._voice.say("anyone"))

    def _say_when(self, question: Mapping[str, Any]) -> Said:
        one = self._current()
        if question["say"] == "what-to-change" and one.errand.first:
            one.has_turned = True
        one.told |= {Part.DAYS, Part.TIMES}
        wish, voice = one.wish, self._voice
        day, at = voice.days(wish.days), voice.times(wish.times)
        if not day and not at:
            return Said(voice.say("anytime"))
        way = voice.say("when_answer", rest=voice.when(wish))
        if voice.learned is not None:
            act = learned.GIVE_BOTH if day and at else learned.GIVE_DATE if day else learned.GIVE_TIME
            way = voice.learned.act(act, voice.random, date=day, time=at) or way
        return Said(way)

    def _consider(self, question: Mapping[str, Any]) -> Said:
        """Take one of the times that are offered, or say what is wrong with them."""
        one = self._about(question) or self._current()
        options = [self._option(each) for each in question["fields"]["offers"]]
        one.rounds += 1
        if one.errand.kind not in {Kind.BOOK, Kind.MOVE, Kind.WAIT}:
            return Said(self._no_but(self._open(one)))
        if one.errand.kind is Kind.WAIT:
            return self._leave() if one.is_done else Said(self._voice.say("wait"))
        if self._is_other_service(one, question["fields"]):
            return self._correct_service(one)
        if one.errand.first is not None and not one.has_turned:
            return self._turn(one, options)
        return self._choose_or_refuse(one, options)

    def _is_other_service(self, one: Progress, fields: Mapping[str, Any]) -> bool:
        return self._catalogue.service(fields["service"]).key != one.wish.service

    def _correct_service(self, one: Progress) -> Said:
        service = self._voice.say("service", **self._voice.service(one.wish.service))
        return Said(self._no_but(self._voice.say("i_need", service=service)))

    def _turn(self, one: Progress, options: Sequence[Option]) -> Said:
        """Give up what was said first: because there is nothing, or because they changed their mind."""
        fits_first = any(not self._wrong(each, one.wish) for each in options)
        if fits_first and len(options) > 1 and self._voice.random.random() < 0.5:
            return self._choose_or_refuse(one, options)  # and change their mind when it is read back
        one.has_turned = True
        if not fits_first and any(not self._wrong(each, one.wish) for each in options):
            return self._choose_or_refuse(one, options)
        return Said(self._change_mind(one))

    def _change_mind(self, one: Progress) -> str:
        rest = self._rest(one.wish, {Part.DAYS, Part.TIMES})
        if not rest:
            rest = self._rest(one.wish, {Part.PRACTITIONER})
            return self._voice.say("need", rest=self._voice.say("any_day", rest=rest))
        return self._voice.say("change_mind", rest=self._bare(rest))

    def _choose_or_refuse(self, one: Progress, options: Sequence[Option]) -> Said:
        fitting = [each for each in options if not self._wrong(each, one.wish)]
        if fitting:
            if len(options) == 1:
                return Said(self._yes())
            return Said(self._choice(fitting[0], options))
        if one.rounds > _MOST_ROUNDS:
            return self._leave()
        wrong = {part for each in options for part in self._wrong(each, one.wish)}
        news = wrong - one.told
        one.told |= wrong
        is_again, self._heard = list(options) == list(self._heard), options
        if news or is_again or self._voice.random.random() < 0.5:
            parts = (news or wrong) | ({Part.DAYS, Part.TIMES} & one.told if Part.DAYS in wrong else set())
            return Said(self._voice.say("need", rest=self._rest(one.wish, parts)))
        return Said(self._voice.act(learned.OTHERS, self._voice.say("others")))

    def _choice(self, chosen: Option, options: Sequence[Option]) -> str:
        voice, place = self._voice, options.index(chosen)
        ways = ["ordinal", "ordinal"] + ([] if voice.is_spoken else ["number", "number"])
        weekday, clock = voice.words["weekdays"][chosen.start.weekday()], voice.clock(_minute(chosen.start))
        if sum(one.start.weekday() == chosen.start.weekday() for one in options) == 1:
            ways.append("day")
        if sum(one.start.time() == chosen.start.time() for one in options) == 1:
            ways.append("time")
        if sum(one.start == chosen.start for one in options) == 1:
            ways.append("both")
        if place == len(options) - 1:
            ways.append("last")
        ordinal = voice.words["ordinals"][place]
        return voice.say(
            "choose", voice.random.choice(ways), ordinal=ordinal, number=str(place + 1), weekday=weekday, clock=clock
        )

    def _check(self, question: Mapping[str, Any]) -> Said:
        """Say yes to what is read back if it is as wished."""
        one = self._about(question, Kind.BOOK, Kind.WAIT) or self._current()
        fields = question["fields"]
        option = self._option({**fields, "practitioners": [fields["practitioner"]]})
        person = one.errand.person or self.goal.me
        if one.errand.kind is Kind.WAIT:
            return Said(self._voice.say("wait"))
        if one.errand.kind is not Kind.BOOK:
            return Said(self._no_but(self._open(one)))  # they called for something else
        if self._is_other_service(one, fields):
            return self._correct_service(one)
        if one.errand.first is not None and not one.has_turned:
            one.has_turned = True
            if self._wrong(option, one.wish):
                return Said(self._change_mind(one))
        if one.errand.person is not None and fields.get("by_number"):
            return Said(self._no_but(self._it_is_for(one, is_named_by_relation=True)))
        if fields.get("born") not in {None, person.born.isoformat()}:
            return Said(self._no_but(self._voice.say("born_after_all", born=self._voice.born(person.born))))
        name = fields.get("name")
        if name and _plain(name) != _plain(person.name):
            return Said(self._no_but(self._it_is_for(one)))
        return self._agree_or_correct(one, option)

    def _check_move(self, question: Mapping[str, Any]) -> Said:
        one = self._about(question, Kind.MOVE) or self._current()
        new = question["fields"]["new"]
        return self._agree_or_correct(one, self._option({**new, "practitioners": [new["practitioner"]]}))

    def _agree_or_correct(self, one: Progress, option: Option) -> Said:
        wrong = self._wrong(option, one.wish)
        if not wrong:
            return Said(self._yes())
        one.told |= wrong
        return Said(self._no_but(self._rest(one.wish, wrong)))

    def _it_is_for(self, one: Progress, *, is_named_by_relation: bool = False) -> str:
        person = one.errand.person
        if person is None:
            return self._voice.say("my_name_is", name=self.goal.me.name)
        way = "it_is_for_relative" if is_named_by_relation else "it_is_for"
        return self._voice.say(way, name=person.name, relation=one.errand.relation or "")

    def _bare(self, when: str) -> str:
        return bare(when, self._voice.language)

    def _no_but(self, rest: str) -> str:
        return self._voice.say("no_but", rest=rest)

    def _check_cancel(self, question: Mapping[str, Any]) -> Said:
        one = self._about(question, Kind.CANCEL)
        fields = question["fields"]
        is_it = one is not None and one.errand.visit is not None and self._is_visit(fields, one.errand.visit)
        if question["say"] == "ask-move-or-cancel" and is_it:
            return Said(self._voice.say("cancel_choice"))
        return Said(self._yes() if is_it else self._voice.act(learned.NO, self._voice.say("no")))

    def _say_which_visit(self, question: Mapping[str, Any]) -> Said:
        one = next(
            (each for each in self._progress if each.errand.visit is not None and not each.is_done), self._current()
        )
        visit, listed = one.errand.visit, question["fields"]["visits"]
        place = next((n for n, each in enumerate(listed) if visit and self._is_visit(each, visit)), None)
        if place is None:
            return Said(self._voice.act(learned.NO, self._voice.say("no")))
        if self._voice.is_spoken:
            return Said(self._voice.say("choose", "ordinal", ordinal=self._voice.words["ordinals"][place]))
        return Said(self._voice.say("choose", "number", number=str(place + 1)))

    # Answers about themselves.

    def _say_name(self, question: Mapping[str, Any]) -> Said:
        return Said(self._voice.say("name", **self._voice.name(self.goal.me)))

    def _say_their_name(self, question: Mapping[str, Any]) -> Said:
        return Said(self._voice.say("their_name", **self._voice.name(self._whom())))

    def _say_last_name(self, question: Mapping[str, Any]) -> Said:
        given = question["fields"].get("name", "")
        who = self._whom() if given and given.split()[0] in self._whom().name else self.goal.me
        return Said(self._voice.say("last_name", **self._voice.name(who)))

    def _say_first_name(self, question: Mapping[str, Any]) -> Said:
        known = question["fields"].get("name", "")
        who = self._whom() if known in self._whom().name else self.goal.me
        return Said(self._voice.say("first_name", **self._voice.name(who)))

    def _say_born(self, question: Mapping[str, Any]) -> Said:
        who = self.goal.me if question["say"] == "ask-birth-date" else self._whom()
        born = who.born
        if not self._has_erred:
            self._has_erred, born = True, self.goal.wrong_birth_date or born
        asks_for_part = question["say"] in _PARTS_OF_BIRTH
        if self._voice.is_spoken and question.get("variant", 0) >= (1 if asks_for_part else 2):
            return Said(f"{born:%m%d%Y}", is_keys=True)
        if asks_for_part and self._voice.random.random() < _ANSWERS_IN_PART:
            return Said(self._voice.say(_PARTS_OF_BIRTH[question["say"]], **self._voice.calendar(born)))
        said = self._voice.born(born)
        is_own = who is self.goal.me
        return Said(self._voice.say("born" if is_own else "their_born", born=said, on_born=said))

    def _say_phone(self, question: Mapping[str, Any]) -> Said:
        if self._voice.is_spoken and question.get("variant", 0) >= 2:
            return Said(self.goal.caller[-10:], is_keys=True)
        return Said(self._voice.say("phone", phone=self._voice.phone(self.goal.caller)))

    def _whom(self) -> Somebody:
        return self._current().errand.person or self.goal.me

    # The rest.

    def _decline(self, question: Mapping[str, Any]) -> Said:
        one = self._current()
        if one.errand.kind is Kind.WAIT:
            return Said(self._voice.say("wait"))
        if one.errand.first is not None and not one.has_turned:
            one.has_turned = True
            return Said(self._change_mind(one))
        return Said(self._voice.act(learned.NO, self._voice.say("no")))

    def _leave_message(self, question: Mapping[str, Any]) -> Said:
        return Said(self._voice.say("message", me=self.goal.me.name))

    def _more(self, question: Mapping[str, Any]) -> Said:
        return self._go_on()

    def _yes(self) -> str:
        return self._voice.act(learned.YES, self._voice.say("yes"))

    def _rest(self, wish: Wish, parts: set[Part]) -> str:
        """Say these parts of a wish."""
        voice, said = self._voice, []
        if wish.practitioner and Part.PRACTITIONER in parts:
            said.append(voice.say("with", person=voice.person(wish.practitioner)))
        if wish.gender and Part.GENDER in parts:
            said.append(voice.say("with_gender", wish.gender))
        if wish.location and Part.LOCATION in parts:
            said.append(voice.say("at", place=voice.place(wish.location)))
        said.append(voice.when(wish, has_days=Part.DAYS in parts, has_times=Part.TIMES in parts))
        return " ".join(one for one in said if one)

    def _wrong(self, option: Option, wish: Wish) -> set[Part]:
        """Return what about a time is not as wished."""
        people = [one for one in self._catalogue.practitioners if one.key in option.practitioners]
        checks = {
            Part.PRACTITIONER: wish.practitioner is None or option.practitioners == (wish.practitioner,),
            Part.GENDER: wish.gender is None or all(one.gender == wish.gender for one in people),
            Part.LOCATION: wish.location in {None, option.location},
            Part.DAYS: wish.days.allow(option.start.date()),
            Part.TIMES: wish.times.allow(_minute(option.start)),
        }
        return {part for part, is_right in checks.items() if not is_right}

    def _option(self, fields: Mapping[str, Any]) -> Option:
        location = self._catalogue.location(fields["location"])
        start = datetime.fromisoformat(fields["starts_at"]).astimezone(location.zone).replace(tzinfo=None)
        people = tuple(self._catalogue.practitioner(one).key for one in fields["practitioners"])
        return Option(start, location.key, people)

    def _is_visit(self, fields: Mapping[str, Any], visit: Existing) -> bool:
        option = self._option({**fields, "practitioners": [fields["practitioner"]]})
        return self._catalogue.service(fields["service"]).key == visit.service and option.start == visit.start

    # What a patient answers to each question of the agent.
    _ANSWERS: ClassVar[Mapping[str, Callable[[Any, Mapping[str, Any]], Said]]] = {
        "what-to-do": _more,
        "anything-else": _more,
        "ask-service": _say_service,
        "ask-which-service": _say_which_service,
        "ask-practitioner": _say_practitioner,
        "ask-which-practitioner": _say_practitioner,
        **dict.fromkeys(_WHEN_QUESTIONS, _say_when),
        "offer": _consider,
        "offer-one": _consider,
        "read-back": _check,
        "read-back-move": _check_move,
        "read-back-cancel": _check_cancel,
        "ask-move-or-cancel": _check_cancel,
        "ask-which-visit": _say_which_visit,
        "ask-name": _say_name,
        "ask-their-name": _say_their_name,
        "ask-last-name": _say_last_name,
        "ask-first-name": _say_first_name,
        "ask-birth-date": _say_born,
        "ask-their-birth-date": _say_born,
        "birth-date-again": _say_born,
        "ask-birth-year": _say_born,
        "ask-birth-day": _say_born,
        "ask-phone": _say_phone,
        "nothing-free": _decline,
        "offer-message": _decline,
        "ask-message": _leave_message,
    }


def is_answered(errand: Errand, text: str) -> bool:
    """Say whether a reply holds the answer to a question."""
    return _plain(errand.answer or "") in _plain(text)


def _plain(text: str) -> str:
    return " ".join("".join(one if one.isalnum() else " " for one in unaccented(text).lower()).split())


def _minute(at: datetime) -> int:
    return at.hour * 60 + at.minute
