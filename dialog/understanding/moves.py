"""Moving a visit: whether that is wanted at all, and which words say when the visit is rather than when they could come.

"I can't make it Tuesday" cancels, but with "can we do Wednesday?" beside it moves; in both the visit is that of Tuesday. "Move my Tuesday appointment to Friday"
and "push Thursday to next week" name both times too.
"""

from collections.abc import Sequence
from dataclasses import replace

from dialog.interpreter import Asked
from dialog.understanding.mention import Span
from dialog.understanding.pattern import Hit
from dialog.understanding.scene import Scene, read_times

INSTEAD = frozenset({"start_booking", "start_reschedule", "ask_availability", "more_options", "correct"})
"""Beside "I can't come" these make a move of it rather than a cancellation."""
REPLACED = "start_reschedule replaced"
"""A cancellation that is one half of a move; the phrase ends where its other half begins."""
_AGAIN = frozenset({"start_booking", "start_reschedule", "ask_availability", "more_options"})
_BESIDE_CANCEL = _AGAIN | {"start_cancel", "greet", "thank", "affirm", "correct", "nothing"}
_ABOUT_VISITS = frozenset(
    {"start_reschedule", "start_cancel", "running_late", "confirm_visit", "ask_appointments", "start_booking"}
)
_TELLING = frozenset({"can_not_come", "has_visit"})


def as_moves(hits: list[Hit], scene: Scene) -> list[Hit]:
    """Read "I can't come Monday, do you have Wednesday?" as one wish to move, and "book a visit, but I can't come Mondays" as a booking."""
    hits = _of_late(hits, scene)
    unable = [hit for hit in hits if hit.label == "can_not_come"]
    if not unable:
        return _of_told(_as_replaced(hits, scene), scene)
    if _refuses_times(hits, unable, scene):
        return [hit for hit in hits if hit not in unable]
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


def _of_late(hits: list[Hit], scene: Scene) -> list[Hit]:
    """Read "my car broke down, could I do Thursday?" as a wish to move: who says by how much they are late comes all the same."""
    late = [hit for hit in hits if hit.label == "running_late" and not _says_how_late(hit, scene)]
    others = [hit for hit in hits if hit.label in INSTEAD - {"correct"}]
    is_more = any(hit.label in {"start_booking", "start_reschedule", "can_not_come"} for hit in hits)
    if not late or is_more or not (others or _wants_another_time(late[0], scene)):
        return hits
    kept = [hit for hit in hits if hit not in others and hit.label != "has_visit"]
    return sorted([*kept, replace(late[0], label="start_reschedule")], key=lambda each: each.start)


def _says_how_late(hit: Hit, scene: Scene) -> bool:
    return any("<number>" in scene.text.found[at] for at in range(hit.start, hit.end))


def _refuses_times(hits: list[Hit], unable: list[Hit], scene: Scene) -> bool:
    """Whether the visit that is being arranged is spoken of: asked when they would come, "I can't on Wednesdays" cancels nothing."""
    is_asked = scene.listening.asked in {Asked.WHEN, Asked.CHOICE} and bool(scene.times.mentions)
    is_of_visit = any("<visit>" in scene.text.found[at] for hit in unable for at in range(hit.start, hit.end))
    return (
        is_asked
        and not is_of_visit
        and not any(_name(hit) in {"start_cancel", "start_reschedule", "has_visit"} for hit in hits)
    )


def _as_replaced(hits: list[Hit], scene: Scene) -> list[Hit]:
    """Read "cancel my cleaning and get me another one the week after" as a move: the new visit is the old one at another time.

    Whatever else is said of the new one (another service, somebody else's visit) makes it a visit of its own.
    """
    cancel = next((hit for hit in hits if hit.label == "start_cancel"), None)
    if cancel is None or any(_name(hit) not in _BESIDE_CANCEL for hit in hits):
        return hits
    again = [
        hit
        for hit in hits
        if hit.start >= cancel.end and _is_for_another_time(hit, scene) and not _is_cancelled(hit, cancel, scene)
    ]
    if not again:
        return hits
    behind = again[0].start
    says_when = any(span[1] > behind for span in _times(scene))
    is_another = bool(scene.book.another_words.intersection(scene.utterance.words[behind:]))
    if _is_for_another_visit(behind, scene) or not (says_when or is_another):
        return hits
    others = [hit for hit in hits if _name(hit) not in {*_AGAIN, "start_cancel"}]
    return sorted([*others, replace(cancel, label=REPLACED, end=behind)], key=lambda each: each.start)


def _is_for_another_time(hit: Hit, scene: Scene) -> bool:
    """Whether a wish behind a cancellation can be for the same visit. "Move the other one" is for another, "come Friday instead" is not."""
    if _name(hit) != "start_reschedule":
        return _name(hit) in _AGAIN
    return "<visit>" not in {name for at in range(hit.start, hit.end) for name in scene.text.found[at]} and bool(
        scene.book.instead_words.intersection(scene.utterance.words[hit.start : hit.end])
    )


def _is_cancelled(hit: Hit, cancel: Hit, scene: Scene) -> bool:
    """Whether words directly behind the cancellation say which visit it is of: "cancel the other one"."""
    between = scene.utterance.words[cancel.end : hit.start]
    return scene.book.small.issuperset(between) and not _parted(cancel.end, hit.start, scene)


def _is_for_another_visit(behind: int, scene: Scene) -> bool:
    is_named = any(each.start >= behind for each in (*scene.services, *scene.staff))
    is_sought = any("<staff>" in found for found in scene.text.found[behind:])
    return is_named or is_sought or any(hit.label.startswith("book_for ") for hit in scene.cues)


def _name(hit: Hit) -> str:
    return hit.label.partition(" ")[0]


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
    asks = any(
        hit.label == "instead_cues" and hit.start >= unable.start and not hit.literal <= unable.literal
        for hit in scene.cues
    )
    return asks and bool(set(_times(scene)) - {_time_of(hit, scene) for hit in (unable, *told(scene))})


def told(scene: Scene) -> list[Hit]:
    """Give the phrases that tell of a visit they have, whether they can come or not."""
    return [hit for hit in scene.book.intents.find(scene.text) if hit.label == "has_visit"]


def times_of_visit(hits: Sequence[Hit], scene: Scene) -> list[Span]:
    """Give the words that say when the visit is that shall be moved."""
    moves = [hit for hit in hits if hit.label in {"start_reschedule", REPLACED}]
    if not moves:
        return []
    if moves[0].label == REPLACED:
        return _times_within((0, moves[0].end), scene)
    spans = _times(scene)
    told = [hit for hit in scene.book.intents.find(scene.text) if hit.label in _TELLING]
    if told:
        by_weight = sorted(told, key=lambda hit: -len(hit.literal))
        own = next((time for hit in by_weight if (time := _time_of(hit, scene))), None)
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
    before = words[start - 1] if start else ""
    if start < move.start:
        # "My appointment of Thursday, can it be on Monday?"
        led = start - 1 if before in scene.book.visit_leads else start
        return not is_only and any(led in found.get("<visit>", ()) for found in scene.text.found[:led])
    if before in scene.book.move_leads or scene.book.instead_words.intersection(words[end : end + 1]):
        return False
    named_behind = end < len(words) and (
        {"<visit>", "<service>"} & scene.text.found[end].keys() or words[end] in scene.book.visit_pronouns
    )
    if named_behind or words[start] in scene.book.visit_leads or before in scene.book.visit_leads:
        return True
    goes_to = end < len(words) and words[end] in scene.book.move_leads
    return goes_to or (is_only and start <= move.start + 2)


def _times_within(part: Span, scene: Scene) -> list[Span]:
    """Give the words of time in `part`, read as if nothing stood behind it."""
    mentions = read_times(scene, without=scene.set_aside, within=part).mentions
    offset = scene.utterance.tokens[part[0]].start
    spans = (scene.utterance.words_between(time.start + offset, time.end + offset) for time in mentions)
    return [_without_leads(span, scene) for span in spans if span[0] < span[1]]


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
