from __future__ import annotations

from codegen.kinds import Location
from codegen.problems import SchemaProblem


def test_a_problem_is_one_line_with_its_place_first() -> None:
    assert str(SchemaProblem(Location("a.proto", 3), "no comment")) == "a.proto:3: no comment"
