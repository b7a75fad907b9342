"""Kinds that are made of another one: of texts that are changed first, of what is not judged.

Knows white space, Unicode's form NFC, and which rules are implied by reading. Must not know other
rules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from unicodedata import normalize

from rhtmx.errors import Violation
from rhtmx.schema.kinds import UNREADABLE, Enum, Found, Kind, Read, Words
from rhtmx.schema.text import trim

__all__ = ["normalized", "unjudged"]

_IMPLIED: Final = frozenset({"type", "range", "safe_integer", "finite"})
_STEPS: Final[dict[str, Callable[[str], str]]] = {
    "trim": trim,
    "nfc": lambda text: normalize("NFC", text),
}


def normalized(kind: Kind, *steps: str) -> Kind:
    """The same kind of texts, of which each is changed before it is judged and kept.

    Args:
        kind: of the texts.
        steps: of `trim` and `nfc`, in the order in which they are done.

    Raises:
        KeyError: a step is none of these.
    """
    changes = [_STEPS[step] for step in steps]

    def clean(json: Any) -> Any:
        if not isinstance(json, str):
            return json
        text = json
        for change in changes:
            text = change(text)
        return json if text == json else text

    def read(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
        value = kind.read(json, path, found, now, words)
        return value if value is UNREADABLE else clean(value)

    return _like(kind, read, clean)


def unjudged(kind: Kind) -> Kind:
    """The same kind, which is read, but not judged: none of the rules inside of it is.

    Args:
        kind: of the value.
    """

    def read(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
        if found is None:
            return kind.read(json, path, None, now, words)
        return kind.read(json, path, _Implied(found), now, words)

    return _like(kind, read)


class _Implied(list[Violation]):
    """Hands on the violations of rules that reading implies, and keeps none.

    Args:
        found: where they go.
    """

    def __init__(self, found: list[Violation]) -> None:
        super().__init__()
        self._found = found

    def append(self, each: Violation) -> None:
        """Hand one on, if it is of such a rule."""
        if each.code in _IMPLIED:
            self._found.append(each)


def _like(kind: Kind, read: Read, clean: Callable[[Any], Any] | None = None) -> Kind:
    """A kind that is read in another way, and otherwise the same."""
    if isinstance(kind, Enum):
        other: Kind = Enum(kind.name, kind.words)
        other.read = read
        return other
    return Kind(
        kind.word,
        kind.zero,
        read,
        show=kind.show,
        item=kind.item,
        in_text=kind.in_text,
        empty=kind.empty,
        clean=clean or kind.clean,
        within=kind.within,
    )
