"""Red flags: symptoms that lead to the emergency services before anything else.

Errs on the side of alarm: history ("last year") and doubt do not take a red flag back, only a plain denial directly before it does.
"""

from dialog.understanding.pattern import Hit, Text
from dialog.understanding.phrasebook import PhraseBook


def red_flag_in(text: Text, book: PhraseBook) -> Hit | None:
    """Find the first red flag that is not denied, the longest way it was said."""
    hits = sorted(book.red_flags.find(text), key=lambda hit: (hit.start, -hit.end))
    denied_until = {hit.end for hit in book.denials.find(text)} - set(text.starts)
    parts: dict[str, set[str]] = {}
    for hit in hits:
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
