"""From what was found in an utterance to commands, in the order in which they were said."""

from collections.abc import Sequence

from dialog import commands as say
from dialog.interpreter import Asked, Interpretation
from dialog.understanding import moves
from dialog.understanding.apart import of_two_apart
from dialog.understanding.chosen import choice
from dialog.understanding.details import of_mentions, of_people, of_relations, of_times
from dialog.understanding.finding import Finding, of_kind, without
from dialog.understanding.held import is_steering, negated, of_staff, settled, with_bare_times, without_taken_times
from dialog.understanding.meant import of_hit
from dialog.understanding.pattern import Hit
from dialog.understanding.scene import Scene
from dialog.understanding.situation import in_context


def interpret(scene: Scene) -> Interpretation:
    """Put what was found together."""
    hits = negated(moves.as_moves(settled(scene), scene), scene)
    scene, hits = of_staff(scene, hits)
    scene = without_taken_times(with_bare_times(scene, hits), hits)
    if scene.listening.asked is Asked.MESSAGE and not is_steering(scene, hits):
        return Interpretation((say.LeaveMessage(scene.utterance.text.strip()),), scene.book.language, 1.0)
    chosen = choice(scene, hits)
    findings = chosen or [*of_times(scene, hits), *of_mentions(scene, hits)]
    if chosen and any(hit.label == "start_reschedule" for hit in hits):
        findings += of_times(scene, hits)  # "move the first one to Wednesday"
    findings += [finding for hit in hits if (finding := of_hit(hit, scene))]
    findings += of_people(scene)
    if apart := of_two_apart(scene, hits):
        findings = [*without(findings, say.GiveService), *apart]
    else:
        findings += of_relations(scene, hits)
    if scene.listening.asked is Asked.EMAIL and scene.email is not None:
        return _scored(of_kind(findings, say.GiveEmail), hits, scene)  # what else is heard into it is a part of it
    findings = in_context(sorted(findings, key=lambda each: each.span), hits, scene)
    return _scored(findings, hits, scene)


def _scored(findings: Sequence[Finding], hits: Sequence[Hit], scene: Scene) -> Interpretation:
    """Say how much of what was said was understood: the share of words with a meaning that went into commands."""
    used = frozenset().union(
        *(each.words for each in findings), *(hit.literal for hit in hits), *(hit.literal for hit in scene.cues)
    )
    idle = scene.book.small | scene.book.services.generic if scene.services else scene.book.small
    content = [at for at, word in enumerate(scene.utterance.words) if word not in idle]
    open_words = [at for at in content if at not in used]
    confidence = 0.0 if not findings else 1.0 if not content else 1.0 - len(open_words) / len(content)
    return Interpretation(
        commands=tuple(each.command for each in findings),
        language=scene.book.language,
        confidence=round(confidence, 3),
        open_words=" ".join(scene.utterance.said(at, at + 1) for at in open_words),
    )
