"""A clinic's diary for measurements, in neutral terms: made here from a seed, or read from a file of the same form.

`python -m benchmarks.workload OUT.json [PRACTITIONERS] [DAYS] [SEED]` writes one. Times are seconds since the epoch, minutes
are of a local day, weekdays count from Sunday as 0. Some two thirds of each working day are taken by visits that keep their
buffers from each other; one in fifty days is a day off; one in ten people works on Sundays too, when the clocks change.
"""

import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

_FIRST = date(2027, 3, 8)
_ZONE = "America/New_York"
_OPENS, _CLOSES = 9 * 60, 17 * 60
_GRID = 15
_LENGTHS = (15, 30, 30, 45, 60)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Staff:
    id: int
    days: tuple[int, ...]
    start: int
    end: int
    break_: tuple[int, int]


@dataclass(frozen=True)
class Workload:
    """`busy`: who, from, until, without the buffers, which are `pre` before and `post` after. `len`: of what is asked for."""

    tz: str
    first: str
    days: int
    pre: int
    post: int
    len: int
    grid: int
    staff: tuple[Staff, ...]
    off: tuple[tuple[int, str], ...]
    busy: tuple[tuple[int, int, int], ...]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.tz)

    @property
    def first_day(self) -> date:
        return date.fromisoformat(self.first)

    @property
    def end_day(self) -> date:
        return self.first_day + timedelta(days=self.days)

    def cut(self, *, practitioners: int | None, days: int | None) -> "Workload":
        """Return the first of its people and days."""
        shorter = replace(self, days=min(self.days, days or self.days))
        staff = self.staff[:practitioners]
        ids = {one.id for one in staff}
        end = datetime.combine(shorter.end_day, time(), self.zone).timestamp()
        return replace(
            shorter,
            staff=staff,
            off=tuple(one for one in self.off if one[0] in ids and one[1] < shorter.end_day.isoformat()),
            busy=tuple(one for one in self.busy if one[0] in ids and one[1] < end),
        )


def make(*, practitioners: int, days: int, seed: int) -> Workload:
    """Return a workload; the same again for the same seed."""
    chance = random.Random(seed)
    staff = tuple(_somebody(number) for number in range(practitioners))
    off = []
    busy = []
    for one in staff:
        for day in (_FIRST + timedelta(days=number) for number in range(days)):
            if chance.random() < 0.02:
                off.append((one.id, day.isoformat()))
            elif day.isoweekday() % 7 in one.days:
                midnight = datetime.combine(day, time(_OPENS // 60), ZoneInfo(_ZONE)).timestamp() - 60 * _OPENS
                busy += [
                    (one.id, int(midnight) + 60 * start, int(midnight) + 60 * end)
                    for start, end in _visits(one, chance)
                ]
    return Workload(_ZONE, _FIRST.isoformat(), days, 5, 10, 30, _GRID, staff, tuple(off), tuple(sorted(busy)))


def read(path: Path) -> Workload:
    """Return the workload in a file."""
    told = json.loads(path.read_text())
    staff = tuple(
        Staff(one["id"], tuple(one["days"]), one["start"], one["end"], (one["break"][0], one["break"][1]))
        for one in told["staff"]
    )
    fields = {name: told[name] for name in ("tz", "first", "days", "pre", "post", "len", "grid")}
    return Workload(
        **fields,
        staff=staff,
        off=tuple((who, day) for who, day in told["off"]),
        busy=tuple((who, start, end) for who, start, end in told["busy"]),
    )


def write(workload: Workload, path: Path) -> None:
    """Write a workload as `read` reads it."""
    told = asdict(workload)
    for one in told["staff"]:
        one["break"] = one.pop("break_")
    path.write_text(json.dumps(told, separators=(",", ":")))


def _somebody(number: int) -> Staff:
    pause = (12 * 60, 13 * 60) if number % 2 == 0 else (12 * 60 + 30, 13 * 60 + 30)
    return Staff(number, (0, 1, 2, 3, 4, 5) if number % 10 == 0 else (1, 2, 3, 4, 5), _OPENS, _CLOSES, pause)


def _visits(one: Staff, chance: random.Random) -> Sequence[tuple[int, int]]:
    """Fill a day at random until 70 % of it is taken, or there is hardly a gap left."""
    goal = 0.7 * (one.end - one.start - (one.break_[1] - one.break_[0]))
    visits: list[tuple[int, int]] = []
    for start, length in _ideas(chance):
        fits = start + length <= one.end and not (start < one.break_[1] and one.break_[0] < start + length)
        if fits and all(start >= end + _GRID or start + length + _GRID <= begin for begin, end in visits):
            visits.append((start, start + length))
        if sum(end - begin + _GRID for begin, end in visits) >= goal:
            break
    return visits


def _ideas(chance: random.Random) -> Iterator[tuple[int, int]]:
    for _ in range(400):
        yield chance.randrange(_OPENS, _CLOSES, _GRID), chance.choice(_LENGTHS)


def main() -> None:
    """Write a workload to the file named first."""
    path, *rest = sys.argv[1:]
    practitioners, days, seed = (int(one) for one in [*rest, *("50", "90", "1")[len(rest) :]])
    write(make(practitioners=practitioners, days=days, seed=seed), Path(path))


if __name__ == "__main__":
    main()
