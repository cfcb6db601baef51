"""Read what a request brings, strictly: whatever can't be meant is said, before anything is done."""

import json
import re
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict

from frontdesk.api.problems import Problem, Wrong

Model = TypeVar("Model", bound=BaseModel)

LARGEST_BODY = 64 * 1024
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def read_query(model: type[Model], args: MultiDict[str, str]) -> Model:
    """Make the model of a query string. Raises Problem."""
    values: dict[str, Any] = {}
    for name, given in args.lists():
        if any("\0" in one for one in (name, *given)):
            raise Problem("malformed", "The query holds a character that no text has.")
        takes_many = name in model.model_fields and get_origin(model.model_fields[name].annotation) is tuple
        if len(given) > 1 and not takes_many:
            raise Problem("malformed", f"The query names {_shown(name)} twice.")
        values[name] = tuple(given) if takes_many else given[0]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _invalid(error, "query") from None


def read_body(model: type[Model], body: bytes) -> Model:
    """Make the model of a JSON body. Raises Problem."""
    try:
        _check_json(body)
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _invalid(error, "body") from None


def is_id(text: str) -> bool:
    """Say whether this can be an id at all: other text is not even asked for."""
    return bool(_ID.fullmatch(text))


def _check_json(body: bytes) -> None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Problem("malformed", "The body is not UTF-8.") from None
    try:
        json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Problem("malformed", "The body is not JSON.") from None
    if "\\u0000" in text:
        raise Problem("malformed", "The body holds a character that no text has.")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Problem("malformed", f"The body names {_shown(twice)} twice.")
    return dict(pairs)


def _no_number(_name: str) -> Any:
    raise ValueError("not a number that JSON has")


def _invalid(error: ValidationError, where: str) -> Problem:
    wrong = tuple(
        Wrong(
            where=".".join([where, *(_shown(str(part)) for part in one["loc"])]),
            code=one["type"],
            detail=one["msg"],
        )
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    )
    return Problem("invalid-request", "; ".join(f"{one.where}: {one.detail}" for one in wrong[:3]), errors=wrong)


def _shown(name: str) -> str:
    # Sent back to whoever sent it, so only kept short and in one line.
    return "".join(char if char.isprintable() else "?" for char in name[:60])
