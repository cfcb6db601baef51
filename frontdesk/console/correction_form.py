"""The form in which staff say what was meant: as it is sent, as it is filled in, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from werkzeug.datastructures import MultiDict

from booking.values import Catalogue
from dialog.state import Outcome
from frontdesk.console.words import page_words
from frontdesk.replay.corrections import Meaning

COMMANDS = (
    "start_booking",
    "start_reschedule",
    "start_cancel",
    "confirm_visit",
    "ask_appointments",
    "ask_availability",
    "join_waitlist",
    "running_late",
    "ask_clinic",
    "ask_human",
    "leave_message",
    "give_service",
    "give_practitioner",
    "any_practitioner",
    "give_location",
    "give_time",
    "give_name",
    "give_birth_date",
    "give_email",
    "book_for",
    "affirm",
    "deny",
    "choose",
    "more_options",
    "emergency",
    "out_of_scope",
)
"""What staff can say should have been understood."""
ONE, NOTHING = "one", "nothing"
"""Kinds of what should have been written: one visit, or nothing; empty says nothing about it."""
_LONGEST = 1000
_FIELDS = ("meant", "note", "outcome", "written", "service", "practitioner", "start", "status")
_STATUSES = ("booked", "cancelled", "pending")


@dataclass(frozen=True)
class CorrectionForm:
    meant: str = ""
    note: str = ""
    commands: tuple[str, ...] = ()
    outcome: str = ""
    written: str = ""
    service: str = ""
    practitioner: str = ""
    start: str = ""
    status: str = "booked"

    @classmethod
    def sent(cls, form: "MultiDict[str, str]") -> "CorrectionForm":
        """Read what somebody sent; what no form offers is left out."""
        values = {name: form.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
        values["outcome"] = values["outcome"] if values["outcome"] in set(Outcome) else ""
        values["written"] = values["written"] if values["written"] in {ONE, NOTHING} else ""
        values["status"] = values["status"] if values["status"] in _STATUSES else _STATUSES[0]
        chosen = form.getlist("commands")
        return cls(commands=tuple(name for name in COMMANDS if name in chosen), **values)

    @classmethod
    def of(cls, meaning: Meaning) -> "CorrectionForm":
        """Fill the form in with what was said before."""
        visit: Mapping[str, str] = meaning.visit or {}
        return cls(
            meant=meaning.meant,
            note=meaning.note,
            commands=meaning.commands,
            outcome=meaning.outcome or "",
            written="" if meaning.visit is None else ONE if visit else NOTHING,
            service=visit.get("service", ""),
            practitioner=visit.get("practitioner", ""),
            start=visit.get("start", ""),
            status=visit.get("status", _STATUSES[0]),
        )

    def problem(self, catalogue: Catalogue) -> str | None:
        """Say what is wrong with it, in the words of the page; None if nothing is."""
        words = page_words()
        if not self.meant:
            return words("corrections.meant_missing")
        if self.written == ONE:
            if self.service not in {one.key for one in catalogue.services}:
                return words("corrections.service_missing")
            if self.practitioner and self.practitioner not in {one.key for one in catalogue.practitioners}:
                return words("corrections.service_missing")
            if self.start and not _is_wall_time(self.start):
                return words("corrections.start_unreadable")
        return None if self.meaning().is_case else words("corrections.nothing_expected")

    def meaning(self) -> Meaning:
        return Meaning(
            meant=self.meant,
            note=self.note,
            commands=self.commands,
            outcome=self.outcome or None,
            visit={ONE: self._visit(), NOTHING: {}}.get(self.written),
        )

    def _visit(self) -> dict[str, str]:
        found = {name: getattr(self, name) for name in ("service", "practitioner", "start", "status")}
        return {name: value for name, value in found.items() if value}


def _is_wall_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False
