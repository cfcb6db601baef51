"""The ways through the console: one table. Whoever may not open a page is not shown the way to it."""

from dataclasses import dataclass

from flask import request, url_for

from frontdesk.console.access import may
from frontdesk.console.staff import Staff
from frontdesk.console.words import page_words


@dataclass(frozen=True)
class Way:
    """An entry of the navigation: its word is `app.<key>`; `pages` are the endpoints that belong to it."""

    key: str
    pages: tuple[str, ...]

    @property
    def start(self) -> str:
        return self.pages[0]


@dataclass(frozen=True)
class Entry:
    label: str
    href: str
    is_here: bool
    count: int


WAYS = (
    Way("conversations", ("conversations", "conversation")),
    Way("diary", ("diary", "appointment")),
    Way("tasks", ("tasks",)),
    Way(
        "calendars",
        (
            "calendars", "calendar", "calendar_log_in", "choose_calendars", "change_calendar", "calendar_services",
            "leave_calendar", "new_webhook_secret", "make_practitioner_feed",
        ),
    ),
)  # fmt: skip


def entries(staff: Staff, *, has_simulator: bool) -> list[Entry]:
    """Return what this person may open, in order, with the number of things that wait for somebody there."""
    here = (request.endpoint or "").removeprefix("console.")
    found = [
        Entry(
            label=page_words()(f"app.{way.key}"),
            href=url_for(f"console.{way.start}"),
            is_here=here in way.pages,
            count=staff.open_tasks if way.key == "tasks" else 0,
        )
        for way in WAYS
        if may(staff.role, way.start)
    ]
    if has_simulator and staff.is_administrator:
        simulator = Entry(
            page_words()("app.simulator"), url_for("simulator.page"), is_here=request.blueprint == "simulator", count=0
        )
        found.append(simulator)
    return found
