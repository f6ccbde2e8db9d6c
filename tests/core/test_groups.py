"""Values go together as long as they are small enough."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seed_library.core.groups import grouped


@given(st.lists(st.text(max_size=9)), st.integers(1, 20))
def test_groups_hold_everything_in_order_and_no_more_than_they_may(values: list[str], most: int) -> None:
    """No group is empty or could take the first value of the next one; only a single value may be too large."""
    groups = list(grouped(values, len, most))
    assert [value for group in groups for value in group] == values
    for number, group in enumerate(groups):
        held = sum(map(len, group))
        assert group
        assert held <= most or len(group) == 1
        assert number + 1 == len(groups) or held + len(groups[number + 1][0]) > most
