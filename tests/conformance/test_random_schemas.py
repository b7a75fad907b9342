"""Random schemas are judged the same by what is generated for Python and for TypeScript.

`tests.support.schema_judges` goes on for as long as one likes, and asks Chromium, too.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.support.programs import node
from tests.support.random_schemas.compiling import generated
from tests.support.random_schemas.judges import Case, Judges, disagreement
from tests.support.random_schemas.shrinking import shrunk
from tests.support.random_schemas.texts import Application, Field, Message, Rule, Slot
from tests.support.schema_judges import campaign


def test_python_and_typescript_say_the_same_of_random_values(tmp_path: Path) -> None:
    """In the same words."""
    node("esbuild")
    judges = Judges(tmp_path)
    result = campaign(judges, schemas=12, values_each=25, seed=7)
    judges.close()
    assert not result.wrong, "\n".join(result.differences)
    assert result.judged == 300
    assert len(result.codes) > 60, result.codes


def test_protovalidate_says_the_same_of_random_values(tmp_path: Path) -> None:
    """By path and rule. It is no dependency: `RHTMX_PROTOVALIDATE` is a Python that has it."""
    python = os.environ.get("RHTMX_PROTOVALIDATE")
    if not python:
        pytest.skip("no protovalidate: set RHTMX_PROTOVALIDATE to a Python that has it")
    node("esbuild")
    judges = Judges(tmp_path, protovalidate=python)
    result = campaign(judges, schemas=12, values_each=25, seed=8)
    judges.close()
    assert not result.wrong, "\n".join(result.differences)


def application(*rules: str, type_: str = "string") -> Application:
    """A schema with one field."""
    slot = Slot(type_, type_, [Rule((each,), (), each.partition(" ")[0]) for each in rules])
    other = Field("other", 2, Slot("string", "string"))
    return Application("s0", {"Record": Message("Record", [Field("a", 1, slot), other])})


def test_a_rule_that_codegen_refuses_is_taken_out_and_counted() -> None:
    refused = Counter[str]()
    schema = application("string.min_len = 1", 'string.pattern = "("')
    made = generated([schema], refused)
    assert [each.name for each in schema.root.fields[0].value.rules] == ["string.min_len"]
    assert refused == {"pattern: ) is missing, at character 1": 1}
    assert "min_len" in made.python["s0"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"python": [["a", "x", "w"]], "node": [["a", "x", "w"]]}, ""),
        ({"python": [["a", "x", "w"]], "node": []}, "python [['a', 'x', 'w']], node []"),
        ({"python": [], "node": "! TypeError"}, "no answer: {'node': '! TypeError'}"),
        ({"python": [["a", "finite", "w"]], "protovalidate": []}, ""),
        ({"python": [["a", "x", "w"]], "protovalidate": [["a", "x", "other"]]}, ""),
        (
            {"python": [["a", "x", "w"]], "protovalidate": [["b", "x", "w"]]},
            "ours [['a', 'x']], protovalidate [['b', 'x']]",
        ),
        (
            {"python": [["a", "c1", "w"]], "protovalidate": [["a", "c1", "other"]]},
            "ours [['a', 'c1', 'w']], protovalidate [['a', 'c1', 'other']]",
        ),
        ({"python": [["a", "x", "cannot be judged: y"]], "protovalidate": "error"}, ""),
        ({"python": [], "protovalidate": "error"}, "protovalidate has an error, ours none"),
        (
            {"python": [["a", "x", "cannot be judged: y"]], "protovalidate": []},
            "protovalidate has no error, ours: ['x']",
        ),
    ],
)
def test_what_judges_disagree_about_is_seen(
    said: dict[str, list[list[str]] | str], why: str
) -> None:
    assert disagreement(said) == why


def test_a_case_is_made_as_small_as_it_can_be() -> None:
    schema = application("string.min_len = 1", "string.max_len = 2")
    case = Case(schema, {"a": "xyz", "other": "b"}, 2)

    def disagree(each: Case) -> bool:
        return "max_len" in each.application.files()["s0.proto"] and "z" in each.text()

    least = shrunk(case, disagree)
    assert least.value == {"a": "z"}
    assert [each.line() for each in least.application.root.fields] == [
        "string a = 1 [(buf.validate.field).string.max_len = 2];"
    ]
