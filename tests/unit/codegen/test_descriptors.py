from __future__ import annotations

import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from codegen.descriptors import read_schema
from codegen.model import Schema
from tests.support.process import run


def parsed(descriptors: bytes) -> descriptor_pb2.FileDescriptorSet:
    return descriptor_pb2.FileDescriptorSet.FromString(descriptors)


def test_a_comment_does_not_change_the_hash(schema: Schema, descriptors: bytes) -> None:
    files = parsed(descriptors)
    for file in files.file:
        file.ClearField("source_code_info")
    assert read_schema(files.SerializeToString()).hash == schema.hash


ALREADY_KNOWN = """
import sys
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from codegen.descriptors import read_schema

data = sys.stdin.buffer.read()
pool = descriptor_pool.Default()
(options,) = (
    file.SerializeToString()
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file
    if file.name == "rhtmx/v1/options.proto"
)
pool.AddSerializedFile(options)
message_factory.GetMessageClassesForFiles(["rhtmx/v1/options.proto"], pool)
print(read_schema(data).hash)
"""


def test_options_that_the_process_knows_already_do_not_change_the_hash(
    schema: Schema, descriptors: bytes, root: Path
) -> None:
    done = run(sys.executable, "-c", ALREADY_KNOWN, given=descriptors, folder=root)
    assert done.output.strip() == schema.hash


def test_the_order_of_files_does_not_change_the_hash(schema: Schema, descriptors: bytes) -> None:
    files = parsed(descriptors)
    turned = descriptor_pb2.FileDescriptorSet(file=list(reversed(files.file)))
    ordered = sorted(turned.file, key=lambda file: file.name != "google/protobuf/descriptor.proto")
    again = descriptor_pb2.FileDescriptorSet(file=ordered)
    assert read_schema(again.SerializeToString()).hash == schema.hash


def test_a_new_field_changes_the_hash(schema: Schema, descriptors: bytes) -> None:
    files = parsed(descriptors)
    file = next(each for each in files.file if each.name == "rhtmx/v1/session.proto")
    file.message_type[0].field.add(name="later", number=99, type=9, label=1)
    changed = read_schema(files.SerializeToString())
    assert changed.hash != schema.hash
    assert len(changed.hash) == 16


def test_the_kept_descriptors_have_no_source_information(schema: Schema) -> None:
    assert not any(file.HasField("source_code_info") for file in parsed(schema.descriptor).file)


def test_a_set_without_the_options_is_refused(descriptors: bytes) -> None:
    files = parsed(descriptors)
    kept = [file for file in files.file if file.name != "rhtmx/v1/options.proto"]
    with pytest.raises(ValueError, match=r"lacks rhtmx/v1/options\.proto"):
        read_schema(descriptor_pb2.FileDescriptorSet(file=kept).SerializeToString())


def test_a_set_without_the_envelope_is_refused(descriptors: bytes) -> None:
    files = parsed(descriptors)
    kept = [file for file in files.file if file.name != "rhtmx/v1/envelope.proto"]
    with pytest.raises(ValueError, match=r"no message rhtmx\.v1\.Envelope"):
        read_schema(descriptor_pb2.FileDescriptorSet(file=kept).SerializeToString())
