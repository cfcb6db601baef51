"""STAR: chats with a doctor's office.

The office is played: it knows which of its stock answers it gave (`action`) and reads times and doctors in its own words as it reads those of
patients. What patients mean is the interpreter's; who works there nobody knows before they are named. A visit counts as booked when the office says so, when
a patient accepts the offered time and goes on to another one, or when a wish for somebody else was taken and never refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from benchmarks.understanding.ear import Ear, clinic, lines
from dialog import commands as say
from dialog.commands import Command, Relation
from dialog.interpreter import Asked, Listening, Option

MONDAY = datetime(2027, 3, 8)  # noqa: DTZ001 -- wall time of the office, naive as Listening has it
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_OPENS = time(9, 0)
_ASKED = {
    "hello": Asked.WHAT_TO_DO,
    "ask_name": Asked.NAME,
    "doctor_ask_doctor_name": Asked.PRACTITIONER,
    "doctor_ask_day": Asked.WHEN,
    "doctor_ask_start_time": Asked.WHEN,
    "doctor_ask_symptoms": Asked.SERVICE,
    "doctor_inform_booking_available": Asked.YES_NO,
    "doctor_inform_booking_unavailable": Asked.WHEN,
    "doctor_inform_booking_successful": Asked.ANYTHING_ELSE,
    "anything_else": Asked.ANYTHING_ELSE,
}


@dataclass
class Wanted:
    """A visit that somebody wants."""

    patient: str | None = None
    doctor: str | None = None
    day: str | None = None
    minute: int | None = None
    is_other: bool = False  # for somebody else than who writes
    is_refused: bool = False

    def as_written(self) -> dict[str, str | None]:
        """Give it as the data set writes bookings."""
        clock = None if self.minute is None else f"{self.minute // 60:02d}:{self.minute % 60:02d}"
        return {"patient": self.patient, "doctor": self.doctor, "day": self.day, "time": clock}


@dataclass
class Office:
    """What the office knows at some point of a chat."""

    ear: Ear
    now: datetime
    asked: Asked = Asked.NOTHING
    offered: datetime | None = None
    is_accepted: bool = False
    is_told: bool = True  # whether the visit that was booked last has been spoken of as booked
    wanted: Wanted = field(default_factory=Wanted)
    waiting: list[Wanted] = field(default_factory=list)
    booked: list[Wanted] = field(default_factory=list)

    def say(self, text: str, action: str | None) -> None:
        """Take note of words of its own."""
        heard = self.ear.interpreter.interpret(text, Listening(clinic("doctor"), self.now), deadline_s=1.0).commands
        is_offer = any(isinstance(each, say.GiveTime) and each.wish.at_minute is not None for each in heard)
        is_done = action == "doctor_inform_booking_successful"
        self.wanted.is_refused = action == "doctor_inform_booking_unavailable"
        if self.wanted.is_refused:
            self.is_accepted = False
        elif not is_done:
            self._note(heard)
        elif self.is_told:
            self._note([each for each in heard if isinstance(each, say.GivePractitioner)])
            self._book()
            self.is_told = True
        else:
            self.is_told = True
        self.asked = _ASKED.get(action or "") or self._asked_freely(is_offer=is_offer)
        minute = self.wanted.minute
        self.offered = None if minute is None else datetime.combine(self.now, time(minute // 60, minute % 60))

    def _asked_freely(self, *, is_offer: bool) -> Asked:
        """Tell what words beyond the stock answers asked: for a yes to a time, or for a name that is still missing."""
        if is_offer:
            return Asked.YES_NO
        return Asked.NAME if self.booked and self.wanted.is_other and self.wanted.patient is None else Asked.NOTHING

    def hear(self, text: str) -> None:
        """Take note of what a patient means."""
        offered = (Option(starts=self.offered),) if self.asked is Asked.YES_NO and self.offered else ()
        heard = self.ear.hear(text, Listening(clinic("doctor"), self.now, asked=self.asked, offered=offered)).commands
        is_yes = self.asked is Asked.YES_NO and any(isinstance(each, say.Affirm | say.Choose) for each in heard)
        self.is_accepted |= is_yes
        names = [each.value for each in heard if isinstance(each, say.GiveName)]
        others = [each for each in heard if isinstance(each, say.BookFor) and each.relation is not Relation.SELF]
        if others:
            self._turn_to(others[-1].person, names, heard, is_taken=is_yes)
            return
        self.wanted.patient = names[-1] if names else self.wanted.patient
        self._note(heard)

    def _turn_to(self, person: str | None, names: Sequence[str], heard: Sequence[Command], *, is_taken: bool) -> None:
        """Take note that somebody else is to be seen too."""
        if self.wanted.patient is None and names:
            self.wanted.patient = names[0]
        other = replace(self.wanted, patient=person, is_other=True)
        if self.wanted.is_other:
            self.wanted.patient = person or self.wanted.patient
            self._note(heard)
        elif is_taken or self.is_accepted or self.booked:
            if not self.booked or self.wanted.patient is not None:
                self._book()
                self.is_told = False
            self.wanted = other
            self._note(heard)
        else:
            self.waiting.append(other)

    def _note(self, heard: Sequence[Command]) -> None:
        for each in heard:
            match each:
                case say.GivePractitioner(text=text):
                    self.wanted.doctor = "Dr. " + text.replace(".", " ").split()[-1]
                case say.GiveTime(wish=wish):
                    if wish.at_minute is not None:
                        self.wanted.minute = wish.at_minute
                    elif wish.order == "earliest" and self.wanted.minute is None:
                        # Without a diary of its own it takes the next full hour for the earliest.
                        self.wanted.minute = (self.now.hour + 1) % 24 * 60
                    if wish.days or wish.weekdays:
                        weekday = wish.days[0].first.weekday() if wish.days else min(wish.weekdays)
                        self.wanted.day = WEEKDAYS[weekday]
                case _:
                    continue

    def _book(self) -> None:
        done = self.wanted
        if done.patient is None and self.booked:
            done = replace(done, patient=self.booked[-1].patient)
        self.booked.append(done)
        self.is_accepted = False
        self.wanted = replace(done, patient=None, is_other=False)
        if self.waiting:
            self.wanted = replace(self.wanted, patient=self.waiting.pop(0).patient, is_other=True)

    def close(self) -> list[dict[str, str | None]]:
        """Give what was booked by the end of the chat."""
        is_left = self.is_accepted or (self.booked and self.wanted.patient and not self.wanted.is_refused)
        if is_left and self.wanted.patient:
            self._book()
        return [each.as_written() for each in self.booked]


def predict(file: Path, ear: Ear) -> Iterator[dict[str, Any]]:
    """Give what was booked in each chat."""
    for dialogue in lines(file):
        office = Office(ear, _now(dialogue["now"], ear))
        office.wanted.day = WEEKDAYS[office.now.weekday()] if dialogue["now"] else None
        for turn in dialogue["turns"]:
            if turn["speaker"] == "SYSTEM":
                office.say(turn["text"], turn.get("action"))
            elif turn["speaker"] == "USER":
                office.hear(turn["text"])
        yield {"dialogue_id": dialogue["dialogue_id"], "bookings": office.close()}


def _now(written: str | None, ear: Ear) -> datetime:
    """Read "Tuesday 12 pm" as a wall time of some week."""
    opens = datetime.combine(MONDAY, _OPENS)
    if written is None:
        return opens
    weekday, _, clock = written.partition(" ")
    day = MONDAY + timedelta(days=WEEKDAYS.index(weekday))
    heard = ear.interpreter.interpret(clock, Listening(clinic("doctor"), opens, asked=Asked.WHEN), deadline_s=1.0)
    minutes = [each.wish.at_minute for each in heard.commands if isinstance(each, say.GiveTime)]
    return day + timedelta(minutes=(minutes[0] if minutes else None) or 9 * 60)
