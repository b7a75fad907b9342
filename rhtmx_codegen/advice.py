"""What to do about what the compiler says, where it does not say so itself.

Knows the compiler's words, and reads names in the text of files. Must not know how it is run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from rhtmx_codegen.problems import Location

__all__ = ["advice"]

_HOMES = {
    "buf.validate": "buf/validate/validate",
    "rhtmx.v1": "rhtmx/v1/schema",
    "google.protobuf": "google/protobuf/wrappers",
    **{
        f"google.protobuf.{name}": f"google/protobuf/{file}"
        for file, names in {
            "any": ("Any",),
            "duration": ("Duration",),
            "field_mask": ("FieldMask",),
            "struct": ("Struct", "Value", "ListValue", "NullValue"),
            "timestamp": ("Timestamp",),
        }.items()
        for name in names
    },
}
"""The files of what schemas name and do not have themselves: of one name, or of a package."""

_SAID = {
    "imported file does not exist": "say with --root from which folder imports are named",
    "used more than once": "a number means one thing for ever, take one that was never used",
    "reserved": "a number means one thing for ever, take one that was never used",
    "mismatched types": "this option takes another kind of value: a number, a text in quotes, "
    "true or false, a word of an enum, or a message in braces",
}
_FORGOTTEN = re.compile(r"cannot find `(buf\.validate|rhtmx\.v1|google\.protobuf)\.(\w+)")
_NO_FIELD = re.compile(r"cannot find message field `(\w+)` in `(buf\.validate|rhtmx\.v1)\.(\w+)`")
_NO_NAME = re.compile(r"cannot resolve message field name for `(buf\.validate|rhtmx\.v1)\.(\w+)`")
_NO_WORD = re.compile(r"cannot find `([A-Z]+_)(\w+)` in this scope")

_FIELD = re.compile(r"^ +[\w.<>, ]* (\w+) = \d+", re.MULTILINE)
_ENUM_WORD = re.compile(r"^ +([A-Z]\w+) = \d+", re.MULTILINE)
_ALIKE = 0.75
_MANY = 12
"""So many names are told at once; of more only one that is alike."""


def advice(words: str, place: Location, texts: Mapping[str, bytes]) -> str:
    """What follows the words of an error: nothing, or a colon and what to do.

    Args:
        words: those of the compiler.
        place: where it is.
        texts: of all files, by the names by which they import each other.
    """
    if found := next((each for said, each in _SAID.items() if said in words), ""):
        return f": {found}"
    if forgotten := _FORGOTTEN.match(words):
        package, name = forgotten.groups()
        home = _HOMES.get(f"{package}.{name}", _HOMES[package])
        return f': is there an `import "{home}.proto";`?'
    if no_field := _NO_FIELD.match(words):
        name, package, message = no_field.groups()
        return _instead(name, _fields_of(package, message, texts))
    if no_name := _NO_NAME.match(words):
        name = _name_at(place, texts)
        package, message = no_name.groups()
        known = _fields_of(package, message, texts)
        return f": it has no `{name}`{_instead(name, known)}" if name else ""
    if no_word := _NO_WORD.match(words):
        prefix, rest = no_word.groups()
        known = _ENUM_WORD.findall(_text(texts, f"{_HOMES['rhtmx.v1']}.proto"))
        return _instead(prefix + rest, [each for each in known if each.startswith(prefix)])
    return ""


def _instead(name: str, known: list[str]) -> str:
    if near := get_close_matches(name, known, n=1, cutoff=_ALIKE):
        return f": did you mean {near[0]}?"
    return f": take one of {', '.join(known)}" if 0 < len(known) <= _MANY else ""


def _fields_of(package: str, message: str, texts: Mapping[str, bytes]) -> list[str]:
    text = _text(texts, f"{_HOMES[package]}.proto")
    body = re.search(rf"^message {message} {{$(.*?)^}}$", text, re.MULTILINE | re.DOTALL)
    return _FIELD.findall(body[1]) if body else []


def _name_at(place: Location, texts: Mapping[str, bytes]) -> str:
    lines = _text(texts, place.file).splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    found = re.match(r"\w*", line[max(place.column - 1, 0) :])
    return found[0] if found else ""


def _text(texts: Mapping[str, bytes], name: str) -> str:
    return texts.get(name, b"").decode(errors="replace")
