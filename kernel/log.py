"""Structured logging to stdout: static event names, identifiers as fields, personal data only under keys with `pii`."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger


def configure(*, level: str = "INFO", json_lines: bool = True) -> None:
    """Set up logging for this process. Below debug, every field whose key has a segment `pii` is dropped."""
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if level != "DEBUG":
        processors.append(_without_personal_data)
    processors += [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer()
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        # Looked up at each call, not kept: a test or a server may have put another stream there.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stdout if json_lines else sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    # These print numbers and bodies at INFO.
    for name in ("twilio", "openai", "httpx", "httpx2", "caldav", "rq.worker"):
        logging.getLogger(name).setLevel(logging.WARNING)


def get_logger() -> Any:
    """Return the logger; its context (`structlog.contextvars`) is bound once per turn or job."""
    return structlog.get_logger()


def _without_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: value for key, value in event.items() if "pii" not in key.split("_")}
