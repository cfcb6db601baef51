"""When a "1" or a "yes" answers an offer that was texted, and when it answers what the conversation asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from booking.waiting_list.waiting import Offered, OfferStatus
from dialog.interpreter import Asked
from dialog.offered_time import is_about, read_answer
from dialog.state import Choice, DialogState

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OFFER = Offered("offer", "entry", "hold", OfferStatus.OPEN, NOW - 5 * MINUTE, NOW + 25 * MINUTE, None)
EARLIER = DialogState(last_heard_at=NOW - 60 * MINUTE, asked=Asked.YES_NO)
SINCE = DialogState(last_heard_at=NOW - MINUTE)


@pytest.mark.parametrize("text", ["1", " 1. ", "Yes", "YES!", "ok", "yes please", "si", "Sí, por favor", "La tomo"])
def test_a_yes_is_a_word_or_its_number_and_nothing_more(text: str) -> None:
    answer = read_answer(text)

    assert answer is not None
    assert answer.takes


@pytest.mark.parametrize("text", ["2", "No", "no thanks", "pass", "No, gracias"])
def test_a_no_is_too(text: str) -> None:
    answer = read_answer(text)

    assert answer is not None
    assert not answer.takes


@pytest.mark.parametrize("text", ["", "3", "12", "yes, and a cleaning", "no, Tuesday", "can I come at 1?"])
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
