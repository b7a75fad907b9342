"""Literals of CEL: what their text is worth.

Knows escapes, prefixes and ranges. Must not know where a literal may stand.
"""

from __future__ import annotations

import re

from rhtmx_codegen.cel.refusal import NotInSubset

__all__ = ["read_bytes", "read_int", "read_string", "read_uint"]

_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\"'\\?`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    r"|([0-3][0-7]{2}))|\\",
)
_NEW_LINE = re.compile(r"\r\n?")
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def read_int(text: str, offset: int, *, negative: bool = False) -> int:
    """Return the value of an integer literal.

    Args:
        text: its digits, perhaps with `0x`.
        offset: where it stands.
        negative: a minus stands before it.

    Raises:
        NotInSubset: it does not fit 64 bits.
    """
    value = int(text, 16 if text[:2] == "0x" else 10) * (-1 if negative else 1)
    if not -(2**63) <= value < 2**63:
        raise NotInSubset(f"{text} does not fit an int of 64 bits", offset)
    return value


def read_uint(text: str, offset: int) -> int:
    """Return the value of an unsigned literal, `12u`.

    Args:
        text: as written, with its `u`.
        offset: where it stands.

    Raises:
        NotInSubset: it does not fit 64 bits.
    """
    value = int(text[:-1], 16 if text[:2] == "0x" else 10)
    if value >= 2**64:
        raise NotInSubset(f"{text} does not fit a uint of 64 bits", offset)
    return value


def read_string(text: str, offset: int) -> str:
    """Return the value of a string literal.

    Args:
        text: as written, with prefix and quotes.
        offset: where it stands.

    Raises:
        NotInSubset: an escape that CEL does not have.
    """
    raw, body = _body(text)
    if raw:
        return body
    return _ESCAPE.sub(lambda found: _character(found, offset), body)


def read_bytes(text: str, offset: int) -> bytes:
    r"""Return the value of a bytes literal: characters as UTF-8, `\x` and octal as bytes.

    Args:
        text: as written, with prefix and quotes.
        offset: where it stands.

    Raises:
        NotInSubset: an escape that CEL does not have in bytes.
    """
    raw, body = _body(text)
    if raw:
        return body.encode()
    pieces, end = [], 0
    for found in _ESCAPE.finditer(body):
        pieces += [body[end : found.start()].encode(), _octets(found, offset)]
        end = found.end()
    return b"".join([*pieces, body[end:].encode()])


def _body(text: str) -> tuple[bool, str]:
    quoted = text.lstrip("rRbB")
    raw = "r" in text[: len(text) - len(quoted)].lower()
    width = 3 if quoted[:3] in {'"""', "'''"} and len(quoted) >= 6 else 1
    return raw, _NEW_LINE.sub("\n", quoted[width:-width])


def _character(found: re.Match[str], offset: int) -> str:
    plain, octet, short, long, octal = found.groups()
    if plain:
        return _PLAIN.get(plain, plain)
    if octal:
        return chr(int(octal, 8))
    digits = octet or short or long
    if not digits:
        raise _no_escape(found, offset)
    point = int(digits, 16)
    if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
        raise NotInSubset(f"{found[0]} is no character", offset)
    return chr(point)


def _octets(found: re.Match[str], offset: int) -> bytes:
    plain, octet, _short, _long, octal = found.groups()
    if plain:
        return _PLAIN.get(plain, plain).encode()
    if octet:
        return bytes([int(octet, 16)])
    if octal:
        return bytes([int(octal, 8)])
    raise _no_escape(found, offset)


def _no_escape(found: re.Match[str], offset: int) -> NotInSubset:
    piece = found.string[found.start() : found.start() + 2]
    return NotInSubset(f"CEL has no escape {piece} here", offset)
