"""The messages of `tests/schemas/seen.proto`, the JSON Schema of them, and values near their rules.

`python -m tests.support.seen --values 100000 --seed 7` compares JSON Schema with the judge.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.validators import extend

from rhtmx.errors import Violation
from rhtmx.patterns.matching import matches
from rhtmx.patterns.pattern import compile_pattern
from rhtmx.schema import Field, Message, judge
from rhtmx.schema import message as table_of
from rhtmx_codegen.json_schema import json_schema
from rhtmx_codegen.model import Schema
from rhtmx_codegen.read import read_schema
from tests.support.judged import judged_schema, tables_of
from tests.support.schemas import descriptors

__all__ = ["Compared", "checker", "compare", "seen_schema"]

_SOURCE = Path(__file__).parents[1] / "schemas" / "seen.proto"


@cache
def seen_schema() -> Schema:
    """The schema."""
    return read_schema(descriptors({"seen.proto": _SOURCE.read_text()}), ["seen.proto"])


# JSON Schema


@cache
def _table(pattern: str) -> str:
    return compile_pattern(pattern).table


def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[Any]:
    # The library's own takes "a\n" for "^a$", since Python's `$` does.
    if isinstance(value, str) and not matches(_table(pattern), value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


_Checker: Any = extend(jsonschema.Draft202012Validator, {"pattern": _pattern})


def checker(document: Mapping[str, Any], name: str) -> Callable[[Any], bool]:
    """What tells whether a definition of a document takes a value."""
    return _Checker({**document, "$ref": f"#/$defs/{name}"}).is_valid  # type: ignore[no-any-return]


# Values

_TEXTS = (
    *(
        "",
        "a",
        "ab",
        "abc",
        "abcd",
        "é",
        "ß",
        "😀",
        "😀😀",
        "😀😀😀😀",
        "AB",
        "\u017fK x",
        "ab\n",
        "ab ",
        " ab",
        "ab-1",
    ),
    *("a.(m)z", "a.(m)z\\", "a.z", "x ab y", "k\tq", "k\u00a0q", "none", "x"),
    *("ada@example.com", "a@localhost", "a@b..c", "ä@b.c", "e-mail@x.y"),
    *("0190b2a5-3a5c-7c3e-9f00-0123456789ab", "0190b2a5-3a5c-7c3e-9f00-0123456789aB\n"),
    *("127.0.0.1", "1.2.3.256", "example.com", "http://a.b/", "javascript:alert(1)"),
    *(
        "0",
        "-1",
        "-0",
        "01",
        "5",
        "6",
        "9007199254740993",
        "1.5s",
        "10s",
        "9.999999999s",
        "-1s",
        "s",
    ),
    *("1970-01-01T00:00:10Z", "1970-01-01T00:00:10.1Z", "2026-02-30T00:00:00Z"),
    *("AAEC", "AAECAw==", "AAECAw", "AAECAwQ=", "_-__", "A", "QQ=", "=", "QQ=="),
    *("open", "shut", "odd one", "unspecified", "unknown", "low", "high"),
)
_NUMBERS = (
    *(0, 1, -1, 2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 100, 101, -4, -5, -6, 2**31 - 1, 2**31),
    *(-(2**31), -(2**31) - 1, 2**32 - 1, 2**32, 2**53 - 1, 2**53, -(2**53), 0.5, 1.0, 5.0, 1.5),
    *(0.1, 0.10000000149011612, 0.09999999776482582, 0.09999999776482583, 1e21, 9.99e20, 1e39),
    *(0.33333334, 0.33333333, 1 / 3, 3.4028235e38, 3.4028235677973366e38, 1e-46, -1e-46, -1e-45),
    *(7.006492321624085e-46, 7.00649232162409e-46, -1.0000001, -0.99999999, 0.49999999999, 1e2),
)
_OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [None], {"a": None}, [[]])


class _Values:
    """Values near the rules of the messages."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def message(self, table: Message, depth: int = 0) -> dict[str, Any]:
        """One for each of some of the fields."""
        chosen = self._random
        share = chosen.choice((0.1, 0.5, 0.9, 1.0))
        found = {
            each.key: self.value(each.kind, depth)
            for each in table.fields
            if chosen.random() < share
        }
        return {**found, "more": 1} if chosen.random() < 0.1 else found

    def value(self, kind: Any, depth: int = 0) -> Any:
        """One that may be of a kind."""
        chosen = self._random
        if chosen.random() < 0.06:
            return chosen.choice((*_OTHERS, *_TEXTS, *_NUMBERS))
        if kind.word == "repeated":
            return [self.value(kind.item, depth) for _ in range(chosen.choice((0, 1, 1, 2, 3, 4)))]
        if kind.word == "map":
            keys = ("1", "0", "-7", "007", "true", "false", "a", "abcd", "", "😀😀😀", "2147483648")
            size = chosen.choice((0, 1, 1, 2, 3))
            return {chosen.choice(keys): self.scalar(depth) for _ in range(size)}
        if kind.word == "message":
            return self.part(depth)
        if kind.word == "any":
            names = ("seen.v1.Part", "seen.v1.Other", "judged.Part")
            return {"@type": f"type.googleapis.com/{chosen.choice(names)}"}
        return self.simple(kind)

    def simple(self, kind: Any) -> Any:
        chosen = self._random
        if kind.in_text or kind.word in ("string", "bytes", "timestamp", "duration", "field_mask"):
            return chosen.choice(_TEXTS)
        if kind.word == "bool":
            return chosen.choice((True, False))
        if kind.word == "enum":
            words = ("open", "shut", "odd one", "unspecified", "unknown", "low", "high")
            return chosen.choice((*words, "", 0, 1, 2, 7, 8, 1.0, 1.5, 2**31))
        if kind.word in ("float", "double"):
            return self.number()
        if kind.word in ("struct", "list_value", "value"):
            return chosen.choice(_OTHERS)
        return chosen.choice(_NUMBERS)

    def number(self) -> float:
        """One of them, or a neighbour of it."""
        chosen = self._random
        value = chosen.choice(_NUMBERS)
        if chosen.random() < 0.5:
            (bits,) = struct.unpack("<q", struct.pack("<d", value))
            (value,) = struct.unpack("<d", struct.pack("<q", bits + chosen.choice((-1, 1))))
        return value if value == value and abs(value) < 1e300 else 1.0

    def scalar(self, depth: int) -> Any:
        """One of any type."""
        chosen = self._random
        return chosen.choice(
            ("", "a", "b", True, False, 0, "low", "open", {"name": "x"}, {}, None, 1)
        )

    def part(self, depth: int) -> Any:
        """A message within another."""
        chosen = self._random
        found: dict[str, Any] = {}
        if chosen.random() < 0.7:
            found["name"] = chosen.choice(("", "x", "none", 1, None))
        if depth < 2 and chosen.random() < 0.3:
            found["inner"] = self.part(depth + 1)
        return found


# The comparison


@dataclass(slots=True)
class Compared:
    """What came of a comparison.

    Attributes:
        good: values that both take.
        bad: values that both refuse.
        open: values that break none but rules that JSON Schema cannot say.
        wrong: values about which they differ, with what the judge says.
    """

    good: int = 0
    bad: int = 0
    open: int = 0
    wrong: list[tuple[str, Any, Any]] = field(default_factory=list)

    def add(self, name: str, value: Any, wanted: bool | None, right: bool, found: Any) -> None:
        """Count a value.

        Args:
            name: of what it is of.
            value: it.
            wanted: whether it is right; `None`: JSON Schema cannot know.
            right: what JSON Schema says.
            found: what the judge says.
        """
        if wanted is None:
            self.open += 1
        elif wanted != right:
            self.wrong.append((name, value, found))
        elif right:
            self.good += 1
        else:
            self.bad += 1


class _Open:
    """Which violations JSON Schema cannot know of.

    Args:
        document: of a schema.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._defs = document["$defs"]
        self._rules = {
            name: {each["id"] for each in definition.get("x-rhtmx", {}).get("rules", ())}
            for name, definition in self._defs.items()
        }

    def is_open(self, name: str, table: Message, violation: Violation) -> bool:
        """Whether a violation is of a rule that is only listed, or of a form that is none."""
        first, *inner = re.split(r"[.\[]", violation.field)
        code = violation.code.removesuffix("_empty").removesuffix("_exclusive")
        row = table.by_name.get(first)
        if row is None:
            return code in self._rules[name]
        said = self._defs[name]["properties"].get(row.key, {})
        kind = row.kind.item or row.kind
        if kind.word in ("timestamp", "duration") and code == "type":
            return True
        if code == "range" and (row.kind.in_text or (inner and row.kind.word == "map")):
            return True
        if row.kind.word == "float":
            return False  # its bounds are listed, too, as they were written
        if inner and "unjudged" in json.dumps(said):
            return True
        listed = set(_listed(said))
        if inner or row.kind.word == "message":
            listed |= {each for rules in self._rules.values() for each in rules}
        return code in listed


def _listed(schema: Any) -> Iterator[str]:
    """The ids of the rules that are listed in a schema."""
    if isinstance(schema, dict):
        for rule in schema.get("x-rhtmx", {}).get("rules", ()):
            yield rule["id"]
        for each in schema.values():
            yield from _listed(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _listed(each)


def compare(schema: Schema, seed: int, values: int) -> Compared:
    """Judge random values in both ways: fields alone, and messages as a whole.

    Args:
        schema: of its messages.
        seed: of the values.
        values: how many of each field, and of each message.
    """
    document, made, compared = json_schema(schema), _Values(seed), Compared()
    is_open = _Open(document).is_open
    for name, table in tables_of(schema).items():
        definition = document["$defs"].get(name)
        if definition is None:
            continue
        rows = [each for each in table.fields if each.key in definition["properties"]]
        parts = [(f"{name}.{each.key}", table_of(name, each)) for each in rows]
        parts.append((name, table_of(name, *rows, rules=_seen_rules(table, rows))))
        for what, part in parts:
            takes = _takes(document, name, None if part.rules else part)
            for _ in range(values):
                value = made.message(part)
                found = judge(part, value)
                sure = any(not is_open(name, part, each) for each in found)
                wanted = False if sure else None if found else True
                compared.add(what, value, wanted, takes(value), found)
    return compared


def _seen_rules(table: Message, rows: list[Field]) -> tuple[Any, ...]:
    """The rules that read nothing but these fields."""
    names = {each.name for each in rows}
    return tuple(each for each in table.rules if each.reads <= names)


def _takes(document: Mapping[str, Any], name: str, part: Message | None) -> Callable[[Any], bool]:
    """What tells whether a definition takes a value; or one with none but one of its fields."""
    definition = document["$defs"][name]
    if part is not None:
        keys = {each.key for each in part.fields}
        properties = {key: definition["properties"][key] for key in keys}
        required = [each for each in definition.get("required", ()) if each in keys]
        definition = {"type": "object", "properties": properties, "required": required}
    return checker({**document, "$defs": {**document["$defs"], "-": definition}}, "-")


def main() -> int:
    """Run a long comparison."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--values", type=int, default=10_000, help="of each message")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failed = 0
    for schema in (seen_schema(), judged_schema()):
        found = compare(schema, options.seed, options.values)
        _say(f"{found.good} good, {found.bad} bad, {found.open} open, {len(found.wrong)} differ")
        for name, value, said in found.wrong[:10]:
            _say(f"{name} {json.dumps(value)} {said}")
        failed += len(found.wrong)
    return 1 if failed else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    raise SystemExit(main())
