"""The extension of Griffe that has it read docstrings as the site shows them.

Knows Griffe's objects, of which each has a docstring; `shown` decides. Only here Griffe
is imported, which is there where the site is built.
"""

from __future__ import annotations

from typing import Any

import griffe

from website.shown import shown

__all__ = ["Shown"]


class Shown(griffe.Extension):
    """Has Griffe read docstrings as the site shows them.

    Args:
        made: the paths of the classes whose instances something else makes.
    """

    def __init__(self, made: list[str]) -> None:
        super().__init__()
        self._made = frozenset(made)

    def on_object(self, *, obj: griffe.Object, **_kwargs: Any) -> None:
        """Take an object that has been read."""
        if obj.docstring is not None:
            obj.docstring.value = shown(obj.docstring.value, made=obj.path in self._made)
