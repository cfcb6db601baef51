"""Every act has words for the ear and for the eye, and they are short, plain and safe to send."""

import string
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from booking.values import WeeklyHours
from dialog import commands as c
from dialog.acts import Act, Say
from dialog.commands import Relation, Topic
from dialog.inbound import Channel, InboundKind
from dialog.languages import SPOKEN
from dialog.wording.moments import Moments
from dialog.wording.render import render, wording
from tests.support.clinics import elm_catalogue
from tests.unit.dialog.talk import ANN, Talk, on, wall

pytestmark = pytest.mark.unit

WORDS = wording("en")
ASKING = [one for one in Say if one.value.startswith("ask-") or one.value.startswith("read-back")] + [
    Say.OFFER,
    Say.OFFER_ONE,
    Say.WHAT_TO_DO,
    Say.TIME_UNCLEAR,
    Say.TIME_PAST,
    Say.WHAT_TO_CHANGE,
    Say.OFFER_MESSAGE,
    Say.NOTHING_FREE,
]
# The basic GSM alphabet: a text in it takes 160 characters a segment, any other character makes that 70.
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
NETWORK_WORDS = {
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "END",
    "QUIT",
    "CANCEL",
    "REVOKE",
    "OPTOUT",
    "START",
    "YES",
    "UNSTOP",
    "HELP",
    "INFO",
}


def sentences(side: str) -> list[str]:
    found: list[str] = []
    for say in Say:
        entry = WORDS[say.value]
        groups = entry.values() if say in {Say.WHY_NOT, Say.REFUSED} else [entry]
        found.extend(one for group in groups for one in group[side])
    return found


@pytest.mark.parametrize("say", Say)
@pytest.mark.parametrize("side", ["spoken", "written"])
def test_every_act_has_words(say: Say, side: str) -> None:
    entry = WORDS[say.value]
    groups = entry.values() if say in {Say.WHY_NOT, Say.REFUSED} else [entry]

    assert all(group[side] for group in groups)


def test_no_words_are_left_over() -> None:
    parts = {"parts", "language-promise", "apology-untold", "one-moment"}

    assert set(WORDS) - parts == {one.value for one in Say}


@pytest.mark.parametrize("say", ASKING)
@pytest.mark.parametrize("side", ["spoken", "written"])
def test_a_question_is_asked_in_three_different_ways(say: Say, side: str) -> None:
    assert len(set(WORDS[say.value][side])) >= 3


@pytest.mark.parametrize("sentence", sentences("written"))
def test_texts_are_in_the_plain_alphabet_and_suggest_no_word_that_networks_act_on(sentence: str) -> None:
    plain = sentence.replace("{", "").replace("}", "")
    told_to_reply = [word.strip(string.punctuation) for word in sentence.split()]

    assert set(plain) <= GSM
    assert not NETWORK_WORDS & set(told_to_reply)
    if "cancel" in sentence.lower().replace("cancelled", ""):
        assert {"1", "2"} <= set(
            told_to_reply
        )  # asked with the digits to answer by, so that nobody texts the word back


def conversation(channel: Channel, *, language: str = "en") -> list[str]:
    """Replies of many kinds, as they come in real conversations."""
    talk = Talk(channel=channel, language=language)
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-16T10:00"))
    talk.diary.book(ANN, "physio-first", "novak", "riverside", wall("2027-03-18T09:00"))
    script: list[tuple[c.Command, ...]] = [
        (c.StartBooking(),),
        (c.GiveService(("cleaning",)), c.BookFor(Relation.CHILD, "Mia")),
        (),
        (),
        (c.Choose(0),),
        (c.GiveName("Mia Smith"),),
        (),
        (c.GiveBirthDate(date(2020, 3, 4)),),
        (),
        (c.Affirm(),),
        (c.StartReschedule(),),
        (c.GiveName("Ann Smith"),),
        (c.GiveBirthDate(date(1984, 5, 2)),),
        (c.Choose(0),),
        (on(date(2027, 3, 19)),),
        (c.Choose(0),),
        (c.Affirm(),),
        (c.AskAppointments(),),
        (c.StartCancel(),),
        (c.Choose(1),),
        (c.Affirm(),),
        *((c.AskClinic(topic, "a question"), c.GiveService(("physical",))) for topic in Topic),
        *((c.AskClinic(topic, "a question"),) for topic in Topic),
        (c.StartBooking(), c.GiveService(("physical",)), c.GivePractitioner((), "Dr. House")),
        (c.AnyPractitioner(), on(date(2027, 3, 14))),
        (c.AskHuman(),),
        (c.Emergency(),),
    ]
    replies = [talk.event(InboundKind.START)] if channel is Channel.VOICE else []
    return replies + [talk.hear(*commands) for commands in script]


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("channel", Channel)
def test_no_reply_has_a_gap_or_a_bracket_left(channel: Channel, language: str) -> None:
    for reply in conversation(channel, language=language):
        assert reply.strip()
        assert "{" not in reply
        assert "None" not in reply
        assert "  " not in reply


@pytest.mark.parametrize("language", SPOKEN)
def test_texts_take_two_segments_at_most(language: str) -> None:
    longest = max(conversation(Channel.SMS, language=language), key=len)

    assert len(longest) <= 306, longest


@pytest.mark.parametrize(
    ("language", "words"), [("en", 65), ("es", 80)]
)  # Spanish says times in more and shorter words
def test_spoken_replies_fit_one_breath(language: str, words: int) -> None:
    longest = max(conversation(Channel.VOICE, language=language), key=lambda one: len(one.split()))

    assert len(longest.split()) <= words, longest


def offer(channel: Channel) -> str:
    offers: list[dict[str, Any]] = [
        {"starts_at": "2027-03-16T13:00:00+00:00", "location": "location-main", "practitioners": ["practitioner-lee"]},
        {"starts_at": "2027-03-18T18:30:00+00:00", "location": "location-main", "practitioners": ["a", "b"]},
    ]
    return render(
        [Act(Say.OFFER, {"offers": offers, "service": "service-cleaning"})], catalogue=elm_catalogue(), channel=channel
    )


def test_times_are_written_in_a_numbered_list_with_weekday_and_date() -> None:
    assert offer(Channel.SMS).splitlines() == [
        "Dental cleaning:",
        "1) Tue Mar 16, 9:00 AM with Dr. Lee, Main Street",
        "2) Thu Mar 18, 2:30 PM, Main Street",
        "Reply with a number, or say what suits you better.",
    ]


def test_times_are_spoken_as_people_say_them() -> None:
    assert offer(Channel.VOICE) == (
        "For your dental cleaning: first, Tuesday, March 16th at 9 AM with Dr. Lee at Main Street; "
        "second, Thursday, March 18th at 2:30 PM at Main Street. Which one suits you?"
    )


@pytest.mark.parametrize(
    ("day", "spoken"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (22, "22nd"),
        (31, "31st"),
    ],
)
def test_dates_are_spoken_with_the_right_ending(day: int, spoken: str) -> None:
    assert Moments(WORDS["parts"], Channel.VOICE).day(date(2027, 3, day)).endswith(spoken)


@pytest.mark.parametrize(
    ("minute", "spoken"), [(0, "12 AM"), (30, "12:30 AM"), (720, "12 PM"), (779, "12:59 PM"), (1439, "11:59 PM")]
)
def test_noon_and_midnight_are_twelve(minute: int, spoken: str) -> None:
    assert Moments(WORDS["parts"], Channel.VOICE).clock(minute) == spoken


def test_a_time_that_clocks_show_twice_is_said_with_its_zone() -> None:
    written = Moments(WORDS["parts"], Channel.SMS)
    second = datetime(2027, 11, 7, 1, 30, tzinfo=ZoneInfo("America/New_York"), fold=1)

    assert (written.time(second.replace(fold=0)), written.time(second)) == ("1:30 AM EDT", "1:30 AM EST")
    assert written.time(second + timedelta(hours=1)) == "2:30 AM"


def test_days_with_the_same_hours_are_told_together() -> None:
    week = [WeeklyHours(day, timedelta(hours=8), timedelta(hours=18)) for day in (0, 1, 2, 4)]

    assert Moments(WORDS["parts"], Channel.SMS).week(week) == "Mon-Wed 8:00 AM-6:00 PM, Fri 8:00 AM-6:00 PM"


@pytest.mark.parametrize(
    ("minutes", "words"), [(45, "45 minutes"), (60, "an hour"), (90, "90 minutes"), (120, "2 hours"), (2880, "2 days")]
)
def test_lengths_are_told_in_the_unit_people_use(minutes: int, words: str) -> None:
    assert Moments(WORDS["parts"], Channel.SMS).length(timedelta(minutes=minutes)) == words


def test_a_language_without_a_file_is_an_error_and_not_english() -> None:
    with pytest.raises(KeyError):
        wording("xx")
