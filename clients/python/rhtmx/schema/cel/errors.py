"""What it means that a rule has no answer.

Knows one exception. Must not know which rule.
"""

from __future__ import annotations

__all__ = ["CelError"]


class CelError(Exception):
    """An expression has no value: a division by zero, an index that is not there.

    Its words say why, for whoever wrote the value.
    """
