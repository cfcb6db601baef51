"""Placing a test call, with the vendor's interface over real HTTP."""

import pytest

from kernel.errors import Unavailable
from kernel.telephony import TwilioAccount, make_client
from tests.support.twilio_server import Fault, FaultKind, TwilioServer
from voice.adapters.twilio_calls import TwilioCalls
from voice.ports import CallRefused, NoCalls

pytestmark = pytest.mark.contract

ANSWER_URL = "https://clinic.example/twilio/voice"


def calls_of(twilio: TwilioServer) -> TwilioCalls:
    account = TwilioAccount(sid=twilio.account_sid, auth_tokens=(twilio.auth_token,), api_base_url=twilio.base_url)
    return TwilioCalls(make_client(account), answer_url=ANSWER_URL)


def test_a_call_is_placed_from_the_clinics_number(twilio: TwilioServer):
    calls_of(twilio).place(to="+12125550123", number="+12125550100")

    [call] = twilio.calls
    assert (call.to, call.sender) == ("+12125550123", "+12125550100")


def test_a_number_that_can_not_be_called_is_refused_with_the_vendors_code(twilio: TwilioServer):
    with pytest.raises(CallRefused) as refused:
        calls_of(twilio).place(to="+1", number="+12125550100")

    assert refused.value.fields["vendor_code"]
    assert twilio.calls == []


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.TOO_MANY_REQUESTS])
def test_a_vendor_in_trouble_is_no_reason_to_give_the_number_up(twilio: TwilioServer, kind: FaultKind):
    twilio.will_fail(*[Fault(kind)] * 5)

    with pytest.raises(Unavailable):
        calls_of(twilio).place(to="+12125550123", number="+12125550100")


def test_without_a_vendor_nobody_is_called():
    assert not NoCalls().is_on
    with pytest.raises(CallRefused):
        NoCalls().place(to="+12125550123", number="+12125550100")
