"""A command with the words it came from, and what is done with several of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dialog.commands import Command
from dialog.understanding.mention import Span


@dataclass(frozen=True, slots=True)
class Finding:
    """A command and the words it came from."""

    command: Command
    span: Span
    words: frozenset[int]


def turned(findings: Sequence[Finding], kind: type[Command], into: Command) -> list[Finding]:
    """Replace the commands of `kind`."""
    return [replace(each, command=into) if isinstance(each.command, kind) else each for each in findings]


def once(findings: list[Finding]) -> list[Finding]:
    """Keep one of each command, the first; times may come several times, one for each part."""
    seen: dict[Command, Finding] = {}
    for each in findings:
        known = seen.setdefault(each.command, each)
        if known is not each:
            seen[each.command] = replace(known, words=known.words | each.words)
    return list(seen.values())


def has(findings: Sequence[Finding], *kinds: type[Command]) -> bool:
    """Whether any command is of one of `kinds`."""
    return any(isinstance(each.command, kinds) for each in findings)


def of_kind(findings: Sequence[Finding], *kinds: type[Command]) -> list[Finding]:
    """Keep the commands of `kinds`."""
    return [each for each in findings if isinstance(each.command, kinds)]


def without(findings: Sequence[Finding], *kinds: type[Command]) -> list[Finding]:
    """Leave out the commands of `kinds`."""
    return [each for each in findings if not isinstance(each.command, kinds)]
