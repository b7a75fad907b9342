"""Facts about `rhtmx_codegen.emit_names`."""

from __future__ import annotations

import ast

import pytest

from rhtmx_codegen.emit import emit_python, emit_typescript
from rhtmx_codegen.emit_names import Names, constants, module_of
from rhtmx_codegen.problems import SchemaError
from rhtmx_codegen.read import read_schema
from tests.support.sample_schema import sample
from tests.support.schemas import HEAD, descriptors, schema_of


def test_everything_has_one_name_and_a_home() -> None:
    names = Names(sample())
    assert names.of("sample.v1.Task.Step") == "TaskStep"
    assert names.home("sample.v1.Priority") == "sample.proto"
    assert names.free("Task") == "Task_"
    assert names.free("TaskNew") == "TaskNew"
    assert names.files == ("sample.proto",)


def test_constants_are_names_without_that_of_the_enum() -> None:
    text = "enum TaskState { TASK_STATE_NONE = 0; TASK_STATE_2X = 1; plain = 2; TASK_STATE = 3; }"
    (enum,) = schema_of(text).enums.values()
    assert constants(enum) == ["NONE", "TASK_STATE_2X", "PLAIN", "TASK_STATE"]


def test_a_module_has_the_name_of_its_file() -> None:
    assert module_of("a/b-c.d.proto") == "a_b_c_d"


@pytest.mark.parametrize(
    "file", ["class", "None", "2fa", "index", "__init__", "__future__", "_descriptors"]
)
def test_a_module_can_be_imported_and_is_none_of_those_that_are_always_there(file: str) -> None:
    schema = read_schema(descriptors({f"{file}.proto": f"{HEAD}message A {{}}"}), [f"{file}.proto"])
    python, typescript = emit_python(schema), emit_typescript(schema)
    for text in python.values():
        ast.parse(text)
    assert (len(python), len(typescript)) == (4, 2)
    assert "schema = _d.Schema(" in python["__init__.py"]
    assert "export const schema" in typescript["index.ts"]


def test_two_files_are_not_one_module() -> None:
    texts = {"a/b.proto": f"{HEAD}message A {{}}", "a_b.proto": f"{HEAD}message B {{}}"}
    with pytest.raises(SchemaError, match=r"a_b.proto: a/b.proto and a_b.proto become one module"):
        read_schema(descriptors(texts), list(texts))
