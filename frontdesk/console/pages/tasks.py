"""The list of what staff are asked to do."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from booking.tasks import close_task
from frontdesk.console.reads.tasks import Task, done_tasks, open_tasks, task_exists
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words


def add_task_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/tasks` and the button that finishes one."""

    @blueprint.get("/tasks")
    def tasks() -> ResponseReturnValue:
        staff = current_staff()
        with services.db.read() as session:
            waiting = open_tasks(session, clinic_id=staff.clinic_id)
            done = done_tasks(session, clinic_id=staff.clinic_id, now=g.now)
        return render_template(
            "console/tasks.html", open=[_OpenTask(task, g.dates.age(task.created_at)) for task in waiting], done=done
        )

    @blueprint.post("/tasks/<task_id>/done")
    def finish_task(task_id: str) -> ResponseReturnValue:
        staff = current_staff()
        with services.db.begin() as work:
            if not task_exists(work.session, clinic_id=staff.clinic_id, task_id=task_id):
                abort(404)
            close_task(work, clinic_id=staff.clinic_id, task_id=task_id, done_by=staff.login, now=g.now)
        flash(page_words()("tasks.was_done"))
        return redirect(url_for("console.tasks"))


@dataclass(frozen=True)
class _OpenTask:
    task: Task
    age: str
