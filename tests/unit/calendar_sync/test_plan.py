"""The plan of a push, as a table and as a law."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendar_sync.plan import Action, Known, plan

pytestmark = pytest.mark.unit

hashes = st.sampled_from(["a", "b", "c"])
known_objects = st.none() | st.builds(Known, etag=st.just('"1"'), content_hash=st.none() | hashes)


@pytest.mark.parametrize(
    ("known", "wanted", "action"),
    [
        (None, "a", Action.CREATE),
        (None, None, Action.NOTHING),
        (Known('"1"', "a"), "a", Action.NOTHING),
        (Known('"1"', "a"), "b", Action.UPDATE),
        (Known('"1"', None), "b", Action.UPDATE),
        (Known('"1"', "a"), None, Action.DELETE),
        (Known('"1"', None), None, Action.DELETE),
    ],
)
def test_the_calendar_is_brought_to_what_is_wanted(known: Known | None, wanted: str | None, action: Action) -> None:
    assert plan(known=known, wanted_hash=wanted) is action


@given(known=known_objects, wanted=st.none() | hashes)
def test_after_the_action_nothing_is_left_to_do(known: Known | None, wanted: str | None) -> None:
    after = {
        Action.CREATE: Known('"2"', wanted),
        Action.UPDATE: Known('"2"', wanted),
        Action.DELETE: None,
        Action.NOTHING: known,
    }[plan(known=known, wanted_hash=wanted)]

    assert plan(known=after, wanted_hash=wanted) is Action.NOTHING
