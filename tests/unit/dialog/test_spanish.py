"""What is understood of Spanish: a list of utterances over all intents, each with what it means."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dialog import commands as c
from dialog.interpreter import Asked, Listening, Option
from dialog.understanding.local import LocalInterpreter
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime.fromisoformat("2027-03-10T10:00")  # a Wednesday
CLINIC = elm_catalogue()
INTERPRETER = LocalInterpreter()
OFFERED = (
    Option(datetime.fromisoformat("2027-03-15T09:30"), "lee", "main"),
    Option(datetime.fromisoformat("2027-03-16T14:00"), "lee", "main"),
    Option(datetime.fromisoformat("2027-03-18T09:00"), "carter", "riverside"),
)
WRITTEN: dict[type[c.Command], Callable[[Any], str]] = {
    c.StartReschedule: lambda _: "move",
    c.StartCancel: lambda one: "cancel unable" if one.only_unable else "cancel",
    c.AskAppointments: lambda one: "past" if one.past else "visits",
    c.ConfirmVisit: lambda _: "confirm",
    c.AskAvailability: lambda _: "free",
    c.JoinWaitlist: lambda _: "waitlist",
    c.AskHuman: lambda _: "human",
    c.LeaveMessage: lambda _: "message",
    c.AnyPractitioner: lambda _: "anyone",
    c.SamePractitioner: lambda _: "same",
    c.MoreOptions: lambda _: "more",
    c.StartOver: lambda _: "over",
    c.GoBack: lambda _: "back",
    c.AskIfBot: lambda _: "bot",
    c.Emergency: lambda _: "red",
    c.GiveTime: lambda one: "when" if one.of_visit else "time",
    c.GiveService: lambda one: f"service {' '.join(sorted(one.keys))}",
    c.GivePractitioner: lambda one: f"who {' '.join(one.keys)}".strip(),
    c.RefusePractitioner: lambda one: f"not {' '.join(one.keys)}",
    c.GiveLocation: lambda one: f"place {' '.join(one.keys)}",
    c.WishPractitioner: lambda one: f"gender {one.gender}" if one.gender else f"speaks {one.language}",
    c.BookFor: lambda one: f"for {one.relation.value}",
    c.AskClinic: lambda one: f"ask {one.topic.value}",
    c.RunningLate: lambda one: f"late {one.minutes or ''}".strip(),
    c.GiveName: lambda one: f"name {one.value}",
    c.GiveBirthDate: lambda one: f"born {one.value}",
    c.GivePhone: lambda one: f"phone {one.value}",
    c.NewPatient: lambda one: "new" if one.is_new else "known",
    c.Choose: lambda one: f"choose {one.index % len(OFFERED)}",
    c.OutOfScope: lambda one: f"foreign {one.kind}",
    c.SwitchLanguage: lambda one: f"language {one.language}",
}
"""How the list of utterances writes a command; others by their name."""


def utterances() -> Iterator[tuple[Asked, str, frozenset[str]]]:
    asked = Asked.NOTHING
    text = Path(__file__).with_name("spanish_utterances.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("? "):
            asked = Asked(line.removeprefix("? "))
        elif line and not line.startswith("#"):
            words, _, meant = line.partition(" =>")
            yield asked, words, frozenset(one.strip() for one in meant.split(";") if one.strip())


def written(command: c.Command) -> str:
    write = WRITTEN.get(type(command))
    return write(command) if write else command.name


def heard(text: str, asked: Asked = Asked.NOTHING, *, language: str = "es") -> frozenset[str]:
    offered = OFFERED if asked is Asked.CHOICE else ()
    listening = Listening(CLINIC, NOW, language, asked, offered)
    return frozenset(written(one) for one in INTERPRETER.interpret(text, listening).commands)


def _named(value: Asked | str | frozenset[str]) -> str:
    # The same in every process, whatever order a set is told in.
    return " ".join(sorted(value)) if isinstance(value, frozenset) else str(value)


@pytest.mark.parametrize(("asked", "text", "meant"), list(utterances()), ids=_named)
def test_what_is_said_in_spanish_is_understood(asked: Asked, text: str, meant: frozenset[str]) -> None:
    assert heard(text, asked) == meant
