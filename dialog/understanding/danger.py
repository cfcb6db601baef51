"""Red flags: symptoms that lead to the emergency services before anything else.

Errs on the side of alarm: doubt does not take a red flag back. Only a plain denial directly before it does, words that put it in the past ("last year",
"history of", "as a child") while nothing beside it says that it goes on, and words that make something harmless of it ("food poisoning").
"""

from dialog.understanding.pattern import Hit, Text
from dialog.understanding.phrasebook import PhraseBook


def red_flag_in(text: Text, book: PhraseBook) -> Hit | None:
    """Find the first red flag that is neither denied nor over, the longest way it was said."""
    harmless = [range(hit.start, hit.end) for hit in book.harmless.find(text)]
    found = (
        hit
        for hit in book.red_flags.find(text)
        if not any(hit.start < one.stop and one.start < hit.end for one in harmless)
    )
    hits = sorted(found, key=lambda hit: (hit.start, -hit.end))
    if not hits:
        return None
    denied_until = {hit.end for hit in book.denials.find(text)} - set(text.starts)
    over = _over(hits, text, book)
    parts: dict[str, set[str]] = {}
    for hit in hits:
        if any(start <= hit.start and hit.end <= end for start, end in over):
            continue
        if hit.start not in denied_until:
            line, _, part = hit.label.partition(" ")
            parts.setdefault(line, set()).add(part)
            if not part or len(parts[line]) == int(line.partition("/")[2]):
                return hit
            continue
        # "no chest pain or shortness of breath": the denial holds for the next one too.
        denied_until |= _reach(hit.end, text, book)
        denied_until |= {other.start for other in hits if hit.start <= other.start < hit.end}
    return None


def _reach(end: int, text: Text, book: PhraseBook) -> set[int]:
    return {end + 1} if end < len(text.words) and text.words[end] in book.red_flag_lists else set()


# What is over.


def _over(hits: list[Hit], text: Text, book: PhraseBook) -> list[tuple[int, int]]:
    """Give the stretches of flags that are told as history. One word of time puts one of them into the past, the nearest; the others stand."""
    stretches = _stretches(hits)
    history = book.history.find(text)
    if any(hit.label == "ongoing" for hit in history):
        return []
    told = [span for span in stretches if any(hit.label == "before" and hit.end == span[0] for hit in history)]
    never = [hit for hit in history if hit.label == "never"]
    whens = [hit for hit in history if hit.label == "when" and not any(_covers(other, hit) for other in never)]
    for start, end in _stretches(whens):
        span = _nearest(start, end, [each for each in stretches if each not in told], text)
        if span and not _is_of_now(span, text, book):
            told.append(span)
    return [span for span in told if not set(text.words[span[0] : span[1]]) & book.always_flags]


def _covers(one: Hit, other: Hit) -> bool:
    return one.start <= other.start and other.end <= one.end


def _stretches(hits: list[Hit]) -> list[tuple[int, int]]:
    """Join hits that share words."""
    joined: list[tuple[int, int]] = []
    for hit in sorted(hits, key=lambda each: (each.start, each.end)):
        if joined and hit.start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], hit.end)
        else:
            joined.append((hit.start, hit.end))
    return joined


def _nearest(start: int, end: int, stretches: list[tuple[int, int]], text: Text) -> tuple[int, int] | None:
    """Give the flag a word of time belongs to: that before it in the same part of the sentence, else the next."""
    first, last = _part(start, end, text)
    before = [span for span in stretches if first <= span[0] and span[1] <= start]
    after = [span for span in stretches if end <= span[0] and (span[1] <= last or last == end)]
    return before[-1] if before else after[0] if after else None


def _is_of_now(span: tuple[int, int], text: Text, book: PhraseBook) -> bool:
    """Whether it is told in the present tense, whatever time is said beside it."""
    first, last = _part(*span, text)
    told, itself = set(text.words[first : span[0]]), set(text.words[span[0] : span[1]])
    is_past = bool(set(text.words[first:last]) & book.past_verbs)
    return bool(itself & book.present_verbs or (told & book.present_verbs and not is_past))


def _part(start: int, end: int, text: Text) -> tuple[int, int]:
    first = max((at for at in text.starts if at <= start), default=0)
    last = min((at for at in text.stops if at >= end), default=len(text.words))
    return first, last
