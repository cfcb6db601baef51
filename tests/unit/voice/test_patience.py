"""How long a caller waits before they hear a word, and who gives the answer then."""

import threading
from collections.abc import Iterator

import pytest

from dialog.inbound import Channel, Inbound, InboundKind, Reply
from tests.support.webhooks import ScriptedDialog
from voice.patience import MOST_RETURNS, Patience

pytestmark = pytest.mark.unit

INBOUND = Inbound("clinic-elm", Channel.VOICE, InboundKind.SAID, "CA1", "voice:CA1:3", None, "a cleaning")
BOOKED = Reply(text="Booked.")


class Slow(ScriptedDialog):
    """A dialog that answers once it is let, as the dialog does: for every process to find."""

    def __init__(self) -> None:
        super().__init__(BOOKED)
        self.go_on = threading.Event()
        self.is_done = threading.Event()

    def handle_turn(self, inbound: Inbound, /) -> Reply:
        self.go_on.wait(30)
        self.answered[inbound.message_key] = super().handle_turn(inbound)
        self.is_done.set()
        return self.answered[inbound.message_key]


@pytest.fixture
def slow() -> Iterator[Slow]:
    dialog = Slow()
    yield dialog
    dialog.go_on.set()


def test_an_answer_in_time_is_given_at_once() -> None:
    assert Patience(ScriptedDialog(BOOKED), filler_after_s=60).answer(INBOUND) == BOOKED


def test_a_turn_that_takes_long_goes_on_and_is_answered_to_whoever_fetches_it(slow: Slow) -> None:
    here, elsewhere = Patience(slow, filler_after_s=0), Patience(slow, filler_after_s=0)

    assert here.answer(INBOUND) is None
    assert elsewhere.fetch(INBOUND, returns=1) is None
    slow.go_on.set()
    assert slow.is_done.wait(30)
    assert elsewhere.fetch(INBOUND, returns=2) == BOOKED
    assert elsewhere.fetch(INBOUND, returns=2) == BOOKED
    assert len(slow.heard) == 1


def test_an_answer_that_comes_while_it_is_looked_for_is_given(slow: Slow) -> None:
    def meanwhile(_seconds: float) -> None:
        slow.answered[INBOUND.message_key] = BOOKED

    assert Patience(slow, filler_after_s=3, sleep=meanwhile).fetch(INBOUND, returns=1) == BOOKED


def test_an_answer_that_never_comes_ends_in_an_apology(slow: Slow) -> None:
    patience = Patience(slow, filler_after_s=0)

    replies = [patience.fetch(INBOUND, returns=returns) for returns in range(1, MOST_RETURNS + 1)]

    assert replies[:-1] == [None] * (MOST_RETURNS - 1)
    assert replies[-1] == Reply(text="I am sorry, that did not work.")


def test_a_turn_that_fails_is_apologised_for() -> None:
    dialog = ScriptedDialog()
    dialog.error = TimeoutError("of the database, not of the patience")

    assert Patience(dialog, filler_after_s=60).answer(INBOUND) == Reply(text="I am sorry, that did not work.")
