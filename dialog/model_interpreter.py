"""Understanding with a language model's help: the local interpreter first, the model where that left something open.

The model can only add. What the local one found for certain stands; emergencies, consent and identity are its alone; and
whatever goes wrong with the model, the local interpretation is the answer.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from pydantic import ValidationError

from dialog.commands import (
    Affirm,
    AskClinic,
    AskHuman,
    BookFor,
    Choose,
    ChooseAll,
    Command,
    Correct,
    Deny,
    Emergency,
    GiveBirthDate,
    GiveEmail,
    GiveLocation,
    GiveName,
    GivePhone,
    GivePractitioner,
    GiveService,
    GiveTime,
    Greet,
    MoreOptions,
    NewPatient,
    RefusePractitioner,
    SwitchLanguage,
    Thank,
    Unsure,
    WishPractitioner,
)
from dialog.interpreter import Interpretation, Interpreter, Listening
from dialog.model_privacy import is_personal, without_personal_data
from dialog.model_prompt import build_question
from dialog.model_proposal import Proposal, commands_of
from dialog.ports import LanguageModel
from kernel.errors import Malformed, Unavailable
from kernel.log import get_logger

SURE = 0.75  # from here on the local interpretation needs no help, unless it left words unused
UNSURE = 0.5  # below this it may well be wrong
MANY_OPEN_WORDS = 3
LEAST_TIME_S = 0.3  # no model answers in less
TOKENS_OF_A_QUESTION = 3000  # about what a question costs at a clinic with many services

_Narrowable = GiveService | GivePractitioner | GiveLocation
_FACTS = (
    BookFor,
    Correct,
    Emergency,
    GiveBirthDate,
    GiveEmail,
    GiveLocation,
    GiveName,
    GivePhone,
    GivePractitioner,
    GiveService,
    GiveTime,
    NewPatient,
    RefusePractitioner,
    SwitchLanguage,
    WishPractitioner,
)
"""What the local interpreter read in the patient's own words, in contrast to what it took them to want."""
_ANSWERS = (Affirm, Choose, ChooseAll, Deny, MoreOptions, Unsure)
"""To one question there is one."""
_BESIDE = (AskClinic, AskHuman, Greet, Thank)
"""What people also say, whatever else they want."""


class CircuitBreaker:
    """Leaves a model alone for a minute after three failures in a row, so that patients don't all wait for it.

    One per process, shared by its threads. After the minute one question is let through; its success closes the circuit.
    """

    def __init__(self, *, monotonic: Callable[[], float], failures: int = 3, rest_s: float = 60.0) -> None:
        self._monotonic = monotonic
        self._allowed = failures
        self._rest_s = rest_s
        self._failed = 0
        self._rests_until = 0.0
        self._lock = threading.Lock()

    def lets_through(self) -> bool:
        """Say whether to ask now. A yes after a rest is a trial: nobody else gets one until it succeeds or a rest passed."""
        with self._lock:
            if self._failed < self._allowed:
                return True
            if self._monotonic() < self._rests_until:
                return False
            self._rests_until = self._monotonic() + self._rest_s
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        with self._lock:
            self._failed += 1
            self._rests_until = self._monotonic() + self._rest_s


class ModelInterpreter:
    """Implements Interpreter with a local one and a language model."""

    def __init__(
        self, *, local: Interpreter, model: LanguageModel, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._local = local
        self._model = model
        self._monotonic = monotonic
        self._breaker = CircuitBreaker(monotonic=monotonic)

    def interpret(self, text: str, listening: Listening, *, deadline_s: float) -> Interpretation:
        """Say what `text` means, within `deadline_s` in all; the model gets what the local interpreter left of it."""
        ends = self._monotonic() + deadline_s
        local = self._local.interpret(text, listening, deadline_s=deadline_s)
        if not leaves_something_open(local, listening):
            return local
        said = without_personal_data(text, listening, commands=local.commands)
        left_s = ends - self._monotonic()
        if not said or left_s < LEAST_TIME_S or not self._breaker.lets_through():
            return local
        return self._ask(said, local, listening, deadline_s=left_s)

    def _ask(self, said: str, local: Interpretation, listening: Listening, *, deadline_s: float) -> Interpretation:
        started = self._monotonic()
        paid = local
        try:
            answer = self._model.propose(build_question(said, listening), deadline_s=deadline_s)
            paid = replace(local, tokens_in=answer.tokens_in, tokens_out=answer.tokens_out)
            proposal = Proposal.model_validate(dict(answer.fields))
        except (Unavailable, Malformed, ValidationError) as error:
            self._breaker.failed()
            # A validation error's text repeats the model's answer, which repeats the patient.
            why = "not in the form asked for" if isinstance(error, ValidationError) else str(error)
            get_logger().warning("dialog.model.failed", why=why, tokens=paid.tokens, ms=self._ms_since(started))
            return paid
        self._breaker.succeeded()
        get_logger().info("dialog.model.answered", tokens=paid.tokens, ms=self._ms_since(started))
        found = commands_of(proposal, said=said, listening=listening)
        return joined(paid, found, certainty=proposal.certainty)

    def _ms_since(self, started: float) -> int:
        return round((self._monotonic() - started) * 1000)


def leaves_something_open(local: Interpretation, listening: Listening) -> bool:
    """Say whether a model should be asked at all: something is open, may leave the house, and is worth its tokens."""
    if any(isinstance(command, Emergency) for command in local.commands):
        return False
    if is_personal(listening.asked, local.commands):
        return False
    if listening.tokens_left is not None and listening.tokens_left < TOKENS_OF_A_QUESTION:
        return False
    open_words = len(local.open_words.split())
    return not local.commands or local.confidence < SURE or open_words >= MANY_OPEN_WORDS


def joined(local: Interpretation, found: tuple[Command, ...], *, certainty: float) -> Interpretation:
    """Add to a local interpretation what a model found.

    A sure one is only completed: an intent or an answer if it had none, details of a kind it has none of, one candidate
    out of several. Of an unsure one the facts and answers stay and the intents give way.
    """
    kept = tuple(_narrowed(command, found) for command in local.commands)
    if local.confidence < UNSURE and any(not isinstance(each, _FACTS) for each in found):
        kept = tuple(command for command in kept if isinstance(command, _FACTS + _ANSWERS))
    added = tuple(command for command in found if _completes(kept, command))
    if (*kept, *added) == local.commands:
        return local
    return replace(local, commands=(*kept, *added), confidence=max(local.confidence, certainty))


def _completes(kept: tuple[Command, ...], command: Command) -> bool:
    if isinstance(command, _ANSWERS):
        return not any(isinstance(each, _ANSWERS) for each in kept)
    if isinstance(command, GivePractitioner) and any(_refuses(each, command) for each in kept):
        return False
    if isinstance(command, _FACTS + _BESIDE):
        return type(command) not in {type(each) for each in kept}
    return all(isinstance(each, _FACTS + _ANSWERS + _BESIDE) for each in kept)


def _refuses(command: Command, wanted: GivePractitioner) -> bool:
    return isinstance(command, RefusePractitioner) and bool(set(command.keys) & set(wanted.keys))


def _narrowed(command: Command, found: tuple[Command, ...]) -> Command:
    """Take the model's choice where the patient's words fit several; never where they fit one, or none."""
    if isinstance(command, _Narrowable):
        for other in found:
            if type(other) is type(command) and set(other.keys) <= set(command.keys):
                return replace(command, keys=other.keys)
    return command
