"""What hurried people say in one breath: two wishes that are one, words that only sound grave, figures without a cue."""

from datetime import date, datetime, timedelta

import pytest

from dialog import commands as say
from dialog.interpreter import Asked, Listening, Option
from dialog.understanding.local import LocalInterpreter
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime.fromisoformat("2027-03-10T10:00")
INTERPRETER = LocalInterpreter()
ELM = elm_catalogue()


def heard(text: str, *, asked: Asked = Asked.NOTHING, offered: tuple[Option, ...] = ()) -> tuple[say.Command, ...]:
    return INTERPRETER.interpret(text, Listening(catalogue=ELM, now=NOW, asked=asked, offered=offered)).commands


def kinds(text: str, *, asked: Asked = Asked.NOTHING) -> list[str]:
    return [one.name for one in heard(text, asked=asked)]


@pytest.mark.parametrize(
    "said",
    [
        "flu shot in the evening at 9pm",
        "can I get my shot in the arm next week",
        "thanks for fitting me in",
        "I think I have food poisoning",
        "I can't breathe through my nose",
        "I cut myself shaving yesterday",
        "I hurt myself playing soccer",
        "I need a lot of blood tests",
        "my mother needs physio after a stroke",
        "I'm drowning in work, can I move Tuesday",
        "can we run over the prices again",
    ],
)
def test_words_that_only_sound_grave_are_no_emergency(said: str) -> None:
    assert say.Emergency.name not in kinds(said)


@pytest.mark.parametrize(
    "said",
    [
        "I was shot in the leg",
        "somebody shot him",
        "my son is fitting",
        "I swallowed poison",
        "he can't breathe",
        "I want to hurt myself",
        "she keeps cutting herself",
        "there is a lot of blood",
        "my father is having a stroke",
        "my dad got run over",
        "my kid is drowning",
        "I feel like hurting myself",
    ],
)
def test_what_is_grave_is_an_emergency_however_near_to_harmless_words(said: str) -> None:
    assert kinds(said) == [say.Emergency.name]


@pytest.mark.parametrize(
    "said",
    [
        "cancel my Tuesday cleaning and get me another one the week after",
        "cancel my cleaning on Tuesday and book me a new one next week",
        "cancel Tuesday and book next Friday",
        "I need to cancel Tuesday. Can I come Friday at 3 instead?",
        "I'd like to cancel my Tuesday appointment, what do you have on Friday",
    ],
)
def test_a_visit_cancelled_for_another_time_is_moved(said: str) -> None:
    commands = heard(said)

    times = [one for one in commands if isinstance(one, say.GiveTime)]
    assert commands[0] == say.StartReschedule()
    assert not any(isinstance(one, (say.StartBooking, say.StartCancel)) for one in commands)
    assert [(sorted(one.wish.weekdays), one.of_visit) for one in times if one.of_visit] == [([1], True)]
    assert sum(not one.of_visit for one in times) == 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "cancel my cleaning and book me a blood test",
            ["start_cancel", "give_service", "start_booking", "give_service"],
        ),
        ("cancel my appointment and book one for my son", ["start_cancel", "start_booking", "book_for"]),
        ("cancel my appointment and find me another doctor", ["start_cancel", "more_options"]),
    ],
)
def test_another_wish_beside_a_cancellation_is_one_of_its_own(said: str, expected: list[str]) -> None:
    assert kinds(said) == expected


@pytest.mark.parametrize("asked", [Asked.WHEN, Asked.CHOICE, Asked.YES_NO])
@pytest.mark.parametrize("said", ["3/22/2027", "03-22-2027", "2027-03-22"])
def test_a_date_in_figures_is_no_telephone_number(said: str, asked: Asked) -> None:
    (command,) = heard(said, asked=asked)

    assert isinstance(command, say.GiveTime)
    assert command.wish.days[0].first == date(2027, 3, 22)


@pytest.mark.parametrize(
    ("said", "born"),
    [
        ("oh three oh three nineteen ninety one", date(1991, 3, 3)),
        ("zero five zero two eighty four", date(1984, 5, 2)),
        ("one two three one nineteen fifty nine", date(1959, 12, 31)),
        ("oh five twelve nineteen ninety one", date(1991, 5, 12)),
    ],
)
def test_a_date_of_birth_is_read_digit_by_digit(said: str, born: date) -> None:
    assert heard(said, asked=Asked.BIRTH_DATE) == (say.GiveBirthDate(born),)


def test_a_wish_is_no_answer_to_the_question_for_a_date_of_birth() -> None:
    said = kinds("a cleaning with Dr. Lee on Tuesday at 10 am", asked=Asked.BIRTH_DATE)

    assert say.GiveBirthDate.name not in said
    assert {say.GiveService.name, say.GiveTime.name} <= set(said)


@pytest.mark.parametrize("said", ["book me another one next week", "get me one next week"])
def test_one_that_stands_for_the_visit_is_no_hour(said: str) -> None:
    (wish,) = [one.wish for one in heard(said) if isinstance(one, say.GiveTime)]

    assert wish.at_minute is None
    assert wish.days[0].first == date(2027, 3, 15)


@pytest.mark.parametrize(
    ("said", "asked", "name"),
    [
        ("S as in sugar, double e, new word, B as in boy, A, K E R", Asked.NAME, "See Baker"),
        ("J O N space S M Y T H E", Asked.NAME, "Jon Smythe"),
        ("O apostrophe B R I E N", Asked.NAME, "O'Brien"),
        ("first name J O, last name L E E", Asked.NAME, "Jo Lee"),
        ("sierra mike yankee tango hotel echo", Asked.BIRTH_DATE, "Smythe"),
        ("no, S M Y T H E", Asked.BIRTH_DATE, "Smythe"),
        ("no it's spelled S M Y T H E", Asked.YES_NO, "Smythe"),
        ("ess em why tee aitch ee", Asked.SPELL_NAME, "Smythe"),
    ],
)
def test_a_name_is_read_letter_by_letter_whatever_was_asked(said: str, asked: Asked, name: str) -> None:
    assert [one.value for one in heard(said, asked=asked) if isinstance(one, say.GiveName)] == [name]


@pytest.mark.parametrize("said", ["that's the wrong name", "you got my name wrong", "that's not my last name"])
def test_a_name_that_was_misheard_is_told_of(said: str) -> None:
    assert say.Correct("name") in heard(said, asked=Asked.YES_NO)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ok bye", ["goodbye"]),
        ("ok thanks bye", ["goodbye"]),
        ("yes bye", ["affirm", "goodbye"]),
        ("wait, before i say yes what does it cost", ["ask_clinic"]),
    ],
)
def test_a_word_that_only_rounds_things_off_is_no_yes(said: str, expected: list[str]) -> None:
    assert [one for one in kinds(said, asked=Asked.YES_NO) if one != "thank"] == expected


@pytest.mark.parametrize("said", ["before that, what does a cleaning cost?", "but first, what does a cleaning cost?"])
def test_what_leads_up_to_a_question_is_no_time(said: str) -> None:
    assert kinds(said, asked=Asked.WHEN) == ["ask_clinic", "give_service"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("and saturdays?", {"start_booking", "give_time", "ask_same"}),
        ("and a filling?", {"start_booking", "give_service", "ask_same"}),
        ("what about Dr. Lee", {"start_booking", "give_practitioner", "ask_same"}),
        ("and book me a filling", {"start_booking", "give_service"}),
    ],
)
def test_a_detail_behind_an_and_may_be_the_last_question_again(said: str, expected: set[str]) -> None:
    assert set(kinds(said)) == expected


@pytest.mark.parametrize("said", ["10", "ten"])
def test_a_bare_hour_at_the_read_back_is_another_time(said: str) -> None:
    (command,) = heard(said, asked=Asked.YES_NO)

    assert isinstance(command, say.GiveTime)
    assert command.wish.at_minute == 600


THREE = tuple(Option(datetime.fromisoformat(f"2027-03-15T{hour:02}:00"), "lee", "main") for hour in (9, 10, 14))


@pytest.mark.parametrize(
    ("said", "asked", "expected"),
    [
        ("no, a filling", Asked.CHOICE, {"give_service", "start_booking", "correct"}),
        ("no the second one", Asked.YES_NO, {"choose", "deny"}),
        ("actually the third one", Asked.YES_NO, {"choose", "correct"}),
        ("yes the second one", Asked.YES_NO, {"choose", "affirm"}),
    ],
)
def test_another_of_the_list_can_be_chosen_at_the_read_back(said: str, asked: Asked, expected: set[str]) -> None:
    assert {one.name for one in heard(said, asked=asked, offered=THREE)} == expected


def test_the_name_of_a_relative_is_none_of_our_people() -> None:
    said = heard("two cleanings for me and my husband mina lee next tuesday")

    assert not any(isinstance(one, say.GivePractitioner) for one in said)


def test_the_week_of_the_visit_and_one_of_the_list_are_told() -> None:
    assert {"start_reschedule", "give_time"} == set(kinds("I need to move it to another day that week"))
    assert {"start_reschedule", "choose", "give_time"} == {
        one.name for one in heard("move the first one to Wednesday", asked=Asked.ANYTHING_ELSE, offered=THREE)
    }


@pytest.mark.parametrize(
    "said", ["after the 20th of next month but before the 25th", "after April 20 but before the 25th"]
)
def test_a_limit_without_a_month_is_of_the_month_of_the_other(said: str) -> None:
    (wish,) = [one.wish for one in heard(said, asked=Asked.WHEN) if isinstance(one, say.GiveTime)]

    assert [(one.first, one.end) for one in wish.days] == [(date(2027, 4, 21), date(2027, 4, 25))]


def test_a_birthday_that_is_told_of_gives_no_date_of_birth() -> None:
    assert say.GiveBirthDate.name not in kinds("I want to come in the day after my birthday which is the 17th")


def test_what_a_doctor_is_to_be_told_is_a_message() -> None:
    assert say.LeaveMessage.name in kinds("can you tell dr lee I took the pills and feel better")


OFFERED = tuple(Option(starts=datetime.fromisoformat(f"2027-03-{day}T09:00")) for day in (15, 16, 17))


@pytest.mark.parametrize("asked", [Asked.CHOICE, Asked.YES_NO])
@pytest.mark.parametrize(
    ("said", "first", "end"),
    [
        ("that doesn't work, the twenty second please", date(2027, 3, 22), date(2027, 3, 23)),
        ("the twenty-first", date(2027, 3, 21), date(2027, 3, 22)),
        ("no the thirty first", date(2027, 3, 31), date(2027, 4, 1)),
        ("I need the week of November 1st", date(2027, 11, 1), date(2027, 11, 8)),
        ("the first of November", date(2027, 11, 1), date(2027, 11, 2)),
        ("the first week of April", date(2027, 3, 29), date(2027, 4, 5)),
    ],
)
def test_an_ordinal_in_a_longer_date_chooses_nothing(asked: Asked, said: str, first: date, end: date) -> None:
    commands = heard(said, asked=asked, offered=OFFERED)

    assert not any(isinstance(one, say.Choose) for one in commands)
    assert [(one.first, one.end) for each in commands if isinstance(each, say.GiveTime) for one in each.wish.days] == [
        (first, end)
    ]


@pytest.mark.parametrize(
    ("said", "index"),
    [("the second please", 1), ("the first one", 0), ("the first at nine", 0), ("first on Monday", 0)],
)
def test_an_ordinal_alone_or_before_a_time_chooses(said: str, index: int) -> None:
    assert heard(said, asked=Asked.CHOICE, offered=OFFERED) == (say.Choose(index),)


@pytest.mark.parametrize(
    "said",
    [
        "no, my name is howard sheffield",
        "no may name is howard sheffield",
        "no name howard sheffield",
        "no it's for howard sheffield",
        "no its four howard sheffield",
    ],
)
def test_a_name_put_right_at_the_read_back_is_heard_though_the_words_before_it_were_not(said: str) -> None:
    assert heard(said, asked=Asked.YES_NO, offered=OFFERED[:1]) == (say.Correct(), say.GiveName("Howard Sheffield"))


@pytest.mark.parametrize(
    "said", ["no the name is wrong", "no that's not the name", "no it's four thirty", "no name mina lee"]
)
def test_what_is_no_first_and_last_name_of_a_patient_is_taken_for_none_at_the_read_back(said: str) -> None:
    commands = heard(said, asked=Asked.YES_NO, offered=OFFERED[:1])

    assert not any(isinstance(one, say.GiveName) for one in commands)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("actually how much is that", ["ask_clinic"]),
        ("actually where is that again", ["repeat"]),
        ("actually make it ten", ["correct", "give_time"]),
        ("no, how much is it", ["deny", "ask_clinic"]),
    ],
)
def test_a_question_at_the_read_back_puts_nothing_right(said: str, expected: list[str]) -> None:
    assert kinds(said, asked=Asked.YES_NO) == expected


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("He needs his checkup moved", say.StartReschedule()),
        ("I'd like to have my cleaning moved", say.StartReschedule()),
        ("could her cleaning be rescheduled to friday", say.StartReschedule()),
        ("my husband can't make his cleaning, can we move it", say.StartReschedule()),
        ("she needs her cleaning cancelled", say.StartCancel()),
        ("I have an appointment on Monday but I can't get there", say.StartCancel(only_unable=True)),
        ("I've got a cleaning Monday and I'm unable to get there", say.StartCancel(only_unable=True)),
    ],
)
def test_what_a_visit_they_have_needs_is_no_new_visit(said: str, wanted: say.Command) -> None:
    assert wanted in heard(said)
    assert "start_booking" not in kinds(said)


@pytest.mark.parametrize(
    "said", ["u open saturday?", "are u guys open on sunday", "open sat?", "r u open now", "you open tomorrow?"]
)
def test_short_questions_about_hours_begin_no_booking(said: str) -> None:
    assert [one.topic for one in heard(said) if isinstance(one, say.AskClinic)] == [say.Topic.HOURS]
    assert "start_booking" not in kinds(said)


@pytest.mark.parametrize("said", ["Is the dentist a lady", "is the doctor a man or a woman", "is dr lee male"])
def test_who_somebody_is_is_no_question_about_services(said: str) -> None:
    assert [one.topic for one in heard(said) if isinstance(one, say.AskClinic)] == [say.Topic.GENDER]


@pytest.mark.parametrize(
    "said",
    [
        "hi im calling about Robert Jones, im his carer. he needs a blood test",
        "I look after Robert Jones and he needs a blood test",
        "texting on behalf of robert jones, a blood test please",
        "Calling for Robert Jones 11/30/1959, he needs a blood test",
    ],
)
def test_who_speaks_for_somebody_books_for_them(said: str) -> None:
    commands = heard(said)

    whom = [(one.relation, (one.person or "").lower()) for one in commands if isinstance(one, say.BookFor)]
    assert whom == [(say.Relation.OTHER, "robert jones")]
    assert not any(isinstance(one, say.GiveName) for one in commands)


@pytest.mark.parametrize("said", ["I'm calling about Eva Novak", "it's for me", "I care about lab work"])
def test_staff_work_and_oneself_are_nobody_else_to_book_for(said: str) -> None:
    assert not any(isinstance(one, say.BookFor) for one in heard(said))


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("I don't need a cleaning, I need a filling", [("filling",)]),
        ("no cleaning, just a filling please", [("filling",)]),
        ("no I need a cleaning and a filling", [("cleaning",), ("filling",)]),
    ],
)
def test_a_service_that_is_refused_is_not_wanted(said: str, wanted: list[tuple[str, ...]]) -> None:
    assert [one.keys for one in heard(said) if isinstance(one, say.GiveService)] == wanted


def test_who_only_asks_begins_no_booking_and_takes_back_what_is_offered() -> None:
    said = "don't book it yet"

    assert kinds(f"{said}, what do you have on friday?") == ["ask_availability", "give_time"]
    assert kinds(said, asked=Asked.YES_NO) == ["deny"]


def test_a_question_chooses_none_of_the_times_offered() -> None:
    offered = (Option(NOW + timedelta(days=6), "lee", "main"), Option(NOW + timedelta(days=7), "ito", "north"))

    commands = heard("is dr lee in on tuesday?", asked=Asked.CHOICE, offered=offered)

    assert not any(isinstance(one, say.Choose) for one in commands)


@pytest.mark.parametrize("said", ["can I come in earlier for my cleaning?", "can my cleaning be earlier?"])
def test_earlier_for_my_visit_is_a_wish_to_move_it(said: str) -> None:
    names = kinds(said)

    assert "start_reschedule" in names
    assert "start_booking" not in names


def test_what_for_is_no_name_where_one_was_asked_for() -> None:
    commands = heard("the physio one, no wait the cleaning", asked=Asked.NAME)

    assert not any(isinstance(one, say.GiveName) for one in commands)
