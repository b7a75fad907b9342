"""What a user enters into a form: texts, and files that were chosen.

Knows the values of a form, and how messages carry them. Must not know what is
asked about them, nor any file's content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FormFieldValue, FormFile
from rhtmx.wire.limits import MAX_INTEGER

__all__ = ["Entry", "File", "FormValue", "entries", "entry", "field_values"]


@dataclass(frozen=True, slots=True)
class File:
    """A file that was chosen in a form: what is known of it before it is uploaded.

    Its content is not sent: whoever takes the upload has to look at that.

    Args:
        name: its name, without a path.
        size: its size in bytes.
        type: its media type, as the browser guesses it from the name; may be empty.

    Example:
        >>> File("cv.pdf", 48_100, "application/pdf").size
        48100
    """

    name: str
    size: int
    type: str = ""


Entry: TypeAlias = str | File
"""One value of a field."""

FormValue: TypeAlias = str | File | Sequence[str | File]
"""What a field has: one value, or several of them, as several checkboxes of one name."""


def entry(message: FormFieldValue) -> Entry:
    """The value that a message carries."""
    file = message.file
    return message.value if file is None else File(file.name, file.size, file.type)


def entries(value: FormValue, where: str) -> list[Entry]:
    """All values of a field, in order.

    Args:
        value: what the field has.
        where: path of the field, for the error.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is something else.
    """
    # Texts and bytes are sequences, too.
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [_checked(each, where) for each in value]
    return [_checked(value, where)]


def _checked(value: object, where: str) -> Entry:
    """Refuse what no server could be told, whichever the format. A text may be secret."""
    if isinstance(value, str):
        return value
    if not isinstance(value, File):
        wrong = f"a text, a File, or a list of these expected, got {type(value).__name__}"
    elif not isinstance(value.name, str) or not isinstance(value.type, str):
        wrong = f"name and type of a File are texts, got {value.name!r:.40} and {value.type!r:.40}"
    elif type(value.size) is not int or not 0 <= value.size <= MAX_INTEGER:
        wrong = f"the size of a File is a number of bytes from 0 on, got {value.size!r:.40}"
    else:
        return value
    raise RhtmxError(ErrorCode.BAD_MESSAGE, f"{where}: {wrong}")


def field_values(values: Mapping[str, FormValue], where: str) -> list[FormFieldValue]:
    """A form's values as messages carry them: a field once for each of its values.

    Raises:
        RhtmxError: `BAD_MESSAGE`, one is neither a text nor a `File`, nor a list of these.
    """
    return [
        _field_value(name, each)
        for name, value in values.items()
        for each in entries(value, f"{where}['{name[:40]}']")
    ]


def _field_value(name: str, value: Entry) -> FormFieldValue:
    if isinstance(value, str):
        return FormFieldValue(field=name, value=value)
    file = FormFile(name=value.name, size=value.size, type=value.type)
    return FormFieldValue(field=name, value=value.name, file=file)
