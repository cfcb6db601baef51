"""Which of the options that were offered they chose."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from dialog import commands as say
from dialog.interpreter import Asked
from dialog.timewords import TimeReading, TimeWish, is_search
from dialog.understanding import options
from dialog.understanding.finding import Finding
from dialog.understanding.held import TASKS, detail_words
from dialog.understanding.mention import Span
from dialog.understanding.pattern import Hit
from dialog.understanding.scene import Scene, read_times

ALL = "choose all"
_NO_CHOICE = TASKS | {"correct", "more_options", "ask_availability", "ask_clinic"}
"""Beside these a time or a person is what they ask for or about, rather than one of those offered."""
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


def choice(scene: Scene, hits: Sequence[Hit]) -> list[Finding]:
    """Give the option they chose, if any: by its place in the list, its number, or what is special about it."""
    listening = scene.listening
    if any(hit.label == ALL for hit in hits):
        hit = next(hit for hit in hits if hit.label == ALL)
        return [Finding(say.ChooseAll(), (hit.start, hit.end), hit.literal)]
    chosen = options.by_place(
        [replace(hit, label=hit.label.removeprefix("choose ")) for hit in hits if hit.label.startswith("choose ")],
        listening.offered,
    )
    if (
        chosen is None
        and listening.asked is Asked.CHOICE
        and not any(hit.label.partition(" ")[0] in _NO_CHOICE for hit in hits)
    ):
        chosen = options.bare(scene.utterance, listening.offered, scene.book) or _by_details(scene) or _earliest(scene)
    if chosen is None:
        return []
    index, span = chosen
    return [Finding(say.Choose(index), span, frozenset(range(*span)))]


def _by_details(scene: Scene) -> tuple[int, Span] | None:
    if _asks_what_there_is(scene):
        return None
    offered = scene.listening.offered
    index = options.by_details(scene.times, (*scene.staff, *scene.places), offered)
    if index is None and (times := any_such_weekday(scene, (0, len(scene.utterance.tokens)))):
        index = options.by_details(times, (*scene.staff, *scene.places), offered)
    if index is None:
        index = options.by_words(scene.utterance, offered, scene.book)
    words = sorted(detail_words(scene)) or list(range(len(scene.utterance.tokens)))
    return (index, (words[0], words[-1] + 1)) if index is not None and words else None


def _earliest(scene: Scene) -> tuple[int, Span] | None:
    """Take "the earliest you have" and "as soon as possible", and nothing else said of when, for the earliest of the times offered."""
    offered = scene.listening.offered
    starts = [(option.starts, place) for place, option in enumerate(offered) if option.starts]
    if scene.times.wish != TimeWish(order="earliest") or not starts:
        return None
    return min(starts)[1], (0, len(scene.utterance.tokens))


def _asks_what_there_is(scene: Scene) -> bool:
    """Whether a part of the day, or more than a day, is what they ask for rather than one of the times offered: "what about the afternoon?"."""
    wish = scene.times.wish
    if wish is None or not is_search(wish):
        return False
    end = len(scene.utterance.words)
    points_at_one = any(
        last < end and scene.utterance.words[last] in scene.book.visit_pronouns
        for _, last in (scene.utterance.words_between(time.start, time.end) for time in scene.times.mentions)
    )
    return not points_at_one and any(cue.label == "search_cues" for cue in scene.cues)


def any_such_weekday(scene: Scene, within: Span) -> TimeReading | None:
    """Read "Thursday" as any Thursday: among the times offered, and of the visits they have, it is the one of those, whatever week it is in.

    A weekday is what names the same day tomorrow as today, and one a week later in a week; "tomorrow" and "the 18th" do not.
    """
    times = read_times(scene, without=scene.set_aside, within=within)
    wish = times.wish
    if wish is None or len(wish.days) != 1 or wish.days[0].end - wish.days[0].first != _DAY:
        return None
    first = wish.days[0].first
    later = [
        read_times(scene, without=scene.set_aside, within=within, at=scene.listening.now + ahead).wish
        for ahead in (_DAY, _WEEK)
    ]
    tomorrow, in_a_week = (each.days[0].first if each and each.days else None for each in later)
    if tomorrow not in {first, first + _WEEK} or in_a_week != first + _WEEK:
        return None
    return replace(times, wish=replace(wish, days=(), weekdays=frozenset({first.weekday()})))
