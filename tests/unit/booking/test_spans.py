"""Set arithmetic on spans agrees with sets of seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.spans import Span, covered, merged, subtracted

pytestmark = pytest.mark.unit

spans = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=8
)


def seconds(some: list[Span]) -> set[int]:
    return {second for start, end in some for second in range(start, end)}


def is_tidy(some: list[Span]) -> bool:
    ends = [edge for span in some for edge in span]
    return ends == sorted(set(ends))


@given(spans)
def test_merging_keeps_the_time_and_leaves_no_two_that_touch(some: list[Span]):
    assert seconds(merged(some)) == seconds(some)
    assert is_tidy(merged(some))


@given(spans, spans)
def test_cutting_out_leaves_what_is_in_one_and_not_in_the_other(some: list[Span], holes: list[Span]):
    left = subtracted(some, holes)

    assert seconds(left) == seconds(some) - seconds(holes)
    assert is_tidy(left)


@given(st.lists(spans, min_size=1, max_size=4), st.integers(1, 4))
def test_time_is_covered_when_as_many_groups_have_it(groups: list[list[Span]], times: int):
    found = covered([merged(group) for group in groups], times=times)

    expected = {second for second in range(60) if sum(second in seconds(group) for group in groups) >= times}
    assert seconds(found) == expected
    assert is_tidy(found)
