"""One conversation with every Turn: read, written out, reviewed, noted on, tagged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.tasks import TaskInfo, tasks_of_conversation
from booking.values import Catalogue
from dialog import review
from frontdesk.console.access_log import Access, log_access, note_access
from frontdesk.console.evidence import appointment_ids, evidence_of
from frontdesk.console.pages.conversations import (
    IN_ADDRESS,
    Listing,
    attachment,
    listing_of,
    reader_of,
    who_of,
    written,
)
from frontdesk.console.reads.conversation_list import Place, neighbours, tags_of_clinic
from frontdesk.console.reads.conversations import ConversationPage, is_theirs, read_conversation
from frontdesk.console.reads.recordings import RecordedCall, recorded_calls
from frontdesk.console.reads.visits import Visit, visits_by_id, visits_of_conversation
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import Staff, current_staff
from frontdesk.console.transcript_text import transcript_text
from frontdesk.console.turn_view import TurnView, turn_view
from frontdesk.console.turn_words import KeyNames
from frontdesk.console.words import page_words
from kernel.work import UnitOfWork


def add_transcript_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/conversations/<id>` and what staff do with it."""

    @blueprint.get("/conversations/<conversation_id>")
    def conversation(conversation_id: str) -> ResponseReturnValue:
        read = _read(services, current_staff(), conversation_id)
        if read is None:
            abort(404)
        services.db.run(lambda work: _note_reading(work, conversation_id))
        page = read.page
        return render_template(
            "console/conversation.html",
            c=page,
            who=who_of(page),
            turns=_turn_views(page, read.catalogue, visits=read.visits),
            appointments=read.led_to,
            tasks=read.tasks,
            recorded_calls=read.recorded_calls,
            tags=[tag for tag in read.tags if tag not in page.tags],
            listing=read.listing,
            newer=read.newer,
            older=read.older,
            visit_ids={visit.id for visit in read.visits},
        )

    @blueprint.get("/conversations/<conversation_id>/export")
    def export_conversation(conversation_id: str) -> ResponseReturnValue:
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
        log_access(services, what=Access.EXPORT, subject_id=conversation_id)
        name = f"conversation-{page.started_at.astimezone(staff.zone):%Y-%m-%d-%H%M}"
        if request.args.get("as") == "json":
            return attachment(written(page), name=f"{name}.json", kind="application/json")
        text = transcript_text(page, _turn_views(page, catalogue), who=who_of(page), words=page_words(), dates=g.dates)
        return attachment(text, name=f"{name}.txt", kind="text/plain")

    _add_review(blueprint, services)
    _add_notes_and_tags(blueprint, services)


@dataclass(frozen=True)
class _Read:
    """What the page of a conversation shows. `led_to`: those of the `visits` that it made or changed."""

    page: ConversationPage
    catalogue: Catalogue
    visits: Sequence[Visit]
    led_to: Sequence[Visit]
    tasks: Sequence[TaskInfo]
    recorded_calls: Sequence[RecordedCall]
    tags: Sequence[str]
    listing: Listing
    newer: str | None
    older: str | None


def _read(services: ConsoleServices, staff: Staff, conversation_id: str) -> _Read | None:
    clinic_id, practitioner_id = staff.clinic_id, staff.practitioner_id
    with services.db.read() as session:
        page = read_conversation(
            session, clinic_id=clinic_id, practitioner_id=practitioner_id, conversation_id=conversation_id
        )
        if page is None:
            return None
        catalogue = services.catalogues.get(session, clinic_id=clinic_id)
        made = visits_of_conversation(
            session, clinic_id=clinic_id, practitioner_id=practitioner_id, conversation_id=conversation_id
        )
        made_ids = {visit.id for visit in made}
        named = visits_by_id(
            session,
            clinic_id=clinic_id,
            practitioner_id=practitioner_id,
            appointment_ids=[each for each in appointment_ids(page.turns) if each not in made_ids],
        )
        written_ids = {entry.get("appointment_id") for turn in page.turns for entry in turn.writes}
        listing = listing_of(session, staff)
        newer, older = neighbours(
            session,
            reader=reader_of(staff, country=catalogue.country),
            wanted=listing.wanted,
            of=Place(page.last_at, page.id),
        )
        return _Read(
            page=page,
            catalogue=catalogue,
            visits=[*made, *named],
            led_to=[*made, *(visit for visit in named if visit.id in written_ids and not visit.was_only_held)],
            tasks=tasks_of_conversation(session, conversation_id=conversation_id, language=g.language),
            recorded_calls=recorded_calls(session, clinic_id=clinic_id, conversation_id=conversation_id),
            tags=tags_of_clinic(session, clinic_id=clinic_id),
            listing=listing,
            newer=newer,
            older=older,
        )


def _add_review(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/conversations/<conversation_id>/review")
    def review_conversation(conversation_id: str) -> ResponseReturnValue:
        login, seen = current_staff().login, _moment(request.form.get("seen", "")) or g.now
        return _done(
            services,
            conversation_id,
            lambda work: review.mark_reviewed(work, conversation_id=conversation_id, login=login, seen=seen, now=g.now),
        )

    @blueprint.post("/conversations/<conversation_id>/ask-review")
    def ask_review(conversation_id: str) -> ResponseReturnValue:
        return _done(
            services, conversation_id, lambda work: review.ask_for_review(work, conversation_id=conversation_id)
        )

    @blueprint.post("/conversations/<conversation_id>/unread")
    def leave_unread(conversation_id: str) -> ResponseReturnValue:
        login = current_staff().login
        _change(
            services,
            conversation_id,
            lambda work: review.forget_reading(work, conversation_id=conversation_id, login=login),
        )
        flash(page_words()("conversation.left_unread"))
        return redirect(url_for("console.conversations", **_same_list()))


def _add_notes_and_tags(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/conversations/<conversation_id>/notes")
    def note_conversation(conversation_id: str) -> ResponseReturnValue:
        text, actor = request.form.get("text", ""), _actor()
        return _done(
            services,
            conversation_id,
            lambda work: review.add_note(work, conversation_id=conversation_id, text=text, actor=actor, now=g.now),
        )

    @blueprint.post("/conversations/<conversation_id>/notes/<int:note_id>/remove")
    def remove_conversation_note(conversation_id: str, note_id: int) -> ResponseReturnValue:
        actor = _actor()
        return _done(
            services,
            conversation_id,
            lambda work: review.remove_note(work, conversation_id=conversation_id, note_id=note_id, actor=actor),
        )

    @blueprint.post("/conversations/<conversation_id>/tags")
    def tag_conversation(conversation_id: str) -> ResponseReturnValue:
        clinic_id, tags = current_staff().clinic_id, review.read_tags(request.form.get("tags", ""))
        return _done(
            services,
            conversation_id,
            lambda work: review.add_tags(work, clinic_id=clinic_id, conversation_id=conversation_id, tags=tags),
        )

    @blueprint.post("/conversations/<conversation_id>/tags/remove")
    def untag_conversation(conversation_id: str) -> ResponseReturnValue:
        tag = request.form.get("tag", "")
        return _done(
            services, conversation_id, lambda work: review.remove_tag(work, conversation_id=conversation_id, tag=tag)
        )


def _done(services: ConsoleServices, conversation_id: str, step: Callable[[UnitOfWork], object]) -> ResponseReturnValue:
    """Do `step` to a conversation that whoever asks may see, and show it again."""
    _change(services, conversation_id, step)
    return redirect(url_for("console.conversation", conversation_id=conversation_id, _anchor="about", **_same_list()))


def _change(services: ConsoleServices, conversation_id: str, step: Callable[[UnitOfWork], object]) -> None:
    staff = current_staff()

    def change(work: UnitOfWork) -> bool:
        is_known = is_theirs(
            work.session,
            clinic_id=staff.clinic_id,
            practitioner_id=staff.practitioner_id,
            conversation_id=conversation_id,
        )
        if is_known:
            step(work)
        return is_known

    if not services.db.run(change):
        abort(404)


def _note_reading(work: UnitOfWork, conversation_id: str) -> None:
    note_access(work, what=Access.CONVERSATION, subject_id=conversation_id)
    review.note_reading(work, conversation_id=conversation_id, login=current_staff().login, now=g.now)


def _turn_views(page: ConversationPage, catalogue: Catalogue, *, visits: Sequence[Visit] = ()) -> list[TurnView]:
    names, words = KeyNames.of(catalogue), page_words()
    known = {visit.id: visit for visit in visits}
    evidence = evidence_of(page.turns, catalogue=catalogue, visits=known, words=words, dates=g.dates)
    return [
        turn_view(turn, names=names, words=words, evidence=found)
        for turn, found in zip(page.turns, evidence, strict=True)
    ]


def _actor() -> str:
    return f"staff:{current_staff().login}"


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _same_list() -> dict[str, Any]:
    """Return the part of the address that says from which list somebody came."""
    return {name: value for name, value in request.args.items() if name in IN_ADDRESS}
