"""The plugin `protoc-gen-rhtmx`: the same files by `buf generate` or `protoc`.

Knows how compilers talk to a plugin, and its options. Must not know what is in a file.

In `buf.gen.yaml`, with paths from where the output goes (`out`):

    plugins:
      - local: protoc-gen-rhtmx
        out: .
        strategy: all
        opt: [python=app_schema, ts=src/schema, lock=schema.lock]

`strategy: all` since a schema is compiled as a whole. The workspace needs the two files that
`rhtmx codegen --protos FOLDER` writes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

from rhtmx_codegen.generate import Emitters, generate
from rhtmx_codegen.lock import NO_LOCK, Lock, read_lock
from rhtmx_codegen.problems import SchemaError

__all__ = ["answer", "main"]

_LOCK = "schema.lock"
_OPTIONS = ("python", "ts", "lock")
_NOT_THEIRS = ("rhtmx/v1/", "buf/validate/", "google/protobuf/")
"""What lies in a workspace beside the schema, and is compiled with it."""

Response = plugin_pb2.CodeGeneratorResponse


def main() -> int:
    """Answer the request on standard input, on standard output.

    Returns:
        The exit code: 0; what is wrong with a schema is part of the answer.
    """
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))
    return 0


def answer(request: bytes, *, using: Emitters | None = None) -> bytes:
    """Answer a request.

    Args:
        request: a serialised `CodeGeneratorRequest`.
        using: what makes the files, by default the product's emitters.

    Returns:
        A serialised `CodeGeneratorResponse`.
    """
    asked = plugin_pb2.CodeGeneratorRequest.FromString(request)
    features = Response.FEATURE_PROTO3_OPTIONAL | Response.FEATURE_SUPPORTS_EDITIONS
    response = Response(
        supported_features=features,
        minimum_edition=descriptor_pb2.EDITION_PROTO3,
        maximum_edition=descriptor_pb2.EDITION_2024,
    )
    try:
        for path, text in sorted(_files(asked, using).items()):
            response.file.add(name=path, content=text)
    except (SchemaError, ValueError, OSError) as error:
        response.error = str(error)
    return response.SerializeToString()


def _files(asked: plugin_pb2.CodeGeneratorRequest, using: Emitters | None) -> Mapping[str, str]:
    options = _options(asked.parameter)
    folders = {name: folder for name, folder in options.items() if name != "lock"}
    if not folders:
        raise ValueError("where to? give the plugin an option python=FOLDER, ts=FOLDER, or both")
    names = [name for name in asked.file_to_generate if not name.startswith(_NOT_THEIRS)]
    if not names:
        return {}  # asked by folders, this is one without a schema
    made = generate(
        _descriptor_set(asked),
        names,
        folders,
        _lock(Path(options.get("lock", _LOCK))),
        using=using,
    )
    return {**made.files, options["lock"]: made.lock} if "lock" in options else made.files


def _options(parameter: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in filter(None, parameter.split(",")):
        name, _, value = each.partition("=")
        if name not in _OPTIONS or not value:
            known = ", ".join(f"{option}=…" for option in _OPTIONS)
            raise ValueError(f"there is no option {each!r} here: the known ones are {known}")
        found[name] = value
    return found


def _lock(path: Path) -> Lock:
    """The lock, which says what keys were called in older versions; none is none."""
    return read_lock(path.read_bytes(), str(path)) if path.exists() else NO_LOCK


def _descriptor_set(asked: plugin_pb2.CodeGeneratorRequest) -> bytes:
    """The files as a compiler would write them into a file.

    Of those that are compiled the request has one form for use at run time, which lacks what is
    for the source only, and the whole one.
    """
    whole = {file.name: file for file in asked.source_file_descriptors}
    files = [whole.get(file.name, file) for file in asked.proto_file]
    return descriptor_pb2.FileDescriptorSet(file=files).SerializeToString()


if __name__ == "__main__":
    sys.exit(main())
