"""People in a hurry and people who are hard to hear: a good-bye in the middle, a name that was misheard, a question in between."""

from datetime import date

import pytest

from dialog import commands as c
from dialog.acts import Say
from dialog.inbound import Channel
from dialog.interpreter import Asked
from dialog.state import Outcome
from tests.unit.dialog.talk import Talk, on

pytestmark = pytest.mark.unit

CLEANING = (c.StartBooking(), c.GiveService(("cleaning",)), on(date(2027, 3, 15)))


def at_the_read_back(talk: Talk) -> Talk:
    talk.hear(*CLEANING)
    talk.hear(c.Choose(0))
    assert Say.READ_BACK in talk.said
    return talk


def newcomer_read_back() -> Talk:
    talk = Talk(channel=Channel.VOICE, caller="+12125550177", number_patients=())
    talk.hear(*CLEANING)
    talk.hear(c.Choose(0))
    talk.hear(c.GiveName("Jon Smith"))
    talk.press("03031990")
    assert Say.READ_BACK in talk.said
    return talk


def test_a_good_bye_at_the_read_back_is_asked_about_once_and_writes_nothing() -> None:
    talk = at_the_read_back(Talk())

    talk.hear(c.Goodbye())
    assert talk.said == [Say.NOT_DONE_YET, Say.READ_BACK]
    talk.hear(c.Goodbye())

    assert talk.said == [Say.NOTHING_CHANGED, Say.GOODBYE]
    assert talk.booked() == []
    assert talk.state.outcome is Outcome.ABANDONED


def test_a_yes_after_the_good_bye_still_books() -> None:
    talk = at_the_read_back(Talk())

    talk.hear(c.Goodbye())
    talk.hear(c.Affirm())

    assert len(talk.booked()) == 1


def test_a_yes_beside_the_good_bye_books() -> None:
    talk = at_the_read_back(Talk())

    talk.hear(c.Affirm(), c.Thank(), c.Goodbye())

    assert len(talk.booked()) == 1


def test_who_leaves_at_the_offer_is_told_that_nothing_is_booked() -> None:
    talk = Talk()
    talk.hear(*CLEANING)

    talk.hear(c.Affirm(), c.Goodbye())

    assert talk.said == [Say.NOTHING_CHANGED, Say.GOODBYE]
    assert talk.booked() == []


def test_who_leaves_after_a_booking_is_not_told_that_nothing_was_changed() -> None:
    talk = at_the_read_back(Talk())
    talk.hear(c.Affirm())
    talk.hear(c.StartBooking(), c.GiveService(("blood-test",)))

    talk.hear(c.Goodbye())

    assert talk.said == [Say.GOODBYE]


def test_a_misheard_name_is_asked_for_letter_by_letter() -> None:
    talk = newcomer_read_back()

    talk.hear(c.Correct("name"))
    assert talk.asked is Asked.SPELL_NAME
    heard = talk.hear(c.GiveName("Smythe", spelled=True))

    assert "Jon Smythe" in heard
    talk.hear(c.Affirm())
    assert [one.name for one in talk.diary.registered] == ["Jon Smythe"]


def test_who_can_not_be_understood_by_name_may_text_it() -> None:
    talk = Talk(channel=Channel.VOICE, caller="+12125550177", number_patients=())
    talk.hear(*CLEANING)
    talk.hear(c.Choose(0))

    talk.hear()
    heard = talk.hear()

    assert "text it to this number" in heard


@pytest.mark.parametrize(("part", "whole"), [("Smythe", "Jon Smythe"), ("John", "John Smith"), ("Karen", "Karen")])
def test_one_name_puts_right_the_half_that_it_is_like(part: str, whole: str) -> None:
    talk = newcomer_read_back()

    talk.hear(c.Correct(), c.GiveName(part))

    assert talk.state.me.name == whole


def test_a_question_in_answer_to_when_changes_nothing_of_what_is_booked() -> None:
    talk = at_the_read_back(Talk())
    talk.hear(c.Deny())
    assert talk.asked is Asked.WHEN

    talk.hear(c.AskClinic(c.Topic.PRICE), c.GiveService(("blood-test",)))

    assert talk.state.flow is not None
    assert talk.state.flow.details.service_keys == ("cleaning",)


def test_the_time_refused_at_the_read_back_is_not_offered_again_at_once() -> None:
    talk = Talk()
    talk.hear(*CLEANING)
    first = talk.offered()[0]
    talk.hear(c.Choose(0))
    talk.hear(c.Deny())

    talk.hear(c.AskClinic(c.Topic.PARKING))

    assert first not in talk.offered()


def newcomer_asked_for_a_birth_date() -> Talk:
    talk = Talk(channel=Channel.VOICE, caller="+12125550177", number_patients=())
    talk.hear(*CLEANING)
    talk.hear(c.Choose(0))
    talk.hear(c.GiveName("Jon Smith"))
    return talk


def registered(talk: Talk) -> list[date | None]:
    talk.hear(c.Affirm())
    return [one.birth_date for one in talk.diary.registered]


def test_a_newcomers_date_of_birth_is_believed_when_it_was_heard_twice() -> None:
    talk = newcomer_asked_for_a_birth_date()

    talk.hear(c.GiveBirthDate(date(1990, 3, 13)), confidence=0.6)
    assert talk.said == [Say.BIRTH_DATE_AGAIN]
    talk.hear(c.GiveBirthDate(date(1990, 3, 30)), confidence=0.6)
    assert talk.said == [Say.BIRTH_DATE_AGAIN]
    talk.hear(c.GiveBirthDate(date(1990, 3, 30)), confidence=0.6)

    assert registered(talk) == [date(1990, 3, 30)]


def test_a_date_of_birth_that_is_keyed_in_needs_no_second_time() -> None:
    talk = newcomer_asked_for_a_birth_date()
    talk.hear(c.GiveBirthDate(date(1990, 3, 13)), confidence=0.6)

    talk.press("03301990")

    assert registered(talk) == [date(1990, 3, 30)]


def test_after_three_dates_of_birth_that_differ_staff_complete_the_record() -> None:
    talk = newcomer_asked_for_a_birth_date()

    for day in (3, 13, 30):
        talk.hear(c.GiveBirthDate(date(1990, 3, day)), confidence=0.6)

    assert registered(talk) == [None]


def test_a_second_time_of_the_date_of_birth_may_find_who_is_on_file() -> None:
    talk = newcomer_asked_for_a_birth_date()
    talk.diary.people["patient-jon"] = ("Jon Smith", date(1990, 3, 30))

    talk.hear(c.GiveBirthDate(date(1990, 3, 13)), confidence=0.6)
    talk.hear(c.GiveBirthDate(date(1990, 3, 30)), confidence=0.6)
    talk.hear(c.Affirm())

    assert talk.diary.registered == []
    assert [one.patient_id for one in talk.booked()] == ["patient-jon"]


def test_a_newcomers_date_of_birth_that_was_heard_well_is_asked_for_once() -> None:
    talk = newcomer_asked_for_a_birth_date()

    talk.hear(c.GiveBirthDate(date(1990, 3, 13)), confidence=0.93)

    assert talk.said == [Say.READ_BACK]
