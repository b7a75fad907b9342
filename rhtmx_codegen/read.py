"""Reads an application's schema out of a descriptor set.

Knows the order of things: which messages belong to the schema, and what is looked at. Must not
know a file of the disk, what a rule means, or what is emitted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rhtmx_codegen.entities import entity_problems
from rhtmx_codegen.keys import key_problems
from rhtmx_codegen.messages import Reader
from rhtmx_codegen.model import Enum, Message, Schema
from rhtmx_codegen.names import name_problems
from rhtmx_codegen.places import Places
from rhtmx_codegen.pool import Pool, bare_set, plain_files
from rhtmx_codegen.problems import Location, Problem, SchemaError

__all__ = ["read_schema", "read_with_problems"]


def read_schema(descriptor_set: bytes, files: Sequence[str]) -> Schema:
    """Read the schema that these files are.

    Args:
        descriptor_set: a serialised `FileDescriptorSet` with all imports; with source information,
            if places and comments are to be known.
        files: the names of the files that are compiled, as they are in the set.

    Raises:
        SchemaError: it cannot be a schema; each problem with its place.
    """
    schema, problems = read_with_problems(descriptor_set, files)
    if problems:
        raise SchemaError(problems)
    return schema


def read_with_problems(
    descriptor_set: bytes, files: Sequence[str]
) -> tuple[Schema, tuple[Problem, ...]]:
    """Read what can be read, and say what is wrong with it.

    Args:
        descriptor_set: see `read_schema`.
        files: see `read_schema`.

    Returns:
        The schema, and the problems in the order of the source. Where there is one the schema may
        lack something.

    Raises:
        SchemaError: it is no descriptor set, lacks a file, or has keys that are there twice.
    """
    try:
        descriptors = bare_set(descriptor_set, files)
        twice = [each for file in plain_files(descriptor_set) for each in key_problems(file)]
        if twice:
            raise SchemaError(twice)
        reader = Reader(Pool(descriptor_set))
    except ValueError as error:
        raise SchemaError([Problem(Location(files[0] if files else ""), str(error))]) from None
    messages, enums = _reached(reader, files)
    version, oldest, wrong = _versions(reader, files)
    schema = Schema(messages, enums, tuple(files), version, oldest, descriptors)
    problems = [*reader.problems, *wrong, *name_problems(schema), *entity_problems(schema)]
    return schema, tuple(sorted(set(problems)))


def _reached(reader: Reader, files: Sequence[str]) -> tuple[dict[str, Message], dict[str, Enum]]:
    """All messages and enums of the files, and then what these use."""
    messages: dict[str, Message] = {}
    enums: dict[str, Enum] = {}
    ahead = [name for file in files for name in reader.declared_in(file)]
    for name in ahead:  # it grows as it is read
        if name in messages or name in enums:
            continue
        if (enum := reader.enum(name)) is not None:
            enums[name] = enum
        elif (message := reader.message(name)) is not None:
            messages[name] = message
            ahead += _used(message)
    return messages, enums


def _used(message: Message) -> Iterator[str]:
    for field in message.fields:
        if field.type.kind.value in ("message", "enum"):
            yield field.type.name


def _versions(reader: Reader, files: Sequence[str]) -> tuple[int, int, list[Problem]]:
    """Version and oldest version, which one of the files may say."""
    said: list[tuple[Any, Location]] = []
    for name in files:
        file = reader.pool.files[name]
        options = reader.pool.option(file, "rhtmx.v1.schema")
        if options is not None:
            said.append((options, Places(file).location(_OPTIONS, _SCHEMA)))
    if not said:
        return 1, 0, []
    options, location = said[0]
    version, oldest = options.version or 1, options.oldest
    problems = [
        Problem(place, f"(rhtmx.v1.schema) is said in {location.file}, too: say it in one file")
        for _, place in said[1:]
    ]
    if oldest > version:
        words = f"oldest is {oldest}, and this is version {version}: nobody could write"
        problems.append(Problem(location, f"{words}: make it {version} or less"))
    return version, oldest, problems


_OPTIONS, _SCHEMA = 8, 50201
"""Where the option lies in a file, in the paths of the source information."""
