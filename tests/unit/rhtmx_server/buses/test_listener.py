"""Facts about `rhtmx_server.buses.listener`."""

from __future__ import annotations

import pytest

from rhtmx_server.buses.listener import MOST_NAME, Listener


def listener(cluster: str, node: str) -> Listener:
    return Listener(cluster, node, lambda _: None, lambda: None, lambda: None)


@pytest.mark.parametrize("name", ["a", "Node_1-b", "x" * MOST_NAME])
def test_a_name_may_be_part_of_a_subject(name: str) -> None:
    assert listener(name, name).node == name


@pytest.mark.parametrize("name", ["", ".", ">", "a\n", "a b", "x" * (MOST_NAME + 1)])
def test_any_other_name_is_refused_with_what_is_expected(name: str) -> None:
    with pytest.raises(ValueError, match=r"no name of a node.*expected"):
        listener("one", name)
    with pytest.raises(ValueError, match=r"no name of a cluster.*expected"):
        listener(name, "a")
