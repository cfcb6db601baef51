"""A second person beside the first, and wishes beside an offer: nobody is dropped, and no wish for more is taken for a choice."""

from datetime import date, timedelta

import pytest

from dialog import commands as c
from dialog.acts import Say
from dialog.commands import Relation
from dialog.errands import FindTimes, WaitForTime
from dialog.inbound import Channel
from dialog.interpreter import Asked
from dialog.timewords import ClockRange, DayRange, TimeWish
from tests.unit.dialog.talk import ANN, BOB, Talk, on, wall

pytestmark = pytest.mark.unit

MONDAY, TUESDAY, FRIDAY = date(2027, 3, 15), date(2027, 3, 16), date(2027, 3, 12)
DAUGHTER_TOO = c.BookFor(Relation.CHILD, also=True)
AFTERNOON = c.GiveTime(TimeWish(clocks=(ClockRange(12 * 60, 18 * 60),)))
NEXT_WEEK = c.GiveTime(TimeWish(days=(DayRange(MONDAY, MONDAY + timedelta(days=7)),)))


def at_the_read_back() -> Talk:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(MONDAY, at=14 * 60))
    talk.hear(c.Choose(0))
    return talk


def finish_for_lucy(talk: Talk) -> None:
    talk.hear(c.GiveName("Lucy Smith"))
    talk.hear(c.Choose(0))
    talk.hear(c.GiveBirthDate(date(2017, 6, 5)))
    talk.hear(c.Affirm())


def test_one_more_for_the_daughter_waits_for_the_own_booking_and_follows_it() -> None:
    talk = at_the_read_back()

    talk.hear(DAUGHTER_TOO)
    talk.hear(c.Affirm())
    assert talk.said[:2] == [Say.BOOKED, Say.NOW_FOR]
    finish_for_lucy(talk)

    assert [f"{one.starts_at:%H:%M}" for one in talk.booked()] == [
        "18:00",
        "18:45",
    ]  # UTC: 14:00 and 14:45 at the clinic
    assert [one.name for one in talk.diary.registered] == ["Lucy Smith"]


def test_yes_and_one_for_my_daughter_too_does_both() -> None:
    talk = at_the_read_back()

    talk.hear(c.Affirm(), DAUGHTER_TOO)
    finish_for_lucy(talk)

    assert len(talk.booked()) == 2


def test_one_more_after_the_booking_is_of_the_same_kind() -> None:
    talk = at_the_read_back()
    talk.hear(c.Affirm())

    talk.hear(c.StartBooking(), DAUGHTER_TOO)
    finish_for_lucy(talk)

    assert [one.service_id for one in talk.booked()] == ["service-cleaning"] * 2


def test_what_is_said_of_the_second_one_leaves_the_first_alone() -> None:
    talk = at_the_read_back()

    talk.hear(DAUGHTER_TOO, on(TUESDAY, at=9 * 60))
    talk.hear(c.Affirm())
    talk.hear(c.GiveName("Lucy Smith"))

    assert [one.starts_at.day for one in talk.booked()] == [15]
    assert talk.offered() == [wall("2027-03-16T09:00")]


def test_said_twice_it_is_one_more_only() -> None:
    talk = at_the_read_back()

    talk.hear(DAUGHTER_TOO)
    talk.hear(DAUGHTER_TOO)

    assert len(talk.state.flows) == 2


def test_two_more_are_taken_up_in_the_order_in_which_they_were_named() -> None:
    talk = at_the_read_back()
    talk.hear(c.BookFor(Relation.PARTNER, also=True))
    talk.hear(DAUGHTER_TOO)

    talk.hear(c.Affirm())

    assert [one.fields["relation"] for one in talk.acts if one.say is Say.NOW_FOR] == ["partner"]


def test_too_at_the_beginning_is_beside_an_own_wish() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), DAUGHTER_TOO)

    assert [one.details.relation for one in talk.state.flows] == [Relation.CHILD, Relation.SELF]


def test_a_question_for_the_afternoon_searches_though_one_offer_is_in_it() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("physical",)), NEXT_WEEK)
    assert sum(one.hour >= 12 for one in talk.offered()) == 1

    talk.hear(AFTERNOON)

    assert talk.said == [Say.OFFER]
    assert all(one.hour >= 12 for one in talk.offered())


def test_a_wish_for_a_week_searches_even_beside_a_choice_that_somebody_read_into_it() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("physical",)))

    talk.hear(NEXT_WEEK, c.Choose(0))

    searched = [one for one in talk.diary.asked_for if isinstance(one, FindTimes)][-1]
    assert searched.wish.days == NEXT_WEEK.wish.days
    assert all(one.date() >= MONDAY for one in talk.offered())


def test_anyone_else_is_neither_whom_they_wished_for_nor_whoever_was_offered() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("physical",)), c.GivePractitioner(("ruiz",)), on(MONDAY))

    talk.hear(c.MoreOptions(with_others=True), on(TUESDAY))

    searched = [one for one in talk.diary.asked_for if isinstance(one, FindTimes)][-1]
    assert searched.wanted_ids == ("practitioner-ito",)


def test_anyone_else_where_nobody_else_does_it_goes_on_with_who_does() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("physio-followup",)), c.GivePractitioner(("novak",)), on(MONDAY))

    talk.hear(c.MoreOptions(with_others=True))

    assert talk.asked is Asked.CHOICE


def test_who_else_is_in_is_not_told_as_nobody() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), c.GivePractitioner(("ben-carter",)), on(MONDAY))

    reply = talk.hear(c.MoreOptions(with_others=True), on(FRIDAY))

    assert "Nobody" not in reply
    assert "Dr. Mina Lee is not in" in reply


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.VOICE])
def test_the_same_question_is_not_asked_for_ever(channel: Channel) -> None:
    talk = Talk(channel=channel)
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(MONDAY, at=14 * 60))
    talk.hear(c.Choose(0))

    for _ in range(3):
        talk.hear(on(MONDAY, at=14 * 60))

    assert Say.READ_BACK not in talk.said
    assert talk.said[0] in {Say.CALL_BACK, Say.TRANSFER}
    assert talk.diary.tasks
    assert talk.diary.hold is None


def test_questions_in_between_are_no_rounds() -> None:
    talk = at_the_read_back()

    for topic in (c.Topic.PARKING, c.Topic.PRICE, c.Topic.ADDRESS, c.Topic.HOURS):
        talk.hear(c.AskClinic(topic))

    assert talk.said[-1] is Say.READ_BACK


def test_a_read_back_is_dropped_with_the_booking_when_nobody_could_be_found() -> None:
    talk = at_the_read_back()
    talk.hear(c.AskAppointments())

    for year in (1981, 1982, 1983):
        talk.hear(c.GiveName("Ann Smith"))
        talk.hear(c.GiveBirthDate(date(year, 5, 2)))

    assert talk.said[:2] == [Say.CANNOT_WITHOUT_PROOF, Say.NOT_FOUND_STAFF]
    assert talk.state.flow is None
    assert talk.diary.hold is None


def test_a_day_that_was_refused_is_never_named_as_not_free() -> None:
    talk = Talk()
    monday = date(2027, 3, 29)
    week = TimeWish(
        days=(DayRange(monday, monday + timedelta(days=7)),), not_weekdays=frozenset({0}), at_minute=18 * 60
    )

    reply = talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), c.GiveTime(week))

    assert "Mon Mar 29" not in reply
    assert Say.WHY_NOT in talk.said


def test_whoever_is_named_after_the_booking_has_the_same_without_a_too() -> None:
    talk = at_the_read_back()
    talk.hear(c.Affirm())

    talk.hear(c.Affirm(), c.BookFor(Relation.PARTNER))

    assert talk.said == [Say.NOW_FOR, Say.ASK_THEIR_NAME]


def test_never_mind_the_first_one_then_takes_the_first_one() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(TUESDAY))

    talk.hear(c.Stop(), c.Choose(0))

    assert talk.said == [Say.READ_BACK]


def test_why_is_answered_and_the_question_asked_again() -> None:
    talk = Talk()
    talk.hear(c.AskAppointments())

    talk.hear(c.AskWhy())

    assert talk.said == [Say.WHY_IDENTITY, Say.ASK_NAME]


def test_only_the_date_that_was_wrong_is_said_again() -> None:
    talk = Talk()
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-15T10:00"))
    talk.hear(c.AskAppointments(), c.GiveName("Ann Smith"), c.GiveBirthDate(date(1985, 5, 2)))
    assert Say.NOT_FOUND in talk.said

    talk.hear(c.GiveBirthDate(date(1984, 5, 2)))

    assert talk.said[0] is Say.VISITS


def test_waiting_for_an_earlier_time_finds_out_for_which_visit() -> None:
    talk = Talk()
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-15T10:00"))

    talk.hear(c.StartBooking(), c.GiveTime(TimeWish(relative="earlier")), c.JoinWaitlist())
    assert talk.said[-1] is Say.ASK_NAME
    talk.hear(c.GiveName("Ann Smith"))
    talk.hear(c.GiveBirthDate(date(1984, 5, 2)))

    waits = [one for one in talk.diary.asked_for if isinstance(one, WaitForTime)]
    assert [one.replaces_id for one in waits] == [next(iter(talk.diary.visits))]
    assert talk.said[0] is Say.WAITLIST_JOINED
    assert talk.state.flow is None


def test_a_child_of_this_number_is_recognised_by_the_first_name() -> None:
    talk = Talk(number_patients=(ANN, BOB))
    talk.diary.people[BOB] = ("Lucy", date(2017, 6, 5))

    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), c.BookFor(Relation.CHILD, "Lucy"), on(MONDAY, at=14 * 60))
    talk.hear(c.Choose(0))

    assert talk.said == [Say.READ_BACK]


def test_a_question_after_an_empty_booking_for_somebody_is_about_theirs() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.BookFor(Relation.CHILD))

    talk.hear(c.AskAppointments())

    assert talk.said == [Say.ASK_THEIR_NAME]
