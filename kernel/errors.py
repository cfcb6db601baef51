"""The four kinds of error. The kind says what the caller does; concrete classes live beside the function that raises them.

Anything that is none of these is a bug: it propagates, is logged once with its traceback and alerts.
"""

from datetime import timedelta
from typing import Any, ClassVar


class Refused(Exception):
    """The clinic's rules say no. Told to the patient in the wording of its `code`; logged at info.

    `fields` are JSON values that the wording may use: never prose, never personal data. `also` is whatever else was in the
    way, so that nobody hears of one rule after the other.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, **fields: Any) -> None:
        super().__init__(self.code)
        self.fields = fields
        self.also: tuple[Refused, ...] = ()


class Unavailable(Exception):
    """A dependency or a lock cannot be had now. Trying again after `retry_after` may work."""

    def __init__(self, what: str, *, retry_after: timedelta = timedelta(seconds=5)) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class Malformed(Exception):
    """Outside input that cannot be read or trusted. Rejected; sending it again unchanged will not help."""
