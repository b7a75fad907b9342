"""The numbers and names that a schema has reserved.

Knows where descriptors have them. Must not know why they are looked for.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2

__all__ = ["Reserved"]


class Reserved:
    """What is reserved, in each message and enum.

    Args:
        descriptors: a serialised `FileDescriptorSet`.
    """

    def __init__(self, descriptors: bytes) -> None:
        self._ranges: dict[str, list[tuple[int, int]]] = {}
        self._names: dict[str, set[str]] = {}
        for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors).file:
            prefix = f"{file.package}." if file.package else ""
            self._add_messages(file.message_type, prefix)
            self._add(file.enum_type, prefix, beyond=0)

    def _add_messages(self, nodes: Any, prefix: str) -> None:
        self._add(nodes, prefix, beyond=1)
        for node in nodes:
            inner = f"{prefix}{node.name}."
            self._add_messages(node.nested_type, inner)
            self._add(node.enum_type, inner, beyond=0)

    def _add(self, nodes: Any, prefix: str, *, beyond: int) -> None:
        """Take those of some messages, whose ranges end one too far, or of some enums."""
        for node in nodes:
            name = f"{prefix}{node.name}"
            self._ranges[name] = [(each.start, each.end - beyond) for each in node.reserved_range]
            self._names[name] = set(node.reserved_name)

    def missing(self, owner: str, number: int, name: str) -> str:
        """What is to be reserved still, as it is written; empty if all is.

        Args:
            owner: the full name of a message or an enum.
            number: what it must not have again.
            name: likewise; empty for no name.

        Returns:
            The number, if that is not reserved; else the name, in quotes.
        """
        if not any(low <= number <= high for low, high in self._ranges.get(owner, ())):
            return str(number)
        if name and name not in self._names.get(owner, ()):
            return f'"{name}"'
        return ""
