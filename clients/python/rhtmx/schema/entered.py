"""What a person entered into the fields of a form, as the values that a record has in JSON.

Knows kinds, and which text stands for a value of each. Must not know rules or forms.
"""

from __future__ import annotations

from collections.abc import Sequence

from rhtmx.schema import text as texts
from rhtmx.schema.kinds import Enum, Kind
from rhtmx.schema.message import Field
from rhtmx.values.json_value import Json

__all__ = ["entered"]


def entered(field: Field, entries: Sequence[str], *, offset_minutes: int | None = None) -> Json:
    """Read what a form has for a field.

    Args:
        field: as its table has it.
        entries: the texts of the controls of that name, in the order of the page. Of several
            for a field of one value, the last one counts, as of a checkbox behind a hidden control.
        offset_minutes: of the zone in which times are meant that name none, from UTC.

    Returns:
        Its value as JSON; `None`: nothing was entered.

    Raises:
        TextError: a text stands for no such value.

    Example:
        >>> from rhtmx import schema as _s
        >>> entered(_s.field("age", _s.INT32), [" 36 "])
        36
    """
    if field.kind.item is not None:
        item = field.kind.item
        return [
            value
            for value in (_entered(item, each, offset_minutes) for each in entries)
            if value is not None
        ] or None
    return _entered(field.kind, entries[-1] if entries else "", offset_minutes)


def _entered(kind: Kind, text: str, offset_minutes: int | None) -> Json:
    if isinstance(kind, Enum):
        return texts.to_word(text, kind.words)
    if kind.word in _WHOLE:
        number = texts.to_int(text)
        return str(number) if kind.in_text and number is not None else number
    if kind.word == "timestamp":
        return texts.to_timestamp(text, offset_minutes)
    return _READ.get(kind.word, _as_it_is)(text)


def _as_it_is(text: str) -> Json:
    """A text is entered as it is, space and all: rules and `normalize` say what becomes of that."""
    return text or None


_WHOLE = frozenset(
    f"{sign}{bits}" for sign in ("int", "uint", "sint", "fixed", "sfixed") for bits in (32, 64)
)
_READ = {
    "bool": texts.to_bool,
    "float": texts.to_float,
    "double": texts.to_float,
    "duration": texts.to_duration,
    "bytes": texts.to_bytes,
}
