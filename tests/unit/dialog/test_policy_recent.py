"""What was booked or moved just now: "it" means that, and whoever made it may change it without another proof. Nothing else opens by it."""

from datetime import date, timedelta

import pytest

from dialog import commands as c
from dialog.acts import Say
from dialog.commands import Relation, Topic
from dialog.errands import CancelAppointment, MoveAppointment
from dialog.inbound import Channel
from dialog.interpreter import Asked
from dialog.state import FlowKind
from dialog.timewords import TimeWish
from tests.unit.dialog.talk import ANN, BOB, Talk, on, wall

pytestmark = pytest.mark.unit

MONDAY, TUESDAY, THURSDAY = date(2027, 3, 15), date(2027, 3, 16), date(2027, 3, 18)


def just_booked(*, channel: Channel = Channel.SMS) -> Talk:
    talk = Talk(channel=channel)
    talk.diary.book(ANN, "physical", "ruiz", "main", wall("2027-03-18T11:00"))
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(MONDAY, at=14 * 60))
    talk.hear(c.Affirm())
    assert Say.BOOKED in talk.said
    return talk


def test_what_was_booked_just_now_is_moved_without_asking_who_it_is() -> None:
    talk = just_booked()

    talk.hear(c.StartReschedule(), on(TUESDAY, at=9 * 60))
    talk.hear(c.Affirm())
    talk.hear(c.Affirm())

    moved = [one for one in talk.diary.asked_for if isinstance(one, MoveAppointment)]
    assert [one.appointment_id for one in moved] == [talk.state.made[-1].visit.id]
    assert talk.said[0] is Say.MOVED


def test_can_i_come_earlier_is_about_what_was_booked_just_now() -> None:
    talk = just_booked()

    talk.hear(c.GiveTime(TimeWish(relative="earlier")))

    assert talk.asked is Asked.CHOICE
    assert all(one < wall("2027-03-15T14:00") for one in talk.offered())


def test_it_is_cancelled_again_at_once() -> None:
    talk = just_booked()

    reply = talk.hear(c.StartCancel())
    talk.hear(c.Affirm())

    assert "Mar 15" in reply
    assert [one.service_id for one in talk.booked()] == ["service-physical"]


def test_another_visit_still_takes_name_and_date_of_birth() -> None:
    talk = just_booked()

    talk.hear(c.StartCancel(), c.GiveService(("physical",)))

    assert talk.said == [Say.ASK_NAME]
    assert not [one for one in talk.diary.asked_for if isinstance(one, CancelAppointment)]


def test_when_their_visits_are_still_takes_name_and_date_of_birth() -> None:
    talk = just_booked()

    assert Say.ASK_NAME in (talk.hear(c.AskAppointments()) and talk.said)


def test_what_it_costs_is_answered_of_what_was_booked_just_now() -> None:
    talk = just_booked()

    reply = talk.hear(c.AskClinic(Topic.PRICE))

    assert talk.said[0] in {Say.PRICE, Say.PRICE_UNKNOWN}
    assert "leaning" in reply


def test_that_is_all_instead_of_a_name_ends_what_is_under_way() -> None:
    talk = just_booked()
    talk.hear(c.StartCancel(), c.GiveService(("physical",)))

    talk.hear(c.Deny(nothing_more=True))

    assert talk.said[0] is Say.NOTHING_CHANGED
    assert len(talk.booked()) == 2


def test_that_is_all_instead_of_a_time_shows_no_others() -> None:
    talk = just_booked()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)))

    talk.hear(c.Deny(nothing_more=True))

    assert talk.said[0] is Say.NOTHING_CHANGED
    assert Say.OFFER not in talk.said


def test_after_half_an_hour_of_silence_it_takes_a_proof_again() -> None:
    talk = just_booked()

    talk.later(timedelta(minutes=31))
    talk.hear(c.StartReschedule(), on(TUESDAY, at=9 * 60))

    assert talk.said == [Say.ASK_NAME]


def test_on_another_channel_it_takes_a_proof_again() -> None:
    talk = just_booked(channel=Channel.VOICE)

    talk.channel = Channel.SMS
    talk.hear(c.StartCancel())

    assert Say.ASK_NAME in talk.said


def test_a_moved_visit_is_what_it_means_next() -> None:
    talk = Talk()
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-15T10:00"))
    talk.diary.book(ANN, "physical", "ruiz", "main", wall("2027-03-18T11:00"))
    talk.hear(c.StartReschedule(), c.GiveService(("physical",)), c.GiveName("Ann Smith"))
    talk.hear(c.GiveBirthDate(date(1984, 5, 2)))
    talk.hear(on(TUESDAY, at=9 * 60))
    talk.hear(c.Affirm())
    talk.hear(c.Affirm())
    assert Say.MOVED in talk.said

    reply = talk.hear(c.StartCancel())

    assert "Annual check-up, Tue Mar 16" in reply


def test_of_two_people_booked_for_the_one_named_is_meant() -> None:
    talk = just_booked()
    talk.hear(c.StartBooking(), c.BookFor(Relation.CHILD, also=True))
    talk.hear(c.GiveName("Lucy Smith"))
    talk.hear(c.Choose(0))
    talk.hear(c.GiveBirthDate(date(2017, 6, 5)))
    talk.hear(c.Affirm())
    assert Say.BOOKED in talk.said

    reply = talk.hear(c.StartCancel(), c.BookFor(Relation.CHILD))
    assert "2:45 PM" in reply
    talk.hear(c.Deny())

    assert "2:00 PM" in talk.hear(c.StartCancel(), c.GiveTime(TimeWish(at_minute=14 * 60), of_visit=True))


def test_a_booking_of_nothing_yet_is_dropped_by_the_move_that_was_meant() -> None:
    talk = Talk(number_patients=(BOB,))
    talk.diary.book(BOB, "physical", "ruiz", "main", wall("2027-03-18T11:00"))
    talk.hear(c.StartBooking())
    talk.hear(c.StartReschedule(), c.GiveName("Robert Jones"), c.GiveBirthDate(date(1959, 11, 30)))
    talk.hear(on(TUESDAY, at=9 * 60))
    talk.hear(c.Affirm())
    talk.hear(c.Affirm())

    assert talk.said == [Say.MOVED, Say.ANYTHING_ELSE]
    assert talk.state.flow is None


@pytest.mark.parametrize(
    "said",
    [
        (c.Correct(), on(TUESDAY)),
        (c.AskAvailability(), c.GiveTime(TimeWish(relative="later", shift_days=1))),
    ],
)
def test_second_thoughts_right_after_the_booking_move_it(said: tuple[c.Command, ...]) -> None:
    talk = just_booked()

    talk.hear(*said)

    assert talk.state.flow is not None
    assert talk.state.flow.kind is FlowKind.RESCHEDULE
    assert all(one.date() == TUESDAY for one in talk.offered())


def test_a_wish_with_a_service_of_its_own_is_no_second_thought() -> None:
    talk = just_booked()

    talk.hear(c.StartBooking(), c.GiveService(("flu-shot",)), on(THURSDAY))

    assert talk.state.flow is not None
    assert talk.state.flow.kind is FlowKind.BOOK


def test_the_other_one_is_not_the_one_that_was_moved() -> None:
    talk = Talk()
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-15T10:00"))
    talk.diary.book(ANN, "physical", "ruiz", "main", wall("2027-03-18T11:00"))
    talk.hear(c.StartReschedule(), c.GiveService(("physical",)), c.GiveName("Ann Smith"))
    talk.hear(c.GiveBirthDate(date(1984, 5, 2)))
    talk.hear(on(TUESDAY, at=9 * 60))
    talk.hear(c.Affirm())
    talk.hear(c.Affirm())

    reply = talk.hear(c.StartCancel(), c.MoreOptions())

    assert talk.said == [Say.READ_BACK_CANCEL]
    assert "Dental cleaning" in reply


def test_what_was_told_of_somebody_else_is_changed_for_them() -> None:
    talk = Talk()
    talk.diary.book(BOB, "physical", "ruiz", "main", wall("2027-03-18T11:00"))
    talk.hear(c.AskAppointments(), c.BookFor(Relation.PARENT, "Robert Jones"))
    talk.hear(c.GiveBirthDate(date(1959, 11, 30)))
    assert Say.VISITS in talk.said

    talk.hear(c.StartReschedule(), on(TUESDAY, at=9 * 60))
    talk.hear(c.Affirm())
    talk.hear(c.Affirm())

    assert Say.MOVED in talk.said
    assert [one.starts_at.day for one in talk.booked()] == [16]
