"""Compares generated files with those that are checked in.

Knows contents only, by path. Must not read any file.
"""

from __future__ import annotations

from itertools import zip_longest

__all__ = ["compare"]


def compare(wanted: dict[str, bytes], present: dict[str, bytes]) -> list[str]:
    """List what differs, one line for each file, in order of the paths.

    Args:
        wanted: what the schema gives, by path.
        present: what is there, by path; only files that codegen owns.
    """
    found = []
    for path in sorted(wanted.keys() | present.keys()):
        if path not in present:
            found.append(f"{path}: missing")
        elif path not in wanted:
            found.append(f"{path}: not generated any more, delete it")
        elif wanted[path] != present[path]:
            found.append(f"{path}: {_first_difference(wanted[path], present[path])}")
    return found


def _first_difference(wanted: bytes, present: bytes) -> str:
    try:
        pairs = zip_longest(wanted.decode().split("\n"), present.decode().split("\n"))
    # A descriptor set has no lines to name.
    except UnicodeDecodeError:
        return "another content"
    line, (new, old) = next((n, pair) for n, pair in enumerate(pairs, 1) if pair[0] != pair[1])
    return f"line {line} is {_show(old)}, should be {_show(new)}"


def _show(line: str | None) -> str:
    return "missing" if line is None else repr(line if len(line) <= 60 else f"{line[:57]}...")
