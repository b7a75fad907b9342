"""What was entered into a form: the entries of its fields.

Knows texts, files, and that a field may have several of them. Must not know
rules, questions or connections.

An entry is one name and one value of a form, as in the entry list of HTML's form
submission (4.10.22.4). Of several entries of one name a mapping shows the last one,
and `getlist` all: so do Django's `QueryDict` and Starlette's `FormData`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rhtmx.messages import FormFieldValue, ValidateField
from rhtmx.values.form_value import Entry, File, entry

__all__ = ["TEXT", "FieldKind", "FormValues", "asked", "by_field", "is_empty", "text"]


class FieldKind(NamedTuple):
    """What a field was registered for.

    Args:
        many: it may have several values.
        file: files are chosen there.
    """

    many: bool = False
    file: bool = False

    def value(self, entries: Sequence[Entry]) -> object:
        """What a validator of the field is asked about.

        Returns:
            The last text, or the last chosen file, if any; with `many` a list of
            all that are not empty.
        """
        if not self.many and not self.file:
            return text(entries[-1]) if entries else ""
        filled = [each for each in entries if not is_empty(each)]
        if self.file:
            files = [each for each in filled if isinstance(each, File)]
            return files if self.many else files[-1] if files else None
        return [text(each) for each in filled]


TEXT = FieldKind()
"""A field that is not registered for anything else."""


class FormValues(Mapping[str, str]):
    """The values of a form, as its validators see them.

    `form["email"]` is the field's text; of several values the last one, of a file
    its name. Every registered field is in here: one that was not sent is empty.

    Attributes:
        entries: all that each field has.

    Example:
        >>> form = FormValues({"tags": ["red", "blue"], "email": []})
        >>> form["tags"], form["email"]
        ('blue', '')
        >>> form.getlist("tags")
        ['red', 'blue']
    """

    def __init__(self, entries: Mapping[str, Sequence[Entry]]) -> None:
        self.entries = entries

    def __getitem__(self, field: str) -> str:
        entries = self.entries[field]
        return text(entries[-1]) if entries else ""

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"FormValues({dict(self.entries)!r})"

    def getlist(self, field: str) -> list[str]:
        """All values of a field as texts, in the order of the page, also empty ones.

        Raises:
            KeyError: no such field is registered, and none was sent.
        """
        return [text(each) for each in self.entries[field]]

    def files(self, field: str) -> list[File]:
        """The files that were chosen for a field, in order.

        Raises:
            KeyError: as for `getlist`.
        """
        return [each for each in self.entries[field] if isinstance(each, File) and each.name]


def by_field(fields: Iterable[str], sent: Iterable[FormFieldValue]) -> dict[str, list[Entry]]:
    """Collect the entries of a form.

    Args:
        fields: those that it has, whether or not something was sent for them.
        sent: what the client sent.
    """
    entries: dict[str, list[Entry]] = {field: [] for field in fields}
    for each in sent:
        value = each.value if each.file is None else entry(each)
        if each.field in entries:
            entries[each.field].append(value)
        else:
            entries[each.field] = [value]
    return entries


def asked(message: ValidateField) -> list[Entry]:
    """All that the field has that is asked about.

    It is a text of its own in the message; where it stands among the other values,
    too, it is all of those: several, or a file.
    """
    field, others = message.field, message.values
    own = [entry(each) for each in others if each.field == field] if others else None
    # Old clients send the value alone; so does one that asks about a field without the others.
    return own or [message.value]


def is_empty(value: Entry) -> bool:
    """Whether it is white space alone, or a file that was not chosen.

    A browser submits a file of no name where none was chosen (HTML, 4.10.22.4, 5.8).
    One that was may have 0 bytes.
    """
    if isinstance(value, File):
        return not value.name
    return not value or value.isspace()


def text(value: Entry) -> str:
    """The value as a text: a file is its name."""
    return value.name if isinstance(value, File) else value
