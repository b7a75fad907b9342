"""Finds the files of a schema on the disk, and all that they import.

Knows how a `.proto` file names others, and where ours are. Must not know what else is in one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rhtmx_codegen.problems import Location, Problem, SchemaError

__all__ = ["OWN", "Sources", "find_sources"]

OWN = Path(__file__).parent / "proto"
"""The folder with `rhtmx/v1/schema.proto` and `buf/validate/validate.proto`."""

_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\')|//[^\n]*|/\*.*?\*/', re.DOTALL)
_IMPORT = re.compile(r"""\bimport\s+(?:public\s+|weak\s+|option\s+)?["']([^"'\n]+)["']\s*;""")
_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a schema.

    Attributes:
        names: those that are compiled, as others import them, `app/v1/app.proto`.
        texts: of these and of all that they import, by such a name. What was not found is missing.
        shown: how the user calls each file that is theirs.
    """

    names: tuple[str, ...]
    texts: Mapping[str, bytes]
    shown: Mapping[str, str]

    def place(self, location: Location) -> Location:
        """The same place, with the file as the user calls it."""
        shown = self.shown.get(location.file, location.file)
        return Location(shown, location.line, location.column)

    def in_words_of_the_user(self, problems: Sequence[Problem]) -> list[Problem]:
        """The same problems, each at a file as the user calls it."""
        return [Problem(self.place(each.location), each.words) for each in problems]


def find_sources(files: Sequence[Path], roots: Sequence[Path] = ()) -> Sources:
    """Read the files of a schema and all that they import.

    Args:
        files: those that are compiled.
        roots: the folders from which imports are named, first the one that counts most. None: the
            one that the first file's package says, or else its own folder.

    Raises:
        SchemaError: one of the files cannot be read, or is in none of the folders.
    """
    texts = {file: _read(file) for file in files}
    folders = list(roots) or [_root_of(files[0], texts[files[0]])]
    names = tuple(_name_of(file, folders) for file in files)
    found: dict[str, bytes] = {}
    shown: dict[str, str] = {}
    ahead = list(names)
    for name in ahead:  # it grows as it is read
        path = next((each / name for each in [*folders, OWN] if (each / name).is_file()), None)
        if name in found or path is None:
            continue  # protobuf's own come with the compiler; of others it says what is missing
        found[name] = _read(path)
        if OWN not in path.parents:
            shown[name] = os.path.relpath(path)
        ahead += imports_of(found[name].decode(errors="replace"))
    return Sources(names, found, shown)


def imports_of(text: str) -> list[str]:
    """The names of the files that a file imports.

    Example:
        >>> imports_of('import "a.proto"; // import "b.proto";')
        ['a.proto']
    """
    return _IMPORT.findall(_COMMENT.sub(lambda found: found[1] or " ", text))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise SchemaError([Problem(Location(str(path)), f"it cannot be read: {reason}")]) from None


def _root_of(file: Path, text: bytes) -> Path:
    """The folder from which a file is named: above those that are called as its package is.

    What the folder is called in which one works, and those above it, means nothing: the project
    may be cloned to another place.
    """
    package = _PACKAGE.search(_COMMENT.sub(lambda found: found[1] or " ", text.decode("latin-1")))
    folder = file.resolve().parent
    if package is not None:
        parts = tuple(package[1].split("."))
        root = Path(*folder.parts[: -len(parts)])
        if folder.parts[-len(parts) :] == parts and root not in Path.cwd().parents:
            return root
    return folder


def _name_of(file: Path, folders: Sequence[Path]) -> str:
    path = file.resolve()
    for folder in folders:
        if path.is_relative_to(folder.resolve()):
            return path.relative_to(folder.resolve()).as_posix()
    among = ", ".join(f"'{os.path.relpath(each)}'" for each in folders)
    words = f"it is not in {among}: say with --root from which folder imports are named"
    raise SchemaError([Problem(Location(str(file)), words)])
