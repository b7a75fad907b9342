"""From a descriptor set to the texts of all files, in whichever way it was compiled.

Knows the order: read, compare with the lock, emit. Must not know the disk, the command line or the
protocol of plugins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from keyword import iskeyword
from typing import TypeAlias

from rhtmx_codegen.breaking import breaking
from rhtmx_codegen.lock import NO_LOCK, Lock, renames, with_version, write_lock
from rhtmx_codegen.model import Schema
from rhtmx_codegen.problems import Location, Problem, SchemaError
from rhtmx_codegen.read import read_schema
from rhtmx_codegen.retired import retired

__all__ = ["Emitter", "Emitters", "Generated", "emitters", "generate"]

Emitter: TypeAlias = Callable[[Schema], Mapping[str, str]]
"""Makes the files of one language, by their paths within its folder."""

Emitters: TypeAlias = Mapping[str, Emitter]
"""By the name of the language: `python`, `ts`."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What comes of a schema.

    Attributes:
        files: the texts by path: each language's folder, and a path in it.
        lock: the lock, with this version of the schema.
        breaking: the changes that clients of the same version could tell.
    """

    files: Mapping[str, str]
    lock: str
    breaking: tuple[Problem, ...]


def emitters() -> Emitters:
    """Those of the product."""
    from rhtmx_codegen.emit import emit_python, emit_typescript

    return {"python": emit_python, "ts": emit_typescript}


def generate(
    descriptor_set: bytes,
    files: Sequence[str],
    folders: Mapping[str, str],
    lock: Lock = NO_LOCK,
    *,
    against: Lock | None = None,
    using: Emitters | None = None,
) -> Generated:
    """Make the files of a schema.

    Args:
        descriptor_set: a serialised `FileDescriptorSet` with imports and source information.
        files: the names of the files that are compiled; their order does not matter.
        folders: where the files of each language go, by its name.
        lock: what the versions of the schema were.
        against: the lock that changes are looked for against; by default the same.
        using: the emitters, by default the product's.

    Raises:
        SchemaError: the schema cannot be turned into code; each problem with its place. Or nobody
            could import the folder of Python.
    """
    _check_package(folders.get("python", ""))
    schema = read_schema(descriptor_set, sorted(files))
    schema = replace(schema, renames=renames(lock, schema), retired=retired(lock, schema))
    makers = emitters() if using is None else using
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for language, folder in folders.items():
        try:
            made = makers[language](schema)
        except SchemaError as error:  # both languages refuse the same: it is said once
            problems += error.problems
            continue
        texts |= {f"{folder.rstrip('/')}/{path}": text for path, text in made.items()}
    if problems:
        raise SchemaError(set(problems))
    changes = breaking(lock if against is None else against, schema)
    return Generated(texts, write_lock(with_version(lock, schema)), tuple(changes))


def _check_package(folder: str) -> None:
    """Refuse a folder of Python that no program can import."""
    name = folder.rstrip("/").rpartition("/")[2]
    if name in ("", ".", "..") or (name.isidentifier() and not iskeyword(name)):
        return
    words = "Python imports the package by its folder's name, and no package can be called"
    advice = "take letters, digits and _, such as app_schema"
    raise SchemaError([Problem(Location(folder), f"{words} {name}: {advice}")])
