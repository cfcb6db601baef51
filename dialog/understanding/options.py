"""Which of the options that were offered somebody means: by place in the list, by time, by person, by place or by words."""

from collections.abc import Sequence

from rapidfuzz import fuzz

from dialog.interpreter import Option
from dialog.timewords import TimeReading, TimeWish, allows
from dialog.understanding.mention import Mention, Span
from dialog.understanding.pattern import Hit
from dialog.understanding.phrasebook import PhraseBook
from dialog.understanding.words import Utterance

ALIKE_WORDS = 85


def by_place(hits: Sequence[Hit], offered: Sequence[Option]) -> tuple[int, Span] | None:
    """Read "the second one", "the later one" from what was found of them. Places beyond the list are no choice."""
    for hit in sorted(hits, key=lambda each: each.start - each.end):
        index = _index(hit.label, offered)
        if index is not None:
            return index, (hit.start, hit.end)
    return None


def _index(label: str, offered: Sequence[Option]) -> int | None:
    if label in {"earlier", "later"}:
        starts = [(option.starts, place) for place, option in enumerate(offered) if option.starts]
        if not starts:
            return None
        return (min(starts) if label == "earlier" else max(starts))[1]
    place = int(label)
    return place if place < max(len(offered), 1) else None


def bare(utterance: Utterance, offered: Sequence[Option], book: PhraseBook) -> tuple[int, Span] | None:
    """Read an utterance that is little more than the number of an option: "2", "number two please". Only after "which one?"."""
    places = [at for at, word in enumerate(utterance.words) if word in book.bare_choice]
    # "to" and "for" sound like numbers, but are one only where no other word is.
    sure = [at for at in places if utterance.words[at] not in book.around_choice]
    at = (sure or places)[:1]
    if at and at[0] and utterance.words[at[0] - 1] in book.hour_leads:
        return None  # "at 2" is a time of day, whether it was offered or not
    rest = [word for place, word in enumerate(utterance.words) if place not in at and word not in book.around_choice]
    if not at or rest or (not sure and len(utterance.words) > 1) or len(sure) > 1:
        return None
    index = book.bare_choice[utterance.words[at[0]]]
    return (index, (at[0], at[0] + 1)) if index < max(len(offered), 1) else None


def by_details(reading: TimeReading, mentions: Sequence[Mention], offered: Sequence[Option]) -> int | None:
    """Find the one option that the time, person and place they named fit; None when none or several do, or when a time was refused."""
    wish = None if reading.wish is None or _only_refuses(reading.wish) else reading.wish
    if reading.unresolved or (wish is None and not mentions):
        return None
    keys = {key for mention in mentions for key in mention.keys}
    fitting = [
        place
        for place, option in enumerate(offered)
        if (wish is None or _fits(wish, option)) and (not mentions or keys & _keys(option))
    ]
    return _only(fitting)


def _keys(option: Option) -> set[str | None]:
    return {option.practitioner_key, option.location_key}


def _only_refuses(wish: TimeWish) -> bool:
    return not (wish.days or wish.weekdays or wish.clocks or wish.at_minute is not None)


def _fits(wish: TimeWish, option: Option) -> bool:
    # "Thursday at the same time": which time that is says no option by itself.
    return option.starts is not None and wish.relative is None and allows(wish, start=option.starts)


def by_words(utterance: Utterance, offered: Sequence[Option], book: PhraseBook) -> int | None:
    """Find the one option whose words were said, for options that are no times."""
    said = " ".join(word for word in utterance.words if word not in book.small)
    if not said or any(option.starts for option in offered):
        return None
    scores = [_likeness(said, option.text) for option in offered]
    best = max(scores, default=0.0)
    return _only([place for place, score in enumerate(scores) if score == best]) if best >= ALIKE_WORDS else None


def _likeness(said: str, text: str) -> float:
    return (
        float(
            max(
                fuzz.token_set_ratio(said, text.lower()),
                fuzz.partial_ratio(said, text.lower()) if len(said) > 3 else 0.0,
            )
        )
        if text
        else 0.0
    )


def _only(places: Sequence[int]) -> int | None:
    return places[0] if len(places) == 1 else None
