"""Many conversations as a few figures. pass^k as tau-bench has it: the chance that k tries at the same goal all succeed."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from math import comb
from typing import Any

from benchmarks.patients.playing import Played

_CLEAR = {"known"}


def of(played: Sequence[Played], *, runs: int, word_error_rate: float | None) -> dict[str, Any]:
    """Return the figures, and each conversation that failed with its transcript."""
    tries = _by_goal(played)
    turns = sum(one.turns for one in played)
    to_book = [one.booked_at_turn for one in played if one.goal.family in _CLEAR and one.booked_at_turn]
    spoken = [one.speech_s for one in played if one.goal.family in _CLEAR and one.booked_at_turn]
    unsupported = sum(len(one.unsupported) for one in played)
    return {
        "goals": len(tries),
        "conversations": len(played),
        "pass1": _passed(tries, 1),
        "pass4": None,  # of fewer tries nobody can tell
        f"pass{runs}": _passed(tries, runs),
        "unsupported_per_1000": round(1000 * unsupported / turns, 2) if turns else 0.0,
        "turns_median": statistics.median(to_book) if to_book else None,
        "speech_s_median": round(statistics.median(spoken), 1) if spoken else None,
        "handed_over": round(sum(one.is_handed_over for one in played) / len(played), 4) if played else 0.0,
        "word_error_rate": None if word_error_rate is None else round(word_error_rate, 4),
        "failures": [
            {"goal": one.goal.id, "seed": one.run, "why": one.why, "transcript": one.transcript}
            for one in played
            if not one.passed
        ],
    }


def pass_hat(*, tries: int, successes: int, k: int) -> float:
    """Return the chance that `k` of `tries` drawn without putting back are all successes."""
    return comb(successes, k) / comb(tries, k) if tries >= k else 0.0


def table(found: dict[str, Any], played: Sequence[Played], *, took_s: float) -> str:
    """Return the figures for people: one line a family, and the whole."""
    runs = max((len(each) for each in _by_goal(played).values()), default=1)
    families: dict[str, list[Played]] = defaultdict(list)
    for one in played:
        families[one.goal.family].append(one)
    lines = [f"{'family':18} {'goals':>5} {'pass^1':>7} {f'pass^{runs}':>7} {'turns':>6}"]
    for family, some in sorted(families.items()):
        tries = _by_goal(some)
        turns = statistics.median(one.turns for one in some)
        lines.append(f"{family:18} {len(tries):5} {_passed(tries, 1):7.3f} {_passed(tries, runs):7.3f} {turns:6.1f}")
    lines += [f"{key}: {value}" for key, value in found.items() if key != "failures" and value is not None]
    return "\n".join([*lines, f"took {took_s:.0f} s"])


def transcript(one: Played) -> str:
    """Return a conversation for reading, with what is wrong with it."""
    lines = [
        f"== {one.goal.id} seed {one.run} ({one.goal.clinic}, {one.goal.now:%a %d %b %H:%M})",
        *(f"!! {why}" for why in one.why),
    ]
    lines += [
        f"   wants {errand.wish or errand.visit or errand.topic or errand.kind.value}" for errand in one.goal.errands
    ]
    for turn in one.transcript:
        heard = f"   [heard: {turn['heard']}]" if "heard" in turn else ""
        lines += [f"P: {turn['said']}{heard}", f"   <{turn.get('understood', '')}>", f"A: {turn['reply']}"]
    return "\n".join(lines)


def _by_goal(played: Sequence[Played]) -> dict[str, list[Played]]:
    found: dict[str, list[Played]] = defaultdict(list)
    for one in played:
        found[one.goal.id].append(one)
    return found


def _passed(tries: dict[str, list[Played]], k: int) -> float:
    if not tries:
        return 0.0
    each = [pass_hat(tries=len(some), successes=sum(one.passed for one in some), k=k) for some in tries.values()]
    return round(statistics.fmean(each), 4)
