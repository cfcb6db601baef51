"""Scripted conversations: a clinic file, a clock, what the patient says, and what must stand in the diary afterwards.

Runs against the real webhooks with a database of its own. `tests/scenarios/` are files of this form, and so are the cases
that staff make of conversations which went wrong (`frontdesk.replay`).
"""

import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import queries
from booking.catalogue import load_catalogue
from booking.model.patient import Patient
from booking.tasks import tasks_of_conversation
from booking.values import BookedVisit, Catalogue
from dialog.interpreter import Interpreter
from dialog.model import Conversation, Turn
from frontdesk.bootstrap import STAGE_SECRET
from frontdesk.files import read_text
from frontdesk.opening import OPENING, Opening
from frontdesk.patient_line import CallLine, CallOver, Heard, Line, LineFault
from frontdesk.stage import BadScript, NotToBeHad, Stage
from kernel.config import ModelSettings

_A_TURN = "say, digits, silence, nobody_answers or hang_up (by: sms, voice or web), wait, take, give_back, busy, free or clinic"
_HEARD = {"say", "digits", "silence", "nobody_answers", "hang_up"}
_TIMES = {"start", "end"}
_LISTS = ("diary", "wrote", "tasks")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_QUIET_FOR = timedelta(hours=25)  # after this every conversation has its outcome


@dataclass(frozen=True)
class Answer:
    """What the agent made of one turn, as it is stored. `acts` are the names of what it said; `reply` has no mark-up."""

    commands: tuple[dict[str, Any], ...] = ()
    acts: tuple[str, ...] = ()
    reply: str = ""


@dataclass(frozen=True)
class ScriptResult:
    """What happened. `failures`: where it is not as the script expects, in words; empty when it is.

    `answers` has one for each of `turns`; `written` are the visits that the conversation wrote, as they then stand.
    """

    turns: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    written: list[dict[str, Any]] = field(default_factory=list)
    outcome: str | None = None
    diary: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the answer of `frontdesk chat --script --json`."""
        return {"turns": self.turns, "outcome": self.outcome, "diary": self.diary, "tasks": self.tasks}


def run_script(
    script: Path | Mapping[str, Any],
    *,
    folder: Path | None = None,
    model: ModelSettings | None = None,
    interpreter: Interpreter | None = None,
    secret_key: str = STAGE_SECRET,
) -> ScriptResult:
    """Play a script, given as a file or as its content, and compare with what it expects.

    Paths in it are relative to the file, or to `folder`. `secret_key` is the one of the process's other database, if it has
    one (`Stage`). Raises BadScript, UnreadableFile.
    """
    if isinstance(script, Path):
        folder, script = script.parent, _read(script)
    clinic, path = _clinic(script, folder or Path.cwd())
    turns, expect = _turns(script), _expect(script)
    with tempfile.TemporaryDirectory(prefix="frontdesk-script-") as data_dir:
        stage = Stage(
            clinic=clinic,
            path=path,
            now=_instant(script),
            channel=_channel(script),
            caller=_text(script, "from"),
            data_dir=Path(data_dir),
            model=model,
            interpreter=interpreter,
            secret_key=secret_key,
        )
        try:
            stage.open(_opening(script))
            result = _Play(turns, stage).play()
        finally:
            stage.close()
    result.failures.extend(_differences(expect, result))
    return result


class _Play:
    """A script under way."""

    def __init__(self, steps: Sequence[Mapping[str, Any]], stage: Stage) -> None:
        self._steps = steps
        self._stage = stage
        self._own = stage.channel
        self._lines: dict[str, Line] = {}
        self._turns: list[dict[str, Any]] = []
        self._answers: list[Answer] = []
        self._failures: list[str] = []

    def play(self) -> ScriptResult:
        """Play it to the end, or until the agent ends the call, and return what came of it."""
        self._open(self._own, self._stage.line)
        for step in self._steps:
            try:
                self._step(dict(step))
            except CallOver as over:
                self._failures.append(f"{over}, before {step!r}")
                break
            self._stage.work()
        for line in self._lines.values():
            line.end()
        self._stage.work()
        return self._result()

    def _open(self, channel: str, line: Line) -> Line:
        """Begin to text, or call and hear the greeting."""
        self._lines[channel] = line
        if isinstance(line, CallLine):
            self._turns.append(self._heard("", line.ring))
        return line

    def _line_by(self, channel: str) -> Line:
        """Return the line that a turn names: what is said by voice after a hang-up is said on a new call."""
        line = self._lines.get(channel)
        is_over = line is None or (isinstance(line, CallLine) and line.is_over)
        return self._open(channel, self._stage.new_line(channel)) if line is None or is_over else line

    def _step(self, step: dict[str, Any]) -> None:
        if not _HEARD & step.keys():
            self._pass_time(step)
            return
        named, means = step.pop("by", None), step.pop("means", ())
        line = self._lines[self._own] if named is None else self._line_by(_channel({"channel": named}))
        match step:
            case {"say": text}:
                self._turns.append(self._heard(str(text), lambda: line.say(str(text))))
            case {"digits": digits} if isinstance(line, CallLine):
                self._turns.append(self._heard(str(digits), lambda: line.press(str(digits))))
            case {"silence": True} if isinstance(line, CallLine):
                self._turns.append(self._heard("", line.keep_silent))
            case {"nobody_answers": True} if isinstance(line, CallLine):
                self._turns.append(self._heard("", line.come_back))
            case {"hang_up": True} if isinstance(line, CallLine):
                line.end()
            case _:
                raise BadScript(f"a turn must be {_A_TURN}, not {step!r}")
        self._check_understood(step, means)

    def _check_understood(self, step: Mapping[str, Any], means: Sequence[str]) -> None:
        """Note a failure where one of the commands that a turn means was not understood."""
        understood = [command["name"] for command in self._answers[-1].commands] if self._answers else []
        self._failures += [
            f"{step!r} means {name}, understood was {', '.join(understood) or 'nothing'}"
            for name in means
            if name not in understood
        ]

    def _pass_time(self, step: dict[str, Any]) -> None:
        may_fail = step.pop("may_fail", False)
        match step:
            case {"wait": length}:
                self._stage.wait(_length(str(length)))
            case {"take": dict(visit)}:
                self._by_another(self._stage.take, visit, may_fail=may_fail)
            case {"give_back": dict(visit)}:
                self._by_another(self._stage.give_back, visit, may_fail=may_fail)
            case {"busy": dict(span)}:
                self._stage.take_elsewhere(span)
            case {"free": dict(span)}:
                self._stage.free_elsewhere(span)
            case {"clinic": dict(clinic)}:
                self._stage.change_clinic(clinic)
            case _:
                raise BadScript(f"a turn must be {_A_TURN}, not {step!r}")

    def _by_another(self, act: Callable[[dict[str, Any]], None], visit: dict[str, Any], *, may_fail: bool) -> None:
        try:
            act(visit)
        except NotToBeHad:
            if not may_fail:
                raise

    def _heard(self, said: str, speak: Callable[[], Heard]) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            heard = speak()
        except CallOver:
            raise
        except LineFault as fault:
            raise BadScript(f"after {said!r}: {fault}") from fault
        elapsed_ms = (time.perf_counter() - began) * 1000
        with self._stage.services.db.read() as session:
            turn = session.scalars(select(Turn).where(Turn.message_key == heard.message_key)).one_or_none()
            commands, acts = (turn.commands, turn.acts) if turn else ([], [])
            reply = turn.reply if turn else heard.text
        self._answers.append(Answer(tuple(commands), tuple(act["say"] for act in acts), reply))
        return {"said": said, "reply": heard.text, "commands": commands, "acts": acts, "ms": round(elapsed_ms, 1)}

    def _result(self) -> ScriptResult:
        db = self._stage.services.db
        # Nobody says more: what is still open gets the outcome that an idle conversation gets.
        with db.read() as session:
            is_open = session.scalars(select(Conversation.id).where(Conversation.outcome.is_(None))).first()
        if is_open:
            self._stage.wait(_QUIET_FOR)
        with db.read() as session:
            catalogue = load_catalogue(session, clinic_id=self._stage.clinic_id)
            conversations = session.scalars(select(Conversation).order_by(Conversation.started_at)).all()
            return ScriptResult(
                turns=self._turns,
                answers=self._answers,
                written=_written(session, catalogue, conversations),
                outcome=conversations[-1].outcome if conversations else None,
                diary=_diary(session, catalogue, conversations),
                tasks=[
                    {"kind": str(task.kind), "text": task.text}
                    for one in conversations
                    for task in tasks_of_conversation(session, conversation_id=one.id)
                ],
                failures=self._failures,
            )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        script = YAML(typ="safe").load(read_text(path))
    except YAMLError as error:
        raise BadScript(f"{path}: {str(error).splitlines()[0]}") from None
    if not isinstance(script, dict):
        raise BadScript(f"{path}: a script is a mapping with clinic, now, channel, from and turns")
    return script


def _diary(session: Session, catalogue: Catalogue, conversations: Sequence[Conversation]) -> list[dict[str, Any]]:
    """List what the conversations' patients have and what the conversations wrote; a Hold is not in the diary."""
    visits: dict[str, BookedVisit] = {}
    for conversation in conversations:
        for visit in queries.visits_of_conversation(session, conversation_id=conversation.id):
            visits[visit.id] = visit
        if conversation.patient_id:
            for visit in queries.visits_of_patient(session, patient_id=conversation.patient_id):
                visits[visit.id] = visit
    return _rows(session, catalogue, visits.values())


def _written(session: Session, catalogue: Catalogue, conversations: Sequence[Conversation]) -> list[dict[str, Any]]:
    """List the visits that the conversations booked, moved or cancelled."""
    of_these = select(Turn.writes).where(Turn.conversation_id.in_([one.id for one in conversations]))
    ids = {entry.get("appointment_id") for writes in session.scalars(of_these) for entry in writes}
    visits = [queries.visit(session, appointment_id=each) for each in ids if each]
    return _rows(session, catalogue, visits)


def _rows(session: Session, catalogue: Catalogue, visits: Iterable[BookedVisit]) -> list[dict[str, Any]]:
    kept = [visit for visit in visits if visit.patient_id is not None and visit.hold_expires_at is None]
    return [_row(session, catalogue, visit) for visit in sorted(kept, key=lambda one: (one.starts_at, one.id))]


def _row(session: Session, catalogue: Catalogue, visit: BookedVisit) -> dict[str, Any]:
    location = catalogue.location(visit.location_id)
    patient = session.get(Patient, visit.patient_id)
    return {
        "service": catalogue.service(visit.service_id).key,
        "practitioner": catalogue.practitioner(visit.practitioner_id).key,
        "location": location.key,
        "patient": patient.name if patient else None,
        "start": visit.starts_at.astimezone(location.zone).isoformat(),
        "end": visit.ends_at.astimezone(location.zone).isoformat(),
        "status": str(visit.status),
        "source": str(visit.source),
    }


def _differences(expect: Mapping[str, Any], result: ScriptResult) -> list[str]:
    found = []
    if "outcome" in expect and expect["outcome"] != result.outcome:
        found.append(f"outcome is {result.outcome}, expected {expect['outcome']}")
    if "diary" in expect:
        found += _unmatched("diary", expect["diary"] or [], result.diary, is_complete=True)
    if "wrote" in expect:
        found += _unmatched("what was written", expect["wrote"] or [], result.written, is_complete=True)
    if "tasks" in expect:
        found += _unmatched("tasks", expect["tasks"] or [], result.tasks, is_complete=False)
    said = "\n".join(turn["reply"] for turn in result.turns)
    found += [f"said {words!r}, which must not be said" for words in expect.get("never_says", ()) if words in said]
    return found


def _unmatched(what: str, expected: list[Any], actual: list[dict[str, Any]], *, is_complete: bool) -> list[str]:
    """Match each expected entry with an actual one of its own; in a complete list nothing else may be left."""
    left, found = list(actual), []
    for wanted in expected:
        match = next((one for one in left if _fits(wanted, one)), None)
        if match is None:
            found.append(f"{what} lacks {dict(wanted)!r}")
        else:
            left.remove(match)
    if is_complete:
        found += [f"{what} has {one!r} beside what is expected" for one in left]
    return found


def _fits(wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> bool:
    return all(_is_same(key, value, actual.get(key)) for key, value in wanted.items())


def _is_same(key: str, wanted: Any, actual: Any) -> bool:
    if key in _TIMES and isinstance(actual, str):
        given, found = _time(wanted), datetime.fromisoformat(actual)
        return given == (found if given.tzinfo else found.replace(tzinfo=None))
    return bool(wanted == actual)


def _clinic(script: Mapping[str, Any], folder: Path) -> tuple[str | Mapping[str, Any], str]:
    """Return the clinic, which is a file beside the script or stands in it, and what errors call it."""
    if isinstance(script.get("clinic"), dict):
        return script["clinic"], "clinic"
    path = folder / _text(script, "clinic")
    return read_text(path), str(path)


def _opening(script: Mapping[str, Any]) -> Opening:
    parts = {name: script.get(name) or [] for name in OPENING}
    for name, some in parts.items():
        if not isinstance(some, list) or not all(isinstance(one, dict) for one in some):
            raise BadScript(f"{name} must be a list of mappings")
    return Opening(**parts)


def _turns(script: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    turns = script.get("turns") or []
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise BadScript(f"turns must be a list of mappings, each with {_A_TURN}")
    return turns


def _expect(script: Mapping[str, Any]) -> Mapping[str, Any]:
    expect = script.get("expect") or {}
    if not isinstance(expect, dict):
        raise BadScript("expect must be a mapping with outcome, diary, wrote, tasks or never_says")
    for entry in [entry for name in _LISTS for entry in expect.get(name) or ()]:
        if not isinstance(entry, dict):
            raise BadScript(f"{', '.join(_LISTS)} are lists of mappings, and {entry!r} is none")
        for key in _TIMES & entry.keys():
            _time(entry[key])
    return expect


def _time(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise BadScript(f"a time is written like 2027-03-15T09:00, not {value!r}") from None


def _instant(script: Mapping[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(str(script["now"]))
    except (KeyError, ValueError):
        raise BadScript("now must be a time with a zone, like 2027-03-10T10:00:00-05:00") from None
    if at.tzinfo is None:
        raise BadScript("now needs a zone, as in 2027-03-10T10:00:00-05:00")
    return at


def _channel(script: Mapping[str, Any]) -> str:
    channel = script.get("channel", "sms")
    if channel not in {"sms", "voice", "web"}:
        raise BadScript(f"channel must be sms, voice or web, not {channel!r}")
    return str(channel)


def _length(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if not match:
        raise BadScript(f"wait must be like 20m or 2h, not {text!r}")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _text(script: Mapping[str, Any], key: str) -> str:
    if not script.get(key):
        raise BadScript(f"{key} is missing")
    return str(script[key])
