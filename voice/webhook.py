"""The vendor's requests about calls. Every one is checked, and every one is answered with something a caller can hear.

A turn is named by its call and number, so that a request that comes twice is answered twice and done once.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response

from booking.catalogue import CatalogueCache, find_clinic_by_number
from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import Catalogue, TaskKind
from dialog.inbound import Channel, Inbound, InboundKind, Reply, TurnHandler
from dialog.languages import SPOKEN
from dialog.record import hash_of_thread
from dialog.wording.render import wording
from kernel.clock import Clock
from kernel.log import get_logger
from kernel.phone import caller_number, masked
from kernel.telephony import TwilioAccount, Webhook, WebhookRejected
from kernel.webhook import Endpoints, sentence, xml
from kernel.work import Database, UnitOfWork
from voice import calls, consent, speech, twiml
from voice.model import Call
from voice.patience import FILLER_AFTER_S, Patience

_log = get_logger()

_FIRST_LANGUAGE = "en"
_NOT_A_CLINIC = "I am sorry, no clinic can be reached at this number. Goodbye."
_SORRY = "I am sorry, something is wrong on our side. Please call again in a few minutes. Goodbye."
_NOBODY_THERE = "I am sorry, nobody can take your call just now. I have asked the clinic to call you back. Goodbye."


def voice_blueprint(
    *,
    dialog: TurnHandler,
    db: Database,
    catalogues: CatalogueCache,
    account: TwilioAccount,
    public_base_url: str,
    clock: Clock,
    filler_after_s: float = FILLER_AFTER_S,
) -> Blueprint:
    """Return the endpoints under `/twilio/voice`. `public_base_url` is what the vendor calls, without a slash at its end.

    A caller whose turn takes longer than `filler_after_s` hears that it takes a moment.
    """
    patience = Patience(dialog, filler_after_s=filler_after_s)
    webhooks = _VoiceWebhooks(dialog, patience, db, catalogues, clock, public_base_url=public_base_url)
    blueprint = Blueprint("voice", __name__)

    endpoints = Endpoints(blueprint, account=account, public_base_url=public_base_url, log_key="call_sid")
    endpoints.add("", webhooks.answer_call, _apologise)
    endpoints.add("/consent", webhooks.take_consent, _apologise)
    endpoints.add("/recording", webhooks.note_recording, _refuse_for_now)
    endpoints.add("/turn", webhooks.take_turn, _apologise)
    endpoints.add("/ready", webhooks.fetch_answer, _apologise)
    endpoints.add("/transferred", webhooks.take_back, _apologise)
    endpoints.add("/fallback", webhooks.fall_back, _apologise)
    endpoints.add("/whisper", webhooks.whisper, _connect)
    endpoints.add("/status", webhooks.note_status, _refuse_for_now)
    return blueprint


@dataclass(frozen=True)
class _Called:
    """A request about a call to one of our clinics."""

    clinic_id: str
    number: str
    call_sid: str
    caller: str | None

    def inbound(
        self, kind: InboundKind, *, turn: int | str, text: str = "", confidence: float | None = None
    ) -> Inbound:
        return Inbound(
            clinic_id=self.clinic_id,
            channel=Channel.VOICE,
            kind=kind,
            thread_key=self.call_sid,
            message_key=f"voice:{self.call_sid}:{turn}",
            caller=self.caller,
            text=text,
            confidence=confidence,
        )


class _VoiceWebhooks:
    def __init__(
        self,
        dialog: TurnHandler,
        patience: Patience,
        db: Database,
        catalogues: CatalogueCache,
        clock: Clock,
        *,
        public_base_url: str,
    ) -> None:
        self._dialog = dialog
        self._patience = patience
        self._db = db
        self._catalogues = catalogues
        self._clock = clock
        self._public_base_url = public_base_url
        self._prefix = urlsplit(public_base_url).path

    def answer_call(self, webhook: Webhook) -> Response:
        called = self._called(webhook)
        if called is None:
            return xml(twiml.goodbye(_NOT_A_CLINIC))
        status = webhook.get("CallStatus") or "ringing"

        def note(work: UnitOfWork) -> None:
            calls.note_call(
                work, call_sid=called.call_sid, clinic_id=called.clinic_id, status=status, now=self._clock.now()
            )

        self._db.run(note)
        catalogue = self._catalogue(called.clinic_id)
        if catalogue.records_calls:
            return self._ask_consent(called, catalogue)
        return self._converse(called, called.inbound(InboundKind.START, turn=0), turn=0, language=_FIRST_LANGUAGE)

    def take_consent(self, webhook: Webhook) -> Response:
        """Keep whether the call may be recorded, and begin it. Who said something else is heard with that."""
        called = self._called(webhook)
        if called is None:
            return xml(twiml.goodbye(_NOT_A_CLINIC))
        came = _what_came(called, webhook, turn=1)
        words = came.text if came.kind is InboundKind.SAID else ""
        read = consent.read_answer(said=words, keys=came.text if came.kind is InboundKind.KEYS else "")
        stands = self._db.run(
            lambda work: consent.note_answer(
                work, call_sid=called.call_sid, consent=read or consent.Consent.REFUSED, now=self._clock.now()
            )
        )
        start = called.inbound(InboundKind.START, turn=0)
        if read is None and words:
            self._dialog.handle_turn(start)
            response = self._converse(called, came, turn=1, language=_FIRST_LANGUAGE)
        else:
            response = self._converse(called, start, turn=0, language=_FIRST_LANGUAGE)
        if stands is consent.Consent.GIVEN:
            report_to = f"{self._public_base_url}/twilio/voice/recording"
            response.set_data(twiml.with_recording(response.get_data(as_text=True), report_to=report_to))
        return response

    def note_recording(self, webhook: Webhook) -> Response:
        """Keep that there is a recording, if the caller agreed to it."""
        call_sid, recording_sid = _call_sid(webhook), webhook.require("RecordingSid")
        if not re.fullmatch("[A-Za-z0-9]{1,64}", recording_sid):
            raise WebhookRejected(HTTPStatus.BAD_REQUEST, "RecordingSid is not an id")
        duration = webhook.get("RecordingDuration")

        def note(work: UnitOfWork) -> bool:
            return consent.note_recording(
                work,
                call_sid=call_sid,
                recording_sid=recording_sid,
                duration_s=int(duration) if re.fullmatch("[0-9]{1,6}", duration) else None,
                now=self._clock.now(),
            )

        if webhook.get("RecordingStatus") == "completed" and not self._db.run(note):
            _log.error("voice.recording_without_consent")
        return Response(status=HTTPStatus.NO_CONTENT)

    def take_turn(self, webhook: Webhook) -> Response:
        turn = webhook.number("n")
        called = self._called(webhook)
        if called is None:
            return xml(twiml.goodbye(_NOT_A_CLINIC))
        return self._converse(called, _what_came(called, webhook, turn), turn=turn, language=_language(webhook))

    def fetch_answer(self, webhook: Webhook) -> Response:
        """Give the answer of a turn that took long, once it is there."""
        turn, returns = webhook.number("n"), webhook.number("returns")
        called = self._called(webhook)
        if called is None:
            return xml(twiml.goodbye(_NOT_A_CLINIC))
        language = _language(webhook)
        reply = self._patience.fetch(called.inbound(InboundKind.SILENCE, turn=turn), returns=returns)
        if reply is None:
            return self._one_moment("", turn=turn, returns=returns + 1, language=language)
        return self._answered(called, reply, turn=turn)

    def take_back(self, webhook: Webhook) -> Response:
        """Go on after a transfer: the two have spoken, or nobody answered and the caller is with us again."""
        turn = webhook.number("n")
        called = self._called(webhook)
        if called is None or _have_spoken(webhook):
            return xml(twiml.nothing())
        inbound = called.inbound(InboundKind.TRANSFER_FAILED, turn=turn)
        return self._converse(called, inbound, turn=turn, language=_language(webhook))

    def note_status(self, webhook: Webhook) -> Response:
        status = webhook.require("CallStatus")
        call_sid = _call_sid(webhook)
        duration = webhook.get("CallDuration")

        def note(work: UnitOfWork) -> str | None:
            return calls.note_status(
                work,
                call_sid=call_sid,
                status=status,
                duration_s=int(duration) if re.fullmatch("[0-9]{1,6}", duration) else None,
                now=self._clock.now(),
            )

        clinic_id = self._db.run(note)
        if clinic_id is not None and status in calls.ENDED:
            called = _Called(clinic_id, webhook.get("To"), call_sid, caller_number(webhook.get("From")))
            self._dialog.handle_turn(called.inbound(InboundKind.HUNG_UP, turn="ended"))
        return Response(status=HTTPStatus.NO_CONTENT)

    def fall_back(self, webhook: Webhook) -> Response:
        """Answer for an endpoint that could not: without the dialog, with a person where there is one."""
        called = self._called(webhook)
        if called is None:
            return xml(twiml.goodbye(_SORRY))
        _log.error("voice.fallback", vendor_error=webhook.get("ErrorCode"), after_dial=webhook.get("DialCallStatus"))
        if webhook.get("DialCallStatus"):
            return self._after_fallback(called, webhook)
        self._open_task(called, TaskKind.APOLOGY, TaskSays.CALL_NOT_ANSWERED)
        addresses = twiml.Addresses(turn="", transferred=self._path("/fallback"), whisper=self._path("/whisper"))
        transfer_to = self._catalogue(called.clinic_id).transfer_to
        return xml(twiml.fallback(transfer_to=transfer_to, clinic_number=called.number, addresses=addresses))

    def whisper(self, webhook: Webhook) -> Response:
        """Tell the person who is called what this is, and connect the two when a key is pressed."""
        if webhook.get("Digits"):
            return _connect()
        with self._db.read() as session:
            call = session.get(Call, webhook.get("ParentCallSid"))
            name = self._catalogues.get(session, clinic_id=call.clinic_id).name if call else "the clinic"
        text = f"A patient is calling for {name}. Press any key to take the call."
        return xml(twiml.whisper(text, accepted=self._path("/whisper")))

    def _ask_consent(self, called: _Called, catalogue: Catalogue) -> Response:
        asked = consent.question(catalogue)
        thread = hash_of_thread(clinic_id=called.clinic_id, channel=Channel.VOICE, thread_key=called.call_sid)

        def note(work: UnitOfWork) -> None:
            consent.note_question(
                work, call_sid=called.call_sid, thread_hash=thread, version=asked.version, now=self._clock.now()
            )

        self._db.run(note)
        return xml(twiml.ask_consent(asked.text, language=asked.language, action=self._path("/consent")))

    def _called(self, webhook: Webhook) -> _Called | None:
        """Return which clinic is called by whom, None if the number belongs to none."""
        call_sid = _call_sid(webhook)
        number, caller = caller_number(webhook.require("To")), caller_number(webhook.get("From"))
        if webhook.get("Direction") == "outbound-api":
            number, caller = caller, number  # a test call that staff let us place: who takes it is the caller
        with self._db.read() as session:
            found = find_clinic_by_number(session, number) if number else None
        if found is None or number is None:
            _log.warning("voice.unknown_number", called=masked(number))
            return None
        structlog.contextvars.bind_contextvars(clinic_id=found[0])
        return _Called(found[0], number, call_sid, caller)

    def _converse(self, called: _Called, inbound: Inbound, *, turn: int, language: str) -> Response:
        reply = self._patience.answer(inbound)
        if reply is None:
            text = str(wording(language)["one-moment"]["spoken"][0])
            return self._one_moment(text, turn=turn, returns=1, language=language)
        return self._answered(called, reply, turn=turn)

    def _answered(self, called: _Called, reply: Reply, *, turn: int) -> Response:
        rest = f"?n={turn + 1}{_language_part(reply.language)}"
        addresses = twiml.Addresses(
            turn=self._path(f"/turn{rest}"),
            transferred=self._path(f"/transferred{rest}"),
            whisper=self._path("/whisper"),
        )
        return xml(twiml.answer(reply, addresses=addresses, clinic_number=called.number))

    def _one_moment(self, text: str, *, turn: int, returns: int, language: str) -> Response:
        ready = self._path(f"/ready?n={turn}&returns={returns}{_language_part(language)}")
        addresses = twiml.Addresses(turn="", transferred="", whisper="", ready=ready)
        return xml(twiml.one_moment(text, language=language, addresses=addresses))

    def _after_fallback(self, called: _Called, webhook: Webhook) -> Response:
        if _have_spoken(webhook):
            return xml(twiml.nothing())
        self._open_task(called, TaskKind.CALL_BACK, TaskSays.CALL_FAILED)
        return xml(twiml.goodbye(_NOBODY_THERE))

    def _open_task(self, called: _Called, kind: TaskKind, says: TaskSays) -> None:
        def open_it(work: UnitOfWork) -> None:
            open_task(
                work,
                clinic_id=called.clinic_id,
                kind=kind,
                says=says,
                now=self._clock.now(),
                phone=called.caller,
                subject=f"fallback:{kind}:{called.call_sid}",
            )

        self._db.run(open_it)

    def _catalogue(self, clinic_id: str) -> Catalogue:
        with self._db.read() as session:
            return self._catalogues.get(session, clinic_id=clinic_id)

    def _path(self, rest: str) -> str:
        return f"{self._prefix}/twilio/voice{rest}"


def _what_came(called: _Called, webhook: Webhook, turn: int) -> Inbound:
    keyed = speech.keys(webhook.get("Digits"))
    said = speech.clean(webhook.get("SpeechResult"))
    if keyed:
        return called.inbound(InboundKind.KEYS, turn=turn, text=keyed)
    if said:
        confidence = speech.confidence(webhook.get("Confidence"))
        return called.inbound(InboundKind.SAID, turn=turn, text=said, confidence=confidence)
    return called.inbound(InboundKind.SILENCE, turn=turn)


def _language(webhook: Webhook) -> str:
    """Return the language of the turn before, which its answer wrote into the address."""
    named = webhook.query.get("language", "")
    return named if named in SPOKEN else _FIRST_LANGUAGE


def _language_part(language: str) -> str:
    return "" if language == _FIRST_LANGUAGE else f"&language={language}"


def _have_spoken(webhook: Webhook) -> bool:
    # "completed" is also said of a person who picked up and did not press a key in the whisper: then nobody was bridged.
    is_answered = webhook.get("DialCallStatus") in {"completed", "answered"}
    return is_answered and webhook.get("DialBridged") != "false"


def _call_sid(webhook: Webhook) -> str:
    call_sid = webhook.require("CallSid")
    if not re.fullmatch("[A-Za-z0-9]{1,64}", call_sid):
        raise WebhookRejected(HTTPStatus.BAD_REQUEST, "CallSid is not an id")
    structlog.contextvars.bind_contextvars(call_sid=call_sid)
    return call_sid


def _apologise() -> Response:
    return xml(twiml.goodbye(_SORRY))


def _connect() -> Response:
    return xml(twiml.nothing())


def _refuse_for_now() -> Response:
    return sentence(HTTPStatus.SERVICE_UNAVAILABLE, "Not noted")
