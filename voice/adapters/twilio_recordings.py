"""Recordings by the vendor's REST interface. The address is made from the id: none that a request brought is followed."""

from http import HTTPStatus

import niquests

from kernel.errors import Unavailable
from kernel.telephony import TwilioAccount
from voice.ports import Audio, RecordingGone

_VENDOR = "https://api.twilio.com"
_TIMEOUT_S = 10.0
_PIECE = 64 * 1024


class TwilioRecordings:
    """`account` is whose recordings they are."""

    def __init__(self, account: TwilioAccount) -> None:
        self._account = account

    def fetch(self, recording_sid: str) -> Audio:
        base = self._account.api_base_url or _VENDOR
        url = f"{base}/2010-04-01/Accounts/{self._account.sid}/Recordings/{recording_sid}.mp3"
        log_in = (self._account.sid, self._account.auth_tokens[0])
        try:
            answer = niquests.get(url, auth=log_in, timeout=_TIMEOUT_S, stream=True, allow_redirects=False)
        except (niquests.RequestException, OSError):
            raise Unavailable("the vendor's recordings") from None
        if answer.status_code != HTTPStatus.OK:
            answer.close()
            is_gone = answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
            raise RecordingGone if is_gone else Unavailable("the vendor's recordings")
        length = str(answer.headers.get("Content-Length", ""))
        media_type = str(answer.headers.get("Content-Type", "audio/mpeg")).partition(";")[0]
        is_audio = media_type.startswith("audio/")
        return Audio(
            media_type=media_type if is_audio else "audio/mpeg",
            length=int(length) if length.isdecimal() else None,
            pieces=answer.iter_content(_PIECE),
        )
