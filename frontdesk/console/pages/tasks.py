"""The queues of what staff are asked to do: taken, given to a colleague, noted on, done, and opened again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.numbers import given_up, note_reached
from booking.outgoing_mail import NoLongerHolds, failed_mails, send_mail_again
from booking.task_words import word
from booking.tasks import (
    TaskDone,
    TaskTaken,
    UnknownTask,
    hand_task,
    message_of_undelivered,
    note_on_task,
    reopen_task,
)
from booking.values import TaskKind
from calendar_sync.invitation_mail import INVITATIONS
from frontdesk.console import queues
from frontdesk.console.access import may
from frontdesk.console.reads.staff_names import logins_who
from frontdesk.console.reads.tasks import (
    MOST_DONE,
    Note,
    Reach,
    Task,
    Wanted,
    done_tasks,
    notes_of_tasks,
    open_by_kind,
    open_tasks,
    reach_of_task,
    task_exists,
)
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from frontdesk.users import Role
from jobs.parked import Parked, close_with_work, parked_work, replay_parked
from kernel.phone import readable
from kernel.work import UnitOfWork
from sms.again import failed_messages, send_again

MINE, UNOWNED = "mine", "unowned"
_LONGEST = 1000  # of a note, in letters


def add_task_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/tasks` and its buttons."""
    _add_queues(blueprint, services)
    _add_owners(blueprint, services)
    _add_endings(blueprint, services)
    _add_replays(blueprint, services)
    _add_deliveries(blueprint, services)


def _add_queues(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.get("/tasks")
    def tasks() -> ResponseReturnValue:
        staff = current_staff()
        filters = _filters(request.args)
        with services.db.read() as session:
            page = _read(session, filters)
            if filters["first"] and not page.lines:
                return redirect(_page_of({**filters, "first": ""}))  # all that was there is done
            done = done_tasks(session, clinic_id=staff.clinic_id, language=g.language, now=g.now)
        stuck = {line.parked.subscriber for line in page.lines if line.parked}
        return render_template(
            "console/tasks.html",
            stuck=[(one, word("job", one, language=g.language)) for one in sorted(stuck)],
            open=page.lines,
            counts=page.counts,
            total=sum(page.counts.values()),
            queues=queues.QUEUES,
            colleagues=page.colleagues,
            done=done,
            most_done=MOST_DONE,
            filters=filters,
            next_id=page.next_id,
            address=lambda **other: _page_of({**filters, "first": "", **other}),
        )


def _add_owners(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/tasks/<task_id>/take")
    def take_task(task_id: str) -> ResponseReturnValue:
        return _hand(services, task_id, owner=current_staff().login)

    @blueprint.post("/tasks/<task_id>/release")
    def release_task(task_id: str) -> ResponseReturnValue:
        return _hand(services, task_id, owner=None)

    @blueprint.post("/tasks/<task_id>/give")
    def give_task(task_id: str) -> ResponseReturnValue:
        owner = request.form.get("to", "")
        with services.db.read() as session:
            if owner not in _colleagues(session):
                abort(404)
        return _hand(services, task_id, owner=owner)

    @blueprint.post("/tasks/<task_id>/note")
    def note_task(task_id: str) -> ResponseReturnValue:
        staff, text = current_staff(), _text("text")
        if not text:
            flash(page_words()("tasks.note_empty"), "problem")
            return _back(task_id)

        def write(work: UnitOfWork) -> None:
            note_on_task(work, clinic_id=staff.clinic_id, task_id=task_id, text=text, now=g.now, actor=staff.login)

        return _change(services, task_id, write)


def _add_endings(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/tasks/<task_id>/done")
    def finish_task(task_id: str) -> ResponseReturnValue:
        staff, outcome = current_staff(), _text("outcome") or None

        def finish(work: UnitOfWork) -> None:
            _must_exist(work.session, task_id)
            if not close_with_work(
                work, clinic_id=staff.clinic_id, task_id=task_id, outcome=outcome, now=g.now, done_by=staff.login
            ):
                raise TaskDone(by="")

        return _change(services, task_id, finish, said=page_words()("tasks.was_done"))

    @blueprint.post("/tasks/<task_id>/reopen", endpoint="reopen_task")
    def reopen(task_id: str) -> ResponseReturnValue:
        staff = current_staff()

        def step(work: UnitOfWork) -> None:
            reopen_task(work, clinic_id=staff.clinic_id, task_id=task_id, now=g.now, actor=staff.login)

        return _change(services, task_id, step, said=page_words()("tasks.was_reopened"))


def _add_replays(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/tasks/<task_id>/replay")
    def replay_job(task_id: str) -> ResponseReturnValue:
        def step(work: UnitOfWork) -> int:
            _must_exist(work.session, task_id)
            return _replay(work, [task_id])

        return _replayed(services.db.run(step))

    @blueprint.post("/tasks/replay-all")
    def replay_jobs() -> ResponseReturnValue:
        subscriber, staff = request.form.get("subscriber"), current_staff()

        def step(work: UnitOfWork) -> int:
            parked = parked_work(work.session, clinic_id=staff.clinic_id)
            return _replay(work, [one.task_id for one in parked if subscriber in {None, "", one.subscriber}])

        return _replayed(services.db.run(step))


def _add_deliveries(blueprint: Blueprint, services: ConsoleServices) -> None:
    @blueprint.post("/tasks/<task_id>/send-again")
    def send_undelivered_again(task_id: str) -> ResponseReturnValue:
        def step(work: UnitOfWork) -> bool:
            message = message_of_undelivered(_reach(work.session, task_id).subject)
            return message is not None and _send_again(work, message)

        words = page_words()
        try:
            if services.db.run(step):
                flash(words("tasks.message_waits"))
            else:
                flash(words("tasks.nothing_to_send"), "problem")
        except NoLongerHolds:
            flash(words("tasks.no_longer_holds"), "problem")
            return _back(task_id)
        return _back()

    @blueprint.post("/tasks/<task_id>/number-works")
    def trust_number(task_id: str) -> ResponseReturnValue:
        clinic_id = current_staff().clinic_id

        def step(work: UnitOfWork) -> str:
            phone = _reach(work.session, task_id).phone
            if phone is None:
                abort(404)
            note_reached(work, clinic_id=clinic_id, phone=phone)
            return phone

        flash(page_words()("tasks.number_trusted", number=readable(services.db.run(step))))
        return _back(task_id)


@dataclass(frozen=True)
class _OpenTask:
    task: Task
    age: str
    is_overdue: bool
    notes: list[Note]
    parked: Parked | None
    may_go_again: bool  # the text or mail that it is about
    is_number_given_up: bool


@dataclass(frozen=True)
class _Page:
    lines: list[_OpenTask]
    counts: dict[str, int]
    colleagues: list[str]
    next_id: str | None


def _read(session: Session, filters: dict[str, str]) -> _Page:
    staff = current_staff()
    queue = queues.BY_KEY.get(filters["queue"])
    wanted = Wanted(
        kinds=tuple(kind.value for kind in queue.kinds) if queue else (),
        owner={MINE: staff.login, UNOWNED: ""}.get(filters["whose"]),
        first_id=filters["first"] or None,
    )
    page = open_tasks(session, clinic_id=staff.clinic_id, language=g.language, wanted=wanted)
    waiting = page.tasks
    notes = notes_of_tasks(session, task_ids=[task.id for task in waiting])
    parked = {one.task_id: one for one in parked_work(session, clinic_id=staff.clinic_id)}
    failed = _failed(session, waiting)
    unreached = {task.phone for task in waiting if task.phone and task.kind == TaskKind.UNDELIVERED}
    numbers = given_up(session, clinic_id=staff.clinic_id, phones=unreached)
    return _Page(
        lines=[
            _OpenTask(
                task=task,
                age=g.dates.age(task.created_at),
                is_overdue=queues.is_overdue(task.kind, created_at=task.created_at, now=g.now),
                notes=notes.get(task.id, []),
                parked=parked.get(task.id),
                may_go_again=message_of_undelivered(task.subject) in failed,
                is_number_given_up=task.kind == TaskKind.UNDELIVERED and task.phone in numbers,
            )
            for task in waiting
        ],
        counts=queues.counts_by_queue(open_by_kind(session, clinic_id=staff.clinic_id)),
        colleagues=_colleagues(session),
        next_id=page.next_id,
    )


def _colleagues(session: Session) -> list[str]:
    """Return who can do something about a task."""
    roles = [role for role in Role if may(role, "finish_task")]
    return logins_who(session, clinic_id=current_staff().clinic_id, roles=roles)


def _failed(session: Session, tasks: Sequence[Task]) -> set[str]:
    """Return which texts and mails these tasks are about have failed and wait for nobody but staff."""
    clinic_id = current_staff().clinic_id
    ids = [message for task in tasks if (message := message_of_undelivered(task.subject)) is not None]
    mails = failed_mails(session, INVITATIONS, clinic_id=clinic_id, ids=ids)
    return mails | failed_messages(session, clinic_id=clinic_id, ids=ids)


def _send_again(work: UnitOfWork, message_id: str) -> bool:
    staff = current_staff()
    which = {"clinic_id": staff.clinic_id, "now": g.now, "done_by": staff.login}
    return send_again(work, message_id=message_id, **which) or send_mail_again(
        work, INVITATIONS, mail_id=message_id, **which
    )


def _hand(services: ConsoleServices, task_id: str, *, owner: str | None) -> ResponseReturnValue:
    staff, seen = current_staff(), request.form.get("owner") or None

    def hand(work: UnitOfWork) -> None:
        hand_task(work, clinic_id=staff.clinic_id, task_id=task_id, seen_owner=seen, owner=owner, now=g.now)

    return _change(services, task_id, hand)


def _change(services: ConsoleServices, task_id: str, step: Any, *, said: str | None = None) -> ResponseReturnValue:
    """Run a step that may meet somebody who was faster, and say so."""
    words = page_words()
    try:
        services.db.run(step)
    except UnknownTask:
        abort(404)
    except TaskDone:
        flash(words("tasks.done_meanwhile"), "problem")
    except TaskTaken as taken:
        by = taken.fields["by"]
        flash(words("tasks.taken_by", login=by) if by else words("tasks.given_up"), "problem")
    else:
        if said:
            flash(said)
    return _back(task_id)


def _replay(work: UnitOfWork, task_ids: Sequence[str]) -> int:
    staff = current_staff()
    return replay_parked(work, clinic_id=staff.clinic_id, task_ids=task_ids, now=g.now, done_by=staff.login)


def _replayed(number: int) -> ResponseReturnValue:
    words = page_words()
    if number:
        flash(words.count("tasks.replayed", number))
    else:
        flash(words("tasks.nothing_parked"), "problem")
    return _back()


def _reach(session: Session, task_id: str) -> Reach:
    found = reach_of_task(session, clinic_id=current_staff().clinic_id, task_id=task_id)
    if found is None:
        abort(404)
    return found


def _must_exist(session: Session, task_id: str) -> None:
    if not task_exists(session, clinic_id=current_staff().clinic_id, task_id=task_id):
        abort(404)


def _text(field: str) -> str:
    return request.form.get(field, "").strip()[:_LONGEST]


def _filters(given: Any) -> dict[str, str]:
    """Return what the list is narrowed to, of what there is, and from which task on it is shown."""
    queue, whose = given.get("queue", ""), given.get("whose", "")
    return {
        "queue": queue if queue in queues.BY_KEY else "",
        "whose": whose if whose in {MINE, UNOWNED} else "",
        "first": given.get("first", ""),
    }


def _page_of(filters: dict[str, str], *, anchor: str | None = None) -> str:
    asked: dict[str, Any] = {name: value for name, value in filters.items() if value}
    return url_for("console.tasks", _anchor=anchor, **asked)


def _back(task_id: str | None = None) -> ResponseReturnValue:
    return redirect(_page_of(_filters(request.form), anchor=None if task_id is None else f"task-{task_id}"))
