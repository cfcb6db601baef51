"""Several visits and several people in one conversation: which one is meant, and that nobody is dropped."""

from datetime import date, timedelta

import pytest

from dialog import commands as c
from dialog.acts import Say
from dialog.commands import Relation
from dialog.errands import CancelAppointment, MatchCaller, MoveAppointment
from dialog.inbound import Channel
from dialog.interpreter import Asked
from dialog.state import FlowKind
from dialog.timewords import DayRange, TimeWish
from tests.unit.dialog.talk import ANN, BOB, Talk, on, wall

pytestmark = pytest.mark.unit

MONDAY, TUESDAY, THURSDAY = date(2027, 3, 15), date(2027, 3, 16), date(2027, 3, 18)
ANNS_BIRTHDAY = c.GiveBirthDate(date(1984, 5, 2))


def verified_with_two_visits(*, channel: Channel = Channel.SMS) -> Talk:
    talk = Talk(channel=channel)
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-16T10:00"))
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-18T11:00"))
    talk.hear(c.AskAppointments(), c.GiveName("Ann Smith"), ANNS_BIRTHDAY)
    assert Say.VISITS in talk.said
    return talk


def test_after_a_listing_the_first_one_is_the_first_that_was_listed() -> None:
    talk = verified_with_two_visits()

    reply = talk.hear(c.StartCancel(), c.Choose(0))

    assert "Tue Mar 16" in reply
    assert talk.said == [Say.READ_BACK_CANCEL]


def test_one_pointed_at_in_the_list_is_moved_to_the_day_they_say_with_it() -> None:
    talk = verified_with_two_visits()

    talk.hear(c.StartReschedule(), c.Choose(1), on(MONDAY, at=14 * 60))
    talk.hear(c.Affirm())
    talk.hear(c.Affirm())

    assert [one for one in talk.diary.asked_for if isinstance(one, MoveAppointment)]
    assert sorted(one.starts_at for one in talk.booked()) == sorted(
        one.starts_at for one in talk.booked() if one.starts_at.day in {15, 16}
    )


def test_the_list_is_forgotten_once_something_on_it_was_changed() -> None:
    talk = verified_with_two_visits()
    talk.hear(c.StartCancel(), c.Choose(0))
    talk.hear(c.Affirm())

    talk.hear(c.StartCancel(), c.Choose(0))

    assert "Thu Mar 18" in talk.hear(c.Repeat())


def test_keys_keep_the_meaning_of_the_menu_after_a_listing() -> None:
    talk = verified_with_two_visits(channel=Channel.VOICE)

    talk.press("1")

    assert talk.state.flow is not None
    assert talk.state.flow.kind is FlowKind.BOOK


def test_a_move_instead_is_of_the_visit_that_was_to_be_cancelled() -> None:
    talk = verified_with_two_visits()
    talk.hear(c.StartCancel(), c.Choose(1))

    talk.hear(c.StartReschedule(), on(MONDAY, at=14 * 60))
    reply = talk.hear(c.Affirm())

    assert "Move Dental cleaning from Thu Mar 18, 11:00 AM to Mon Mar 15, 2:00 PM" in reply
    assert len(talk.state.flows) == 1


def test_a_move_of_another_visit_leaves_the_cancellation_waiting() -> None:
    talk = verified_with_two_visits()
    talk.hear(c.StartCancel(), c.Choose(1))

    of_tuesday = c.GiveTime(TimeWish(weekdays=frozenset({1})), of_visit=True)
    talk.hear(c.StartReschedule(), of_tuesday, on(MONDAY, at=14 * 60))
    talk.hear(c.Affirm())
    reply = talk.hear(c.Affirm())

    assert "Moved: Dental cleaning, Mon Mar 15" in reply
    assert "Thu Mar 18, 11:00 AM, Dr. Mina Lee" in reply
    assert talk.said[-1] is Say.READ_BACK_CANCEL
    assert not [one for one in talk.diary.asked_for if isinstance(one, CancelAppointment)]


def test_a_week_later_is_a_week_after_the_visit_at_its_own_time() -> None:
    talk = verified_with_two_visits()

    reply = talk.hear(c.StartReschedule(), c.Choose(1), c.GiveTime(TimeWish(relative="later", shift_days=7)))

    assert talk.offered() == [wall("2027-03-25T11:00")]
    assert "Thu Mar 25, 11:00 AM" in reply


def test_a_day_that_no_longer_suits_names_the_visit_that_is_on_it() -> None:
    talk = verified_with_two_visits()

    reply = talk.hear(c.GiveTime(TimeWish(not_days=(DayRange(TUESDAY, TUESDAY + timedelta(days=1)),))))

    assert talk.said == [Say.ASK_WHEN_MOVE]
    assert "Tue Mar 16" in reply


def test_a_second_person_named_with_the_first_is_taken_up_as_soon_as_the_first_is_booked() -> None:
    talk = Talk()
    talk.hear(
        c.StartBooking(),
        c.GiveService(("cleaning",)),
        c.BookFor(Relation.PARTNER),
        c.BookFor(Relation.SELF),
        on(MONDAY, at=14 * 60),
    )
    reply = talk.hear(c.Affirm())

    assert "Booked" in reply
    assert talk.said[-2:] == [Say.NOW_FOR, Say.ASK_THEIR_NAME]
    talk.hear(c.GiveName("Tom Smith"))
    assert all(one.date() == MONDAY and one >= wall("2027-03-15T14:45") for one in talk.offered())
    talk.hear(c.Choose(0))
    talk.hear(c.GiveBirthDate(date(1980, 3, 4)))
    talk.hear(c.Affirm())
    assert [one.name for one in talk.diary.registered] == ["Tom Smith"]
    assert len(talk.booked()) == 2


def test_never_mind_means_the_second_person_too() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), c.BookFor(Relation.PARTNER), c.BookFor(Relation.SELF))

    talk.hear(c.Stop())

    assert talk.state.flows == ()


@pytest.mark.parametrize("born", [date(1971, 4, 5), date(1984, 5, 2)])
def test_a_date_of_birth_at_the_read_back_asks_whose_it_is(born: date) -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(MONDAY))
    talk.hear(c.Choose(0))
    assert talk.said == [Say.READ_BACK]

    talk.hear(c.GiveBirthDate(born))

    assert talk.asked is Asked.NAME
    assert talk.booked() == []


def test_a_name_of_the_number_with_another_date_of_birth_is_not_booked_as_that_patient() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(MONDAY))
    talk.hear(c.Choose(0))
    talk.hear(c.GiveBirthDate(date(1971, 4, 5)))
    talk.hear(c.GiveName("Ann Smith"))
    assert talk.said == [Say.BIRTH_DATE_AGAIN]
    talk.hear(c.GiveBirthDate(date(1971, 4, 5)))
    talk.hear(c.Affirm())

    assert {one.birth_date for one in talk.diary.asked_for if isinstance(one, MatchCaller)} == {date(1971, 4, 5)}
    assert [one.patient_id for one in talk.booked()] == ["patient-new"]
    assert [one.is_doubtful for one in talk.diary.registered] == [True]


def test_a_date_of_birth_that_was_mistyped_is_asked_for_once_more_and_then_finds_the_patient() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(MONDAY))
    talk.hear(c.Choose(0))
    talk.hear(c.GiveName("Ann Smith"), c.GiveBirthDate(date(1984, 2, 5)))
    talk.hear(c.GiveBirthDate(date(1984, 5, 2)))
    talk.hear(c.Affirm())

    assert [one.patient_id for one in talk.booked()] == [ANN]
    assert talk.diary.registered == []


def test_of_two_services_the_second_is_taken_up_once_the_first_is_booked() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), c.GiveService(("flu-shot",)), on(MONDAY))
    assert Say.ONE_BY_ONE in talk.said
    talk.hear(c.Choose(0))
    talk.hear(c.Affirm())
    assert Say.NOW_THE_NEXT in talk.said
    talk.hear(c.Choose(0))
    talk.hear(c.Affirm())

    assert [(one.service_id, one.patient_id) for one in talk.booked()] == [
        ("service-cleaning", ANN),
        ("service-flu-shot", ANN),
    ]
    assert talk.booked()[1].starts_at >= talk.booked()[0].ends_at


def test_yes_and_no_at_once_is_asked_again() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(MONDAY))
    talk.hear(c.Choose(0))
    talk.hear(c.Affirm(), c.Deny())

    assert talk.booked() == []
    assert Say.READ_BACK in talk.said


def test_the_number_and_the_right_date_of_birth_find_the_patient_by_name() -> None:
    talk = Talk(number_patients=(ANN, BOB))
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(MONDAY))
    talk.hear(c.Choose(0))
    talk.hear(c.GiveName("Robert Jones"), c.GiveBirthDate(date(1959, 11, 30)))
    talk.hear(c.Affirm())

    assert [one.patient_id for one in talk.booked()] == [BOB]


def test_perfect_after_a_booking_by_text_begins_nothing_and_no_text_is_empty() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(MONDAY, at=14 * 60))
    talk.hear(c.Affirm())

    assert talk.hear(c.Affirm()) == "You're welcome."
    assert talk.hear(ANNS_BIRTHDAY) != ""


@pytest.mark.parametrize("answer", ["1", "y", "Y."])
def test_a_digit_or_letter_texted_to_a_read_back_is_a_yes_however_little_else_it_says(answer: str) -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(MONDAY))
    talk.hear(c.Choose(0))

    talk.hear(text=answer, confidence=0.0)

    assert len(talk.booked()) == 1


def test_asking_what_there_is_while_moving_shows_times_for_the_move() -> None:
    talk = verified_with_two_visits()
    talk.hear(c.StartReschedule(), c.Choose(0))
    assert talk.said == [Say.ASK_WHEN_MOVE]

    talk.hear(c.AskAvailability())

    assert talk.said[-1] is Say.OFFER
    assert [one.kind for one in talk.state.flows] == [FlowKind.RESCHEDULE]


@pytest.mark.parametrize(
    ("day", "said"),
    [(TUESDAY, Say.WORKS_ON), (date(2027, 3, 19), Say.NOT_IN_ON), (date(2027, 3, 14), Say.NOT_IN_ON)],
)
def test_whether_somebody_is_in_on_a_day_is_answered_for_that_day(day: date, said: Say) -> None:
    talk = Talk()

    reply = talk.hear(c.AskClinic(c.Topic.WHO_WORKS_WHEN, "is dr lee in"), c.GivePractitioner(("lee",)), on(day))

    assert talk.said[1] is said
    assert ("Yes" in reply) is (said is Say.WORKS_ON)


def test_a_single_time_for_a_move_is_not_called_a_booking() -> None:
    talk = verified_with_two_visits()

    reply = talk.hear(c.StartReschedule(), c.Choose(0), on(MONDAY, at=14 * 60))

    assert reply == "Dental cleaning: Mon Mar 15, 2:00 PM with Dr. Lee, Main Street. Does that suit you?"


def test_no_and_a_day_at_the_read_back_of_a_cancellation_moves_the_visit_there() -> None:
    talk = verified_with_two_visits()
    talk.hear(c.StartCancel(), c.Choose(0))

    talk.hear(c.Correct(), on(MONDAY, at=14 * 60))
    reply = talk.hear(c.Affirm())

    assert "Move Dental cleaning from Tue Mar 16, 10:00 AM to Mon Mar 15, 2:00 PM" in reply


@pytest.mark.parametrize(
    ("change", "kind"), [(c.StartCancel(), FlowKind.CANCEL), (c.StartReschedule(), FlowKind.RESCHEDULE)]
)
def test_a_booking_of_nothing_beside_a_change_is_the_change_alone(change: c.Command, kind: FlowKind) -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), change, c.GiveService(("cleaning",)))

    assert [one.kind for one in talk.state.flows] == [kind]


def test_a_booking_with_its_service_beside_a_cancellation_is_a_wish_of_its_own() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), c.GiveService(("filling",)), c.StartCancel(), c.GiveService(("cleaning",)))

    assert {one.kind for one in talk.state.flows} == {FlowKind.BOOK, FlowKind.CANCEL}


def test_book_it_for_another_day_while_moving_is_about_the_move() -> None:
    talk = Talk()
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-16T10:00"))
    talk.hear(c.StartReschedule(), c.GiveName("Ann Smith"), ANNS_BIRTHDAY)

    talk.hear(c.StartBooking(), on(THURSDAY, at=14 * 60))

    assert [one.kind for one in talk.state.flows] == [FlowKind.RESCHEDULE]


def test_a_move_of_the_appointment_for_something_books_nothing() -> None:
    talk = Talk()

    talk.hear(c.StartReschedule(), c.StartBooking(), c.GiveService(("cleaning",)))

    assert [one.kind for one in talk.state.flows] == [FlowKind.RESCHEDULE]


def test_a_name_put_right_at_the_read_back_keeps_the_time() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), c.BookFor(Relation.CHILD), on(MONDAY, at=14 * 60))
    talk.hear(c.Affirm())
    talk.hear(c.GiveName("Tom Smyth"), c.GiveBirthDate(date(2018, 6, 9)))
    assert talk.said == [Say.READ_BACK]

    reply = talk.hear(c.Correct(), c.GiveName("Tim Smith"))

    assert talk.said == [Say.READ_BACK]
    assert "Tim Smith" in reply
    assert "Mon Mar 15, 2:00 PM" in reply


def test_what_is_misheard_beside_a_date_of_birth_changes_no_visit() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), c.BookFor(Relation.CHILD), on(MONDAY, at=14 * 60))
    talk.hear(c.Affirm())
    talk.hear(c.GiveName("Tim Smith"))

    talk.hear(c.GiveBirthDate(None), c.StartBooking(), c.GiveService(("filling",)))

    assert talk.state.flow is not None
    assert talk.state.flow.details.service_keys == ("cleaning",)


def test_a_booking_begun_before_a_move_of_the_same_service_is_dropped_with_the_move() -> None:
    talk = _moved_over_a_booking_of("cleaning")

    assert Say.MOVED in talk.said
    assert (talk.state.flows, talk.asked) == ((), Asked.ANYTHING_ELSE)


def test_a_booking_of_something_else_goes_on_after_a_move() -> None:
    talk = _moved_over_a_booking_of("filling")

    assert Say.MOVED in talk.said
    assert [one.details.service_keys for one in talk.state.flows] == [("filling",)]


def test_a_booking_wished_together_with_a_move_goes_on_after_it() -> None:
    talk = _with_a_cleaning()
    talk.hear(c.StartReschedule(), on(MONDAY, at=14 * 60), c.StartBooking(), c.GiveService(("cleaning",)))
    _move_it(talk)

    assert Say.MOVED in talk.said
    assert [one.details.service_keys for one in talk.state.flows] == [("cleaning",)]


def _with_a_cleaning() -> Talk:
    talk = Talk()
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-16T10:00"))
    return talk


def _moved_over_a_booking_of(service: str) -> Talk:
    talk = _with_a_cleaning()
    talk.hear(c.StartBooking(), c.GiveService((service,)))
    talk.hear(c.StartReschedule(), on(MONDAY, at=14 * 60))
    _move_it(talk)
    return talk


def _move_it(talk: Talk) -> None:
    talk.hear(c.GiveName("Ann Smith"))
    talk.hear(ANNS_BIRTHDAY)
    talk.hear(c.Affirm())
    talk.hear(c.Affirm())
