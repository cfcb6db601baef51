"""When, what, who and where: from what was found of these to commands."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from dialog import commands as say
from dialog.commands import Relation
from dialog.interpreter import Asked
from dialog.timewords import TimeReading, TimeWish
from dialog.understanding import moves, people
from dialog.understanding.births import BirthDate
from dialog.understanding.chosen import any_such_weekday
from dialog.understanding.finding import Finding
from dialog.understanding.held import TASKS, person_words, taken_times
from dialog.understanding.mention import Mention, Span, overlaps
from dialog.understanding.pattern import Hit
from dialog.understanding.scene import Scene, read_times


def of_times(scene: Scene, hits: Sequence[Hit]) -> Iterator[Finding]:
    """Give the times said: those of the visit they have, and those they wish for, by parts where two things are wanted."""
    tasks = [hit for hit in hits if hit.label.partition(" ")[0] in TASKS]
    taken = [
        *scene.set_aside,
        *(span for hit in hits for span in taken_times(hit, scene)),
        *_cancelling_words(scene, hits),
    ]
    for span in moves.times_of_visit(hits, scene):
        reading = any_such_weekday(scene, span) or read_times(scene, without=scene.set_aside, within=span)
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


def _cancelling_words(scene: Scene, hits: Sequence[Hit]) -> Iterator[Span]:
    """Give the words of "I can't make it" one by one: their "not" refuses the visit, not the day it is on."""
    visits = {
        at
        for start, found in enumerate(scene.text.found)
        for end in found.get("<visit>", ())
        for at in range(start, end)
    }
    for hit in hits:
        if hit.label.startswith("start_cancel"):
            yield from ((at, at + 1) for at in sorted(hit.literal - visits))


def _time_finding(reading: TimeReading, scene: Scene, part: Span) -> Iterator[Finding]:
    if reading.wish is None and not reading.unresolved and not reading.past:
        return
    offset = scene.utterance.tokens[part[0]].start if part[0] < len(scene.utterance.tokens) else 0
    spans = [scene.utterance.words_between(time.start + offset, time.end + offset) for time in reading.mentions]
    words = frozenset(at for start, end in spans for at in range(start, end))
    start, end = (min(words), max(words) + 1) if words else part
    wish = reading.wish or TimeWish()
    by_weekday = _names_bare_weekday(words, scene) and any_such_weekday(scene, part) is not None
    said = scene.utterance.said(start, end)
    time = say.GiveTime(wish, said, reading.unresolved, past=reading.past, by_weekday=by_weekday)
    yield Finding(time, (start, end), words)


def _names_bare_weekday(words: Collection[int], scene: Scene) -> bool:
    """Whether a day stands among words of time without more to say which one it is: "friday", but not "this Friday"."""
    book, said = scene.book, scene.utterance.words
    named = [at for at in words if said[at] in book.date_names]
    leads = (book.date_leads - book.small) | book.pointers
    return len(named) == 1 and not (named[0] and said[named[0] - 1] in leads)


def of_mentions(scene: Scene, hits: Sequence[Hit]) -> Iterator[Finding]:
    """Give the people, services and places named."""
    refused = [hit for hit in hits if hit.label == "refuse_practitioner"]
    for mention in scene.staff:
        span, words = (mention.start, mention.end), frozenset(range(mention.start, mention.end))
        is_refused = any(hit.start <= mention.start and mention.end <= hit.end for hit in refused)
        if not is_refused:
            yield Finding(say.GivePractitioner(mention.keys, mention.text), span, words)
        elif mention.keys:
            yield Finding(say.RefusePractitioner(mention.keys), span, words)
    told = _words_of_times(scene)
    for make, mentions in ((say.GiveService, _services(scene, hits)), (say.GiveLocation, scene.places)):
        for mention in mentions:
            if told.issuperset(range(mention.start, mention.end)):
                continue  # "the following week" is no follow-up
            yield Finding(
                make(mention.keys, mention.text),
                (mention.start, mention.end),
                frozenset(range(mention.start, mention.end)),
            )


def _words_of_times(scene: Scene) -> frozenset[int]:
    spans = [scene.utterance.words_between(time.start, time.end) for time in scene.times.mentions]
    return frozenset(at for start, end in spans for at in range(start, end))


def _services(scene: Scene, hits: Sequence[Hit]) -> Sequence[Mention]:
    """Give the services, as one of which they may want any; of two tasks ("cancel my physio and book me a blood test") each has its own."""
    tasks = [hit for hit in hits if hit.label.partition(" ")[0] in TASKS]
    if not scene.services:
        return ()
    if len({hit.label for hit in tasks}) < 2:
        is_change = any(not hit.label.startswith("start_booking") for hit in tasks)
        wanted = scene.services if is_change else _not_refused(scene)
        return tuple(_joined(each, scene) for each in _wanted_apart(scene, wanted))
    end = len(scene.utterance.tokens)
    taken = [(mention.start, mention.end) for mention in (*scene.staff, *scene.places)]
    taken += [each.span for each in (scene.phone, scene.birth, scene.person) if each]
    found: list[Mention] = []
    for first, last in pairwise([0, *(hit.start for hit in tasks[1:]), end]):
        outside = [(0, first), (last, end)]
        own = scene.names.find_services(scene.utterance, scene.cues, taken=[*taken, *outside], is_asked=False)
        found += [_joined(own, scene)] if own else []
    return found


def _not_refused(scene: Scene) -> tuple[Mention, ...]:
    """Leave out of several services those that are refused: "I don't need a cleaning, I need a filling"."""
    words, starts = scene.utterance.words, scene.utterance.starts

    def is_refused(mention: Mention) -> bool:
        first = max((at for at in starts if at <= mention.start), default=0)
        before = next((each.end for each in scene.services if first <= each.end <= mention.start), first)
        if words[mention.start - 1] in scene.book.negations and mention.start > first:
            return True
        led = [at for at in range(before, mention.start) if words[at] == scene.book.refusal]
        return bool(led) and scene.book.small.issuperset(words[led[-1] + 1 : mention.start])

    return tuple(each for each in scene.services if not is_refused(each)) or scene.services


def _wanted_apart(scene: Scene, services: Sequence[Mention]) -> list[list[Mention]]:
    """Part "a cleaning and a check-up", which are two visits, from "a cold or a flu" and "a cough and a fever", which are ways to say one."""
    groups: list[list[Mention]] = []
    for mention in sorted(services, key=lambda each: each.start):
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


def of_people(scene: Scene) -> Iterator[Finding]:
    """Give name, date of birth and number of whoever is spoken of."""
    related = [hit for hit in scene.cues if hit.label.startswith("book_for ")]
    named = {each.span[1] for each in _of_another(scene, scene.cues)}
    is_own = scene.person is not None and scene.person.span[1] not in named
    if scene.person and is_own and not any(_name_of_other(scene, hit) for hit in related):
        yield Finding(
            say.GiveName(scene.person.value, scene.person.spelled), scene.person.span, frozenset(person_words(scene))
        )
    if scene.birth:
        yield Finding(_birth_date(scene.birth), scene.birth.span, frozenset(range(*scene.birth.span)))
    if scene.email:
        email = say.GiveEmail(scene.email.value, scene.email.meant)
        yield Finding(email, scene.email.span, frozenset(range(*scene.email.span)))
    elif scene.listening.asked is Asked.EMAIL and _sounds_like_address(scene):
        yield Finding(say.GiveEmail(None), (0, len(scene.utterance.tokens)), frozenset())
    if scene.phone:
        yield Finding(say.GivePhone(scene.phone.value), scene.phone.span, frozenset(range(*scene.phone.span)))


def _sounds_like_address(scene: Scene) -> bool:
    """Whether what was answered has signs of an address though none could be read from it."""
    emails = scene.book.emails
    return not (emails.at | emails.dot | emails.signs.keys()).isdisjoint(scene.utterance.words)


def _birth_date(birth: BirthDate) -> say.GiveBirthDate:
    if birth.value is not None or birth.heard is None:
        return say.GiveBirthDate(birth.value, birth.is_sure)
    heard = birth.heard
    return say.GiveBirthDate(None, birth.is_sure, heard.year, heard.month, heard.day)


def of_relations(scene: Scene, hits: Sequence[Hit]) -> Iterator[Finding]:
    """Give whom the visit is for."""
    greeted = frozenset[int]().union(*(hit.literal for hit in hits if hit.label == "greet"))
    cues = [cue for cue in _without_reports(scene.cues) if not cue.literal <= greeted]
    both = [hit for hit in cues if hit.label == "book_for_both"]
    if both:
        yield from _of_two(max(both, key=lambda hit: hit.end - hit.start), scene)
        return
    kinds = tuple(f"book_for {relation}" for relation in PEOPLE.values())
    named = [
        replace(hit, label=f"book_for {hit.label.removeprefix('named ')}")
        for hit in cues
        if hit.label.startswith("named ") and named_after(scene, hit.start, hit.end)
    ]
    found = sorted(
        (hit for hit in (*cues, *named) if hit.label in {*kinds, "book_for_self"}), key=lambda hit: hit.start - hit.end
    )
    if not found or any(hit.label == "for_another" and hit.end >= found[0].end for hit in cues):
        yield from _of_another(scene, cues)
        return
    hit = found[0]
    if hit.label == "book_for_self":
        if scene.listening.asked is Asked.FOR_WHOM:
            yield Finding(say.BookFor(Relation.SELF), (hit.start, hit.end), hit.literal)
        return
    person = named_after(scene, hit.start, max(each.end for each in found)) or _name_of_other(scene, hit)
    words = hit.literal | (frozenset(range(*person.span)) if person else frozenset())
    relation = Relation(hit.label.partition(" ")[2])
    whom = say.BookFor(relation, person.value if person else None, also=_is_another(hit, scene))
    yield Finding(whom, (hit.start, hit.end), words)
    if not scene.book.several_people.isdisjoint(scene.utterance.words[hit.start : hit.end]):
        yield Finding(say.BookFor(relation, also=True), (hit.start, hit.end + 1), words)


def _of_another(scene: Scene, cues: Sequence[Hit]) -> Iterator[Finding]:
    """Read whom somebody speaks for who is no relative: "I'm calling about Robert Jones", "I'm his carer"."""
    for hit in sorted((cue for cue in cues if cue.label == "for_named"), key=lambda cue: cue.end, reverse=True):
        name = people.name_at(scene.utterance, hit.end, scene.book, is_expected=False)
        if name and _is_whole_name(name.span, scene):
            words = hit.literal | frozenset(range(*name.span))
            yield Finding(say.BookFor(Relation.OTHER, name.value), (hit.start, name.span[1]), words)
            return
    for hit in (cue for cue in cues if cue.label == "for_another"):
        yield Finding(say.BookFor(Relation.OTHER), (hit.start, hit.end), hit.literal)
        return


def _is_whole_name(span: Span, scene: Scene) -> bool:
    """Whether words are first and last name of nobody and nothing of the clinic's."""
    own = [(each.start, each.end) for each in (*scene.staff, *scene.places, *scene.services)]
    is_free = scene.book.vocabulary.isdisjoint(scene.utterance.words[span[0] : span[1]])
    return is_free and span[1] - span[0] > 1 and not any(overlaps(span, each) for each in own)


def _name_of_other(scene: Scene, hit: Hit) -> people.PersonName | None:
    """Return the name that was given as that of whoever is spoken of: "he's Tom Smith"."""
    name = scene.person
    if name is None or name.span[0] < hit.start:
        return None
    return name if any(cue.label == "name_cues_others" and cue.end == name.span[0] for cue in scene.cues) else None


def _is_another(hit: Hit, scene: Scene) -> bool:
    """Whether it is for somebody besides whom it was for so far. At the beginning that takes a wish of their own before it."""
    also = [cue for cue in scene.cues if cue.label == "also_cues"]
    if not any(cue.start < hit.end and hit.start < cue.end for cue in also):
        return False
    if scene.listening.asked not in {Asked.NOTHING, Asked.WHAT_TO_DO}:
        return True
    first = min((*(cue.start for cue in also), hit.start))
    wishes = [each.start for each in scene.book.intents.find(scene.text) if each.label.startswith("start_booking")]
    return any(start < first for start in (*wishes, *(each.start for each in scene.services)))


PEOPLE = {
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
    named = [name for at in range(hit.start, hit.end) for name in PEOPLE if name in scene.text.found[at]]
    other = PEOPLE[named[0]] if named else Relation.OTHER
    person = named_after(scene, hit.start, hit.end)
    words = hit.literal | (frozenset(range(*person.span)) if person else frozenset())
    yield Finding(say.BookFor(other, person.value if person else None), (hit.start, hit.end), words)
    yield Finding(say.BookFor(Relation.SELF), (hit.start, hit.end + 1), hit.literal)


def named_after(scene: Scene, start: int, end: int) -> people.PersonName | None:
    """Read the name that follows the relation in words `start` to `end`: "my son Tom", "my son, tom"."""
    relation_ends = {end}
    for at in range(start, end):
        relation_ends |= {each for name in PEOPLE for each in scene.text.found[at].get(name, ())}
    for at in sorted(each for each in relation_ends if each < len(scene.utterance.tokens)):
        word = scene.utterance.words[at]
        is_expected = word not in scene.book.vocabulary and word not in scene.book.names.common
        if name := people.name_at(scene.utterance, at, scene.book, is_expected=is_expected):
            return name
    return None
