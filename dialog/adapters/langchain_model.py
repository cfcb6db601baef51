"""The language model through LangChain: any OpenAI-compatible address by default, other vendors by a prefix of the name.

LangChain takes two seconds to import, so that happens in the constructor: a clinic without a model never waits for it.
"""

import asyncio
import json
import os
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dialog.ports import ModelAnswer, ModelQuestion
from kernel.config import BadSetting, ModelSettings, StructuredOutput
from kernel.errors import Malformed, Unavailable

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

MAX_ANSWER_TOKENS = 300
LONGEST_REQUEST_S = 15.0  # a ceiling for the vendor's client; the deadline of each question is shorter
TRACING = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")


class LangChainModel:
    """One chat model, asked for one structured answer at a time.

    Raises BadSetting when the model cannot be made, and when LangChain's tracing is switched on in the environment: it
    would send what patients say to a third party.
    """

    def __init__(self, settings: ModelSettings) -> None:
        refuse_tracing(os.environ)
        self._settings = settings
        self._vendor, self._name = _vendor_and_name(settings)
        self._model = self._make_model()
        self._method = _method(self._model, settings)

    def propose(self, question: ModelQuestion, *, deadline_s: float) -> ModelAnswer:
        """Ask the model; see the port."""
        chain, messages = self._chain(question.schema), _messages(question, self._method)
        answering = _loop().start(asyncio.wait_for(chain.ainvoke(messages), deadline_s))
        # The vendor is the clinic's choice, so its errors are not known here: whatever comes out instead of an answer is a
        # failed answer. The extra time is only for a loop that is busy; the deadline itself is kept inside it.
        try:
            error = answering.exception(timeout=deadline_s + 0.25)
        except TimeoutError:
            answering.cancel()
            raise Unavailable("the language model did not answer in time") from None
        if error is not None:
            # Not chained: a vendor's message may repeat what the patient said.
            raise _failure(error) from None
        return _answer(answering.result())

    def _make_model(self) -> "BaseChatModel":
        from langchain.chat_models import init_chat_model

        options: dict[str, Any] = {
            "temperature": 0,
            "max_tokens": MAX_ANSWER_TOKENS,
            "timeout": LONGEST_REQUEST_S,
            "max_retries": 0,
            "cache": False,
        }
        if self._vendor == "openai":
            # Always named, since several variables of the environment would reroute the request otherwise.
            options["base_url"] = self._settings.base_url or "https://api.openai.com/v1"
            options["api_key"] = self._settings.api_key
            options["seed"] = 7
            options["use_responses_api"] = False  # compatible servers don't have it
        try:
            model: BaseChatModel = init_chat_model(self._name, model_provider=self._vendor, **options)
        except (ImportError, ValueError) as error:
            raise BadSetting(f"FRONTDESK_MODEL: {self._vendor}:{self._name} cannot be used: {_line(error)}") from None
        return model

    def _chain(self, schema: Mapping[str, object]) -> "Runnable[Any, Any]":
        if self._method is None:
            return self._model.with_structured_output(dict(schema), include_raw=True)
        strict = None if self._method == "json_mode" else True
        return self._model.with_structured_output(dict(schema), method=self._method, strict=strict, include_raw=True)


def _method(model: "BaseChatModel", settings: ModelSettings) -> StructuredOutput | None:
    """Return how to ask for the form of an answer; None for vendors that know one way only."""
    from langchain_openai.chat_models.base import BaseChatOpenAI

    return settings.structured_output if isinstance(model, BaseChatOpenAI) else None


def refuse_tracing(environ: Mapping[str, str]) -> None:
    """Raise BadSetting if the environment asks LangChain to report prompts to its vendor."""
    for name in TRACING:
        if environ.get(name, "").strip().lower() not in {"", "0", "false", "no", "off"}:
            raise BadSetting(f"{name} is set: it would send what patients say to a third party; unset it")


def _vendor_and_name(settings: ModelSettings) -> tuple[str, str]:
    """Split `vendor:name`. At an address of one's own the whole is the name: local servers write `qwen2.5:1.5b`."""
    vendor, colon, name = settings.name.partition(":")
    if colon and (vendor == "openai" or settings.base_url is None):
        return vendor, name
    return "openai", settings.name


def _messages(question: ModelQuestion, method: StructuredOutput | None) -> list[tuple[str, str]]:
    messages = [(message.role.value, message.text) for message in question.messages]
    if method == "json_mode":
        # The request has no other place for it.
        role, text = messages[0]
        messages[0] = (role, f"{text}\n\nThe JSON object's schema:\n{json.dumps(question.schema)}")
    return messages


def _answer(result: Mapping[str, Any]) -> ModelAnswer:
    raw, parsed = result["raw"], result["parsed"]
    if raw.response_metadata.get("finish_reason") == "length":
        raise Malformed("the language model's answer was cut off")
    if not isinstance(parsed, dict):
        raise Malformed("the language model's answer is not the object asked for")
    usage = raw.usage_metadata or {}
    return ModelAnswer(fields=parsed, tokens_in=usage.get("input_tokens", 0), tokens_out=usage.get("output_tokens", 0))


def _failure(error: BaseException) -> Unavailable | Malformed:
    """Tell an answer that can't be read from no answer. The vendors' errors of either kind share no base class."""
    import openai

    unreadable = (ValueError, TypeError, LookupError, AttributeError)
    finished_badly = (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError)
    what = _line(type(error).__name__)
    status = getattr(error, "status_code", None)
    if isinstance(error, finished_badly) or (isinstance(error, unreadable) and status is None):
        return Malformed(f"the language model's answer cannot be read ({what})")
    return Unavailable(f"the language model cannot be had ({what}{'' if status is None else f', {status}'})")


def _line(error: object) -> str:
    return " ".join(str(error).split())[:200]


class _Loop:
    """An event loop in a thread of its own, started when first needed (a web server forks before that).

    Asynchronous because only so can a request be called off: a server that sends a byte now and then keeps every
    time-out per read from running out, and a thread that waits for it can't be ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None

    def start(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop.run_forever, name="language-model", daemon=True)
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)


@lru_cache(maxsize=1)
def _loop() -> _Loop:
    """Return the process's one loop: LangChain keeps one pool of connections per address, which belongs to one loop."""
    return _Loop()
