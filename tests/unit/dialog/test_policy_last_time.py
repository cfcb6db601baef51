"""What they had the last time: found for who has proved who they are, and for nobody else."""

from datetime import date

import pytest

from dialog import commands as c
from dialog.acts import Say
from dialog.errands import FindTimes, ListVisits
from dialog.interpreter import Asked
from dialog.timewords import TimeWish
from tests.unit.dialog.talk import ANN, Talk, on, wall

pytestmark = pytest.mark.unit

BIRTHDAY = c.GiveBirthDate(date(1984, 5, 2))
TUESDAY = date(2027, 3, 16)
SAME_TIME = c.GiveTime(TimeWish(relative="same_time"))


def who_was_here() -> Talk:
    talk = Talk()
    talk.diary.book(ANN, "physical", "ruiz", "main", wall("2027-01-12T10:30"))
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-02-09T15:00"))
    return talk


def prove(talk: Talk) -> str:
    talk.hear(c.GiveName("Ann Smith"))
    return talk.hear(BIRTHDAY)


def last_search(talk: Talk) -> FindTimes:
    return [one for one in talk.diary.asked_for if isinstance(one, FindTimes)][-1]


def test_the_usual_is_the_service_and_the_person_of_the_last_visit() -> None:
    talk = who_was_here()

    talk.hear(c.StartBooking(), c.LikeLastTime())
    assert talk.said[-1] is Say.ASK_NAME
    prove(talk)

    assert last_search(talk).service_id == "service-cleaning"
    assert last_search(talk).wanted_ids == ("practitioner-lee",)


def test_nothing_of_the_last_visit_is_looked_up_without_a_proof() -> None:
    talk = who_was_here()

    talk.hear(c.StartBooking(), c.LikeLastTime())
    talk.hear(c.GiveName("Ann Smith"))
    talk.hear(c.GiveBirthDate(date(1984, 5, 3)))

    assert not [one for one in talk.diary.asked_for if isinstance(one, ListVisits)]
    assert Say.NOT_FOUND in talk.said


def test_the_same_time_as_last_time_is_that_of_the_last_visit_for_the_service() -> None:
    talk = who_was_here()

    talk.hear(c.StartBooking(), c.GiveService(("physical",)), on(TUESDAY), SAME_TIME)
    prove(talk)

    assert last_search(talk).wish.at_minute == 10 * 60 + 30


def test_the_same_time_is_that_of_what_was_offered_once_something_was() -> None:
    talk = who_was_here()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(TUESDAY, at=9 * 60))

    talk.hear(c.GiveTime(TimeWish(relative="same_time", days=on(date(2027, 3, 18)).wish.days)))

    assert talk.offered() == [wall("2027-03-18T09:00")]


def test_the_same_as_last_time_in_answer_to_with_whom_is_the_person() -> None:
    talk = who_was_here()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), c.GivePractitioner((), "Dr. Who"))
    assert talk.asked is Asked.PRACTITIONER

    talk.hear(c.LikeLastTime())
    prove(talk)

    assert last_search(talk).wanted_ids == ("practitioner-lee",)


def test_who_was_never_here_hears_so_and_is_booked_all_the_same() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), c.GiveService(("physical",)), on(TUESDAY), SAME_TIME)
    prove(talk)

    assert talk.said[0] is Say.NO_LAST_VISIT
    assert talk.offered()
