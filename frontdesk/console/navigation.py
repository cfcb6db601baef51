"""The ways through the console: one table. Whoever may not open a page is not shown the way to it."""

from dataclasses import dataclass

from flask import request, url_for

from frontdesk.console.access import may
from frontdesk.console.reads.notices import Pending
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


# How many entries stand in a phone's bar, and in the row of a wide screen. The others are in the menu behind them.
IN_REACH, IN_ROW = 4, 7


@dataclass(frozen=True)
class Mark:
    """A number beside an entry. `words` say what it counts; one that `presses` should be seen to soon."""

    number: int
    words: str
    presses: bool

    @property
    def shown(self) -> str:
        return str(self.number) if self.number < 100 else "99+"


@dataclass(frozen=True)
class Entry:
    """`place`: `in-reach` on every screen, `in-row` on a wide one and else in the menu, `in-menu` always there."""

    key: str
    label: str
    href: str
    is_here: bool
    mark: Mark | None
    place: str


WAYS = (
    Way("conversations", ("conversations", "conversation")),
    Way("live", ("live", "live_conversation")),
    Way(
        "diary",
        (
            "diary", "diary_week", "diary_rooms", "appointment", "other_times", "move_appointment", "new_appointment",
            "book_appointment", "absences", "absence_report",
        ),
    ),
    Way("tasks", ("tasks", "booking_request")),
    Way("insight", ("insight",)),
    Way("patients", ("patients", "patient", "new_patient", "edit_patient", "merging", "erasing")),
    Way(
        "calendars",
        (
            "calendars", "calendar", "calendar_log_in", "choose_calendars", "change_calendar", "calendar_services",
            "leave_calendar", "new_webhook_secret", "make_practitioner_feed",
        ),
    ),
    Way("messages", ("sent_messages", "message_wording")),
    Way(
        "corrections",
        ("corrections", "correction", "new_correction", "edit_correction", "replays", "replay_conversation"),
    ),
    Way("set_up", ("set_up", "set_up_part", "clinic_file", "test_call")),
    Way("own_hours", ("own_hours",)),
    Way("staff", ("staff_accounts", "staff_account", "add_account", "make_password_link")),
    Way("access_log", ("access_log",)),
)  # fmt: skip


def entries(staff: Staff, pending: Pending, *, has_simulator: bool) -> list[Entry]:
    """Return what this person may open, in order, with what waits there."""
    here = (request.endpoint or "").removeprefix("console.")
    open_ways = [way for way in WAYS if may(staff.role, way.start)]
    found = [
        Entry(
            key=way.key,
            label=page_words()(f"app.{way.key}"),
            href=url_for(f"console.{way.start}"),
            is_here=here in way.pages,
            mark=_mark(way.key, pending),
            place=_place(rank),
        )
        for rank, way in enumerate(open_ways)
    ]
    if has_simulator and staff.is_administrator:
        found.append(
            Entry(
                key="simulator",
                label=page_words()("app.simulator"),
                href=url_for("simulator.page"),
                is_here=request.blueprint == "simulator",
                mark=None,
                place=_place(len(found)),
            )
        )
    return found


def _mark(key: str, pending: Pending) -> Mark | None:
    count = page_words().count
    if key == "live" and pending.waiting:
        return Mark(pending.waiting, count("live.waiting", pending.waiting), presses=True)
    if key == "live" and pending.live:
        return Mark(pending.live, count("live.count", pending.live), presses=False)
    if key == "tasks" and pending.tasks:
        late = [count("notices.tasks_overdue", pending.overdue)] if pending.overdue else []
        return Mark(pending.tasks, ", ".join([count("notices.tasks_open", pending.tasks), *late]), presses=bool(late))
    return None


def _place(rank: int) -> str:
    if rank < IN_REACH:
        return "in-reach"
    return "in-row" if rank < IN_ROW else "in-menu"
