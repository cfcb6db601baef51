"""All that can be found in an utterance before it is decided what it means: names, services, people, numbers, times, and the phrases around them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dialog.interpreter import Asked, Listening
from dialog.timewords import TimeReading, read_time
from dialog.understanding import people
from dialog.understanding.answers import AnswerWords, Asking
from dialog.understanding.births import BirthDate, birth_date_in
from dialog.understanding.emails import EmailAddress, email_in
from dialog.understanding.mention import Mention, Span, overlaps
from dialog.understanding.numbers import PhoneNumber, number_at, phone_in
from dialog.understanding.pattern import Hit, Phrases, Text
from dialog.understanding.people import PersonName
from dialog.understanding.phrasebook import PhraseBook
from dialog.understanding.places import PlaceNames
from dialog.understanding.reasons import ServiceNames
from dialog.understanding.staff import StaffNames
from dialog.understanding.words import Utterance

DETAILS = frozenset({"<time>", "<service>", "<practitioner>", "<location>", "<ordinal>"})
RELATED = ("<child>", "<parent>", "<partner>", "<other_person>")
YEAR_FIGURES = 4
INSURER = "<insurer>"
"""Who pays: "Swiss Medical" is nothing that a clinic does."""
_NUMBER_CUES = frozenset({"birth_cues", "phone_cues"})
_NAMES_OTHERS = frozenset({Asked.SERVICE, Asked.PRACTITIONER, Asked.LOCATION, Asked.MESSAGE})
"""Questions that are answered with names, but not with those of patients."""


class ClinicNames:
    """Everything of one clinic that has a name, ready for finding."""

    def __init__(self, staff: StaffNames, places: PlaceNames, services: ServiceNames, answers: AnswerWords) -> None:
        self.staff = staff
        self.places = places
        self.services = services
        self.answers = answers
        self.words = self.staff.words | self.places.words | self.services.words

    def find_services(
        self, utterance: Utterance, cues: Sequence[Hit], *, taken: Sequence[Span], is_asked: bool
    ) -> tuple[Mention, ...]:
        """Find what is wanted outside `taken`."""
        labels = {hit.label for hit in cues}
        for_child = "book_for child" in labels and "book_for_both" not in labels
        reasons = frozenset(hit.end for hit in cues if hit.label == "reason_cues")
        return tuple(
            self.services.find(utterance, taken=taken, for_child=for_child, reasons=reasons, is_asked=is_asked)
        )


@dataclass(frozen=True)
class Scene:
    """What was found. `times` were read from the text without names, numbers and dates of birth."""

    utterance: Utterance
    listening: Listening
    book: PhraseBook
    names: ClinicNames
    text: Text
    cues: tuple[Hit, ...]
    phone: PhoneNumber | None
    birth: BirthDate | None
    email: EmailAddress | None
    person: PersonName | None
    staff: tuple[Mention, ...]
    places: tuple[Mention, ...]
    services: tuple[Mention, ...]
    asking: tuple[Asking, ...]
    times: TimeReading

    @property
    def set_aside(self) -> list[Span]:
        """Words that are certainly no time: people, numbers, staff, and the "one" of "the one with Dr. Lee"."""
        spans = [each.span for each in (self.phone, self.birth, self.email, self.person) if each]
        spans += [(mention.start, mention.end) for mention in self.staff]
        spans += [(at, at + 1) for at in range(1, len(self.utterance.words)) if self._stands_for_visit(at)]
        if self.listening.asked is Asked.CHOICE:
            words, pointers = self.utterance.words, self.book.around_choice
            spans += [
                (at, at + 1)
                for at in range(1, len(words))
                if words[at] in self.book.numbers and {words[at - 1], words[at]} <= pointers
            ]
        return spans

    def _stands_for_visit(self, at: int) -> bool:
        """Whether word `at` is the "one" of "another one on Friday" and "book me one next week", which is no hour."""
        words, book = self.utterance.words, self.book
        if words[at] not in book.visit_pronouns:
            return False
        is_before_day = bool((book.date_leads | book.date_names).intersection(words[at + 1 : at + 2]))
        return words[at - 1] in book.another_words or (words[at - 1] in book.pronoun_leads and is_before_day)


def searchable(utterance: Utterance, book: PhraseBook) -> Text:
    """Prepare `utterance` for phrases: with the sets of the book and the numbers found in it."""
    found: list[dict[str, set[int]]] = [{} for _ in utterance.tokens]
    text = Text(utterance.words, found, DETAILS, utterance.starts, utterance.stops)
    for at, word in enumerate(utterance.words):
        if number := number_at(utterance, at, book):
            found[at].setdefault("<number>", set()).add(number[1])
        if len(word) == YEAR_FIGURES and word.isdigit() and word[:2] in {"19", "20"}:
            found[at].setdefault("<year>", set()).add(at + 1)
        if word in book.languages:
            found[at].setdefault("<language>", set()).add(at + 1)
    _enter(text, book.sets)
    return text


def _enter(text: Text, sets: Phrases) -> None:
    for hit in sets.find(text):
        text.found[hit.start].setdefault(hit.label, set()).add(hit.end)


def look(utterance: Utterance, text: Text, listening: Listening, *, book: PhraseBook, names: ClinicNames) -> Scene:
    """Find everything in `utterance`. Each finder leaves alone what a surer one before it has taken."""
    cues = tuple(book.cues.find(text))
    asked = listening.asked
    birth = birth_date_in(utterance, cues, listening, book)
    phone = (
        None if birth and asked is Asked.BIRTH_DATE else phone_in(utterance, book, country=listening.catalogue.country)
    )
    if birth and phone and overlaps(birth.span, phone.span):
        # "8/21/1975" has as many digits as a local number, but is written as a date.
        if birth.value is not None and asked is not Asked.PHONE:
            phone = None
        else:
            birth = None
    email = email_in(utterance, book, leads=_email_leads(cues), is_asked=asked is Asked.EMAIL)
    if email is not None:
        # "Jane nineteen eighty four at gmail" was born then, perhaps, but says so no more than it gives a number.
        birth = None if birth and overlaps(birth.span, email.span) else birth
        phone = None if phone and overlaps(phone.span, email.span) else phone
    numbers = [each.span for each in (birth, phone, email) if each]
    person = _person(
        utterance, text, cues, listening, book, numbers=numbers, known=names.words, services=names.services.words
    )
    taken = [each.span for each in (phone, birth, email, person) if each]
    place_words = [tuple(found.get("<place_word>", ())) for found in text.found]
    places = tuple(names.places.find(utterance, taken=taken, place_words=place_words, is_asked=asked is Asked.LOCATION))
    taken += [(mention.start, mention.end) for mention in places]
    taken += _names_of_others(utterance, text, cues, book)
    staff = tuple(names.staff.find(utterance, taken=taken, is_asked=asked is Asked.PRACTITIONER))
    if asked in {Asked.NAME, Asked.SPELL_NAME}:
        staff = tuple(mention for mention in staff if mention.keys)  # an unknown doctor is the patient
    # "Hygiene, please" in answer to "who?" is a service rather than a stranger.
    staff = tuple(
        mention
        for mention in staff
        if mention.keys
        or utterance.words[mention.start] in book.names.titles
        or names.services.words.isdisjoint(utterance.words[mention.start : mention.end])
    )
    taken += [(mention.start, mention.end) for mention in staff]
    # "When I was a kid" asks for nothing that is done to kids.
    taken += [(hit.start, hit.end) for hit in book.history.find(text) if hit.label == "when"]
    # Nor does whoever has it done say what: "for my kid" is no visit for kids.
    taken += _children(text, cues)
    taken += [(at, end) for at, found in enumerate(text.found) for end in found.get(INSURER, ())]
    services = names.find_services(utterance, cues, taken=taken, is_asked=asked is Asked.SERVICE)
    scene = Scene(
        utterance,
        listening,
        book,
        names,
        text,
        cues,
        phone,
        birth,
        email,
        person,
        staff,
        places,
        services,
        # A service that the clinic also has an answer about is asked for, or asked about, like any other.
        tuple(
            each
            for each in names.answers.find(utterance)
            if not any(overlaps(each.span, (mention.start, mention.end)) for mention in (*staff, *places, *services))
        ),
        TimeReading((), None, (), past=False),
    )
    times = read_times(scene, without=scene.set_aside)
    scene = replace(scene, times=times)
    # "After school" is when, and no school physical.
    spans = [utterance.words_between(time.start, time.end) for time in times.mentions]
    services = tuple(
        each
        for each in services
        if not (each.is_part and any(start <= each.start and each.end <= end for start, end in spans))
    )
    scene = replace(scene, services=services)
    _enter_details(scene)
    return scene


def _email_leads(cues: Sequence[Hit]) -> list[int]:
    return [hit.end for hit in cues if hit.label == "email_cues"]


def _children(text: Text, cues: Sequence[Hit]) -> list[Span]:
    """Give the words of a child somebody books for."""
    of_child = [hit for hit in cues if hit.label in {"book_for child", "named child"}]
    return [
        (at, end)
        for hit in of_child
        for at in range(hit.start, hit.end)
        for end in text.found[at].get("<child>", ())
        if end <= hit.end
    ]


def _names_of_others(utterance: Utterance, text: Text, cues: Sequence[Hit], book: PhraseBook) -> list[Span]:
    """Give the words of first and last names that follow "my husband": "Tom Smith" is none of our people there."""
    related = {hit.end for hit in cues if hit.label.startswith(("book_for ", "named "))}
    related |= {end for found in text.found for name in RELATED for end in found.get(name, ())}
    names = (
        people.name_at(utterance, at, book, is_expected=False) for at in sorted(related) if at < len(utterance.tokens)
    )
    return [name.span for name in names if name and name.span[1] - name.span[0] > 1]


def read_times(
    scene: Scene,
    *,
    without: Iterable[Span],
    within: Span | None = None,
    at: datetime | None = None,
    asked: Asked | None = None,
) -> TimeReading:
    """Read the times of the utterance, or of its words `within`, as if the words `without` were not there.

    `at`: another time than now; `asked`: another question than the one that was.
    """
    utterance, listening = scene.utterance, scene.listening
    letters = list(utterance.text)
    for start, end in without:
        if end > start:
            first, last = utterance.tokens[start].start, utterance.tokens[end - 1].end
            # A full stop keeps the words before and after from being read as one phrase.
            letters[first:last] = "." + " " * (last - first - 1)
    first, last = (0, len(letters)) if within is None else _letters_of(utterance, within)
    question = asked or listening.asked
    asked_for = str(question) if question in {Asked.WHEN, Asked.CHOICE} else None
    return read_time(
        "".join(letters[first:last]),
        now=at or listening.now,
        language=scene.book.language,
        asked=asked_for,
        day_spoken_of=listening.day_spoken_of,
    )


def _letters_of(utterance: Utterance, span: Span) -> Span:
    start, end = span
    last = utterance.tokens[end].start if end < len(utterance.tokens) else len(utterance.text)
    return utterance.tokens[start].start, last


def _enter_details(scene: Scene) -> None:
    spans = [("<time>", scene.utterance.words_between(time.start, time.end)) for time in scene.times.mentions]
    for name, mentions in (
        ("<practitioner>", scene.staff),
        ("<location>", scene.places),
        ("<service>", scene.services),
    ):
        spans += [(name, (mention.start, mention.end)) for mention in mentions]
    spans += [("<answer>", each.span) for each in scene.asking]
    for name, (start, end) in spans:
        if end > start:
            scene.text.found[start].setdefault(name, set()).add(end)


def _person(
    utterance: Utterance,
    text: Text,
    cues: Sequence[Hit],
    listening: Listening,
    book: PhraseBook,
    *,
    numbers: Sequence[Span],
    known: Collection[str],
    services: Collection[str],
) -> PersonName | None:
    """Find whoever is named. `numbers` are the words of dates and numbers, `known` those of the clinic's own names, of which `services` is a part."""
    is_asked = listening.asked in {Asked.NAME, Asked.SPELL_NAME}
    found = _beside_numbers(utterance, cues, book, numbers=numbers, known=known) if is_asked else None
    found = found or _named(utterance, text, cues, listening, book, numbers=numbers, services=services)
    if found is None and listening.asked is Asked.YES_NO:
        found = _misheard(utterance, cues, book, known=known)
    if found is None and not is_asked:
        found = _beside_numbers(utterance, cues, book, numbers=numbers, known=known)
        if found is None and listening.asked not in _NAMES_OTHERS:
            found = people.alone(utterance, book, known=known)
    return found if found and people.is_legible(utterance, found.span) else None


def _beside_numbers(
    utterance: Utterance, cues: Sequence[Hit], book: PhraseBook, *, numbers: Sequence[Span], known: Collection[str]
) -> PersonName | None:
    """Read a name that nothing announces: "ann smith 5/2/84" in the middle of a line."""
    for start, end in numbers:
        lead = min((hit.start for hit in cues if hit.label in _NUMBER_CUES and hit.end == start), default=start)
        if name := people.beside(utterance, (lead, end), book, known=known):
            return name
    return None


def _named(
    utterance: Utterance,
    text: Text,
    cues: Sequence[Hit],
    listening: Listening,
    book: PhraseBook,
    *,
    numbers: Sequence[Span],
    services: Collection[str],
) -> PersonName | None:
    is_asked = listening.asked in {Asked.NAME, Asked.SPELL_NAME}
    spelled = next(iter(people.spellings(utterance, book, is_expected=listening.asked is Asked.SPELL_NAME)), None)
    is_read_back = listening.asked is Asked.YES_NO
    said = _announced(utterance, cues, book, is_asked=is_asked, is_read_back=is_read_back)
    if said is not None and any(overlaps(said.span, span) for span in numbers):
        said = None  # "it's April 26th": nobody is called April there
    if said is None and is_asked:
        said = _answered(utterance, text, book, without=spelled, numbers=numbers, services=services)
    if said is not None and is_asked and spelled is None:
        taken = _phrase_words(text, book).union(*(range(*span) for span in numbers))
        said = people.with_plain_words(utterance, said, book, but=taken)
    if spelled and said and overlaps(said.span, spelled.span):
        said = None
    if spelled:
        is_told = said is not None or any(hit.label == "spelling_cues" for hit in cues)
        is_all = is_asked or is_told or _is_nothing_but(spelled.span, utterance, book)
        return people.joined(said, spelled) if is_all and listening.asked not in _NAMES_OTHERS else None
    return said


def _is_nothing_but(span: Span, utterance: Utterance, book: PhraseBook) -> bool:
    """Whether little else was said, so that the letters are a name though something else was asked: "no, S M Y T H E"."""
    others = [word for at, word in enumerate(utterance.words) if not span[0] <= at < span[1]]
    return span[1] - span[0] > people.FEWEST_LETTERS and all(word in book.small for word in others)


def _announced(
    utterance: Utterance, cues: Sequence[Hit], book: PhraseBook, *, is_asked: bool, is_read_back: bool
) -> PersonName | None:
    for kind in ("name_cues_strong", "name_cues_weak", *(("name_cues_for",) if is_read_back else ())):
        is_expected = kind == "name_cues_strong" or is_asked
        ends = sorted({_after_title(utterance, hit.end, book) for hit in cues if hit.label == kind}, reverse=True)
        read = [people.name_at(utterance, end, book, is_expected=is_expected) for end in ends]
        names = [
            name
            for name in read
            if name and (is_expected or utterance.is_cased or _ends_well(utterance, name.span[1], book))
        ]
        if names:
            return _first_and_last(names)
    for hit in cues:
        if hit.label == "name_after":
            return _before(utterance, hit.start, book)
    return None


def _misheard(
    utterance: Utterance, cues: Sequence[Hit], book: PhraseBook, *, known: Collection[str]
) -> PersonName | None:
    """Read the first and last name behind a bare "name", where the words before it may have been misheard."""
    for end in (hit.end for hit in cues if hit.label == "name_cues_heard"):
        name = people.name_at(utterance, end, book, is_expected=False)
        if name and name.span[1] - end > 1 and not any(word in known for word in utterance.words[end : name.span[1]]):
            return name
    return None


def _after_title(utterance: Utterance, at: int, book: PhraseBook) -> int:
    return at + 1 if at < len(utterance.tokens) and utterance.words[at] in book.names.titles else at


def _first_and_last(names: Sequence[PersonName]) -> PersonName:
    """Join "first name Ann, last name Smith"; else the name that was said last counts."""
    latest, before = names[0], names[-1]
    if len(names) > 1 and not overlaps(latest.span, before.span) and " " not in latest.value + before.value:
        return PersonName(f"{before.value} {latest.value}", (before.span[0], latest.span[1]), spelled=False)
    return latest


def _ends_well(utterance: Utterance, end: int, book: PhraseBook) -> bool:
    """Whether what was taken for a name ends as one does: "i am ann and ...", not "i am telling you"."""
    return end in utterance.stops or utterance.words[end] in book.names.followers


def _before(utterance: Utterance, end: int, book: PhraseBook) -> PersonName | None:
    """Read a name that ends before word `end`: "Ann Smith speaking"."""
    for start in range(max(0, end - 3), end):
        name = people.name_at(utterance, start, book, is_expected=False)
        if name and name.span[1] == end:
            return name
    return None


def _last_then_first(utterance: Utterance, book: PhraseBook) -> PersonName | None:
    """Read "Smith, John"."""
    if len(utterance.tokens) != 2 or "," not in utterance.text:
        return None
    last, first = (people.name_at(utterance, at, book, is_expected=True) for at in (0, 1))
    if last is None or first is None or last.span != (0, 1) or utterance.words[0] in book.names.common:
        return None
    return PersonName(f"{first.value} {last.value}", (0, 2), spelled=False)


def _answered(
    utterance: Utterance,
    text: Text,
    book: PhraseBook,
    *,
    without: PersonName | None,
    numbers: Sequence[Span],
    services: Collection[str],
) -> PersonName | None:
    """Read the bare answer to "your name?": the first words that can be one and are no phrase such as "say that again"."""
    last = without.span[0] if without else len(utterance.tokens)
    if name := _last_then_first(utterance, book):
        return name
    dated = frozenset(at for span in numbers for at in range(*span))
    for start in sorted(set(range(last)) - _phrase_words(text, book) - dated):
        name = people.name_at(utterance, start, book, is_expected=True)
        if name and name.span[1] - start == 1 and utterance.words[start] in services:
            continue  # "the physio one" says what for
        if name and not any(overlaps(name.span, span) for span in numbers):
            return name if name.span[1] <= last else None
    return None


def _phrase_words(text: Text, book: PhraseBook) -> frozenset[int]:
    return frozenset(at for hit in book.intents.find(text) for at in hit.literal)
