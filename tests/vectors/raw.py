"""Protobuf by hand: bytes that no library would write.

Knows the wire types. Must not know the product's codecs.
"""

from __future__ import annotations

from tests.vectors.oracle import envelope_class

__all__ = ["block", "inside", "number", "varint"]


def varint(number: int) -> bytes:
    """Write an unsigned number as protobuf does."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def number(field: int, value: int) -> bytes:
    """Write a varint field; negative values as 64 bits."""
    return varint(field << 3) + varint(value % 2**64)


def block(field: int, value: bytes) -> bytes:
    """Write a length-delimited field: string, bytes or message."""
    return varint(field << 3 | 2) + varint(len(value)) + value


def inside(case: str) -> int:
    """Return the number of a case of the envelope."""
    return int(envelope_class().DESCRIPTOR.fields_by_name[case].number)
