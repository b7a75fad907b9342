"""Colours, where there are any.

Knows the codes that terminals take. Must not know where colours are wanted:
that is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Paint", "wanted"]

_CODES = {"green": "32", "yellow": "33", "red": "31", "dim": "2", "bold": "1"}


def wanted(terminal: bool, environ: Mapping[str, str]) -> bool:
    """Whether to use colours: on a terminal that has them, if nobody minds (no-color.org)."""
    return terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


class Paint:
    """Colours text, or leaves it as it is.

    Args:
        on: whether to.

    Example:
        >>> Paint(False)("red", "✗")
        '✗'
    """

    def __init__(self, on: bool) -> None:
        self._on = on

    def __call__(self, colour: str, text: str) -> str:
        """The text in a colour, or dim, or bold."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self._on else text
