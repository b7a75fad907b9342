"""The picture of the rooms is that of the code."""

from __future__ import annotations

from tests.house.picture import PICTURE, draw, floors, rooms


def test_rooms_import_one_way() -> None:
    graph = rooms()
    heights = floors(graph)
    assert all(heights[here] > heights[there] for here in graph for there in graph[here])


def test_the_picture_is_that_of_the_imports() -> None:
    """`python -m tests.house.picture` draws it anew."""
    assert PICTURE.read_text(encoding="utf-8") == draw()
