"""Facts about `rhtmx.schema.declared`."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from rhtmx.schema.declared import Access, Entity, Form, entity_of, shape_of
from tests.support.sample_schema import loaded


def test_a_schema_has_its_entities_and_forms_by_name() -> None:
    schema = loaded().schema
    assert (schema.version, schema.oldest) == (2, 1)
    assert list(schema.entities) == ["tasks", "reading"]
    assert list(schema.forms) == ["signup"]
    assert repr(schema) == "<Schema sample_schema, version 2>"
    files = FileDescriptorSet.FromString(schema.descriptors).file
    assert "sample.proto" in {each.name for each in files}


def test_a_schema_has_what_others_may_read_of_it() -> None:
    schema = loaded().schema
    assert b"internal_note" in schema.descriptors
    assert b"internal_note" not in schema.served_descriptors
    document = json.loads(schema.json_schema)
    assert "internal_note" not in document["$defs"]["Task"]["properties"]


def test_importing_a_generated_package_reads_none_of_that() -> None:
    package = loaded().__file__
    program = (
        f"import sys; sys.path.insert(0, {str(Path(package).parents[1])!r}); import sample_schema; "
        "print([each for each in sys.modules if each.startswith('sample_schema._')])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"


def test_an_entity_has_what_is_declared_of_it() -> None:
    tasks = entity_of(loaded().Task)
    assert isinstance(tasks, Entity)
    assert repr(tasks) == "Entity('tasks')"
    assert (tasks.whole, tasks.merge, tasks.conflicts) == (False, "keep_both", True)
    assert tasks.partition == (("team",), ("team", "done"))
    assert tasks.access == (
        Access(("read", "create", "update"), "tenant", "team", "teams"),
        Access(("delete",), "role", value="admin"),
    )
    readings = entity_of(loaded().Reading)
    assert (readings.whole, readings.conflicts, readings.access) == (True, False, ())


def test_fields_are_found_by_key_and_by_attribute() -> None:
    shape = shape_of(loaded().Task)
    assert shape.keys["location"].name == "place"
    assert shape.attributes["from_"].name == "from"
    assert [each.name for each in shape.others_of(shape.keys["url"])] == ["ticket", "person"]
    assert shape.others_of(shape.keys["title"]) == ()


def test_only_generated_classes_of_entities_are_taken_for_such() -> None:
    with pytest.raises(TypeError, match="no entity"):
        entity_of(loaded().SignUp)
    assert isinstance(shape_of(loaded().SignUp), Form)
    with pytest.raises(TypeError, match="codegen"):
        shape_of(int)


def test_a_record_can_be_pickled() -> None:
    task = loaded().Task(title="x", team="red", priority=loaded().Priority.LOW)
    assert pickle.loads(pickle.dumps(task)) == task


def test_a_generated_module_imports_no_client() -> None:
    folder = loaded().__path__[0].rpartition("/")[0]
    look = (
        f"import sys; sys.path[:0] = [{folder!r}, *{sys.path!r}]; import sample_schema; "
        "print([each for each in sys.modules if each.startswith(('rhtmx.api', 'rhtmx.core', "
        "'rhtmx.runtime', 'rhtmx_server', 'rhtmx_codegen'))])"
    )
    run = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
