"""What of a clinic file is filled in on which form: one table of fields, each of a kind that a page knows how to ask for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from booking.values import MailUse, Mode, Offering, Outside, PatientInFeed, PriorVisit, WhenFailed


class Kind(StrEnum):
    """How a field is asked for, and so what becomes of what is filled in."""

    LINE = "line"
    TEXT = "text"
    PAIR = "pair"  # two numbers with a comma between
    DAY = "day"
    FLAG = "flag"
    YES_NO = "yes-no"  # or neither: then it follows something else
    CHOICE = "choice"  # one of `codes`
    LINES = "lines"  # one a line
    TIMES = "times"  # spans of the day with commas between
    HOURS = "hours"  # the times of each weekday
    ONE_OF = "one-of"  # a key of the group `of`
    SOME_OF = "some-of"  # any keys of the group `of`
    PART = "part"  # the fields of `parts`
    PARTS = "parts"  # any number of times the fields of `parts`


@dataclass(frozen=True)
class Field:
    """A field of a form, named as in the clinic file.

    `is_on`: what a flag is where the file says nothing. `may_be_none`: lines left empty mean none, and not the default.
    """

    name: str
    kind: Kind = Kind.LINE
    codes: tuple[str, ...] = ()
    of: str = ""
    parts: tuple["Field", ...] = ()
    is_on: bool = False
    may_be_none: bool = False


def _several(kind: Kind, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, kind) for name in names)


def _choice(name: str, codes: Iterable[str]) -> Field:
    return Field(name, Kind.CHOICE, codes=tuple(map(str, codes)))


_OPENED = (*_several(Kind.TIMES, "open", "closed"),)
_DATED = Field("dated", Kind.PARTS, parts=(Field("day", Kind.DAY), *_OPENED))


def _rules(flag: Kind) -> tuple[Field, ...]:
    return (
        *_several(Kind.LINE, "minimum_notice", "maximum_advance", "step", "hold", "cancel_notice", "max_moves"),
        *_several(Kind.LINE, "max_per_patient_per_day", "max_per_practitioner_per_day", "fairness_window"),
        Field("answer_within"),
        Field("records_arrival", flag),
        _choice("waitlist", Offering),
        *_several(Kind.LINE, "offer_for", "waitlist_for"),
    )


_SCHEDULE = (
    Field("location", Kind.ONE_OF, of="locations"),
    Field("hours", Kind.HOURS),
    Field("contingent", Kind.FLAG),
    Field("off", Kind.LINES),
    _DATED,
    *_several(Kind.DAY, "valid_from", "valid_until"),
)
SCHEDULES = Field("schedules", Kind.PARTS, parts=_SCHEDULE)
AWAY = Field("off", Kind.LINES)

# What there is once, and what there is any number of: by the names of the clinic file.
SINGLE = ("clinic", "rules", "calendars", "messages")
GROUPS = ("locations", "services", "practitioners", "resources", "answers")

FIELDS: Mapping[str, tuple[Field, ...]] = {
    "clinic": (
        *_several(Kind.LINE, "key", "name", "timezone", "country"),
        Field("languages", Kind.LINES),
        *_several(Kind.LINE, "phone", "transfer_to", "email"),
        Field("hidden_verticals", Kind.LINES),
        Field("records_calls", Kind.FLAG),
    ),
    "rules": _rules(Kind.FLAG),
    "calendars": (
        *_several(Kind.LINE, "stale_after", "failed_after"),
        _choice("when_failed", WhenFailed),
        _choice("moved_outside", Outside),
        _choice("deleted_outside", Outside),
        *_several(Kind.FLAG, "check_at_commit", "invitations", "invitations_name_service"),
        _choice("patient_in_feed", PatientInFeed),
    ),
    # How messages are worded has a page of its own, where one sees them.
    "messages": (
        Field("reminders", Kind.LINES, may_be_none=True),
        Field("sent_between"),
        _choice("mail", MailUse),
        Field("part_price"),
    ),
    "locations": (
        *_several(Kind.LINE, "key", "name"),
        Field("aliases", Kind.LINES),
        *_several(Kind.LINE, "address", "timezone", "phone", "transfer_to"),
        Field("hours", Kind.HOURS),
        Field("closed", Kind.LINES),
        _DATED,
        *_several(Kind.TEXT, "directions", "parking"),
        Field("coordinates", Kind.PAIR),
        Field("rules", Kind.PART, parts=_rules(Kind.YES_NO)),
    ),
    "services": (
        *_several(Kind.LINE, "key", "name"),
        *_several(Kind.LINES, "aliases", "reasons"),
        Field("description", Kind.TEXT),
        *_several(Kind.LINE, "category", "duration", "buffer_before", "buffer_after", "price"),
        Field("preparation", Kind.TEXT),
        *_several(Kind.LINES, "skills", "resources"),
        Field("needs_confirmation", Kind.FLAG),
        _choice("prior_visit", PriorVisit),
        _choice("mode", Mode),
        *_several(Kind.LINE, "longest", "duration_step"),
        Field("steps", Kind.LINES),
        Field("step_gap"),
        Field("group", Kind.PART, parts=_several(Kind.LINE, "min", "max")),
    ),
    "practitioners": (
        *_several(Kind.LINE, "key", "name"),
        Field("aliases", Kind.LINES),
        _choice("gender", ("female", "male", "other", "unknown")),
        *_several(Kind.LINES, "languages", "skills"),
        Field("services", Kind.SOME_OF, of="services"),
        SCHEDULES,
        AWAY,
        *_several(Kind.LINE, "kind", "vertical"),
        Field("bio", Kind.TEXT),
        *_several(Kind.LINES, "specialties", "credentials", "publications"),
        *_several(Kind.LINE, "rating", "reviews"),
        Field("visible_when_unavailable", Kind.FLAG, is_on=True),
        Field("meeting_url"),
        Field("since", Kind.DAY),
    ),
    "resources": (
        *_several(Kind.LINE, "key", "kind"),
        Field("location", Kind.ONE_OF, of="locations"),
        Field("capacity"),
        Field("hours", Kind.HOURS),
        Field("off", Kind.LINES),
    ),
    "answers": (Field("topic"), Field("text", Kind.TEXT), Field("phrases", Kind.LINES)),
}

OWN_HOURS = (SCHEDULES, AWAY)
"""What practitioners change of themselves."""
