"""What is wrong with a record, as clients of any language read it: the details of a status.

Knows `google.rpc.Status` and `buf.validate.Violations`, as far as they are written here. Must not
know what was refused, or why.

Both are written by hand: of either, a few fields, and the packages that have them are not
otherwise needed. The numbers are those of `google/rpc/status.proto` and
`buf/validate/validate.proto`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from grpclib.const import Status
from grpclib.encoding.base import StatusDetailsCodecBase

from rhtmx.errors import Violation

__all__ = ["MAX_STATUS_DETAILS", "StatusDetailsCodec", "encode_status"]

MAX_STATUS_DETAILS = 1_536
"""Bytes of them in the trailers, beside the details of our own; what is larger is left out."""

_TYPE = b"type.googleapis.com/buf.validate.Violations"

_ELEMENT = re.compile(r"""([^.\[\]]+)(?:\[("(?:[^"\\]|\\.)*"|[^\]]*)\])?\.?""")
"""One step of a path: a name, and which of its items where it has several."""


class StatusDetailsCodec(StatusDetailsCodecBase):
    """Writes the details of a status; a server of ours reads none."""

    def encode(self, status: Status, message: str | None, details: Any) -> bytes:
        """Write what a refusal says: `details` are violations."""
        return encode_status(status.value, message or "", details)

    def decode(self, status: Status, message: str | None, data: bytes) -> Any:
        """Read nothing."""
        return None


def encode_status(code: int, message: str, violations: Iterable[Violation]) -> bytes:
    r"""Write a `google.rpc.Status` with one detail, `buf.validate.Violations`.

    Args:
        code: the number of the gRPC status.
        message: the same words as those of the call: clients compare them.
        violations: what is wrong.

    Example:
        >>> encode_status(3, "no", [Violation("age", "int32.gte", "must be 18 or more")])[:6]
        b'\x08\x03\x12\x02no'
    """
    found = b"".join(_message(1, _violation(each)) for each in violations)
    packed = _text(1, _TYPE) + _message(2, found)
    return _number(1, code) + _text(2, message.encode()) + _message(3, packed)


def _violation(violation: Violation) -> bytes:
    """`buf.validate.Violation`: which rule, its words, and the path to the value."""
    path = b"".join(_message(1, each) for each in map(_element, _steps(violation.field)))
    field = _message(5, path) if path else b""
    return _text(2, violation.code.encode()) + _text(3, violation.message.encode()) + field


def _steps(path: str) -> Iterable[tuple[str, str | None]]:
    return [(found[1], found[2]) for found in _ELEMENT.finditer(path)]


def _element(step: tuple[str, str | None]) -> bytes:
    """`buf.validate.FieldPathElement`: a field by its name, and which item of it."""
    name, item = step
    written = _text(2, name.encode())
    if item is None:
        return written
    if item in ("true", "false"):
        return written + _number(7, int(item == "true"))
    if re.fullmatch("-?[0-9]{1,18}", item):
        return written + _number(8 if item[0] == "-" else 6, int(item) % 2**64)
    return written + _text(10, re.sub(r"\\(.)", r"\1", item[1:-1]).encode())


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: bytes) -> bytes:
    return _message(field, value) if value else b""


def _message(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
