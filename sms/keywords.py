"""Words that the telephone network itself acts on: no more texts, texts again, help.

The vendor answers these and blocks or unblocks the sender before we hear of it, so they are noted and not replied to.
They count only as a whole message. "Cancel my appointment" is for the dialog.

The vendor knows English words only. Whoever asks for no more texts in Spanish means it as much, so those words are honoured and answered here.
"""

import re
from enum import StrEnum

_STOP = frozenset({"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"})
_STOP_IN_SPANISH = frozenset({"alto", "parar", "pare", "detener", "baja", "desuscribir", "desuscribirme"})
_HELP_IN_SPANISH = frozenset({"ayuda"})
_START = frozenset({"start", "unstop"})
_HELP = frozenset({"help", "info"})
_START_IF_STOPPED = frozenset({"yes"})


class Action(StrEnum):
    """What a text does to the sender's consent."""

    OPT_OUT = "opt-out"
    OPT_OUT_HERE = "opt-out-here"  # by a word that the vendor does not know: nobody has answered it yet
    OPT_IN = "opt-in"
    LEAVE_TO_VENDOR = "leave-to-vendor"  # HELP: answered already
    HELP_HERE = "help-here"  # AYUDA: not answered yet
    UNREACHABLE = "unreachable"  # ordinary words from somebody who can't be sent an answer
    CONVERSE = "converse"


def read(body: str, *, opt_out_type: str, is_opted_out: bool) -> Action:
    """Say what `body` does. `opt_out_type` is the vendor's own reading, which wins where it gives one."""
    word = as_word(body)
    vendor_says = opt_out_type.strip().upper()
    if vendor_says == "STOP" or (not vendor_says and word in _STOP):
        return Action.OPT_OUT
    if vendor_says == "START" or (not vendor_says and word in _START):
        return Action.OPT_IN
    if vendor_says == "HELP" or (not vendor_says and word in _HELP):
        return Action.LEAVE_TO_VENDOR
    if not vendor_says and word in _STOP_IN_SPANISH:
        return Action.OPT_OUT_HERE
    if not vendor_says and word in _HELP_IN_SPANISH and not is_opted_out:
        return Action.HELP_HERE
    if not is_opted_out:
        return Action.CONVERSE
    # A plain YES opts in again; from anybody else it is an ordinary answer and must reach the dialog.
    return Action.OPT_IN if word in _START_IF_STOPPED else Action.UNREACHABLE


def wants_visit_cancelled(body: str) -> bool:
    """Say whether an opt-out was probably meant for a visit."""
    return as_word(body) == "cancel"


def as_word(body: str) -> str:
    """Return a message of one word in small letters, without marks round it; empty if it has more or none."""
    words = re.findall(r"\w+", body.replace("-", ""))
    return words[0].lower() if len(words) == 1 else ""
