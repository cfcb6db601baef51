"""The vendor's requests about texts. Words the network acts on come before any dialog; everything else is a turn of one.

The answer is in the document that answers the request. Only when the vendor has stopped waiting is it sent by itself.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType

import structlog
from flask import Blueprint, Response
from sqlalchemy.exc import IntegrityError

from booking.consent import opt_in, opt_out
from booking.numbers import note_reached
from booking.task_words import TaskDetails, TaskSays
from booking.tasks import open_task
from booking.values import TaskKind
from dialog.inbound import Channel, Inbound, InboundKind, Reply, TurnHandler
from dialog.takeover import is_taken
from kernel import inbox
from kernel.clock import Clock
from kernel.log import get_logger
from kernel.phone import caller_number, masked, readable
from kernel.telephony import TwilioAccount, Webhook, WebhookRejected, printable
from kernel.webhook import Endpoints, sentence, xml
from kernel.work import Database, UnitOfWork
from sms import keywords, twiml
from sms.keywords import Action
from sms.known import Known, known
from sms.receipts import apply_receipt
from sms.segments import plain
from sms.send import queue_reply
from sms.texts import clinic_name
from sms.texts import words as spoken_words
from sms.thread import thread_key

DEADLINE_S = 12.0
"""The vendor waits 15 s. An answer this late may not be read any more, so it is sent as a text of its own."""

_log = get_logger()
_LONGEST = 1600  # characters; the vendor's own limit
_QUOTED = 500  # characters of a patient's words in a task

_NOT_A_CLINIC = "Sorry, no clinic can be reached at this number."
_SORRY = "Sorry, something is wrong on our side. Please call us, or try again in a few minutes."
_PICTURES = "Sorry, I can't look at pictures here. Please tell me in words what I can do for you."


def sms_blueprint(
    *,
    dialog: TurnHandler,
    db: Database,
    account: TwilioAccount,
    public_base_url: str,
    clock: Clock,
    stopwatch: Callable[[], float] = time.monotonic,
) -> Blueprint:
    """Return the endpoints under `/twilio/sms`. `public_base_url` is what the vendor calls, without a slash at its end."""
    webhooks = _SmsWebhooks(dialog, db, clock, stopwatch)
    blueprint = Blueprint("sms", __name__)

    endpoints = Endpoints(blueprint, account=account, public_base_url=public_base_url, log_key="message_sid")
    endpoints.add("", webhooks.receive, lambda: xml(twiml.message(_SORRY)))
    endpoints.add("/status", webhooks.note_receipt, lambda: sentence(HTTPStatus.SERVICE_UNAVAILABLE, "Not noted"))
    return blueprint


@dataclass(frozen=True)
class _Received:
    """A text to one of our clinics. `sender` and `number` (the clinic's) in E.164."""

    sid: str
    clinic_id: str
    number: str
    sender: str
    body: str
    pictures: int
    action: Action
    is_answered: bool  # this very text was dealt with before, outside the dialog


class _SmsWebhooks:
    def __init__(self, dialog: TurnHandler, db: Database, clock: Clock, stopwatch: Callable[[], float]) -> None:
        self._dialog = dialog
        self._db = db
        self._clock = clock
        self._stopwatch = stopwatch

    def receive(self, webhook: Webhook) -> Response:
        started = self._stopwatch()
        sid = _message_sid(webhook)
        number, sender = caller_number(webhook.require("To")), caller_number(webhook.require("From"))
        if "Body" not in webhook.fields:
            raise WebhookRejected(HTTPStatus.BAD_REQUEST, "Body is missing")
        with self._db.read() as session:
            found = number and known(session, number=number, sender=sender, sid=sid, word_key=_key(sid))
        if not number or not found:
            _log.warning("sms.unknown_number", called=masked(number))
            return xml(twiml.message(_NOT_A_CLINIC))
        if sender is None:
            # A short code or a name: a machine. Answering one can go on for ever.
            _log.info("sms.sender_is_no_telephone")
            return _nothing()
        structlog.contextvars.bind_contextvars(clinic_id=found.clinic_id)
        if found.has_trouble:
            self._db.run(lambda work: note_reached(work, clinic_id=found.clinic_id, phone=sender))
        return self._answer(_received(webhook, found, sid=sid, number=number, sender=sender), started)

    def note_receipt(self, webhook: Webhook) -> Response:
        code = webhook.get("ErrorCode")
        vendor_sid, status = _message_sid(webhook), webhook.require("MessageStatus")

        def apply(work: UnitOfWork) -> bool:
            return apply_receipt(
                work,
                vendor_sid=vendor_sid,
                message_id=webhook.query.get("m", ""),
                status=status,
                error_code=int(code) if re.fullmatch("[0-9]{1,6}", code) else None,
                now=self._clock.now(),
            )

        if not self._db.run(apply):
            _log.info("sms.receipt.unknown")  # of an answer given in TwiML, or of somebody else: nothing to keep
        return Response(status=HTTPStatus.NO_CONTENT)

    def _answer(self, text: _Received, started: float) -> Response:
        if text.action is Action.OPT_OUT_HERE:
            self._once(lambda work: self._apply(work, text))
            return self._in_their_language("stopped", text)
        if text.action is Action.HELP_HERE:
            return self._in_their_language("help", text)
        if text.is_answered or text.action is Action.LEAVE_TO_VENDOR:
            return _nothing()
        if text.action is not Action.CONVERSE:
            self._once(lambda work: self._apply(work, text))
            return _nothing()
        if not text.body and text.pictures:
            return self._answer_pictures(text, started)
        return self._converse(text, started)

    def _apply(self, work: UnitOfWork, text: _Received) -> None:
        """Note what the sender's word does."""
        now = self._clock.now()
        if inbox.recorded_answer(work.session, key=_key(text.sid)) is not None:
            return
        inbox.record(work, key=_key(text.sid), answer="", now=now)
        _log.info("sms.consent", action=text.action)
        if text.action is Action.OPT_IN:
            opt_in(work, clinic_id=text.clinic_id, phone=text.sender)
        elif text.action in {Action.OPT_OUT, Action.OPT_OUT_HERE}:
            opt_out(work, clinic_id=text.clinic_id, phone=text.sender, now=now)
            if keywords.wants_visit_cancelled(text.body):
                self._ask_staff(work, text, TaskKind.OPTED_OUT, TaskSays.TEXTED_CANCEL)
        else:
            wrote: TaskDetails = {"words": text.body[:_QUOTED], "pictures": text.pictures or None}
            self._ask_staff(work, text, TaskKind.OPTED_OUT, TaskSays.WROTE_AFTER_STOP, wrote)

    def _in_their_language(self, name: str, text: _Received) -> Response:
        """Answer words that the vendor does not know as it answers its own: a repeat of them gets the same."""
        with self._db.read() as session:
            called = clinic_name(session, clinic_id=text.clinic_id)
        answer = spoken_words(keywords.language_of(text.body))[name].format(clinic=called, phone=readable(text.number))
        return xml(twiml.message(answer))

    def _ask_staff(
        self,
        work: UnitOfWork,
        text: _Received,
        kind: TaskKind,
        says: TaskSays,
        details: TaskDetails = MappingProxyType({}),
    ) -> None:
        open_task(
            work,
            clinic_id=text.clinic_id,
            kind=kind,
            says=says,
            details=details,
            now=self._clock.now(),
            phone=text.sender,
            subject=f"sms:{text.sid}",
        )

    def _answer_pictures(self, text: _Received, started: float) -> Response:
        with self._db.read() as session:
            is_with_staff = is_taken(session, clinic_id=text.clinic_id, caller=text.sender, now=self._clock.now())
        if is_with_staff:
            return self._converse(replace(text, body=f"({text.pictures} picture(s))"), started)
        sent: TaskDetails = {"pictures": text.pictures}
        self._db.run(lambda work: self._ask_staff(work, text, TaskKind.MESSAGE, TaskSays.PICTURES, sent))
        return xml(twiml.message(_PICTURES))

    def _converse(self, text: _Received, started: float) -> Response:
        inbound = Inbound(
            clinic_id=text.clinic_id,
            channel=Channel.SMS,
            kind=InboundKind.SAID,
            thread_key=thread_key(patient=text.sender, clinic=text.number),
            message_key=f"sms:{text.sid}",
            caller=text.sender,
            text=text.body,
        )
        reply = self._reply(inbound)
        if reply.silent or not reply.text:
            return _nothing()
        if self._stopwatch() - started < DEADLINE_S:
            return xml(twiml.message(reply.text))
        _log.warning("sms.turn.too_late")
        self._db.run(lambda work: self._send_later(work, text, reply))
        return _nothing()

    def _reply(self, inbound: Inbound) -> Reply:
        try:
            return self._dialog.handle_turn(inbound)
        except Exception as error:  # noqa: BLE001 -- an edge: whatever failed, the patient gets an apology
            _log.exception("sms.turn.failed")
            return self._dialog.apologise(inbound, error)

    def _send_later(self, work: UnitOfWork, text: _Received, reply: Reply) -> None:
        queue_reply(
            work,
            clinic_id=text.clinic_id,
            to=text.sender,
            sender=text.number,
            body=plain(printable(reply.text)),
            reply_to=text.sid,
            now=self._clock.now(),
        )

    def _once(self, step: Callable[[UnitOfWork], None]) -> None:
        try:
            self._db.run(step)
        except IntegrityError:
            _log.info("sms.repeat")  # the same text at the same moment: the other delivery of it was first


def _received(webhook: Webhook, found: Known, *, sid: str, number: str, sender: str) -> _Received:
    body = printable(webhook.get("Body"))[:_LONGEST].strip()
    pictures = webhook.get("NumMedia")
    return _Received(
        sid=sid,
        clinic_id=found.clinic_id,
        number=number,
        sender=sender,
        body=body,
        pictures=int(pictures) if re.fullmatch("[0-9]{1,2}", pictures) else 0,
        action=keywords.read(body, opt_out_type=webhook.get("OptOutType"), is_opted_out=found.has_opted_out),
        is_answered=found.is_answered,
    )


def _key(sid: str) -> str:
    return f"sms-word:{sid}"


def _message_sid(webhook: Webhook) -> str:
    sid = webhook.get("MessageSid") or webhook.get("SmsSid")
    if not re.fullmatch("[A-Za-z0-9]{1,64}", sid):
        raise WebhookRejected(HTTPStatus.BAD_REQUEST, "MessageSid is missing or not an id")
    structlog.contextvars.bind_contextvars(message_sid=sid)
    return sid


def _nothing() -> Response:
    return xml(twiml.nothing())
