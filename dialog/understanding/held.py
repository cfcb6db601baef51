"""Which of the phrases found in an utterance hold, where they overlap, deny each other or take words of time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from dialog.interpreter import Asked
from dialog.understanding.mention import Span
from dialog.understanding.numbers import number_at
from dialog.understanding.pattern import Hit
from dialog.understanding.phrasebook import PhraseBook
from dialog.understanding.scene import Scene, read_times

TASKS = frozenset({"start_booking", "start_reschedule", "start_cancel"})
KEEPS_TIMES = TASKS | {
    "ask_clinic",
    "ask_answer",
    "more_options",
    "ask_availability",
    "correct",
    "ask_appointments",
    "deny",
    "join_waitlist",
}
"""Phrases in which words of time keep their meaning; in others ("see you later", "one second") they are set aside."""
LOOKS_BACK = "ask_appointments past"
"""Asks of visits that were: the "last" of "my last visit" is no wish."""
TAKES_TIMES = frozenset({"nothing", "goodbye", "confirm_visit", "running_late", "greet"})
"""Phrases that take even the times they were said with: "see you Tuesday", "since Monday"."""
IDLE = frozenset(
    {"affirm", "deny", "unsure", "greet", "thank", "goodbye", "more_options", "correct", "nothing", "hold_on", *TASKS}
)
"""Phrases that say nothing about whether a clinic is meant."""
NEGATIVE = frozenset({"deny", "unsure", "correct", "more_options", "stop", "start_cancel", "start_reschedule"})
"""Phrases in which a "not" has said already what it means."""
STEERING = frozenset({"ask_human", "stop", "start_over", "go_back", "repeat", "start_cancel", "help"})
"""What is not taken down when a message is dictated, as long as little else was said."""
LOOKING, SOMEONE, LOOSELY = "start_booking looking", "start_booking someone", "start_booking loosely"
ABOUT_STAFF = "ask_of_staff"
ASKS_WHY = "ask_why"
"""Asks what a name or a date of birth is needed for; elsewhere it asks of something that nobody here knows."""
_OF_A_PERSON = frozenset({Asked.NAME, Asked.SPELL_NAME, Asked.BIRTH_DATE})
OPENING = frozenset({Asked.NOTHING, Asked.WHAT_TO_DO, Asked.ANYTHING_ELSE})


_YES_AND_NO, _HOURS = 2, 12
_TENS = {20, 30}
_DAY = timedelta(days=1)


def settled(scene: Scene) -> list[Hit]:
    """Choose among overlapping phrases: those that explain most words, then the file's order."""
    found = scene.book.intents.find(scene.text)
    listening = scene.listening
    if listening.offered or listening.asked is Asked.CHOICE:
        days = _words_of_days(scene)
        chosen = [hit for hit in scene.book.choose.find(scene.text) if hit.literal.isdisjoint(days)]
        found = [replace(hit, label=f"choose {hit.label}") for hit in chosen] + found
    details = detail_words(scene)
    names = _name_words(scene)
    found = [
        hit
        for hit in found
        if not (
            _is_only_time(hit, details, scene)
            or _is_only_symptom(hit, scene)
            or _is_no_of_its_own(hit, scene)
            or hit.literal <= names
        )
        and (hit.label != ASKS_WHY or listening.asked in _OF_A_PERSON)
    ]
    # "I need a dentist, find me one" is one search; a loose wish alone is one for a visit.
    is_search = any(hit.label in {LOOKING, SOMEONE} for hit in found)
    found = [
        replace(hit, label="start_booking") if hit.label == LOOSELY else hit
        for hit in found
        if not (is_search and hit.label == LOOSELY)
    ]
    order = {label: place for place, label in enumerate(scene.book.intents.labels)}
    kept: list[Hit] = []
    used: set[int] = set(person_words(scene))
    for hit in sorted(found, key=lambda each: (-_weight(each, details), order.get(each.label, -1), each.start)):
        if (
            hit.literal
            and not hit.literal & used
            and not any(hit.start < other.end and other.start < hit.end and other.label == hit.label for other in kept)
        ):
            kept.append(hit)
            used |= hit.literal
    return _searching(sorted((_supported(hit, found) for hit in kept), key=lambda each: each.start))


def _words_of_days(scene: Scene) -> frozenset[int]:
    """Give the ordinals that are part of a longer date and so no place in a list: "twenty second", "November 1st", "first week of May"."""
    words, book = scene.utterance.words, scene.book
    dates = book.date_words - book.small - book.numbers.keys()
    found = {
        at for at in range(1, len(words)) if book.numbers.get(words[at - 1]) in _TENS and _is_unit(words[at], book)
    }
    for time in scene.times.mentions:
        start, end = scene.utterance.words_between(time.start, time.end)
        is_long = any(each.end - each.first > _DAY for each in time.wish.days)
        named = [at for at in range(start, end) if words[at] in dates and words[at] not in book.bare_choice]
        found |= {
            at
            for at in range(start, end)
            if at not in named
            and (is_long or any(each == at - 1 or (each == at + 2 and words[at + 1] in book.small) for each in named))
        }
    return frozenset(found)


def _is_unit(word: str, book: PhraseBook) -> bool:
    """Whether a word is an ordinal below ten, as behind "twenty"."""
    return word in book.bare_choice and word in book.date_words and word not in book.numbers


def _searching(hits: list[Hit]) -> list[Hit]:
    """Take "make me an appointment, find me a dentist" as a search, and "I need a dentist, book me a visit" as a booking."""
    labels = {hit.label for hit in hits}
    if LOOKING in labels:
        hits = [hit for hit in hits if hit.label != "start_booking"]
    elif "start_booking" in labels:
        hits = [hit for hit in hits if hit.label != SOMEONE]
    return [replace(hit, label=LOOKING) if hit.label == SOMEONE else hit for hit in hits]


def _name_words(scene: Scene) -> frozenset[int]:
    """Give the words of people's and places' names, which say nothing else: there is no parking in "Rohnert Park"."""
    return frozenset(at for mention in (*scene.staff, *scene.places) for at in range(mention.start, mention.end))


def of_staff(scene: Scene, hits: list[Hit]) -> tuple[Scene, list[Hit]]:
    """Read "is Dr. Lee married?" as a question about a person rather than a wish to see them, where nothing else is asked or wished."""
    asked = next((hit for hit in hits if hit.label == ABOUT_STAFF), None)
    if asked is None:
        return scene, hits
    others = [hit for hit in hits if hit.label != ABOUT_STAFF]
    end = part_of(asked, scene)[1]
    is_more = any(scene.utterance.words[at] not in scene.book.small for at in range(asked.end, end))
    is_open = is_more or len(asked.literal) > 1
    if not is_open or scene.times.mentions or any(hit.label.partition(" ")[0] not in IDLE - TASKS for hit in others):
        return scene, others
    return replace(scene, staff=(), services=()), [asked, *others]


def with_bare_times(scene: Scene, hits: Sequence[Hit]) -> Scene:
    """Read the 10 of "I meant 10", the 4 of "change the time to 4" and a bare "10" as a time of day, where a time is being agreed on or just was."""
    asked = scene.listening.asked
    changes = any(hit.label in {"correct", "start_reschedule"} for hit in hits)
    changes |= asked is Asked.YES_NO and _is_bare_hour(scene)
    if asked not in {Asked.YES_NO, Asked.ANYTHING_ELSE} or not changes or scene.times.mentions:
        return scene
    return replace(scene, times=read_times(scene, without=scene.set_aside, asked=Asked.WHEN))


def _is_bare_hour(scene: Scene) -> bool:
    """Whether a number is all that was said, and none that stands for yes or no."""
    number = number_at(scene.utterance, 0, scene.book)
    return number is not None and number[1] == len(scene.utterance.tokens) and _YES_AND_NO < number[0] <= _HOURS


def _is_only_time(hit: Hit, details: frozenset[int], scene: Scene) -> bool:
    """Whether "morning" answers when rather than greets: behind other words, or once that is what was asked."""
    if hit.label != "greet" or not hit.literal <= details:
        return False
    return hit.start > 0 or scene.listening.asked not in OPENING


def _is_only_symptom(hit: Hit, scene: Scene) -> bool:
    """Whether what they "have since Monday" is a sore throat rather than a visit."""
    if hit.label != "has_visit" or any("<visit>" in scene.text.found[at] for at in range(hit.start, hit.end)):
        return False
    named = [each for each in scene.services if hit.start <= each.start < hit.end]
    return all(each.is_reason for each in named)


def _is_no_of_its_own(hit: Hit, scene: Scene) -> bool:
    """Whether the "no" of "no, Dr. Carter" answers what was asked, and Dr. Carter is the one they want."""
    utterance = scene.utterance
    is_no = hit.label == "refuse_practitioner" and utterance.words[hit.start] in scene.book.negations
    return is_no and hit.start + 1 in utterance.starts


def _supported(hit: Hit, found: Sequence[Hit]) -> Hit:
    """Add the words of other phrases that say the same of the same stretch: "I need to move" and "move my visit"."""
    others = [other for other in found if other.label == hit.label and other.literal & hit.literal]
    return replace(hit, literal=hit.literal.union(*(other.literal for other in others)))


def negated(hits: list[Hit], scene: Scene) -> list[Hit]:
    """Read a yes behind a "not" in the same part of the sentence as the no it is: "I don't think that's right"."""
    words, starts = scene.utterance.words, scene.utterance.starts
    positive = frozenset[int]().union(*(hit.literal for hit in hits if hit.label == "affirm"))
    negations = [at for at, word in enumerate(words) if word in scene.book.negations and at not in positive]
    kept: list[Hit] = []
    for hit in hits:
        if hit.label.startswith("choose ") and words[max(0, hit.start - 1) : hit.start] == (scene.book.refusal,):
            kept.append(replace(hit, label="deny"))
            continue
        first = max((at for at in starts if at <= hit.start), default=0)
        if hit.label != "affirm" or not any(first <= at < hit.start for at in negations):
            kept.append(hit)
        else:
            negative = {other.label for other in hits if other.label in NEGATIVE and other.start >= first}
            kept.append(replace(hit, label="nothing" if negative - {"deny"} else "deny"))
    return kept


def detail_words(scene: Scene) -> frozenset[int]:
    """Give the words that name people, places, services and times."""
    mentions = (*scene.staff, *scene.places, *scene.services)
    spans = [(mention.start, mention.end) for mention in mentions]
    spans += [scene.utterance.words_between(time.start, time.end) for time in scene.times.mentions]
    return frozenset(at for start, end in spans for at in range(start, end))


def person_words(scene: Scene) -> range:
    """Give the words of the name of whoever speaks."""
    return range(*scene.person.span) if scene.person else range(0)


def _weight(hit: Hit, details: frozenset[int]) -> int:
    return len(hit.literal | (details & set(range(hit.start, hit.end))))


def without_taken_times(scene: Scene, hits: Sequence[Hit]) -> Scene:
    """Read the times again without the words that phrases took ("see you later")."""
    taken = [span for hit in hits for span in taken_times(hit, scene)]
    if not taken:
        return scene
    return replace(scene, times=read_times(scene, without=[*scene.set_aside, *taken]))


def taken_times(hit: Hit, scene: Scene) -> Iterator[Span]:
    """Give the words of time that belong to a phrase."""
    name = hit.label.partition(" ")[0]
    for time in scene.times.mentions:
        start, end = scene.utterance.words_between(time.start, time.end)
        is_kept = name in KEEPS_TIMES and hit.label != LOOKS_BACK
        is_literal = start < end and set(range(start, end)) <= hit.literal and not is_kept
        if is_literal or (name in TAKES_TIMES and hit.start <= start and end <= hit.end):
            yield start, end


def is_steering(scene: Scene, hits: Sequence[Hit]) -> bool:
    """Whether what was said steers the conversation rather than being a message to write down, as "tell her to call me" is."""
    if any(hit.label == "leave_message" for hit in scene.book.intents.find(scene.text)):
        return False
    steering = [hit for hit in hits if hit.label in STEERING]
    return bool(steering) and sum(len(hit.literal) for hit in steering) * 2 >= len(scene.utterance.tokens)


def part_of(hit: Hit, scene: Scene) -> Span:
    """Give the part of the utterance around a phrase."""
    start = max((at for at in scene.utterance.starts if at <= hit.start), default=0)
    end = min((at for at in scene.utterance.stops if at >= hit.end), default=len(scene.utterance.tokens))
    return start, end
