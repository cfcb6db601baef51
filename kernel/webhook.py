"""The edge of a channel's webhooks: every request is checked, and every one is answered, whatever happens."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from flask import Blueprint, Response, request

from kernel.log import get_logger
from kernel.telephony import TwilioAccount, Webhook, WebhookRejected, read_webhook

_log = get_logger()


class Endpoints:
    """The endpoints under `/twilio/CHANNEL`, where the blueprint has the channel's name.

    `public_base_url` is what the vendor calls, without a slash at its end. `log_key` is what log lines call the vendor's id
    of what a request is about.
    """

    def __init__(self, blueprint: Blueprint, *, account: TwilioAccount, public_base_url: str, log_key: str) -> None:
        self._blueprint = blueprint
        self._account = account
        self._public_base_url = public_base_url
        self._log_key = log_key

    def add(self, path: str, view: Callable[[Webhook], Response], last_resort: Callable[[], Response]) -> None:
        """Let `view` answer what the vendor sends to `path`, and `last_resort` where it fails."""

        def endpoint() -> Response:
            with structlog.contextvars.bound_contextvars(**{self._log_key: None, "clinic_id": None}):
                return self._answer(view, last_resort)

        # GET is taken to be refused with a sentence: the vendor follows a redirect that way and loses what was said.
        channel = self._blueprint.name
        self._blueprint.add_url_rule(
            f"/twilio/{channel}{path}",
            f"{channel}{path.replace('/', '_')}",
            endpoint,
            methods=["GET", "POST"],
            strict_slashes=False,
        )

    def _answer(self, view: Callable[[Webhook], Response], last_resort: Callable[[], Response]) -> Response:
        if request.method != "POST":
            return sentence(HTTPStatus.METHOD_NOT_ALLOWED, "Send a POST request")
        try:
            return view(read_webhook(request.environ, account=self._account, public_base_url=self._public_base_url))
        except WebhookRejected as rejected:
            _log.warning(f"{self._blueprint.name}.webhook.rejected", status=rejected.status.value, why=str(rejected))
            return sentence(rejected.status, str(rejected))
        except Exception:  # noqa: BLE001 -- an edge: even the apology failed, so nothing but fixed words is left
            _log.exception(f"{self._blueprint.name}.webhook.failed")
            return last_resort()


def xml(document: str) -> Response:
    """Return the answer the vendor acts on."""
    return Response(document, mimetype="text/xml")


def sentence(status: HTTPStatus, text: str) -> Response:
    """Return an answer for whoever reads the vendor's log."""
    response = Response(f"{text}\n", status=status, mimetype="text/plain")
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = "POST"
    return response
