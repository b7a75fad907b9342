"""protovalidate's own conformance suite, as its program says it.

Knows how the program is built, and the messages in which it speaks. Must not know our rules.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

__all__ = ["MODULE", "Case", "build", "cases", "find"]

MODULE = "github.com/bufbuild/protovalidate/tools@v1.2.2"
"""The module of Go that has the program."""

_PROTOS = Path(__file__).parents[3] / "rhtmx_codegen" / "proto"
_NAMES = "buf.validate.conformance.harness"
_STRING, _BOOL, _MESSAGE = 9, 8, 11


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        suite: of which it is.
        name: within it.
        message: the full name of the message that is judged.
        value: it, in binary.
        descriptors: the `FileDescriptorSet` that declares it.
        file: where it is declared.
        syntax: of that file.
        wanted: path and rule id of each violation, sorted; `None` if judging is to fail.
    """

    suite: str
    name: str
    message: str
    value: bytes
    descriptors: Any
    file: str
    syntax: str
    wanted: list[tuple[str, str]] | None


def find() -> Path | None:
    """The module in Go's cache; `None` if it is not there, or Go is not."""
    go = shutil.which("go")
    if go is None:
        return None
    cache = subprocess.run([go, "env", "GOMODCACHE"], capture_output=True, text=True, check=True)
    folder = Path(cache.stdout.strip()) / MODULE
    return folder if folder.is_dir() else None


def build(folder: Path, *, offline: bool = False) -> Path:
    """Build the program from Go's module proxy.

    Args:
        folder: an empty one, in which it is built.
        offline: nothing is fetched.

    Raises:
        subprocess.CalledProcessError: something that it needs could not be fetched.
    """
    environ = {**os.environ, "GOFLAGS": "-mod=readonly", **({"GOPROXY": "off"} if offline else {})}
    if find() is None:
        subprocess.run(["go", "mod", "download", MODULE], check=True, cwd=folder, env=environ)
    source = find()
    assert source is not None
    copy = folder / "tools"
    shutil.copytree(source, copy, copy_function=shutil.copyfile)
    program = folder / "protovalidate-conformance"
    command = ["go", "build", "-o", str(program), "./protovalidate-conformance"]
    # In its own folder: which versions it needs, is in its own go.sum.
    subprocess.run(command, check=True, cwd=copy, env=environ, capture_output=True)
    return program


def cases(program: Path) -> Iterator[Case]:
    """All cases of the suite.

    Args:
        program: see `build`.
    """
    # It counts what it was not asked to judge as failures, in its exit status.
    dumped = subprocess.run([program, "--dump", "--proto"], capture_output=True, check=False).stdout
    for suite in _result_set().FromString(dumped).suites:
        places = dict(_messages(suite.fdset))
        for case in suite.cases:
            name = case.input.type_url.rpartition("/")[2]
            file = places[name]
            yield Case(
                suite.name,
                case.name,
                name,
                case.input.value,
                suite.fdset,
                file.name,
                file.syntax or "proto2",
                _wanted(case.wanted),
            )


def _messages(files: Any) -> Iterator[tuple[str, Any]]:
    def within(node: Any, prefix: str, file: Any) -> Iterator[tuple[str, Any]]:
        yield prefix + node.name, file
        for each in node.nested_type:
            yield from within(each, f"{prefix}{node.name}.", file)

    for file in files.file:
        for node in file.message_type:
            yield from within(node, f"{file.package}.", file)


def _wanted(result: Any) -> list[tuple[str, str]] | None:
    kind = result.WhichOneof("result")
    if kind == "success":
        return []
    if kind == "validation_error":
        found = result.validation_error.violations
        return sorted((_path(each.field), each.rule_id) for each in found)
    return None


def _path(path: Any) -> str:
    text = ""
    for element in path.elements:
        text += f".{element.field_name}" if text else element.field_name
        kind = element.WhichOneof("subscript")
        if kind == "string_key":
            text += f'["{_escaped(element.string_key)}"]'
        elif kind == "bool_key":
            text += f"[{str(element.bool_key).lower()}]"
        elif kind is not None:
            text += f"[{getattr(element, kind)}]"
    return text


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace('"', '\\"')


# The messages of the program, as far as they are read here.


@cache
def _result_set() -> Any:
    pool = descriptor_pool.DescriptorPool()
    for module in (descriptor_pb2, any_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    for file in _validate().file:
        if not file.name.endswith(("descriptor.proto", "any.proto")):
            pool.AddSerializedFile(file.SerializeToString())
    file = descriptor_pb2.FileDescriptorProto(
        name="harness.proto",
        package=_NAMES,
        syntax="proto3",
        dependency=[
            "google/protobuf/descriptor.proto",
            "google/protobuf/any.proto",
            "buf/validate/validate.proto",
        ],
    )
    _message(file, "ResultSet", suites=(3, "SuiteResults", True))
    _message(
        file,
        "SuiteResults",
        name=(1, "", False),
        cases=(4, "CaseResult", True),
        fdset=(5, ".google.protobuf.FileDescriptorSet", False),
    )
    _message(
        file,
        "CaseResult",
        name=(1, "", False),
        wanted=(3, "TestResult", False),
        input=(5, ".google.protobuf.Any", False),
    )
    result = _message(
        file,
        "TestResult",
        success=(1, "bool", False),
        validation_error=(2, ".buf.validate.Violations", False),
        compilation_error=(3, "", False),
        runtime_error=(4, "", False),
        unexpected_error=(5, "", False),
    )
    result.oneof_decl.add(name="result")
    for field in result.field:
        field.oneof_index = 0
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_NAMES}.ResultSet"))


def _message(file: Any, name: str, /, **fields: tuple[int, str, bool]) -> Any:
    message = file.message_type.add(name=name)
    for field, (number, kind, many) in fields.items():
        made = message.field.add(name=field, number=number, label=3 if many else 1)
        made.type = {"": _STRING, "bool": _BOOL}.get(kind, _MESSAGE)
        if made.type == _MESSAGE:
            made.type_name = kind if kind.startswith(".") else f".{_NAMES}.{kind}"
    return message


def _validate() -> Any:
    """The descriptors of validate.proto, as it comes along with the compiler."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "validate.binpb"
        arguments = [f"-I{_PROTOS}", f"-I{Path(protoc.__file__).parent / '_proto'}"]
        arguments += ["--include_imports", f"--descriptor_set_out={target}"]
        assert protoc.main(["protoc", *arguments, "buf/validate/validate.proto"]) == 0
        return descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes())
