"""The use case of the dialog: one message in, one Reply out, everything it changed in one transaction."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from booking import tasks
from booking.catalogue import CatalogueCache
from booking.clinic_file.snapshots import keep_snapshot
from booking.reminded import Reminded
from booking.task_words import TaskSays
from booking.values import BookedVisit, Catalogue, ClinicId, TaskKind
from dialog import offered_time, policy, record, reminded, takeover
from dialog.acts import Act, Say
from dialog.commands import Emergency
from dialog.draft import Decision, Setting
from dialog.errands import Request, Result
from dialog.inbound import Channel, Inbound, InboundKind, Reply
from dialog.interpreter import Asked, Interpreter, Listening, Option
from dialog.languages import SPOKEN, first_language
from dialog.model import Conversation
from dialog.offered_time import Made
from dialog.ports import TokenPrices
from dialog.record import Account, Snapshot, StaleConversation, Taken, Understood
from dialog.review import ask_for_review
from dialog.safety import taken
from dialog.state import Choice, DialogState
from dialog.timewords import read_time
from dialog.tools import Tools
from dialog.wording.names import person_called, service_called
from dialog.wording.render import render, wording
from kernel import inbox
from kernel.clock import Clock
from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.turn_lock import TurnLock
from kernel.work import Database, UnitOfWork

INTERPRETER_DEADLINE_S = {Channel.VOICE: 4.0, Channel.SMS: 6.0, Channel.WEB: 6.0}
TURN_S = {Channel.VOICE: 10.0, Channel.SMS: 12.0, Channel.WEB: 12.0}
"""A whole turn, with its wait for the one before; the vendor waits 15 s."""
_WRITING_S = 1.0  # of a turn that are kept for deciding and writing
WAIT_S = 6.0
LEASE_S = 20.0
_MAX_REQUESTS = 20
_ATTEMPTS = 3
_HINTS = 100
TOKENS_OF_A_CONVERSATION = 60_000  # about twenty questions to a language model; the local interpreter hears the rest

_NOTHING = Reply("", silent=True, ends=True)

_REPLY = TypeAdapter(Reply)
_REQUEST: TypeAdapter[Any] = TypeAdapter(Request)
_RESULT: TypeAdapter[Any] = TypeAdapter(Result)


class _Stopwatch:
    """Milliseconds a stage, for the transcript. A stage that is run again counts once more."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.stages: dict[str, float] = {}
        self._seconds = seconds
        self._began = self._since = seconds()

    def lap(self, stage: str) -> None:
        now = self._seconds()
        self.stages[stage] = round(self.stages.get(stage, 0.0) + (now - self._since) * 1000, 2)
        self._since = now

    def left_s(self, turn_s: float) -> float:
        """Return how much of a turn is left to understand in."""
        return max(0.0, turn_s - _WRITING_S - (self._seconds() - self._began))


def warm() -> None:
    """Load the words of times and of answers now, so that the first patient of this process does not wait for them."""
    for language in SPOKEN:
        read_time("", now=datetime(2000, 1, 1), language=language)  # noqa: DTZ001 -- a wall time has no zone
        wording(language)


class Dialog:
    """Conversations, whatever they come by. May be used by many threads at once."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        lock: TurnLock,
        interpreter: Interpreter,
        catalogues: CatalogueCache,
        prices: TokenPrices | None = None,
        seconds: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._db = db
        self._clock = clock
        self._lock = lock
        self._interpreter = interpreter
        self._catalogues = catalogues
        self._prices = prices
        self._seconds = seconds
        self._for_patients: dict[ClinicId, tuple[Catalogue, Catalogue]] = {}
        self._kept: dict[ClinicId, int] = {}

    def handle_turn(self, inbound: Inbound, /) -> Reply:
        """Answer one message, in the order in which the messages of a thread came. A repeat of its key gets the same Reply.

        Raises Unavailable when the one before is still being answered or the database can't be had; nothing is written then.
        """
        watch = _Stopwatch(self._seconds)
        read = self._read(inbound)
        watch.lap("read")
        if isinstance(read, Reply):
            return read
        first = read.snapshot
        with self._lock.hold(first.thread_hash, wait_s=WAIT_S, lease_s=LEASE_S) as at_once:
            watch.lap("wait")
            # Where somebody was before us what was read is old; and of a conversation that nobody had begun yet no version tells.
            is_old = not at_once or first.is_new
            for _ in range(_ATTEMPTS):
                try:
                    if is_old:
                        read = self._read(inbound, before=first)
                        watch.lap("read")
                    return read if isinstance(read, Reply) else self._answer(inbound, read, watch)
                except StaleConversation:
                    is_old = True
                except IntegrityError:
                    # The same message was applied by another process in between: its answer is ours too.
                    repeated = self._recorded(inbound)
                    if repeated is None:
                        raise
                    return repeated
        raise Unavailable("the conversation is being written to from elsewhere")

    def apologise(self, inbound: Inbound, error: Exception, /) -> Reply:
        """Answer for a turn that failed, and leave staff a task about it, in a transaction of its own.

        Where even that can't be written the apology promises nothing.
        """
        get_logger().error("dialog.turn.failed", clinic_id=inbound.clinic_id, error=type(error).__name__)
        ends = inbound.channel is Channel.VOICE
        try:
            return self._db.run(lambda work: self._write_apology(work, inbound, ends=ends))
        except (SQLAlchemyError, Unavailable):
            return Reply(_untold_apology(inbound.channel), ends=ends)

    def answer_to(self, inbound: Inbound, /) -> Reply | None:
        """Return what a message was answered, or the apology for it; None while there is neither."""
        with self._db.read() as session:
            answer = inbox.recorded_answer(session, key=inbound.message_key)
            answer = answer or inbox.recorded_answer(session, key=_apology_key(inbound))
        return None if answer is None else _REPLY.validate_json(answer)

    def _read(self, inbound: Inbound, *, before: Snapshot | None = None) -> "Reply | _Read":
        """Return what a message is answered from, or its Reply if it was answered before."""
        with self._db.read() as session:
            found = record.find(session, inbound, now=self._clock.now())
            if found.answer is not None:
                return _REPLY.validate_json(found.answer)
            whole = self._catalogues.at(session, clinic_id=inbound.clinic_id, version=found.catalogue_version)
            catalogue = self._shown(whole)
            snapshot = record.snapshot(session, inbound, found, catalogue=catalogue, before=before)
            return _Read(whole, catalogue, snapshot)

    def _answer(self, inbound: Inbound, read: "_Read", watch: _Stopwatch) -> Reply:
        snapshot = read.snapshot
        if inbound.kind is InboundKind.HUNG_UP and snapshot.is_new:
            return _NOTHING  # a call that rang off before it was answered is no conversation
        setting = Setting(read.catalogue, self._clock.now(), inbound.channel, inbound.caller)
        with structlog.contextvars.bound_contextvars(
            clinic_id=inbound.clinic_id, conversation_id=snapshot.conversation_id
        ):
            snapshot = self._after_staff(setting, snapshot)
            if record.is_for_staff(inbound, snapshot.taken):
                understood = self._overhear(inbound, setting, snapshot.state, watch)
            else:
                understood = self._understand(inbound, setting, snapshot.state, watch)
            watch.lap("understand")
            unkept = None if self._kept.get(read.whole.clinic_id) == read.whole.version else read.whole
            turn = _Turn(inbound, setting, snapshot, understood, watch, self._cost(understood), unkept)
            reply = self._db.run(turn.write)
            self._kept[read.whole.clinic_id] = read.whole.version
            get_logger().info("dialog.turn.answered", kind=inbound.kind.value, ms=sum(watch.stages.values()))
        return reply

    def _shown(self, catalogue: Catalogue) -> Catalogue:
        """Return what patients may see of a clinic; the same object as long as the clinic's catalogue is the same, since names are prepared by it."""
        whole, shown = self._for_patients.get(catalogue.clinic_id, (None, catalogue))
        if whole is not catalogue:
            shown = catalogue.for_patients()
            self._for_patients[catalogue.clinic_id] = (catalogue, shown)
        return shown

    def _understand(self, inbound: Inbound, setting: Setting, state: DialogState, watch: _Stopwatch) -> Understood:
        text = taken(inbound.text)
        if inbound.kind is not InboundKind.SAID or not text:
            return Understood(text)
        listening = Listening(
            catalogue=setting.catalogue,
            now=setting.local_now,
            language=state.language,
            asked=state.asked,
            offered=tuple(_option(setting.catalogue, one) for one in state.choices),
            day_spoken_of=state.start_spoken_of and state.start_spoken_of.astimezone(setting.catalogue.zone).date(),
            tokens_left=max(0, TOKENS_OF_A_CONVERSATION - state.tokens_spent),
        )
        deadline_s = min(INTERPRETER_DEADLINE_S[inbound.channel], watch.left_s(TURN_S[inbound.channel]))
        meant = self._interpreter.interpret(text, listening, deadline_s=deadline_s)
        return Understood(text, meant.commands, meant.confidence, meant.tokens_in, meant.tokens_out)

    def _after_staff(self, setting: Setting, snapshot: Snapshot) -> Snapshot:
        """Return what a message meets where staff had the conversation for too long: the agent answers again."""
        if snapshot.taken is None or snapshot.taken.until > setting.now:
            return snapshot
        with self._db.read() as session:
            state = takeover.state_after_staff(session, snapshot, setting.catalogue, now=setting.now)
        return replace(snapshot, state=state, taken=None)

    def _overhear(self, inbound: Inbound, setting: Setting, state: DialogState, watch: _Stopwatch) -> Understood:
        """Return words that are for staff. All that is understood of them is an emergency, which does not wait for staff."""
        nothing_open = DialogState(language=state.language, tokens_spent=TOKENS_OF_A_CONVERSATION)
        heard = self._understand(inbound, setting, nothing_open, watch)
        return replace(heard, commands=tuple(one for one in heard.commands if isinstance(one, Emergency)))

    def _cost(self, understood: Understood) -> float | None:
        if self._prices is None:
            return None
        return self._prices.cost(tokens_in=understood.tokens_in, tokens_out=understood.tokens_out)

    def _recorded(self, inbound: Inbound) -> Reply | None:
        with self._db.read() as session:
            answer = inbox.recorded_answer(session, key=inbound.message_key)
        return None if answer is None else _REPLY.validate_json(answer)

    def _write_apology(self, work: UnitOfWork, inbound: Inbound, *, ends: bool) -> Reply:
        catalogue, language = self._open_apology(work, inbound)
        text = render([Act(Say.APOLOGY)], catalogue=catalogue, channel=inbound.channel, language=language)
        reply = Reply(text, language=language, ends=ends)
        # Another process may have to say it. It is no answer: if the message is delivered again, it is tried again.
        if inbox.recorded_answer(work.session, key=_apology_key(inbound)) is None:
            inbox.record(
                work, key=_apology_key(inbound), answer=_REPLY.dump_json(reply).decode(), now=self._clock.now()
            )
        return reply

    def _open_apology(self, work: UnitOfWork, inbound: Inbound) -> tuple[Catalogue, str]:
        """Tell staff; return what the apology needs: the clinic, and the language of the conversation."""
        catalogue = self._catalogues.get(work.session, clinic_id=inbound.clinic_id)
        conversation_id, language = work.session.execute(
            select(Conversation.id, Conversation.language)
            .where(Conversation.thread_hash == record.thread_hash(inbound))
            .order_by(Conversation.started_at.desc())
            .limit(1)
        ).one_or_none() or (None, first_language(catalogue, of_patients=()))
        tasks.open_task(
            work,
            clinic_id=inbound.clinic_id,
            kind=TaskKind.APOLOGY,
            says=TaskSays.AGENT_FAILED,
            details={"words": taken(inbound.text)[:300] if inbound.text else None},
            now=self._clock.now(),
            conversation_id=conversation_id,
            phone=inbound.caller,
            subject=f"apology:{inbound.message_key}",
        )
        if conversation_id is not None:
            ask_for_review(work, conversation_id=conversation_id)
        return catalogue, language


@dataclass(frozen=True)
class _Read:
    """What stood in the database when the message was read."""

    whole: Catalogue
    catalogue: Catalogue  # as patients may see it
    snapshot: Snapshot


@dataclass(frozen=True)
class _Turn:
    """One turn, ready to be decided and written."""

    inbound: Inbound
    setting: Setting
    snapshot: Snapshot
    understood: Understood
    watch: _Stopwatch
    cost: float | None
    unkept: Catalogue | None  # where this may be the first Turn of a version: what a replay will need

    def write(self, work: UnitOfWork) -> Reply:
        """Decide, carry out and record. May be run again from the start: all its effects are in the transaction."""
        setting, inbound = self.setting, self.inbound
        record.claim(work, inbound, self.snapshot, now=setting.now)
        if self.unkept is not None:
            keep_snapshot(work, self.unkept, now=setting.now)
        tools = Tools(work, setting.catalogue, self.snapshot.conversation_id, inbound.channel, setting.now)
        account = Account(writes=tools.writes, timings=self.watch.stages, cost=self.cost)
        decision = self._decide(tools, account)
        self.watch.lap("decide")
        reply = self._reply(decision)
        self.watch.lap("word")
        record.append(
            work,
            inbound,
            self.snapshot,
            setting=setting,
            understood=self.understood,
            decision=decision,
            reply=reply,
            account=account,
            answered=inbox.recording(key=inbound.message_key, answer=_REPLY.dump_json(reply).decode(), now=setting.now),
            taken=self._taken,
        )
        return reply

    @property
    def _is_for_staff(self) -> bool:
        return record.is_for_staff(self.inbound, self.snapshot.taken)

    @property
    def _taken(self) -> Taken | None:
        taken = self.snapshot.taken
        return taken.with_words(self.setting.now) if taken is not None and self._is_for_staff else taken

    def _decide(self, tools: Tools, account: Account) -> Decision:
        """Let the policy decide, carrying out what it requests, until it requests nothing more.

        The answer to what we texted of our own accord comes before: the conversation knows nothing of it.
        """
        if self._is_for_staff and not self.understood.commands:
            return Decision(self.snapshot.state)
        texted = None if self._is_for_staff else self._texted(tools)
        answered = self._answer(tools, texted) if texted is not None else None
        if isinstance(answered, Decision):
            for effect in answered.effects:
                tools.apply(effect)
            return answered
        heard = policy.Heard(
            self.inbound.kind,
            self.understood.text,
            self.understood.commands,
            min(_or_sure(self.understood.confidence), _or_sure(self.inbound.confidence)),
        )
        if isinstance(texted, Reminded) and answered is not None:
            heard = _about_reminder(heard, texted, answered)
        state = self.snapshot.state
        state = replace(state, tokens_spent=state.tokens_spent + self.understood.tokens)
        decision = policy.hear(state, self.setting, heard)
        for _ in range(_MAX_REQUESTS):
            for effect in decision.effects:
                tools.apply(effect)
            if decision.request is None:
                return reminded.with_thanks(decision) if answered is reminded.Meant.COMES_AND_MORE else decision
            result = tools.carry_out(decision.request)
            account.results.append(_noted(decision.request, result))
            decision = policy.take_result(decision, self.setting, result)
        raise RuntimeError("the dialog does not stop requesting")

    def _texted(self, tools: Tools) -> Made | Reminded | None:
        """Return what was texted to the number that this may answer."""
        inbound, understood = self.inbound, self.understood
        is_text = inbound.channel is Channel.SMS and inbound.kind is InboundKind.SAID
        if inbound.caller is None or not is_text or not reminded.may_be_answer(understood.text, understood.commands):
            return None
        return tools.texted_to(inbound.caller)

    def _answer(self, tools: Tools, texted: Made | Reminded) -> Decision | reminded.Meant | None:
        """Answer what is about it; of a reminder return what is yet to be heard. None if the text is about something else."""
        if isinstance(texted, Reminded):
            return self._answer_to_reminder(tools, texted)
        return self._answer_to_offer(tools, texted)

    def _answer_to_reminder(self, tools: Tools, texted: Reminded) -> Decision | reminded.Meant | None:
        state, setting, understood = self.snapshot.state, self.setting, self.understood
        meant = reminded.meant(understood.text, understood.commands, texted, state=state, now=setting.now)
        if meant in {reminded.Meant.COMES, reminded.Meant.COMES_AND_MORE}:
            tools.note_coming(texted.visits, phone=self.inbound.caller or "")
        if meant is reminded.Meant.COMES:
            return reminded.confirmed(state, setting)
        return reminded.too_late(state, setting) if meant is reminded.Meant.TOO_LATE else meant

    def _answer_to_offer(self, tools: Tools, offer: Made) -> Decision | None:
        state = self.snapshot.state
        answer = offered_time.meant(self.understood.text, offer, state=state, now=self.setting.now)
        if answer is None:
            return None
        if isinstance(answer, offered_time.Unclear):
            return offered_time.ask_which(state, self.setting, answer)
        if answer.takes:
            return offered_time.told_of(state, self.setting, offer, tools.take_offer(offer))
        tools.pass_on_offer(offer)
        return offered_time.passed_on(state, self.setting, offer)

    def _reply(self, decision: Decision) -> Reply:
        if self.inbound.kind is InboundKind.HUNG_UP:
            return _NOTHING
        language = decision.state.language
        text = render(decision.acts, catalogue=self.setting.catalogue, channel=self.inbound.channel, language=language)
        return Reply(
            text=text,
            language=language,
            asked=decision.state.asked,
            ends=decision.ends,
            transfer_to=decision.transfer_to,
            hints=_hints(self.setting.catalogue, language, decision.state.asked)
            if self.inbound.channel is Channel.VOICE
            else (),
            silent=not text,
            waits=any(act.say is Say.TAKE_YOUR_TIME for act in decision.acts),
        )


def _about_reminder(heard: policy.Heard, reminder: Reminded, meant: reminded.Meant) -> policy.Heard:
    """Return what was heard as it is about what they were reminded of."""
    if meant is reminded.Meant.COMES_AND_MORE:
        return heard
    return replace(heard, commands=reminded.wished(meant, heard.commands), reminded=reminder.visits)


def _noted(request: Request, result: Result) -> dict[str, Any]:
    return {
        "request": {"name": type(request).__name__, **_REQUEST.dump_python(request, mode="json")},
        "result": {"name": type(result).__name__, **_RESULT.dump_python(result, mode="json")},
    }


def _apology_key(inbound: Inbound) -> str:
    return f"{inbound.message_key}:apology"


def _or_sure(confidence: float | None) -> float:
    return 1.0 if confidence is None else confidence


def _option(catalogue: Catalogue, choice: Choice) -> Option:
    offer = choice.offer or choice.visit
    if offer is None:
        return Option(text=_called(catalogue, choice.key))
    location = catalogue.location(offer.location_id)
    people = (offer.practitioner_id,) if isinstance(offer, BookedVisit) else offer.practitioner_ids
    return Option(
        starts=offer.starts_at.astimezone(location.zone).replace(tzinfo=None),
        practitioner_key=catalogue.practitioner(people[0]).key if len(people) == 1 else None,
        location_key=location.key,
    )


def _called(catalogue: Catalogue, key: str) -> str:
    """Return what patients call the service or person of a key; other options are their own words."""
    names = {one.key: one.name for one in catalogue.practitioners} | {one.key: one.name for one in catalogue.services}
    return names.get(key, key)


def _hints(catalogue: Catalogue, language: str, asked: Asked) -> tuple[str, ...]:
    """Words the recogniser should expect: those of the answer, and the clinic's own names, which it can't know, those of the language that is spoken first."""
    parts = wording(language)["parts"]
    if asked is Asked.EMAIL:
        return tuple(parts["email_hints"])
    names = [person_called(one, parts, side="spoken") for one in catalogue.practitioners]
    names += [service_called(one, parts) for one in catalogue.services]
    names += [name for one in catalogue.practitioners for name in (one.name, *one.aliases)]
    names += [name for one in catalogue.services for name in (one.name, *one.aliases)]
    return tuple(dict.fromkeys(names))[:_HINTS]


def _untold_apology(channel: Channel) -> str:
    return str(wording("en")["apology-untold"]["spoken" if channel is Channel.VOICE else "written"][0])
