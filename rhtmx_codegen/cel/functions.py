"""The functions that need no more than the types of their arguments.

Knows their overloads, and how each is written. Must not know syntax.
"""

from __future__ import annotations

import operator as python_operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from rhtmx.schema.cel.formats import cel_is_ip_prefix
from rhtmx.schema.cel.numbers import cel_quotient, cel_remainder
from rhtmx_codegen.cel.build import call, operation, operator
from rhtmx_codegen.cel.pieces import Level
from rhtmx_codegen.cel.tree import Form, Node
from rhtmx_codegen.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
)

__all__ = ["FUNCTIONS", "METHODS", "Overload", "applied"]

Taken: TypeAlias = Type | str
"""An argument: of a type, or of any `list` or `map`."""


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function.

    Attributes:
        takes: its arguments, that before the point first.
        gives: the type of its value.
        forms: what is done to the arguments, and then to the result; nothing for a value of the
            type already.
    """

    takes: tuple[Taken, ...]
    gives: Type
    forms: tuple[Form, ...]

    def fits(self, arguments: Sequence[Node]) -> bool:
        """Tell whether it takes these arguments.

        Args:
            arguments: all of them.
        """
        return len(arguments) == len(self.takes) and all(
            argument.type.name == wanted
            if isinstance(wanted, str)
            else argument.type.bare == wanted
            for argument, wanted in zip(arguments, self.takes, strict=True)
        )


def applied(overloads: Sequence[Overload], arguments: Sequence[Node]) -> Node | None:
    """Return a call by the overload that fits; `None` if none does.

    Args:
        overloads: those of one function.
        arguments: all of them.
    """
    for overload in overloads:
        if overload.fits(arguments):
            found = arguments
            for form in overload.forms:
                found = [operation(form, overload.gives, *found)]
            return found[0]
    return None


def _way(takes: Sequence[Taken], gives: Type, *forms: Form) -> Overload:
    return Overload(tuple(takes), gives, forms)


def _method(python: str, typescript: str, apply: Any) -> Form:
    return Form(f"{{0:atom}}.{python}({{1}})", f"{{0:atom}}.{typescript}({{1}})", apply)


def _bytes_at(python: str, at: str, apply: Any) -> Form:
    return Form(f"{{0:atom}}.{python}({{1}})", f"s.celBytesAt({{0}}, {{1}}, {at})", apply)


_SIZE = replace(INT, span=(0, 2**31 - 1))
_AT = replace(INT, span=(-1, 2**31 - 1))
_LENGTH = Form("len({0})", "{0:atom}.length", len)
_CONTAINS = Form(
    "{1:sum} in {0:sum}",
    "{0:atom}.includes({1})",
    python_operator.contains,
    Level.COMPARE,
    Level.ATOM,
)
_TEXT_OF_NUMBER = Form("str({0})", "String({0})", str)
_TEXT_OF_BOOL = Form(
    '"true" if {0:or} else "false"',
    "String({0})",
    lambda value: "true" if value else "false",
    Level.CHOICE,
    Level.ATOM,
)
_INT, _UINT = call("int", errs=True), call("uint", errs=True)
_PARSED = call("parse_int", errs=True)
_SECONDS = Form(
    "{0:term} // 1000000000", "s.celSeconds({0})", lambda ns: ns // 10**9, Level.TERM, Level.ATOM
)
_FROM_SECONDS = Form(
    "{0:term} * 1000000000",
    "BigInt({0}) * 1000000000n",
    lambda seconds: seconds * 10**9,
    Level.TERM,
)
# + 0, as a whole number of TypeScript can be -0, and a double of -0 is another one than 0.
_AS_DOUBLE = Form("float({0})", "Number({0}) + 0", float, Level.ATOM, Level.SUM)
_ENCODED = Form("{0:atom}.encode()", "new TextEncoder().encode({0})", str.encode)
_NAN = replace(call("is_nan"), typescript="Number.isNaN({0})")
_JOINED = Form('"".join({0})', '{0:atom}.join("")', "".join)
_JOINED_BY = Form(
    "{1:atom}.join({0})", "{0:atom}.join({1})", lambda items, between: between.join(items)
)
_REVERSED = Form("{0:atom}[::-1]", '[...{0:atom}].reverse().join("")', lambda text: text[::-1])


def _hours(nanoseconds: int) -> Form:
    return Form(
        f"_s.cel_quotient({{0}}, {nanoseconds})",
        f"Number({{0:term}} / {nanoseconds}n)",
        lambda value: cel_quotient(value, nanoseconds),
    )


_MILLISECONDS = Form(
    "_s.cel_quotient(_s.cel_remainder({0}, 1000000000), 1000000)",
    "Number(({0:term} % 1000000000n) / 1000000n)",
    lambda value: cel_quotient(cel_remainder(value, 10**9), 10**6),
)
_TEXT_POSITION = (STRING, STRING, INT)

METHODS: dict[str, tuple[Overload, ...]] = {
    "size": (
        _way((STRING,), _SIZE, replace(_LENGTH, typescript="s.celLength({0})")),
        _way((BYTES,), _SIZE, _LENGTH),
        _way(("list",), _SIZE, _LENGTH),
        _way(("map",), _SIZE, replace(_LENGTH, typescript="{0:atom}.size")),
    ),
    "contains": (
        _way((STRING, STRING), BOOL, _CONTAINS),
        _way((BYTES, BYTES), BOOL, replace(_CONTAINS, typescript="s.celBytesHave({0}, {1})")),
    ),
    "startsWith": (
        _way((STRING, STRING), BOOL, _method("startswith", "startsWith", str.startswith)),
        _way((BYTES, BYTES), BOOL, _bytes_at("startswith", "0", bytes.startswith)),
    ),
    "endsWith": (
        _way((STRING, STRING), BOOL, _method("endswith", "endsWith", str.endswith)),
        _way(
            (BYTES, BYTES),
            BOOL,
            _bytes_at("endswith", "{0:atom}.length - {1:atom}.length", bytes.endswith),
        ),
    ),
    "isNan": (_way((DOUBLE,), BOOL, _NAN),),
    "isInf": (_way((DOUBLE,), BOOL, call("is_inf")), _way((DOUBLE, INT), BOOL, call("is_inf", 2))),
    "isEmail": (_way((STRING,), BOOL, call("is_email")),),
    "isHostname": (_way((STRING,), BOOL, call("is_hostname")),),
    "isUri": (_way((STRING,), BOOL, call("is_uri")),),
    "isUriRef": (_way((STRING,), BOOL, call("is_uri_ref")),),
    "isIp": (
        _way((STRING,), BOOL, call("is_ip")),
        _way((STRING, INT), BOOL, call("is_ip", 2)),
    ),
    "isIpPrefix": (
        _way((STRING,), BOOL, call("is_ip_prefix")),
        _way((STRING, INT), BOOL, call("is_ip_prefix", 2)),
        _way(
            (STRING, BOOL),
            BOOL,
            Form(
                "_s.cel_is_ip_prefix({0}, 0, {1})",
                "s.celIsIpPrefix({0}, 0, {1})",
                lambda text, strict: cel_is_ip_prefix(text, 0, strict),
            ),
        ),
        _way((STRING, INT, BOOL), BOOL, call("is_ip_prefix", 3)),
    ),
    "isHostAndPort": (_way((STRING, BOOL), BOOL, call("is_host_and_port", 2)),),
    "charAt": (_way((STRING, INT), STRING, call("char_at", 2, errs=True)),),
    "indexOf": (
        _way((STRING, STRING), _AT, call("index_of", 2)),
        _way(_TEXT_POSITION, _AT, call("index_of", 3, errs=True)),
    ),
    "lastIndexOf": (
        _way((STRING, STRING), _AT, call("last_index_of", 2)),
        _way(_TEXT_POSITION, _AT, call("last_index_of", 3, errs=True)),
    ),
    "substring": (
        _way((STRING, INT), STRING, call("substring", 2, errs=True)),
        _way((STRING, INT, INT), STRING, call("substring", 3, errs=True)),
    ),
    "lowerAscii": (_way((STRING,), STRING, call("lower_ascii")),),
    "upperAscii": (_way((STRING,), STRING, call("upper_ascii")),),
    "replace": (
        _way((STRING, STRING, STRING), STRING, call("replace", 3)),
        _way((STRING, STRING, STRING, INT), STRING, call("replace", 4)),
    ),
    "split": (
        _way((STRING, STRING), list_of(STRING), call("split", 2)),
        _way((STRING, STRING, INT), list_of(STRING), call("split", 3)),
    ),
    "trim": (_way((STRING,), STRING, call("trim")),),
    "reverse": (_way((STRING,), STRING, _REVERSED),),
    "getHours": (_way((DURATION,), INT, _hours(3600 * 10**9)),),
    "getMinutes": (_way((DURATION,), INT, _hours(60 * 10**9)),),
    "getSeconds": (_way((DURATION,), INT, _hours(10**9)),),
    "getMilliseconds": (_way((DURATION,), INT, _MILLISECONDS),),
}
"""What is called behind a point."""

FUNCTIONS: dict[str, tuple[Overload, ...]] = {
    "size": METHODS["size"],
    "int": (
        _way((INT,), INT),
        _way((UINT,), INT, _INT),
        _way((DOUBLE,), INT, call("int_from_double", errs=True)),
        _way((STRING,), INT, _PARSED, _INT),
        _way((TIMESTAMP,), INT, _SECONDS),
    ),
    "uint": (
        _way((UINT,), UINT),
        _way((INT,), UINT, _UINT),
        _way((DOUBLE,), UINT, call("uint_from_double", errs=True)),
        _way((STRING,), UINT, _PARSED, _UINT),
    ),
    "double": (
        _way((DOUBLE,), DOUBLE),
        _way((INT,), DOUBLE, _AS_DOUBLE),
        _way((UINT,), DOUBLE, _AS_DOUBLE),
        _way((STRING,), DOUBLE, call("parse_double", errs=True)),
    ),
    "string": (
        _way((STRING,), STRING),
        _way((INT,), STRING, _TEXT_OF_NUMBER),
        _way((UINT,), STRING, _TEXT_OF_NUMBER),
        _way((DOUBLE,), STRING, call("text_double")),
        _way((BOOL,), STRING, _TEXT_OF_BOOL),
        _way((BYTES,), STRING, call("text_bytes", errs=True)),
        _way((TIMESTAMP,), STRING, call("text_timestamp")),
        _way((DURATION,), STRING, call("text_duration")),
    ),
    "bytes": (_way((BYTES,), BYTES), _way((STRING,), BYTES, _ENCODED)),
    "bool": (
        _way((BOOL,), BOOL),
        _way((STRING,), BOOL, call("parse_bool", errs=True)),
    ),
    "timestamp": (
        _way((TIMESTAMP,), TIMESTAMP),
        _way((INT,), TIMESTAMP, _FROM_SECONDS, call("timestamp", errs=True)),
    ),
    "duration": (_way((DURATION,), DURATION),),
}
"""What is called by its name alone."""

JOINS = {1: _JOINED, 2: _JOINED_BY}
"""`join`, by the count of its arguments."""

UNIQUE = call("unique")
"""`unique`, which any list of scalars has."""

CONCATENATED: dict[Type, Form] = {
    STRING: operator("{0:sum} + {1:term}", "{0:sum} + {1:term}", Level.SUM, python_operator.add),
    BYTES: replace(
        operator("{0:sum} + {1:term}", "s.celJoinBytes({0}, {1})", Level.SUM, python_operator.add),
        typescript_level=Level.ATOM,
    ),
}
"""`+` of strings and bytes."""

CONCATENATED_LISTS = Form(
    "[*{0:sum}, *{1:sum}]", "[...{0:or}, ...{1:or}]", lambda one, other: [*one, *other]
)
"""`+` of lists."""
