import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import calendar_sync
import kernel.outbound
from booking.values import CalendarPolicy, WhenFailed
from calendar_sync.grants import GOOGLE_TOKENS, read_grant
from calendar_sync.model import Clearing, LinkError, LinkState
from calendar_sync.plan import Action, Finding
from calendar_sync.status import Difference, HistoryLine, LinkStatus
from frontdesk.console.dates import DateWriter
from frontdesk.console.link_forms import RIGHTS, BadForm, read_changes, read_log_in
from frontdesk.console.link_view import deed, duration_words, link_card
from frontdesk.console.words import load_words

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 15, 14, 20, tzinfo=UTC)
WORDS = load_words()
DATES = DateWriter(WORDS, zone=ZoneInfo("America/New_York"), now=NOW)
TYPED = {"url": "https://cal.test", "username": "lee", "password": " p4ss "}
LINK = LinkStatus(
    link_id="link", practitioner_id="lee", kind="caldav", url="https://cal.test/lee/my%20rounds/", name="",
    state=LinkState.OK, error=None, is_paused=False, reads_busy=True, shows_visits=True, clearing=None,
    policy=CalendarPolicy(), read_at=NOW - timedelta(minutes=3), listed_at=NOW, next_try_at=NOW, events=4, drift=(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"url": " "}, "form-url"),
        ({"username": ""}, "form-username"),
        ({"password": ""}, "form-password"),
        ({"auth": "oauth"}, "form-grant"),
        ({"auth": "oauth", "refresh_token": "r", "client_id": "c"}, "form-grant"),
    ],
)
def test_a_log_in_that_lacks_something_is_refused_with_what_it_lacks(fields: dict[str, str], code: str):
    with pytest.raises(BadForm) as refused:
        read_log_in(TYPED | fields, kind="caldav", is_again=False)

    assert refused.value.code == code


def test_a_password_is_taken_as_it_is_and_an_address_may_lack_its_beginning():
    log_in = read_log_in(TYPED | {"url": " cal.\0test\n"}, kind="caldav", is_again=False)

    assert (log_in.url, log_in.password, log_in.auth) == ("https://cal.test", " p4ss ", "basic")


def test_a_grant_is_one_secret_and_googles_unless_another_address_is_given():
    typed = {"url": "https://cal.test", "auth": "oauth", "refresh_token": " r ", "client_id": "c", "client_secret": "s"}

    grant = read_grant(str(read_log_in(typed, kind="caldav", is_again=False).password))

    assert (grant.refresh_token, grant.token_url) == ("r", GOOGLE_TOKENS)


def test_who_corrects_a_log_in_may_leave_out_the_secret_that_was_given():
    assert read_log_in(TYPED | {"password": ""}, kind="calcom", is_again=True).password is None


def test_a_change_needs_rights_and_what_is_not_chosen_is_as_the_clinic_has_it():
    with pytest.raises(BadForm, match="rights"):
        read_changes(TYPED, kind="caldav", auth="basic")

    changes = read_changes(
        TYPED | {"rights": "write", "failed_after": "60", "stale_after": "x", "check_at_commit": "no"},
        kind="caldav",
        auth="basic",
    )

    assert (changes.reads_busy, changes.shows_visits, changes.all_day_is_busy) == (False, True, False)
    assert changes.policy == {"failed_after": 3600, "check_at_commit": False}


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        ({}, "ok", []),
        ({"name": "Rounds"}, "ok", []),
        ({"state": LinkState.STALE}, "stale", ["longer than it should be"]),
        ({"state": LinkState.STALE, "is_paused": True}, "paused", ["Nothing is asked"]),
        ({"state": LinkState.STALE, "read_at": None}, "new", []),
        ({"error": "unreachable"}, "ok", ["tried again by itself"]),
        ({"state": LinkState.FAILED, "error": "access-refused", "is_paused": True}, "failed", ["refuses us", "Nothing is asked", "is offered until"]),
        ({"state": LinkState.FAILED, "error": "unreachable", "policy": CalendarPolicy(when_failed=WhenFailed.GO_ON)}, "failed", ["tried again", "all the same"]),
        ({"state": LinkState.FAILED, "error": "unreachable", "reads_busy": False}, "failed", ["tried again"]),
        ({"clearing": Clearing.THEN_REMOVE.value}, "leaving", ["0 are still there"]),
    ],
)  # fmt: skip
def test_a_link_says_how_it_is_and_what_follows(changes: dict[str, object], state: str, said: list[str]):
    card = link_card(replace(LINK, **changes), words=WORDS, dates=DATES)  # type: ignore[arg-type]  # fields of it

    assert (card.state, card.read) == (state, "never" if "read_at" in changes else "3 minutes ago")
    assert card.title == changes.get("name", "my rounds")
    assert [words in line for words, line in zip(said, card.trouble, strict=True)] == [True] * len(said)


@pytest.mark.parametrize(
    ("action", "outcome", "actor", "said"),
    [
        ("state", "failed: access-refused", "system", ("State", "Failed: It refuses us. Test it to see why, and change its log-in.", "Frontdesk")),
        ("change", "password policy", "staff:kim", ("Changed", "password, what holds for it", "kim")),
        ("moved-outside", "followed", "calendar:abc123", ("Moved in the calendar", "Followed in the diary", "Somebody in the calendar")),
        ("taken-on", "refused: slot-taken", "system", ("Booked on the page", "Not possible: slot taken", "Frontdesk")),
    ],
)  # fmt: skip
def test_a_line_of_the_history_is_in_words(action: str, outcome: str, actor: str, said: tuple[str, str, str]):
    line = deed(HistoryLine(NOW, action, outcome, actor, None), None, words=WORDS)

    assert (line.what, line.outcome, line.actor) == said


@pytest.mark.parametrize(("minutes", "words"), [(1, "1 minute"), (90, "90 minutes"), (60, "1 hour"), (2880, "2 days")])
def test_a_length_of_time_is_in_the_largest_unit_that_fits(minutes: int, words: str):
    assert duration_words(timedelta(minutes=minutes), words=WORDS) == words


def test_every_code_that_calendars_give_has_words():
    sources = "\n".join(
        path.read_text() for path in [*Path(calendar_sync.__path__[0]).rglob("*.py"), Path(kernel.outbound.__file__)]
    )
    trials = set(re.findall(r'(?:code=|Trial\(|AddressRefused\()"([a-z-]+)"', sources))
    codes = {
        "trial": trials,
        "difference": set(Difference),
        "link_error": set(LinkError),
        "link_state": {*LinkState, "new", "paused", "leaving"},
        "link_rights": {*RIGHTS, "none"},
        "link_action": {Action.CREATE, Action.UPDATE, Action.DELETE, Finding.MOVED, Finding.DELETED},
        "when_failed": set(WhenFailed),
    }

    assert {"certificate", "time-out", "address-internal", "no-write-right"} <= trials
    assert [
        f"{group}.{code}" for group, known in codes.items() for code in known if f"{group}.{code}" not in WORDS
    ] == []
