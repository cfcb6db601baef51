"""Whether somebody talks to a clinic at all, or to a bank, a kitchen, an airline or a loudspeaker that tells jokes.

Words and phrases of other trades speak for it, what only a clinic is asked speaks against it; neither needs to be certain.
"""

from collections.abc import Sequence

from dialog.understanding.finding import Finding
from dialog.understanding.held import IDLE, OPENING
from dialog.understanding.pattern import Hit
from dialog.understanding.scene import Scene

ELSEWHERE = "out_of_scope other"
SAID_TO_ALL = IDLE | {
    "any_practitioner",
    "ask_appointments",
    "ask_availability",
    "ask_clinic",
    "ask_if_bot",
    "book_for",
    "choose",
    "confirm_visit",
    "give_birth_date",
    "give_name",
    "give_phone",
    "give_time",
    "go_back",
    "help",
    "hold_on",
    "leave_message",
    "out_of_scope",
    "repeat",
    "start_over",
    "stop",
    "switch_language",
}
"""Commands that say nothing about whether a clinic is meant: a bank is asked for its hours too, and a flight has a date."""
COUNTED = frozenset({"give_location", "give_practitioner", "give_service"})
"""Commands of what is named, which counts by itself."""
OWN_VISIT = frozenset({"start_cancel", "start_reschedule", "ask_appointments", "confirm_visit"})
SURELY, MAYBE, NAMED, CLINICAL = 2, 1, 2, 2


def is_foreign(findings: Sequence[Finding], hits: Sequence[Hit], scene: Scene) -> bool:
    """Say whether this is none of a clinic's business. Only what begins or ends a conversation is; in between, answers are."""
    book, words = scene.book, scene.utterance.words
    foreign = foreign_words(hits, scene)
    if not foreign or scene.listening.asked not in OPENING:
        return False
    score = sum(
        SURELY if words[at] in book.foreign_surely else MAYBE for at in foreign if words[at] in book.foreign_all
    )
    score += SURELY * any(hit.label == ELSEWHERE for hit in hits)
    named = [*scene.staff, *scene.places, *scene.services]
    score -= max((MAYBE if each.is_part else NAMED for each in named), default=0)
    names = {each.command.name for each in findings} - COUNTED
    score -= CLINICAL * (bool(names - SAID_TO_ALL) + any("<clinical>" in found for found in scene.text.found))
    if any("<visit>" in found and at not in foreign for at, found in enumerate(scene.text.found)):
        score -= MAYBE if names.isdisjoint(OWN_VISIT) else CLINICAL
    return score > 0 and (
        score >= SURELY or names <= SAID_TO_ALL - {"ask_clinic", "ask_availability", "ask_appointments"}
    )


def foreign_words(hits: Sequence[Hit], scene: Scene) -> frozenset[int]:
    """Give the words of other trades."""
    book = scene.book
    said = {at for at, word in enumerate(scene.utterance.words) if word in book.foreign_all}
    return frozenset(said).union(*(hit.literal for hit in hits if hit.label == ELSEWHERE))
