"""The list of conversations: narrowed, searched, kept as views, and written out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Protocol

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from frontdesk.console.access_log import Access, log_access
from frontdesk.console.reads.conversation_list import (
    Reader,
    ids_listed,
    list_conversations,
    read_place,
    tags_of_clinic,
)
from frontdesk.console.reads.conversations import ConversationPage, read_conversations
from frontdesk.console.searches import keep_search, kept_search
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import Staff, current_staff
from frontdesk.console.views import View, remove_view, save_view, show_first, views_of
from frontdesk.console.wanted import CHOICES, Wanted, read_wanted
from frontdesk.console.words import page_words
from frontdesk.users import Role

MOST_EXPORTED = 1000
IN_ADDRESS = {"view", "found", "all", *(field.name for field in fields(Wanted))} - {"search"}
"""What an address says of the list."""
_WRITTEN_AT_ONCE = 50


@dataclass(frozen=True)
class Listing:
    """What the list under way shows, and the part of its address that says so."""

    wanted: Wanted
    address: Mapping[str, Any]
    view_id: str | None = None


def add_conversation_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/conversations` and what is done with the list."""

    @blueprint.get("/conversations")
    def conversations() -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            views = views_of(session, clinic_id=staff.clinic_id, login=staff.login)
            first = next((view for view in views if view.is_default), None)
            if first and not request.args:
                return redirect(url_for("console.conversations", view=first.id))
            listing = read_listing(views)
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
            listed = list_conversations(
                session,
                reader=reader_of(staff, country=catalogue.country),
                wanted=listing.wanted,
                after=read_place(request.args.get("after", "")),
                before=read_place(request.args.get("before", "")),
            )
            tags = tags_of_clinic(session, clinic_id=staff.clinic_id)
        return render_template(
            "console/conversations.html",
            listed=listed,
            lines=[(line, who_of(line)) for line in listed.lines],
            listing=listing,
            views=views,
            choices=CHOICES,
            tags=tags,
            practitioners=() if staff.practitioner_id is not None else catalogue.practitioners,
            may_share=_may_share(staff),
            at_end="after" in request.args or "before" in request.args,
        )

    @blueprint.post("/conversations")
    def find_conversations() -> ResponseReturnValue:
        wanted = read_wanted({**request.form, "search": request.form.get("q", "")})
        return _to(_address(wanted, found=keep_search(wanted.search) if wanted.search else None))

    @blueprint.get("/conversations/export")
    def export_conversations() -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            listing = listing_of(session, staff)
            catalogue = services.catalogues.get(session, clinic_id=staff.clinic_id)
            reader = reader_of(staff, country=catalogue.country)
            ids = ids_listed(session, reader=reader, wanted=listing.wanted, limit=MOST_EXPORTED)
        log_access(services, what=Access.EXPORT, subject_id="conversations")
        name = f"conversations-{g.dates.today.isoformat()}.jsonl"
        return attachment(_json_lines(services, staff, ids), name=name, kind="application/jsonl")

    _add_views(blueprint, services)


def _add_views(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/conversations/views")
    def keep_view() -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            listing = listing_of(session, staff)
        is_shared = "shared" in request.form and _may_share(staff)
        view_id = services.db.run(
            lambda work: save_view(
                work,
                clinic_id=staff.clinic_id,
                login=staff.login,
                name=request.form.get("name", ""),
                wanted=listing.wanted,
                is_shared=is_shared,
            )
        )
        if view_id is None:
            flash(page_words()("conversations.view_not_kept"), "problem")
            return _to(listing.address)
        flash(page_words()("conversations.view_kept"))
        return redirect(url_for("console.conversations", view=view_id))

    @blueprint.post("/conversations/views/remove")
    def drop_view() -> ResponseReturnValue:
        staff = current_staff()
        view_id = request.form.get("view", "")
        if services.db.run(
            lambda work: remove_view(work, clinic_id=staff.clinic_id, login=staff.login, view_id=view_id)
        ):
            flash(page_words()("conversations.view_removed"))
        return redirect(url_for("console.conversations", all=1))

    @blueprint.post("/conversations/views/first")
    def show_view_first() -> ResponseReturnValue:
        staff = current_staff()
        view_id = request.form.get("view") or None
        services.db.run(lambda work: show_first(work, clinic_id=staff.clinic_id, login=staff.login, view_id=view_id))
        return redirect(url_for("console.conversations", **({"view": view_id} if view_id else {"all": 1})))


def reader_of(staff: Staff, *, country: str) -> Reader:
    """Return whoever is logged in as the one who reads the list."""
    return Reader(
        login=staff.login,
        clinic_id=staff.clinic_id,
        zone=staff.zone,
        country=country,
        practitioner_id=staff.practitioner_id,
    )


def listing_of(session: Session, staff: Staff) -> Listing:
    """Return what the address of the page under way says of the list."""
    return read_listing(views_of(session, clinic_id=staff.clinic_id, login=staff.login))


def read_listing(views: Sequence[View]) -> Listing:
    """Return what the address of the page under way says of the list. A view that is gone is no view."""
    view = next((view for view in views if view.id == request.args.get("view")), None)
    if view:
        return Listing(view.wanted, {"view": view.id}, view.id)
    found = request.args.get("found", "")
    wanted = read_wanted({**request.args, "search": kept_search(found)})
    return Listing(wanted, _address(wanted, found=found if wanted.search else None))


class _WithSomebody(Protocol):
    @property
    def patient(self) -> str | None: ...

    @property
    def number(self) -> str | None: ...


def who_of(conversation: _WithSomebody) -> str:
    """Return who a conversation is with, as well as is known."""
    words = page_words()
    unknown = "conversations.unknown_caller" if conversation.number else "conversations.withheld"
    return conversation.patient or words(unknown)


def written(page: ConversationPage) -> str:
    """Return a conversation as one line of JSON."""
    return json.dumps(asdict(page), ensure_ascii=False, default=_moment)


def attachment(body: Iterator[str] | str, *, name: str, kind: str) -> Response:
    """Return an answer that a browser keeps as a file."""
    answer = Response(body, content_type=f"{kind}; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _may_share(staff: Staff) -> bool:
    return staff.role in {Role.ADMINISTRATOR, Role.FRONT_DESK}


def _json_lines(services: ConsoleServices, staff: Staff, ids: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(ids), _WRITTEN_AT_ONCE):
        with services.db.read() as session:
            pages = read_conversations(
                session,
                clinic_id=staff.clinic_id,
                practitioner_id=staff.practitioner_id,
                conversation_ids=ids[start : start + _WRITTEN_AT_ONCE],
            )
        for page in pages:
            yield f"{written(page)}\n"


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _address(wanted: Wanted, *, found: str | None) -> dict[str, Any]:
    """Return the arguments of the list's address: all of the filter but the words searched for, of which the number."""
    return {**wanted.in_address(), **({"found": found} if found else {})}


def _to(address: Mapping[str, Any]) -> ResponseReturnValue:
    # Nothing at all would be the view that they see first.
    return redirect(url_for("console.conversations", **(address or {"all": 1})))
