"""From text to a checked `ClinicFile`, with errors that name the line and the key."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from booking.clinic_file.checks import Fault, faults, with_numbers
from booking.clinic_file.schema import ClinicFile
from kernel.errors import Malformed

Place = tuple[int | str, ...]
"""Where in the file: keys and positions from the top."""


class ClinicFileError(Malformed):
    """The file can't be used. `lines` has one "FILE:LINE: key.path: message" for each thing that is wrong."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


class UnusableDocument(Malformed):
    """A document is no clinic file. `faults` has everything that is wrong, each with its place."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(f"{path_text(fault.place)}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


def parse(text: str, *, path: str) -> ClinicFile:
    """Read a clinic file in YAML or JSON; telephone numbers come out as E.164. `path` is what errors call it.

    Raises ClinicFileError with everything that is wrong.
    """
    document = _load(text, path=path)
    try:
        return check(_plain(document))
    except UnusableDocument as error:
        line_of = dict(_lines(document, ()))
        raise ClinicFileError([_located(fault, line_of, path=path) for fault in error.faults]) from None


def check(document: Mapping[str, Any]) -> ClinicFile:
    """Return what a document of plain mappings, lists and texts says; telephone numbers come out as E.164.

    Raises UnusableDocument with everything that is wrong.
    """
    try:
        file = ClinicFile.model_validate(document)
    except ValidationError as error:
        raise UnusableDocument([_told(each) for each in error.errors()]) from None
    file, bad_numbers = with_numbers(file)
    found = [*bad_numbers, *faults(file)]
    if found:
        raise UnusableDocument(found)
    return file


def _located(fault: Fault, line_of: Mapping[Place, int], *, path: str) -> str:
    known = fault.place
    while known and known not in line_of:
        known = known[:-1]
    return f"{path}:{line_of.get(known, 1)}: {path_text(fault.place)}: {fault.message}"


class _Constructor(RoundTripConstructor):
    """Leaves dates as text: one that does not exist would be an error without a line."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_yaml_str)


def _load(text: str, *, path: str) -> Any:
    # JSON may be indented with tabs, which YAML does not accept; a tab inside a JSON string is not allowed anyway.
    is_json = text.lstrip("\ufeff \t\r\n").startswith("{")
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor = _Constructor
    try:
        document = yaml.load(text.lstrip("\ufeff").expandtabs() if is_json else text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ClinicFileError([f"{path}:{line}: {error.problem or error.context}"]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise ClinicFileError([f"{path}:1: {error}"]) from None
    if not isinstance(document, CommentedMap):
        raise ClinicFileError([f"{path}:1: a clinic file is a mapping that begins with the key clinic"])
    return document


def _lines(node: Any, place: Place) -> Iterator[tuple[Place, int]]:
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            yield (*place, key), node.lc.key(key)[0] + 1
            yield from _lines(value, (*place, key))
    elif isinstance(node, CommentedSeq):
        for position, value in enumerate(node):
            yield (*place, position), node.lc.item(position)[0] + 1
            yield from _lines(value, (*place, position))


def _plain(node: Any) -> Any:
    """Return the document without ruamel's own kinds of mapping, list and text."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    return str(node) if isinstance(node, str) else node


def path_text(place: Place) -> str:
    """Write a place in the file, like `practitioners[0].hours`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _told(error: Mapping[str, Any]) -> Fault:
    place = tuple(part for part in error["loc"] if part != "[key]")
    match error["type"]:
        case "missing":
            return Fault(place, "this key is missing")
        case "extra_forbidden":
            return Fault(place, f"unknown key{_meant(place)}")
        case "value_error":
            return Fault(place, str(error["ctx"]["error"]))
        case _:
            return Fault(place, error["msg"])


def _meant(place: Place) -> str:
    """Suggest the key that was probably meant."""
    fields: Any = ClinicFile.model_fields
    for part in place[:-1]:
        if isinstance(part, str) and part in fields:
            fields = _fields_below(fields[part].annotation)
    close = difflib.get_close_matches(str(place[-1]), list(fields), n=1)
    return f"; do you mean {close[0]}?" if close else ""


def _fields_below(annotation: Any) -> Any:
    kinds = [annotation, *getattr(annotation, "__args__", ())]
    return next((kind.model_fields for kind in kinds if hasattr(kind, "model_fields")), {})
