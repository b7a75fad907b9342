"""JSON values inside messages: passed through as bytes, but only if safe.

Knows what makes a JSON value safe for every reader: strict syntax and UTF-8, no
key twice in one object, none of the forbidden keys, no NUL, no lone surrogate,
no number that overflows a double, at most 32 levels. Must not know messages.

A value is passed on as it was written; only needless escapes may be written anew.

Three ways lead to one verdict. `is_plain` is fast, `is_certain` half as fast, and they
say yes only when they are certain; `check_value` is exact, slow, and says what is wrong.
"""

from __future__ import annotations

import json
import math
import re
from typing import NoReturn, TypeAlias

import msgspec

from rhtmx.wire.limits import FORBIDDEN_KEYS, MAX_DEPTH
from rhtmx.wire.refusal import bad_message, show

__all__ = [
    "Pairs",
    "Shallow",
    "check_json",
    "check_key",
    "check_text",
    "check_value",
    "has_nul",
    "is_certain",
    "is_harmless",
    "is_plain",
    "members",
    "parse",
    "respelled",
    "same_spelling",
]

_Scalar: TypeAlias = bool | int | float | str | None
_In1: TypeAlias = _Scalar | list[_Scalar] | dict[str, _Scalar]
_In2: TypeAlias = _Scalar | list[_In1] | dict[str, _In1]
_In3: TypeAlias = _Scalar | list[_In2] | dict[str, _In2]
_In4: TypeAlias = _Scalar | list[_In3] | dict[str, _In3]
_In5: TypeAlias = _Scalar | list[_In4] | dict[str, _In4]
Shallow: TypeAlias = _Scalar | list[_In5] | dict[str, _In5]
"""A JSON value of at most six levels: nearly all are, and msgspec sees it for nothing."""

_decode = msgspec.json.Decoder().decode
_decode_shallow = msgspec.json.Decoder(Shallow).decode
_decode_string = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)

# A double overflows with 309 digits; shorter integers never do.
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 309

_BACKSLASH = ord("\\")
_DEL = 0x7F
_QUOTE_TO_DEL = bytes.maketrans(b'"', b"\x7f")
_NUL = rb"\u0000"

# Escapes come in pairs of characters, so that each is seen as the one that it is.
_ESCAPES = re.compile(rb"(?:\\u[0-9a-fA-F]{4})+|\\[^u]")
# Of these a canonical text has another escape: control characters, quotes and backslashes.
_RESPELT = re.compile(rb"\\u00(?:[01]|22|5[cC])")

_SURROGATE = re.compile("[\ud800-\udfff]")


class Pairs(list[tuple[str, object]]):
    """A JSON object as it was written: pairs in order, equal keys kept."""


def check_json(data: bytes, where: str) -> bytes | None:
    """Check one embedded JSON value.

    Args:
        data: the value, as UTF-8.
        where: path of the field that holds it, for the error.

    Returns:
        The same bytes, or None for `null`.

    Raises:
        RhtmxError: `bad_message`, it is not JSON or not safe.
    """
    if data.strip(b" \t\n\r") == b"null":
        return None
    if not is_plain(data) and not is_certain(data):
        check_value(parse(data, where), where)
    return data


def is_plain(data: bytes) -> bool:
    """Tell quickly whether a JSON text without needless spaces is certainly safe.

    When the parsed text encodes to the same bytes again, no key was there twice
    (the second would have vanished) and none was spelled with needless escapes.
    False means: not certain, look closely.
    """
    try:
        if _encode(_decode_shallow(data)) != data:
            return False
    except _UNREADABLE:
        return False
    # `is_harmless` and `has_nul` once more: calling them takes 0.06 of 0.45 µs.
    text = data.decode()
    return not (
        "proto" in text
        or "constructor" in text
        or (_BACKSLASH in data and _NUL in data)
        or (len(data) >= len(_LONG_NUMBER) and not is_harmless(data))
    )


def is_certain(data: bytes) -> bool:
    """Tell whether a JSON text is certainly safe, spaces and depth allowed; slower."""
    try:
        value = _decode(data)
        text = _encode(value)
        if text != data and text != _canonical(data):
            return False
    except _UNREADABLE:
        return False
    return is_harmless(text) and not has_nul(text) and (_is_flat(text) or _is_shallow(value))


def _canonical(data: bytes) -> bytes:
    """Write valid JSON without needless spaces and escapes."""
    return msgspec.json.format(respelled(data), indent=-1)


def same_spelling(data: bytes, text: bytes) -> bool:
    r"""Tell whether JSON was written as in `text`, but for needless escapes.

    Args:
        data: valid JSON.
        text: valid JSON without needless escapes, as msgspec writes it.

    Example:
        >>> same_spelling(rb'{"caf\u00e9":"\/"}', '{"café":"/"}'.encode())
        True
        >>> same_spelling(b'{"a":1,"a":1}', b'{"a":1}')
        False
    """
    if data == text:
        return True
    if _BACKSLASH not in data:
        return False
    try:
        return _unquoted(data) == _unquoted(text)
    except ValueError:
        return respelled(data) == text


def _unquoted(data: bytes) -> bytes:
    """Resolve all escapes of a JSON text at once, with DEL in the place of the quotes.

    To msgspec that is one string, which it reads faster than Python could look for the escapes.
    Where two texts are equal like this, their strings begin and end at the same places and are
    equal, and so is all else to the byte: outside of strings there are no escapes.

    Raises:
        ValueError: a DEL of its own, or a quote that cannot be told from the end of a string.
    """
    if _DEL in data or (_BACKSLASH in data and rb"\u007" in data):
        raise ValueError("a DEL")
    if _BACKSLASH not in data:
        return data.translate(_QUOTE_TO_DEL)
    if rb"\"" in data:
        if rb"\\" in data:
            raise ValueError("a quote after backslashes")
        data = data.replace(rb"\"", rb"\u0022")
    return _decode_string(b'"%b"' % data.translate(_QUOTE_TO_DEL)).encode()


def respelled(data: bytes) -> bytes:
    r"""Write valid JSON without needless escapes: as msgspec spells its texts.

    Nothing else is changed. Of what is not valid JSON this makes anything.

    Example:
        >>> respelled(rb'{"caf\u00e9":"\/ \u0022\n"}').decode()
        '{"café":"/ \\"\\n"}'
    """
    if _BACKSLASH not in data:
        return data
    slashes = b"\\/" in data
    if _RESPELT.search(data) is not None or (slashes and b"\\\\" in data):
        return _ESCAPES.sub(_respell, data)
    # What programs write that escape at all: this takes the same however many there are.
    if slashes:
        data = data.replace(b"\\/", b"/")
    if not data.isascii():
        data = data.decode().encode("raw_unicode_escape")
    text = data.decode("raw_unicode_escape")
    if b"\\ud" in data or b"\\uD" in data:  # two halves, each escaped, are one character
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.encode()


def _respell(escapes: re.Match[bytes]) -> bytes:
    written = escapes[0]
    if written[1:2] == b"u":
        try:
            return _encode(_decode(b'"%b"' % written))[1:-1]
        except _UNREADABLE:
            return written
    return b"/" if written == b"\\/" else written


def is_harmless(data: bytes) -> bool:
    """Tell quickly whether canonical JSON certainly has no forbidden key nor number.

    Canonical means: keys once, no needless escapes. That is for the caller to
    know, as is whether there is a NUL. False means: not certain.
    """
    text = data.decode()
    if "proto" in text or "constructor" in text:
        return False
    return len(data) < len(_LONG_NUMBER) or _LONG_NUMBER not in data.translate(_DIGITS_TO_ZERO)


def has_nul(data: bytes) -> bool:
    """Tell whether canonical JSON has a NUL in a string, or something that looks like it."""
    return _BACKSLASH in data and _NUL in data


def _is_flat(data: bytes) -> bool:
    """Tell quickly whether a JSON text has too few brackets to be nested too deep."""
    return data.count(b"{") + data.count(b"[") <= MAX_DEPTH


def _is_shallow(value: object) -> bool:
    """Tell whether a parsed value is nested `MAX_DEPTH` deep at most."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)  # type: ignore[attr-defined]
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return True
    return False


def parse(data: bytes, where: str) -> object:
    """Parse JSON exactly: objects become `Pairs`, so that nothing is dropped.

    A number that overflows a double becomes infinity; `check_value` refuses it.

    Raises:
        RhtmxError: `bad_message`, it is not JSON.
    """
    try:
        return _exact.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise bad_message(where, f"not valid UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise bad_message(where, f"not valid JSON at character {error.pos}") from None
    except RecursionError:
        raise bad_message(where, f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise bad_message(where, str(error)) from None


def _integer(text: str) -> int | float:
    number = float(text)
    return number if math.isinf(number) else int(text)


def _constant(name: str) -> NoReturn:
    raise ValueError(f"not valid JSON: {name} is not a JSON number")


_exact = json.JSONDecoder(
    object_pairs_hook=Pairs,
    parse_int=_integer,
    parse_constant=_constant,
)


def members(pairs: Pairs, where: str) -> dict[str, object]:
    """Return the members of an object, each key once.

    Raises:
        RhtmxError: `bad_message`, a key is there twice.
    """
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    raise bad_message(where, f"the key {show(twice)} occurs twice in one object")


def check_text(text: str, where: str) -> None:
    """Refuse a NUL character or a lone surrogate in a string or key.

    Raises:
        RhtmxError: `bad_message`, it holds one.
    """
    if "\0" in text:
        raise bad_message(where, "a string holds a NUL character (U+0000), which is not allowed")
    if _SURROGATE.search(text) is not None:
        raise bad_message(where, "a string holds half of a surrogate pair: not valid Unicode")


def check_value(value: object, where: str, depth: int = 0) -> None:
    """Check an embedded value that `parse` has read, exactly.

    Raises:
        RhtmxError: `bad_message`, it is not safe.
    """
    if isinstance(value, str):
        check_text(value, where)
    elif isinstance(value, float) and math.isinf(value):
        raise bad_message(where, "a number is too large for a double")
    elif isinstance(value, list):
        if depth == MAX_DEPTH:
            raise bad_message(where, f"nested deeper than {MAX_DEPTH} levels")
        inner = value
        if isinstance(value, Pairs):
            inner = list(members(value, where).values())
            for key, _ in value:
                check_key(key, where)
        for item in inner:
            check_value(item, where, depth + 1)


def check_key(key: str, where: str) -> None:
    """Refuse a key that is not safe in every reader.

    Raises:
        RhtmxError: `bad_message`, it is one of the forbidden ones.
    """
    check_text(key, where)
    if key in FORBIDDEN_KEYS:
        raise bad_message(where, f"the key {show(key)} is not allowed")
