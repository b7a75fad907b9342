"""What of a schema may leave the server: all but `server_only` fields, and what only they need.

Knows which fields, types and rules these are. Must not know what is made of the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rhtmx_codegen.emit_fields import is_server_only
from rhtmx_codegen.model import Field, Message, Schema

__all__ = ["Hidden", "hidden_of"]

_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


class Hidden:
    """What of a schema stays on the server.

    Attributes:
        fields: the names of the hidden fields of each message, by its full name.
        types: the full names of the messages and enums that nothing but hidden fields reach.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self.fields = {
            name: frozenset(each.name for each in message.fields if is_server_only(each))
            for name, message in schema.messages.items()
        }
        self.types = self._types()

    def __bool__(self) -> bool:
        return any(self.fields.values())

    def seen(self, message: Message) -> list[Field]:
        """The fields of a message that may leave the server."""
        hidden = self.fields[message.full_name]
        return [each for each in message.fields if each.name not in hidden]

    def mentions(self, expression: str, full_name: str) -> bool:
        """Whether a rule in CEL has the name of a hidden field in it.

        A rule that only has a text of this name in it is taken for one that does, too.

        Args:
            expression: the rule.
            full_name: of the message that it is about, or whose field it is about.
        """
        # Messages that are seen within it hide nothing: the reader refuses that.
        return not self.fields[full_name].isdisjoint(_WORD.findall(expression))

    def _types(self) -> frozenset[str]:
        messages = self._schema.messages
        first = [
            each.type.name
            for message in messages.values()
            for each in message.fields
            if each.name in self.fields[message.full_name]
        ]
        suspects = self._closure(first, hidden=True)
        roots = [
            name
            for name, message in messages.items()
            if name not in suspects or message.entity is not None or message.form is not None
        ]
        return frozenset(suspects - self._closure(roots, hidden=False))

    def _closure(self, names: Iterable[str], *, hidden: bool) -> set[str]:
        """The types that are reached from some; through hidden fields, too, if that is asked."""
        found: set[str] = set()
        ahead = list(names)
        while ahead:
            name = ahead.pop()
            if name in found or not self._is_own(name):
                continue
            found.add(name)
            ahead += self._next(name, hidden)
        return found

    def _is_own(self, name: str) -> bool:
        return name in self._schema.messages or name in self._schema.enums

    def _next(self, name: str, hidden: bool) -> Iterator[str]:
        message = self._schema.messages.get(name)
        if message is not None:
            yield from (
                each.type.name
                for each in (message.fields if hidden else self.seen(message))
                if each.type.name
            )


def hidden_of(schema: Schema) -> Hidden:
    """What of a schema stays on the server."""
    return Hidden(schema)
