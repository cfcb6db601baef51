"""Texts by the vendor's REST interface."""

from datetime import timedelta
from http import HTTPStatus
from socket import gaierror

from requests.exceptions import ConnectTimeout
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.telephony import error_summary
from sms.ports import OutcomeUnknown, OutgoingText, TextRefused
from sms.vendor_codes import is_passing

_log = get_logger()
_LOOKED_THROUGH = 50  # texts to one number; the one in question is among the newest


class TwilioGateway:
    """`status_url` is where receipts go; our id of the text is added to it."""

    def __init__(self, client: Client, *, status_url: str) -> None:
        self._client = client
        self._status_url = status_url

    def send(self, text: OutgoingText) -> str:
        try:
            message = self._client.messages.create(
                to=text.to,
                from_=text.sender,
                body=text.body,
                status_callback=f"{self._status_url}?m={text.message_id}",
            )
        except TwilioRestException as error:
            raise _explained(error) from None  # the vendor's text may quote a number
        except (TwilioException, OSError) as failure:
            if _has_never_left(failure):
                raise Unavailable("the vendor can't be reached", retry_after=timedelta(seconds=30)) from None
            # Requests' errors are OSErrors. Whether the vendor got it can't be told from most of them.
            raise OutcomeUnknown from None
        if not message.sid:
            raise OutcomeUnknown
        return message.sid

    def find(self, text: OutgoingText) -> list[str]:
        # Not by date: a text that is still queued at the vendor has no date of sending yet.
        try:
            messages = self._client.messages.list(to=text.to, from_=text.sender, limit=_LOOKED_THROUGH)
        except (TwilioException, OSError):
            raise Unavailable("the vendor's list of texts", retry_after=timedelta(seconds=30)) from None
        # Answers given in TwiML may have the same words; those are not what is looked for.
        ours = (one for one in messages if str(one.direction) == "outbound-api" and one.body == text.body)
        return [one.sid for one in ours if one.sid]


def _has_never_left(failure: Exception) -> bool:
    """Say whether there was no connection on which anything could have been said."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ConnectTimeout | ConnectionRefusedError | gaierror):
            return True
        cause = cause.__context__
    return False


def _explained(error: TwilioRestException) -> Exception:
    _log.warning("sms.vendor_refused", error=error_summary(error))
    code = error.code or 0
    if error.status == HTTPStatus.TOO_MANY_REQUESTS or is_passing(code):
        return Unavailable("the vendor takes no more texts just now", retry_after=timedelta(seconds=30))
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return OutcomeUnknown()
    return TextRefused(vendor_code=code)
