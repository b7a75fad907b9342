"""JSON as text: taken apart and put together without rebuilding the values.

Knows JSON. Must not know records, fields or messages. Every text handed in has
passed the wire's checks: it is valid UTF-8 JSON without a key twice.

What a client wrote is kept to the byte. Only two questions look inside a value:
whether two texts mean the same, and which of two comes first.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

__all__ = [
    "Fields",
    "canonical",
    "deeper_than",
    "differing_keys",
    "is_object",
    "join",
    "raw",
    "same",
    "split",
    "value",
]

Fields: TypeAlias = dict[str, msgspec.Raw]
"""The top-level keys of an object, in its order, each with its value's text."""

_NULL = b"null"
_WHITESPACE = b" \t\n\r"

_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_parse = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_PLAIN = frozenset({str, int, bool, type(None)})  # mean the same if they are equal


def is_object(data: bytes | None) -> bool:
    """Whether a JSON text is an object. `None` stands for `null`."""
    # Mostly there is no space before it.
    return data is not None and (data[:1] == b"{" or data.lstrip(_WHITESPACE)[:1] == b"{")


def split(data: bytes | None) -> Fields:
    """Return the fields of an object; none for any other value.

    Example:
        >>> {name: bytes(text) for name, text in split(b'{"a": 1.50}').items()}
        {'a': b'1.50'}
    """
    return _split(data) if data is not None and is_object(data) else {}


def join(fields: Fields) -> bytes:
    """Return the object of these fields, each value's text as it is.

    Example:
        >>> join(split(b'{"a": 1.50, "b": [ ]}'))
        b'{"a":1.50,"b":[ ]}'
    """
    return _encode(fields)


def value(text: msgspec.Raw) -> bytes | None:
    """Return one field's value as messages carry it: `None` for `null`."""
    data = bytes(text)
    return None if data == _NULL else data


def raw(data: bytes | None) -> msgspec.Raw:
    """Return a value from a message as one of `Fields`: the opposite of `value`."""
    return msgspec.Raw(_NULL if data is None else data)


def same(one: bytes | msgspec.Raw | None, other: bytes | msgspec.Raw | None) -> bool:
    """Whether two JSON texts mean the same value.

    The order of keys, white space and escapes do not count, nor how a double is
    written. Integers are compared to the digit. `1`, `1.0` and `true` differ.
    """
    if one == other:
        return True
    left, right = _parse(_NULL if one is None else one), _parse(_NULL if other is None else other)
    # Python takes 1, 1.0 and True for equal; JSON does not.
    if type(left) is not type(right):
        return False
    if type(left) in _PLAIN:
        return bool(left == right)
    # Not `canonical`: a Python call for each double is too slow for every write.
    return _encode_sorted(left) == _encode_sorted(right)


def differing_keys(one: bytes | None, other: bytes | None) -> list[str]:
    """The top-level keys that two objects do not have in common, or with other values; sorted.

    What is no object has none.

    Example:
        >>> differing_keys(b'{"a": 1, "b": 2, "c": 3}', b'{"b": 2, "c": 4, "d": 5}')
        ['a', 'c', 'd']
    """
    left, right = split(one), split(other)
    both = left.keys() & right.keys()
    changed = [name for name in both if not same(left[name], right[name])]
    return sorted([*changed, *(left.keys() ^ right.keys())])


def canonical(data: bytes | None) -> bytes:
    """Return the one text of all that mean the same value; values sort by it.

    As in RFC 8785 (JSON Canonicalization Scheme): no white space, the shortest
    escapes, numbers as ECMAScript prints doubles. Two differences: a number
    written without point and exponent keeps all its digits, and keys are
    sorted by the bytes of their UTF-8.

    Example:
        >>> canonical(b'{"b": 1.50, "a": [1e2, "A"]}')
        b'{"a":[100,"A"],"b":1.5}'
    """
    if data is None:
        return _NULL
    # Numbers with a point or an exponent become raw text on the way in, and stay as they are.
    return _encode_sorted(_parse_numbers(data))


def _number(text: str) -> msgspec.Raw:
    """Print a number with point or exponent as ECMAScript does (ECMA-262, 6.1.6.1.20).

    Python prints the same digits, but uses an exponent from 1e16 on and below
    1e-4, ECMAScript from 1e21 on and below 1e-6.
    """
    number = repr(float(text))
    mantissa, _, exponent = number.partition("e")
    power = int(exponent or 0)
    if not exponent:
        number = "0" if number == "-0.0" else number.removesuffix(".0")
    elif power in _PLAIN_IN_ECMASCRIPT:
        sign = "-" if mantissa[0] == "-" else ""
        digits = mantissa.lstrip("-").replace(".", "")
        number = sign + (f"{digits:0<{power + 1}}" if power > 0 else f"0.{'0' * ~power}{digits}")
    else:
        number = f"{mantissa}e{power:+d}"
    return msgspec.Raw(number.encode())


_PLAIN_IN_ECMASCRIPT = frozenset({-6, -5, 16, 17, 18, 19, 20})
_parse_numbers = msgspec.json.Decoder(float_hook=_number).decode


def deeper_than(data: bytes | None, levels: int) -> bool:
    """Whether a value nests lists and objects deeper than so many levels."""
    # Brackets inside of texts are counted too: the quick look may only say "surely not".
    if data is None or data.count(b"[") + data.count(b"{") <= levels:
        return False
    inside = [_parse(data)]
    for _ in range(levels + 1):
        containers = [each for each in inside if isinstance(each, dict | list)]
        inside = [
            inner
            for outer in containers
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(containers)
