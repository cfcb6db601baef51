"""SGD Services: dialogues with an assistant that finds a provider and books a visit.

A dialogue manager is played that knows what its own turns said (their acts), and nothing of what users meant but what the interpreter told it. From its turns
come the question that is open, what was offered, and whom the clinic has: nobody is known before they are offered.

Commands become the data set's labels by the tables below. Where its annotators read an answer by what it answers, so does `_as_annotated`, from
the commands alone; nothing here looks at a word that a user said.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from enum import Enum, auto
from pathlib import Path
from typing import Any

from benchmarks.understanding.clinc import is_rejected
from benchmarks.understanding.ear import Ear, clinic, lines
from booking.values import Catalogue
from dialog import commands as say
from dialog.commands import Command, Topic
from dialog.flows.questions import own_words
from dialog.interpreter import Asked, Listening, Option
from dialog.timewords import TimeWish

_OPENS_AT = time(9, 0)
_NAMES = frozenset({"stylist_name", "dentist_name", "doctor_name", "therapist_name"})


class Open(Enum):
    """What the manager's last words left open."""

    NOTHING = auto()
    DETAIL = auto()  # which city, which day ...
    PERSON = auto()  # "how about Dr. X?"
    BOOKING = auto()  # "shall I book a visit with them?"
    READ_BACK = auto()
    OTHER_TIME = auto()  # "not at three; would half past do?"
    FAILED = auto()  # "that could not be booked; another?"
    BOOKED = auto()
    ANYTHING_ELSE = auto()


_ASKED = {
    "city": Asked.LOCATION,
    "type": Asked.SERVICE,
    **dict.fromkeys(_NAMES, Asked.PRACTITIONER),
    "appointment_date": Asked.WHEN,
    "appointment_time": Asked.WHEN,
}
"""The later ones go before the earlier where several are asked at once."""
_LISTENS = {
    Open.NOTHING: Asked.NOTHING,
    Open.PERSON: Asked.YES_NO,
    Open.BOOKING: Asked.YES_NO,
    Open.READ_BACK: Asked.YES_NO,
    Open.OTHER_TIME: Asked.YES_NO,
    Open.FAILED: Asked.YES_NO,
    Open.BOOKED: Asked.ANYTHING_ELSE,
    Open.ANYTHING_ELSE: Asked.ANYTHING_ELSE,
}
_ABOUT = {
    Open.PERSON: "find",
    Open.READ_BACK: "book",
    Open.OTHER_TIME: "book",
    Open.FAILED: "book",
    Open.BOOKED: "book",
}
"""What its own words show that it took to be going on."""
_ACTS: dict[type[Command], str] = {
    say.GiveTime: "inform",
    say.GivePractitioner: "inform",
    say.GiveService: "inform",
    say.GiveLocation: "inform",
    say.Affirm: "affirm",
    say.Choose: "select",
    say.ChooseAll: "select",
    say.Deny: "negate",
    say.Correct: "correct",
    say.MoreOptions: "request_alternatives",
    say.AskClinic: "ask",
    say.Thank: "thank",
    say.Goodbye: "goodbye",
}
_TOPICS = {Topic.PHONE: "phone", Topic.ADDRESS: "address"}
_KINDS = frozenset(
    {
        "general-practitioner",
        "dermatologist",
        "gynecologist",
        "ophthalmologist",
        "ent-specialist",
        "psychologist",
        "family-counselor",
        "psychiatrist",
    }
)
_OPTIONS = frozenset({"unisex", "cosmetic"})
"""Other services of the clinic (a dentist, a doctor, a salon) are what the whole data set is about, and no value of a slot."""


@dataclass
class Manager:
    """What a dialogue manager knows at some point of a dialogue."""

    catalogue: Catalogue
    now: datetime
    open: Open = Open.NOTHING
    asked: Asked = Asked.NOTHING
    offered: tuple[Option, ...] = ()
    intent: str = "none"
    names: list[str] = field(default_factory=list)

    def say(self, acts: Sequence[dict[str, Any]]) -> None:
        """Take note of a turn of its own."""
        values = {act["slot"]: act["values"][0] for act in acts if act.get("slot") and act.get("values")}
        self._meet([str(value) for slot, value in values.items() if slot in _NAMES])
        now_open = _opened({act["act"] for act in acts})
        if now_open is None:
            return  # a question was answered; what was open before still is
        self.open = now_open
        if now_open in _ABOUT:
            self.intent = _ABOUT[now_open]
        slots = {act["slot"] for act in acts if act["act"] == "REQUEST"}
        self.asked = _LISTENS[now_open] if now_open in _LISTENS else _question(slots)
        if self.asked is not Asked.NOTHING and now_open is Open.DETAIL:
            self.intent = "find" if self.asked in {Asked.LOCATION, Asked.SERVICE} else "book"
        self.offered = ()
        if now_open is Open.PERSON and self.names:
            self.offered = (Option(practitioner_key=str(len(self.names) - 1), text=self.names[-1]),)

    def _meet(self, names: Sequence[str]) -> None:
        for name in names:
            if name in self.names:
                self.names.remove(name)
            self.names.append(name)
        if names:
            nobody = clinic("providers").practitioners[0]
            known = tuple(replace(nobody, id=f"p{n}", key=str(n), name=each) for n, each in enumerate(self.names))
            self.catalogue = replace(self.catalogue, practitioners=known)

    def hear(self, text: str, ear: Ear) -> dict[str, Any]:
        """Say in the data set's labels what a user's turn means."""
        listening = Listening(self.catalogue, self.now, asked=self.asked, offered=self.offered)
        commands = _wished(ear.hear(text, listening).commands)
        acts = _as_annotated({act for each in commands if (act := self._act(each))}, self)
        requested = sorted({about for each in commands if (about := self._requested(each))})
        if "ask" in acts and not requested:
            acts.discard("ask")
        self.intent = self._intent_after(acts)
        return {
            "acts": sorted(acts),
            "intent": self.intent,
            "slots": self._slots(commands),
            "requested": requested,
            "out_of_scope": is_rejected(commands),
        }

    def _act(self, command: Command) -> str | None:
        match command:
            case say.StartBooking(only_looking=only_looking):
                return "find" if only_looking else "book"
            case say.Deny(nothing_more=True):
                return "goodbye"
            case say.GiveService(keys=keys):
                return "inform" if set(keys) & (_KINDS | _OPTIONS) else None
            case say.GiveTime(wish=wish):
                return "when" if _moment(wish) else None
            case _:
                return _ACTS.get(type(command))

    def _requested(self, command: Command) -> str | None:
        if not isinstance(command, say.AskClinic):
            return None
        answer = own_words(self.catalogue, command.text)
        if command.topic is Topic.ADDRESS and answer and answer.text == "city":
            return answer.text
        return _TOPICS.get(command.topic) or (answer.text if answer else None)

    def _intent_after(self, acts: set[str]) -> str:
        if "book" in acts or "find" in acts:
            return "book" if "book" in acts else "find"
        if self.open is Open.BOOKING:
            return "none" if "negate" in acts else "book" if "affirm" in acts else self.intent
        if self.open is Open.ANYTHING_ELSE or (self.open is Open.FAILED and "negate" in acts):
            return "none"
        return self.intent

    def _slots(self, commands: Sequence[Command]) -> dict[str, str]:
        slots: dict[str, str] = {}
        for each in commands:
            match each:
                case say.GiveTime(wish=wish, of_visit=False):
                    slots |= _moment(wish)
                case say.GivePractitioner(keys=keys, text=text):
                    slots["provider"] = self.catalogue.practitioners[int(keys[0])].name if keys else text
                case say.GiveService(keys=keys):
                    kinds = [one.name for one in self.catalogue.services if one.key in _KINDS & set(keys)]
                    slots |= {"kind": kinds[0]} if len(kinds) == 1 else {}
                case say.GiveLocation(keys=(key, *_)):
                    slots["city"] = next(one.name for one in self.catalogue.locations if one.key == key)
                case _:
                    continue
        return slots


def predict(file: Path, ear: Ear) -> Iterator[dict[str, Any]]:
    """Give the labels of each turn of a user that is about a provider's services."""
    for dialogue in lines(file):
        opens = datetime.combine(datetime.fromisoformat(dialogue["reference_date"]).date(), _OPENS_AT)
        manager = Manager(clinic("providers"), opens)
        for number, turn in enumerate(dialogue["turns"]):
            if turn["speaker"] == "SYSTEM":
                manager.say([act for frame in turn["frames"] for act in frame["acts"]])
            elif turn["frames"]:
                yield {"dialogue_id": dialogue["dialogue_id"], "turn": number, **manager.hear(turn["text"], ear)}


def _wished(commands: Sequence[Command]) -> list[Command]:
    """Leave out the details of a question: "what is the number of that salon?" wishes for no salon."""
    asked = [each.text for each in commands if isinstance(each, say.AskClinic)]
    named = say.GiveService | say.GivePractitioner | say.GiveLocation
    return [each for each in commands if not (isinstance(each, named) and any(each.text in text for text in asked))]


def _opened(acts: set[str]) -> Open | None:
    """Tell what an own turn leaves open by its acts; None where it only answers."""
    if "NOTIFY_FAILURE" in acts:
        return Open.OTHER_TIME if "OFFER" in acts else Open.FAILED
    for act, opens in (
        ("CONFIRM", Open.READ_BACK),
        ("OFFER_INTENT", Open.BOOKING),
        ("OFFER", Open.PERSON),
        ("NOTIFY_SUCCESS", Open.BOOKED),
        ("REQ_MORE", Open.ANYTHING_ELSE),
        ("REQUEST", Open.DETAIL),
    ):
        if act in acts:
            return opens
    return None if "INFORM" in acts else Open.NOTHING


def _question(slots: set[str]) -> Asked:
    return next((asked for slot, asked in reversed(_ASKED.items()) if slot in slots), Asked.NOTHING)


def _moment(wish: TimeWish) -> dict[str, str]:
    moment: dict[str, str] = {}
    if wish.days:
        moment["date"] = wish.days[0].first.isoformat()
    minute = wish.at_minute if wish.at_minute is not None or not wish.clocks else wish.clocks[0].start_minute
    if minute:
        moment["time"] = f"{minute // 60:02d}:{minute % 60:02d}"
    return moment


def _as_annotated(acts: set[str], manager: Manager) -> set[str]:
    """Read an answer as the annotators did, by what it answers.

    A wish counts as an act only where it begins. A change of what is read back is a no, a question about it a yes; a new wish at an offer takes what was
    offered, another town or kind refuses it; a courtesy beside an answer is none, and one after the booking ends the dialogue.
    """
    if manager.intent == "book" and manager.open not in {Open.NOTHING, Open.ANYTHING_ELSE, Open.FAILED, Open.PERSON}:
        acts -= {"book", "find"}
    if manager.open in {Open.PERSON, Open.DETAIL} and manager.intent == "find":
        acts -= {"find"} if manager.open is Open.PERSON else {"find", "book"}
    if manager.open is Open.PERSON and "when" in acts and not acts & {"ask", "request_alternatives"}:
        acts |= {"book"}  # a time for whoever is offered
    acts = acts - {"when"} | ({"inform"} if "when" in acts else set())
    return _ANNOTATED[manager.open](acts)


def _detail(acts: set[str]) -> set[str]:
    return acts - {"affirm", "negate", "correct", "thank", "request_alternatives"} if "inform" in acts else acts


def _person(acts: set[str]) -> set[str]:
    acts = acts - {"negate", "correct"} | ({"request_alternatives"} if acts & {"negate", "correct"} else set())
    if "book" in acts:
        return acts - {"thank", "request_alternatives"} | {"select"}
    if "ask" in acts:
        return acts - {"affirm", "select", "thank"}
    if "inform" in acts and not acts & {"affirm", "select"}:
        return acts | {"request_alternatives"}
    if acts and acts <= {"thank", "goodbye"}:
        return acts | {"select"}
    return acts


def _booking(acts: set[str]) -> set[str]:
    refused = {"negate"} if "correct" in acts and not acts & {"inform", "book"} else set()
    acts = acts - {"thank", "correct"} | refused
    acts = acts - {"book"} | ({"affirm"} if "book" in acts and "negate" not in acts else set())
    if acts & {"inform", "affirm"} and "negate" not in acts:
        return acts - {"request_alternatives"} | {"affirm"}
    if acts & {"negate", "goodbye", "request_alternatives"}:
        return acts - {"request_alternatives", "affirm", "inform"} | {"negate"}
    return acts


def _read_back(acts: set[str]) -> set[str]:
    acts = acts - {"thank", "request_alternatives"}
    if acts & {"inform", "correct"}:
        return acts - {"affirm", "correct"} | {"negate"}
    return acts | ({"affirm"} if "ask" in acts and "negate" not in acts else set())


def _other_time(acts: set[str]) -> set[str]:
    if acts & {"goodbye", "request_alternatives", "correct"}:
        return acts - {"thank", "request_alternatives", "correct"} | {"negate"}
    return acts - {"thank"}


def _failed(acts: set[str]) -> set[str]:
    if acts & {"inform", "book", "find"}:
        kept = acts - {"affirm", "negate", "correct", "thank", "request_alternatives"}
        return kept | (set() if "find" in acts else {"book"})
    return acts - {"affirm"} | ({"negate", "thank"} if acts & {"negate", "thank", "goodbye"} else set())


def _booked(acts: set[str]) -> set[str]:
    acts = acts - {"affirm", "select", "correct"}
    return acts - {"thank"} if "ask" in acts else acts - {"negate"} | {"thank"}


def _anything_else(acts: set[str]) -> set[str]:
    if acts & {"book", "find"}:
        return acts - {"affirm", "negate", "correct"}
    return acts - {"correct"} | {"negate", "thank"}


_ANNOTATED: dict[Open, Callable[[set[str]], set[str]]] = {
    Open.NOTHING: lambda acts: acts - {"affirm", "negate", "correct", "thank"} if acts & {"book", "find"} else acts,
    Open.DETAIL: _detail,
    Open.PERSON: _person,
    Open.BOOKING: _booking,
    Open.READ_BACK: _read_back,
    Open.OTHER_TIME: _other_time,
    Open.FAILED: _failed,
    Open.BOOKED: _booked,
    Open.ANYTHING_ELSE: _anything_else,
}
