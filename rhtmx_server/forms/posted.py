"""What a program has of a form, as the entries that rules judge: of a POST body, or of its own.

Knows texts, uploads, lists, and a few values of Python. Must not know rules, requests, or any
framework: what has the methods of one will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FormFieldValue
from rhtmx.values.form_value import Entry, File, field_values

__all__ = ["RECEIPT", "posted", "receipt_in"]

RECEIPT = "_rhtmx_receipt"
"""The hidden control by which a page sends its receipt along. No rule ever sees it."""


def posted(values: Mapping[str, Any]) -> list[FormFieldValue]:
    r"""The values of a form, as a question over a socket has them.

    A browser sends line ends of texts as `\r\n`, and its script sees them as `\n`, which
    is what the rules have judged while the user typed: so they are `\n` here, too.

    Args:
        values: by field: a text, a `File` or an upload (of Starlette, Django or Werkzeug), a
            number, a truth value, a date, a time, a UUID, `None` for nothing; or a list of
            these. Of what has a `getlist`, as the form of a request has, all values of a name.

    Raises:
        RhtmxError: `BAD_MESSAGE`, a value is something else.

    Example:
        >>> [(each.field, each.value) for each in posted({"age": 36, "tags": ["red", "blue"]})]
        [('age', '36'), ('tags', 'red'), ('tags', 'blue')]
    """
    by_name = {
        str(name): [
            each
            for value in _all(values, name)
            if (each := _entry(value, f"values[{str(name)[:40]!r}]")) is not None
        ]
        for name in values
        if name != RECEIPT
    }
    return field_values(by_name, "values")


def receipt_in(values: Mapping[str, Any]) -> str | None:
    """The receipt that a page has sent along, if it has."""
    if RECEIPT not in values:
        return None
    found = [each for each in _all(values, RECEIPT) if isinstance(each, str) and each]
    return found[-1] if found else None


def _all(values: Mapping[str, Any], name: str) -> Iterable[Any]:
    getlist = getattr(values, "getlist", None)
    if callable(getlist):
        found: Iterable[Any] = getlist(name)
        return found
    value = values[name]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return value
    return [value]


def _entry(value: object, where: str) -> Entry | None:
    if isinstance(value, str):
        return _text(value, where)
    if value is None or isinstance(value, File):
        return value
    if isinstance(value, bool):  # before numbers: in Python it is one
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal | UUID):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return _upload(value, where)


def _text(value: str, where: str) -> str:
    text = value.replace("\r\n", "\n")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE, f"{where}: it holds half of a surrogate pair: no valid text"
            ) from None
    return text


def _upload(value: object, where: str) -> Entry:
    """An uploaded file: of Starlette it has a `filename`, of Django and Werkzeug other names."""
    name = getattr(value, "filename" if hasattr(value, "filename") else "name", None)
    if not hasattr(value, "content_type"):
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"{where}: a text, a File or an upload, a number, a date, or a list of these expected, "
            f"got {type(value).__name__}",
        )
    if not name:
        return ""  # no file was chosen
    return File(str(name), _size(value), str(getattr(value, "content_type", None) or ""))


def _size(upload: Any) -> int:
    size = getattr(upload, "size", None)
    if isinstance(size, int):
        return size
    # Werkzeug does not say: its stream does.
    stream = upload.stream
    at = stream.tell()
    size = int(stream.seek(0, 2))
    stream.seek(at)
    return size
