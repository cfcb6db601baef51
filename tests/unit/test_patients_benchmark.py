"""The simulated patients' own parts: what they count as right, how a recogniser mishears, what is learned from others' dialogues."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest

from benchmarks.patients.figures import pass_hat
from benchmarks.patients.goals import Days, Errand, Existing, Goal, Kind, Somebody, Times, Wish
from benchmarks.patients.learned import BYE, GIVE_BOTH, NO, YES, learn
from benchmarks.patients.noise import Recogniser, as_spoken
from benchmarks.patients.patient import Patient
from benchmarks.patients.wording import LANGUAGES, Voice
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

SAID = "I would like to book a dental cleaning with Doctor Lee next Tuesday at three in the afternoon please"
TUESDAY = date(2027, 3, 16)


def a_recogniser(rate: float) -> Recogniser:
    return Recogniser(rate=rate, vocabulary=["dental", "cleaning", "Lee", "filling"])


def test_four_tries_pass_together_only_if_all_succeed() -> None:
    assert [pass_hat(tries=4, successes=each, k=4) for each in (3, 4)] == [0, 1]
    assert pass_hat(tries=4, successes=3, k=1) == 0.75


def test_pass_to_the_second_is_the_chance_of_two_out_of_the_tries() -> None:
    assert pass_hat(tries=4, successes=2, k=2) == pytest.approx(1 / 6)


@pytest.mark.parametrize("rate", [0.05, 0.15, 0.3])
def test_as_many_words_arrive_wrong_as_was_wished(rate: float) -> None:
    recogniser, random = a_recogniser(rate), Random(7)

    for _ in range(400):
        recogniser.hear(SAID, random)

    assert recogniser.error_rate == pytest.approx(rate, rel=0.15)


def test_the_same_seed_mishears_the_same() -> None:
    assert a_recogniser(0.5).hear(SAID, Random(3)) == a_recogniser(0.5).hear(SAID, Random(3))


def test_without_errors_only_writing_is_lost() -> None:
    assert a_recogniser(0).hear("Tue, 3:30 pm - that's OK!", Random(1)) == "tue three thirty pm that's ok"


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("May 2nd 1984", "may second nineteen eighty four"),
        ("the 21st", "the twenty first"),
        ("March 30th 2005", "march thirtieth two thousand five"),
        ("at 10:15 am", "at ten fifteen am"),
        ("3:00 pm", "three pm"),
        ("2125550123", "two one two five five five oh one two three".replace("oh", "zero")),
    ],
)
def test_numbers_are_spoken_as_people_speak_them(written: str, spoken: str) -> None:
    assert " ".join(as_spoken(written)) == spoken


def test_a_weekday_that_is_excepted_is_not_as_wished() -> None:
    week = Days("week", date(2027, 3, 15), date(2027, 3, 21), not_weekday=1)

    assert not week.allow(TUESDAY)
    assert week.allow(date(2027, 3, 17))


def test_a_visit_before_eleven_does_not_start_at_eleven() -> None:
    morning = Times("before", 0, 11 * 60, 11 * 60)

    assert morning.allow(10 * 60 + 45)
    assert not morning.allow(11 * 60)


def a_turn(text: str, *acts: dict[str, object], other: bool = False) -> dict[str, object]:
    turn: dict[str, object] = {"speaker": "USER", "text": text, "frames": [{"service": "S", "acts": list(acts)}]}
    return {**turn, "other_services": ["Weather"]} if other else turn


def an_inform(slot: str, value: str) -> dict[str, object]:
    return {"act": "INFORM", "slot": slot, "values": [value]}


def test_dates_and_times_of_learned_words_are_filled_in_anew(tmp_path: Path) -> None:
    said = a_turn(
        "Please try 4 pm on the 7th of June.",
        an_inform("appointment_date", "7th of June"),
        an_inform("appointment_time", "4 pm"),
    )
    file = tmp_path / "dialogues.jsonl"
    file.write_text(json.dumps({"turns": [said]}), "utf-8")

    learned = learn(file, leaving_out=["dentist"])

    assert learned.act(GIVE_BOTH, Random(1), date="next Monday", time="at noon") == "Please try at noon next Monday."


def test_only_acts_that_name_no_business_are_learned(tmp_path: Path) -> None:
    turns = [
        a_turn("By all means.", {"act": "AFFIRM"}),
        a_turn("Yes, that dentist.", {"act": "AFFIRM"}),
        a_turn("Yes, in Reno.", {"act": "AFFIRM"}, an_inform("city", "Reno")),
        a_turn("No, and will it rain?", {"act": "NEGATE"}, other=True),
        a_turn("Cheers, so long.", {"act": "THANK_YOU"}, {"act": "GOODBYE"}),
    ]
    file = tmp_path / "dialogues.jsonl"
    file.write_text(json.dumps({"turns": turns}), "utf-8")

    learned = learn(file, leaving_out=["dentist"])

    assert learned.count() == {YES: 1, BYE: 1}
    assert learned.act(NO, Random(1)) is None


def test_a_file_that_holds_no_dialogues_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "dialogues.jsonl"
    file.write_text("[]\n", "utf-8")

    with pytest.raises(SystemExit, match="no file of dialogues"):
        learn(file, leaving_out=["dentist"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_patient_says_has_a_space_between_its_words(language: str) -> None:
    me, now = Somebody("Ann Smith", date(1984, 5, 2), "+12125550123"), datetime(2027, 3, 10, 10, 0, tzinfo=UTC)
    visit = Existing("cleaning", "lee", "main", me, datetime(2027, 3, 16, 9, 0))  # noqa: DTZ001 -- wall time
    move = Errand(Kind.MOVE, Wish("cleaning", days=Days("on", TUESDAY, TUESDAY)), visit=visit)
    goal = Goal("1", "move", "elm", now, caller="+12125550123", me=me, is_known=True, errands=(move,))

    openings = [
        Patient(
            goal,
            voice=Voice(Random(seed), elm_catalogue(), now.date(), False, language=language),
            catalogue=elm_catalogue(),
        )
        .begin()
        .text
        for seed in range(40)
    ]

    joint = {"en": " to ", "es": " para "}[language]
    assert any(joint in one for one in openings)
    assert [one for one in openings if joint.strip() + " " in one and joint not in one] == []
