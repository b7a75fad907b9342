"""The descriptor set that a server shows to others: without what must not leave it.

Knows protobuf's descriptors and options. Must not know which fields are hidden, nor what is made of
the set.

The number of a hidden field is reserved, without its name: whoever writes a schema of their own
after this one does not give it to another field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rhtmx_codegen.model import Schema
from rhtmx_codegen.pool import Pool, bare_set, plain_files, set_of
from rhtmx_codegen.visible import Hidden, hidden_of

__all__ = ["served_descriptors"]

_MESSAGE_RULES, _FIELD_RULES = "buf.validate.message", "buf.validate.field"
_DECLARED = ("rhtmx.v1.entity", "rhtmx.v1.form")


def served_descriptors(schema: Schema) -> bytes:
    """The serialised `FileDescriptorSet` of a schema, without `server_only` fields.

    Types that only these need are not in it either, nor rules in CEL that name one of them.

    Args:
        schema: it.
    """
    plain, hidden = bare_set(schema.descriptors, schema.files), hidden_of(schema)
    if not hidden:
        return plain
    pool = Pool(plain)
    files: list[bytes] = []
    for file in plain_files(plain):
        node = pool.files[file.name]
        seen = node if _Cutter(pool, hidden, node.package).file(node) else file
        files.append(seen.SerializeToString(deterministic=True))
    return set_of(files)


class _Cutter:
    """Takes out of a file what is hidden."""

    def __init__(self, pool: Pool, hidden: Hidden, package: str) -> None:
        self._pool = pool
        self._hidden = hidden
        self._package = package
        self._cut = False

    def file(self, node: Any) -> bool:
        """Cut a file; whether there was something to cut."""
        self._types(node.message_type, node.enum_type, self._package)
        return self._cut

    def _types(self, messages: Any, enums: Any, within: str) -> None:
        for index in reversed(range(len(enums))):
            if _full(within, enums[index].name) in self._hidden.types:
                self._delete(enums, index)
        for index in reversed(range(len(messages))):
            name = _full(within, messages[index].name)
            self._message(messages[index], name)
            if name in self._hidden.types:
                if messages[index].nested_type or messages[index].enum_type:
                    self._empty(messages[index])  # what is in it is seen elsewhere
                else:
                    self._delete(messages, index)

    def _empty(self, node: Any) -> None:
        for name in ("field", "oneof_decl", "reserved_range", "reserved_name", "options"):
            node.ClearField(name)
        self._cut = True

    def _delete(self, items: Any, index: int) -> None:
        del items[index]
        self._cut = True

    def _message(self, node: Any, name: str) -> None:
        self._types(node.nested_type, node.enum_type, name)
        names = self._hidden.fields.get(name, frozenset())
        if names:
            self._fields(node, names)
            self._rules(node, name, names)

    def _fields(self, node: Any, names: frozenset[str]) -> None:
        oneofs = set()
        for index in reversed(range(len(node.field))):
            field = node.field[index]
            if field.name not in names:
                continue
            self._entry(node, field.type_name.rpartition(".")[2])
            if field.HasField("oneof_index"):
                oneofs.add(field.oneof_index)
            node.reserved_range.add(start=field.number, end=field.number + 1)
            self._delete(node.field, index)
        for index in sorted(oneofs, reverse=True):
            self._oneof(node, index)

    def _entry(self, node: Any, name: str) -> None:
        """Cut the type that compilers make for the entries of a map."""
        for index in reversed(range(len(node.nested_type))):
            nested = node.nested_type[index]
            if nested.name == name and nested.options.map_entry:
                self._delete(node.nested_type, index)

    def _oneof(self, node: Any, index: int) -> None:
        """Cut a oneof whose fields are cut: all of them are, since the reader refuses others."""
        self._delete(node.oneof_decl, index)
        for each in node.field:
            if each.HasField("oneof_index") and each.oneof_index > index:
                each.oneof_index -= 1

    # Rules

    def _rules(self, node: Any, name: str, names: frozenset[str]) -> None:
        """Cut the rules that name something hidden."""
        cut = set(self._cels(self._pool.option(node, _MESSAGE_RULES), name))
        for field in node.field:
            cut |= set(self._cels(self._pool.option(field, _FIELD_RULES), name))
        self._groups(self._pool.option(node, _MESSAGE_RULES), names)
        for option in _DECLARED:
            declared = self._pool.option(node, option)
            for index in reversed(range(len(declared.server_only_rules if declared else ()))):
                if declared.server_only_rules[index] in cut:
                    self._delete(declared.server_only_rules, index)

    def _cels(self, rules: Any, name: str) -> Iterator[str]:
        for items in () if rules is None else (rules.cel, rules.cel_expression):
            for index in reversed(range(len(items))):
                text = items[index] if isinstance(items[index], str) else items[index].expression
                if self._hidden.mentions(text, name):
                    yield text if items is rules.cel_expression else items[index].id or text
                    self._delete(items, index)

    def _groups(self, rules: Any, names: Iterable[str]) -> None:
        """Cut rules like those of oneofs to what is seen of them."""
        for index in reversed(range(len(rules.oneof if rules is not None else ()))):
            group = rules.oneof[index]
            seen = [each for each in group.fields if each not in names]
            if len(seen) == len(group.fields):
                continue
            group.ClearField("required")
            group.fields[:] = seen
            self._cut = True
            if len(seen) < 2:  # of one field, nothing is left to say
                self._delete(rules.oneof, index)


def _full(within: str, name: str) -> str:
    return f"{within}.{name}" if within else name
