"""Details that patients give where nobody asked for them, or in another form than was asked for."""

import json
from dataclasses import replace
from datetime import date, datetime

import pytest

from booking.values import Catalogue
from dialog import commands as say
from dialog.interpreter import Asked, Listening, Option
from dialog.understanding.lines import understand_line
from dialog.understanding.local import LocalInterpreter
from kernel.errors import Malformed
from tests.support.clinics import a_service, elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime.fromisoformat("2027-03-10T10:00")
INTERPRETER = LocalInterpreter()
ELM = elm_catalogue()
AT_NINE = (Option(datetime.fromisoformat("2027-03-12T09:00")),)


def heard(
    text: str, *, asked: Asked = Asked.WHAT_TO_DO, catalogue: Catalogue = ELM, offered: tuple[Option, ...] = ()
) -> tuple[say.Command, ...]:
    listening = Listening(catalogue=catalogue, now=NOW, asked=asked, offered=offered)
    return INTERPRETER.interpret(text, listening).commands


def kinds(text: str, *, asked: Asked = Asked.WHAT_TO_DO, offered: tuple[Option, ...] = ()) -> set[str]:
    return {one.name for one in heard(text, asked=asked, offered=offered)}


def keys_heard(text: str, catalogue: Catalogue = ELM) -> list[tuple[str, ...]]:
    return [one.keys for one in heard(text, catalogue=catalogue) if isinstance(one, say.GiveService)]


@pytest.mark.parametrize(
    ("said", "born"),
    [
        ("december ninth nineteen seventy six", date(1976, 12, 9)),
        ("march third two thousand three", date(2003, 3, 3)),
        ("12/9/76", date(1976, 12, 9)),
        ("May 2nd 1984", date(1984, 5, 2)),
    ],
)
@pytest.mark.parametrize("asked", [Asked.YES_NO, Asked.CHOICE, Asked.NAME])
def test_a_date_of_long_ago_is_a_date_of_birth_whatever_was_asked(said: str, born: date, asked: Asked) -> None:
    assert heard(said, asked=asked) == (say.GiveBirthDate(born),)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("rosa maría de la cruz hernández", "Rosa María De La Cruz Hernández"),
        ("rosa maria de la cruz hernandez 22 de agosto de 1988", "Rosa Maria De La Cruz Hernandez"),
        ("juan carlos perez lopez 5/6/80", "Juan Carlos Perez Lopez"),
        ("me llamo maría dolores garcía", "María Dolores García"),
        ("juan molina", "Juan Molina"),
        ("soy juan de la torre", "Juan De La Torre"),
        ("juan un momento", "Juan"),
    ],
)
def test_a_name_is_heard_whole_however_many_words_it_has_and_whatever_else_they_mean(said: str, name: str) -> None:
    listening = Listening(catalogue=ELM, now=NOW, language="es", asked=Asked.NAME)
    commands = INTERPRETER.interpret(said, listening).commands

    assert [one.value for one in commands if isinstance(one, say.GiveName)] == [name]


@pytest.mark.parametrize("said", ["it's April 26th 1984", "It is April 26, 1984", "I am April 26th 1984"])
def test_the_month_of_a_date_of_birth_is_nobodys_name(said: str) -> None:
    assert heard(said, asked=Asked.BIRTH_DATE) == (say.GiveBirthDate(date(1984, 4, 26)),)


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("september fifth nineteen find two", say.GiveBirthDate(None, month=9, day=5)),
        ("it was nineteen forty two", say.GiveBirthDate(None, year=1942)),
        ("in 1942", say.GiveBirthDate(None, year=1942)),
        ("while eleventh nineteen three", say.GiveBirthDate(None, is_sure=False)),
        ("June 31st 1990", say.GiveBirthDate(None)),
    ],
)
def test_of_a_date_of_birth_what_arrived_is_kept(said: str, part: say.GiveBirthDate) -> None:
    assert heard(said, asked=Asked.BIRTH_DATE) == (part,)


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("no, the date of birth is september fifth nineteen forty two", say.GiveBirthDate(date(1942, 9, 5))),
        ("no I was born in nineteen forty two", say.GiveBirthDate(None, year=1942)),
        ("that's not my date of birth", say.Correct("birth-date")),
        ("no, my birthday is wrong", say.Correct("birth-date")),
    ],
)
def test_a_date_of_birth_is_put_right_at_the_read_back(said: str, right: say.Command) -> None:
    assert right in heard(said, asked=Asked.YES_NO)


@pytest.mark.parametrize("said", ["actually it's for Ophelia Larkin", "no sorry it's for ophelia larkin"])
def test_whose_visit_it_is_can_be_put_right_at_the_read_back(said: str) -> None:
    assert say.GiveName("Ophelia Larkin") in heard(said, asked=Asked.YES_NO)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("abigail oh kowalski please", "Abigail Kowalski"),
        ("abigail uh kowalski", "Abigail Kowalski"),
        ("Jean-Luc O'Neil", "Jean-Luc O'Neil"),
        ("well lopez", "Lopez"),
    ],
)
def test_a_sound_between_names_is_none(said: str, name: str) -> None:
    assert heard(said, asked=Asked.NAME) == (say.GiveName(name),)


@pytest.mark.parametrize("said", ["give the me a person", "i don't want talk to a machine give the me person"])
@pytest.mark.parametrize("asked", [Asked.WHAT_TO_DO, Asked.ANYTHING_ELSE])
def test_a_person_is_asked_for_however_the_line_garbles_it(said: str, asked: Asked) -> None:
    assert kinds(said, asked=asked) == {"ask_human"}


@pytest.mark.parametrize(
    "said",
    [
        "do I need to do anything before a cleaning?",
        "wait do i need to do anything before an annual physical",
        "is there anything I should do before the cleaning",
    ],
)
def test_what_to_do_before_a_visit_is_asked_and_not_wished(said: str) -> None:
    asked = [one.topic for one in heard(said, asked=Asked.CHOICE) if isinstance(one, say.AskClinic)]

    assert asked == [say.Topic.PREPARATION]


@pytest.mark.parametrize("said", ["It's for Dental Cleaning", "no, it's for Monday", "it's for me"])
def test_what_a_visit_is_for_is_nobodys_name(said: str) -> None:
    assert "give_name" not in kinds(said, asked=Asked.WHAT_TO_DO)


@pytest.mark.parametrize(
    "said",
    [
        "she took a whole bottle off pills",
        "she uh took a whole bottle so of pills",
        "he swallowed a hole box of tablets",
        "my son ate the entire pack of painkillers",
    ],
)
def test_a_bottle_of_pills_is_an_emergency_however_the_line_garbles_it(said: str) -> None:
    assert kinds(said) == {"emergency"}


def test_when_i_am_booked_in_asks_for_the_visit() -> None:
    assert kinds("Can you tell me when I'm booked in?") == {"ask_appointments"}


@pytest.mark.parametrize(
    "said", ["I have a cleaning booked and would like to push it", "hi, i've got a filling scheduled, can I change it"]
)
def test_what_is_booked_already_is_moved_and_not_booked_again(said: str) -> None:
    assert {"start_reschedule", "give_service"} <= kinds(said)
    assert "start_booking" not in kinds(said)


@pytest.mark.parametrize("said", ["march sixteenth nine thirty", "march twenty five two thirty", "3/12/27 at 10"])
def test_a_day_that_is_to_come_is_no_date_of_birth(said: str) -> None:
    assert say.GiveBirthDate not in {type(one) for one in heard(said, asked=Asked.WHEN)}


@pytest.mark.parametrize(
    "said",
    [
        "cleaning friday 10am ann smith 5/2/84",
        "flu shot monday, ann smith, dob 5/2/1984",
        "cleaning Ann Smith 2125550123",
    ],
)
def test_a_name_beside_a_date_of_birth_or_a_number_needs_no_announcing(said: str) -> None:
    assert say.GiveName("Ann Smith") in heard(said, asked=Asked.WHAT_TO_DO)


def test_a_name_and_nothing_else_is_heard_at_any_question_that_is_not_answered_with_one() -> None:
    assert heard("Grace Hopper", asked=Asked.YES_NO) == (say.GiveName("Grace Hopper"),)
    assert say.GiveName("Grace Hopper") not in heard("Grace Hopper", asked=Asked.PRACTITIONER)


@pytest.mark.parametrize(
    "said", ["my name is <svg onload=x> Bobby", "Robert'); DROP TABLE patients;--", "Bob123 Smith", "{{name}}"]
)
def test_what_nobody_writes_in_a_name_is_taken_for_none(said: str) -> None:
    assert say.GiveName not in {type(one) for one in heard(said, asked=Asked.NAME)}


def test_a_reason_of_words_said_about_any_visit_is_meant_only_by_all_of_them() -> None:
    catalogue = elm_catalogue()
    again = a_service("follow-up", "Follow-up visit", reasons=("see how it is going",))
    catalogue = replace(catalogue, services=(*catalogue.services, again))

    assert keys_heard("I have a cough, can I see Dr Patel", catalogue) == [("sick-visit",)]
    assert keys_heard("I want to see how it is going", catalogue) == [("follow-up",)]


@pytest.mark.parametrize(
    "text", ["is Dr Lee married", "does Dr Lee have kids", "how old is Dr Lee", "where did Dr Lee go to school"]
)
def test_what_is_asked_of_a_person_beyond_visits_is_a_question_for_staff(text: str) -> None:
    assert heard(text) == (say.AskClinic(say.Topic.OTHER, text),)


@pytest.mark.parametrize(
    "text", ["is Dr Lee free on friday", "does Dr Lee have anything on friday", "is Dr Lee in on friday"]
)
def test_what_is_asked_of_a_persons_time_is_no_such_question(text: str) -> None:
    assert not any(isinstance(one, say.AskClinic) and one.topic is say.Topic.OTHER for one in heard(text))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("I need a cleaning and a flu shot", [("cleaning",), ("flu-shot",)]),
        ("blood work and a physical on friday", [("blood-test",), ("physical",)]),
        ("a cough and a fever", [("sick-visit",)]),
    ],
)
def test_two_services_joined_by_and_are_two_wishes(text: str, keys: list[tuple[str, ...]]) -> None:
    assert keys_heard(text) == keys


@pytest.mark.parametrize(("text", "minute"), [("I meant 10", 600), ("Change the time to 4", 960)])
def test_a_bare_number_in_a_correction_of_a_time_is_a_time(text: str, minute: int) -> None:
    found = heard(text, asked=Asked.YES_NO, offered=AT_NINE)

    assert [one.wish.at_minute for one in found if isinstance(one, say.GiveTime)] == [minute]


def test_a_story_of_what_happened_is_no_wish_for_when_it_happened() -> None:
    story = "I was helping my brother in law move a couch last weekend and something went in my lower back"

    assert {one.name for one in heard(story)} == {"start_booking", "give_service"}


def test_bringing_somebody_is_no_bringing_forward() -> None:
    assert kinds("I want to bring my son in for a checkup") == {"start_booking", "book_for", "give_service"}
    assert kinds("I need to bring my appointment forward") == {"start_reschedule"}


def test_yeah_no_is_no_yes() -> None:
    assert kinds("yeah no", asked=Asked.YES_NO, offered=AT_NINE) == {"deny"}
    assert kinds("yeah no that's fine", asked=Asked.YES_NO, offered=AT_NINE) == {"affirm", "deny"}
    assert kinds("yes no problem", asked=Asked.YES_NO, offered=AT_NINE) == {"affirm"}


def test_swearing_hides_no_question() -> None:
    assert kinds("are you a stupid robot") == {"ask_if_bot"}


def test_a_weekday_behind_a_relative_is_a_day() -> None:
    assert "give_time" in kinds("a checkup for me and my husband friday")
    assert "give_time" not in kinds("a checkup for my daughter April")


def test_an_offered_thing_that_is_no_option_is_told_of_in_one_line() -> None:
    line = json.dumps({"text": "yes", "now": "2027-03-10T10:00", "zone": "America/New_York", "offered": [5]})

    with pytest.raises(Malformed, match="option"):
        understand_line(line, interpreter=INTERPRETER, catalogue=ELM)
