"""When a "1" or a "yes" answers an offer that was texted, and when it answers what the conversation asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from booking.waiting_list.waiting import Offered, OfferStatus
from dialog.acts import Act, Say
from dialog.draft import Setting
from dialog.inbound import Channel, InboundKind
from dialog.interpreter import Asked
from dialog.offered_time import Answer, Unclear, ask_which, is_about, meant, read_answer
from dialog.policy import Heard, hear
from dialog.state import Choice, DialogState, Flow, FlowKind, from_json, to_json
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OFFER = Offered("offer", "entry", "hold", OfferStatus.OPEN, NOW - 5 * MINUTE, NOW + 25 * MINUTE, None)
EARLIER = DialogState(last_heard_at=NOW - 60 * MINUTE, asked=Asked.YES_NO)
SINCE = DialogState(last_heard_at=NOW - MINUTE)


YES = ["1", " 1. ", "1 please", "1 - confirmed", "Reply 1", "1 para confirmarla", "Yes", "YES!", "ok thank you"]
YES += ["see you then", "👍", "yes please", "si", "Sí, por favor", "La tomo", "Confirmo, gracias"]
NO = ["2", "2 please", "2 to move it", "No", "no thanks", "pass", "No, gracias"]
NEITHER = ["", "3", "12", "1 or 2", "yes, and a cleaning", "no, Tuesday", "can I come at 1?", "move it to 2", "me 2"]
NEITHER += ["1 pm is better", "2 days later please", "thank you", "😀"]


@pytest.mark.parametrize("text", YES)
def test_a_yes_is_a_word_or_its_number_and_nothing_more(text: str) -> None:
    answer = read_answer(text)

    assert answer is not None
    assert answer.takes


@pytest.mark.parametrize("text", NO)
def test_a_no_is_too(text: str) -> None:
    answer = read_answer(text)

    assert answer is not None
    assert not answer.takes


@pytest.mark.parametrize("text", NEITHER)
def test_anything_else_is_for_the_conversation(text: str) -> None:
    assert read_answer(text) is None


def about(text: str, state: DialogState, offer: Offered = OFFER) -> bool:
    answer = read_answer(text)
    assert answer is not None
    return is_about(answer, offer, state=state, now=NOW)


@pytest.mark.parametrize("text", ["1", "yes", "2", "no"])
def test_what_was_asked_last_is_answered(text: str) -> None:
    assert about(text, DialogState())
    assert about(text, EARLIER)
    assert not about(text, replace(SINCE, asked=Asked.YES_NO))
    assert not about(text, replace(SINCE, asked=Asked.ANYTHING_ELSE, choices=(Choice("visit"),)))


def test_with_nothing_asked_the_number_says_what_it_answers() -> None:
    free = replace(SINCE, asked=Asked.ANYTHING_ELSE)

    assert about("1", free)
    assert about("2", free)
    assert not about("yes", free)
    assert not about("no", free)


@pytest.mark.parametrize("status", [OfferStatus.EXPIRED, OfferStatus.GONE, OfferStatus.DECLINED])
def test_a_yes_that_comes_too_late_is_still_about_the_offer_but_a_no_needs_no_answer(status: OfferStatus) -> None:
    over = replace(OFFER, status=status)

    assert about("1", EARLIER, over)
    assert not about("2", EARLIER, over)
    assert not about("1", replace(SINCE, asked=Asked.NOTHING), over)


def test_what_was_taken_is_not_taken_again() -> None:
    assert not about("1", EARLIER, replace(OFFER, status=OfferStatus.ACCEPTED))


# A call that dropped was picked up by text within minutes of the offer: a "1" is a yes to both.

DROPPED = DialogState(
    flows=(Flow(FlowKind.BOOK),),
    question=Act(Say.GO_ON),
    asked=Asked.YES_NO,
    last_heard_at=NOW - 6 * MINUTE,
    cut_off_at=NOW - 6 * MINUTE,
    channel="voice",
)
SETTING = Setting(elm_catalogue(), NOW, Channel.SMS, "+12125550123")


def asked_which(text: str) -> DialogState:
    unclear = meant(text, OFFER, state=DROPPED, now=NOW)
    assert isinstance(unclear, Unclear)
    decision = ask_which(DROPPED, SETTING, unclear)
    assert [one.say for one in decision.acts] == [Say.ASK_WHICH_MEANT]
    return from_json(to_json(decision.state))


def test_an_answer_to_two_texts_is_asked_about() -> None:
    assert isinstance(meant("yes", OFFER, state=DROPPED, now=NOW), Unclear)


@pytest.mark.parametrize(("text", "takes"), [("1", True), ("no", False)])
def test_the_number_of_the_offer_makes_it_the_answer_to_the_offer(text: str, takes: bool) -> None:
    answer = meant("1", OFFER, state=asked_which(text), now=NOW)

    assert answer == Answer(takes, by_number=True)


def test_the_other_number_makes_it_the_answer_to_what_was_open() -> None:
    state = asked_which("1")

    assert meant("2", OFFER, state=state, now=NOW) is None
    decision = hear(state, SETTING, Heard(InboundKind.SAID, "2"))

    assert [one.say for one in decision.acts if one.say is not Say.HELLO] == [Say.ASK_SERVICE]
    assert decision.state.set_aside is None


def test_something_else_is_heard_as_it_is() -> None:
    decision = hear(asked_which("1"), SETTING, Heard(InboundKind.SAID, "hm"))

    assert decision.state.set_aside is None


@pytest.mark.parametrize(
    "state",
    [
        replace(DROPPED, cut_off_at=NOW - timedelta(hours=3)),
        replace(DROPPED, cut_off_at=None),
        DialogState(cut_off_at=NOW - 6 * MINUTE),
    ],
)
def test_what_can_only_be_about_the_offer_is_not_asked_about(state: DialogState) -> None:
    assert isinstance(meant("1", OFFER, state=state, now=NOW), Answer)
