"""Cancelling more than one visit: all of them are read back, and one yes does all of it."""

from datetime import date

import pytest

from dialog import commands as c
from dialog.acts import Say
from dialog.errands import CancelAppointment, RefusedBy
from tests.unit.dialog.talk import ANN, Talk, on, wall

pytestmark = pytest.mark.unit

BIRTHDAY = c.GiveBirthDate(date(1984, 5, 2))


def with_three_visits() -> Talk:
    talk = Talk()
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-15T10:00"))
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-16T10:00"))
    talk.diary.book(ANN, "physical", "ruiz", "main", wall("2027-03-18T11:00"))
    return talk


def cancelled(talk: Talk) -> list[str]:
    return [one.appointment_id for one in talk.diary.asked_for if isinstance(one, CancelAppointment)]


def test_all_visits_are_read_back_and_cancelled_after_one_yes() -> None:
    talk = with_three_visits()

    reply = talk.hear(c.StartCancel(every=True), c.GiveName("Ann Smith"), BIRTHDAY)
    told = talk.hear(c.Affirm())

    assert all(day in reply and day in told for day in ("Mar 15", "Mar 16", "Mar 18"))
    assert talk.said == [Say.CANCELLED_ALL, Say.ANYTHING_ELSE]
    assert talk.booked() == []


def test_only_those_are_cancelled_that_fit_what_was_said_of_them() -> None:
    talk = with_three_visits()

    talk.hear(c.StartCancel(every=True), c.GiveService(("cleaning",)), c.GiveName("Ann Smith"), BIRTHDAY)
    talk.hear(c.Affirm())

    assert [one.service_id for one in talk.booked()] == ["service-physical"]


def test_both_of_them_in_answer_to_which_one_means_each() -> None:
    talk = with_three_visits()

    talk.hear(c.StartCancel(), c.GiveService(("cleaning",)), c.GiveName("Ann Smith"), BIRTHDAY)
    talk.hear(c.ChooseAll())
    assert talk.said == [Say.READ_BACK_CANCEL_ALL]
    talk.hear(c.Affirm())

    assert len(cancelled(talk)) == 2


def test_nothing_is_cancelled_before_the_yes_and_one_may_be_picked_instead() -> None:
    talk = with_three_visits()

    talk.hear(c.StartCancel(every=True), c.GiveName("Ann Smith"), BIRTHDAY)
    talk.hear(c.Correct(), c.Choose(2))
    assert talk.said == [Say.READ_BACK_CANCEL]
    assert cancelled(talk) == []
    talk.hear(c.Affirm())

    assert len(talk.booked()) == 2


def test_a_no_keeps_all_of_them() -> None:
    talk = with_three_visits()

    talk.hear(c.StartCancel(every=True), c.GiveName("Ann Smith"), BIRTHDAY)
    talk.hear(c.Deny())

    assert talk.said[0] is Say.NOTHING_CHANGED
    assert len(talk.booked()) == 3


def test_the_others_are_cancelled_when_the_rules_keep_one() -> None:
    talk = with_three_visits()
    talk.hear(c.StartCancel(every=True), c.GiveName("Ann Smith"), BIRTHDAY)

    talk.diary.refuse_next = RefusedBy("too-late-to-cancel", {})
    reply = talk.hear(c.Affirm())

    assert talk.said[:2] == [Say.REFUSED, Say.CANCELLED_ALL]
    assert "Mar 15" not in reply
    assert "Mar 16" in reply
    assert len(talk.booked()) == 1


def test_one_visit_alone_is_read_back_as_ever() -> None:
    talk = Talk()
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-15T10:00"))

    talk.hear(c.StartCancel(every=True), c.GiveName("Ann Smith"), BIRTHDAY)

    assert talk.said[-1] is Say.READ_BACK_CANCEL


def test_a_visit_made_just_now_is_not_all_of_them() -> None:
    talk = with_three_visits()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(date(2027, 3, 17), at=9 * 60))
    if talk.state.choices:
        talk.hear(c.Choose(0))
    talk.hear(c.Affirm())

    talk.hear(c.StartCancel(every=True))

    assert talk.said[-1] is Say.ASK_NAME


def test_both_visits_are_moved_one_after_the_other() -> None:
    talk = with_three_visits()

    talk.hear(c.StartReschedule(every=True), c.GiveService(("cleaning",)), c.GiveName("Ann Smith"), BIRTHDAY)
    for day in (date(2027, 3, 22), date(2027, 3, 23)):
        talk.hear(on(day, at=9 * 60))
        talk.hear(c.Affirm())
        talk.hear(c.Affirm())

    assert sorted(one.starts_at.day for one in talk.booked()) == [18, 22, 23]
    assert talk.state.flow is None


def test_moving_all_of_no_visits_says_that_there_are_none() -> None:
    talk = Talk()

    talk.hear(c.StartReschedule(every=True), c.GiveName("Ann Smith"), BIRTHDAY)

    assert Say.NO_VISITS in talk.said
