from __future__ import annotations

from codegen.python_build import NEW, build
from rhtmx.messages import Position


def test_what_is_built_is_what_the_constructor_makes() -> None:
    lines = build("Position", [("epoch", '"e"'), ("version", "1"), ("scope", "None")])
    scope: dict[str, object] = {"Position": Position}
    exec("from typing import Any\n" + NEW, scope)
    exec("\n".join(["def make() -> Position:", *lines]), scope)
    made = scope["make"]()  # type: ignore[operator]
    assert made == Position("e", 1)
    assert list(vars(made).items()) == list(vars(Position("e", 1)).items())
