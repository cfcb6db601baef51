"""Looking for somebody, asking what the clinic's file answers, strangers' names, and what is none of a clinic's business. "Today" is a Wednesday."""

from dataclasses import replace
from datetime import datetime

import pytest

from booking.values import Answer
from dialog import commands as say
from dialog.commands import Command, Relation, Topic
from dialog.interpreter import Asked, Listening, Option
from dialog.understanding.local import LocalInterpreter
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

ELM = elm_catalogue()
NOW = datetime(2027, 3, 10, 10, 0)  # noqa: DTZ001 -- wall time of the clinic, naive as Listening has it
INTERPRETER = LocalInterpreter()


def heard(text: str, *, asked: Asked = Asked.NOTHING, offered: tuple[Option, ...] = ()) -> tuple[Command, ...]:
    return INTERPRETER.interpret(text, Listening(ELM, NOW, "en", asked, offered)).commands


def names(text: str, *, asked: Asked = Asked.NOTHING, offered: tuple[Option, ...] = ()) -> set[str]:
    return {each.name for each in heard(text, asked=asked, offered=offered)}


@pytest.mark.parametrize(
    ("text", "only_looking"),
    [
        ("I'm in search of a decent dentist", True),
        ("can you recommend me a family doctor", True),
        ("any suggestions for a dentist?", True),
        ("I need a new physio", True),
        ("I have to see somebody soon, could you find me a doctor", True),
        ("I need a dentist, put me down for an appointment on Friday", False),
        ("get me a doctor's appointment", False),
        ("I want to go to the dentist", False),
        ("I need a cleaning", False),
    ],
)
def test_looking_for_somebody_is_told_from_wanting_a_visit(text: str, only_looking: bool) -> None:
    begun = [each for each in heard(text) if isinstance(each, say.StartBooking)]

    assert begun == [say.StartBooking(only_looking=only_looking)]


@pytest.mark.parametrize(
    ("text", "nothing_more"),
    [
        ("no, that's everything I needed", True),
        ("I'm all set", True),
        ("nothing else", True),
        ("I don't need anything else", True),
        ("no", False),
        ("not at the moment", False),
        ("I'd rather not yet", False),
    ],
)
def test_wanting_nothing_more_is_a_no_of_its_own(text: str, nothing_more: bool) -> None:
    assert heard(text, asked=Asked.ANYTHING_ELSE) == (say.Deny(nothing_more=nothing_more),)


OWN = replace(
    ELM,
    answers=(
        Answer("payment", "Cards and cash.", ("apple pay",)),
        Answer("parking", "In the yard.", ("where can I leave my bike", "bicycle")),
        Answer("other", "No stairs anywhere.", ("step-free",)),
    ),
)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("is apple pay ok", Topic.OTHER),
        ("apple pay?", Topic.OTHER),
        ("what about a bicycle", Topic.PARKING),
        ("I have a question about a bicycle", Topic.PARKING),
        ("I have a question about step free", Topic.OTHER),
        ("what about step-free?", Topic.OTHER),
    ],
)
def test_what_the_clinics_file_answers_is_a_question_with_its_topic(text: str, topic: Topic) -> None:
    found = INTERPRETER.interpret(text, Listening(OWN, NOW, "en")).commands

    assert [each.topic for each in found if isinstance(each, say.AskClinic)] == [topic]


def test_each_question_of_an_utterance_is_asked() -> None:
    found = INTERPRETER.interpret("can I use apple pay and what's the address", Listening(OWN, NOW, "en")).commands

    assert [each.topic for each in found if isinstance(each, say.AskClinic)] == [Topic.OTHER, Topic.ADDRESS]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("with Dr. Wanda K. Quist please", "Dr. Wanda K. Quist"),
        ("I'd like to see Dr Quist Tuesday", "Dr Quist"),
        ("Is Doctor Wanda Quist in?", "Doctor Wanda Quist"),
    ],
)
def test_a_strangers_name_is_followed_to_its_end(text: str, name: str) -> None:
    found = [each for each in heard(text, asked=Asked.PRACTITIONER) if isinstance(each, say.GivePractitioner)]

    assert found == [say.GivePractitioner((), name)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Wanda Quist, please", "Wanda Quist"),
        ("wanda quist", "wanda quist"),
        ("I usually see Wanda Quist", "Wanda Quist"),
        ("Quist", "Quist"),
    ],
)
def test_a_stranger_named_when_asked_for_somebody_is_heard(text: str, name: str) -> None:
    assert say.GivePractitioner((), name) in heard(text, asked=Asked.PRACTITIONER)


def test_a_stranger_with_a_title_is_heard_where_a_service_has_that_word_in_its_name() -> None:
    visit = replace(ELM.services[0], id="service-visit", key="visit", name="Doctor's visit", aliases=("see a doctor",))
    clinic = replace(ELM, services=(*ELM.services, visit))

    found = INTERPRETER.interpret("I'd like to see Dr. Quist", Listening(clinic, NOW, "en")).commands

    assert say.GivePractitioner((), "Dr. Quist") in found


@pytest.mark.parametrize(
    "text", ["Tuesday works", "Anyone", "a cleaning", "No preference", "Whoever is free", "ok", "Physio please"]
)
def test_an_answer_without_a_name_names_no_stranger(text: str) -> None:
    assert "give_practitioner" not in names(text, asked=Asked.PRACTITIONER)


def test_a_sentence_that_ends_with_doctor_does_not_name_the_next_word() -> None:
    assert "give_practitioner" not in names("I should see a doctor. Would Friday work?")


@pytest.mark.parametrize(
    ("text", "relation", "person"),
    [
        ("my daughter, Ida, has a cough", Relation.CHILD, "Ida"),
        ("my son otto has to come in too", Relation.CHILD, "Otto"),
        ("can my husband Emil get a flu shot as well", Relation.PARTNER, "Emil"),
    ],
)
def test_whoever_is_named_after_the_relation_is_whom_it_is_for(text: str, relation: Relation, person: str) -> None:
    assert say.BookFor(relation, person) in heard(text)


def test_a_greeting_names_nobody_to_book_for() -> None:
    assert heard("hello, my friend") == (say.Greet(),)


@pytest.mark.parametrize(
    "text",
    [
        "what's a good recipe for soup",
        "how do you say good morning in french",
        "block my debit card, it was stolen",
        "set an alarm for seven",
        "roll a die",
        "reserve a table for six at the steakhouse",
        "when was my truck last serviced",
        "turn the kitchen lights off",
        "how many kilometers are 3 miles",
    ],
)
def test_other_trades_business_is_none_of_the_clinics(text: str) -> None:
    assert heard(text) == (say.OutOfScope("other"),)


@pytest.mark.parametrize(
    "text",
    [
        "do you take credit cards",
        "my flight was cancelled, I need to move my appointment",
        "I burned my hand on the oven and need to be seen",
        "I have a meeting at 3, can I come at 4 on Friday",
        "can I bring my dog along",
        "I was in a car crash and my neck hurts",
        "I'm on vacation until the 20th, book me a cleaning after that",
        "put me on the waiting list",
        "remind me when my appointment is",
        "can I park my car there",
    ],
)
def test_a_word_of_another_trade_in_a_patients_story_rejects_nothing(text: str) -> None:
    assert "out_of_scope" not in names(text)


SOMEBODY = (Option(practitioner_key="lee", text="Dr. Mina Lee"),)
SOME_TIME = (Option(starts=datetime(2027, 3, 15, 9, 0), practitioner_key="lee"),)  # noqa: DTZ001 -- as above


def test_taking_the_person_who_was_offered_and_wishing_for_a_visit_are_two_things() -> None:
    assert names("great, make me an appointment", asked=Asked.YES_NO, offered=SOMEBODY) == {"affirm", "start_booking"}


def test_wishing_for_a_visit_at_the_time_that_was_offered_only_takes_it() -> None:
    assert names("great, make me an appointment", asked=Asked.YES_NO, offered=SOME_TIME) == {"affirm"}


@pytest.mark.parametrize("text", ["please change the appointment to 4 pm", "make the appointment at 4 pm instead"])
def test_changing_what_is_read_back_names_no_visit_they_have(text: str) -> None:
    found = heard(text, asked=Asked.YES_NO)
    times = [each for each in found if isinstance(each, say.GiveTime)]

    assert "start_reschedule" not in {each.name for each in found}
    assert [(each.wish.at_minute, each.of_visit) for each in times] == [(16 * 60, False)]


def test_sorry_before_an_answer_asks_for_no_repetition() -> None:
    assert "repeat" not in names("sorry, I don't know", asked=Asked.WHEN)
    assert heard("sorry?") == (say.Repeat(),)


@pytest.mark.parametrize(
    "text",
    [
        "what does it cost before I go with it",
        "it would be better on Monday",
        "can I try that again",
        "the doctor is late",
        "which one is the better option",
        "can we do it later",
        "that sounds like a lot",
        "I don't like that one",
    ],
)
def test_what_only_sounds_like_a_yes_agrees_to_nothing(text: str) -> None:
    assert "affirm" not in names(text, asked=Asked.YES_NO)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I forget what time my appointment is", "stop"),
        ("cancel the procedure on Monday", "stop"),
        ("can any doctor see me today", "unsure"),
        ("this afternoon if it is possible", "unsure"),
        ("I need to talk to you about my results", "goodbye"),
        ("are you good with children", "greet"),
        ("my phone number is 212 555 0147", "ask_clinic"),
        ("my address is 5 Pine Road", "ask_clinic"),
    ],
)
def test_words_within_a_wish_or_a_story_steer_nothing(text: str, name: str) -> None:
    assert name not in names(text)
