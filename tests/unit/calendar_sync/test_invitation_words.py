"""What mails with an invitation say is there in every language, with the same values."""

import string
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from calendar_sync.invitation_words import words
from dialog.languages import SPOKEN

pytestmark = pytest.mark.unit


def texts(said: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, frozenset[str | None]]]:
    """Return each text by its key, with the values that it names."""
    for key, value in said.items():
        if isinstance(value, str):
            yield f"{path}{key}", frozenset(name for _, name, _, _ in string.Formatter().parse(value) if name)
        else:
            yield from texts(value, f"{path}{key}.")


@pytest.mark.parametrize("language", SPOKEN)
def test_every_language_says_the_same_things_with_the_same_values(language: str) -> None:
    assert dict(texts(words(language))) == dict(texts(words("en")))


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("what", ["booked", "moved", "waiting", "cancelled"])
def test_a_subject_is_one_line(language: str, what: str) -> None:
    assert "\n" not in words(language)[what]["subject"].strip()
