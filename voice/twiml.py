"""From a Reply to what the vendor's machine does: speak, listen, put through, hang up.

Made with the vendor's own builder, which escapes text. It does not remove what XML cannot hold, so that is done here.
"""

import textwrap
from dataclasses import dataclass, replace

from twilio.twiml import TwiML
from twilio.twiml.voice_response import Dial, Gather, Say, Start, VoiceResponse

from dialog.inbound import Reply
from dialog.interpreter import Asked
from kernel.telephony import printable

RING_S = 25  # the vendor's own default is 30; most voicemail answers after that
_LONGEST_SAY = 2000  # characters; the voices take 3000
_MOST_HINTS, _LONGEST_HINT = 500, 100


@dataclass(frozen=True)
class _Spoken:
    code: str
    voice: str


_LANGUAGES = {"en": _Spoken("en-US", "Polly.Joanna-Neural"), "es": _Spoken("es-US", "Polly.Lupe-Neural")}


@dataclass(frozen=True)
class _Listening:
    """How to wait for an answer. Seconds; `digits` None: ended by the hash key or by a pause."""

    timeout_s: int = 5  # until the first word or key, and between keys
    speech_timeout: str = (
        "auto"  # silence that ends speech; "auto" is quick but cuts people off who think between digits
    )
    digits: int | None = 1


# Patience depends on the question: dates, numbers and names are said with pauses, a message with long ones.
_WAITS_S = 20
"""How long a caller is waited for who asked for a moment."""
_BY_QUESTION = {
    Asked.BIRTH_DATE: _Listening(timeout_s=6, speech_timeout="2", digits=8),
    Asked.PHONE: _Listening(timeout_s=6, speech_timeout="3", digits=None),
    Asked.NAME: _Listening(timeout_s=6, speech_timeout="2"),
    Asked.SPELL_NAME: _Listening(timeout_s=6, speech_timeout="3"),
    Asked.EMAIL: _Listening(timeout_s=7, speech_timeout="3"),
    Asked.MESSAGE: _Listening(timeout_s=7, speech_timeout="3"),
    Asked.CHOICE: _Listening(timeout_s=6),
}


@dataclass(frozen=True)
class Addresses:
    """Where the vendor goes next. Paths only: it resolves them against the address it called."""

    turn: str
    transferred: str
    whisper: str
    ready: str = ""


def answer(reply: Reply, *, addresses: Addresses, clinic_number: str) -> str:
    """Return the document that speaks `reply` and then waits for an answer, puts through or hangs up.

    `clinic_number` (E.164) is shown to the person who is called: vendors allow no number but the one that was dialled.
    """
    response = VoiceResponse()
    if reply.transfer_to:
        _say(response, reply)
        _dial(response, to=reply.transfer_to, addresses=addresses, clinic_number=clinic_number)
    elif reply.ends:
        _say(response, reply)
        response.hangup()
    else:
        _say(_gather(response, reply, addresses), reply)
    return str(response)


def one_moment(text: str, *, language: str, addresses: Addresses) -> str:
    """Return what a caller hears while their answer is worked at, before their call comes back for it. Without text: a pause."""
    response = VoiceResponse()
    if text:
        _say(response, Reply(text=text, language=language))
    else:
        response.pause(length=1)
    response.redirect(addresses.ready, method="POST")
    return str(response)


def ask_consent(text: str, *, language: str, action: str) -> str:
    """Return what asks whether the call may be recorded, and waits for a yes or no or whatever else they say."""
    response = VoiceResponse()
    gather = Gather(
        input="speech dtmf",
        action=action,
        method="POST",
        language=_LANGUAGES.get(language, _LANGUAGES["en"]).code,
        timeout=5,
        speech_timeout="auto",
        num_digits=1,
        barge_in=True,
        action_on_empty_result=True,
        profanity_filter=False,
    )
    _say(gather, Reply(text=text, language=language))
    response.append(gather)
    return str(response)


def with_recording(document: str, *, report_to: str) -> str:
    """Return the document with the call recorded from here on. `report_to` is a whole address: the vendor resolves none here."""
    start = Start()
    start.recording(
        recording_status_callback=report_to,
        recording_status_callback_method="POST",
        recording_status_callback_event="completed",
    )
    return document.replace("<Response>", f"<Response>{start.to_xml(xml_declaration=False)}", 1)


def fallback(*, transfer_to: str | None, clinic_number: str, addresses: Addresses) -> str:
    """Return what a caller hears when nothing else can answer: an apology, then a person where the clinic named one."""
    if transfer_to is None:
        return goodbye("I am sorry, something is wrong on our side. Please call again in a few minutes. Goodbye.")
    response = VoiceResponse()
    _say(response, Reply(text="I am sorry, something is wrong on our side. One moment, I will put you through."))
    _dial(response, to=transfer_to, addresses=addresses, clinic_number=clinic_number)
    return str(response)


def goodbye(text: str) -> str:
    """Return the document that says `text` and hangs up."""
    response = VoiceResponse()
    _say(response, Reply(text=text))
    response.hangup()
    return str(response)


def whisper(text: str, *, accepted: str) -> str:
    """Return what the person who is called hears alone. Without a key they are not connected: so voicemail never is."""
    response = VoiceResponse()
    gather = Gather(input="dtmf", num_digits=1, timeout=8, action=accepted, method="POST")
    _say(gather, Reply(text=text))
    response.append(gather)
    response.hangup()
    return str(response)


def nothing() -> str:
    """Return the document that does nothing: in a whisper, the two are connected; after a call, it is over."""
    return str(VoiceResponse())


def _gather(response: VoiceResponse, reply: Reply, addresses: Addresses) -> Gather:
    how = _BY_QUESTION.get(reply.asked, _Listening())
    if reply.waits:
        how = replace(how, timeout_s=_WAITS_S)
    gather = Gather(
        input="speech dtmf",
        action=addresses.turn,
        method="POST",
        language=_spoken(reply).code,
        timeout=how.timeout_s,
        speech_timeout=how.speech_timeout,
        num_digits=how.digits,
        finish_on_key="#",
        hints=_hints(reply.hints),
        barge_in=True,
        action_on_empty_result=True,  # otherwise silence falls through to the end of the document, and hangs up
        profanity_filter=False,  # it masks words patients need
    )
    response.append(gather)
    return gather


def _say(verb: TwiML, reply: Reply) -> None:
    spoken = _spoken(reply)
    for part in textwrap.wrap(printable(reply.text), _LONGEST_SAY):
        verb.append(Say(part, voice=spoken.voice, language=spoken.code))


def _dial(response: VoiceResponse, *, to: str, addresses: Addresses, clinic_number: str) -> None:
    # Ringing is heard until a person has taken the call, so the caller's own call goes on if nobody does.
    dial = Dial(
        action=addresses.transferred,
        method="POST",
        timeout=RING_S,
        answer_on_bridge=True,
        caller_id=clinic_number,
    )
    dial.number(to, url=addresses.whisper, method="POST")
    response.append(dial)


def _spoken(reply: Reply) -> _Spoken:
    return _LANGUAGES.get(reply.language, _LANGUAGES["en"])


def _hints(words: tuple[str, ...]) -> str | None:
    """Return the recogniser's hints as one text: the builder would write a list with its brackets."""
    plain = (" ".join(printable(word).replace(",", " ").split()) for word in words)
    usable = list(dict.fromkeys(word for word in plain if 0 < len(word) <= _LONGEST_HINT))
    return ", ".join(usable[:_MOST_HINTS]) or None
