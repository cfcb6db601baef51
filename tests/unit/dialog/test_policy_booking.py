"""Booking, decided without any input or output."""

from datetime import date

import pytest

from dialog import commands as c
from dialog.acts import Say
from dialog.commands import Relation
from dialog.errands import RefusedBy
from dialog.inbound import Channel
from dialog.interpreter import Asked
from dialog.state import Outcome
from dialog.timewords import ClockRange, TimeWish
from tests.unit.dialog.talk import ANN, Talk, on, wall

pytestmark = pytest.mark.unit

MONDAY = date(2027, 3, 15)
TUESDAY = date(2027, 3, 16)
THURSDAY = date(2027, 3, 11)
FRIDAY = date(2027, 3, 12)

CLEANING = c.GiveService(("cleaning",))
LEE = c.GivePractitioner(("lee",))
TWO = 14 * 60


def talk_to_read_back() -> Talk:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, on(MONDAY, at=TWO))
    talk.hear(c.Choose(0))
    return talk


def test_a_clear_wish_of_a_known_number_is_booked_with_one_yes_to_a_whole_read_back() -> None:
    talk = Talk()

    offer = talk.hear(c.StartBooking(), CLEANING, LEE, on(MONDAY, at=TWO))
    done = talk.hear(c.Affirm())

    assert "Mon Mar 15, 2:00 PM with Dr. Lee" in offer
    assert "Booked: Dental cleaning, Mon Mar 15, 2:00 PM, Dr. Mina Lee" in done
    assert [(one.patient_id, one.practitioner_id) for one in talk.booked()] == [(ANN, "practitioner-lee")]
    assert talk.state.outcome is Outcome.BOOKED


def test_nothing_is_written_before_a_yes() -> None:
    talk = talk_to_read_back()

    assert talk.said == [Say.READ_BACK]
    assert talk.booked() == []


def test_choosing_again_at_the_read_back_is_no_yes() -> None:
    talk = talk_to_read_back()

    talk.hear(c.Choose(0))

    assert talk.booked() == []
    assert talk.asked is Asked.YES_NO


def test_a_yes_that_was_hardly_heard_is_asked_again() -> None:
    talk = talk_to_read_back()

    talk.hear(c.Affirm(), confidence=0.2)

    assert talk.booked() == []
    assert Say.READ_BACK in talk.said


def test_without_a_day_the_next_free_times_are_offered_on_different_days() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), CLEANING)

    offered = talk.offered()
    assert len(offered) == 3
    assert len({one.date() for one in offered}) == 3
    assert offered == sorted(offered)


def test_a_service_is_asked_for_when_none_was_named() -> None:
    talk = Talk()

    talk.hear(c.StartBooking())

    assert talk.said[-1] is Say.ASK_SERVICE
    assert talk.asked is Asked.SERVICE


def test_two_services_that_could_be_meant_are_asked_about_and_one_is_chosen_by_number() -> None:
    talk = Talk()

    asked = talk.hear(c.StartBooking(), c.GiveService(("cleaning", "dental-exam")))
    talk.hear(c.Choose(1))

    assert "1) Dental cleaning" in asked
    assert talk.said[-1] in {Say.OFFER, Say.OFFER_ONE}
    assert talk.state.flow is not None
    assert talk.state.flow.details.service_keys == ("dental-exam",)


def test_the_wanted_person_settles_which_of_two_services_is_meant() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), c.GiveService(("cleaning", "skin-check")), c.GivePractitioner(("carter",)))

    assert talk.said[-1] in {Say.OFFER, Say.OFFER_ONE}


def test_two_people_of_one_name_are_asked_about() -> None:
    talk = Talk()

    asked = talk.hear(
        c.StartBooking(), c.GiveService(("flu-shot",)), c.GivePractitioner(("ben-carter", "ruiz"), "Carter")
    )

    assert "Ben Carter" in asked
    assert talk.asked is Asked.PRACTITIONER


def test_only_the_one_of_two_namesakes_who_offers_it_is_meant() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), CLEANING, c.GivePractitioner(("ben-carter", "carter"), "Carter"))

    assert {one.offer.practitioner_ids for one in talk.state.choices if one.offer} == {("practitioner-ben-carter",)}


def test_a_name_nobody_has_is_said_so_with_the_names_of_those_who_can() -> None:
    talk = Talk()

    reply = talk.hear(c.StartBooking(), CLEANING, c.GivePractitioner((), "Dr. House"))

    assert "no Dr. House" in reply
    assert "Dr. Lee and Ben Carter" in reply
    assert talk.asked is Asked.PRACTITIONER


def test_a_person_who_does_not_do_it_is_told_and_others_are_offered_in_the_same_turn() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), CLEANING, c.GivePractitioner(("ito",)))

    assert talk.said[1:] == [Say.NOT_OFFERED_BY, Say.OFFER]


def test_a_correction_at_the_read_back_keeps_all_that_was_not_corrected() -> None:
    talk = talk_to_read_back()

    reply = talk.hear(c.Correct(), on(THURSDAY))

    assert "Thu Mar 11, 2:00 PM with Dr. Lee" in reply
    talk.hear(c.Affirm())
    assert [one.starts_at.isoformat() for one in talk.booked()] == ["2027-03-11T19:00:00+00:00"]


def test_repeating_what_is_offered_beside_the_yes_changes_nothing() -> None:
    talk = talk_to_read_back()

    talk.hear(c.Affirm(), on(MONDAY, at=TWO))

    assert len(talk.booked()) == 1


def test_a_no_at_the_read_back_gives_the_time_back_and_asks_what_suits_better() -> None:
    talk = talk_to_read_back()

    talk.hear(c.Deny())

    assert talk.diary.hold is None
    assert talk.said == [Say.WHAT_TO_CHANGE]


def test_a_day_named_at_a_choice_takes_the_one_option_on_it() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE)
    second = talk.offered()[1]

    talk.hear(on(second.date()))

    assert talk.said == [Say.READ_BACK]
    assert talk.diary.hold is not None
    assert talk.diary.hold.starts_at.astimezone(talk.catalogue.zone).replace(tzinfo=None) == second


def test_others_are_not_the_same_ones_and_not_a_quarter_of_an_hour_later() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, on(TUESDAY))
    first = talk.offered()

    talk.hear(c.MoreOptions())

    second = talk.offered()
    assert not set(first) & set(second)
    assert all(abs(one - other).total_seconds() >= 3600 for one in first for other in second)


def test_anything_later_means_later_than_what_was_offered() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, on(TUESDAY))
    last = max(talk.offered())

    talk.hear(c.MoreOptions(), c.GiveTime(TimeWish(relative="later")))

    assert talk.offered()
    assert all(one > last for one in talk.offered() if one.date() == TUESDAY)


def test_another_day_means_none_of_the_days_offered() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, on(TUESDAY))

    talk.hear(c.GiveTime(TimeWish(relative="other_day")))

    assert TUESDAY not in {one.date() for one in talk.offered()}


def test_a_time_that_is_taken_is_said_so_and_the_nearest_of_the_day_is_offered_first() -> None:
    talk = Talk()
    talk.diary.take("cleaning", "lee", "main", wall("2027-03-15T14:00"))

    reply = talk.hear(c.StartBooking(), CLEANING, LEE, on(MONDAY, at=TWO))

    assert "2:00 PM on Mon Mar 15 is taken with Dr. Mina Lee" in reply
    assert talk.offered()[:2] == [wall("2027-03-15T14:45"), wall("2027-03-16T14:00")]


def test_a_person_who_is_away_that_day_is_named_with_the_nearest_that_works() -> None:
    talk = Talk()

    reply = talk.hear(c.StartBooking(), CLEANING, LEE, on(FRIDAY))

    assert "Dr. Mina Lee is not in on Fri Mar 12" in reply
    people = {
        (one.offer.practitioner_ids, day)
        for one, day in zip(talk.state.choices, talk.offered(), strict=True)
        if one.offer
    }
    assert any(who == ("practitioner-lee",) for who, _ in people)
    assert any(who == ("practitioner-ben-carter",) and when.date() == FRIDAY for who, when in people)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (on(date(2027, 3, 14)), "We are closed on Sun Mar 14"),
        (on(date(2027, 8, 2)), "We only book 90 days ahead"),
        (on(date(2027, 3, 10), at=11 * 60), "We need 2 hours notice"),
        (on(MONDAY, at=20 * 60), "We are closed at 8:00 PM on Mon Mar 15"),
    ],
)
def test_a_wish_that_cannot_be_met_names_the_rule_and_offers_what_can(wish: c.GiveTime, words: str) -> None:
    talk = Talk()

    reply = talk.hear(c.StartBooking(), c.GiveService(("physical",)), wish)

    assert words in reply
    assert talk.offered()


def test_a_day_gone_by_is_never_looked_for() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), CLEANING, c.GiveTime(TimeWish(), "last Monday", past=True))

    assert talk.said[-1] is Say.TIME_PAST
    assert talk.diary.asked_for == []


def test_a_phrase_that_cannot_be_resolved_is_asked_about_and_not_guessed() -> None:
    talk = Talk()

    reply = talk.hear(c.StartBooking(), CLEANING, c.GiveTime(TimeWish(), unresolved=("the 31st of June",)))

    assert "the 31st of June" in reply
    assert talk.diary.asked_for == []


def test_a_time_lost_at_the_choice_is_explained_with_the_nearest_in_the_same_turn() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, on(MONDAY, at=TWO))
    talk.diary.take("cleaning", "lee", "main", wall("2027-03-15T14:00"))

    talk.hear(c.Choose(0))

    assert talk.said == [Say.SLOT_GONE, Say.OFFER]
    assert talk.offered()[0] == wall("2027-03-15T14:45")


def test_a_time_lost_at_the_yes_is_explained_with_the_nearest_in_the_same_turn() -> None:
    talk = talk_to_read_back()
    talk.diary.take("cleaning", "lee", "main", wall("2027-03-15T14:00"))

    talk.hear(c.Affirm())

    assert talk.said == [Say.SLOT_GONE, Say.OFFER]
    assert talk.booked() == []


def test_a_hold_that_ran_out_while_the_time_is_still_free_is_taken_anew() -> None:
    talk = talk_to_read_back()
    talk.diary.hold = None

    talk.hear(c.Affirm())

    assert len(talk.booked()) == 1


@pytest.mark.parametrize("code", ["patient-blocked", "calendar-unread"])
def test_what_only_staff_can_book_is_passed_to_them(code: str) -> None:
    talk = talk_to_read_back()
    talk.diary.refuse_next = RefusedBy(code, {})

    reply = talk.hear(c.Affirm())

    assert "I have asked our staff to contact you" in reply
    assert [one.kind.value for one in talk.diary.tasks] == ["booking-request"]
    assert talk.booked() == []
    assert talk.state.outcome is Outcome.MESSAGE_TAKEN


def test_a_new_patient_gives_name_and_date_of_birth_and_is_taken_on_at_the_yes() -> None:
    talk = Talk(caller="+12125550777", number_patients=())
    talk.hear(c.StartBooking(), CLEANING, LEE, on(MONDAY, at=TWO))
    talk.hear(c.Affirm())
    talk.hear(c.GiveName("Grace Hopper"))
    reply = talk.hear(c.GiveBirthDate(date(1976, 12, 9)))
    before = list(talk.diary.registered)

    talk.hear(c.Affirm())

    assert "Grace Hopper" in reply
    assert before == []
    assert [(one.name, one.phone) for one in talk.diary.registered] == [("Grace Hopper", "+12125550777")]
    assert [one.patient_id for one in talk.booked()] == ["patient-new"]


def test_a_known_patient_on_another_telephone_is_found_and_not_taken_on_twice() -> None:
    talk = Talk(caller="+12125550777", number_patients=())
    talk.hear(c.StartBooking(), CLEANING, LEE, on(MONDAY, at=TWO), c.GiveName("Ann Smith"))
    talk.hear(c.Choose(0))
    talk.hear(c.GiveBirthDate(date(1984, 5, 2)))

    talk.hear(c.Affirm())

    assert talk.diary.registered == []
    assert [one.patient_id for one in talk.booked()] == [ANN]


def test_a_withheld_number_is_asked_for() -> None:
    talk = Talk(channel=Channel.VOICE, caller=None, number_patients=())
    talk.hear(c.StartBooking(), CLEANING, LEE, on(MONDAY, at=TWO), c.GiveName("Grace Hopper"))
    talk.hear(c.Choose(0))
    talk.hear(c.GiveBirthDate(date(1976, 12, 9)))

    assert talk.asked is Asked.PHONE
    talk.hear(c.GivePhone("+12125550188"))
    talk.hear(c.Affirm())
    assert [one.phone for one in talk.diary.registered] == ["+12125550188"]


def test_a_date_of_birth_refused_twice_is_not_asked_again_and_staff_complete_the_record() -> None:
    talk = Talk(caller="+12125550777", number_patients=())
    talk.hear(c.StartBooking(), CLEANING, LEE, on(MONDAY, at=TWO), c.GiveName("Grace Hopper"))
    talk.hear(c.Choose(0))
    talk.hear(c.Deny())
    talk.hear(c.Deny())

    assert talk.said == [Say.READ_BACK]
    talk.hear(c.Affirm())
    assert [one.birth_date for one in talk.diary.registered] == [None]


def test_another_name_on_a_known_number_is_another_patient() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, on(MONDAY, at=TWO), c.GiveName("Grace Hopper"))
    talk.hear(c.Choose(0))

    assert talk.asked is Asked.BIRTH_DATE


def test_half_a_name_of_somebody_new_is_completed() -> None:
    talk = Talk(caller="+12125550777", number_patients=())
    talk.hear(c.StartBooking(), CLEANING, LEE, on(MONDAY, at=TWO), c.GiveName("Grace"))
    talk.hear(c.Choose(0))
    asked_first = talk.asked
    talk.hear(c.GiveName("Hopper"))

    assert asked_first is Asked.NAME
    assert talk.state.me.name == "Grace Hopper"


def test_a_parent_books_for_a_child_without_becoming_the_patient() -> None:
    talk = Talk()
    talk.hear(
        c.StartBooking(), c.GiveService(("child-checkup",)), c.BookFor(Relation.CHILD, "Mia"), on(MONDAY, at=9 * 60)
    )
    talk.hear(c.Choose(0))
    talk.hear(c.GiveName("Mia Smith"))
    talk.hear(c.GiveBirthDate(date(2020, 3, 4)))

    talk.hear(c.Affirm())

    assert [(one.name, one.booked_by, one.relation) for one in talk.diary.registered] == [
        ("Mia Smith", ANN, Relation.CHILD)
    ]
    assert talk.state.me.name is None


def test_wishes_for_a_person_narrow_the_search() -> None:
    talk = Talk()

    talk.hear(
        c.StartBooking(),
        c.GiveService(("physical",)),
        c.WishPractitioner(gender="male"),
        c.RefusePractitioner(("ruiz",)),
    )

    assert {one.offer.practitioner_ids for one in talk.state.choices if one.offer} == {("practitioner-ito",)}


def test_a_wish_nobody_meets_is_said_so_and_dropped() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), c.GiveService(("skin-check",)), c.WishPractitioner(gender="male"))

    assert Say.NOBODY_LIKE_THAT in talk.said
    assert talk.offered()


def test_the_one_seen_last_time_is_told_only_to_a_verified_patient() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), c.GiveService(("physical",)), c.SamePractitioner())
    asked_first = talk.asked
    talk.hear(c.GiveName("Ann Smith"))
    talk.hear(c.GiveBirthDate(date(1984, 5, 2)))

    assert asked_first is Asked.NAME
    assert {one.offer.practitioner_ids for one in talk.state.choices if one.offer} == {("practitioner-ruiz",)}


def test_the_last_of_the_day_comes_first_when_it_was_wished() -> None:
    talk = Talk()

    talk.hear(
        c.StartBooking(),
        c.GiveService(("physio-first",)),
        c.GiveTime(TimeWish(days=on(MONDAY).wish.days, order="latest")),
    )

    assert talk.offered()[0] == wall("2027-03-15T16:00")


def test_a_part_of_the_day_is_kept_to() -> None:
    talk = Talk()

    talk.hear(c.StartBooking(), CLEANING, LEE, c.GiveTime(TimeWish(clocks=(ClockRange(12 * 60, 24 * 60),))))

    assert all(one.hour >= 12 for one in talk.offered())


def test_the_latest_there_is_forgets_an_exact_time_wished_before() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, on(MONDAY, at=TWO))

    talk.hear(c.GiveTime(TimeWish(days=on(TUESDAY).wish.days, order="latest")))

    assert talk.offered()[0] == wall("2027-03-16T16:15")


def test_the_same_time_on_another_day_drops_a_day_that_could_not_be_had() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, on(date(2027, 3, 14)))
    first = talk.offered()[0]

    talk.hear(c.GiveTime(TimeWish(relative="same_time")))

    assert talk.offered()
    assert {one.time() for one in talk.offered()} == {first.time()}


@pytest.mark.parametrize("refused", [TimeWish(not_weekdays=frozenset({0})), TimeWish(not_days=on(MONDAY).wish.days)])
def test_a_day_that_is_refused_itself_is_not_said_to_have_nothing_free(refused: TimeWish) -> None:
    wish = TimeWish(days=on(MONDAY).wish.days, not_days=refused.not_days, not_weekdays=refused.not_weekdays)
    talk = Talk()

    talk.hear(c.StartBooking(), CLEANING, LEE, c.GiveTime(wish))

    assert (talk.said[-1], talk.asked) == (Say.ASK_WHEN, Asked.WHEN)
    assert Say.WHY_NOT not in talk.said
    talk.hear(on(THURSDAY))
    assert {one.date() for one in talk.offered()} == {THURSDAY}
