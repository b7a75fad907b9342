"""From a rule's text to an expression of both languages.

Knows what a rule may return, and which fields it reads. Must not know how any part is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from rhtmx_codegen import model
from rhtmx_codegen.cel.check import Checker
from rhtmx_codegen.cel.parser import parse
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.tree import Matches, Node, Operation, Variable, walk
from rhtmx_codegen.cel.types import BOOL, STRING, TIMESTAMP, ThisType, type_of_this
from rhtmx_codegen.cel.values import NOTHING, constant_of

__all__ = ["Expression", "compile_rule"]

_NO_NAMES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled rule: an expression of `this` and `now`, and of helpers of the schema's run time.

    Attributes:
        reads: the fields of `this` that it reads, if `this` is a message; else nothing.
        result: what it returns: `bool`, or `string`, where an empty one means that all is well.
        patterns: the patterns that must be there as tables, in the order in which they stand.
        errs: it can raise `CelError`.
        uses_now: it asks for the time.
    """

    reads: frozenset[str]
    result: Literal["bool", "string"]
    patterns: tuple[str, ...]
    errs: bool
    uses_now: bool
    tree: Node

    def python(self, names: Mapping[str, str] = _NO_NAMES) -> str:
        """Return the expression in Python, over `this` and `now`.

        Args:
            names: of the table of each pattern.
        """
        return self.tree.python(names).text

    def typescript(self, names: Mapping[str, str] = _NO_NAMES) -> str:
        """Return the expression in TypeScript, over `self` (arrow functions have no `this`).

        Args:
            names: of the table of each pattern.
        """
        return self.tree.typescript(names).text

    def python_function(self, names: Mapping[str, str] = _NO_NAMES) -> str:
        """Return a function of Python, `lambda this, now: …`.

        Args:
            names: of the table of each pattern.
        """
        return f"lambda this, now: {self.python(names)}"

    def typescript_function(self, names: Mapping[str, str] = _NO_NAMES) -> str:
        """Return a function of TypeScript with the parameters that it needs.

        Args:
            names: of the table of each pattern.
        """
        reads_this = any(map(_is_this, walk(self.tree)))
        parameters = (
            "self: any, now: bigint" if self.uses_now else "self: any" if reads_this else ""
        )
        return f"({parameters}) => {self.typescript(names)}"


def compile_rule(
    text: str,
    this: ThisType,
    schema: model.Schema,
    *,
    rule: object = NOTHING,
    rules: object = None,
) -> Expression:
    """Return a rule as an expression of both languages.

    Args:
        text: the rule in CEL.
        this: what it is about: a message, a field's whole value, or one value.
        schema: where messages and enums are found.
        rule: what the option says that this is the rule of: a plain value, or a `Known`.
        rules: the message of options that it stands in, such as a `StringRules`.

    Raises:
        NotInSubset: it is wrong, or uses what is not compiled.
    """
    names: dict[str, Node] = {
        "this": Variable(type_of_this(this), "this", "self"),
        "now": Variable(TIMESTAMP, "now", "now"),
    }
    if rule is not NOTHING:
        names["rule"] = constant_of(rule)
    if rules is not None:
        names["rules"] = constant_of(rules)
    try:
        tree = Checker(schema, names).check(parse(text))
    except RecursionError:
        raise NotInSubset("nested too deeply, or too long: say it in several rules") from None
    if tree.type.bare not in {BOOL, STRING} or tree.type.absent:
        raise NotInSubset(f"a rule must be a bool or a string, not {tree.type}")
    fields = this.fields if isinstance(this, model.Message) else ()
    return Expression(
        reads=frozenset(_reads(tree, frozenset(field.name for field in fields))),
        result="bool" if tree.type.bare == BOOL else "string",
        patterns=tuple(dict.fromkeys(e.pattern for e in walk(tree) if isinstance(e, Matches))),
        errs=tree.errs,
        uses_now=any(isinstance(each, Variable) and each.name == "now" for each in walk(tree)),
        tree=tree,
    )


def _reads(node: Node, every: frozenset[str]) -> Iterator[str]:
    """Yield the fields of `this` that are read: all where `this` is handed on as a whole."""
    if isinstance(node, Variable) and node.name == "this":
        yield from every
    elif isinstance(node, Operation) and node.form.field and _is_this(node.parts[0]):
        yield from every & {node.form.field}
    else:
        for part in node.parts:
            yield from _reads(part, every)


def _is_this(node: Node) -> bool:
    return isinstance(node, Variable) and node.name == "this"
