"""What a conversation survives: not understanding, silence, digression, keys, changes of mind, emergencies."""

from datetime import date, timedelta

import pytest

from booking.values import TaskKind
from dialog import commands as c
from dialog.acts import Say
from dialog.commands import Topic
from dialog.errands import RefusedBy, WaitForTime
from dialog.inbound import Channel, InboundKind
from dialog.interpreter import Asked
from dialog.policy import MAX_TURNS
from dialog.state import FlowKind, Outcome
from dialog.timewords import TimeWish
from tests.unit.dialog.talk import ANN, NOW, Talk, on

pytestmark = pytest.mark.unit

CLEANING = c.GiveService(("cleaning",))
LEE = c.GivePractitioner(("lee",))
MONDAY_AT_TWO = on(date(2027, 3, 15), at=14 * 60)
AFTER_HOURS = NOW + timedelta(hours=11)


def a_call(**changes: object) -> Talk:
    talk = Talk(channel=Channel.VOICE, **changes)  # type: ignore[arg-type]  # a builder of tests
    talk.event(InboundKind.START)
    return talk


def kinds(talk: Talk) -> list[TaskKind]:
    return [one.kind for one in talk.diary.tasks]


def test_a_call_begins_with_who_we_are_and_how_to_get_a_person() -> None:
    talk = Talk(channel=Channel.VOICE)

    reply = talk.event(InboundKind.START)

    assert "Elm Street Clinic" in reply
    assert "automated assistant" in reply
    assert "press 0" in reply


def test_failing_twice_is_asked_in_other_words_and_keeps_what_is_known() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), LEE)

    replies = [talk.hear(), talk.hear()]

    assert len(set(replies)) == 2
    assert talk.state.flow is not None
    assert talk.state.flow.details.practitioner_keys == ("lee",)


@pytest.mark.parametrize("said", [c.HoldOn(), c.Unsure()])
def test_who_asks_for_a_moment_before_times_is_left_it_and_has_not_failed(said: c.Command) -> None:
    talk = a_call()
    talk.hear(c.StartBooking(), CLEANING, LEE)

    for _ in range(4):
        talk.hear(said)

    assert talk.said == [Say.TAKE_YOUR_TIME]
    talk.hear(c.Choose(0))
    assert talk.said == [Say.READ_BACK]


def test_the_third_failure_by_text_becomes_a_call_back() -> None:
    talk = Talk()
    talk.hear(c.StartBooking())

    for _ in range(3):
        talk.hear()

    assert kinds(talk) == [TaskKind.CALL_BACK]
    assert talk.state.outcome is Outcome.MESSAGE_TAKEN


def test_the_third_failure_on_the_phone_goes_to_a_person_while_one_is_there() -> None:
    talk = a_call()

    for _ in range(3):
        talk.hear()

    assert talk.decision.transfer_to == "+12125550199"
    assert kinds(talk) == [TaskKind.HANDOVER]


def test_a_success_in_between_sets_the_count_back() -> None:
    talk = Talk()
    talk.hear(c.StartBooking())
    talk.hear()
    talk.hear()

    talk.hear(CLEANING)
    talk.hear()
    talk.hear()

    assert talk.diary.tasks == []


def test_silence_is_answered_in_other_words_each_time_and_ends_with_a_person() -> None:
    talk = a_call()

    replies = [talk.event(InboundKind.SILENCE) for _ in range(3)]

    assert len(set(replies)) == 3
    assert talk.decision.transfer_to == "+12125550199"


def test_silence_after_hours_ends_the_call() -> None:
    talk = a_call(now=AFTER_HOURS, caller=None, number_patients=())

    for _ in range(3):
        talk.event(InboundKind.SILENCE)

    assert talk.decision.ends
    assert talk.decision.transfer_to is None


def test_failures_and_silences_are_counted_apart() -> None:
    talk = a_call()

    talk.hear()
    talk.event(InboundKind.SILENCE)
    talk.hear()
    talk.event(InboundKind.SILENCE)

    assert talk.diary.tasks == []


def test_a_question_in_the_middle_is_answered_and_the_open_one_is_asked_again() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO)

    reply = talk.hear(c.AskClinic(Topic.PARKING, "is there parking"))

    assert "Free parking behind the building" in reply
    assert talk.said[-1] is Say.OFFER_ONE
    talk.hear(c.Affirm())
    assert len(talk.booked()) == 1


def test_a_price_is_that_of_what_is_being_booked() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO)

    assert "$95" in talk.hear(c.AskClinic(Topic.PRICE, "how much is it"))


def test_a_question_about_another_service_does_not_change_the_booking() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO)

    reply = talk.hear(c.AskClinic(Topic.PRICE, "what is a filling"), c.GiveService(("filling",)))

    assert "$220" in reply
    assert talk.state.flow is not None
    assert talk.state.flow.details.service_keys == ("cleaning",)


def test_a_yes_and_a_question_in_one_breath_are_both_answered() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO)

    reply = talk.hear(c.Affirm(), c.AskClinic(Topic.PARKING, "where do I park"))

    assert "Free parking" in reply
    assert "Booked" in reply


def test_what_the_clinic_does_not_say_is_offered_to_the_staff() -> None:
    talk = Talk()
    talk.hear(c.AskClinic(Topic.OTHER, "do you have a fish tank"))

    assert talk.said[-2:] == [Say.NO_ANSWER, Say.OFFER_MESSAGE]
    talk.hear(c.Affirm())
    assert kinds(talk) == [TaskKind.MESSAGE]
    assert "fish tank" in talk.diary.tasks[0].details["words"]


def test_the_clinics_own_words_come_first() -> None:
    assert "Aetna" in Talk().hear(c.AskClinic(Topic.INSURANCE, "do you take aetna"))


def test_a_person_is_put_through_at_once_while_the_clinic_is_open() -> None:
    talk = a_call()

    talk.hear(c.AskHuman())

    assert talk.decision.transfer_to == "+12125550199"
    assert talk.state.outcome is Outcome.HANDED_OVER


def test_after_hours_a_message_is_taken_word_for_word() -> None:
    talk = a_call(now=AFTER_HOURS)
    reply = talk.hear(c.AskHuman())
    talk.hear(c.AskClinic(Topic.PRICE, "bill"), text="Please call me about my bill")

    assert "Thursday, March 11th at 8 AM" in reply
    assert kinds(talk) == [TaskKind.MESSAGE]
    assert "Please call me about my bill" in talk.diary.tasks[0].details["words"]


def test_nobody_answering_the_transfer_takes_a_message() -> None:
    talk = a_call()
    talk.hear(c.AskHuman())

    talk.event(InboundKind.TRANSFER_FAILED)

    assert talk.said == [Say.NOBODY_ANSWERED, Say.ASK_MESSAGE]


def test_a_message_can_be_given_up() -> None:
    talk = Talk()
    talk.hear(c.LeaveMessage())

    talk.hear(c.Stop())

    assert talk.diary.tasks == []
    assert talk.state.flows == ()


def test_an_emergency_comes_before_anything_else_and_staff_are_told() -> None:
    talk = a_call()

    reply = talk.hear(c.StartBooking(), c.Emergency("chest pain"), CLEANING)

    assert reply.startswith("If this may be an emergency, hang up and call 9 1 1")
    assert kinds(talk) == [TaskKind.EMERGENCY]
    assert talk.diary.asked_for == []
    assert talk.decision.transfer_to == "+12125550199"


def test_an_emergency_by_text_is_told_before_any_courtesy() -> None:
    talk = Talk()

    reply = talk.hear(c.Emergency("chest pain"))

    assert reply.startswith("If this may be an emergency, call 911")


def test_after_an_emergency_the_conversation_can_go_on() -> None:
    talk = Talk()
    talk.hear(c.Emergency("chest pain"))

    talk.hear(c.StartBooking(), CLEANING)

    assert talk.said == [Say.OFFER]


def test_medical_advice_is_not_given() -> None:
    talk = Talk()

    talk.hear(c.OutOfScope("advice"), c.GiveService(("sick-visit",)))

    assert talk.said == [Say.HELLO, Say.NO_ADVICE, Say.WHAT_TO_DO]


def test_other_peoples_business_begins_no_booking() -> None:
    talk = Talk()

    talk.hear(c.OutOfScope("other"), c.GiveTime(TimeWish()))

    assert talk.state.flows == ()


def test_start_over_forgets_the_wish_and_gives_back_the_time() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO)
    talk.hear(c.Choose(0))

    talk.hear(c.StartOver())

    assert talk.diary.hold is None
    assert talk.state.flows == ()


def test_go_back_undoes_the_choice() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO)
    talk.hear(c.Choose(0))

    talk.hear(c.GoBack())

    assert talk.diary.hold is None
    assert talk.said == [Say.OFFER_ONE]


def test_repeat_says_the_same_again() -> None:
    talk = Talk()
    said = talk.hear(c.StartBooking(), CLEANING)

    assert talk.hear(c.Repeat()) == said


def test_hanging_up_in_the_middle_leaves_everything_open_for_whichever_way_they_come_back() -> None:
    talk = a_call()
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO)
    talk.hear(c.Choose(0))
    read_back = talk.state.question

    talk.event(InboundKind.HUNG_UP)

    assert talk.diary.hold is not None
    assert (talk.state.question, talk.state.outcome, talk.state.cut_off_at) == (read_back, None, talk.now)
    assert not talk.state.is_on_call


def test_hanging_up_with_a_withheld_number_gives_back_the_time_and_leaves_an_outcome() -> None:
    talk = a_call(caller=None)
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO)
    talk.hear(c.Choose(0))

    talk.event(InboundKind.HUNG_UP)

    assert talk.diary.hold is None
    assert talk.state.outcome is Outcome.ABANDONED


def test_good_bye_after_a_booking_keeps_the_outcome() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO)
    talk.hear(c.Affirm())

    talk.hear(c.Thank(), c.Goodbye())

    assert talk.decision.ends
    assert talk.state.outcome is Outcome.BOOKED


def test_no_to_anything_else_is_a_good_bye() -> None:
    talk = a_call()
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO)
    talk.hear(c.Affirm())

    talk.hear(c.Deny())

    assert talk.said == [Say.GOODBYE]
    assert talk.decision.ends


def test_a_bare_yes_to_nothing_books_nothing_and_asks_what_is_wanted() -> None:
    talk = Talk()

    talk.hear(c.Affirm())

    assert talk.asked is Asked.WHAT_TO_DO
    assert talk.booked() == []


def test_running_late_is_told_to_staff_without_any_check() -> None:
    talk = Talk()

    talk.hear(c.RunningLate(15), on(date(2027, 3, 10)))

    assert kinds(talk) == [TaskKind.RUNNING_LATE]
    assert talk.state.flows == ()


def test_the_waiting_list_is_for_what_was_wished_before_what_is_offered() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING)
    first = min(one.offer.starts_at for one in talk.state.choices if one.offer)

    said = talk.hear(c.JoinWaitlist(), c.GiveTime(TimeWish(relative="earlier")))

    (wanted,) = [one for one in talk.diary.asked_for if isinstance(one, WaitForTime)]
    assert (wanted.patient_id, wanted.service_id, wanted.practitioner_ids) == (ANN, "service-cleaning", ())
    assert [(span.start, span.end) for span in wanted.spans] == [(NOW, first)]
    assert "on the waiting list for dental cleaning" in said
    assert kinds(talk) == []
    assert talk.asked is Asked.CHOICE


def test_a_waiting_list_that_the_clinic_refuses_is_left_to_staff() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), CLEANING)
    talk.diary.refuse_next = RefusedBy("no-waiting-list", {})

    said = talk.hear(c.JoinWaitlist())

    assert kinds(talk) == [TaskKind.BOOKING_REQUEST]
    assert talk.diary.tasks[0].details["service"] == "Dental cleaning"
    assert "told our staff" in said
    assert "on the waiting list" not in said


def test_who_is_not_known_waits_by_way_of_staff() -> None:
    talk = Talk(number_patients=())
    talk.hear(c.StartBooking(), CLEANING)

    talk.hear(c.JoinWaitlist())

    assert kinds(talk) == [TaskKind.BOOKING_REQUEST]
    assert not any(isinstance(one, WaitForTime) for one in talk.diary.asked_for)


def test_another_language_is_promised_a_call_only_with_a_task() -> None:
    with_number, without = a_call(), a_call(caller=None, number_patients=())

    told = with_number.hear(c.SwitchLanguage("fr"))
    untold = without.hear(c.SwitchLanguage("fr"))

    assert kinds(with_number) == [TaskKind.CALL_BACK]
    assert "call you back" in told
    assert "call you back" not in untold


def test_keys_choose_confirm_and_ask_for_a_person() -> None:
    talk = a_call()
    talk.hear(c.StartBooking(), CLEANING)
    talk.press("2")
    second = talk.said
    talk.press("1")

    assert second == [Say.READ_BACK]
    assert len(talk.booked()) == 1
    talk.press("0")
    assert talk.decision.transfer_to is not None


def test_a_date_of_birth_is_keyed_in_as_eight_digits() -> None:
    talk = a_call(caller="+12125550777", number_patients=())
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO, c.GiveName("Grace Hopper"))
    talk.press("1")
    talk.press("12091976")

    assert talk.state.me.birth_date == date(1976, 12, 9)


def test_digits_that_are_no_date_are_said_so() -> None:
    talk = a_call(caller="+12125550777", number_patients=())
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO, c.GiveName("Grace Hopper"))
    talk.press("1")

    talk.press("13451976")

    assert Say.BIRTH_DATE_IMPOSSIBLE in talk.said
    assert talk.asked is Asked.BIRTH_DATE


def test_the_menu_works_by_keys() -> None:
    talk = a_call()

    talk.press("3")

    assert talk.state.flow is not None
    assert talk.state.flow.kind is FlowKind.CANCEL


def test_a_date_of_years_ago_is_a_date_of_birth() -> None:
    talk = Talk(caller="+12125550777", number_patients=())
    talk.hear(c.StartBooking(), CLEANING, LEE, MONDAY_AT_TWO, c.GiveName("Grace Hopper"))
    talk.hear(c.Choose(0))

    talk.hear(c.GiveTime(on(date(1976, 12, 9)).wish, past=True))

    assert talk.state.me.birth_date == date(1976, 12, 9)


def test_a_conversation_does_not_go_on_for_ever() -> None:
    talk = Talk()

    for _ in range(MAX_TURNS + 1):
        talk.hear(c.Greet())

    assert kinds(talk) == [TaskKind.CALL_BACK]


def test_asked_whether_it_is_a_machine_it_says_so() -> None:
    assert "automated assistant" in Talk().hear(c.AskIfBot())


def test_a_person_can_be_asked_for_by_text_and_staff_know_by_when() -> None:
    talk = Talk()

    reply = talk.hear(c.AskHuman())

    assert kinds(talk) == [TaskKind.HANDOVER]
    assert "6:00 PM" in reply


def test_whether_somebody_is_a_woman_is_told_from_the_clinic_file_or_left_to_staff() -> None:
    question, lee = c.AskClinic(Topic.GENDER, "is dr lee a woman"), c.GivePractitioner(("lee",))

    assert "Dr. Mina Lee is a woman." in Talk().hear(question, lee)
    assert "Shall I pass your question" in Talk().hear(question)


def test_thanks_for_what_is_still_to_come_are_not_answered() -> None:
    assert "welcome" not in Talk().hear(c.WantEmail(), c.Thank())
    assert "welcome" not in Talk().hear(c.StartBooking(), CLEANING, c.Thank())
    assert "welcome" in Talk().hear(c.Affirm(), c.Thank())


def test_who_works_on_a_day_is_told_from_the_hours() -> None:
    reply = Talk().hear(c.AskClinic(Topic.WHO_WORKS_WHEN, "who works on saturday"), on(date(2027, 3, 13)))

    assert "Sat Mar 13: Ben Carter." in reply


def unknown_caller(channel: Channel = Channel.VOICE) -> Talk:
    """Somebody whose number is withheld, and who could not prove who they are."""
    talk = Talk(channel=channel, caller=None, number_patients=())
    talk.hear(c.StartCancel())
    for year in (1981, 1982, 1983):
        talk.hear(c.GiveName("Ann Smith"))
        talk.hear(c.GiveBirthDate(date(year, 5, 2)))
    return talk


@pytest.mark.parametrize("channel", [Channel.VOICE, Channel.WEB])
def test_a_call_is_promised_only_once_there_is_a_number_to_call(channel: Channel) -> None:
    talk = unknown_caller(channel)
    before = (talk.said, kinds(talk), talk.state.outcome)

    reply = talk.hear(c.GivePhone("+12125550177"))

    assert before == ([Say.CANNOT_WITHOUT_PROOF, Say.ASK_PHONE], [], Outcome.INFORMED)
    assert [(one.kind, one.phone) for one in talk.diary.tasks] == [(TaskKind.CALL_BACK, "+12125550177")]
    assert "asked our staff to call you back" in reply
    assert talk.state.outcome is Outcome.MESSAGE_TAKEN


@pytest.mark.parametrize("refusal", [c.Deny(), c.Unsure()])
def test_who_gives_no_number_hears_ours_and_is_not_asked_again(refusal: c.Command) -> None:
    talk = unknown_caller()

    reply = talk.hear(refusal)
    talk.hear(c.AskAppointments())

    assert "nobody here can call you" in reply
    assert str(talk.catalogue.phone)[-4:] in reply.replace(" ", "")[-60:]
    assert talk.diary.tasks == []
    assert Say.UNREACHABLE in talk.said
    assert Say.ASK_PHONE not in talk.said


def test_staff_can_write_where_an_address_is_given_instead_of_a_number() -> None:
    talk = unknown_caller(Channel.WEB)

    talk.hear(c.GiveEmail("ann@example.com"))

    assert [one.details["email"] for one in talk.diary.tasks] == ["ann@example.com"]
    assert Say.NOT_FOUND_STAFF in talk.said


def test_a_message_is_passed_on_though_its_sender_can_not_be_called() -> None:
    talk = a_call(now=AFTER_HOURS, caller=None, number_patients=())
    talk.hear(c.LeaveMessage("please tell the doctor that I am fine"))

    for _ in range(3):
        talk.hear()

    assert kinds(talk) == [TaskKind.MESSAGE]
    assert talk.said[:2] == [Say.MESSAGE_TAKEN, Say.UNREACHABLE]


def test_who_waits_for_a_time_is_asked_how_to_be_told_of_it() -> None:
    talk = a_call(caller=None, number_patients=())
    talk.hear(c.JoinWaitlist())
    before = (talk.said, kinds(talk))

    talk.hear(c.GivePhone("+12125550177"))

    assert before == ([Say.ASK_PHONE], [])
    assert kinds(talk) == [TaskKind.BOOKING_REQUEST]
    assert talk.said[0] is Say.WAITLIST_NOTED
