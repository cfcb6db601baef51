"""People in a hurry and people who are hard to hear: a good-bye in the middle, a name that was misheard, a question in between."""

from datetime import date

import pytest

from dialog import commands as c
from dialog.acts import Act, Say
from dialog.inbound import Channel
from dialog.interpreter import Asked
from dialog.state import Outcome
from dialog.timewords import TimeWish
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


def read_back_born(talk: Talk) -> object:
    assert talk.said == [Say.READ_BACK]
    return talk.acts[-1].fields["born"]


@pytest.mark.parametrize(("is_sure", "confidence"), [(True, 0.6), (False, 1.0)])
def test_a_newcomers_date_of_birth_that_was_heard_badly_is_read_back(is_sure: bool, confidence: float) -> None:
    talk = newcomer_asked_for_a_birth_date()

    talk.hear(c.GiveBirthDate(date(1990, 3, 13), is_sure), confidence=confidence)

    assert read_back_born(talk) == "1990-03-13"
    assert registered(talk) == [date(1990, 3, 13)]


def test_a_date_of_birth_that_is_put_right_at_the_read_back_is_kept_and_the_time_stays() -> None:
    talk = newcomer_asked_for_a_birth_date()
    talk.hear(c.GiveBirthDate(date(1990, 3, 13), is_sure=False))
    held = talk.state.flow and talk.state.flow.hold

    talk.hear(c.Correct(), c.GiveBirthDate(date(1990, 3, 30)))

    assert read_back_born(talk) is None
    assert (talk.state.flow and talk.state.flow.hold) == held
    assert registered(talk) == [date(1990, 3, 30)]


def test_a_date_of_birth_that_is_called_wrong_is_asked_for_again_and_may_be_keyed_in() -> None:
    talk = newcomer_asked_for_a_birth_date()
    talk.hear(c.GiveBirthDate(date(1990, 3, 13), is_sure=False))

    talk.hear(c.Deny(), c.Correct("birth-date"))
    assert talk.said == [Say.BIRTH_DATE_AGAIN]
    talk.press("03301990")

    assert read_back_born(talk) is None
    assert registered(talk) == [date(1990, 3, 30)]


def test_the_last_name_that_is_given_again_for_the_last_name_lacks_the_first_one() -> None:
    talk = Talk(channel=Channel.VOICE, caller="+12125550177", number_patients=())
    talk.hear(*CLEANING)
    talk.hear(c.Choose(0))
    talk.hear(c.GiveName("Smith"))
    assert talk.said == [Say.ASK_LAST_NAME]

    talk.hear(c.GiveName("Smith"))
    assert talk.said == [Say.ASK_FIRST_NAME]
    talk.hear(c.GiveName("Smith"))
    assert talk.acts[-1] == Act(Say.ASK_FIRST_NAME, {"name": "Smith", "may_text": True}, variant=1)
    talk.hear(c.GiveName("Jon"))

    assert talk.state.me.name == "Jon Smith"


def test_the_date_of_birth_of_whoever_was_put_right_is_asked_for_by_name() -> None:
    talk = Talk(channel=Channel.VOICE)
    talk.hear(*CLEANING)
    talk.hear(c.Choose(0))

    talk.hear(c.Correct(), c.GiveName("Tom Smith"))

    assert talk.acts[-1] == Act(Say.ASK_THEIR_BIRTH_DATE, {"name": "Tom Smith"})


def test_a_no_that_was_hardly_understood_ends_no_call() -> None:
    talk = Talk(channel=Channel.VOICE)
    talk.hear(c.AskClinic(c.Topic.PARKING))
    assert talk.said[-1] is Say.ANYTHING_ELSE

    talk.hear(c.Deny(), confidence=0.1)

    assert not talk.decision.ends


def test_the_part_of_a_date_of_birth_that_is_missing_is_asked_for_and_the_whole_is_read_back() -> None:
    talk = newcomer_asked_for_a_birth_date()

    talk.hear(c.GiveBirthDate(None, month=3, day=30))
    assert talk.said == [Say.ASK_BIRTH_YEAR]
    talk.hear(c.GiveBirthDate(None, year=1990))

    assert read_back_born(talk) == "1990-03-30"
    assert registered(talk) == [date(1990, 3, 30)]


def test_a_year_of_birth_alone_is_completed_by_the_day() -> None:
    talk = newcomer_asked_for_a_birth_date()

    talk.hear(c.GiveBirthDate(None, year=1990))
    assert talk.said == [Say.ASK_BIRTH_DAY]
    talk.hear(c.GiveBirthDate(None, month=3, day=30))

    assert registered(talk) == [date(1990, 3, 30)]


def test_keys_are_asked_for_where_the_missing_part_does_not_arrive() -> None:
    talk = newcomer_asked_for_a_birth_date()
    talk.hear(c.GiveBirthDate(None, month=3, day=30))

    talk.hear(c.GiveBirthDate(None, month=3, day=30))

    assert talk.acts[-1] == Act(Say.ASK_BIRTH_YEAR, variant=1)
    talk.press("03301990")
    assert registered(talk) == [date(1990, 3, 30)]


def test_a_day_that_does_not_go_with_the_year_was_misheard() -> None:
    talk = newcomer_asked_for_a_birth_date()
    talk.hear(c.GiveBirthDate(None, month=2, day=29))

    talk.hear(c.GiveBirthDate(None, year=1990))

    assert talk.said == [Say.ASK_BIRTH_DAY]


def test_a_date_of_birth_that_is_put_right_may_find_who_is_on_file() -> None:
    talk = newcomer_asked_for_a_birth_date()
    talk.diary.people["patient-jon"] = ("Jon Smith", date(1990, 3, 30))

    talk.hear(c.GiveBirthDate(date(1990, 3, 13)), confidence=0.6)
    talk.hear(c.Correct(), c.GiveBirthDate(date(1990, 3, 30)))
    talk.hear(c.Affirm())

    assert talk.diary.registered == []
    assert [one.patient_id for one in talk.booked()] == ["patient-jon"]


def test_a_newcomers_date_of_birth_that_was_heard_well_is_asked_for_once() -> None:
    talk = newcomer_asked_for_a_birth_date()

    talk.hear(c.GiveBirthDate(date(1990, 3, 13)), confidence=0.93)

    assert read_back_born(talk) is None


# The question before, once more.


def test_and_on_saturdays_asks_the_question_before_again() -> None:
    talk = Talk()
    talk.hear(c.AskClinic(c.Topic.PRICE), c.GiveService(("cleaning",)))
    assert Say.PRICE in talk.said

    talk.hear(c.StartBooking(), c.GiveService(("filling",)), c.AskSame())

    assert Say.PRICE in talk.said
    assert talk.state.flow is None


def test_without_a_question_before_it_is_a_wish() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), c.AskSame())

    assert Say.OFFER in talk.said


def test_what_was_asked_about_is_what_one_is_wanted_of() -> None:
    talk = Talk()
    talk.hear(c.AskClinic(c.Topic.SERVICES), c.GiveService(("cleaning",)))
    talk.hear(c.AskClinic(c.Topic.PRICE))
    assert Say.PRICE in talk.said

    talk.hear(c.StartBooking(), on(date(2027, 3, 15)))

    assert Say.OFFER in talk.said


def test_another_of_the_list_is_taken_at_the_read_back() -> None:
    talk = Talk()
    talk.hear(*CLEANING)
    second = talk.offered()[1]
    talk.hear(c.Choose(0))

    talk.hear(c.Deny(), c.Choose(1))
    assert Say.READ_BACK in talk.said
    talk.hear(c.Affirm())

    (visit,) = talk.booked()
    assert visit.starts_at.astimezone(talk.catalogue.zone).replace(tzinfo=None) == second


def test_a_yes_beside_what_is_read_back_anyway_books_it() -> None:
    talk = at_the_read_back(Talk())

    talk.hear(c.Affirm(), c.Choose(0))

    assert len(talk.booked()) == 1


def test_another_hour_at_the_read_back_is_one_of_the_day_that_is_held() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)))
    day = talk.offered()[1].date()
    talk.hear(c.Choose(1))

    talk.hear(c.Correct(), c.GiveTime(TimeWish(at_minute=15 * 60)))

    assert talk.state.flow is not None
    assert [one.first for one in talk.state.flow.details.wish.days] == [day]  # type: ignore[union-attr]  # it was just given


def test_who_will_not_give_a_name_is_let_go() -> None:
    talk = Talk(number_patients=())
    talk.hear(c.AskAppointments())

    talk.hear(c.Deny())
    assert talk.said == [Say.WHY_IDENTITY, Say.ASK_NAME]
    talk.hear(c.Deny())

    assert Say.NOTHING_CHANGED in talk.said


def test_a_stop_beside_a_wish_leaves_the_wish() -> None:
    talk = Talk()

    talk.hear(c.Stop(), *CLEANING)

    assert Say.OFFER in talk.said


def test_the_first_one_at_the_read_back_of_another_changes_nothing_by_itself() -> None:
    talk = Talk()
    talk.hear(*CLEANING)
    second = talk.offered()[1]
    talk.hear(c.Choose(1))

    talk.hear(c.Choose(0))
    talk.hear(c.Affirm())

    (visit,) = talk.booked()
    assert visit.starts_at.astimezone(talk.catalogue.zone).replace(tzinfo=None) == second
