"""What every gateway for texts keeps: the vendor's over real HTTP, and the one in memory."""

from dataclasses import dataclass, replace
from typing import Protocol

import pytest

from kernel.errors import Unavailable
from kernel.telephony import TwilioAccount, make_client
from sms.adapters.memory_gateway import MemoryGateway
from sms.adapters.twilio_gateway import TwilioGateway
from sms.ports import OutcomeUnknown, OutgoingText, SmsGateway, TextRefused
from tests.support.twilio_server import Fault, FaultKind, TwilioServer

pytestmark = pytest.mark.contract

TEXT = OutgoingText(
    message_id="0123", to="+12125550123", sender="+12125550100", body="Elm Street Clinic: Tue Mar 16, 9:00 AM EDT."
)


class Rig(Protocol):
    """A gateway, and a hand on the vendor behind it."""

    gateway: SmsGateway

    def refuse(self, number: str, *, code: int) -> None: ...

    def take_nothing(self) -> None: ...

    def lose_the_next_answer(self) -> None: ...

    def sent(self) -> list[tuple[str, str, str, str]]:
        """Return id, receiver, sender and words of everything that left, oldest first."""
        ...


class MemoryRig:
    def __init__(self) -> None:
        self._memory = MemoryGateway()
        self.gateway: SmsGateway = self._memory

    def refuse(self, number: str, *, code: int) -> None:
        self._memory.refused_numbers[number] = code

    def take_nothing(self) -> None:
        self._memory.is_down = True

    def lose_the_next_answer(self) -> None:
        self._memory.loses_answers = True

    def sent(self) -> list[tuple[str, str, str, str]]:
        return [(one.sid, one.text.to, one.text.sender, one.text.body) for one in self._memory.sent]


@dataclass
class TwilioRig:
    server: TwilioServer

    def __post_init__(self) -> None:
        account = TwilioAccount(self.server.account_sid, (self.server.auth_token,), api_base_url=self.server.base_url)
        self.gateway: SmsGateway = TwilioGateway(
            make_client(account), status_url="https://clinic.example.org/twilio/sms/status"
        )

    def refuse(self, number: str, *, code: int) -> None:
        assert code == 21610
        self.server.opted_out.add(number)

    def take_nothing(self) -> None:
        self.server.will_fail(Fault(FaultKind.TOO_MANY_REQUESTS))

    def lose_the_next_answer(self) -> None:
        self.server.will_fail(Fault(FaultKind.ANSWER_LOST))

    def sent(self) -> list[tuple[str, str, str, str]]:
        return [(one.sid, one.to, one.sender or "", one.body) for one in self.server.messages]


@pytest.fixture(params=["memory", "twilio"])
def rig(request: pytest.FixtureRequest) -> Rig:
    return MemoryRig() if request.param == "memory" else TwilioRig(request.getfixturevalue("twilio"))


def test_a_text_is_handed_over_as_it_is(rig: Rig):
    sid = rig.gateway.send(TEXT)

    assert rig.sent() == [(sid, TEXT.to, TEXT.sender, TEXT.body)]


def test_letters_of_all_alphabets_arrive(rig: Rig):
    text = replace(TEXT, body="Señora Núñez: mañana 9:00 — 日本 😀 & <b> 100%+1")

    rig.gateway.send(text)

    assert rig.sent()[0][3] == text.body


def test_the_same_text_twice_is_two_texts(rig: Rig):
    assert rig.gateway.send(TEXT) != rig.gateway.send(TEXT)
    assert len(rig.sent()) == 2


def test_what_was_sent_is_found_by_numbers_and_words_newest_first(rig: Rig):
    first = rig.gateway.send(TEXT)
    rig.gateway.send(replace(TEXT, body="Something else."))
    rig.gateway.send(replace(TEXT, to="+12125550124"))
    second = rig.gateway.send(TEXT)

    assert rig.gateway.find(TEXT) == [second, first]


def test_what_was_not_sent_is_not_found(rig: Rig):
    rig.gateway.send(replace(TEXT, body="Something else."))

    assert rig.gateway.find(TEXT) == []


def test_a_refused_number_is_told_with_the_vendors_reason(rig: Rig):
    rig.refuse(TEXT.to, code=21610)

    with pytest.raises(TextRefused) as refused:
        rig.gateway.send(TEXT)

    assert refused.value.vendor_code == 21610
    assert TEXT.to not in repr(refused.value)
    assert rig.gateway.find(TEXT) == []


def test_a_text_that_is_too_long_is_refused(rig: Rig):
    with pytest.raises(TextRefused) as refused:
        rig.gateway.send(replace(TEXT, body="a" * 1601))

    assert refused.value.vendor_code == 21617


def test_a_vendor_that_takes_nothing_is_told_from_one_that_may_have(rig: Rig):
    rig.take_nothing()

    with pytest.raises(Unavailable) as unavailable:
        rig.gateway.send(TEXT)

    assert not isinstance(unavailable.value, OutcomeUnknown)
    assert rig.sent() == []


@pytest.mark.parametrize("vendor", ["http://127.0.0.1:1", "http://vendor.invalid"])
def test_a_vendor_that_is_not_there_has_certainly_taken_nothing(vendor: str):
    account = TwilioAccount("AC" + "a1" * 16, ("token",), api_base_url=vendor)

    with pytest.raises(Unavailable) as unavailable:
        TwilioGateway(make_client(account), status_url="https://clinic.example.org/").send(TEXT)

    assert not isinstance(unavailable.value, OutcomeUnknown)


def test_a_lost_answer_leaves_the_outcome_unknown_and_can_be_asked_for(rig: Rig):
    rig.lose_the_next_answer()

    with pytest.raises(OutcomeUnknown):
        rig.gateway.send(TEXT)

    assert rig.gateway.find(TEXT) == [rig.sent()[0][0]]


# What only a vendor can do.


def test_a_receipt_is_asked_for_under_our_own_id(twilio: TwilioServer):
    TwilioRig(twilio).gateway.send(TEXT)

    assert twilio.messages[0].status_callback == "https://clinic.example.org/twilio/sms/status?m=0123"


def test_an_error_of_the_vendors_own_may_have_sent_it(twilio: TwilioServer):
    twilio.will_fail(Fault(FaultKind.SERVER_ERROR))

    with pytest.raises(OutcomeUnknown):
        TwilioRig(twilio).gateway.send(TEXT)


def test_a_vendor_that_cannot_be_asked_is_unavailable(twilio: TwilioServer):
    gateway = TwilioRig(twilio).gateway
    twilio.will_fail(Fault(FaultKind.SERVER_ERROR, method="GET"), Fault(FaultKind.ANSWER_LOST, method="GET"))

    for _ in range(2):
        with pytest.raises(Unavailable):
            gateway.find(TEXT)


def test_bad_credentials_are_a_refusal_for_whoever_runs_the_product(twilio: TwilioServer):
    account = TwilioAccount(twilio.account_sid, ("wrong",), api_base_url=twilio.base_url)

    with pytest.raises(TextRefused) as refused:
        TwilioGateway(make_client(account), status_url="https://clinic.example.org/x").send(TEXT)

    assert refused.value.vendor_code == 20003
