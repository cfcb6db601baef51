"""What a language model may add to the local interpretation, and what it may not."""

# ruff: noqa: DTZ001 -- times here are wall time at the clinic

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import pytest

from dialog.commands import (
    Affirm,
    AnyPractitioner,
    AskClinic,
    AskHuman,
    BookFor,
    Choose,
    Command,
    Correct,
    Deny,
    Emergency,
    GiveBirthDate,
    GiveLocation,
    GivePhone,
    GivePractitioner,
    GiveService,
    GiveTime,
    Greet,
    OutOfScope,
    RefusePractitioner,
    Relation,
    StartBooking,
    StartCancel,
    StartReschedule,
    Thank,
    Topic,
)
from dialog.interpreter import Asked, Interpretation, Listening, Option
from dialog.model_interpreter import CircuitBreaker, ModelInterpreter
from dialog.timewords import ClockRange, DayRange, TimeWish
from kernel.errors import Malformed, Unavailable
from tests.support.clinics import elm_catalogue
from tests.support.language_models import ScriptedModel, understood

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 10, 0)  # a Wednesday
HERE = Listening(elm_catalogue(), NOW)
TOMORROW_AFTERNOON = TimeWish(
    days=(DayRange(date(2027, 3, 11), date(2027, 3, 12)),), clocks=(ClockRange(12 * 60, 18 * 60),)
)


class Ticking:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class LocalThatFound:
    """A local interpreter with one finding, which takes `takes_s` of the clock."""

    found: Interpretation
    clock: Ticking = field(default_factory=Ticking)
    takes_s: float = 0.0

    def interpret(self, text: str, listening: Listening, *, deadline_s: float) -> Interpretation:
        self.clock.at += self.takes_s
        return self.found


def found(*commands: Command, confidence: float = 0.0, open_words: str = "") -> Interpretation:
    return Interpretation(commands, "en", confidence, open_words)


NOTHING_FOUND = found(open_words="what was said")


def interpreted(
    text: str, *answers: dict[str, Any] | Exception, local: Interpretation = NOTHING_FOUND, listening: Listening = HERE
) -> Interpretation:
    interpreter = ModelInterpreter(local=LocalThatFound(local), model=ScriptedModel(*answers), monotonic=Ticking())
    return interpreter.interpret(text, listening, deadline_s=4)


# When it is asked.


@pytest.mark.parametrize(
    "local",
    [
        found(StartBooking(), confidence=1.0),
        found(StartBooking(), confidence=0.8, open_words="please"),
        found(Emergency(), confidence=0.2, open_words="all of this is open"),
        found(GiveBirthDate(None), confidence=0.3, open_words="all of this is open"),
        found(GivePhone("+12125550123"), confidence=0.3, open_words="all of this is open"),
    ],
)
def test_the_model_is_not_asked_when_all_is_clear_or_urgent_or_personal(local: Interpretation):
    assert interpreted("never mind what", local=local) == local


@pytest.mark.parametrize("asked", [Asked.NAME, Asked.SPELL_NAME, Asked.BIRTH_DATE, Asked.PHONE, Asked.MESSAGE])
def test_the_model_is_not_asked_what_an_answer_about_the_patient_means(asked: Asked):
    assert interpreted("Ann Smith", listening=replace(HERE, asked=asked)) == NOTHING_FOUND


@pytest.mark.parametrize(
    "local",
    [
        found(),
        found(Greet(), confidence=0.6),
        found(GiveTime(TimeWish(flexible=True)), confidence=0.9, open_words="three more words"),
    ],
)
def test_the_model_is_asked_when_something_is_open(local: Interpretation):
    assert StartBooking() in interpreted("fit me in", understood("start_booking"), local=local).commands


def test_a_conversation_that_spent_its_tokens_goes_on_without_the_model():
    assert interpreted("fit me in", listening=replace(HERE, tokens_left=2000)) == NOTHING_FOUND


def test_the_tokens_of_an_answer_are_told():
    assert interpreted("fit me in", understood("start_booking")).tokens == 1560


def test_the_model_gets_the_time_that_the_local_interpreter_left():
    clock = Ticking()
    model = ScriptedModel(understood("start_booking"))
    local = LocalThatFound(NOTHING_FOUND, clock=clock, takes_s=1.5)

    ModelInterpreter(local=local, model=model, monotonic=clock).interpret("fit me in", HERE, deadline_s=4)

    assert model.deadlines_s == [2.5]


def test_the_model_is_not_asked_when_no_time_is_left():
    clock = Ticking()
    local = LocalThatFound(NOTHING_FOUND, clock=clock, takes_s=3.9)

    interpretation = ModelInterpreter(local=local, model=ScriptedModel(), monotonic=clock).interpret(
        "fit me in", HERE, deadline_s=4
    )

    assert interpretation == NOTHING_FOUND


# What it may add.


@pytest.mark.parametrize(
    ("text", "answer", "commands"),
    [
        ("my gnashers want a polish", understood("start_booking", service="cleaning"), (StartBooking(), GiveService(("cleaning",)))),
        ("i'd take riuz", understood(practitioner="ruiz"), (GivePractitioner(("ruiz",)),)),
        ("leave that lee person out of it", understood(refused_practitioner="lee"), (RefusePractitioner(("lee",)),)),
        ("the one on riverseid", understood(location="riverside"), (GiveLocation(("riverside",)),)),
        ("can i leave the motor", understood("ask_clinic", topic="parking"), (AskClinic(Topic.PARKING, text="can i leave the motor"),)),
        ("do you do that", understood("ask_clinic", topic="other"), (AskClinic(Topic.OTHER, text="do you do that"),)),
        ("whoever", understood("any_practitioner"), (AnyPractitioner(),)),
        ("for the little one", understood(for_whom="child"), (BookFor(Relation.CHILD),)),
        ("is it bad", understood("ask_medical_advice"), (OutOfScope(kind="advice"),)),
        ("scrap it", understood("start_cancel", "start_cancel"), (StartCancel(),)),
    ],
)  # fmt: skip
def test_what_the_model_understood_becomes_commands(text: str, answer: dict[str, Any], commands: tuple[Command, ...]):
    interpretation = interpreted(text, answer)

    assert interpretation.commands == commands
    assert interpretation.confidence == 0.8


def test_a_place_that_was_not_named_is_found_only_by_who_was_asked_for_one():
    answer = understood(location="riverside")

    assert interpreted("the one across the water", answer).commands == ()
    assert interpreted("the one across the water", answer, listening=replace(HERE, asked=Asked.LOCATION)).commands == (
        GiveLocation(("riverside",)),
    )


def test_a_question_about_nothing_is_none():
    assert interpreted("my gnashers want a polish", understood("ask_clinic")).commands == ()


def test_a_phrase_about_time_is_read_by_code_against_the_clock():
    interpretation = interpreted("eh tomorrow afternoon like", understood(time_phrases=["tomorrow afternoon"]))

    assert interpretation.commands == (GiveTime(TOMORROW_AFTERNOON, text="tomorrow afternoon"),)


def test_a_phrase_about_time_that_code_cannot_read_is_asked_about():
    [command] = interpreted("when the kids are back", understood(time_phrases=["when the kids are back"])).commands

    assert command == GiveTime(TimeWish(), text="when the kids are back", unresolved=("when the kids are back",))


def test_the_model_completes_a_sure_interpretation_without_changing_it():
    local = found(GiveTime(TOMORROW_AFTERNOON), confidence=0.8, open_words="polish my gnashers then")

    interpretation = interpreted(
        "tomorrow afternoon polish my gnashers then", understood("start_booking", service="cleaning"), local=local
    )

    assert interpretation.commands == (GiveTime(TOMORROW_AFTERNOON), StartBooking(), GiveService(("cleaning",)))


def test_the_model_does_not_turn_a_sure_intent_into_another():
    local = found(StartReschedule(), confidence=0.7, open_words="a few words more")

    assert interpreted("move it a few words more", understood("start_cancel"), local=local).commands == (
        StartReschedule(),
    )


def test_the_intent_of_an_unsure_interpretation_gives_way_and_its_facts_stay():
    local = found(StartBooking(), GiveService(("flu-shot",)), confidence=0.3, open_words="call off")

    interpretation = interpreted("call off the flu shot", understood("start_cancel"), local=local)

    assert interpretation.commands == (GiveService(("flu-shot",)), StartCancel())


def test_the_model_picks_among_several_that_could_be_meant():
    local = found(GivePractitioner(("ben-carter", "carter"), text="carter"), confidence=0.5)

    interpretation = interpreted("carter the skin one", understood(practitioner="carter"), local=local)

    assert interpretation.commands == (GivePractitioner(("carter",), text="carter"),)


def test_the_model_does_not_find_a_person_for_a_name_that_nobody_here_has():
    local = found(GivePractitioner((), text="Dr. Leeson"), confidence=0.5)

    assert interpreted("Dr. Leeson", understood(practitioner="lee"), local=local).commands == local.commands


def test_a_model_that_is_not_certain_leaves_a_confidence_that_makes_the_agent_ask():
    assert interpreted("the thing", understood("start_booking", confidence="low")).confidence < 0.5


# What it may not.


def test_a_key_that_is_not_the_clinics_is_ignored():
    answer = understood("start_booking", service="botox", practitioner="house", location="mars")

    assert interpreted("botox with house on mars", answer).commands == (StartBooking(),)


def test_a_practitioner_whom_the_patient_did_not_name_is_ignored():
    answer = understood("start_booking", practitioner="lee")

    assert interpreted("get me in somewhere", answer).commands == (StartBooking(),)


def test_a_practitioner_whom_the_patient_refused_is_not_wanted_on_the_models_word():
    local = found(RefusePractitioner(("lee",)), confidence=0.5)

    assert interpreted("no way to lee", understood(practitioner="lee"), local=local).commands == local.commands


def test_a_time_the_patient_did_not_say_is_ignored():
    assert interpreted("some time", understood(time_phrases=["2027-03-12", "Friday at 9"])) == replace(
        NOTHING_FOUND, tokens_in=1500, tokens_out=60
    )


@pytest.mark.parametrize("option", [-1, 3, 99])
def test_an_option_that_was_not_offered_is_ignored(option: int):
    listening = replace(HERE, asked=Asked.CHOICE, offered=(Option(text="one"), Option(text="two")))

    assert interpreted("that one", understood(option=option), listening=listening).commands == ()


def test_an_option_counts_from_zero_for_the_dialog():
    listening = replace(HERE, asked=Asked.CHOICE, offered=(Option(text="one"), Option(text="two")))

    assert interpreted("the latter", understood(option=2), listening=listening).commands == (Choose(1),)


@pytest.mark.parametrize("intent", ["affirm", "deny", "confirm_visit"])
def test_yes_and_no_to_a_read_back_are_never_the_models(intent: str):
    assert interpreted("go on then", understood(intent), listening=replace(HERE, asked=Asked.YES_NO)).commands == ()


def test_a_correction_at_a_read_back_is_heard():
    listening = replace(HERE, asked=Asked.YES_NO)

    interpretation = interpreted(
        "tomorrow afternoon though", understood("correct", time_phrases=["tomorrow afternoon"]), listening=listening
    )

    assert interpretation.commands == (Correct(), GiveTime(TOMORROW_AFTERNOON, text="tomorrow afternoon"))


def test_a_second_answer_never_joins_the_one_that_was_heard():
    local = found(Deny(), confidence=0.6)

    assert interpreted("no way", understood("affirm"), local=local).commands == (Deny(),)
    assert interpreted("yeah", understood("deny", option=1), local=found(Affirm(), confidence=0.4)).commands == (
        Affirm(),
    )


@pytest.mark.parametrize("asked", [Asked.WHEN, Asked.CHOICE, Asked.SERVICE])
def test_an_answer_on_the_way_does_not_begin_a_second_booking(asked: Asked):
    answer = understood("start_booking", "start_reschedule", "thank")

    assert interpreted("so be it", answer, listening=replace(HERE, asked=asked)).commands == (Thank(),)


@pytest.mark.parametrize("intent", ["start_cancel", "confirm_visit", "start_over", "stop", "goodbye", "ask_human"])
def test_no_model_leads_away_from_what_is_under_way(intent: str):
    listening = replace(HERE, asked=Asked.WHEN)

    assert interpreted("so be it", understood(intent), listening=listening).commands == ()
    assert interpreted("so be it", understood(intent)).commands != ()


@pytest.mark.parametrize("details", [{"service": "filling"}, {"for_whom": "child"}])
def test_on_the_way_no_model_changes_what_was_not_named(details: dict[str, Any]):
    listening = replace(HERE, asked=Asked.CHOICE)

    assert interpreted("so be it", understood(**details), listening=listening).commands == ()
    assert interpreted("so be it", understood(**details)).commands != ()


def test_words_that_are_no_time_are_asked_about_only_where_they_may_be_one():
    answer = understood(time_phrases=["when the fair is on"])
    asked = {each: replace(HERE, asked=each) for each in (Asked.WHEN, Asked.CHOICE)}

    assert interpreted("when the fair is on", answer, listening=asked[Asked.CHOICE]).commands == ()
    assert interpreted("when the fair is on", answer, listening=asked[Asked.WHEN]).commands != ()


def test_on_the_way_a_model_may_find_what_was_named():
    answer = understood(service="filling", location="riverside")
    listening = replace(HERE, asked=Asked.CHOICE)

    assert interpreted("rather the fillling down by riversyde", answer, listening=listening).commands == (
        GiveService(("filling",)),
        GiveLocation(("riverside",)),
    )


def test_an_emergency_that_only_the_model_suspects_brings_a_person():
    assert interpreted("he has gone all grey", understood("medical_emergency")).commands == (AskHuman(),)


# When it fails.


@pytest.mark.parametrize("error", [Unavailable("slow"), Malformed("nonsense")])
def test_a_failing_model_leaves_the_local_interpretation(error: Exception):
    local = found(Greet(), confidence=0.4)

    assert interpreted("hello there you", error, local=local) == local


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"intents": ["start_booking"]},
        understood("fly_to_the_moon"),
        understood(confidence="very"),
        understood(topic="weather"),
        understood(for_whom="dog"),
        understood(option="second"),
        understood() | {"intents": "start_booking"},
        understood() | {"service": None},
        understood() | {"time_phrases": [1]},
    ],
)
def test_an_answer_in_another_form_leaves_the_local_interpretation(answer: dict[str, Any]):
    local = found(Greet(), confidence=0.4)

    assert interpreted("hello there you", answer, local=local).commands == (Greet(),)


def test_after_three_failures_in_a_row_the_model_rests_for_a_minute():
    clock = Ticking()
    model = ScriptedModel(Unavailable("1"), Unavailable("2"), {}, understood("stop"), Unavailable("5"))
    interpreter = ModelInterpreter(local=LocalThatFound(NOTHING_FOUND), model=model, monotonic=clock)

    def asked_then() -> int:
        interpreter.interpret("hm", HERE, deadline_s=4)
        return len(model.questions)

    assert [asked_then() for _ in range(5)] == [1, 2, 3, 3, 3]
    clock.at += 61
    assert [asked_then(), asked_then()] == [4, 5]  # it recovered, so that one failure more is not too many


def test_after_the_rest_one_trial_goes_through_at_a_time():
    clock = Ticking()
    breaker = CircuitBreaker(monotonic=clock)
    for _ in range(3):
        breaker.failed()
    clock.at += 60

    assert [breaker.lets_through(), breaker.lets_through()] == [True, False]


def test_a_failed_trial_begins_another_rest():
    clock = Ticking()
    breaker = CircuitBreaker(monotonic=clock)
    for _ in range(3):
        breaker.failed()
    clock.at += 60
    breaker.lets_through()
    breaker.failed()
    clock.at += 59

    assert not breaker.lets_through()
