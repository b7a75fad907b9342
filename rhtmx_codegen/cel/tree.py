"""A checked rule: every node has a type, and says whether it can err.

Knows how each node is written in both languages. Must not know CEL's syntax, or which
functions there are: an operation brings its two templates along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from rhtmx_codegen.cel.constants import python_constant, typescript_constant
from rhtmx_codegen.cel.pieces import Level, Piece
from rhtmx_codegen.cel.types import Type

__all__ = [
    "Choice",
    "Constant",
    "Form",
    "Logic",
    "Matches",
    "Names",
    "Node",
    "Operation",
    "Sequence",
    "Variable",
    "walk",
]

Names: TypeAlias = Mapping[str, str]
"""The name of the table of each pattern."""


class Node(Protocol):
    """What all nodes have."""

    @property
    def type(self) -> Type:
        """What its value is."""

    @property
    def errs(self) -> bool:
        """It can have no value: a division by zero."""

    @property
    def parts(self) -> tuple[Node, ...]:
        """The nodes right under it."""

    def python(self, names: Names) -> Piece:
        """Return it in Python."""

    def typescript(self, names: Names) -> Piece:
        """Return it in TypeScript."""


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all under it.

    Args:
        node: where to begin.
    """
    yield node
    for part in node.parts:
        yield from walk(part)


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is known when the rule is compiled."""

    type: Type
    value: Any
    errs: bool = False
    parts: tuple[Node, ...] = ()

    def python(self, names: Names) -> Piece:
        """Return the literal."""
        return python_constant(self.type, self.value)

    def typescript(self, names: Names) -> Piece:
        """Return the literal."""
        return typescript_constant(self.type, self.value)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a macro, `now` or `this`.

    Attributes:
        name: in Python.
        in_typescript: in TypeScript, where an arrow function can have no parameter `this`.
        over: what it goes through, for the variable of a macro.
    """

    type: Type
    name: str
    in_typescript: str
    over: Node | None = None
    errs: bool = False
    parts: tuple[Node, ...] = ()

    def python(self, names: Names) -> Piece:
        """Return its name."""
        return Piece(self.name, Level.ATOM)

    def typescript(self, names: Names) -> Piece:
        """Return its name."""
        return Piece(self.in_typescript, Level.ATOM)


@dataclass(frozen=True, slots=True)
class Form:
    """How an operation is written, and what it does to constants.

    Attributes:
        python: a template, `{0:sum} + {1:term}`: the words are levels of `pieces`.
        typescript: likewise.
        apply: what it does, for constants. May raise `rhtmx.schema.cel.CelError`.
        level: of the template in Python.
        typescript_level: of that in TypeScript, if it is another.
        errs: it can err, when none of its parts does.
        field: the field that it reads of its first part.
        opposite: the form of `!` of it, if there is a shorter one than `!`.
    """

    python: str
    typescript: str
    apply: Callable[..., Any] | None = None
    level: Level = Level.ATOM
    typescript_level: Level | None = None
    errs: bool = False
    field: str = ""
    opposite: Form | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A form and its parts."""

    type: Type
    form: Form
    parts: tuple[Node, ...]
    errs: bool

    def python(self, names: Names) -> Piece:
        """Return the filled template."""
        pieces = [part.python(names) for part in self.parts]
        return Piece(self.form.python.format(*pieces), self.form.level)

    def typescript(self, names: Names) -> Piece:
        """Return the filled template."""
        pieces = [part.typescript(names) for part in self.parts]
        level = self.form.typescript_level
        return Piece(
            self.form.typescript.format(*pieces), self.form.level if level is None else level
        )


@dataclass(frozen=True, slots=True)
class Logic:
    """Sides that `&&` or `||` joins.

    CEL lets a side that decides absorb an error of another one. As nothing has side effects, it is
    enough to ask those first that cannot err; only if several can, they become functions.
    """

    type: Type
    sign: str
    parts: tuple[Node, ...]

    @property
    def errs(self) -> bool:
        """It can err if a side can."""
        return any(part.errs for part in self.parts)

    def python(self, names: Names) -> Piece:
        """Return the sides with `and` or `or`."""
        helper = "_s.cel_all_of" if self.sign == "&&" else "_s.cel_any_of"
        return self._join(
            [part.python(names) for part in self._ordered()],
            f"{helper}(lambda: ",
            ", lambda: ",
            " and " if self.sign == "&&" else " or ",
        )

    def typescript(self, names: Names) -> Piece:
        """Return the sides with `&&` or `||`."""
        helper = "s.celAllOf" if self.sign == "&&" else "s.celAnyOf"
        return self._join(
            [part.typescript(names) for part in self._ordered()],
            f"{helper}(() => ",
            ", () => ",
            f" {self.sign} ",
        )

    def _ordered(self) -> list[Node]:
        return sorted(self.parts, key=lambda part: part.errs)

    def _join(self, sides: list[Piece], begin: str, between: str, sign: str) -> Piece:
        risky = sum(part.errs for part in self.parts)
        if risky > 1:
            thunks = between.join(side.text for side in sides[-risky:])
            sides = [*sides[:-risky], Piece(f"{begin}{thunks})", Level.ATOM)]
        if len(sides) == 1:
            return sides[0]
        if self.sign == "&&":
            return Piece(sign.join(f"{side:not}" for side in sides), Level.AND)
        return Piece(sign.join(f"{side:and}" for side in sides), Level.OR)


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? then : otherwise`; `parts` in that order."""

    type: Type
    parts: tuple[Node, ...]

    @property
    def errs(self) -> bool:
        """It can err if a part can."""
        return any(part.errs for part in self.parts)

    def python(self, names: Names) -> Piece:
        """Return a conditional expression."""
        condition, then, otherwise = (part.python(names) for part in self.parts)
        return Piece(f"{then:or} if {condition:or} else {otherwise:or}", Level.CHOICE)

    def typescript(self, names: Names) -> Piece:
        """Return a conditional expression."""
        condition, then, otherwise = (part.typescript(names) for part in self.parts)
        return Piece(f"{condition:or} ? {then:or} : {otherwise:or}", Level.CHOICE)


@dataclass(frozen=True, slots=True)
class Sequence:
    """`[a, b]`."""

    type: Type
    parts: tuple[Node, ...]

    @property
    def errs(self) -> bool:
        """It can err if an item can."""
        return any(part.errs for part in self.parts)

    def python(self, names: Names) -> Piece:
        """Return a list."""
        return Piece(f"[{', '.join(each.python(names).text for each in self.parts)}]", Level.ATOM)

    def typescript(self, names: Names) -> Piece:
        """Return an array."""
        items = ", ".join(each.typescript(names).text for each in self.parts)
        return Piece(f"[{items}]", Level.ATOM)


@dataclass(frozen=True, slots=True)
class Matches:
    """A string against a pattern that is a table of the module; `parts` has the string."""

    type: Type
    pattern: str
    parts: tuple[Node, ...]

    @property
    def errs(self) -> bool:
        """It can err if the string can."""
        return self.parts[0].errs

    def python(self, names: Names) -> Piece:
        """Return the call."""
        text = self.parts[0].python(names)
        return Piece(f"_s.cel_matches({text}, {names[self.pattern]})", Level.ATOM)

    def typescript(self, names: Names) -> Piece:
        """Return the call."""
        text = self.parts[0].typescript(names)
        return Piece(f"s.celMatches({text}, {names[self.pattern]})", Level.ATOM)
