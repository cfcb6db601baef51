"""Spans of whole seconds since the epoch, half-open, and set arithmetic on sorted lists of them.

Availability is computed on these: thousands of them a search, where a value object for each would cost more than the search.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

Span = tuple[int, int]
_NEVER = 2**62


def span_of(starts_at: datetime, ends_at: datetime) -> Span:
    """Return the whole seconds that the time between two instants touches."""
    return math.floor(starts_at.timestamp()), math.ceil(ends_at.timestamp())


@lru_cache(maxsize=2**14)  # searches name the same ones again and again
def instant(second: int) -> datetime:
    """Return the instant `second` seconds after the epoch."""
    return datetime.fromtimestamp(second, UTC)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the same time as sorted spans that neither overlap nor touch."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            if end > result[-1][1]:
                result[-1] = (result[-1][0], end)
        elif start < end:
            result.append((start, end))
    return result


def subtracted(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """Return what is left of `spans` when `holes` are cut out."""
    cut = merged(holes)
    result: list[Span] = []
    first = 0
    for start, end in merged(spans):
        while first < len(cut) and cut[first][1] <= start:
            first += 1
        left = start
        position = first
        while position < len(cut) and cut[position][0] < end:
            if cut[position][0] > left:
                result.append((left, cut[position][0]))
            left = cut[position][1]
            position += 1
        if left < end:
            result.append((left, end))
    return result


def intersected(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """Return the time that lies in both; each is merged, and so is the result."""
    return [
        (max(start, since), min(end, until))
        for start, end in spans
        for since, until in others
        if max(start, since) < min(end, until)
    ]


def covered(groups: Sequence[Sequence[Span]], *, times: int) -> list[Span]:
    """Return the time that lies in at least `times` of `groups`, each of which is merged."""
    edges = sorted((at, step) for group in groups for start, end in group for at, step in ((start, 1), (end, -1)))
    result: list[Span] = []
    depth = 0
    since = 0
    for at, step in edges:
        if step > 0 and depth == times - 1:
            since = at
        elif step < 0 and depth == times and since < at:
            result.append((since, at))
        depth += step
    return merged(result)


def clear_of(moments: Iterable[int], spans: Iterable[Span], *, before: int = 0, after: int = 1) -> Iterator[int]:
    """Yield those of the ascending `moments` whose time, from `before` seconds before to `after` after, meets no span.

    `spans` ascend by their starts and may overlap. One walk over both, and no further than whoever asks goes on: this is
    the innermost loop of every search.
    """
    upcoming = iter(spans)
    opens = closes = -_NEVER
    for moment in moments:
        while moment >= closes:
            start, end = next(upcoming, (_NEVER, _NEVER))
            opens, closes = start - after, end + before
        if moment <= opens:
            yield moment
