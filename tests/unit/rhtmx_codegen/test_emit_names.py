"""Facts about `rhtmx_codegen.emit_names`."""

from __future__ import annotations

from rhtmx_codegen.emit_names import Names, constants, module_of
from tests.support.sample_schema import sample
from tests.support.schemas import schema_of


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
