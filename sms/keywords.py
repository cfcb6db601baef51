"""Words that the telephone network itself acts on: no more texts, texts again, help.

The vendor answers these and blocks or unblocks the sender before we hear of it, so they are noted and not replied to.
They count only as a whole message. "Cancel my appointment" is for the dialog.

The vendor knows English words only. Whoever asks for no more texts in Spanish, or in a sentence of their own, means it as much, so that is
honoured and answered here.
"""

import re
from enum import StrEnum

_STOP = frozenset({"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"})
_STOP_IN_SPANISH = frozenset({"alto", "parar", "pare", "detener", "baja", "desuscribir", "desuscribirme"})
_HELP_IN_SPANISH = frozenset({"ayuda"})
_START = frozenset({"start", "unstop"})
_HELP = frozenset({"help", "info"})
_START_IF_STOPPED = frozenset({"yes"})
_COURTESY = re.compile(r"\b(?:please|thanks|thank you|por favor|gracias)\b")
# Whole messages that ask for no more texts, in small letters and without marks.
_TEXTS = r"(?:the |your |my |any |these |those |all )*(?:more )?(?:texts?|text messages|messages|sms|reminders)"
_ENOUGH = r"(?: (?:now|again|anymore|any more|more))?"
_NO_TEXTS = {
    "en": re.compile(
        rf"(?:(?:stop|quit) (?:texting|messaging)(?: (?:me|us|this number))?|(?:stop|quit) sending (?:me |us )?{_TEXTS}"
        rf"|(?:do not|don t|dont|never) (?:text|message) (?:me|us|this number)|(?:do not|don t|dont) send (?:me |us )?{_TEXTS}"
        rf"|no more {_TEXTS}|i (?:do not|don t|dont) want {_TEXTS}|stop {_TEXTS}"
        rf"|unsubscribe me|opt (?:me )?out|(?:take|remove) me (?:off|from) (?:{_TEXTS}|(?:your|the|this) texts? list)){_ENOUGH}"
    ),
    "es": re.compile(
        r"(?:(?:ya )?no (?:me|nos) (?:escriban?|manden?|mandes|env[ií]en?|env[ií]es)(?: m[aá]s)?(?: (?:mensajes|textos|sms))?"
        r"|(?:dejen?|paren?) de (?:escribirme|(?:mandarme|enviarme|mandar|enviar) (?:mensajes|textos|sms))"
        r"|(?:ya )?no quiero (?:recibir )?(?:m[aá]s )?(?:mensajes|textos|sms)|no m[aá]s (?:mensajes|textos|sms)"
        r"|(?:quiero )?darme de baja|d[eé]nme de baja)(?: m[aá]s)?"
    ),
}


class Action(StrEnum):
    """What a text does to the sender's consent."""

    OPT_OUT = "opt-out"
    OPT_OUT_HERE = "opt-out-here"  # in words that the vendor does not know: nobody has answered them yet
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
    if not vendor_says and (word in _STOP_IN_SPANISH or _language_of_no(body)):
        return Action.OPT_OUT_HERE
    if not vendor_says and word in _HELP_IN_SPANISH and not is_opted_out:
        return Action.HELP_HERE
    if not is_opted_out:
        return Action.CONVERSE
    # A plain YES opts in again; from anybody else it is an ordinary answer and must reach the dialog.
    return Action.OPT_IN if word in _START_IF_STOPPED else Action.UNREACHABLE


def language_of(body: str) -> str:
    """Return the language of a message that is ours to answer: of a single word it is Spanish."""
    return _language_of_no(body) or "es"


def wants_visit_cancelled(body: str) -> bool:
    """Say whether an opt-out was probably meant for a visit."""
    return as_word(body) == "cancel"


def as_word(body: str) -> str:
    """Return a message of one word in small letters, without marks round it; empty if it has more or none."""
    words = re.findall(r"\w+", body.replace("-", ""))
    return words[0].lower() if len(words) == 1 else ""


def _language_of_no(body: str) -> str | None:
    """Return the language in which a message asks for no more texts, and for nothing else; None if it does not."""
    words = " ".join(re.findall(r"\w+", _COURTESY.sub(" ", body.lower())))
    return next((language for language, no in _NO_TEXTS.items() if no.fullmatch(words)), None)
