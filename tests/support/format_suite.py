"""Writes `formats_conformance.json`: what protovalidate's conformance suite says of texts.

    python -m tests.support.format_suite --dump conf.bin --classes gen

The dump is what `protovalidate-conformance --dump --proto` prints (built from the Go module
`github.com/bufbuild/protovalidate/tools`, Apache-2.0); the classes are those that protoc makes of
its protos. Only inputs and verdicts are taken: each is a fact about a text.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf import descriptor_pool, message_factory

FILE = Path(__file__).parents[1] / "vectors" / "formats_conformance.json"
SOURCE = (
    "Inputs and verdicts of the conformance suite of protovalidate "
    "(https://github.com/bufbuild/protovalidate), Copyright 2023-2026 Buf Technologies, Inc., "
    "Apache License 2.0. Written by tests/support/format_suite.py."
)

RULES: dict[str, tuple[str, tuple[object, ...]]] = {
    "ip": ("is_ip", ()),
    "ipv4": ("is_ip", (4,)),
    "ipv6": ("is_ip", (6,)),
    "ip_with_prefixlen": ("is_ip_prefix", ()),
    "ipv4_with_prefixlen": ("is_ip_prefix", (4,)),
    "ipv6_with_prefixlen": ("is_ip_prefix", (6,)),
    "ip_prefix": ("is_ip_prefix", (0, True)),
    "ipv4_prefix": ("is_ip_prefix", (4, True)),
    "ipv6_prefix": ("is_ip_prefix", (6, True)),
    "host_and_port": ("is_host_and_port", (True,)),
}
"""Rule of `StringRules` → function and its arguments, where they are not called alike."""

HEADERS = {1: "is_header_name", 2: "is_header_value"}

Case: TypeAlias = tuple[str, tuple[object, ...], str, bool]


def asked_by_library(name: str, message: Any) -> tuple[str, tuple[object, ...]]:
    """The function that a message of the suites `library/…` is about, and its arguments."""
    if name == "is_host_and_port":
        return name, (message.port_required,)
    version = (message.version,) if "version" in set_fields(message) else ()
    strict = (message.strict,) if "strict" in set_fields(message) else ()
    return name, (*(version or ((0,) if strict else ())), *strict)


def set_fields(message: Any) -> set[str]:
    """The names of the fields that have a value, the zeros of optional fields included."""
    return {
        field.name
        for field in message.DESCRIPTOR.fields
        if field.has_presence and message.HasField(field.name)
    }


def asked_by_rule(rules: Any) -> tuple[str, tuple[object, ...]] | None:
    """The function that a rule of a text is about, and its arguments."""
    name = rules.WhichOneof("well_known")
    if name is None or not getattr(rules, name):
        return None
    if name == "well_known_regex":
        strict = rules.strict if rules.HasField("strict") else True
        return HEADERS[rules.well_known_regex], (strict,)
    return RULES.get(name, (f"is_{name}", ()))


def cases(dump: bytes) -> Iterator[Case]:
    """All cases about one text whose form is asked for."""
    results = importlib.import_module("buf.validate.conformance.harness.results_pb2")
    options = importlib.import_module("buf.validate.validate_pb2")
    for suite in results.ResultSet.FromString(dump).suites:
        pool = pool_of(suite.fdset)
        for case in suite.cases:
            found = pool.FindMessageTypeByName(case.input.type_url.rpartition("/")[2])
            message: Any = message_factory.GetMessageClass(found).FromString(case.input.value)
            good = case.wanted.WhichOneof("result") == "success"
            if suite.name.startswith("library/"):
                yield *asked_by_library(suite.name.partition("/")[2], message), message.val, good
            elif suite.name == "standard_rules/string" and len(found.fields) == 1:
                given = options.FieldRules.FromString(rules_of(found.fields[0]))
                asked = asked_by_rule(given.string)
                if asked and isinstance(message.val, str):
                    yield *asked, message.val, good


def rules_of(field: Any) -> bytes:
    """The bytes of `(buf.validate.field)`, whose number is 1159."""
    options = importlib.import_module("buf.validate.validate_pb2")
    known = type(field.GetOptions()).FromString(field.GetOptions().SerializeToString())
    return bytes(known.Extensions[options.field].SerializeToString())


def pool_of(files: Any) -> descriptor_pool.DescriptorPool:
    """The files, each after those that it imports."""
    pool = descriptor_pool.DescriptorPool()
    waiting = {file.name: file for file in files.file}

    def add(name: str) -> None:
        file = waiting.pop(name, None)
        if file is not None:
            for other in file.dependency:
                add(other)
            pool.AddSerializedFile(file.SerializeToString())

    for name in list(waiting):
        add(name)
    return pool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dump", type=Path, required=True)
    parser.add_argument("--classes", type=Path, required=True)
    given = parser.parse_args()
    sys.path.insert(0, str(given.classes))
    found = sorted(set(cases(given.dump.read_bytes())), key=repr)
    lines = ",\n".join(
        json.dumps({"function": name, "arguments": arguments, "text": text, "valid": valid})
        for name, arguments, text, valid in found
    )
    FILE.write_text(f'{{"source": {json.dumps(SOURCE)}, "cases": [\n{lines}\n]}}\n')
    print(len(found), "cases of", len({name for name, *_ in found}), "functions")  # noqa: T201


if __name__ == "__main__":
    main()
