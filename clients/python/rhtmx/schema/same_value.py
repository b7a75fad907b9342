"""Whether a field has one value in two records, however that is spelt.

Knows kinds of values. Must not know rules, nor who may write what: server and client ask it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rhtmx.schema.kinds import UNREADABLE
from rhtmx.schema.message import Field

__all__ = ["same_value"]


def same_value(field: Field, before: Any, after: Mapping[str, Any]) -> bool:
    """Whether a field has one value in two records: 5.0 is 5, and what is absent is zero.

    Args:
        field: its row in the table of rules.
        before: a record, as JSON; what is no object has nothing.
        after: another one.

    Example:
        >>> from rhtmx import schema as _s
        >>> same_value(_s.field("owner", _s.STRING), {}, {"owner": ""})
        True
    """
    old = _read(field, before if isinstance(before, Mapping) else {})
    # By its text: to Python 1, 1.0 and True are the same.
    return old is not UNREADABLE and repr(old) == repr(_read(field, after))


def _read(field: Field, record: Mapping[str, Any]) -> Any:
    json = record.get(field.key)
    return field.absent if json is None else field.read(json, "", None, 0, field.words)
