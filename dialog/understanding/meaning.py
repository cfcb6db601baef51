"""From what was found in an utterance to commands, in the order in which they were said."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from dialog import commands as say
from dialog.commands import Command, Relation, Topic
from dialog.interpreter import Asked, Interpretation
from dialog.timewords import TimeReading, TimeWish
from dialog.understanding import moves, options, people
from dialog.understanding.mention import Mention, Span
from dialog.understanding.numbers import number_at
from dialog.understanding.pattern import Hit
from dialog.understanding.scene import Scene, read_times

TASKS = frozenset({"start_booking", "start_reschedule", "start_cancel"})
KEEPS_TIMES = TASKS | {
    "ask_clinic",
    "more_options",
    "ask_availability",
    "correct",
    "ask_appointments",
    "deny",
    "join_waitlist",
}
"""Phrases in which words of time keep their meaning; in others ("see you later", "one second") they are set aside."""
TAKES_TIMES = frozenset({"nothing", "goodbye", "confirm_visit", "running_late", "greet"})
"""Phrases that take even the times they were said with: "see you Tuesday", "since Monday"."""
IDLE = frozenset(
    {"affirm", "deny", "unsure", "greet", "thank", "goodbye", "more_options", "correct", "nothing", *TASKS}
)
"""Phrases that say nothing about whether a clinic is meant."""
QUESTIONS = frozenset({"ask_clinic", "ask_availability", "ask_appointments", "help", "repeat", "confirm_visit"})
"""Phrases that are also put to others: "how long does it take" says little about a clinic beside words that are none of its."""
NEGATIVE = frozenset({"deny", "unsure", "correct", "more_options", "stop", "start_cancel", "start_reschedule"})
"""Phrases in which a "not" has said already what it means."""
STEERING = frozenset({"ask_human", "stop", "start_over", "go_back", "repeat", "start_cancel", "help"})
"""What is not taken down when a message is dictated, as long as little else was said."""
ABOUT_STAFF = "ask_of_staff"
OPENING = frozenset({Asked.NOTHING, Asked.WHAT_TO_DO, Asked.ANYTHING_ELSE})
DETAILS = (
    say.GiveService,
    say.GivePractitioner,
    say.GiveTime,
    say.BookFor,
    say.WishPractitioner,
    say.AnyPractitioner,
    say.SamePractitioner,
    say.RefusePractitioner,
    say.GiveLocation,
)
WANTS = (
    say.StartBooking,
    say.StartReschedule,
    say.StartCancel,
    say.AskAppointments,
    say.AskAvailability,
    say.AskClinic,
    say.RunningLate,
    say.ConfirmVisit,
)
ASKING = (
    say.StartBooking,
    say.StartReschedule,
    say.StartCancel,
    say.AskAppointments,
    say.AskAvailability,
    say.AskClinic,
    say.JoinWaitlist,
    say.RunningLate,
    say.ConfirmVisit,
    say.AskHuman,
    say.LeaveMessage,
    say.OutOfScope,
    say.Stop,
    say.Goodbye,
    say.Choose,
    say.Affirm,
    say.Deny,
    say.Correct,
)


_SAYS_LITTLE = (say.Greet, say.Thank, say.GiveService, say.AnyPractitioner, say.BookFor, say.Affirm)
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Finding:
    """A command and the words it came from."""

    command: Command
    span: Span
    words: frozenset[int]


def interpret(scene: Scene) -> Interpretation:
    """Put what was found together."""
    hits = _negated(moves.as_moves(_settled(scene), scene), scene)
    scene, hits = _of_staff(scene, hits)
    scene = _without_taken_times(_with_bare_times(scene, hits), hits)
    if scene.listening.asked is Asked.MESSAGE and not _is_steering(scene, hits):
        return Interpretation((say.LeaveMessage(scene.utterance.text.strip()),), scene.book.language, 1.0)
    findings = _choice(scene, hits) or [*_of_times(scene, hits), *_of_mentions(scene, hits)]
    findings += [finding for hit in hits if (finding := _of_hit(hit, scene))]
    findings += [*_of_people(scene), *_of_relations(scene)]
    findings = _in_context(sorted(findings, key=lambda each: each.span), scene)
    return _scored(findings, hits, scene)


# Which phrases hold.


def _settled(scene: Scene) -> list[Hit]:
    """Choose among overlapping phrases: those that explain most words, then the file's order."""
    found = scene.book.intents.find(scene.text)
    listening = scene.listening
    if listening.offered or listening.asked is Asked.CHOICE:
        found = [replace(hit, label=f"choose {hit.label}") for hit in scene.book.choose.find(scene.text)] + found
    details = _detail_words(scene)
    found = [hit for hit in found if not (_is_only_time(hit, details, scene) or _is_only_symptom(hit, scene))]
    order = {label: place for place, label in enumerate(scene.book.intents.labels)}
    kept: list[Hit] = []
    used: set[int] = set(_person_words(scene))
    for hit in sorted(found, key=lambda each: (-_weight(each, details), order.get(each.label, -1), each.start)):
        if (
            hit.literal
            and not hit.literal & used
            and not any(hit.start < other.end and other.start < hit.end and other.label == hit.label for other in kept)
        ):
            kept.append(hit)
            used |= hit.literal
    return sorted((_supported(hit, found) for hit in kept), key=lambda each: each.start)


def _of_staff(scene: Scene, hits: list[Hit]) -> tuple[Scene, list[Hit]]:
    """Read "is Dr. Lee married?" as a question about a person rather than a wish to see them, where nothing else is asked or wished."""
    asked = next((hit for hit in hits if hit.label == ABOUT_STAFF), None)
    if asked is None:
        return scene, hits
    others = [hit for hit in hits if hit.label != ABOUT_STAFF]
    end = _part(asked, scene)[1]
    is_more = any(scene.utterance.words[at] not in scene.book.small for at in range(asked.end, end))
    is_open = is_more or len(asked.literal) > 1
    if not is_open or scene.times.mentions or any(hit.label.partition(" ")[0] not in IDLE - TASKS for hit in others):
        return scene, others
    return replace(scene, staff=(), services=()), [asked, *others]


def _with_bare_times(scene: Scene, hits: Sequence[Hit]) -> Scene:
    """Read the 10 of "I meant 10" and the 4 of "change the time to 4" as a time of day, where a time is what is being agreed on."""
    changes = any(hit.label in {"correct", "start_reschedule"} for hit in hits)
    if scene.listening.asked is not Asked.YES_NO or not changes or scene.times.mentions:
        return scene
    return replace(scene, times=read_times(scene, without=scene.set_aside, asked=Asked.WHEN))


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


def _supported(hit: Hit, found: Sequence[Hit]) -> Hit:
    """Add the words of other phrases that say the same of the same stretch: "I need to move" and "move my visit"."""
    others = [other for other in found if other.label == hit.label and other.literal & hit.literal]
    return replace(hit, literal=hit.literal.union(*(other.literal for other in others)))


def _negated(hits: list[Hit], scene: Scene) -> list[Hit]:
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


def _detail_words(scene: Scene) -> frozenset[int]:
    mentions = (*scene.staff, *scene.places, *scene.services)
    spans = [(mention.start, mention.end) for mention in mentions]
    spans += [scene.utterance.words_between(time.start, time.end) for time in scene.times.mentions]
    return frozenset(at for start, end in spans for at in range(start, end))


def _person_words(scene: Scene) -> range:
    return range(*scene.person.span) if scene.person else range(0)


def _weight(hit: Hit, details: frozenset[int]) -> int:
    return len(hit.literal | (details & set(range(hit.start, hit.end))))


def _without_taken_times(scene: Scene, hits: Sequence[Hit]) -> Scene:
    taken = [span for hit in hits for span in _taken_times(hit, scene)]
    if not taken:
        return scene
    return replace(scene, times=read_times(scene, without=[*scene.set_aside, *taken]))


def _taken_times(hit: Hit, scene: Scene) -> Iterator[Span]:
    name = hit.label.partition(" ")[0]
    for time in scene.times.mentions:
        start, end = scene.utterance.words_between(time.start, time.end)
        is_literal = start < end and set(range(start, end)) <= hit.literal and name not in KEEPS_TIMES
        if is_literal or (name in TAKES_TIMES and hit.start <= start and end <= hit.end):
            yield start, end


def _is_steering(scene: Scene, hits: Sequence[Hit]) -> bool:
    steering = [hit for hit in hits if hit.label in STEERING]
    return bool(steering) and sum(len(hit.literal) for hit in steering) * 2 >= len(scene.utterance.tokens)


# What they chose.


def _choice(scene: Scene, hits: Sequence[Hit]) -> list[Finding]:
    listening = scene.listening
    chosen = options.by_place(
        [replace(hit, label=hit.label.removeprefix("choose ")) for hit in hits if hit.label.startswith("choose ")],
        listening.offered,
    )
    if (
        chosen is None
        and listening.asked is Asked.CHOICE
        and not any(hit.label in TASKS | {"correct", "more_options"} for hit in hits)
    ):
        chosen = options.bare(scene.utterance, listening.offered, scene.book) or _by_details(scene)
    if chosen is None:
        return []
    index, span = chosen
    return [Finding(say.Choose(index), span, frozenset(range(*span)))]


def _by_details(scene: Scene) -> tuple[int, Span] | None:
    offered = scene.listening.offered
    index = options.by_details(scene.times, (*scene.staff, *scene.places), offered)
    if index is None and (times := _any_such_weekday(scene, (0, len(scene.utterance.tokens)))):
        index = options.by_details(times, (*scene.staff, *scene.places), offered)
    if index is None:
        index = options.by_words(scene.utterance, offered, scene.book)
    words = sorted(_detail_words(scene)) or list(range(len(scene.utterance.tokens)))
    return (index, (words[0], words[-1] + 1)) if index is not None and words else None


def _any_such_weekday(scene: Scene, within: Span) -> TimeReading | None:
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


# When, what, who, where.


def _of_times(scene: Scene, hits: Sequence[Hit]) -> Iterator[Finding]:
    tasks = [hit for hit in hits if hit.label.partition(" ")[0] in TASKS]
    taken = [*scene.set_aside, *(span for hit in hits for span in _taken_times(hit, scene)), *_cancelling_words(hits)]
    for span in moves.times_of_visit(hits, scene):
        reading = _any_such_weekday(scene, span) or read_times(scene, without=scene.set_aside, within=span)
        wish = reading.wish or TimeWish()
        yield Finding(say.GiveTime(wish, scene.utterance.said(*span), of_visit=True), span, frozenset(range(*span)))
        taken.append(span)
    if len({hit.label for hit in tasks}) < 2:
        times = read_times(scene, without=taken) if len(taken) > len(scene.set_aside) else scene.times
        yield from _time_finding(times, scene, (0, len(scene.utterance.tokens)))
        return
    # "Cancel Tuesday and book me next week": each part has its own times.
    borders = [0, *(hit.start for hit in tasks[1:]), len(scene.utterance.tokens)]
    for part in pairwise(borders):
        if part[0] < part[1]:
            yield from _time_finding(read_times(scene, without=taken, within=part), scene, part)


def _cancelling_words(hits: Sequence[Hit]) -> Iterator[Span]:
    """Give the words of "I can't make it" one by one: their "not" refuses the visit, not the day it is on."""
    for hit in hits:
        if hit.label.startswith("start_cancel"):
            yield from ((at, at + 1) for at in sorted(hit.literal))


def _time_finding(reading: TimeReading, scene: Scene, part: Span) -> Iterator[Finding]:
    if reading.wish is None and not reading.unresolved and not reading.past:
        return
    offset = scene.utterance.tokens[part[0]].start if part[0] < len(scene.utterance.tokens) else 0
    spans = [scene.utterance.words_between(time.start + offset, time.end + offset) for time in reading.mentions]
    words = frozenset(at for start, end in spans for at in range(start, end))
    start, end = (min(words), max(words) + 1) if words else part
    wish = reading.wish or TimeWish()
    yield Finding(
        say.GiveTime(wish, scene.utterance.said(start, end), reading.unresolved, past=reading.past), (start, end), words
    )


def _of_mentions(scene: Scene, hits: Sequence[Hit]) -> Iterator[Finding]:
    refused = [hit for hit in hits if hit.label == "refuse_practitioner"]
    for mention in scene.staff:
        span, words = (mention.start, mention.end), frozenset(range(mention.start, mention.end))
        is_refused = any(hit.start <= mention.start and mention.end <= hit.end for hit in refused)
        if not is_refused:
            yield Finding(say.GivePractitioner(mention.keys, mention.text), span, words)
        elif mention.keys:
            yield Finding(say.RefusePractitioner(mention.keys), span, words)
    for make, mentions in ((say.GiveService, _services(scene, hits)), (say.GiveLocation, scene.places)):
        for mention in mentions:
            yield Finding(
                make(mention.keys, mention.text),
                (mention.start, mention.end),
                frozenset(range(mention.start, mention.end)),
            )


def _services(scene: Scene, hits: Sequence[Hit]) -> Sequence[Mention]:
    """Give the services, as one of which they may want any; of two tasks ("cancel my physio and book me a blood test") each has its own."""
    tasks = [hit for hit in hits if hit.label.partition(" ")[0] in TASKS]
    if not scene.services:
        return ()
    if len({hit.label for hit in tasks}) < 2:
        return tuple(_joined(each, scene) for each in _wanted_apart(scene))
    end = len(scene.utterance.tokens)
    taken = [(mention.start, mention.end) for mention in (*scene.staff, *scene.places)]
    taken += [each.span for each in (scene.phone, scene.birth, scene.person) if each]
    found: list[Mention] = []
    for first, last in pairwise([0, *(hit.start for hit in tasks[1:]), end]):
        outside = [(0, first), (last, end)]
        own = scene.names.find_services(scene.utterance, scene.cues, taken=[*taken, *outside], is_asked=False)
        found += [_joined(own, scene)] if own else []
    return found


def _wanted_apart(scene: Scene) -> list[list[Mention]]:
    """Part "a cleaning and a check-up", which are two visits, from "a cold or a flu" and "a cough and a fever", which are ways to say one."""
    groups: list[list[Mention]] = []
    for mention in sorted(scene.services, key=lambda each: each.start):
        before = groups[-1][-1] if groups else None
        if before is None or (
            not set(before.keys) & set(mention.keys)
            and not (before.is_reason and mention.is_reason)
            and scene.names.services.are_joined(
                scene.utterance, (before.start, before.end), (mention.start, mention.end)
            )
        ):
            groups.append([mention])
        else:
            groups[-1].append(mention)
    return groups


def _joined(mentions: Sequence[Mention], scene: Scene) -> Mention:
    start, end = min(each.start for each in mentions), max(each.end for each in mentions)
    keys = tuple(dict.fromkeys(key for each in mentions for key in each.keys))
    return Mention(start, end, keys, scene.utterance.said(start, end))


def _of_people(scene: Scene) -> Iterator[Finding]:
    if scene.person:
        yield Finding(
            say.GiveName(scene.person.value, scene.person.spelled), scene.person.span, frozenset(_person_words(scene))
        )
    if scene.birth:
        yield Finding(say.GiveBirthDate(scene.birth.value), scene.birth.span, frozenset(range(*scene.birth.span)))
    if scene.phone:
        yield Finding(say.GivePhone(scene.phone.value), scene.phone.span, frozenset(range(*scene.phone.span)))


def _of_relations(scene: Scene) -> Iterator[Finding]:
    cues = _without_reports(scene.cues)
    both = [hit for hit in cues if hit.label == "book_for_both"]
    if both:
        yield from _of_two(max(both, key=lambda hit: hit.end - hit.start), scene)
        return
    kinds = tuple(f"book_for {relation}" for relation in _PEOPLE.values())
    found = sorted((hit for hit in cues if hit.label in {*kinds, "book_for_self"}), key=lambda hit: hit.start - hit.end)
    if not found:
        return
    hit = found[0]
    if hit.label == "book_for_self":
        if scene.listening.asked is Asked.FOR_WHOM:
            yield Finding(say.BookFor(Relation.SELF), (hit.start, hit.end), hit.literal)
        return
    person = _named_after(scene, max(each.end for each in found))
    words = hit.literal | (frozenset(range(*person.span)) if person else frozenset())
    yield Finding(
        say.BookFor(Relation(hit.label.partition(" ")[2]), person.value if person else None),
        (hit.start, hit.end),
        words,
    )


_PEOPLE = {
    "<child>": Relation.CHILD,
    "<parent>": Relation.PARENT,
    "<partner>": Relation.PARTNER,
    "<other_person>": Relation.OTHER,
}


def _without_reports(cues: Sequence[Hit]) -> list[Hit]:
    """Leave out those who only say something: "my wife thinks I should come"."""
    reports = [hit for hit in cues if hit.label == "book_for_not"]
    return [
        cue
        for cue in cues
        if not any(cue.start <= hit.start < cue.end or hit.start <= cue.start < hit.end for hit in reports)
    ]


def _of_two(hit: Hit, scene: Scene) -> Iterator[Finding]:
    """Read "for me and my husband": both, and themselves last, since that is whose visit is dealt with first."""
    named = [name for at in range(hit.start, hit.end) for name in _PEOPLE if name in scene.text.found[at]]
    other = _PEOPLE[named[0]] if named else Relation.OTHER
    person = _named_after(scene, hit.end)
    words = hit.literal | (frozenset(range(*person.span)) if person else frozenset())
    yield Finding(say.BookFor(other, person.value if person else None), (hit.start, hit.end), words)
    yield Finding(say.BookFor(Relation.SELF), (hit.start, hit.end + 1), hit.literal)


def _named_after(scene: Scene, end: int) -> people.PersonName | None:
    """Read the name that follows the relation: "my son Tom"."""
    relation_ends = [end]
    for start in range(max(0, end - 3), end):
        relation_ends += [each for name in _PEOPLE for each in scene.text.found[start].get(name, ())]
    for each in sorted(set(relation_ends)):
        if each < len(scene.utterance.tokens) and (
            name := people.name_at(scene.utterance, each, scene.book, is_expected=False)
        ):
            return name
    return None


# Phrases.


def _of_hit(hit: Hit, scene: Scene) -> Finding | None:
    name, _, value = hit.label.partition(" ")
    make = _MAKERS.get(name)
    command = make(value, hit, scene) if make else None
    if command is None:
        return None
    # A question and a message go on as they were said, so all of their part counts as understood.
    words = (
        frozenset(range(*_part(hit, scene))) if isinstance(command, say.AskClinic | say.LeaveMessage) else hit.literal
    )
    return Finding(command, (hit.start, hit.end), words)


Maker = Callable[[str, Hit, Scene], Command | None]


def _language_wished(value: str, hit: Hit, scene: Scene) -> Command | None:
    if value.startswith("gender="):
        return say.WishPractitioner(gender=value.removeprefix("gender="))
    spoken = [
        scene.book.languages[word]
        for word in scene.utterance.words[hit.start : hit.end]
        if word in scene.book.languages
    ]
    return say.WishPractitioner(language=spoken[0]) if spoken else None


def _late(_value: str, hit: Hit, scene: Scene) -> Command:
    found = (number_at(scene.utterance, at, scene.book) for at in range(hit.start, hit.end))
    return say.RunningLate(next((number[0] for number in found if number), None))


def _about_it(_value: str, _hit: Hit, scene: Scene) -> Command:
    """Read "who is it with?": of what was just offered or read out, else of the visit they have."""
    is_open = scene.listening.asked in {Asked.YES_NO, Asked.CHOICE}
    return say.Repeat() if is_open else say.AskAppointments()


def _question(value: str, hit: Hit, scene: Scene) -> Command:
    return say.AskClinic(Topic(value), scene.utterance.said(*_part(hit, scene)))


def _part(hit: Hit, scene: Scene) -> Span:
    """Give the part of the utterance around a phrase."""
    start = max((at for at in scene.utterance.starts if at <= hit.start), default=0)
    end = min((at for at in scene.utterance.stops if at >= hit.end), default=len(scene.utterance.tokens))
    return start, end


def _simple(command: Command) -> Maker:
    return lambda _value, _hit, _scene: command


_MAKERS: dict[str, Maker] = {
    "start_booking": _simple(say.StartBooking()),
    "start_reschedule": _simple(say.StartReschedule()),
    "start_cancel": lambda value, _hit, _scene: say.StartCancel(only_unable=value == "unable"),
    "confirm_visit": _simple(say.ConfirmVisit()),
    "ask_appointments": lambda value, _hit, _scene: say.AskAppointments(past=value == "past"),
    "ask_about_it": _about_it,
    "has_visit": _simple(say.AskAppointments()),
    "ask_availability": _simple(say.AskAvailability()),
    "join_waitlist": _simple(say.JoinWaitlist()),
    "running_late": _late,
    "ask_clinic": _question,
    ABOUT_STAFF: lambda _value, hit, scene: _question(Topic.OTHER, hit, scene),
    "ask_human": _simple(say.AskHuman()),
    "leave_message": lambda _value, _hit, scene: say.LeaveMessage(scene.utterance.text.strip()),
    "any_practitioner": _simple(say.AnyPractitioner()),
    "same_practitioner": _simple(say.SamePractitioner()),
    "wish_practitioner": _language_wished,
    "new_patient": lambda value, _hit, _scene: say.NewPatient(is_new=value == "yes"),
    "affirm": _simple(say.Affirm()),
    "deny": _simple(say.Deny()),
    "unsure": _simple(say.Unsure()),
    "more_options": _simple(say.MoreOptions()),
    "correct": _simple(say.Correct()),
    "repeat": _simple(say.Repeat()),
    "start_over": _simple(say.StartOver()),
    "go_back": _simple(say.GoBack()),
    "stop": _simple(say.Stop()),
    "greet": _simple(say.Greet()),
    "thank": _simple(say.Thank()),
    "goodbye": _simple(say.Goodbye()),
    "help": _simple(say.Help()),
    "ask_if_bot": _simple(say.AskIfBot()),
    "switch_language": lambda value, _hit, _scene: say.SwitchLanguage(value),
    "out_of_scope": lambda value, _hit, _scene: say.OutOfScope(value),
}


# What the situation makes of it.


def _in_context(findings: list[Finding], scene: Scene) -> list[Finding]:
    findings = _as_other_question(_once(findings), scene)
    if _is_foreign(findings, scene):
        rejected = Finding(say.OutOfScope("other"), (0, len(scene.utterance.tokens)), _foreign_words(scene))
        return [rejected, *_of_kind(findings, say.Greet, say.Thank)]
    if _has(findings, say.Choose):
        findings = _without(findings, say.Affirm, say.MoreOptions, say.StartBooking, say.Correct)
    if _has(findings, say.StartBooking):
        findings = _without(findings, say.AskAvailability)
    if _has(findings, say.StartCancel, say.StartReschedule):
        findings = _without(findings, say.RunningLate)
    if scene.listening.asked in OPENING:
        return _at_opening(findings, scene)
    return _as_answer(findings, scene)


def _as_other_question(findings: list[Finding], scene: Scene) -> list[Finding]:
    """Read "do you have a fish tank?" as a question that somebody can answer, though it is about nothing that is known here."""
    cue = next((hit for hit in scene.cues if hit.label == "question_cues"), None)
    if cue is None or _foreign_words(scene) or any(not isinstance(each.command, _SAYS_LITTLE) for each in findings):
        return findings
    used = frozenset(range(cue.start, cue.end)).union(*(each.words for each in findings))
    left = [
        at
        for at, word in enumerate(scene.utterance.words)
        if at >= cue.end and at not in used and word not in scene.book.small
    ]
    if not left:
        return findings
    start, end = _part(cue, scene)
    question = say.AskClinic(Topic.OTHER, scene.utterance.said(start, end))
    return [Finding(question, (start, end), frozenset(range(start, end))), *_of_kind(findings, say.Greet, say.Thank)]


def _at_opening(findings: list[Finding], scene: Scene) -> list[Finding]:
    """Read what begins or ends a conversation: a bare detail is a wish to book, a yes before a wish is only a way of speaking."""
    if not scene.listening.offered and _has(findings, say.GiveTime):
        # Nothing was offered yet, so "anything later?" asks what there is.
        findings = _turned(findings, say.MoreOptions, say.AskAvailability())
    if _has(findings, *WANTS, say.GiveService, say.GivePractitioner):
        # "Um, yeah, hi, maybe a cleaning": nothing was asked that this could answer.
        findings = _without(findings, say.Affirm, say.Unsure)
    if _has(findings, *WANTS):
        findings = _without(findings, say.Deny, say.Correct)
    if scene.services and all(each.is_reason for each in scene.services):
        # "I moved a couch last weekend and now my back hurts": when it happened is not when they want to come.
        findings = [each for each in findings if not (isinstance(each.command, say.GiveTime) and each.command.past)]
    if _is_idle_talk(findings, scene):
        return _without(findings, say.GiveTime, say.AskAvailability)
    telling = [each for each in findings if isinstance(each.command, DETAILS) and each.command != say.AnyPractitioner()]
    if telling and not _has(findings, *ASKING):
        first = telling[0]
        findings.insert(findings.index(first), Finding(say.StartBooking(), (first.span[0], first.span[0]), frozenset()))
    if _has(findings, say.GiveName, say.GiveBirthDate, *DETAILS):
        return findings
    return _once(_turned(findings, say.Correct, say.Deny()))


def _as_answer(findings: list[Finding], scene: Scene) -> list[Finding]:
    asked = scene.listening.asked
    if asked is Asked.PRACTITIONER and _has(findings, say.Deny) and not _has(findings, *DETAILS):
        return _turned(findings, say.Deny, say.AnyPractitioner())
    if asked is Asked.LOCATION and not scene.places:
        anywhere = say.GiveLocation(tuple(place.key for place in scene.listening.catalogue.locations))
        return _turned(findings, say.AnyPractitioner, anywhere)
    if asked is Asked.WHEN and not _has(findings, say.GiveTime):
        return _turned(findings, say.AnyPractitioner, say.GiveTime(TimeWish(flexible=True)))
    if asked in {Asked.YES_NO, Asked.CHOICE}:
        return _as_correction(_as_change(findings, scene), scene)
    return findings


def _as_change(findings: list[Finding], scene: Scene) -> list[Finding]:
    """Read "change that to four" as a change of what is being agreed on, where no visit was named."""
    moving = _of_kind(findings, say.StartReschedule)
    named = any("<visit>" in scene.text.found[at] for each in moving for at in range(*each.span)) or scene.services
    if not moving or named or not _has(findings, say.GiveTime):
        return findings
    return _once(_turned(findings, say.StartReschedule, say.Correct()))


def _turned(findings: Sequence[Finding], kind: type[Command], into: Command) -> list[Finding]:
    return [replace(each, command=into) if isinstance(each.command, kind) else each for each in findings]


def _is_idle_talk(findings: Sequence[Finding], scene: Scene) -> bool:
    """Whether a time is all that was found among words of no meaning to a clinic: "the match is on Tuesday"."""
    if {type(each.command) for each in findings} - {
        say.GiveTime,
        say.AskAvailability,
        say.Greet,
        say.Affirm,
        say.Unsure,
    }:
        return False
    used = frozenset().union(*(each.words for each in findings))
    left = [word for at, word in enumerate(scene.utterance.words) if at not in used and word not in scene.book.small]
    return sum(word not in scene.book.vocabulary or word in scene.book.foreign for word in left) > 1 or len(left) > 3


def _as_correction(findings: list[Finding], scene: Scene) -> list[Finding]:
    """Read "no, Thursday" and "yes, but at three" as one correction rather than as an answer and a wish."""
    has_details = _has(findings, say.GiveName, say.GiveBirthDate, *DETAILS)
    answers = _of_kind(findings, say.Deny, say.Affirm)
    if _has(findings, say.MoreOptions):
        return _without(findings, say.Deny, say.Affirm, say.Correct)
    if has_details and _has(findings, say.Correct) and not _has(findings, say.Deny):
        # "Yes, make it three" changes what is agreed to.
        return _without(findings, say.Affirm)
    if not has_details and _has(findings, say.Affirm):
        # "Yes, book it" answers; it begins nothing new.
        return _without(findings, say.StartBooking)
    if not has_details or not answers:
        return findings
    is_denied = any(isinstance(each.command, say.Deny) for each in answers)
    has_but = any(word in scene.book.reversals for word in scene.utterance.words[answers[-1].span[1] :])
    if not is_denied and not has_but:
        return findings
    kept = _without(findings, say.Deny, say.Affirm, say.Correct)
    return [replace(answers[0], command=say.Correct()), *kept]


def _is_foreign(findings: list[Finding], scene: Scene) -> bool:
    foreign = _foreign_words(scene)
    if not foreign or scene.listening.asked not in OPENING:
        return False
    surely = any(scene.utterance.words[at] in scene.book.foreign_surely for at in foreign)
    if scene.services or scene.staff or scene.places or scene.person or scene.birth:
        return False
    names = {each.command.name for each in findings} - IDLE - {"give_time", "out_of_scope"}
    if surely or len(foreign) > 1:
        names -= QUESTIONS
    has_visit = any("<visit>" in found and at not in foreign for at, found in enumerate(scene.text.found))
    return not names and (surely or len(foreign) > 1 or not has_visit)


def _foreign_words(scene: Scene) -> frozenset[int]:
    return frozenset(
        at
        for at, word in enumerate(scene.utterance.words)
        if word in scene.book.foreign or word in scene.book.foreign_surely
    )


def _once(findings: list[Finding]) -> list[Finding]:
    """Keep one of each command, the first; times may come several times, one for each part."""
    seen: dict[Command, Finding] = {}
    for each in findings:
        known = seen.setdefault(each.command, each)
        if known is not each:
            seen[each.command] = replace(known, words=known.words | each.words)
    return list(seen.values())


def _has(findings: Sequence[Finding], *kinds: type[Command]) -> bool:
    return any(isinstance(each.command, kinds) for each in findings)


def _of_kind(findings: Sequence[Finding], *kinds: type[Command]) -> list[Finding]:
    return [each for each in findings if isinstance(each.command, kinds)]


def _without(findings: Sequence[Finding], *kinds: type[Command]) -> list[Finding]:
    return [each for each in findings if not isinstance(each.command, kinds)]


def _scored(findings: Sequence[Finding], hits: Sequence[Hit], scene: Scene) -> Interpretation:
    """Say how much of what was said was understood: the share of words with a meaning that went into commands."""
    used = frozenset().union(
        *(each.words for each in findings), *(hit.literal for hit in hits), *(hit.literal for hit in scene.cues)
    )
    idle = scene.book.small | scene.book.services.generic if scene.services else scene.book.small
    content = [at for at, word in enumerate(scene.utterance.words) if word not in idle]
    open_words = [at for at in content if at not in used]
    confidence = 0.0 if not findings else 1.0 if not content else 1.0 - len(open_words) / len(content)
    return Interpretation(
        commands=tuple(each.command for each in findings),
        language=scene.book.language,
        confidence=round(confidence, 3),
        open_words=" ".join(scene.utterance.said(at, at + 1) for at in open_words),
    )
