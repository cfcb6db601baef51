"""How differently people say things, at three clinics that have little in common: hurried, polite, misspelt, foreign, several wishes in one line."""

from dataclasses import fields, replace
from datetime import datetime

import pytest

from booking.values import Catalogue, PractitionerInfo
from dialog import commands as c
from dialog.interpreter import Asked, Listening, Option
from dialog.timewords import TimeWish, read_time
from dialog.understanding.local import LocalInterpreter
from tests.support.clinics import a_practitioner, a_service, elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime.fromisoformat("2027-03-10T10:00")
INTERPRETER = LocalInterpreter()
ELM = elm_catalogue()
OFFERED = (
    Option(datetime.fromisoformat("2027-03-15T09:30")),
    Option(datetime.fromisoformat("2027-03-16T14:00")),
    Option(datetime.fromisoformat("2027-03-18T09:00")),
)


def somebody(key: str, name: str, *, aliases: tuple[str, ...] = ()) -> PractitionerInfo:
    return a_practitioner(key, name, services=(), skills=(), hours={}, gender="female", aliases=aliases)


VET: Catalogue = replace(
    ELM,
    services=(
        a_service("wellness", "Wellness exam", aliases=("checkup", "annual exam")),
        a_service("vaccines", "Vaccinations", aliases=("shots", "rabies shot", "booster")),
        a_service("sick-pet", "Sick pet visit", reasons=("vomiting", "not eating", "limping")),
        a_service("nails", "Nail trim", aliases=("nail clipping",)),
        a_service("grooming", "Grooming", aliases=("bath",)),
    ),
    practitioners=(
        somebody("hart", "Dr. Susan A. Hart, DVM"),
        somebody("young", "Dr. Will Young"),
        somebody("may", "May Chen"),
    ),
)
PHYSIO: Catalogue = replace(
    ELM,
    services=(
        a_service(
            "first", "Initial assessment", category="physiotherapy", reasons=("back pain", "knee pain", "sciatica")
        ),
        a_service("followup", "Follow-up session", category="physiotherapy", aliases=("follow up",)),
        a_service("massage", "Sports massage", category="massage", aliases=("massage",)),
    ),
    practitioners=(somebody("brown", "James Brown", aliases=("Jamie",)), somebody("friday", "Rose Friday")),
)
SKIN: Catalogue = replace(
    ELM,
    services=(
        a_service("skin", "Full body skin exam", category="dermatology", aliases=("mole check",), reasons=("mole",)),
        a_service("acne", "Acne consultation", category="dermatology", reasons=("breakouts",)),
        a_service("cleaning", "Cleaning and exam", category="dental", aliases=("teeth cleaning",)),
        a_service("whitening", "Teeth whitening", category="dental"),
        a_service("emergency", "Dental emergency", category="dental", reasons=("toothache",)),
    ),
    practitioners=(somebody("kim", "Dr. Jun Kim"), somebody("garcia", "Dr. Luis Garcia")),
)


def heard(
    text: str, *, clinic: Catalogue = ELM, asked: Asked = Asked.NOTHING, offered: tuple[Option, ...] = ()
) -> list[str]:
    """Give what was meant, briefly: names of commands with what they carry, times as "time" and those of a visit as "visit"."""
    found = INTERPRETER.interpret(text, Listening(clinic, NOW, "en", asked, offered), deadline_s=1)
    return [brief(command) for command in found.commands]


def brief(command: c.Command) -> str:
    if isinstance(command, c.GiveTime):
        return "visit" if command.of_visit else "time"
    said = [getattr(command, field.name) for field in fields(command) if field.name not in {"text", "spelled"}]
    told = [
        " ".join(one) if isinstance(one, tuple) else str(one) for one in said if one is not None and one is not False
    ]
    return " ".join([command.name, *told])


def times(text: str, *, asked: Asked = Asked.NOTHING) -> tuple[TimeWish | None, TimeWish | None]:
    """Give the time of the visit they have, and the time they wish for."""
    found = INTERPRETER.interpret(text, Listening(ELM, NOW, "en", asked), deadline_s=1)
    said = [command for command in found.commands if isinstance(command, c.GiveTime)]
    of_visit = next((one.wish for one in said if one.of_visit), None)
    return of_visit, next((one.wish for one in said if not one.of_visit), None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "hi my cat whiskers hasnt been eating for 3 days can someone see her today",
            {"greet", "start_booking", "give_service sick-pet", "time"},
        ),
        ("my cat is throwing up and i need an appointment", {"start_booking", "give_service sick-pet"}),
        ("can you cut my rabbits nails on thursday", {"start_booking", "give_service nails", "time"}),
        ("dr young please any day in may", {"start_booking", "give_practitioner young", "time"}),
        ("book us in with may for a bath", {"start_booking", "give_practitioner may", "give_service grooming"}),
        ("does dr hart see birds", {"ask_clinic practitioners", "give_practitioner hart"}),
        ("i need a checkup for my dog", {"start_booking", "give_service wellness"}),
        ("do you take walk ins", {"ask_clinic other"}),
        ("i need 2 appointments", {"start_booking"}),
    ],
)
def test_a_vets_clients_are_understood(text: str, expected: set[str]) -> None:
    assert set(heard(text, clinic=VET)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "ive done my back in again any chance of getting in today",
            {"start_booking", "give_service first followup", "time"},
        ),
        ("need to see a physio bout my knee", {"start_booking", "give_service first followup"}),
        ("follow up next friday", {"start_booking", "give_service followup", "time"}),
        ("with rose friday on friday", {"start_booking", "give_practitioner friday", "time"}),
        ("sports massage tomorrow after 6 if you've got it", {"start_booking", "give_service massage", "time"}),
        (
            "massage for me and my wife on saturday",
            {"start_booking", "give_service massage", "book_for partner", "book_for self", "time"},
        ),
        ("is it 45 quid for the follow up", {"ask_clinic price", "give_service followup"}),
        ("do i need a gp referral", {"ask_clinic other"}),
        ("id like the same lady as last time", {"start_booking", "same_practitioner female"}),
        ("any cancellations today", {"ask_availability", "time"}),
    ],
)
def test_a_physiotherapists_patients_are_understood(text: str, expected: set[str]) -> None:
    assert set(heard(text, clinic=PHYSIO)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "i got a weird mole on my arm and my wife says i should have it checked",
            {"start_booking", "give_service skin"},
        ),
        ("wanna get my teeth whitened", {"start_booking", "give_service whitening"}),
        ("my tooth hurts like crazy", {"start_booking", "give_service emergency"}),
        ("my face is breaking out bad", {"start_booking", "give_service skin acne"}),
        (
            "cleaning for my two kids and me same day",
            {"start_booking", "give_service cleaning", "book_for child", "book_for self", "time"},
        ),
        ("my names tony and i need to see dr garcia", {"give_name Tony", "start_booking", "give_practitioner garcia"}),
        ("cleaning w dr garcia pls", {"start_booking", "give_service cleaning", "give_practitioner garcia"}),
        ("what should i put on my mole", {"out_of_scope advice", "give_service skin"}),
    ],
)
def test_a_skin_and_dental_groups_patients_are_understood(text: str, expected: set[str]) -> None:
    assert set(heard(text, clinic=SKIN)) == expected


@pytest.mark.parametrize(
    ("text", "weekdays", "wished"),
    [
        ("i cant make it tuesday, can we do wednesday instead", {1}, "wednesday"),
        ("something came up on Tuesday, any chance of Thursday?", {1}, "thursday"),
        ("push my Thursday appointment to next week", {3}, "next week"),
        ("move my Tuesday appointment to Friday", {1}, "friday"),
        ("reschedule from monday to tuesday please", {0}, "tuesday"),
        ("I cannot come on the Monday, it is possible Wednesday?", {0}, "wednesday"),
        ("reschedule my appointment on tuesday", {1}, None),
        ("change my appointment to the 9th", None, "the 9th"),
    ],
)
def test_of_a_move_it_is_told_when_the_visit_is_and_when_it_shall_be(
    text: str, weekdays: set[int] | None, wished: str | None
) -> None:
    of_visit = TimeWish(weekdays=frozenset(weekdays)) if weekdays else None
    wish = read_time(wished, now=NOW).wish if wished else None

    assert "start_reschedule" in heard(text)
    assert times(text) == (of_visit, wish)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("can't do the 16th anymore", ["start_cancel True", "time"]),
        ("i can't come in tomorrow, my car broke down", ["start_cancel True", "time"]),
        ("I have an appointment on Tuesday at 3, can I change it to Thursday", ["visit", "start_reschedule", "time"]),
        ("my appointment is at 3 on tuesday can we make it 4", ["start_reschedule", "visit", "time"]),
        ("i have an appointment tomorrow", ["ask_appointments", "time"]),
        ("can i have an appointment tomorrow", ["start_booking", "time"]),
        ("i'd like a cleaning but i can't do tuesdays", ["start_booking", "give_service cleaning", "time"]),
        ("i do not want to cancel just move it", ["start_reschedule"]),
        ("don't cancel my appointment", ["deny"]),
        (
            "cancel my physio and book me a blood test",
            ["start_cancel", "give_service physio-first physio-followup", "start_booking", "give_service blood-test"],
        ),
        ("move the other one a week later", ["start_reschedule", "time"]),
        ("which doctor is it with", ["ask_appointments"]),
        ("is doctor ruiz speaking spanish", ["ask_clinic languages", "give_practitioner ruiz"]),
        ("do you have a fish tank", ["ask_clinic other"]),
        ("do you have a play area for kids", ["ask_clinic other"]),
        ("i need to find a doctor", ["start_booking True"]),
        ("i have to go to the dentist", ["start_booking", "give_service cleaning dental-exam filling urgent-dental"]),
        ("i have to go now", ["goodbye"]),
        ("What is their address and phone number?", ["ask_clinic address", "ask_clinic phone"]),
        ("can you book me an apartment on the 13th", ["start_booking", "time"]),
        ("what are you", ["ask_if_bot"]),
        ("necesito cita", ["switch_language es", "start_booking"]),
        ("end of next week", ["start_booking", "time"]),
        ("anything but mornings", ["start_booking", "time"]),
    ],
)
def test_what_is_told_beside_a_wish_does_not_change_it(text: str, expected: list[str]) -> None:
    assert heard(text) == expected


@pytest.mark.parametrize(
    ("asked", "text", "expected"),
    [
        (Asked.YES_NO, "👍", ["affirm"]),
        (Asked.YES_NO, "👍🏽", ["affirm"]),
        (Asked.YES_NO, "👎", ["deny"]),
        (Asked.YES_NO, "kk", ["affirm"]),
        (Asked.YES_NO, "ok cool", ["affirm"]),
        (Asked.YES_NO, "I don't think that's correct", ["deny"]),
        (Asked.YES_NO, "no, that can't be right", ["deny"]),
        (Asked.YES_NO, "not fine", ["deny"]),
        (Asked.YES_NO, "i'm not sure that's right", ["unsure"]),
        (Asked.YES_NO, "are you sure? i don't think that's right", ["deny"]),
        (Asked.YES_NO, "Yes, can you make it for the 8th?", ["correct", "time"]),
        (Asked.YES_NO, "change that to the 9th", ["correct", "time"]),
        (Asked.YES_NO, "who is it with", ["repeat"]),
        (Asked.CHOICE, "not the first one", ["deny"]),
        (Asked.CHOICE, "no, the first one", ["deny", "choose 0"]),
        (Asked.CHOICE, "the early one", ["choose 0"]),
        (Asked.CHOICE, "can I come earlier", ["time", "more_options"]),
        (Asked.CHOICE, "is there any one else", ["more_options True"]),
        (Asked.WHEN, "morning", ["time"]),
        (Asked.WHEN, "the 2pm", ["time"]),
        (Asked.WHEN, "doesn't matter", ["time"]),
        (Asked.PRACTITIONER, "doesnt matter", ["any_practitioner"]),
        (Asked.NAME, "yes", ["affirm"]),
        (Asked.NAME, "smith, john", ["give_name John Smith"]),
    ],
)
def test_short_answers_are_taken_as_they_are_meant(asked: Asked, text: str, expected: list[str]) -> None:
    assert heard(text, asked=asked, offered=OFFERED if asked is Asked.CHOICE else ()) == expected


@pytest.mark.parametrize(
    "text",
    [
        "i had chest pain last year",
        "history of chest pain",
        "i have a history of chest pain and need a checkup",
        "i had a seizure as a child",
        "when i was a kid i had seizures",
        "my dad had a heart attack 10 years ago, i want a checkup",
        "he had a stroke in 2019, needs a checkup",
        "my father died of a heart attack",
        "in the past i had trouble breathing",
    ],
)
def test_what_is_over_is_no_emergency(text: str) -> None:
    assert not any(one.startswith("emergency") for one in heard(text))


@pytest.mark.parametrize(
    "text",
    [
        "i have chest pain like last year",
        "chest pain for the last year",
        "chest pain again, same as last year",
        "had a heart attack last year my chest hurts",
        "i had a stroke last year and my face is drooping",
        "i had chest pain last year and i have it again",
        "chest pain since i was a child",
        "chest pain that started last month",
        "my chest pain from last year came back",
        "history of heart attack, having chest pain",
        "28 year old with chest pain",
        "chest pain after my last fall",
        "i had chest pain yesterday",
        "i was a teen when i wanted to kill myself",
        "i cant breathe i had asthma as a child",
        "my mom had a stroke last year, i think she is having another one",
    ],
)
def test_danger_that_goes_on_or_came_back_is_an_emergency_whatever_was_before(text: str) -> None:
    assert heard(text) == ["emergency"]


@pytest.mark.parametrize(("text", "keys"), [("with Hart", ("hart",)), ("i want a vet", ())])
def test_an_initial_or_a_degree_is_no_name_to_be_found_by(text: str, keys: tuple[str, ...]) -> None:
    found = INTERPRETER.interpret(text, Listening(VET, NOW, "en"), deadline_s=1).commands

    assert tuple(key for one in found if isinstance(one, c.GivePractitioner) for key in one.keys) == keys
