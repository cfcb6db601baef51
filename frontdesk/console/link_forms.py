"""What administrators enter about a calendar, read from its forms. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from booking.values import Catalogue, WhenFailed
from calendar_sync.discovery import FoundCalendar
from calendar_sync.grants import GOOGLE_TOKENS, OAUTH, OAuthGrant
from calendar_sync.link_policy import stored_policy
from calendar_sync.links import LinkChanges
from calendar_sync.model import CALCOM
from calendar_sync.set_up import LogIn
from kernel.errors import Malformed

LONGEST = 2_000
RIGHTS = {"both": (True, True), "read": (True, False), "write": (False, True)}
_GRANT = ("refresh_token", "client_id", "client_secret")


class BadForm(Malformed):
    """A form lacks something that its page asks for. `code` says what: who, url, username, password, grant or rights."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.code = f"form-{what}"


def read_log_in(form: Mapping[str, str], *, kind: str, is_again: bool) -> LogIn:
    """Return the log-in of a form. One that `is_again` entered may leave out its secret, as it was given before.

    Raises BadForm.
    """
    url, username = _text(form, "url"), _text(form, "username")
    if not url:
        raise BadForm("url")
    if "://" not in url:
        url = f"https://{url}"
    auth = "bearer" if kind == CALCOM else OAUTH if form.get("auth") == OAUTH else "basic"
    if auth != OAUTH and not username:
        raise BadForm("username")
    password = read_secret(form, auth=auth)
    if password is None and not is_again:
        raise BadForm("grant" if auth == OAUTH else "password")
    return LogIn(kind=kind, url=url, username=username, password=password, auth=auth)


def read_secret(form: Mapping[str, str], *, auth: str) -> str | None:
    """Return the secret as links keep it, or None: nothing was entered. Raises BadForm for a part of a grant."""
    if auth != OAUTH:
        # As it is: a password may begin with a blank.
        return form.get("password", "")[:LONGEST] or None
    given = {name: _text(form, name) for name in _GRANT}
    if not any(given.values()):
        return None
    if not all(given.values()):
        raise BadForm("grant")
    return OAuthGrant(**given, token_url=_text(form, "token_url") or GOOGLE_TOKENS).as_secret()


def reads_and_writes(right: str) -> tuple[bool, bool]:
    """Return whether a right lets us read busy times, and write visits; neither for what is no right."""
    return RIGHTS.get(right, (False, False))


def read_changes(form: Mapping[str, str], *, kind: str, auth: str) -> LinkChanges:
    """Return what a form changes of a link. A secret that is left out stays. Raises BadForm."""
    reads, writes = reads_and_writes(form.get("rights", ""))
    if not reads and not writes:
        raise BadForm("rights")
    username = _text(form, "username")
    if not username and auth != OAUTH:
        raise BadForm("username")
    return LinkChanges(
        name=_text(form, "name"),
        username=username,
        password=read_secret(form, auth=auth),
        reads_busy=reads,
        shows_visits=writes,
        all_day_is_busy=None if kind == CALCOM else "all_day_is_busy" in form,
        policy=stored_policy(_policy(form)),
        takes_out=form.get("visits") == "take-out",
    )


def read_services(form: Mapping[str, str], found: Sequence[FoundCalendar], catalogue: Catalogue) -> dict[str, str]:
    """Return the keys of services that were chosen for kinds of booking, by their slugs; what goes by its name is left out."""
    known = {one.key for one in catalogue.services}
    chosen = {one.slug: form.get(f"service-{one.slug}", "") for one in found if one.slug is not None}
    return {slug: key for slug, key in chosen.items() if key in known}


def _policy(form: Mapping[str, str]) -> dict[str, Any]:
    when_failed, check = form.get("when_failed", ""), form.get("check_at_commit", "")
    return {
        "stale_after": _minutes(form.get("stale_after", "")),
        "failed_after": _minutes(form.get("failed_after", "")),
        "when_failed": WhenFailed(when_failed).value if when_failed in list(WhenFailed) else None,
        "check_at_commit": {"yes": True, "no": False}.get(check),
    }


def _minutes(text: str) -> timedelta | None:
    return timedelta(minutes=int(text)) if text.isdecimal() and 0 < int(text) <= 7 * 24 * 60 else None


def _text(form: Mapping[str, str], name: str) -> str:
    """Return what was entered in one line, without what cannot be seen."""
    return "".join(filter(str.isprintable, form.get(name, ""))).strip()[:LONGEST]
