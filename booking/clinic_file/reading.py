"""From text to a checked `ClinicFile`, with errors that name the line and the key."""

import difflib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scanner import RoundTripScanner

from booking.clinic_file import remarks
from booking.clinic_file.checks import faults, with_numbers
from booking.clinic_file.forms import Unreadable
from booking.clinic_file.remarks import Place, Remark
from booking.clinic_file.schema import PATTERNS, ClinicFile
from kernel.errors import Malformed

# What no clinic comes near: a few lines of YAML that refer to one another can stand for any number of values, and reading
# brackets in brackets takes the square of their number.
_MOST_VALUES = 100_000
_DEEPEST = 50


@dataclass(frozen=True)
class Fault:
    """What is wrong at a line of the file."""

    line: int
    remark: Remark


class ClinicFileError(Malformed):
    """The file can't be used. `faults` has everything that is wrong; as a text it is a line in English for each."""

    def __init__(self, faults: Sequence[Fault], *, path: str) -> None:
        self.faults = tuple(faults)
        self._path = path
        super().__init__("\n".join(self.lines()))

    def lines(self, language: str = remarks.LANGUAGES[0]) -> list[str]:
        """Return one "FILE:LINE: key.path: sentence" for each thing that is wrong."""
        return [f"{self._path}:{fault.line}: {remarks.line(fault.remark, language)}" for fault in self.faults]


class UnusableDocument(Malformed):
    """A document is no clinic file. `remarks` has everything that is wrong, each with its place."""

    def __init__(self, found: Sequence[Remark]) -> None:
        super().__init__("\n".join(map(remarks.line, found)))
        self.remarks = tuple(found)


def parse(text: str, *, path: str) -> ClinicFile:
    """Read a clinic file in YAML or JSON; telephone numbers come out as E.164. `path` is what errors call it.

    Raises ClinicFileError with everything that is wrong.
    """
    try:
        document = _load(text)
        plain = _plain(document)
    except _NotYaml as error:
        raise ClinicFileError([error.fault], path=path) from None
    try:
        return check(plain)
    except UnusableDocument as error:
        line_of = dict(_lines(document, ()))
        raise ClinicFileError([_located(remark, line_of) for remark in error.remarks], path=path) from None


def check(document: Mapping[str, Any]) -> ClinicFile:
    """Return what a document of plain mappings, lists and texts says; telephone numbers come out as E.164.

    Raises UnusableDocument with everything that is wrong.
    """
    try:
        file = ClinicFile.model_validate(document)
    except ValidationError as error:
        raise UnusableDocument([_remark(each) for each in error.errors()]) from None
    file, bad_numbers = with_numbers(file)
    found = [*bad_numbers, *faults(file)]
    if found:
        raise UnusableDocument(found)
    return file


def _located(remark: Remark, line_of: Mapping[Place, int]) -> Fault:
    known = remark.place
    while known and known not in line_of:
        known = known[:-1]
    return Fault(line_of.get(known, 1), remark)


class _NotYaml(Exception):
    def __init__(self, code: str, *, line: int = 1, **fields: Any) -> None:
        super().__init__(code)
        self.fault = Fault(line, Remark(code, fields=fields))


class _Constructor(RoundTripConstructor):
    """Leaves dates as text: one that does not exist would be an error without a line."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_yaml_str)


class _Scanner(RoundTripScanner):
    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803 -- ruamel's name
        if len(self.flow_context) >= _DEEPEST:
            raise _NotYaml("too-deep", line=self.reader.line + 1)
        super().fetch_flow_collection_start(TokenClass, to_push)


def _load(text: str) -> CommentedMap:
    # JSON may be indented with tabs, which YAML does not accept; a tab inside a JSON string is not allowed anyway.
    is_json = text.lstrip("\ufeff \t\r\n").startswith("{")
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor = _Constructor
    yaml.Scanner = _Scanner
    try:
        document = yaml.load(text.lstrip("\ufeff").expandtabs() if is_json else text)
    except DuplicateKeyError as error:
        raise _NotYaml("key-twice", line=_line(error)) from None
    except MarkedYAMLError as error:
        raise _NotYaml("broken", line=_line(error), problem=error.problem or error.context) from None
    except RecursionError:
        raise _NotYaml("too-deep") from None
    except (YAMLError, ValueError) as error:
        raise _NotYaml("broken", problem=str(error).splitlines()[0]) from None
    except (AttributeError, KeyError):
        # ruamel stumbles over a mapping that is merged into itself, and over `!!bool` before a word that is none.
        raise _NotYaml("broken", problem="an anchor or a tag that can't be followed") from None
    if not isinstance(document, CommentedMap):
        raise _NotYaml("not-a-clinic-file")
    return document


def _line(error: MarkedYAMLError) -> int:
    return error.problem_mark.line + 1 if error.problem_mark else 1


def _lines(node: Any, place: Place) -> Iterator[tuple[Place, int]]:
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            # What comes out of another mapping (<<) has no line of its own here.
            if key in (node.lc.data or {}):
                yield (*place, key), node.lc.key(key)[0] + 1
            yield from _lines(value, (*place, key))
    elif isinstance(node, CommentedSeq):
        for position, value in enumerate(node):
            yield (*place, position), node.lc.item(position)[0] + 1
            yield from _lines(value, (*place, position))


def _plain(document: CommentedMap) -> Any:
    """Return the document without ruamel's own kinds of mapping, list and text, and with what is referred to written out."""
    numbers = itertools.count(1)

    def plain(node: Any) -> Any:
        if next(numbers) > _MOST_VALUES:
            raise _NotYaml("too-large")
        if isinstance(node, Mapping):
            return {str(key): plain(value) for key, value in node.items()}
        if isinstance(node, CommentedSeq):
            return [plain(value) for value in node]
        return str(node) if isinstance(node, str) else node

    try:
        return plain(document)
    except RecursionError:
        raise _NotYaml("too-deep") from None


# What the models say, by pydantic's name for it: our code, and what its sentence calls the limit.
CODES: Mapping[str, str] = {
    "model_type": "not-a-group",
    "dict_type": "not-a-group",
    "list_type": "not-a-list",
    "tuple_type": "not-a-list",
    "string_type": "not-a-text",
    "string_unicode": "control-character",
    "int_type": "not-a-whole-number",
    "int_parsing": "not-a-whole-number",
    "int_parsing_size": "not-a-whole-number",
    "int_from_float": "not-a-whole-number",
    "float_type": "not-a-number",
    "float_parsing": "not-a-number",
    "finite_number": "not-a-number",
    "bool_type": "not-yes-or-no",
    "bool_parsing": "not-yes-or-no",
}
LIMITS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("more-than", "gt"),
    "greater_than_equal": ("at-least", "ge"),
    "less_than_equal": ("at-most", "le"),
    "string_too_long": ("too-long", "max_length"),
    "too_short": ("too-few", "min_length"),
    "too_long": ("too-many", "max_length"),
}


def _remark(error: Mapping[str, Any]) -> Remark:
    """Say in our codes what pydantic found."""
    place = tuple(part for part in error["loc"] if part != "[key]")
    kind, details = error["type"], error.get("ctx", {})
    if kind in LIMITS:
        code, name = LIMITS[kind]
        return Remark(code, place, {"limit": details[name]})
    match kind:
        case "missing":
            return Remark("pair" if isinstance(place[-1], int) else "missing", place)
        case "extra_forbidden":
            return _unknown(place)
        case "value_error" if isinstance(details["error"], Unreadable):
            return Remark(details["error"].code, place, details["error"].fields)
        case "string_too_short":
            return Remark("empty", place)
        case "string_pattern_mismatch":
            return Remark(PATTERNS[details["pattern"]], place)
        case "enum" | "literal_error":
            return Remark("one-of", place, {"choices": re.findall(r"'([^']*)'", details["expected"])})
        case _:
            return Remark(CODES.get(kind, "unreadable"), place)


def _unknown(place: Place) -> Remark:
    """Suggest the key that was probably meant."""
    fields: Any = ClinicFile.model_fields
    for part in place[:-1]:
        if isinstance(part, str) and part in fields:
            fields = _fields_below(fields[part].annotation)
    close = difflib.get_close_matches(str(place[-1]), list(fields), n=1)
    return Remark("unknown-key-like", place, {"meant": close[0]}) if close else Remark("unknown-key", place)


def _fields_below(annotation: Any) -> Any:
    kinds = [annotation, *getattr(annotation, "__args__", ())]
    return next((kind.model_fields for kind in kinds if hasattr(kind, "model_fields")), {})
