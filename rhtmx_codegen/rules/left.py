"""Rules that are left to the server: each as descriptors in which it stands alone.

Knows protobuf's options, and which rule reads which fields of its entity or form. Must not know
what judges by the descriptors.

Each stands alone, since a rule that fails while it is judged takes all others of its message with
it, and since the rest is judged by tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.tokens import read_tokens
from rhtmx_codegen.entities import entity_name, form_name
from rhtmx_codegen.model import Message, Schema
from rhtmx_codegen.pool import Pool, bare_set, set_of
from rhtmx_codegen.rules.compiling import Compiled
from rhtmx_codegen.rules.custom import expressions

__all__ = ["LeftRule", "left_rules"]

_OURS = ("google/", "buf/", "rhtmx/")
_OPTIONS = ("buf.validate.message", "buf.validate.field", "buf.validate.oneof")
_IGNORE_ZERO = 1
_BOUNDS = ("gt", "gte", "lt", "lte")


@dataclass(frozen=True, slots=True)
class LeftRule:
    """One rule, as an entity or a form has it.

    Attributes:
        kind: `entity` or `form`.
        name: of the entity or form.
        message: the full name of its message.
        id: of the rule.
        field: the field of that message in which it judges values; empty for none, or several.
        reads: the fields of that message that it reads; empty if nobody can tell.
        words: those of the application for it.
        files: a serialised `FileDescriptorSet`, without what is not the schema's own.
    """

    kind: str
    name: str
    message: str
    id: str
    field: str
    reads: tuple[str, ...]
    words: str
    files: bytes


def left_rules(schema: Schema, compiled: Compiled) -> list[LeftRule]:
    """Find the rules that are left to the server.

    A message that is within others has its rules there, too.

    Args:
        schema: it.
        compiled: its rules.
    """
    if not any(each.left for each in compiled.tables.values()):
        return []
    bare = bare_set(schema.descriptors, schema.files)
    return [
        rule
        for message in schema.messages.values()
        for kind, name in _declared(message)
        for rule in _of_root(schema, compiled, bare, message, kind, name)
    ]


def _declared(message: Message) -> Iterator[tuple[str, str]]:
    if message.entity is not None:
        yield "entity", entity_name(message)
    if message.form is not None:
        yield "form", form_name(message)


def _of_root(
    schema: Schema, compiled: Compiled, bare: bytes, root: Message, kind: str, name: str
) -> Iterator[LeftRule]:
    ways = {each.name: _reached(schema, each.type.name) for each in root.fields}
    for full_name, table in compiled.tables.items():
        through = [field for field, reached in ways.items() if full_name in reached]
        if table.message is not root and not through:
            continue
        for field, rule in table.left:
            reads = _reads(table.message, field, rule) if table.message is root else ()
            if reads is not None and (reads or table.message is not root):
                reads = tuple(dict.fromkeys((*reads, *through)))
            at = reads[0] if len(reads) == 1 and (field or through) else ""
            files = _Alone(bare, full_name, field, rule).files()
            words = _words(table.message, field, rule)
            yield LeftRule(kind, name, root.full_name, rule, at, reads, words, files)


def _reached(schema: Schema, name: str) -> set[str]:
    """The messages that are in values of a type."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        message = schema.messages.get(ahead.pop())
        if message is not None and message.full_name not in found:
            found.add(message.full_name)
            ahead += [each.type.name for each in message.fields]
    return found


def _words(message: Message, field: str, rule: str) -> str:
    traits = next((each.traits for each in message.fields if each.name == field), None)
    return str(traits.message[rule]) if traits is not None and rule in traits.message else ""


def _reads(message: Message, field: str, rule: str) -> tuple[str, ...]:
    """The fields that a rule reads; empty if nobody can tell."""
    if field:
        return (field,)
    names = {each.name for each in message.fields}
    found: dict[str, None] = {}
    rules = message.rules
    texts = [each.expression for each in rules.cel if (each.id or each.expression) == rule]
    for text in (*texts, *(each for each in rules.cel_expression if each == rule)):
        read = _named(text)
        if not read or not names.issuperset(read):
            return ()
        found |= dict.fromkeys(read)
    return tuple(found)


def _named(text: str) -> list[str]:
    """The names after each `this.`; none where `this` stands otherwise, too."""
    try:
        tokens = read_tokens(text)
    except NotInSubset:
        return []
    found = []
    for at, token in enumerate(tokens):
        if token.kind == "name" and token.text == "this":
            dot, name = (*tokens[at + 1 : at + 3], token, token)[:2]
            if dot.text != "." or name.kind != "name":
                return []
            found.append(name.text)
    return found


class _Alone:
    """Descriptors of a schema with one of its rules, and no other.

    Args:
        bare: the descriptors.
        message: the full name of the message that has the rule.
        field: the name of the field that has it, or empty.
        rule: its id.
    """

    def __init__(self, bare: bytes, message: str, field: str, rule: str) -> None:
        self._pool = Pool(bare)
        self._at = message, field
        self._rule = rule

    def files(self) -> bytes:
        """The files of the schema's own, as a serialised `FileDescriptorSet`."""
        own = [each for each in self._pool.files.values() if not each.name.startswith(_OURS)]
        for file in own:
            self._messages(file.message_type, file.package)
        return set_of(each.SerializeToString(deterministic=True) for each in own)

    def _messages(self, nodes: Iterable[Any], within: str) -> None:
        for node in nodes:
            name = f"{within}.{node.name}" if within else node.name
            self._messages(node.nested_type, name)
            grouped = self._grouped(node)
            for field in node.field:
                zero_is_absent = field.name in grouped and self._is_plain(field)
                kept = self._kept(field, "buf.validate.field", (name, field.name), field)
                if kept is not None and zero_is_absent and not kept.HasField("ignore"):
                    kept.ignore = _IGNORE_ZERO
            for oneof in node.oneof_decl:
                self._clear(oneof)
            rules = self._kept(node, "buf.validate.message", (name, ""), None)
            if rules is not None:
                rules.ClearField("oneof")

    def _grouped(self, node: Any) -> set[str]:
        """The fields that a rule like that of a oneof names: their zero is as if it was absent."""
        rules = self._pool.option(node, "buf.validate.message")
        return {name for each in (rules.oneof if rules is not None else ()) for name in each.fields}

    def _is_plain(self, field: Any) -> bool:
        return not field.proto3_optional and not field.HasField("oneof_index")

    def _kept(self, node: Any, option: str, place: tuple[str, str], field: Any) -> Any:
        """The rules of a part of a file; `None` if the rule is not there."""
        rules = self._pool.option(node, option)
        if rules is None or place != self._at:
            self._clear(node)
            return None
        self._keep(rules)
        if field is not None and rules.required:
            rules.ClearField("required")
            if self._is_plain(field):  # of what is missing, `required` says all that is said
                rules.ignore = _IGNORE_ZERO
        return rules

    def _clear(self, node: Any) -> None:
        for descriptor, _ in node.options.ListFields():
            if descriptor.full_name in _OPTIONS:
                node.options.ClearExtension(descriptor)

    def _keep(self, rules: Any) -> None:
        """Keep the rule alone, of `FieldRules` or `MessageRules`."""
        for index in reversed(range(len(rules.cel))):
            each = rules.cel[index]
            if (each.id or each.expression) != self._rule:
                del rules.cel[index]
        for index in reversed(range(len(rules.cel_expression))):
            if rules.cel_expression[index] != self._rule:
                del rules.cel_expression[index]
        said = rules.WhichOneof("type") if "type" in rules.DESCRIPTOR.oneofs_by_name else None
        if said is not None:
            self._keep_of_type(getattr(rules, said), said)

    def _keep_of_type(self, rules: Any, word: str) -> None:
        for descriptor, value in rules.ListFields():
            if descriptor.is_extension:
                ids = {each.id or each.expression for each in expressions(descriptor)}
                if self._rule not in ids:
                    rules.ClearExtension(descriptor)
            elif getattr(descriptor.message_type, "name", "") == "FieldRules":
                self._keep(value)
            elif not self._is_named(word, descriptor.name):
                rules.ClearField(descriptor.name)

    def _is_named(self, word: str, name: str) -> bool:
        """Whether the id of the rule is of a standard rule; that of two bounds has both names."""
        named = self._rule.removeprefix(f"{word}.")
        if named == self._rule:
            return False
        bounds = named.removesuffix("_exclusive").split("_")
        return name == named or (name in _BOUNDS and name in bounds)
