"""What is going on now, without reloading: the list, one conversation, and taking it over from the agent.

A small script asks for the fragments again every few seconds; without it they are pages like all others.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import TaskKind
from dialog.model import Conversation
from dialog.takeover import How, NotTextable, NotYours, TakenAlready, UnknownConversation, take_over
from frontdesk.console.access import may
from frontdesk.console.access_log import Access, log_access
from frontdesk.console.fragment import fragment
from frontdesk.console.pages.conversations import who_of
from frontdesk.console.reads.live import MOST_LISTED, LiveConversation, list_live, read_live
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.db import new_id
from kernel.errors import Refused
from kernel.work import UnitOfWork
from sms import segments
from sms.staff_texts import LONGEST_TEXT, NotSendable, give_back, write_to_patient

_MOST_TURNS = 1_000_000  # a number that a database can hold


def add_live_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/live`, `/live/<id>`, their fragments, and what the buttons of a conversation do."""
    pages = _LivePages(services)
    for rule, view in (
        ("/live", pages.live),
        ("/live/list", pages.live_list),
        ("/live/<conversation_id>", pages.live_conversation),
        ("/live/<conversation_id>/now", pages.live_now),
    ):
        blueprint.add_url_rule(rule, view.__name__, view)
    for action, view in (
        ("take", pages.take_conversation),
        ("write", pages.write_in_conversation),
        ("give-back", pages.give_conversation_back),
        ("call-back", pages.ask_for_call_back),
    ):
        blueprint.add_url_rule(f"/live/<conversation_id>/{action}", view.__name__, view, methods=["POST"])


class _LivePages:
    def __init__(self, services: ConsoleServices) -> None:
        self._services = services

    def live(self) -> ResponseReturnValue:
        return render_template("console/live.html", **self._list())

    def live_list(self) -> ResponseReturnValue:
        shown = self._list()
        ages = [g.dates.age(line.last_at) for line in shown["lines"]]
        return fragment("console/_live_list.html", version=(shown["lines"], ages), **shown)

    def live_conversation(self, conversation_id: str) -> ResponseReturnValue:
        now = self._read(conversation_id)
        log_access(self._services, what=Access.CONVERSATION, subject_id=conversation_id)
        return self._page(now)

    def live_now(self, conversation_id: str) -> ResponseReturnValue:
        after = max(0, min(request.args.get("after", default=0, type=int), _MOST_TURNS))
        now = self._read(conversation_id, after=after)
        return fragment("console/_live_now.html", version=now, **self._shown(now))

    def take_conversation(self, conversation_id: str) -> ResponseReturnValue:
        staff = current_staff()

        def take(work: UnitOfWork) -> None:
            take_over(work, clinic_id=staff.clinic_id, conversation_id=conversation_id, login=staff.login, now=g.now)

        return self._do(conversation_id, take, done="live.was_taken")

    def write_in_conversation(self, conversation_id: str) -> ResponseReturnValue:
        staff, text, key = current_staff(), request.form.get("text", ""), request.form.get("key", "")[:64]

        def write(work: UnitOfWork) -> None:
            catalogue = self._services.catalogues.get(work.session, clinic_id=staff.clinic_id)
            write_to_patient(
                work,
                catalogue,
                conversation_id=conversation_id,
                login=staff.login,
                text=text,
                key=key or new_id(),
                now=g.now,
            )

        return self._do(conversation_id, write, draft=text)

    def give_conversation_back(self, conversation_id: str) -> ResponseReturnValue:
        staff = current_staff()
        how = How.ALOUD if request.form.get("aloud") else How.SILENTLY

        def give(work: UnitOfWork) -> None:
            catalogue = self._services.catalogues.get(work.session, clinic_id=staff.clinic_id)
            give_back(work, catalogue, conversation_id=conversation_id, login=staff.login, how=how, now=g.now)

        return self._do(conversation_id, give, done="live.was_given_back")

    def ask_for_call_back(self, conversation_id: str) -> ResponseReturnValue:
        """Make it a task to call who can't be texted: somebody on a call, or with a number that takes no texts."""
        staff = current_staff()

        def ask(work: UnitOfWork) -> None:
            row = work.session.get(Conversation, conversation_id)
            if row is None or row.clinic_id != staff.clinic_id:
                raise UnknownConversation
            open_task(
                work,
                clinic_id=staff.clinic_id,
                kind=TaskKind.CALL_BACK,
                says=TaskSays.CALL_ASKED_FOR,
                details={"login": staff.login},
                now=g.now,
                conversation_id=row.id,
                patient_id=row.patient_id,
                phone=row.caller,
                subject=f"call-back:{row.id}",
            )

        return self._do(conversation_id, ask, done="live.was_asked_for")

    def _do(self, conversation_id: str, step: Any, *, done: str | None = None, draft: str = "") -> ResponseReturnValue:
        """Do what a button asks for, and show the conversation; what was written is still there if it could not be sent."""
        try:
            self._services.db.run(step)
        except UnknownConversation:
            abort(404)
        except (TakenAlready, NotTextable, NotYours, NotSendable) as refused:
            page = self._page(self._read(conversation_id), draft=draft, problem=_told(refused))
            return page, HTTPStatus.CONFLICT
        if done is not None:
            flash(page_words()(done))
        return redirect(url_for("console.live_conversation", conversation_id=conversation_id))

    def _list(self) -> dict[str, Any]:
        staff = current_staff()
        with self._services.db.read() as session:
            lines = list_live(session, clinic_id=staff.clinic_id, practitioner_id=staff.practitioner_id, now=g.now)
        waiting = [line for line in lines if line.owner is not None and line.owner.waits_since is not None]
        return {
            "lines": lines,
            "most": MOST_LISTED,
            "waiting": len(waiting),
            "who": who_of,
            "age": g.dates.age,
            "every_ms": self._services.settings.live_every_ms,
        }

    def _read(self, conversation_id: str, *, after: int = 0) -> LiveConversation:
        staff = current_staff()
        with self._services.db.read() as session:
            found = read_live(
                session,
                clinic_id=staff.clinic_id,
                practitioner_id=staff.practitioner_id,
                conversation_id=conversation_id,
                now=g.now,
                after=after,
            )
        return found or abort(404)

    def _shown(self, now: LiveConversation, *, draft: str = "") -> dict[str, Any]:
        staff = current_staff()
        return {
            "live": now,
            "is_mine": now.owner is not None and now.owner.login == staff.login,
            "may_take": may(staff.role, "take_conversation"),
            "draft": draft,
            "key": new_id(),
            "longest": LONGEST_TEXT,
            "alphabet": segments.alphabet(),
            "every_ms": self._services.settings.live_every_ms,
        }

    def _page(self, now: LiveConversation, *, draft: str = "", problem: str = "") -> str:
        return render_template(
            "console/live_conversation.html", who=who_of(now), problem=problem, **self._shown(now, draft=draft)
        )


def _told(refused: Refused) -> str:
    words = page_words()
    match refused:
        case TakenAlready():
            since = datetime.fromisoformat(refused.fields["since"])
            return words("live.taken_already", login=refused.fields["by"], since=g.dates.clock(since))
        case NotYours():
            return words("live.not_yours")
        case _:
            return words.of_code("live_why_not", refused.fields["why"])
