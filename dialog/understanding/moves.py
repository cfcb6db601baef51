"""Moving a visit: whether that is wanted at all, and which words say when the visit is rather than when they could come.

"I can't make it Tuesday" cancels, but with "can we do Wednesday?" beside it moves; in both the visit is that of Tuesday. "Move my Tuesday appointment to Friday"
and "push Thursday to next week" name both times too.
"""

from collections.abc import Sequence
from dataclasses import replace

from dialog.understanding.mention import Span
from dialog.understanding.pattern import Hit
from dialog.understanding.scene import Scene

INSTEAD = frozenset({"start_booking", "start_reschedule", "ask_availability", "more_options", "correct"})
"""Beside "I can't come" these make a move of it rather than a cancellation."""
_ABOUT_VISITS = frozenset(
    {"start_reschedule", "start_cancel", "running_late", "confirm_visit", "ask_appointments", "start_booking"}
)
_TELLING = frozenset({"can_not_come", "has_visit"})


def as_moves(hits: list[Hit], scene: Scene) -> list[Hit]:
    """Read "I can't come Monday, do you have Wednesday?" as one wish to move, and "book a visit, but I can't come Mondays" as a booking."""
    unable = [hit for hit in hits if hit.label == "can_not_come"]
    if not unable:
        return _of_told(hits, scene)
    hits = [hit for hit in hits if hit.label != "has_visit"]
    first = unable[0]
    if any(hit.label == "start_booking" and hit.start < first.start for hit in hits):
        return [hit for hit in hits if hit not in unable]
    others = [hit for hit in hits if hit.label in INSTEAD]
    is_move = any(hit.label != "correct" for hit in others) or _wants_another_time(first, scene)
    is_cancel = any(hit.label == "start_cancel" for hit in hits)
    label = "start_reschedule" if is_move else "start_cancel" if is_cancel else "start_cancel unable"
    kept = [hit for hit in hits if hit not in others and hit not in unable]
    own = _time_of(first, scene)
    end = own[1] if own and own[0] >= first.start else first.end
    moved = replace(first, label=label, end=max(first.end, end))
    return sorted([*kept, moved], key=lambda each: each.start)


def _of_told(hits: list[Hit], scene: Scene) -> list[Hit]:
    """Take "I have an appointment on Tuesday" as what another wish is about; alone it asks about that visit, or moves it where another time follows."""
    told = [hit for hit in hits if hit.label == "has_visit"]
    if not told:
        return hits
    others = [hit for hit in hits if hit.label != "has_visit"]
    if any(hit.label in _ABOUT_VISITS for hit in others):
        return others
    label = "start_reschedule" if _wants_another_time(told[0], scene) else "ask_appointments"
    kept = [hit for hit in others if label != "start_reschedule" or hit.label not in INSTEAD]
    return sorted([*kept, replace(told[0], label=label)], key=lambda each: each.start)


def _wants_another_time(unable: Hit, scene: Scene) -> bool:
    own = _time_of(unable, scene)
    asks = [hit for hit in scene.cues if hit.label == "instead_cues" and hit.start >= unable.start]
    return bool(asks) and any(span != own for span in _times(scene))


def times_of_visit(hits: Sequence[Hit], scene: Scene) -> list[Span]:
    """Give the words that say when the visit is that shall be moved."""
    moves = [hit for hit in hits if hit.label == "start_reschedule"]
    if not moves:
        return []
    spans = _times(scene)
    told = [hit for hit in scene.book.intents.find(scene.text) if hit.label in _TELLING]
    if told:
        own = _time_of(max(told, key=lambda hit: len(hit.literal)), scene)
        return [own] if own and (len(spans) > 1 or told[0].label == "can_not_come" or own[0] < moves[0].start) else []
    named = [span for span in spans[:1] if _names_visit(span, moves[0], scene, is_only=len(spans) == 1)]
    return [_without_leads(span, scene) for span in named]


def _without_leads(span: Span, scene: Scene) -> Span:
    """Cut "from" off "from Monday", which is no beginning of a stretch of time here."""
    start, end = span
    while end - start > 1 and scene.utterance.words[start] in scene.book.visit_leads:
        start += 1
    return start, end


def _names_visit(span: Span, move: Hit, scene: Scene, *, is_only: bool) -> bool:
    """Whether the first time said is that of the visit: by its place before "appointment", behind "from", or, of two, anywhere before "to"."""
    words, (start, end) = scene.utterance.words, span
    if start < move.start:
        return False
    before = words[start - 1] if start else ""
    if before in scene.book.move_leads:
        return False
    named_behind = end < len(words) and (
        {"<visit>", "<service>"} & scene.text.found[end].keys() or words[end] in scene.book.visit_pronouns
    )
    if named_behind or words[start] in scene.book.visit_leads or before in scene.book.visit_leads:
        return True
    goes_to = end < len(words) and words[end] in scene.book.move_leads
    return goes_to or (is_only and start <= move.start + 2)


def _times(scene: Scene) -> list[Span]:
    spans = (scene.utterance.words_between(time.start, time.end) for time in scene.times.mentions)
    return sorted({span for span in spans if span[0] < span[1]})


def _time_of(unable: Hit, scene: Scene) -> Span | None:
    """Give the words of time that go with "I can't make it": within it, else close behind it, else before it in its part of the sentence."""
    spans = _times(scene)
    small, words = scene.book.small, scene.utterance.words
    for span in spans:
        behind = span[0] >= unable.end and all(word in small for word in words[unable.end : span[0]])
        if unable.start <= span[0] < unable.end or (behind and not _parted(unable.end, span[0], scene)):
            return span
    before = [span for span in spans if span[1] <= unable.start and not _parted(span[1], unable.start, scene)]
    return before[-1] if before else None


def _parted(end: int, start: int, scene: Scene) -> bool:
    return any(end <= at <= start and at in scene.utterance.starts for at in range(end, start + 1))
