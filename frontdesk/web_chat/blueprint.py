"""The chat page a clinic can link to: `/chat/KEY`, the same agent as on the telephone and by text.

Whoever opens it is nobody yet: who they are is asked in the conversation, as of somebody whose number is withheld. Works
without a script; with one, answers come without loading the page again, and so do those of staff.
"""

import re
from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, g, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from booking.model.clinic import Clinic
from booking.values import Catalogue
from dialog.inbound import Channel, Inbound, InboundKind
from dialog.safety import emergency_number
from frontdesk.bootstrap import Services
from frontdesk.console.dates import DateWriter
from frontdesk.console.security import harden
from frontdesk.console.words import LANGUAGES, Words, load_words
from frontdesk.rates import seconds_to_wait
from frontdesk.web_chat.talk import Voice, read_talk, thread_key
from frontdesk.web_chat.visitor import known_visitor, new_visitor, remember
from kernel.db import new_id
from kernel.log import get_logger

PER_VISITOR, PER_ADDRESS = 20, 60  # messages a minute; an address may be that of a whole school
LOOKS_PER_VISITOR = 60  # how often a minute a page may look for news
_LONGEST = 1600  # characters, as in a text
_log = get_logger()


def web_chat_blueprint(services: Services) -> Blueprint:
    """Return the pages under `/chat`. A key that is no clinic's is not found."""
    chat = _Chat(services)
    blueprint = Blueprint("web_chat", __name__, url_prefix="/chat", template_folder="templates", static_folder="static")
    blueprint.add_url_rule("/<key>", "page", chat.page)
    blueprint.add_url_rule("/<key>", "say", chat.say, methods=["POST"])
    blueprint.add_url_rule("/<key>/talk", "talk", chat.talk)
    blueprint.after_request(harden)
    return blueprint


class _Chat:
    def __init__(self, services: Services) -> None:
        self._services = services

    def page(self, key: str) -> ResponseReturnValue:
        catalogue, words = self._clinic(key)
        return self._page(catalogue, words, known_visitor())

    def say(self, key: str) -> ResponseReturnValue:
        """Hand what was written to the dialog; the answer is in the talk that is shown next."""
        catalogue, words = self._clinic(key)
        visitor = known_visitor() or new_visitor()
        problem = self._too_often(visitor)
        text = request.form.get("text", "").replace("\0", "").strip()
        if problem is None and text:
            self._hear(catalogue, visitor, text[:_LONGEST])
        if _wants_json():
            body = jsonify(
                self._talk(catalogue, words, visitor) | ({"problem": words("web_chat.too_often")} if problem else {})
            )
            response = make_response(body, problem or HTTPStatus.OK)
        elif problem:
            response = make_response(
                self._page(catalogue, words, visitor, problem=words("web_chat.too_often")), problem
            )
        else:
            response = make_response(
                redirect(
                    url_for("web_chat.page", key=key, lang=request.args.get("lang")) + "#end", HTTPStatus.SEE_OTHER
                )
            )
        is_secure = self._services.settings.public_base_url.startswith("https://")
        remember(response, visitor, path=url_for("web_chat.page", key=key), is_secure=is_secure)
        return response

    def talk(self, key: str) -> ResponseReturnValue:
        """Return what was said as JSON; 304 while there is nothing new."""
        catalogue, words = self._clinic(key)
        visitor = known_visitor()
        if visitor is None:
            return jsonify(self._talk(catalogue, words, None))
        if self._limit(f"chat-look:{visitor}", LOOKS_PER_VISITOR):
            abort(HTTPStatus.TOO_MANY_REQUESTS)
        response = jsonify(self._talk(catalogue, words, visitor))
        response.add_etag()
        return response.make_conditional(request)

    def _clinic(self, key: str) -> tuple[Catalogue, Words]:
        g.now = self._services.clock.now()
        with self._services.db.read() as session:
            clinic_id = None if "\0" in key else session.scalar(select(Clinic.id).where(Clinic.key == key))
            if clinic_id is None:
                abort(HTTPStatus.NOT_FOUND)
            catalogue = self._services.catalogues.get(session, clinic_id=clinic_id)
        known = [language for language in catalogue.languages if language in LANGUAGES] or list(LANGUAGES)
        wanted = request.args.get("lang", "")
        language = wanted if wanted in known else request.accept_languages.best_match(known, known[0])
        g.language = language
        return catalogue, load_words(language)

    def _hear(self, catalogue: Catalogue, visitor: str, text: str) -> None:
        given = request.form.get("key", "")
        name = given if re.fullmatch("[A-Za-z0-9-]{8,64}", given) else new_id()
        inbound = Inbound(
            clinic_id=catalogue.clinic_id,
            channel=Channel.WEB,
            kind=InboundKind.SAID,
            thread_key=thread_key(visitor),
            message_key=f"web:{visitor}:{name}",
            caller=None,
            text=text,
        )
        try:
            self._services.dialog.handle_turn(inbound)
        except Exception as error:  # noqa: BLE001 -- an edge, like those of the other channels: the patient gets an apology
            _log.exception("web_chat.turn.failed")
            g.apology = self._services.dialog.apologise(inbound, error).text

    def _too_often(self, visitor: str) -> HTTPStatus | None:
        is_over = self._limit(f"chat:{visitor}", PER_VISITOR) or self._limit(
            f"chat-from:{request.remote_addr}", PER_ADDRESS
        )
        return HTTPStatus.TOO_MANY_REQUESTS if is_over else None

    def _limit(self, name: str, per_minute: int) -> bool:
        return seconds_to_wait(self._services.redis, name=name, per_minute=per_minute, now=g.now) is not None

    def _talk(self, catalogue: Catalogue, words: Words, visitor: str | None) -> dict[str, Any]:
        found = []
        if visitor is not None:
            with self._services.db.read() as session:
                found = read_talk(session, clinic_id=catalogue.clinic_id, visitor=visitor)
        dates = DateWriter(words, zone=catalogue.zone, now=g.now)
        talk = [
            {
                "id": f"{one.turn}-{one.voice}",
                "voice": one.voice.value,
                "who": words.of_code("web_chat_voice", one.voice),
                "at": dates.moment(one.at),
                "text": words.of_code("web_chat_news", one.text) if one.voice is Voice.NEWS else one.text,
            }
            for one in found
        ]
        if "apology" in g:
            voice = Voice.AGENT
            talk.append(
                {"id": new_id(), "voice": voice.value, "who": words.of_code("web_chat_voice", voice), "at": dates.moment(g.now), "text": g.apology}
            )  # fmt: skip
        return {"talk": talk}

    def _page(self, catalogue: Catalogue, words: Words, visitor: str | None, *, problem: str = "") -> str:
        return render_template(
            "web_chat/chat.html",
            t=words,
            lang=g.language,
            clinic=catalogue,
            emergency=emergency_number(catalogue.country),
            talk=self._talk(catalogue, words, visitor)["talk"],
            message_key=new_id(),
            problem=problem,
        )


def _wants_json() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
