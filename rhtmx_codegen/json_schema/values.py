"""The rules of one value, in JSON Schema.

Knows each kind of a value, and each standard rule that JSON Schema can say exactly. Must not know
fields: whether a value may be missing is not said here.

A rule that cannot be said exactly is not said at all, but listed for `x-rhtmx`: whoever believes
the document refuses nothing that the server takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rhtmx_codegen.json_schema import rounded
from rhtmx_codegen.json_schema.forms import BASE64, DECIMAL, DURATION, FORMATS, PATTERNS, TIMESTAMP
from rhtmx_codegen.json_schema.regular import pattern_of
from rhtmx_codegen.model import Enum, Kind, Type
from rhtmx_codegen.rules.table import CelRow, Row
from rhtmx_codegen.types import INTEGERS

__all__ = [
    "Said",
    "base_of",
    "combined",
    "described",
    "not_zero",
    "nullable",
    "said_of",
    "said_of_many",
    "zero_of",
]

Part: TypeAlias = dict[str, Any]
"""A schema, or a part of one."""

_SAFE = 2**53 - 1
_RANGES: Mapping[Kind, tuple[int, int]] = {
    **dict.fromkeys((Kind.INT32, Kind.SINT32, Kind.SFIXED32), (-(2**31), 2**31 - 1)),
    **dict.fromkeys((Kind.UINT32, Kind.FIXED32), (0, 2**32 - 1)),
    **dict.fromkeys((Kind.INT64, Kind.SINT64, Kind.SFIXED64), (-_SAFE, _SAFE)),
    **dict.fromkeys((Kind.UINT64, Kind.FIXED64), (0, _SAFE)),
}
_UNSIGNED = frozenset((Kind.UINT32, Kind.FIXED32, Kind.UINT64, Kind.FIXED64))
_BASES: Mapping[Kind, Part] = {
    Kind.STRING: {"type": "string"},
    Kind.BOOL: {"type": "boolean"},
    Kind.BYTES: {"type": "string", "contentEncoding": "base64", "pattern": BASE64},
    Kind.FLOAT: {
        "type": "number",
        "exclusiveMinimum": -rounded.at_most(rounded.LARGEST)["exclusiveMaximum"],
        **rounded.at_most(rounded.LARGEST),
    },
    Kind.DOUBLE: {"type": "number"},
    Kind.TIMESTAMP: {"type": "string", "format": "date-time", "pattern": TIMESTAMP},
    Kind.DURATION: {"type": "string", "pattern": DURATION},
    Kind.ANY: {
        "type": "object",
        "required": ["@type"],
        "properties": {"@type": {"type": "string"}},
    },
    Kind.FIELD_MASK: {"type": "string"},
    Kind.VALUE: {},
    Kind.STRUCT: {"type": "object"},
    Kind.LIST_VALUE: {"type": "array"},
}
_HIGHER = frozenset(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"))
_LOWER = frozenset(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"))
_OF_ANY_TYPE = frozenset(("const", "enum", "not", "anyOf", "oneOf", "allOf", "$ref"))
_NUMBERS = INTEGERS | {Kind.FLOAT, Kind.DOUBLE}
_UNLIKE = frozenset((Kind.FLOAT, Kind.ENUM, Kind.BYTES, Kind.TIMESTAMP, Kind.DURATION))
"""Of which two values can be equal that JSON writes in two ways."""


@dataclass(slots=True)
class Said:
    """What is said of a value.

    Attributes:
        schema: in JSON Schema.
        format: the format that it is nearest to, if any.
        listed: the rules that are not in `schema`, or are there in numbers that nobody wrote.
    """

    schema: Part
    format: str = ""
    listed: list[Row | CelRow] = field(default_factory=list)


def base_of(value: Type, enum: Enum | None, name: str = "") -> Part:
    """What a single value of a type is, without any rule.

    Args:
        value: the type.
        enum: it, if the type is one.
        name: of the definition of the message, if the type is one.
    """
    if value.kind is Kind.MESSAGE:
        return {"$ref": f"#/$defs/{name}"}
    if enum is not None:
        low, high = _RANGES[Kind.INT32]
        number = {"type": ["string", "integer"], "minimum": low, "maximum": high}
        return {"anyOf": [{"enum": [each.word for each in enum.values]}, number]}
    if value.text:
        pattern = DECIMAL.replace("-?", "") if value.kind in _UNSIGNED else DECIMAL
        return {"type": "string", "pattern": pattern}
    if value.kind in _RANGES:
        low, high = _RANGES[value.kind]
        return {"type": "integer", "minimum": low, "maximum": high}
    return dict(_BASES[value.kind])


def zero_of(value: Type, enum: Enum | None) -> Part:
    """What a single value is that counts as nothing in a field without presence.

    -0 does not, but is the same number as 0 in JSON Schema.
    """
    if enum is not None:
        # An empty word counts as nothing, too.
        return {"enum": [*(each.word for each in enum.values if not each.number), 0, ""]}
    if value.kind is Kind.FLOAT:
        return dict(rounded.equal(0.0))
    if value.kind is Kind.BOOL:
        return {"const": False}
    if value.kind in _NUMBERS:
        return {"const": "0" if value.text else 0}
    return {"const": ""}


def not_zero(value: Type, enum: Enum | None) -> Part:
    """What a single value is that does not count as nothing."""
    zero = zero_of(value, enum)
    return {"minLength": 1} if zero == {"const": ""} else {"not": zero}


def said_of(rows: Iterable[Row | CelRow], value: Type, enum: Enum | None, pattern: str) -> Said:
    """Say the rules of a single value.

    Args:
        rows: they.
        value: its type.
        enum: it, if the type is one.
        pattern: the text of its pattern, of which rows have only a table.
    """
    found = Said({})
    for row in rows:
        part = None if isinstance(row, CelRow) else _part(row, value, enum, pattern)
        if part is None or (value.kind is Kind.FLOAT and part):
            found.listed.append(row)
        found.schema = combined(found.schema, part or {})
        if isinstance(row, Row) and row.check in FORMATS:
            found.format = FORMATS[row.check]
    return found


def said_of_many(rows: Iterable[Row | CelRow], value: Type) -> Said:
    """Say the rules of a list, or of a map, as a whole.

    Args:
        rows: they.
        value: the type of what is in it.
    """
    found = Said({})
    for row in rows:
        part: Part | None = None
        if isinstance(row, Row):
            if row.check in _SIZES:
                part = {_SIZES[row.check]: row.arguments[0]}
            elif row.check == "unique" and value.kind not in _UNLIKE:
                part = {"uniqueItems": True}
        if part is None:
            found.listed.append(row)
        found.schema = combined(found.schema, part or {})
    return found


_SIZES = {
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_pairs": "minProperties",
    "max_pairs": "maxProperties",
}


def described(base: Part, rules: Part) -> Part:
    """A kind of values, with its rules: the words of an enum need not be there twice."""
    return rules if "enum" in rules and "anyOf" in base else combined(base, rules)


def combined(schema: Part, part: Part) -> Part:
    """A schema that says what two say.

    Example:
        >>> combined({"type": "integer", "minimum": 0}, {"minimum": 5, "not": {"const": 7}})
        {'type': 'integer', 'minimum': 5, 'not': {'const': 7}}
        >>> combined({"pattern": "^a"}, {"pattern": "z$"})
        {'pattern': '^a', 'allOf': [{'pattern': 'z$'}]}
    """
    result = dict(schema)
    for key, value in part.items():
        if key not in result:
            result[key] = value
        elif key in _HIGHER:
            result[key] = max(result[key], value)
        elif key in _LOWER:
            result[key] = min(result[key], value)
        elif key == "allOf":
            result[key] = [*result[key], *value]
        elif result[key] != value:
            result["allOf"] = [*result.get("allOf", ()), {key: value}]
    return result


def nullable(schema: Part) -> Part:
    """The same, or null.

    Example:
        >>> nullable({"type": "string", "minLength": 1}), nullable({"$ref": "#/$defs/Task"})
        ({'type': ['string', 'null'], 'minLength': 1}, {'anyOf': [{'$ref': '#/$defs/Task'}, \
{'type': 'null'}]})
    """
    if not schema:
        return {}
    if schema.keys() == {"enum"}:
        return {"enum": [*schema["enum"], None]}
    if schema.keys() == {"anyOf"}:
        return {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    kinds = schema.get("type")
    if kinds is None or not _OF_ANY_TYPE.isdisjoint(schema):
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [*([kinds] if isinstance(kinds, str) else kinds), "null"]}


# Single rules: what each of them is in JSON Schema, or `None`


def _part(row: Row, value: Type, enum: Enum | None, pattern: str) -> Part | None:
    if enum is not None:
        return _of_enum(row, enum)
    if value.kind is Kind.STRING:
        return _of_text(row, pattern)
    if value.kind is Kind.ANY:
        return _of_any(row)
    if value.kind is Kind.FLOAT:
        return _of_float(row)
    if value.kind in _NUMBERS or value.kind is Kind.BOOL:
        return _of_number(row, value)
    return None


def _of_text(row: Row, pattern: str) -> Part | None:
    if row.check in PATTERNS:
        return {"pattern": PATTERNS[row.check]}
    if row.check in _TEXTS:
        return _TEXTS[row.check](row.arguments[0])
    if row.check == "pattern":
        found = pattern_of(pattern)
        return None if found is None else {"pattern": found}
    return _of_choice(row)


def _found(before: str, after: str) -> Callable[[str], Part | None]:
    def part(text: str) -> Part | None:
        found = pattern_of(f"{before}\\Q{text}\\E{after}") if "\\E" not in text else None
        return None if found is None else {"pattern": found}

    return part


def _without(text: str) -> Part | None:
    found = _found("", "")(text)
    return None if found is None else {"not": found}


_TEXTS: Mapping[str, Callable[[Any], Part | None]] = {
    "length": lambda size: {"minLength": size, "maxLength": size},
    "min_len": lambda size: {"minLength": size},
    "max_len": lambda size: {"maxLength": size},
    "prefix": _found("^", ""),
    "suffix": _found("", "$"),
    "contains": _found("", ""),
    "not_contains": _without,
}


def _of_choice(row: Row, shown: Callable[[Any], Any] = lambda each: each) -> Part | None:
    match row.check:
        case "const":
            return {"const": shown(row.arguments[0])}
        case "is_in":
            return {"enum": [shown(each) for each in dict.fromkeys(row.arguments[0])]}
        case "not_in":
            return {"not": {"enum": [shown(each) for each in dict.fromkeys(row.arguments[0])]}}
    return None


def _of_any(row: Row) -> Part | None:
    if row.check not in ("any_in", "any_not_in"):
        return None
    types = {"enum": list(row.arguments[0])}
    return {"properties": {"@type": types if row.check == "any_in" else {"not": types}}}


def _of_enum(row: Row, enum: Enum) -> Part | None:
    def spelt(numbers: Iterable[int]) -> list[Any]:
        wanted = list(dict.fromkeys(numbers))
        return [*(each.word for each in enum.values if each.number in wanted), *wanted]

    match row.check:
        case "const":
            return {"enum": spelt(row.arguments)}
        case "is_in":
            return {"enum": spelt(row.arguments[0])}
        case "not_in":
            return {"not": {"enum": spelt(row.arguments[0])}}
        case "defined_only":
            return {"enum": spelt(each.number for each in enum.values)}
    return None


def _of_number(row: Row, value: Type) -> Part | None:
    if row.check == "finite":
        return {}  # what is not, is no number in JSON
    if value.text:
        return _of_choice(row, str)
    numbers = row.arguments[0] if row.check in ("is_in", "not_in") else row.arguments
    if not all(math.isfinite(each) for each in numbers):
        return None
    return _of_choice(row, _plain) or _of_bounds(row, _BOUNDS)


def _of_float(row: Row) -> Part | None:
    if row.check == "finite":
        return {}
    numbers = row.arguments[0] if row.check in ("is_in", "not_in") else row.arguments
    if not all(math.isfinite(each) for each in numbers):
        return None
    match row.check:
        case "const":
            return dict(rounded.equal(row.arguments[0]))
        case "is_in":
            return {"anyOf": [rounded.equal(each) for each in numbers]}
        case "not_in":
            return {"not": {"anyOf": [rounded.equal(each) for each in numbers]}}
    return _of_bounds(row, _ROUNDED)


def _of_bounds(row: Row, bounds: Mapping[str, Callable[[Any], Part]]) -> Part | None:
    """The bounds of `gt_lte` and the like; outside of them if the first is the greater one."""
    names = row.check.split("_")
    if not all(each in bounds for each in names):
        return None
    parts = [bounds[name](value) for name, value in zip(names, row.arguments, strict=True)]
    if len(parts) == 1:
        return parts[0]
    low, high = row.arguments
    return {"anyOf": parts} if low > high else {**parts[0], **parts[1]}


_BOUNDS: Mapping[str, Callable[[Any], Part]] = {
    "gt": lambda bound: {"exclusiveMinimum": _plain(bound)},
    "gte": lambda bound: {"minimum": _plain(bound)},
    "lt": lambda bound: {"exclusiveMaximum": _plain(bound)},
    "lte": lambda bound: {"maximum": _plain(bound)},
}
_ROUNDED: Mapping[str, Callable[[Any], Part]] = {
    "gt": lambda bound: dict(rounded.more_than(bound)),
    "gte": lambda bound: dict(rounded.at_least(bound)),
    "lt": lambda bound: dict(rounded.less_than(bound)),
    "lte": lambda bound: dict(rounded.at_most(bound)),
}


def _plain(number: Any) -> Any:
    """A number without a point where it needs none."""
    whole = isinstance(number, float) and number.is_integer() and abs(number) <= _SAFE
    return int(number) if whole else number
