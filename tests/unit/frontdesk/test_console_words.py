import re
from pathlib import Path
from string import Formatter

import pytest

import frontdesk.console
from booking.choice import Reason
from booking.values import AppointmentStatus, Source, TaskKind
from dialog.acts import Say
from dialog.commands import Command
from dialog.inbound import Channel, InboundKind, StaffTurn
from dialog.state import Outcome
from frontdesk.console.reads.live import Speaker
from frontdesk.console.words import DEFAULT_LANGUAGE, LANGUAGES, load_words
from sms.model import SmsState

pytestmark = pytest.mark.unit

PRODUCT = Path(frontdesk.console.__file__).parents[1]
SOURCES = "\n".join(
    path.read_text()
    for folder in ("console", "simulator", "web_chat", "own_page")
    for suffix in ("*.py", "*.html", "*.js")
    for path in (PRODUCT / folder).rglob(suffix)
)
GROUPS_OF_CODES = {
    "access", "outcome", "review", "reading", "corrected", "status", "source", "language", "channel", "task", "kind", "stage", "change", "actor", "command", "act", "write", "sms_state", "reason",
    "link_kind", "link_state", "link_rights", "link_error", "link_policy", "link_field", "link_action", "link_outcome",
    "difference", "when_failed", "meant_command", "should_write", "check", "trial", "away_outcome", "rule",
    "worded_kind", "worded_field", "medium",
    "set_up_field", "set_up_hint", "set_up_choice", "set_up_part", "set_up_new", "set_up_add", "set_up_change", "unfit", "weekday", "web_chat_voice", "web_chat_news", "own_page_status", "recordings", "role", "look", "insight_total", "insight_help",
    "speaker", "live_why_not",
    "queue", "patients_shown", "patient_field", "patient_change", "relation", "waiting_status",
    "message_way", "message_kind", "message_note", "export",
}  # fmt: skip


def test_every_key_that_a_page_names_has_words():
    named = set(
        re.findall(r"""(?<![\w.])(?:t|words|page_words\(\))\(\s*["']([a-z_]+\.[a-z_0-9]*[a-z0-9])["']""", SOURCES)
    )

    assert named
    assert [key for key in sorted(named) if key not in load_words()] == []


def test_no_word_is_left_that_no_page_uses():
    unused = [
        key
        for key in load_words().keys()  # noqa: SIM118 -- not a mapping
        if key.partition(".")[0] not in GROUPS_OF_CODES and not is_used(key)
    ]

    assert sorted(unused) == []


def is_used(key: str) -> bool:
    group, _, short = key.partition(".")
    if group == "simulator" and re.search(rf"""["'`]{re.escape(short)}["'`]""", SOURCES):
        return True
    bases = {key, key.removesuffix("_one")}
    built = {"appointment.calendar_", "simulator.calendar_", "simulator.try_", "app.", "error.", "span."}
    return any(f'"{base}"' in SOURCES or f"'{base}'" in SOURCES for base in bases) or any(
        key.startswith(start) for start in built
    )


@pytest.mark.parametrize(
    ("group", "codes"),
    [
        ("status", list(AppointmentStatus)),
        ("source", list(Source)),
        ("task", list(TaskKind)),
        ("channel", list(Channel)),
        ("kind", [*InboundKind, *StaffTurn]),
        ("speaker", list(Speaker)),
        ("act", list(Say)),
        ("outcome", list(Outcome)),
        ("reason", list(Reason)),
        ("sms_state", list(SmsState)),
        ("command", [command.name for command in Command.__subclasses__()]),
    ],
)
def test_every_code_that_is_stored_has_words_for_staff(group: str, codes: list[str]):
    words = load_words()

    assert [code for code in codes if f"{group}.{code}" not in words] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_the_words_of_the_others_with_the_same_things_filled_in(language: str):
    fields = {key: filled_in(language, key) for key in load_words(language).keys()}  # noqa: SIM118 -- not a mapping

    assert fields == {key: filled_in(DEFAULT_LANGUAGE, key) for key in load_words().keys()}  # noqa: SIM118


def filled_in(language: str, key: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(load_words(language).raw(key)) if name}


def test_a_code_of_a_later_release_is_shown_as_it_is():
    assert load_words().of_code("status", "put-on-ice") == "put on ice"


def test_one_thing_and_many_things_are_counted_in_words():
    words = load_words()

    assert (words.count("diary.count", 1), words.count("diary.count", 0)) == ("1 appointment", "0 appointments")
