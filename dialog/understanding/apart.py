"""Two people who come for something else each: "a cleaning for me and a check-up for my son", "my son needs a shot and I need a physical"."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dialog import commands as say
from dialog.commands import Relation
from dialog.understanding.details import PEOPLE, named_after
from dialog.understanding.finding import Finding
from dialog.understanding.held import TASKS
from dialog.understanding.mention import Mention, overlaps
from dialog.understanding.pattern import Hit
from dialog.understanding.scene import Scene

_TWO = 2


@dataclass(frozen=True)
class _Own:
    """What one of them comes for, and the words that say who it is."""

    service: Mention
    hit: Hit
    relation: Relation


def of_two_apart(scene: Scene, hits: Sequence[Hit]) -> list[Finding]:
    """Give each of the two with what they come for; nothing where it is one person, or one service. Whoever speaks comes first, else whoever was named first."""
    services = sorted(scene.services, key=lambda each: each.start)
    if len(services) != _TWO or set(services[0].keys) & set(services[1].keys) or _changes_a_visit(hits):
        return []
    for label in ("each_for", "each_does"):
        people = [hit for hit in scene.cues if hit.label == label]
        owned = list(_owned(services, people, scene, is_before=label == "each_does"))
        if len(owned) == _TWO and owned[0].relation is not owned[1].relation:
            first, other = sorted(owned, key=lambda each: each.relation is not Relation.SELF)
            return [*_findings(first, scene), *_findings(other, scene, is_other=True)]
    return []


def _changes_a_visit(hits: Sequence[Hit]) -> bool:
    return any(hit.label.partition(" ")[0] in TASKS - {"start_booking"} for hit in hits)


def _owned(services: Sequence[Mention], people: Sequence[Hit], scene: Scene, *, is_before: bool) -> Iterator[_Own]:
    """Find who each service is for: named between it and the one before, or the one behind it."""
    bounds = [0, *(each.start for each in services)] if is_before else [*(each.end for each in services)]
    ends = [each.start for each in services] if is_before else [services[1].start, len(scene.utterance.tokens)]
    for service, first, last in zip(services, bounds, ends, strict=False):
        near = [
            hit
            for hit in people
            if first <= hit.start < last and not overlaps((hit.start, hit.end), (service.start, service.end))
        ]
        if near:
            hit = near[-1] if is_before else near[0]
            yield _Own(service, hit, _relation(hit, scene))


def _relation(hit: Hit, scene: Scene) -> Relation:
    named = (name for at in range(hit.start, hit.end) for name in PEOPLE if name in scene.text.found[at])
    return next((PEOPLE[name] for name in named), Relation.SELF)


def _findings(own: _Own, scene: Scene, *, is_other: bool = False) -> Iterator[Finding]:
    """Give whom and what for; those of the other one behind everything else, since what else was said goes with the first."""
    person = None if own.relation is Relation.SELF else named_after(scene, own.hit.start, own.hit.end)
    whom = say.BookFor(own.relation, person.value if person else None, also=is_other)
    service = say.GiveService(own.service.keys, own.service.text)
    end = len(scene.utterance.tokens)
    words = own.hit.literal | (frozenset(range(*person.span)) if person else frozenset())
    yield Finding(whom, (end, end) if is_other else (own.hit.start, own.hit.end), words)
    span = (own.service.start, own.service.end)
    yield Finding(service, (end, end + 1) if is_other else span, frozenset(range(*span)))
