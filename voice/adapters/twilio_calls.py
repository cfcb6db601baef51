"""Calls that we place, by the vendor's REST interface."""

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.telephony import error_summary
from voice.ports import CallRefused

_log = get_logger()


class TwilioCalls:
    """`answer_url` is where the vendor asks what to say when the call is taken."""

    is_on = True

    def __init__(self, client: Client, *, answer_url: str) -> None:
        self._client = client
        self._answer_url = answer_url

    def place(self, *, to: str, number: str) -> None:
        try:
            self._client.calls.create(to=to, from_=number, url=self._answer_url, timeout=25)
        except TwilioRestException as error:
            _log.warning("voice.vendor_refused", error=error_summary(error))
            if error.status >= 500 or error.status == 429:
                raise Unavailable("the vendor places no calls just now") from None
            raise CallRefused(vendor_code=error.code or 0) from None
        except (TwilioException, OSError):
            raise Unavailable("the vendor can't be reached") from None
