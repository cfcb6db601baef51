"""The list of conversations, and one conversation with every Turn."""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from booking.tasks import tasks_of_conversation
from dialog.inbound import Channel
from dialog.state import Outcome
from frontdesk.console.access_log import Access, log_access
from frontdesk.console.reads.conversations import (
    OPEN,
    ConversationPage,
    Line,
    Wanted,
    list_conversations,
    read_conversation,
)
from frontdesk.console.reads.visits import visits_by_id, visits_of_conversation
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.turn_view import turn_view
from frontdesk.console.turn_words import KeyNames
from frontdesk.console.words import page_words

_OUTCOMES = (OPEN, *(outcome.value for outcome in Outcome))
_LONGEST_SEARCH = 100


def add_conversation_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/conversations` and `/conversations/<id>`."""

    @blueprint.get("/conversations")
    def conversations() -> ResponseReturnValue:
        staff = current_staff()
        wanted = _wanted()
        with services.db.read() as session:
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
            listed = list_conversations(
                session,
                clinic_id=staff.clinic_id,
                practitioner_id=staff.practitioner_id,
                country=catalogue.country,
                wanted=wanted,
                page=request.args.get("page", default=1, type=int),
            )
        return render_template(
            "console/conversations.html",
            listed=listed,
            lines=[(line, _who(line)) for line in listed.lines],
            wanted=wanted,
            outcomes=_OUTCOMES,
            channels=[channel.value for channel in Channel],
            address=lambda page: _address(wanted, page),
        )

    @blueprint.post("/conversations")
    def find_conversations() -> ResponseReturnValue:
        # What staff search for may name a patient: it travels in the cookie, never in an address that logs keep.
        cookie["search"] = request.form.get("q", "").strip()[:_LONGEST_SEARCH]
        wanted = Wanted(
            search=cookie["search"],
            outcome=_known(request.form.get("outcome"), _OUTCOMES),
            channel=_known(request.form.get("channel"), [channel.value for channel in Channel]),
        )
        return redirect(url_for("console.conversations", **_address(wanted, 1)))

    @blueprint.get("/conversations/<conversation_id>")
    def conversation(conversation_id: str) -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            page = read_conversation(
                session,
                clinic_id=staff.clinic_id,
                practitioner_id=staff.practitioner_id,
                conversation_id=conversation_id,
            )
            if page is None:
                abort(404)
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
            made = visits_of_conversation(
                session,
                clinic_id=staff.clinic_id,
                practitioner_id=staff.practitioner_id,
                conversation_id=conversation_id,
            )
            known = {visit.id for visit in made}
            changed = visits_by_id(
                session,
                clinic_id=staff.clinic_id,
                practitioner_id=staff.practitioner_id,
                appointment_ids=[each for each in _written_ids(page) if each not in known],
            )
            tasks = tasks_of_conversation(session, conversation_id=conversation_id)
        log_access(services, what=Access.CONVERSATION, subject_id=conversation_id)
        names, words = KeyNames.of(catalogue), page_words()
        return render_template(
            "console/conversation.html",
            c=page,
            who=_who(page),
            turns=[turn_view(turn, names=names, words=words) for turn in page.turns],
            appointments=[*made, *changed],
            tasks=tasks,
        )


def _wanted() -> Wanted:
    return Wanted(
        search=cookie.get("search", "") if "found" in request.args else "",
        outcome=_known(request.args.get("outcome"), _OUTCOMES),
        channel=_known(request.args.get("channel"), [channel.value for channel in Channel]),
    )


def _address(wanted: Wanted, page: int) -> dict[str, Any]:
    """Return the arguments of the list's address: all of the filter but the words searched for."""
    parts: dict[str, Any] = {"outcome": wanted.outcome, "channel": wanted.channel}
    parts["found"] = 1 if wanted.search else ""
    parts["page"] = page if page > 1 else ""
    return {name: value for name, value in parts.items() if value != ""}


def _known(value: str | None, known: tuple[str, ...] | list[str]) -> str:
    return value if value and value in known else ""


def _who(line: Line | ConversationPage) -> str:
    words = page_words()
    return line.patient or (words("conversations.unknown_caller") if line.number else words("conversations.withheld"))


def _written_ids(page: ConversationPage) -> list[str]:
    ids = [entry.get("appointment_id") for turn in page.turns for entry in turn.writes]
    return list(dict.fromkeys(each for each in ids if each))
