"""Visits that exist: nothing of them is told or changed before name and date of birth match."""

from datetime import UTC, date, datetime, timedelta

import pytest

from dialog import commands as c
from dialog.acts import Say
from dialog.commands import Relation
from dialog.errands import CancelAppointment, ListVisits, RefusedBy
from dialog.interpreter import Asked
from dialog.state import Outcome
from dialog.timewords import TimeWish
from tests.unit.dialog.talk import ANN, BOB, Talk, on, wall

pytestmark = pytest.mark.unit

ANNS_BIRTHDAY = c.GiveBirthDate(date(1984, 5, 2))


def talk_with_a_visit() -> Talk:
    talk = Talk()
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-16T10:00"))
    return talk


def verified(*commands: c.Command) -> Talk:
    talk = talk_with_a_visit()
    talk.hear(*commands)
    talk.hear(c.GiveName("Ann Smith"))
    talk.hear(ANNS_BIRTHDAY)
    return talk


def test_a_known_number_alone_tells_nothing() -> None:
    talk = talk_with_a_visit()

    reply = talk.hear(c.AskAppointments())

    assert talk.asked is Asked.NAME
    assert "Mar 16" not in reply
    assert not any(isinstance(one, ListVisits) for one in talk.diary.asked_for)


def test_name_and_date_of_birth_open_the_visits() -> None:
    talk = talk_with_a_visit()
    talk.hear(c.AskAppointments())
    talk.hear(c.GiveName("Ann Smith"))

    reply = talk.hear(ANNS_BIRTHDAY)

    assert "Dental cleaning, Tue Mar 16, 10:00 AM" in reply
    assert talk.state.outcome is Outcome.INFORMED


def test_a_wrong_date_and_an_unknown_name_are_answered_in_the_same_words() -> None:
    wrong_date, unknown = talk_with_a_visit(), talk_with_a_visit()
    for talk, name, born in ((wrong_date, "Ann Smith", date(1984, 5, 3)), (unknown, "Zoe Nobody", date(1984, 5, 2))):
        talk.hear(c.AskAppointments())
        talk.hear(c.GiveName(name))
        talk.hear(c.GiveBirthDate(born))

    assert wrong_date.acts == unknown.acts


def test_the_third_failed_check_ends_with_a_task_and_no_further_attempt() -> None:
    talk = talk_with_a_visit()
    talk.hear(c.StartCancel())
    for day in (1, 3, 4):
        talk.hear(c.GiveName("Ann Smith"))
        talk.hear(c.GiveBirthDate(date(1984, 5, day)))

    assert [one.kind.value for one in talk.diary.tasks] == ["call-back"]
    assert talk.state.outcome is Outcome.MESSAGE_TAKEN
    talk.hear(c.AskAppointments())
    assert Say.NOT_FOUND_STAFF in talk.said


def test_cancelling_reads_back_and_needs_a_yes() -> None:
    talk = verified(c.StartCancel())

    assert talk.said == [Say.READ_BACK_CANCEL]
    assert not any(isinstance(one, CancelAppointment) for one in talk.diary.asked_for)
    talk.hear(c.Affirm())
    assert talk.booked() == []
    assert talk.state.outcome is Outcome.CANCELLED


def test_a_no_keeps_the_visit() -> None:
    talk = verified(c.StartCancel())

    talk.hear(c.Deny())

    assert talk.said[0] is Say.VISIT_KEPT
    assert len(talk.booked()) == 1


def test_which_of_several_visits_is_asked_by_number() -> None:
    talk = talk_with_a_visit()
    talk.diary.book(ANN, "physio-first", "novak", "riverside", wall("2027-03-18T09:00"))
    talk.hear(c.StartCancel())
    talk.hear(c.GiveName("Ann Smith"))
    asked = talk.hear(ANNS_BIRTHDAY)

    talk.hear(text="2")

    assert "2) First physiotherapy visit" in asked
    assert "First physiotherapy visit" in str(talk.catalogue.service(talk.acts[-1].fields["service"]).name)


@pytest.mark.parametrize(
    "about", [c.GiveService(("physio-first",)), c.GivePractitioner(("novak",)), on(date(2027, 3, 18))]
)
def test_what_whom_or_when_says_which_visit_is_meant(about: c.Command) -> None:
    talk = talk_with_a_visit()
    talk.diary.book(ANN, "physio-first", "novak", "riverside", wall("2027-03-18T09:00"))
    talk.hear(c.StartCancel(), about)
    talk.hear(c.GiveName("Ann Smith"))
    talk.hear(ANNS_BIRTHDAY)

    assert talk.said == [Say.READ_BACK_CANCEL]
    assert talk.acts[0].fields["practitioner"] == "practitioner-novak"


def test_moving_keeps_the_appointment_and_says_old_and_new() -> None:
    talk = verified(c.StartReschedule(), on(date(2027, 3, 11), at=10 * 60))
    talk.hear(c.Affirm())
    reply = talk.hear(c.Affirm())

    assert "Moved: Dental cleaning, Thu Mar 11, 10:00 AM" in reply
    assert [one.id for one in talk.booked()] == ["visit-1"]
    assert talk.state.outcome is Outcome.MOVED


def test_without_a_new_day_it_is_asked_for() -> None:
    talk = verified(c.StartReschedule())

    assert talk.said == [Say.ASK_WHEN_MOVE]
    assert talk.asked is Asked.WHEN


def test_the_same_time_on_another_day_is_the_time_of_the_visit() -> None:
    talk = verified(
        c.StartReschedule(), c.GiveTime(TimeWish(days=on(date(2027, 3, 15)).wish.days, relative="same_time"))
    )

    assert talk.offered() == [wall("2027-03-15T10:00")]


def test_of_two_days_the_one_with_a_visit_names_it_and_the_other_is_the_wish() -> None:
    days = (*on(date(2027, 3, 16)).wish.days, *on(date(2027, 3, 15)).wish.days)

    talk = verified(c.StartReschedule(), c.GiveTime(TimeWish(days=days)))

    assert {one.date() for one in talk.offered()} == {date(2027, 3, 15)}


def test_a_no_to_the_move_leaves_the_visit_as_it_is() -> None:
    talk = verified(c.StartReschedule(), on(date(2027, 3, 11), at=10 * 60))
    talk.hear(c.Choose(0))
    talk.hear(c.Deny())
    talk.hear(c.Stop())

    assert [one.starts_at.isoformat() for one in talk.booked()] == ["2027-03-16T14:00:00+00:00"]
    assert talk.diary.hold is None


def test_a_rule_against_cancelling_is_told_and_the_visit_stays() -> None:
    talk = verified(c.StartCancel())
    talk.diary.refuse_next = RefusedBy("too-late-to-change", {"notice_minutes": 1440})

    reply = talk.hear(c.Affirm())

    assert "too late to change" in reply
    assert len(talk.booked()) == 1


def test_a_verified_patient_is_not_asked_again_in_the_same_conversation() -> None:
    talk = verified(c.AskAppointments())

    talk.hear(c.StartCancel())

    assert talk.said == [Say.READ_BACK_CANCEL]


def test_half_an_hour_of_silence_drops_the_check() -> None:
    talk = verified(c.AskAppointments())
    talk.later(timedelta(minutes=31))

    talk.hear(c.AskAppointments())

    assert Say.VISITS not in talk.said
    assert talk.asked in {Asked.NAME, Asked.BIRTH_DATE}


def test_a_childs_visit_needs_the_childs_name_and_date_of_birth() -> None:
    talk = verified(c.AskAppointments())
    talk.diary.people["patient-leo"] = ("Leo Smith", date(2019, 6, 9))
    talk.diary.book("patient-leo", "child-checkup", "ruiz", "main", wall("2027-03-15T09:00"))

    talk.hear(c.StartCancel(), c.BookFor(Relation.CHILD))
    asked = talk.said[-1]
    talk.hear(c.GiveName("Leo Smith"))
    talk.hear(c.GiveBirthDate(date(2019, 6, 9)))

    assert asked is Say.ASK_THEIR_NAME
    assert talk.acts[-1].fields["practitioner"] == "practitioner-ruiz"


def test_cancel_one_and_book_another_in_one_breath_are_done_one_after_the_other() -> None:
    talk = talk_with_a_visit()
    talk.hear(c.StartCancel(), c.GiveService(("cleaning",)), c.StartBooking(), c.GiveService(("flu-shot",)))
    talk.hear(c.GiveName("Ann Smith"))
    talk.hear(ANNS_BIRTHDAY)

    talk.hear(c.Affirm())

    assert talk.said[:2] == [Say.CANCELLED, Say.OFFER]
    assert talk.acts[1].fields["service"] == "service-flu-shot"


def test_nobody_hears_of_another_patients_visits() -> None:
    talk = talk_with_a_visit()
    talk.diary.book(BOB, "physical", "ito", "riverside", wall("2027-03-16T09:00"))

    talk.hear(c.AskAppointments())
    talk.hear(c.GiveName("Robert Jones"))
    talk.hear(ANNS_BIRTHDAY)

    assert talk.said == [Say.NOT_FOUND, Say.ASK_NAME]


def test_no_visits_is_said_plainly() -> None:
    talk = Talk()
    talk.hear(c.AskAppointments())
    talk.hear(c.GiveName("Ann Smith"))

    reply = talk.hear(ANNS_BIRTHDAY)

    assert "no visits coming up" in reply


def test_visits_that_have_been_are_told_to_the_verified() -> None:
    talk = Talk()
    talk.diary.book(ANN, "physical", "ruiz", "main", wall("2027-02-01T09:00"))
    talk.hear(c.AskAppointments(past=True))
    talk.hear(c.GiveName("Ann Smith"))

    reply = talk.hear(ANNS_BIRTHDAY)

    assert "Mon Feb 1" in reply


def test_can_i_come_earlier_is_about_the_visit_they_have() -> None:
    talk = verified(c.GiveTime(TimeWish(relative="earlier")))

    assert all(one < wall("2027-03-16T10:00") for one in talk.offered())
    assert talk.offered()


def who_can_not_come() -> Talk:
    talk = Talk()
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-16T10:00"))
    talk.hear(c.StartCancel(only_unable=True), on(date(2027, 3, 16)))
    talk.hear(c.GiveName("Ann Smith"), c.GiveBirthDate(date(1984, 5, 2)))
    return talk


WEEK_AFTER = c.GiveTime(TimeWish(relative="later", shift_days=7))


def test_another_one_after_a_cancellation_is_the_same_visit_with_the_same_person() -> None:
    talk = verified(c.StartCancel())
    talk.hear(c.Affirm())

    talk.hear(c.AskAvailability(), WEEK_AFTER)

    assert {one.isocalendar().week for one in talk.offered()} == {12}
    offered = {one.offer.practitioner_ids for one in talk.state.choices if one.offer}
    assert offered == {("practitioner-lee",)}


@pytest.mark.parametrize("others", [(c.BookFor(Relation.CHILD),), (c.GiveService(("flu-shot",)),)])
def test_for_somebody_else_or_for_something_else_it_is_not(others: tuple[c.Command, ...]) -> None:
    talk = verified(c.StartCancel())
    talk.hear(c.Affirm())

    reply = talk.hear(c.StartBooking(), WEEK_AFTER, *others)

    assert "Dr. Lee" not in reply


def test_half_an_hour_later_nobody_knows_what_was_cancelled() -> None:
    talk = verified(c.StartCancel())
    talk.hear(c.Affirm())
    talk.later(timedelta(minutes=31))

    talk.hear(c.AskAvailability(), WEEK_AFTER)

    assert talk.asked is Asked.SERVICE


def test_who_only_can_not_come_is_asked_whether_to_move_or_to_cancel() -> None:
    talk = who_can_not_come()
    assert talk.said == [Say.ASK_MOVE_OR_CANCEL]

    talk.hear(c.Choose(0))
    assert talk.said == [Say.ASK_WHEN_MOVE]


def test_a_time_at_that_question_moves_the_visit() -> None:
    talk = who_can_not_come()
    talk.hear(on(date(2027, 3, 18), at=600))
    talk.hear(c.Affirm())
    talk.hear(c.Affirm())

    assert [one.starts_at for one in talk.booked()] == [datetime(2027, 3, 18, 14, tzinfo=UTC)]


def test_cancelling_after_all_still_takes_a_yes() -> None:
    talk = who_can_not_come()
    talk.hear(c.StartCancel())
    assert talk.said == [Say.READ_BACK_CANCEL]

    talk.hear(c.Affirm())
    assert talk.booked() == []


def test_a_visit_that_was_just_kept_is_the_one_to_move_instead() -> None:
    talk = who_can_not_come()
    talk.diary.book(ANN, "cleaning", "lee", "main", wall("2027-03-23T10:00"))
    talk.hear(c.Deny())
    talk.hear(c.StartReschedule())

    assert talk.said == [Say.ASK_WHEN_MOVE]


def test_a_week_later_counts_from_the_visit_and_keeps_its_time() -> None:
    talk = who_can_not_come()
    talk.hear(c.StartReschedule(), c.GiveTime(TimeWish(relative="later", shift_days=7)))

    assert talk.offered() == [wall("2027-03-23T10:00")]


def test_the_monday_after_counts_from_the_visit_that_is_moved() -> None:
    talk = talk_with_a_visit()
    own = talk.booked()[0]
    unclear = c.GiveTime(TimeWish(), unresolved=("the Monday after",))
    talk.hear(c.StartReschedule(), unclear)
    talk.hear(c.GiveName("Ann Smith"))
    talk.hear(ANNS_BIRTHDAY)

    days = {one.date() for one in talk.offered()}
    assert len(days) == 1
    assert min(days).weekday() == 0
    assert timedelta(0) < min(days) - own.starts_at.date() <= timedelta(days=7)


def test_whether_the_dentist_is_a_woman_is_told_of_each_who_may_be_meant() -> None:
    talk = Talk()

    reply = talk.hear(c.AskClinic(c.Topic.GENDER, "is the dentist a lady"), c.GiveService(("filling", "dental-exam")))

    assert "Dr. Mina Lee is a woman." in reply
    assert "Ben Carter" not in reply
    assert talk.state.flow is None
