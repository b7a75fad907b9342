"""States that no text can tell apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rhtmx.patterns.minimal import same
from rhtmx.patterns.problems import Effort


@st.composite
def machines(draw: st.DrawFn) -> tuple[list[list[int]], list[bool]]:
    count = draw(st.integers(1, 12))
    width = draw(st.integers(1, 3))
    state = st.integers(0, count - 1)
    rows = draw(
        st.lists(st.lists(state, min_size=width, max_size=width), min_size=count, max_size=count)
    )
    return rows, draw(st.lists(st.booleans(), min_size=count, max_size=count))


def by_rounds(rows: list[list[int]], ends: list[bool]) -> list[int]:
    """The same, in the plainest way: told apart by one character more in each round."""
    found = [int(end) for end in ends]
    while True:
        known: dict[tuple[int, ...], int] = {}
        new = [
            known.setdefault((found[state], *(found[to] for to in row)), len(known))
            for state, row in enumerate(rows)
        ]
        if len(known) == len(set(found)):
            return new
        found = new


@given(machines())
def test_two_states_are_one_if_every_text_leads_both_to_the_same_end(
    machine: tuple[list[list[int]], list[bool]],
) -> None:
    rows, ends = machine
    found, expected = same(rows, ends, Effort()), by_rounds(rows, ends)
    assert len(set(zip(found, expected, strict=True))) == len(set(found)) == len(set(expected))
