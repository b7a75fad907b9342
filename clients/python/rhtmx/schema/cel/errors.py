"""What it means that a rule has no answer.

Knows one exception, and how a text is shown in its words. Must not know which rule.
"""

from __future__ import annotations

import json

__all__ = ["CelError", "quoted"]


class CelError(Exception):
    """An expression has no value: a division by zero, an index that is not there.

    Its words say why, for whoever wrote the value.
    """


def quoted(text: str) -> str:
    """A text as the words of an error have it, in every language.

    Example:
        >>> print(quoted("it's"))
        "it's"
    """
    return json.dumps(text, ensure_ascii=False)
