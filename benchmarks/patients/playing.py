"""One conversation from the first word to the last, and what came of it."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import select

from benchmarks.patients.claims import Checker
from benchmarks.patients.goals import Goal, Kind
from benchmarks.patients.grading import After, faults
from benchmarks.patients.learned import Learned
from benchmarks.patients.noise import Recogniser
from benchmarks.patients.patient import Patient, Said
from benchmarks.patients.wording import Voice, words
from benchmarks.patients.world import World
from dialog.model import Conversation
from frontdesk.patient_line import CallLine, Heard, LineFault

_WORDS_PER_SECOND = 2.5
_HANDED = {"handed-over", "message-taken"}


@dataclass
class Played:
    """A conversation that is over. `why`: what is wrong with the diary or with what was said; empty when it passed."""

    goal: Goal
    run: int
    transcript: list[dict[str, str]] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    turns: int = 0
    booked_at_turn: int | None = None
    words: int = 0
    is_handed_over: bool = False

    @property
    def passed(self) -> bool:
        return not self.why

    @property
    def speech_s(self) -> float:
        """How long both sides would speak, in seconds."""
        return self.words / _WORDS_PER_SECOND


def play(
    goal: Goal,
    *,
    run: int,
    world: World,
    channel: str,
    recogniser: Recogniser | None = None,
    learned: Learned | None = None,
) -> Played:
    """Play a goal once. The same arguments give the same conversation."""
    voice = Voice(
        Random(f"{goal.id} {run}"),
        world.catalogue,
        goal.now.astimezone(world.catalogue.zone).date(),
        is_spoken=channel == "phone",
        learned=learned,
        language=world.language,
    )
    return _Play(goal, run, world, voice, recogniser).play()


class _Play:
    def __init__(self, goal: Goal, run: int, world: World, voice: Voice, recogniser: Recogniser | None) -> None:
        self._world, self._random, self._recogniser = world, voice.random, recogniser
        self._line = world.open(goal, channel="phone" if voice.is_spoken else "text")
        self._before = world.rows()
        self._patient = Patient(goal, voice=voice, catalogue=world.catalogue)
        self._checker = Checker(world, goal, self._before)
        self._played = Played(goal, run)
        self._replies: list[str] = []
        self._is_transferred = False
        self._conversation: str | None = None
        self._sent = ""

    def play(self) -> Played:
        played, patient = self._played, self._patient
        try:
            self._talk()
        except LineFault as fault:
            played.why.append(f"the line broke: {fault}")
        self._line.end()
        after = After(self._before, self._world.rows(), self._replies, self._is_transferred)
        played.why += faults(patient.goal, after, world=self._world)
        played.why += [f"unsupported: {one}" for one in played.unsupported]
        played.is_handed_over = self._is_handed_over()
        return played

    def _talk(self) -> None:
        if isinstance(self._line, CallLine):
            self._call(self._line)
        said: Said | None = self._patient.begin()
        while said is not None:
            heard = self._send(said)
            self._played.turns += 1
            acts = self._take(said, heard)
            if said.is_last or heard.ended:
                return
            said = self._patient.answer(acts, heard.text)

    def _call(self, line: CallLine) -> None:
        """Ring, and choose the language where the greeting offers it."""
        greeting = line.ring()
        self._take(Said(""), greeting)
        choice = words(self._world.language).get("key")
        if choice and choice["greeting"] in greeting.text:
            said = Said(choice["key"], is_keys=True)
            self._take(said, self._send(said))

    def _send(self, said: Said) -> Heard:
        line = self._line
        if said.is_keys and isinstance(line, CallLine):
            return line.press(said.text)
        text = said.text
        if self._recogniser is not None:
            text = self._recogniser.hear(text, self._random)
        self._played.words += len(text.split())
        self._sent = text
        return line.say(text)

    def _take(self, said: Said, heard: Heard) -> list[Any]:
        """Write down an exchange and check what was said."""
        turn = self._world.turn(heard.message_key)
        played = self._played
        if turn is not None:
            self._conversation = turn.conversation_id
        self._is_transferred |= heard.transferred_to is not None
        unsupported = self._checker.unsupported(
            heard.text, conversation=self._conversation, is_handed_over=self._is_transferred
        )
        acts = list(turn.acts) if turn else []
        if played.booked_at_turn is None and any(one["say"] in {"booked", "requested"} for one in acts):
            played.booked_at_turn = played.turns
        played.unsupported += unsupported
        played.words += len(heard.text.split())
        if said.text:
            self._replies.append(heard.text)
        entry = {"said": said.text, "reply": heard.text}
        if self._recogniser is not None and said.text and not said.is_keys:
            entry["heard"] = self._sent
        if turn is not None:
            entry["understood"] = ", ".join(_short(one) for one in turn.commands)
        played.transcript.append(entry)
        return acts

    def _is_handed_over(self) -> bool:
        wanted = {Kind.PERSON, Kind.DANGER}
        if any(one.kind in wanted for one in self._patient.goal.errands):
            return False
        with self._world.services.db.read() as session:
            outcomes = set(session.scalars(select(Conversation.outcome)))
        return self._is_transferred or bool(outcomes & _HANDED)


def _short(command: dict[str, Any]) -> str:
    fields = {key: value for key, value in command.items() if key != "name" and value not in (None, [], {}, False)}
    return f"{command['name']}{fields or ''}"
