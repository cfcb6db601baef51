"""A caller is not kept in silence: what takes long goes on by itself, they hear a word, and their call comes back for the answer.

The answer is kept with the dialog, not here, so that any process can give it.
"""

import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from dialog.inbound import Inbound, Reply, TurnHandler
from kernel.errors import Unavailable
from kernel.log import get_logger

FILLER_AFTER_S = 3.0
MOST_RETURNS = 3
"""How often a call comes back for an answer: with the first wait twelve seconds, more than any turn takes that still runs."""

_LOOK_EVERY_S = 0.1
_AT_ONCE = 64  # turns under way in one process

_log = get_logger()


class Patience:
    """Answers turns of calls within `filler_after_s`, or says that there is no answer yet."""

    def __init__(
        self,
        dialog: TurnHandler,
        *,
        filler_after_s: float = FILLER_AFTER_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dialog = dialog
        self._filler_after_s = filler_after_s
        self._sleep = sleep
        self._turns = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="turn")

    def answer(self, inbound: Inbound) -> Reply | None:
        """Answer a turn. None: it takes longer, goes on by itself, and is to be asked for by `fetch`."""
        # The log's context belongs to the thread of the request.
        turn = self._turns.submit(contextvars.copy_context().run, self._answer, inbound)
        try:
            return turn.result(timeout=self._filler_after_s)
        except TimeoutError:
            if turn.done():
                return turn.result()
            _log.info("voice.turn.takes_long")
            return None

    def fetch(self, inbound: Inbound, *, returns: int) -> Reply | None:
        """Return the answer to a turn that took long, from whichever process has worked at it; None: come back again.

        `returns`: how often the call has come back for it. The last time there is an apology where there is no answer.
        """
        looks = max(1, round(self._filler_after_s / _LOOK_EVERY_S))
        for look in range(looks):
            reply = self._dialog.answer_to(inbound)
            if reply is not None:
                return reply
            if look < looks - 1:
                self._sleep(_LOOK_EVERY_S)
        if returns < MOST_RETURNS:
            return None
        _log.error("voice.turn.lost")
        return self._dialog.apologise(inbound, Unavailable("the turn was begun and never answered"))

    def _answer(self, inbound: Inbound) -> Reply:
        try:
            return self._dialog.handle_turn(inbound)
        except Exception as error:  # noqa: BLE001 -- an edge: whatever failed, the caller hears an apology
            _log.exception("voice.turn.failed")
            return self._dialog.apologise(inbound, error)
