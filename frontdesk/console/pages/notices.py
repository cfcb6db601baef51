"""What staff hear of without reloading, on whichever page they are: urgent tasks, patients who wait, changes of their own day.

The page's script asks again every few seconds and tells each of them once. Whoever can do nothing about it hears nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Blueprint, g, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from frontdesk.console.access import may
from frontdesk.console.fragment import fragment
from frontdesk.console.guard import ways_on
from frontdesk.console.reads.notices import changed_visits, urgent_tasks, waiting_patients
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import Staff, current_staff
from frontdesk.console.words import page_words


@dataclass(frozen=True)
class Notice:
    """One piece of news. `key` stays the same as long as it is the same; `look` is how much it presses."""

    key: str
    look: str
    words: str
    href: str


def add_notices(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/notices`, a part of every page."""

    @blueprint.get("/notices")
    def notices() -> ResponseReturnValue:
        with services.db.read() as session:
            news = _news(session, current_staff())
        ways = ways_on(services)
        marks = [(way.key, way.mark) for way in ways]
        return fragment("console/_notices.html", version=(marks, news), ways=ways, notices=news)


def _news(session: Session, staff: Staff) -> Sequence[Notice]:
    if staff.practitioner_id is not None:
        return list(_of_own_day(session, staff, staff.practitioner_id))
    return [*_tasks(session, staff), *_waiting(session, staff)]


def _tasks(session: Session, staff: Staff) -> Iterator[Notice]:
    words = page_words()
    for task in urgent_tasks(session, clinic_id=staff.clinic_id, now=g.now) if may(staff.role, "take_task") else ():
        told = words(
            "notices.task", kind=words.of_code("task", task.kind), at=g.dates.clock(task.at), who=_who(task.patient)
        )
        href = url_for("console.tasks", first=task.id, _anchor=f"task-{task.id}")
        yield Notice(f"task-{task.id}", "problem", told, href)


def _waiting(session: Session, staff: Staff) -> Iterator[Notice]:
    if not may(staff.role, "write_in_conversation"):
        return
    for one in waiting_patients(session, clinic_id=staff.clinic_id, now=g.now):
        key = "notices.waiting_for_you" if one.login == staff.login else "notices.waiting"
        told = page_words()(key, who=_who(one.patient), at=g.dates.clock(one.since), login=one.login)
        href = url_for("console.live_conversation", conversation_id=one.conversation_id)
        yield Notice(f"waiting-{one.conversation_id}-{one.since.timestamp():.0f}", "warning", told, href)


def _of_own_day(session: Session, staff: Staff, practitioner_id: str) -> Iterator[Notice]:
    words = page_words()
    for one in changed_visits(
        session,
        clinic_id=staff.clinic_id,
        practitioner_id=practitioner_id,
        actor=f"staff:{staff.login}",
        now=g.now,
    ):
        told = words(
            "notices.visit",
            what=words.of_code("change", one.what),
            who=_who(one.patient),
            at=g.dates.day_and_time(one.starts_local),
        )
        href = url_for("console.appointment", appointment_id=one.appointment_id)
        yield Notice(f"change-{one.change_id}", "notice", told, href)


def _who(patient: str | None) -> str:
    return patient or page_words()("notices.nobody_named")
