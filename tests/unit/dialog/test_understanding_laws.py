"""What holds for any text, any file of phrases and any line of JSON."""

import json
from dataclasses import fields
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.commands import BookFor, Command, GiveBirthDate, GiveTime, Relation, Topic, from_json, to_json
from dialog.interpreter import Asked, Listening, Option
from dialog.languages import SPOKEN
from dialog.timewords import ClockRange, DayRange, TimeWish
from dialog.understanding.lines import understand_line
from dialog.understanding.local import LocalInterpreter
from dialog.understanding.pattern import PatternError, Phrases, Text
from dialog.understanding.phrasebook import phrase_book, spelled_right
from dialog.understanding.words import LONGEST_TEXT, read_words
from kernel.errors import Malformed
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime.fromisoformat("2027-03-10T10:00")
CLINIC = elm_catalogue()
INTERPRETER = LocalInterpreter()
OFFERED = (Option(datetime.fromisoformat("2027-03-15T09:30"), "lee", "main"), Option(text="Dental cleaning"))

ORDINARY = st.sampled_from(
    [
        "i",
        "want",
        "to",
        "book",
        "cancel",
        "move",
        "my",
        "the",
        "a",
        "cleaning",
        "doctor",
        "dr",
        "lee",
        "carter",
        "tuesday",
        "at",
        "3",
        "on",
        "friday",
        "not",
        "no",
        "yes",
        "first",
        "one",
        "is",
        "in",
        "with",
        "for",
        "son",
        "name",
        "ann",
        "smith",
        "born",
        "1984",
        "may",
        "5",
        "212",
        "555",
        "0123",
        "what",
        "when",
        "ok",
        "chest",
        "pain",
        "can't",
        "breathe",
        ".",
        ",",
        "?",
        "!",
        "and",
        "but",
        "main",
        "street",
        "double",
        "a",
        "n",
        "n",
        "s",
    ]
)


@given(text=st.text(max_size=200), asked=st.sampled_from(list(Asked)))
@settings(max_examples=150, deadline=None)
def test_any_text_is_understood_or_not_but_never_an_error(text: str, asked: Asked) -> None:
    found = INTERPRETER.interpret(text, Listening(CLINIC, NOW, "en", asked, OFFERED))

    assert 0 <= found.confidence <= 1
    assert bool(found.commands) == (found.confidence > 0) or found.commands


@given(words=st.lists(ORDINARY, max_size=25), asked=st.sampled_from(list(Asked)))
@settings(max_examples=200, deadline=None)
def test_any_jumble_of_ordinary_words_gives_keys_of_the_clinic_only(words: list[str], asked: Asked) -> None:
    known = {each.key for group in (CLINIC.services, CLINIC.practitioners, CLINIC.locations) for each in group}

    found = INTERPRETER.interpret(" ".join(words), Listening(CLINIC, NOW, "en", asked, OFFERED))

    assert {key for command in found.commands for key in getattr(command, "keys", ())} <= known
    assert all(-1 <= getattr(command, "index", 0) < len(OFFERED) for command in found.commands)


@given(words=st.lists(ORDINARY, max_size=12))
@settings(max_examples=50, deadline=None)
def test_the_same_words_always_mean_the_same(words: list[str]) -> None:
    listening = Listening(CLINIC, NOW)
    text = " ".join(words)

    assert INTERPRETER.interpret(text, listening) == LocalInterpreter().interpret(text, listening)


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "no " * 30_000, "book me tuesday at 3 " * 5_000, "(((" * 30_000, "1 " * 50_000]
)
def test_of_a_hundred_kilobytes_no_more_is_heard_than_of_a_long_turn(text: str) -> None:
    listening = Listening(CLINIC, NOW, "en", Asked.CHOICE, OFFERED)

    assert INTERPRETER.interpret(text, listening) == INTERPRETER.interpret(text[:LONGEST_TEXT], listening)


def test_words_keep_their_place_in_the_text() -> None:
    utterance = read_words("I don't, uh, want Dr. Lee's 9:30!", phrase_book("en").rules)

    assert utterance.words == ("i", "do", "not", "want", "doctor", "lee", "9:30")
    assert utterance.said(4, 6) == "Dr. Lee's"
    assert utterance.said(1, 3) == "don't"


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    utterance = read_words("a " * 10_000, phrase_book("en").rules)

    assert len(utterance.text) == LONGEST_TEXT


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("apointment", "appointment"),
        ("cancle", "cancel"),
        ("reshedule", "reschedule"),
        ("cancer", "cancer"),
        ("zzzzzz", "zzzzzz"),
    ],
)
def test_slips_of_the_pen_are_put_right_and_other_words_left(slip: str, meant: str) -> None:
    assert spelled_right(slip, phrase_book("en")) == meant


# The pattern language.


def found_by(line: str, said: str) -> set[tuple[int, int]]:
    phrases = Phrases()
    phrases.add(line, "it", plain=lambda word: (word,))
    words = said.split()
    text = Text(
        words,
        [{"<number>": {at + 1}} if word.isdigit() else {} for at, word in enumerate(words)],
        set(),
        {0},
        {len(words)},
    )
    return {(hit.start, hit.end) for hit in phrases.find(text)}


@pytest.mark.parametrize(
    ("line", "said", "spans"),
    [
        ("a b", "x a b y", {(1, 3)}),
        ("(a|b c) d", "a d b c d", {(0, 2), (2, 5)}),
        ("a b? c", "a c a b c", {(0, 2), (2, 5)}),
        ("a (b c)? d?", "a b c d", {(0, 1), (0, 3), (0, 4)}),
        ("^ a $", "a", {(0, 1)}),
        ("^ a $", "a b", set()),
        ("a .. b", "a x y z b", {(0, 5)}),
        ("a .. b", "a w x y z b", set()),
        ("<number> late", "10 late", {(0, 2)}),
        ("(a | (b | c) d)", "c d", {(0, 2)}),
    ],
)
def test_patterns_find_what_they_say(line: str, said: str, spans: set[tuple[int, int]]) -> None:
    assert found_by(line, said) == spans


@pytest.mark.parametrize("line", ["(a", "a)", "? a", "a?", "(a|b)? c?", "a (b"])
def test_a_line_that_makes_no_sense_is_refused(line: str) -> None:
    with pytest.raises(PatternError):
        found_by(line, "a")


@pytest.mark.parametrize("language", SPOKEN)
def test_every_meaning_of_the_phrase_file_is_one_the_program_knows(language: str) -> None:
    names = {label.partition(" ")[0] for label in phrase_book(language).intents.labels}

    assert names <= {kind.name for kind in Command.__subclasses__()} | {
        "can_not_come",
        "ask_about_it",
        "ask_answer",
        "ask_of_staff",
        "has_visit",
        "nothing",
    }


# JSON.

WISH = TimeWish(
    days=(DayRange(date(2027, 3, 15), date(2027, 3, 16)),),
    not_weekdays=frozenset({4, 0}),
    clocks=(ClockRange(540, 720),),
    at_minute=600,
    order="earliest",
)


@pytest.mark.parametrize("kind", Command.__subclasses__(), ids=lambda kind: kind.name)
def test_every_command_survives_json(kind: type[Command]) -> None:
    samples = {
        "keys": ("lee",),
        "wish": WISH,
        "value": "Ann",
        "relation": Relation.CHILD,
        "topic": Topic.HOURS,
        "language": "es",
        "index": -1,
        "is_new": True,
    }
    needed = {field.name: samples[field.name] for field in fields(kind) if field.name in samples}
    if kind is GiveBirthDate:
        needed["value"] = date(1984, 5, 2)
    command = kind(**needed)  # type: ignore[arg-type]  # a table of fields

    assert from_json(json.loads(json.dumps(to_json(command)))) == command


def test_json_says_only_what_was_said() -> None:
    assert to_json(BookFor(Relation.CHILD)) == {"name": "book_for", "relation": "child"}
    assert to_json(GiveTime(TimeWish(at_minute=600), text="at 10")) == {
        "name": "give_time",
        "wish": {"at_minute": 600},
        "text": "at 10",
    }


@pytest.mark.parametrize("plain", [{}, {"name": "dance"}, {"name": "choose"}, {"name": "choose", "index": "x"}])
def test_json_that_is_no_command_is_refused(plain: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        from_json(plain)


def test_a_line_is_understood_with_what_was_offered() -> None:
    line = {
        "text": "the 2pm one",
        "now": "2027-03-10T10:00",
        "zone": "America/New_York",
        "asked": "choice",
        "offered": [{"start": "2027-03-15T09:00"}, {"start": "2027-03-15T14:00", "practitioner": "lee"}],
    }

    answer = json.loads(understand_line(json.dumps(line), interpreter=INTERPRETER, catalogue=CLINIC))

    assert answer == {
        "commands": [{"name": "choose", "index": 1}],
        "language": "en",
        "confidence": answer["confidence"],
    }


@pytest.mark.parametrize(
    "line",
    ["", "[]", "{}", '{"text": "hi", "now": "soon"}', '{"text": "hi", "now": "2027-03-10T10:00", "zone": "Mars/Base"}'],
)
def test_a_line_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(Malformed):
        understand_line(line, interpreter=INTERPRETER, catalogue=CLINIC)
