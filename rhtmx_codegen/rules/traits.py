"""Traits of fields, in the words in which tables have them.

Knows `rhtmx.v1.FieldTraits`. Must not know a language.
"""

from __future__ import annotations

from typing import Any

__all__ = ["default_of"]


def default_of(default: Any) -> tuple[str, str]:
    """What makes a default, and its JSON if nothing does.

    Args:
        default: `rhtmx.v1.Default`.
    """
    source = default.WhichOneof("value") or "json"
    return ("", default.json or "null") if source == "json" else (source, "")
