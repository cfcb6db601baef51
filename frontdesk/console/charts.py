"""The geometry of charts that templates draw. Pure; lengths are in the units of the drawing, whose width is 720."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720.0, 110.0
SHADES = 5
_GAP = 0.25  # of the room of one bar


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    label: str
    value: float


@dataclass(frozen=True)
class Columns:
    """Upright bars beside each other. `top`: the value at the upper edge."""

    bars: tuple[Bar, ...]
    top: int


def columns(values: Sequence[tuple[str, int]]) -> Columns:
    """Lay out a bar for each (label, value)."""
    top = _round_up(max((value for _, value in values), default=0))
    room = WIDTH / max(len(values), 1)
    bars = []
    for number, (label, value) in enumerate(values):
        height = HEIGHT * value / top
        bars.append(
            Bar(_r(room * (number + _GAP / 2)), _r(HEIGHT - height), _r(room * (1 - _GAP)), _r(height), label, value)
        )
    return Columns(tuple(bars), top)


def shade(value: int, *, most: int) -> int:
    """Return how dark a field of a heat map is: 0 for none, up to SHADES for the most."""
    return -(-SHADES * value // most) if value else 0


def _round_up(value: int) -> int:
    """Return the next number that reads well at an axis."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if value <= factor * step:
                return factor * step
        step *= 10


def _r(length: float) -> float:
    return round(length, 2)
