"""One text for one value: what is digested, so that two values never look the same. Pure.

Knows the plain values of Python. Must not know what is digested, nor why.

Each part says its kind and its length before it begins, so that no two sequences of parts run
together: `["ab", "c"]` and `["a", "bc"]` differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set

__all__ = ["canonical", "packed"]


def packed(*parts: bytes) -> bytes:
    """Several parts as one, from which they could be told again.

    Example:
        >>> packed(b"ab", b"c") == packed(b"a", b"bc")
        False
    """
    return b"".join(len(each).to_bytes(8, "big") + each for each in parts)


def canonical(value: object, other: Callable[[object], bytes]) -> bytes:
    """A value as bytes; equal values of one type give the same ones, all others do not.

    Args:
        value: `None`, a truth value, a number, a text, bytes, or a list, tuple, set or mapping
            of these.
        other: says what stands for a value of any other type.

    Example:
        >>> by_name = lambda value: type(value).__name__.encode()
        >>> canonical(1, by_name) == canonical(True, by_name)
        False
    """
    if value is None or type(value) in (bool, int, float, complex):
        return b"n" + repr(value).encode()
    if type(value) is str:
        return b"s" + value.encode("utf-8", "surrogatepass")
    if type(value) is bytes:
        return b"b" + value
    if isinstance(value, Mapping):
        pairs = [packed(canonical(k, other), canonical(v, other)) for k, v in value.items()]
        return b"m" + packed(*sorted(pairs))
    if isinstance(value, Set):
        return b"u" + packed(*sorted(canonical(each, other) for each in value))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
        kind = b"t" if isinstance(value, tuple) else b"l"
        return kind + packed(*(canonical(each, other) for each in value))
    return b"o" + other(value)
